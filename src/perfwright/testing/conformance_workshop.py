"""What every workshop, checker and measurer must do."""

from __future__ import annotations

from collections.abc import Callable

from perfwright.core.candidate import BASELINE, Candidate
from perfwright.core.protocols import Build, Checker, Measurer, PairLog, Refusal, Repaired, Workshop
from perfwright.core.trial import Correctness
from perfwright.core.verdict import Verdict


class WorkshopConformance:
    """Provide the fixtures `workshop`, `good` and `bad`.

    `good` is a candidate that it builds, and that has other code than the baseline; `bad` is
    one that it refuses to repair or to build.
    """

    def test_a_good_candidate_needs_no_repair_twice(
        self, workshop: Workshop, good: Candidate
    ) -> None:
        """What came out of `repair` is valid."""
        repaired = workshop.repair(good)
        assert isinstance(repaired, Repaired)
        assert workshop.repair(repaired.candidate) == Repaired(repaired.candidate)

    def test_equal_candidates_have_equal_code(self, workshop: Workshop, good: Candidate) -> None:
        """Builds are reproducible; else nothing would ever be identical."""
        first, second = workshop.build(good), workshop.build(good)
        assert isinstance(first, Build)
        assert first == second

    def test_another_candidate_has_other_code(self, workshop: Workshop, good: Candidate) -> None:
        """The edits reach the machine code."""
        baseline, build = workshop.build(BASELINE), workshop.build(good)
        assert isinstance(baseline, Build)
        assert isinstance(build, Build)
        assert baseline.code != build.code

    def test_each_layout_has_its_binary(self, workshop: Workshop, good: Candidate) -> None:
        """The delivered one comes first, as without layouts."""
        plain, laid_out = workshop.build(good), workshop.build(good, 2)
        assert isinstance(plain, Build)
        assert isinstance(laid_out, Build)
        assert len(laid_out.binaries) == 3
        assert laid_out.binaries[0] == plain.binaries[0]

    def test_a_candidate_has_consequences_under_ids_of_their_own(
        self, workshop: Workshop, good: Candidate
    ) -> None:
        """Each fact can be cited, those against the incumbent too."""
        baseline, build = workshop.build(BASELINE), workshop.build(good)
        assert isinstance(baseline, Build)
        assert isinstance(build, Build)
        facts = workshop.consequences(build, baseline)
        assert facts
        assert len({fact.id for fact in facts}) == len(facts)

    def test_the_baseline_has_no_consequences(self, workshop: Workshop) -> None:
        """It is what candidates are compared with."""
        baseline = workshop.build(BASELINE)
        assert isinstance(baseline, Build)
        assert workshop.consequences(baseline, baseline) == ()

    def test_a_bad_candidate_is_refused_with_a_reason(
        self, workshop: Workshop, bad: Candidate
    ) -> None:
        """Nothing is raised: a refusal is a value."""
        repaired = workshop.repair(bad)
        built = workshop.build(repaired.candidate) if isinstance(repaired, Repaired) else repaired
        assert isinstance(built, Refusal)
        assert built.reason


class CheckerConformance:
    """Provide the fixtures `checker`, `right` (a build that passes) and `broken` (that fails)."""

    def test_a_right_build_says_how_it_is_known(self, checker: Checker, right: Build) -> None:
        """By construction, proved or tested."""
        assert isinstance(checker.check(right), Correctness)

    def test_a_broken_build_is_refused_with_a_reason(self, checker: Checker, broken: Build) -> None:
        """Nothing is raised: a refusal is a value."""
        checked = checker.check(broken)
        assert isinstance(checked, Refusal)
        assert checked.reason


class MeasurerConformance:
    """Provide the fixtures `reopen`, `log` and `arms`.

    `reopen` is a function that makes a measurer over the same log of pairs, as after a
    crash; `log` is that log; `arms` are three builds.
    """

    def test_there_is_a_comparison_for_each_reference(
        self, reopen: Callable[[], Measurer], arms: tuple[Build, ...]
    ) -> None:
        """Of the first arm with each of the others."""
        assert len(reopen().select("trial 1.1", arms)) == len(arms) - 1

    def test_a_verdict_agrees_with_its_interval(
        self, reopen: Callable[[], Measurer], arms: tuple[Build, ...]
    ) -> None:
        """Faster: all of it above 1; slower: all of it below."""
        measurer = reopen()
        comparisons = [
            *measurer.select("trial 1.1", arms),
            measurer.attribute("without", arms[0], arms[1]),
            measurer.confirm("confirm", arms[0], arms[-1]),
        ]
        for comparison in comparisons:
            assert comparison.low <= comparison.ratio <= comparison.high
            assert (comparison.verdict is Verdict.FASTER) <= (comparison.low > 1)
            assert (comparison.verdict is Verdict.SLOWER) <= (comparison.high < 1)
            assert comparison.pairs > 0

    def test_finished_pairs_are_never_repeated(
        self, reopen: Callable[[], Measurer], log: PairLog[object], arms: tuple[Build, ...]
    ) -> None:
        """Over the same log, the same answer without a new pair."""
        first = reopen().select("trial 1.1", arms)
        pairs = list(log.recorded("trial 1.1"))
        assert pairs
        assert reopen().select("trial 1.1", arms) == first
        assert list(log.recorded("trial 1.1")) == pairs
