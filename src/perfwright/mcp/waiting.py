"""Long calls: in a thread, with progress told while they last, and ended when cancelled."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import anyio
import anyio.to_thread
from mcp.server.mcpserver import Context

from perfwright.app.agent.conducted import Conducted
from perfwright.core import events
from perfwright.core.events import Event
from perfwright.errors import PerfwrightError
from perfwright.mcp.paging import shown
from perfwright.units import format_ratio

T = TypeVar("T")

_TOLD_EVERY_SECONDS = 0.25


async def awaited(
    context: Context[Any, Any], campaign: Conducted[Any, Any], call: Callable[[], T]
) -> T:
    """What a call of the campaign returns; a cancelled one interrupts the campaign.

    Raises:
        PerfwrightError: what the call raised.
    """
    return await attended(context, campaign, lambda: threaded(call))


async def threaded(call: Callable[[], T]) -> T:
    """What a call returns that waits; nobody waits for a cancelled one."""
    return await anyio.to_thread.run_sync(call, abandon_on_cancel=True)


async def attended(
    context: Context[Any, Any], campaign: Conducted[Any, Any], work: Callable[[], Awaitable[T]]
) -> T:
    """What work on the campaign comes to; if it is cancelled, the campaign is interrupted.

    Raises:
        PerfwrightError: what the work raised.
    """
    async with anyio.create_task_group() as group:
        group.start_soon(_tell, context, campaign)
        try:
            result = await _outcome(work)
        except anyio.get_cancelled_exc_class():
            campaign.stop()
            raise
        finally:
            group.cancel_scope.cancel()
    if isinstance(result, PerfwrightError):
        raise result
    return result


async def _outcome(work: Callable[[], Awaitable[T]]) -> T | PerfwrightError:
    """The work with its error as a value: a task group would wrap it into a group of errors."""
    try:
        return await work()
    except PerfwrightError as error:
        return error


async def _tell(context: Context[Any, Any], campaign: Conducted[Any, Any]) -> None:
    told = campaign.heard
    while True:
        await anyio.sleep(_TOLD_EVERY_SECONDS)
        heard, event = campaign.heard, campaign.latest
        if heard > told and event is not None:
            told = heard
            await context.report_progress(heard, None, words(event))


def words(event: Event) -> str:
    """One line on what is going on."""
    match event:
        case events.StageBegan(stage, detail):
            line = f"{stage}: {detail}" if detail else stage
        case events.PairTimed(pairs, estimate):
            line = f"measure: {pairs} pairs, {format_ratio(estimate)} so far"
        case events.RoundBegan(number, of):
            line = f"round {number} of {of}" if of else f"round {number}"
        case events.TrialEnded(trial, _):
            line = f"trial {trial.id}: {trial.verdict or trial.state}"
        case events.EditPriced(contribution, kept):
            line = f"prune: {contribution.edit} {'stays' if kept else 'goes'}"
        case events.Confirmed(comparison):
            line = f"confirm: {comparison}"
        case events.Warned(text):
            line = f"warning: {text}"
    return shown(line)
