"""`perfwright doctor`: what is installed, what is missing, what this machine can measure.

The checks themselves are in `perfwright.app.machine.checkup`; here is what they add up to.
"""

from __future__ import annotations

import platform
import textwrap
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from perfwright import __version__
from perfwright.app.machine.checkup import checkup
from perfwright.app.machine.surroundings import Finding, Surroundings

_WIDTH = 100
_NAME = 18
"""Columns of the name of what was looked at."""


class DoctorReport(BaseModel):
    """Everything that was found, in an order in which a reader wants to know it.

    `fit` says whether tuning can work at all: nothing that it needs is missing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    schema_version: Literal[1] = Field(default=1, alias="schema")
    perfwright: str
    python: str
    fit: bool
    findings: list[Finding]

    def lines(self) -> Iterable[str]:
        """The report for people: by area, each finding with the next thing to type."""
        yield f"perfwright {self.perfwright}, Python {self.python}"
        for area, found in groupby(self.findings, key=lambda finding: finding.area):
            yield ""
            yield area
            for finding in found:
                yield from _finding(finding)
        yield ""
        yield from _conclusion(self)


def examine(surroundings: Surroundings | None = None) -> DoctorReport:
    """Look at everything that tuning needs or profits from; takes a few seconds.

    Nothing is raised for what is missing or broken here: that is what the report is about.

    Args:
        surroundings: where to look; this machine when `None`.

    Raises:
        UserError: a PERFWRIGHT_ variable has a value that means nothing.
    """
    findings = list(checkup(surroundings or Surroundings()))
    return DoctorReport(
        perfwright=__version__,
        python=platform.python_version(),
        fit=not any(finding.state == "missing" for finding in findings),
        findings=findings,
    )


def _finding(finding: Finding) -> Iterator[str]:
    indent = " " * (_NAME + 12)
    yield from textwrap.wrap(
        finding.text,
        _WIDTH,
        initial_indent=f"  {finding.state:<9}{finding.name:<{_NAME}} ",
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    if finding.hint:
        # Never wrapped: it is to be copied.
        yield f"{indent}try: {finding.hint}"


def _conclusion(report: DoctorReport) -> Iterator[str]:
    missing = [finding.name for finding in report.findings if finding.state == "missing"]
    warnings = sum(finding.state == "warn" for finding in report.findings)
    if missing:
        yield f"not fit: tuning cannot work without {', '.join(missing)}"
    elif warnings:
        count = "one warning" if warnings == 1 else f"{warnings} warnings"
        yield f"fit: tuning works here; {count} above"
    else:
        yield "fit: everything is here"
