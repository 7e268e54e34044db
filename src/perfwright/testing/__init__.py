"""Scripted doubles of core's protocols, and conformance suites for those who implement them.

Shipped for authors of plugins.  A suite is a class of tests: subclass it in your own tests,
name the subclass `Test...`, and provide the fixtures that its docstring asks for.  The doubles
need neither an LLVM nor a clock, and decide by their arguments alone.
"""
