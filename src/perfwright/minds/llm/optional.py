"""What language models need beyond the ordinary installation, and how to get it."""

from __future__ import annotations

import importlib.util

from perfwright.errors import UserError


def models_installed() -> bool:
    """Whether the packages for language models are there."""
    return importlib.util.find_spec("pydantic_ai") is not None


def require_models(extra: str = "models") -> None:
    """Make sure that the packages for language models are there.

    Raises:
        UserError: they are not; says how to install them.
    """
    if not models_installed():
        raise missing("pydantic-ai", extra)


def missing(package: str, extra: str = "models") -> UserError:
    """The error for a package that is not installed."""
    return UserError(
        f"minds other than 'builtin' need the package {package}, which is not installed",
        hint=f"pip install 'perfwright[{extra}]'",
    )
