"""Resources: the -O3 pipeline, the passes and the options of the installed LLVM, in pages.

`perfwright://passes` is the first page; `perfwright://passes?cursor=40&match=loop` goes on.
Each page ends with the address of the next one.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError

from perfwright.errors import PerfwrightError
from perfwright.mcp.answers import bounded_error, refusal
from perfwright.mcp.desk import Desk
from perfwright.mcp.llvm import What, listed
from perfwright.mcp.paging import page_of, shown

_LISTS: dict[str, tuple[What, str]] = {
    "pipeline/O3": ("pipeline", "The -O3 pipeline as a numbered outline; edits name its places."),
    "passes": ("passes", "The passes that edits may use, with their parameters."),
    "options": ("options", "The options that edits may set; those worth tuning come first."),
    "edits": ("edits", "How edits are written."),
}
_MOST_LINES = 60


def add_resources(server: MCPServer[Any], desk: Desk) -> None:
    """Register each list as a resource, and its further pages as a template."""
    for path, (what, about) in _LISTS.items():
        _add(server, desk, path, what, about)


def _add(server: MCPServer[Any], desk: Desk, path: str, what: What, about: str) -> None:
    address = f"perfwright://{path}"

    def page(cursor: str = "", match: str = "") -> str:
        try:
            lines = [shown(line) for line in listed(what, match, desk.toolchain_name)]
            found = page_of(lines, cursor, _MOST_LINES, len)
        except PerfwrightError as error:
            raise ResourceError(bounded_error(refusal(error))) from error
        more = f"next: {_next(address, found.next, match)}" if found.next else "end"
        return "\n".join([*found.items, f"-- {found.total} lines in all; {more}"])

    def first() -> str:
        return page()

    server.resource(address, name=what, description=about, mime_type="text/plain")(first)
    server.resource(
        address + "{?cursor,match}",
        name=f"{what}, further pages",
        description=f"{about} `match` filters.",
        mime_type="text/plain",
    )(page)


def _next(address: str, cursor: str, match: str) -> str:
    return f"{address}?cursor={cursor}" + (f"&match={quote(match)}" if match else "")
