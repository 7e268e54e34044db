"""The first stage: build the baseline, check what it is judged by, gather the evidence."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from perfwright.app.campaign.profiled import SandboxedRun
from perfwright.checks.mutation import MutantMaker, MutationCheck, OracleStrength, disassemble
from perfwright.checks.sanitizers import FLAGS as SANITIZERS
from perfwright.checks.sanitizers import SanitizerCheck
from perfwright.core.candidate import BASELINE
from perfwright.core.evidence import Fact
from perfwright.core.protocols import Build, Ground, Identity, Refusal, WrongResultError
from perfwright.core.verdict import Comparison, Verdict
from perfwright.errors import ProgramError
from perfwright.evidence.elf import code_hash
from perfwright.evidence.functions import UnitInput
from perfwright.evidence.gather import Gatherer, Subject
from perfwright.evidence.gathered import Evidence
from perfwright.evidence.location import SourceRoot
from perfwright.levels.workshop import EditWorkshop, Site
from perfwright.measure.reference import Reference
from perfwright.measure.runner import Executor
from perfwright.measure.workloads import ProgramRuns
from perfwright.program.bitcode import UnitBitcode
from perfwright.program.build import BuildFailure, Built, build, build_baseline
from perfwright.program.plan import BuildPlan
from perfwright.units import Seconds

_INSTRUMENT = ("-fprofile-instr-generate", "-fcoverage-mapping")
_LINES = ("-gline-tables-only",)
_ALIASES = {"O": "O1", "O4": "O3", "Ofast": "O3"}
"""What clang takes these for, as far as passes go."""
_MUTANT_LEVELS = ("-O1", "-O3")
_SAME_SPEED = 0.02
"""Two builds of the baseline within this of each other count as equally fast."""


@dataclass(frozen=True)
class ProgramObserver:
    """Implements `perfwright.core.protocols.Observer` for one program.

    Attributes:
        reference: what the unmodified program does; computed when first asked for.
        bitcode: its units, unoptimised.
        compare: times two builds against each other, for the identity check.
        weak_oracle: go on although the oracle misses most mutants.
    """

    workshop: EditWorkshop
    runs: ProgramRuns
    executor: Executor
    reference: Callable[[], Reference]
    bitcode: Callable[[], Mapping[str, UnitBitcode]]
    compare: Callable[[str, Build, Build], Comparison]
    note: Callable[[str], None]
    metric: Callable[[], str]
    weak_oracle: bool = False
    seed: int = 0

    @property
    def _site(self) -> Site:
        return self.workshop.site

    def observe(self) -> Ground:
        """Everything that is known before the first round.

        Raises:
            ProgramError: the program cannot be built, run or judged.
        """
        self.note("building the program as its user does")
        baseline = self.workshop.build(BASELINE)
        if isinstance(baseline, Refusal):
            self._explain_failure()
            raise ProgramError(
                "the program does not build", cause=baseline.reason, hint=baseline.reproducer
            )
        self.note("running it, and running it again")
        reference = self.reference()
        metric = str(self.metric())  # what cannot be measured here is better said at once
        self.note("looking into it")
        bitcode = self.bitcode()
        evidence = self._gather(bitcode, reference)
        warnings = [*reference.warnings, *self._site.captured.notes, *evidence.unavailable]
        warnings += self._oracle_warnings(bitcode, reference, evidence)
        warnings += self._sanitize(reference)
        return Ground(
            baseline=baseline,
            baseline_seconds=statistics.fmean(
                e.wall_seconds for e in reference.expected.values() if e.workload.role == "train"
            ),
            identity=self._identity(baseline),
            facts=tuple(evidence.facts.values()),
            warnings=tuple(warnings),
            metric=metric,
            over_o3=self._over_o3(baseline),
        )

    def _explain_failure(self) -> None:
        """Build the baseline once more, for an error that says what its author can do."""
        site = self._site
        build_baseline(
            site.captured,
            site.toolchain,
            site.folder / "baseline",
            site.runner,
            plan=site.base,
            store=site.objects,
        )

    def _gather(self, bitcode: Mapping[str, UnitBitcode], reference: Reference) -> Evidence:
        site = self._site
        scratch = site.folder / "profile"
        scratch.mkdir(parents=True, exist_ok=True)
        with_lines = self._variant("lines", _LINES)
        if with_lines is None:
            raise ProgramError("the program does not build with -gline-tables-only")
        counted = self._variant("counted", _INSTRUMENT, _INSTRUMENT)
        units = tuple(
            UnitInput(
                unit.name, bitcode[unit.name].lines, bitcode[unit.name].remarks, str(unit.cwd)
            )
            for unit in site.captured.units
        )
        subject = Subject(
            units=units,
            binary=with_lines.binary,
            instrumented=counted.binary if counted else None,
            root=SourceRoot(str(site.captured.root)),
            expected=Seconds(reference.cheapest.wall_seconds),
        )
        program = SandboxedRun(self.runs, self.executor, reference)
        gatherer = Gatherer(site.toolchain, site.runner, scratch, program)
        return gatherer.gather(subject)

    def _variant(self, name: str, flags: Sequence[str], link: Sequence[str] = ()) -> Built | None:
        """The baseline with further flags; `None` if that does not build."""
        site = self._site
        plan = site.base.model_copy(
            update={
                "compile_flags": (*site.base.compile_flags, *flags),
                "link_flags": (*site.base.link_flags, *link),
            }
        )
        made = build(
            site.captured,
            plan,
            site.toolchain,
            site.folder / name,
            site.runner,
            store=site.objects,
        )
        return None if isinstance(made, BuildFailure) else made

    def _oracle_warnings(
        self, bitcode: Mapping[str, UnitBitcode], reference: Reference, evidence: Evidence
    ) -> list[str]:
        """How strong the oracle is; stops when it is too weak to be trusted."""
        self.note("checking that its oracle notices mistakes")
        strength = self._oracle_strength(bitcode, reference, evidence)
        if not strength.enough and not self.weak_oracle:
            strength.require()
        return [] if strength.enough else [f"weak oracle: {strength}"]

    def _oracle_strength(
        self, bitcode: Mapping[str, UnitBitcode], reference: Reference, evidence: Evidence
    ) -> OracleStrength:
        site = self._site
        llvm_dis = site.toolchain.tool("llvm-dis")
        texts = {
            name: disassemble(unit.plain, llvm_dis, runner=site.runner)
            for name, unit in bitcode.items()
        }
        check = MutationCheck(
            runs=self.runs,
            executor=self.executor,
            reference=reference,
            makers=[self._mutant_maker(level) for level in _MUTANT_LEVELS],
            code=code_hash,
            seed=self.seed,
        )
        shares = {f.features.name: f.hotness for f in evidence.functions if f.hotness}
        return check.strength(texts, shares)

    def _mutant_maker(self, level: str) -> MutantMaker:
        """Builds the program with another IR text of one unit, at -O1 or as usual."""
        site = self._site
        numbers = itertools.count()
        folder = site.folder / f"mutants{level}"

        def make(unit: str, text: str) -> Path | None:
            place = folder / str(next(numbers))
            place.mkdir(parents=True, exist_ok=True)
            source = place / "mutant.ll"
            source.write_text(text, encoding="utf-8")
            plan = site.base.model_copy(
                update={
                    "compile_flags": (*site.base.compile_flags, level),
                    "inputs": {unit: source},
                }
            )
            made = build(
                site.captured, plan, site.toolchain, place, site.runner, store=site.objects
            )
            return None if isinstance(made, BuildFailure) else made.binary

        return make

    def _sanitize(self, reference: Reference) -> list[str]:
        """What ASan and UBSan say about the unmodified program, as loud warnings."""
        self.note("looking for undefined behaviour")
        made = self._variant("sanitized", SANITIZERS, SANITIZERS)
        if made is None:
            return ["the program does not build with sanitizers: undefined behaviour is unknown"]
        toolchain = self._site.toolchain
        symbolizer = toolchain.tool("llvm-symbolizer") if toolchain.has("llvm-symbolizer") else None
        report = SanitizerCheck(self.runs, self.executor, reference, symbolizer).look(made.binary)
        loud = [
            f"undefined behaviour in the program: {finding}; optimising it is guessing"
            for finding in report.findings
        ]
        return [*loud, *report.silent]

    def _over_o3(self, baseline: Build) -> float | None:
        """What the user's own level is worth against -O3, by a short comparison."""
        levels = {_level(unit.argv) for unit in self._site.captured.units}
        made = self._variant("o3", ("-O3",)) if levels != {"O3"} else None
        if made is None:
            return None
        code = code_hash(made.binary)
        if code == baseline.code:
            return None
        self.note("comparing its level with -O3")
        at_o3 = Build(BASELINE, code, made.code_size, (self._site.keep(made.binary),))
        try:
            return self.compare("over-o3", baseline, at_o3).ratio
        except WrongResultError:
            return None  # its sources rely on what -O3 does not promise; candidates are checked

    def _identity(self, baseline: Build) -> Identity:
        """How `opt` and clang in stages compare with clang at once: code, else speed."""
        site = self._site
        levels = {unit.name: _level(unit.argv) for unit in site.captured.units}
        if any(level is None for level in levels.values()):
            return "differs"
        plan: BuildPlan = site.base.model_copy(
            update={"unit_pipelines": {name: f"default<{level}>" for name, level in levels.items()}}
        )
        made = build(
            site.captured,
            plan,
            site.toolchain,
            site.folder / "staged",
            site.runner,
            store=site.objects,
        )
        if isinstance(made, BuildFailure):
            return "differs"
        code = code_hash(made.binary)
        if code == baseline.code:
            return "same-code"
        staged = Build(BASELINE, code, made.code_size, (site.keep(made.binary),))
        seen = self.compare("identity", staged, baseline)
        close = max(abs(seen.ratio - 1), 0.0) <= _SAME_SPEED
        same = seen.verdict in (Verdict.SAME, Verdict.INCONCLUSIVE)
        return "same-speed" if close and same else "differs"


def _level(argv: Sequence[str]) -> str | None:
    """The pipeline of the level that counts, the last: `O3`; `None` for one without passes."""
    given = [word[1:] for word in argv if word.startswith("-O")]
    level = given[-1] if given else "O0"
    level = _ALIASES.get(level, level)
    return level if level in ("O1", "O2", "O3", "Os", "Oz") else None


def hot_symbols(facts: Sequence[Fact], least: float = 0.02) -> tuple[str, ...]:
    """The symbols that make up most of the time, hottest first."""
    hot = []
    for fact in facts:
        share = fact.data.get("share", 0.0)
        if fact.kind == "function" and isinstance(share, float) and share >= least:
            hot.append((share, str(fact.data["symbol"])))
    return tuple(symbol for _, symbol in sorted(hot, reverse=True))
