"""Words for linkers, in the forms that clang's driver hands on."""

from __future__ import annotations


def linker_words(*texts: str) -> tuple[str, ...]:
    """Words for the linker as the driver takes them; `-Wl,` would split them at commas."""
    return tuple(word for text in texts for word in ("-Xlinker", text))


def link_option(text: str) -> tuple[str, ...]:
    """An LLVM option such as `-unroll-threshold=300` for lld's link-time optimisation.

    A plain `-mllvm` on a link command is dropped by the driver.
    """
    return linker_words("-mllvm", text)


def plugin_option(text: str) -> tuple[str, ...]:
    """An LLVM option for the link-time optimisation of whatever linker the program's build uses.

    lld takes this form too, and LLVM's plugin (for GNU ld and gold) no other.
    """
    return linker_words(f"-plugin-opt={text}")
