"""Repairs, builds and looks into candidates, by asking the levels that they edit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from perfwright.core.candidate import BASELINE, Candidate, Claim, Edit
from perfwright.core.evidence import Fact
from perfwright.core.protocols import Build, Refusal, Repaired
from perfwright.evidence.diff import Build as BuildView
from perfwright.evidence.diff import diff_builds
from perfwright.evidence.disassembly import FunctionCode, disassemble
from perfwright.evidence.elf import code_hash
from perfwright.levels.consequences import (
    RemarkRecorder,
    Version,
    against_incumbent,
    count_facts,
    most_telling,
)
from perfwright.levels.protocol import Level
from perfwright.measure.counting import Count
from perfwright.measure.schedule import layout_seed
from perfwright.program.build import DEFAULT_LIMITS, BuildFailure, Built, build
from perfwright.program.captured import CapturedBuild
from perfwright.program.plan import PLAIN, BuildPlan
from perfwright.program.reproducer import BROKEN, Culprit, save, signature
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.process import Limits, Runner, run

_SHORTEST_HANG = 60.0
"""Seconds of wall time that every command may take, on a busy machine too."""
_HANG_RATIO = 20.0


@dataclass(frozen=True)
class Site:
    """Where and with what candidates are built.

    Attributes:
        captured: the program's units and link step.
        base: what every build has, the baseline included: `--cpu`.
        folder: a folder of this campaign's for binaries on their way to the artefacts.
        objects: object files that all campaigns share.
        keep: puts a file into the artefact store and gives its digest.
        seed: of the layouts.
        reproducers: where to save what makes a tool crash or hang, in a folder for each
            candidate; nothing is saved when `None`.
    """

    captured: CapturedBuild
    toolchain: Toolchain
    folder: Path
    objects: Path
    keep: Callable[[Path], str]
    base: BuildPlan = PLAIN
    runner: Runner = run
    seed: int = 0
    reproducers: Path | None = None


@dataclass(frozen=True)
class Guards:
    """Limits on candidates, as ratios to the baseline; `None` is no limit."""

    size: float | None = None
    compile_time: float | None = None


@dataclass(frozen=True)
class Inside:
    """A draft that was compiled only to look at it.

    Attributes:
        functions: the machine code of hot functions, by name; of all without a profile.
        repairs: what had to be mended before it compiled.
    """

    code: str
    size_bytes: int
    functions: Mapping[str, tuple[str, ...]]
    repairs: tuple[str, ...] = ()


def count_nothing(build: Build) -> Count | None:
    """The counter of a campaign in which nobody reads counts."""
    del build
    return None


@dataclass
class EditWorkshop:
    """Implements `perfwright.core.protocols.Workshop` over any levels.

    Attributes:
        hot: symbols whose machine code and remarks are compared; set when the evidence is in.
        count: counts one run of a build, as evidence for a mind that reads it.
    """

    site: Site
    levels: Mapping[str, Level]
    guards: Guards = Guards()
    hot: Sequence[str] = ()
    count: Callable[[Build], Count | None] = count_nothing
    _recorder: RemarkRecorder | None = None
    _built: dict[str, Built] = field(default_factory=dict)
    _failed: dict[str, Refusal] = field(default_factory=dict)
    _inside: dict[str, Inside | Refusal] = field(default_factory=dict)

    def repair(self, draft: Candidate) -> Repaired | Refusal:
        """Every level mends its own edits; the claims follow the edits that they speak for."""
        edits: list[Edit] = []
        repairs: list[str] = []
        renamed: dict[Edit, tuple[Edit, ...]] = {}
        refused = self._unknown_level(draft)
        if refused is not None:
            return refused
        for level in dict.fromkeys(edit.level for edit in draft.edits):
            own = tuple(edit for edit in draft.edits if edit.level == level)
            mended = self.levels[level].repair(own)
            if isinstance(mended, Refusal):
                return mended
            edits += mended.edits
            repairs += mended.repairs
            renamed |= mended.origin
        claims = tuple(
            Claim(edit, claim.text, claim.evidence)
            for claim in draft.claims
            for edit in renamed.get(claim.edit, (claim.edit,))
            if edit in edits
        )
        mended_draft = replace(draft, edits=tuple(edits), claims=claims)
        return Repaired(mended_draft, tuple(repairs))

    def plan(self, candidate: Candidate) -> BuildPlan | Refusal:
        """What the candidate's build does differently from the user's."""
        refused = self._unknown_level(candidate)
        if refused is not None:
            return refused
        plan = self.site.base
        for name, level in self.levels.items():
            own = tuple(edit for edit in candidate.edits if edit.level == name)
            if own:
                changed = level.plan(own, plan)
                if isinstance(changed, Refusal):
                    return changed
                plan = changed
        return plan

    def build(self, candidate: Candidate, layouts: int = 0) -> Build | Refusal:
        """Build by the road of deployment, and `layouts` times more in random order."""
        plan = self.plan(candidate)
        if isinstance(plan, Refusal):
            return plan
        built = self._compile(candidate.id, plan)
        if isinstance(built, Refusal):
            return built
        too_much = self._guarded(candidate, built)
        if too_much is not None:
            return too_much
        code = code_hash(built.binary)
        digests = [self.site.keep(built.binary)]
        for number in range(layouts):
            # A plan with a layout of its own is laid out apart from all others: A/A campaigns.
            seed = layout_seed(self.site.seed + (plan.layout_seed or 0), number)
            laid_out = plan.model_copy(update={"layout_seed": seed})
            again = self._compile(f"{candidate.id}-layout{number}", laid_out)
            if isinstance(again, Refusal):
                return again
            digests.append(self.site.keep(again.binary))
        return Build(candidate, code, built.code_size, tuple(digests))

    def consequences(self, build: Build, incumbent: Build) -> tuple[Fact, ...]:
        """What the candidate changed in one run's counts, in remarks, code and sizes."""
        return self._compared(build, incumbent, self._counted)

    def changes(self, build: Build, incumbent: Build) -> tuple[Fact, ...]:
        """The same without running anything: for drafts."""
        return self._compared(build, incumbent, lambda _before, _after: ())

    def _compared(
        self,
        build: Build,
        incumbent: Build,
        counted: Callable[[Candidate, Build], tuple[Fact, ...]],
    ) -> tuple[Fact, ...]:
        mine, baseline = self._version(build.candidate), self._version(BASELINE)
        if mine is None or baseline is None:
            return ()
        over = (*counted(BASELINE, build), *self._changed(baseline, mine))
        its = self._version(incumbent.candidate) if incumbent.candidate.edits else None
        if its is None:
            return most_telling(over, ())
        against = (*counted(incumbent.candidate, build), *self._changed(its, mine))
        return most_telling(over, against_incumbent(against))

    def _changed(self, before: Version, after: Version) -> tuple[Fact, ...]:
        if code_hash(before.built.binary) == code_hash(after.built.binary):
            return ()  # whatever passes said on their way to the same code
        views = self._view(before), self._view(after)
        return diff_builds(*views, self.hot, self.site.toolchain, self.site.runner)

    def _view(self, version: Version) -> BuildView:
        if self._recorder is None:
            baseline = self._version(BASELINE)
            assert baseline is not None, "something was built after it"
            site = self.site
            self._recorder = RemarkRecorder(
                site.captured,
                site.toolchain,
                site.runner,
                site.folder / "remarks",
                baseline,
                self.hot,
            )
        return BuildView(version.built.binary, self._recorder.remarks(version))

    def _counted(self, reference: Candidate, build: Build) -> tuple[Fact, ...]:
        known = self.build(reference)
        if isinstance(known, Refusal):
            return ()
        before = self.count(known)
        after = self.count(build) if before else None
        return count_facts(before, after) if before and after else ()

    def _version(self, candidate: Candidate) -> Version | None:
        """The candidate as it is built, again where a session before this one built it."""
        plan = self.plan(candidate)
        if isinstance(plan, Refusal):
            return None
        built = self._compile(candidate.id, plan)
        return None if isinstance(built, Refusal) else Version(plan, built)

    def look(self, candidate: Candidate) -> Inside | Refusal:
        """Compile a draft and disassemble its hot functions; remembered."""
        if candidate.id not in self._inside:
            self._inside[candidate.id] = self._looked(candidate)
        return self._inside[candidate.id]

    def _looked(self, candidate: Candidate) -> Inside | Refusal:
        repaired = self.repair(candidate)
        if isinstance(repaired, Refusal):
            return repaired
        plan = self.plan(repaired.candidate)
        if isinstance(plan, Refusal):
            return plan
        built = self._compile(repaired.candidate.id, plan)
        if isinstance(built, Refusal):
            return built
        tools, runner = self.site.toolchain, self.site.runner
        functions: dict[str, tuple[str, ...]] = {}
        for function in disassemble(built.binary, self.hot, tools, runner):
            code = (*function.normalised(), _jump_places(function))
            functions[function.name] = functions.get(function.name, ()) + code
        return Inside(code_hash(built.binary), built.code_size, functions, repaired.repairs)

    def _unknown_level(self, candidate: Candidate) -> Refusal | None:
        """An edit that no level applies must not be built as if it were not there."""
        for edit in candidate.edits:
            if edit.level not in self.levels:
                known = ", ".join(self.levels)
                return Refusal(f"there is no level {edit.level!r} in this campaign; known: {known}")
        return None

    def _compile(self, name: str, plan: BuildPlan) -> Built | Refusal:
        known = self._built.get(name) or self._failed.get(name)
        if known is not None:
            return known
        site = self.site
        made = build(
            site.captured,
            plan,
            site.toolchain,
            site.folder / name,
            site.runner,
            store=site.objects,
            limits=self._limits(),
        )
        if isinstance(made, BuildFailure):
            self._failed[name] = self.refusal(made, name, plan)
            return self._failed[name]
        self._built[name] = made
        return made

    def _limits(self) -> Limits:
        """Of one command: a candidate that takes far longer than the baseline hangs."""
        baseline = self._built.get(BASELINE.id)
        if baseline is None or DEFAULT_LIMITS.wall is None:
            return DEFAULT_LIMITS
        usual = baseline.compile_seconds + baseline.link_seconds
        wall = min(DEFAULT_LIMITS.wall, max(_SHORTEST_HANG, _HANG_RATIO * usual))
        return replace(DEFAULT_LIMITS, wall=wall)

    def refusal(self, failure: BuildFailure, name: str, plan: BuildPlan) -> Refusal:
        """What a failed build says; what made a tool crash or hang is saved under `name`."""
        site = self.site
        if failure.kind not in BROKEN:
            return Refusal(str(failure), failure.reproducer)
        if site.reproducers is None:
            return Refusal(str(failure), failure.reproducer, broken=failure.kind)
        culprit = Culprit(site.captured, plan, site.toolchain, site.runner)
        saved = save(failure, culprit, site.reproducers / name)
        where = "; ".join(signature(saved.said))
        text = f"{failure} ({where})" if where and where not in str(failure) else str(failure)
        return Refusal(text, saved.line, broken=failure.kind)

    def _guarded(self, candidate: Candidate, built: Built) -> Refusal | None:
        guards = self.guards
        if not candidate.edits or guards == Guards():
            return None
        baseline = self._compile(BASELINE.id, self.site.base)
        if isinstance(baseline, Refusal):
            return baseline
        for what, limit, mine, its, option in (
            ("code", guards.size, built.code_size, baseline.code_size, "--max-size"),
            (
                "compile time",
                guards.compile_time,
                built.compile_seconds + built.link_seconds,
                baseline.compile_seconds + baseline.link_seconds,
                "--max-compile-time",
            ),
        ):
            if limit is not None and its > 0 and mine / its > limit:
                text = f"{what} grows {mine / its:.2f}-fold, over {option} {limit:g}"
                return Refusal(text, unpromising=True)
        return None


def _jump_places(function: FunctionCode) -> str:
    """Where its jumps and calls are: tells code apart that differs in the padding inside it."""
    start = function.instructions[0].address if function.instructions else 0
    return " ".join(str(i.address - start) for i in function.instructions if i.target is not None)
