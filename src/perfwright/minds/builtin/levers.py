"""The table of levers: what can be changed, what calls for it, what to expect of it.

A lever is an idea with its edits.  `calls` says which diagnoses call for it, and how loudly
(0 to 1); `against` which speak against it.  `gain` and `spread` are what to believe before
anything is measured: mean and standard deviation of the logarithm of the speed-up of a
program all of whose time is touched.  They are opinions of ordinary size, not measurements;
the first measured candidate corrects them (`perfwright.minds.builtin.beliefs`).  Levers of
one group exclude each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from perfwright.core.candidate import Claim, Edit
from perfwright.minds.roles import Diagnosis

LEVEL = "pipeline"
_INLINE_MARGIN = 50.0
_INLINE_MOST = 2000.0


@dataclass(frozen=True)
class Lever:
    """One idea.  An edit text may use numbers of the diagnosis, in braces."""

    name: str
    group: str
    edits: tuple[str, ...]
    calls: Mapping[str, float]
    expects: str
    gain: float
    spread: float
    risk: str
    against: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Called:
    """A lever that the evidence calls for, with the prior belief in it and its edits."""

    lever: Lever
    edits: tuple[Edit, ...]
    mean: float
    deviation: float
    reasons: tuple[Diagnosis, ...]

    def claims(self) -> tuple[Claim, ...]:
        """Why, with the ids of the facts behind it."""
        cited = tuple(dict.fromkeys(fact for d in self.reasons for fact in d.evidence))
        because = "; ".join(d.text for d in self.reasons[:2])
        text = f"{because}: {self.lever.expects}" if because else self.lever.expects
        return tuple(Claim(edit, text, cited[:6]) for edit in self.edits)


def _option(name: str, value: object) -> str:
    return f"option {name}={value}"


LEVERS: Sequence[Lever] = (
    Lever(
        name="whole-program",
        group="link",
        edits=("link whole-program",),
        calls={"cross-unit-call": 1.0, "many-units": 0.3},
        expects="link-time optimisation lets calls cross units and inline",
        gain=0.10,
        spread=0.10,
        risk="larger functions after inlining can spill or be laid out worse",
    ),
    Lever(
        name="inline-further",
        group="inline",
        edits=("option inline-threshold={enough}",),
        calls={"inlining-too-costly": 1.0},
        expects="a threshold above that cost inlines the call",
        gain=0.03,
        spread=0.06,
        risk="code grows, registers get scarce",
    ),
    Lever(
        name="keep-selects",
        group="select",
        edits=(_option("x86-cmov-converter", "false"),),
        calls={"even-branch": 1.0, "selects-in-loop": 0.4},
        against={"one-sided-branch": 0.3},
        expects="selects stay conditional moves, which data cannot mispredict",
        gain=0.04,
        spread=0.06,
        risk="a conditional move lengthens the dependence chain that a good prediction would cut",
    ),
    Lever(
        name="branches-for-selects",
        group="select",
        edits=(_option("x86-cmov-converter-force-all", "true"),),
        calls={"one-sided-branch": 0.6},
        against={"even-branch": 0.8},
        expects="predictable conditions become branches and leave the dependence chain",
        gain=0.01,
        spread=0.05,
        risk="mispredictions where the condition is data after all",
    ),
    Lever(
        name="less-if-conversion",
        group="if-conversion",
        edits=(_option("two-entry-phi-node-folding-threshold", 1),),
        calls={"one-sided-branch": 0.6},
        against={"even-branch": 0.8},
        expects="code behind a branch that predicts well is not executed needlessly",
        gain=0.01,
        spread=0.05,
        risk="mispredictions where the condition is data after all",
    ),
    Lever(
        name="tune-for-host",
        group="tune",
        edits=("flag -mtune=native",),
        calls={"hot-function": 0.7, "fixed-count-loop": 0.5, "selects-in-loop": 0.5},
        expects="cost models and the scheduler use this CPU's latencies and unrolling limits",
        gain=0.02,
        spread=0.05,
        risk="scheduling for one CPU can cost on another",
    ),
    Lever(
        name="unroll-partially",
        group="unroll",
        edits=(_option("unroll-partial-threshold", 600),),
        calls={"fixed-count-loop": 0.9, "long-loop": 0.4},
        against={"short-loop": 0.3},
        expects="a loop that is too large to unroll fully is unrolled in part",
        gain=0.02,
        spread=0.05,
        risk="the loop outgrows the instruction cache or the decoder's buffer",
    ),
    Lever(
        name="unroll-fully",
        group="unroll",
        edits=(_option("unroll-threshold", 1000),),
        calls={"fixed-count-loop": 0.8, "fixed-count-nest": 0.8},
        expects="fixed-count loops vanish, and their indices become constants",
        gain=0.02,
        spread=0.08,
        risk="straight-line code defeats the loop vectoriser and fills the instruction cache",
    ),
    Lever(
        name="unroll-by-8",
        group="unroll",
        edits=(_option("unroll-count", 8),),
        calls={"long-loop": 0.8},
        against={"short-loop": 0.9, "loop-vectorised": 0.3},
        expects="less loop control and more independent work in each iteration",
        gain=0.015,
        spread=0.06,
        risk="every loop is unrolled, also those that run few iterations",
    ),
    Lever(
        name="unroll-by-4",
        group="unroll",
        edits=(_option("unroll-count", 4),),
        calls={"long-loop": 0.7},
        against={"short-loop": 0.6, "loop-vectorised": 0.3},
        expects="less loop control and more independent work in each iteration",
        gain=0.012,
        spread=0.05,
        risk="every loop is unrolled, also those that run few iterations",
    ),
    Lever(
        name="no-runtime-unrolling",
        group="unroll",
        edits=(_option("unroll-runtime", "false"),),
        calls={"short-loop": 0.8},
        against={"long-loop": 0.5},
        expects="loops that run few iterations lose the remainder code around them",
        gain=0.015,
        spread=0.04,
        risk="long loops keep their control overhead",
    ),
    Lever(
        name="scalar-short-loops",
        group="vectorise",
        edits=(_option("vectorize-loops", "false"),),
        calls={"short-loop": 0.7},
        against={"long-loop": 1.0},
        expects="loops of few iterations skip the checks around vector code they never reach",
        gain=0.01,
        spread=0.08,
        risk="loops that do profit from vector code lose it",
    ),
    Lever(
        name="interleave-less",
        group="interleave",
        edits=(_option("force-vector-interleave", 1),),
        calls={"loop-vectorised": 0.5, "short-loop": 0.4},
        expects="the vector loop needs fewer iterations before it pays",
        gain=0.008,
        spread=0.05,
        risk="long loops wait for their latencies",
    ),
    Lever(
        name="interleave-more",
        group="interleave",
        edits=(_option("force-vector-interleave", 4),),
        calls={"long-loop": 0.5, "vector-loop": 0.3},
        against={"short-loop": 0.6},
        expects="several independent vector chains hide each other's latency",
        gain=0.005,
        spread=0.06,
        risk="short loops fall through to the scalar remainder",
    ),
    Lever(
        name="wider-vectors",
        group="vector-width",
        edits=(_option("force-vector-width", 8),),
        calls={"loop-vectorised": 0.6, "loop-not-vectorised": 0.3},
        expects="more elements an iteration for narrow types",
        gain=0.008,
        spread=0.06,
        risk="packing and unpacking cost more than the width brings",
    ),
    Lever(
        name="fill-registers",
        group="vector-width",
        edits=(_option("vectorizer-maximize-bandwidth", "true"),),
        calls={"loop-vectorised": 0.6},
        expects="the vector width follows the smallest type in the loop",
        gain=0.01,
        spread=0.05,
        risk="wide types are split into several registers",
    ),
    Lever(
        name="cautious-slp",
        group="slp",
        edits=(_option("slp-threshold", 5),),
        calls={"slp-vectorised": 0.8},
        expects="straight-line code is vectorised only where the gain is clear",
        gain=0.01,
        spread=0.04,
        risk="trees that do pay stay scalar",
    ),
    Lever(
        name="no-slp",
        group="slp",
        edits=(_option("vectorize-slp", "false"),),
        calls={"slp-vectorised": 0.6},
        expects="scalar code without shuffles and inserts",
        gain=0.005,
        spread=0.06,
        risk="trees that do pay stay scalar",
    ),
    Lever(
        name="daring-slp",
        group="slp",
        edits=(_option("slp-threshold", -5),),
        calls={"slp-not-beneficial": 0.5},
        expects="trees that the cost model narrowly refused are vectorised",
        gain=-0.005,
        spread=0.06,
        risk="the cost model was right",
    ),
    Lever(
        name="no-machine-licm",
        group="registers",
        edits=(_option("disable-machine-licm", "true"),),
        calls={"spills-in-loop": 0.8, "dispatch-loop": 0.5, "hot-function": 0.2},
        expects="constants are made where they are used, and registers are free for the loop",
        gain=0.012,
        spread=0.04,
        risk="constants are made anew in each iteration",
    ),
    Lever(
        name="schedule-for-registers",
        group="schedule",
        edits=(_option("pre-RA-sched", "list-burr"),),
        calls={"spills-in-loop": 0.8, "hot-function": 0.2},
        expects="a schedule that keeps fewer values alive spills less",
        gain=0.006,
        spread=0.05,
        risk="less instruction-level parallelism",
    ),
    Lever(
        name="schedule-for-parallelism",
        group="schedule",
        edits=(_option("pre-RA-sched", "list-ilp"),),
        calls={"hot-function": 0.3, "scalar-loop": 0.4},
        expects="independent instructions come earlier",
        gain=0.006,
        spread=0.04,
        risk="more values alive at once",
    ),
    Lever(
        name="thread-dispatch",
        group="dispatch",
        edits=(_option("tail-dup-size", 20), _option("tail-dup-placement-threshold", 20)),
        calls={"dispatch-loop": 1.0},
        expects="each handler ends in an indirect jump of its own, which predicts better",
        gain=0.03,
        spread=0.08,
        risk="code grows",
    ),
    Lever(
        name="thread-states",
        group="dispatch",
        edits=(_option("enable-dfa-jump-thread", "true"),),
        calls={"dispatch-loop": 0.6, "branchy-loop": 0.4},
        expects="jumps between the states of a machine skip its switch",
        gain=0.01,
        spread=0.06,
        risk="code grows",
    ),
    Lever(
        name="branch-trees",
        group="switch",
        edits=(_option("min-jump-table-entries", 1000),),
        calls={"dispatch-loop": 0.7},
        expects="a tree of compares predicts better than one indirect jump",
        gain=0.0,
        spread=0.07,
        risk="many compares for wide switches",
    ),
    Lever(
        name="interchange-loops",
        group="loop-order",
        edits=(_option("enable-loopinterchange", "true"),),
        calls={"loop-not-vectorised": 0.6, "long-loop": 0.5, "scalar-loop": 0.3},
        expects="the innermost loop walks memory in order",
        gain=0.03,
        spread=0.10,
        risk="the nest was in the better order already",
    ),
    Lever(
        name="jam-loops",
        group="jam",
        edits=(
            _option("enable-unroll-and-jam", "true"),
            _option("allow-unroll-and-jam", "true"),
        ),
        calls={"long-loop": 0.5, "loop-not-vectorised": 0.3},
        expects="outer iterations share the loads of the inner loop",
        gain=0.01,
        spread=0.06,
        risk="registers get scarce",
    ),
    Lever(
        name="hoist-loads-at-run-time",
        group="licm",
        edits=(_option("enable-loop-versioning-licm", "true"),),
        calls={"load-not-eliminated": 0.5},
        expects="a check at run time lets loop-invariant memory stay in registers",
        gain=0.01,
        spread=0.05,
        risk="the check costs and the code doubles",
    ),
    Lever(
        name="no-load-pre",
        group="gvn",
        edits=(_option("enable-load-pre", "false"),),
        calls={"dispatch-loop": 0.5, "branchy-loop": 0.3},
        expects="no loads on paths that did not need them",
        gain=0.004,
        spread=0.04,
        risk="loads are repeated",
    ),
    Lever(
        name="thread-jumps-further",
        group="jump-threading",
        edits=(_option("jump-threading-threshold", 20),),
        calls={"branchy-loop": 0.5, "one-sided-branch": 0.4},
        expects="conditions that are known on a path are not tested on it again",
        gain=0.006,
        spread=0.04,
        risk="code grows and loops lose their shape",
    ),
    Lever(
        name="align-branch-targets",
        group="align",
        edits=(_option("align-all-nofallthru-blocks", 5),),
        calls={"branchy-loop": 0.4, "dispatch-loop": 0.4, "hot-function": 0.2},
        expects="jump targets start at fetch boundaries, whatever comes before them",
        gain=0.006,
        spread=0.03,
        risk="padding fills the instruction cache",
    ),
    Lever(
        name="unswitch-more",
        group="unswitch",
        edits=(_option("unswitch-threshold", 400),),
        calls={"one-sided-branch": 0.3, "even-branch": 0.3},
        expects="conditions that do not change in a loop leave it",
        gain=0.01,
        spread=0.05,
        risk="the loop is copied",
    ),
)


def called(diagnoses: Sequence[Diagnosis], levers: Sequence[Lever] = LEVERS) -> list[Called]:
    """The levers that the diagnoses call for, with prior beliefs; the most hopeful first."""
    found = []
    for lever in levers:
        reasons = sorted(
            (d for d in diagnoses if d.kind in lever.calls),
            key=lambda d: -d.weight * lever.calls[d.kind],
        )
        pull = max((d.weight * lever.calls[d.kind] for d in reasons), default=0.0)
        push = max((d.weight * lever.against.get(d.kind, 0.0) for d in diagnoses), default=0.0)
        if pull <= 0:
            continue
        mean = lever.gain * pull - abs(lever.spread) * 0.5 * push
        edits = tuple(Edit(LEVEL, _filled(text, reasons)) for text in lever.edits)
        found.append(Called(lever, edits, mean, lever.spread * pull, tuple(reasons[:4])))
    return sorted(found, key=lambda c: (-(c.mean + c.deviation), c.lever.name))


def _filled(text: str, reasons: Sequence[Diagnosis]) -> str:
    """The edit with the diagnosis's numbers in it."""
    costs = [float(d.data["cost"]) for d in reasons if "cost" in d.data]
    enough = min(_INLINE_MOST, max(costs, default=250.0) + _INLINE_MARGIN)
    return text.replace("{enough}", f"{enough:.0f}")
