"""Running programs under test and comparing their speed.

`executor` runs them (in the `sandbox`, by way of the C program that `native` compiles),
`workloads` says what a run is, `schedule` when which one runs, `sequential` and `confirm`
judge, and `measurer` is core's `Measurer` made of all that.
"""
