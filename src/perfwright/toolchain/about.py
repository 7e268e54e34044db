"""What a toolchain says about itself, asked once and cached until its tools change."""

from __future__ import annotations

from perfwright.toolchain.cache import cached
from perfwright.toolchain.discovery import Host, Toolchain
from perfwright.toolchain.registry import (
    OptionTable,
    PassRegistry,
    read_option_table,
    read_pass_registry,
)


def pass_registry(toolchain: Toolchain, host: Host) -> PassRegistry:
    """Its passes, pipelines for the host's triple, and nesting rules.

    Raises:
        ToolchainError: it has no opt, or one that cannot be asked.
    """
    return cached(
        toolchain,
        f"passes-{host.triple}",
        PassRegistry,
        lambda: read_pass_registry(toolchain.tool("opt"), triple=host.triple),
    )


def option_table(toolchain: Toolchain) -> OptionTable:
    """The options of its opt, clang and, where there is one, lld.

    Raises:
        ToolchainError: it has no opt or clang, or one that cannot be asked.
    """
    lld = toolchain.tool("ld.lld") if toolchain.has("ld.lld") else None
    return cached(
        toolchain,
        "options",
        OptionTable,
        lambda: read_option_table(toolchain.tool("opt"), toolchain.tool("clang"), lld),
    )
