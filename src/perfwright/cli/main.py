"""Where the `perfwright` command begins and ends.

The launcher (`perfwright cc`), which a build starts thousands of times, goes its own way before
anything that it does not need is imported.  Everything else is a command of
`perfwright.cli.commands`; here is what becomes of its errors (DESIGN.md, section 5).
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from perfwright.cli import debug
from perfwright.errors import InternalError, PerfwrightError, UserError

INTERRUPTED = 130
_ENDINGS = {signal.SIGINT, signal.SIGTERM}
_LAUNCHERS: Mapping[str, Literal["c", "c++"]] = {"cc": "c", "c++": "c++"}


def main() -> None:
    """Run the command and leave with its exit status."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    words = sys.argv[1:]
    sys.exit(_launcher(words) if words and words[0] in _LAUNCHERS else _command(words))


def _launcher(words: Sequence[str]) -> int:
    from perfwright.app.launch import launch

    try:
        return launch(words[1:], _LAUNCHERS[words[0]])
    except KeyboardInterrupt:
        return INTERRUPTED
    except PerfwrightError as error:
        if debug.is_on():
            raise
        print(f"perfwright: {error}", file=sys.stderr)
        return error.exit_status


def _command(words: Sequence[str]) -> int:
    # Whoever interrupts waits for this import: it is what the answer is told with.
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDINGS)
    from perfwright.cli import output

    end = words.index("--") if "--" in words else len(words)
    json = "--json" in words[:end]
    if "--debug" in words[:end]:  # wherever it stands
        debug.switch_on()
        words = [*(word for word in words[:end] if word != "--debug"), *words[end:]]
    signal.signal(signal.SIGTERM, _as_interrupt)
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDINGS)
        status = _run(words)
    except PerfwrightError as error:
        return output.failed(error, json=json)
    except Exception as error:  # noqa: BLE001 - the last place that can tell the user
        # Left alone, Python would leave with 1: "a recipe that no longer holds".
        return output.failed(_unforeseen(error), json=json)
    except KeyboardInterrupt:
        status = INTERRUPTED
    # This is also what typer makes of Ctrl-C: nothing has been said of it yet.
    return output.interrupted(json=json) if status == INTERRUPTED else status


def _as_interrupt(_number: int, _frame: Any) -> None:
    raise KeyboardInterrupt


def _run(words: Sequence[str]) -> int:
    import typer

    from perfwright.cli.commands import app

    try:
        status = app(list(words), prog_name="perfwright", standalone_mode=False)
    except typer.TyperException as error:
        raise _misused(error) from error
    return status if isinstance(status, int) else 0


def _misused(error: Any) -> UserError:
    """What typer says about options and arguments, in our form."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "perfwright"
    fact = error.format_message().rstrip(".")
    return UserError(fact[:1].lower() + fact[1:], hint=f"{command} --help")


def _unforeseen(error: Exception) -> InternalError:
    """A machine that gives no more, or our own mistake."""
    if isinstance(error, OSError):
        place = f" ({error.filename})" if error.filename else ""
        fact = f"the machine refuses: {error.strerror or error}{place}"
        found = InternalError(fact, hint="make room on the disk: perfwright clean --unused")
    else:
        found = InternalError(
            f"internal error: {type(error).__name__}: {error}",
            hint="run it again with --debug, and report what it shows",
        )
    found.__cause__ = error
    return found
