"""What the compiler and the machine say about a program, as typed facts.

Pure parsers, one module a tool: `remarks`, `analyses`, `irtext`, `perf`, `callgrind`,
`coverage`, `disassembly`, `mca`.  Effects are in the functions that take a `Runner`, and
`gather` composes them all into one `Evidence`.
"""
