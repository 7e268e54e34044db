"""What the report's terms mean, in words for somebody who reads their first campaign."""

from __future__ import annotations

from collections.abc import Mapping

STATUSES: Mapping[str, str] = {
    "improved": "improved",
    "no-gain": "no gain",
    "failed": "failed",
    "interrupted": "interrupted",
}

CORRECT: Mapping[str, tuple[str, str]] = {
    "by-construction": (
        "by construction",
        "the edits only choose passes and options of the compiler, which keep the meaning of a "
        "program; the oracle agreed on every workload all the same",
    ),
    "proved": (
        "proved",
        "a solver showed that the changed code does what the old code did; the oracle agreed on "
        "every workload as well",
    ),
    "tested": (
        "tested, not proved",
        "the oracle agreed on every workload; inputs unlike these have not been tried",
    ),
}
"""How a result is known to be right: in a word, and what that means."""

IDENTITIES: Mapping[str, str] = {
    "same-code": "perfwright's own way of building gives the machine code of your build",
    "same-speed": "perfwright's own way of building gives other code than your build, as fast",
    "differs": "perfwright's own way of building differs from your build in speed, so every "
    "candidate was built the way you build",
    "unchecked": "whether perfwright's own way of building gives the same program was not checked",
}
"""What the identity check of the baseline found."""

METRICS: Mapping[str, str] = {
    "cpu": "CPU time (user and system) of the program and all that it starts",
    "wall": "elapsed time",
    "instructions": "instructions executed in user mode, by hardware counters",
    "cycles": "CPU cycles in user mode, by hardware counters",
}

STATES: Mapping[str, str] = {
    "measured": "was run against the best so far",
    "identical": "gives machine code that was seen before, so it was not measured again",
    "rejected": "is not valid, or promises nothing; nothing was built",
    "unbuildable": "does not compile or link",
    "wrong": "the oracle, a limit or a crash refuted it",
}

CONFIRMED_ON: Mapping[str, str] = {
    "": "random orders of the code in memory",
    "delivered": "the order that is delivered",
    "one layout": "one order only",
}
"""Which pairs of the confirmation are which."""
