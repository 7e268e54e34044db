"""The Model Context Protocol: a thin front over `perfwright.app`, for agents.

Needs the official SDK, which is an extra: `perfwright[mcp]`.  Import nothing from here but
`perfwright.mcp.serve`, and that only when a server is wanted.
"""
