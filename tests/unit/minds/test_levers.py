from __future__ import annotations

import itertools

import pytest
from pydantic import ValidationError

from perfwright.core.evidence import Scalar
from perfwright.minds.builtin.levers import LEVERS, Called, Lever, called, read_levers, strengths
from perfwright.minds.roles import Diagnosis
from perfwright.pipeline.edits import Link, SetFlag, SetOption, parse_edit
from perfwright.pipeline.repair import Repaired
from perfwright.pipeline.repair_edit import EditRepairer
from perfwright.pipeline.tree import parse
from perfwright.pipeline.vocabulary import Vocabulary
from perfwright.toolchain import about, discovery
from perfwright.toolchain.discovery import Toolchain
from perfwright.toolchain.registry import OptionTable

TABLE = """
[[lever]]
name = "unroll"
group = "unroll"
edits = ["option unroll-count=8"]
calls = { long-loop = 1.0, hot-function = 0.5 }
against = { short-loop = 0.5 }
gain = 0.04
spread = 0.08
expects = "less loop control"
risk = "code grows"

[[lever]]
name = "inline"
group = "inline"
edits = ["option inline-threshold={enough}"]
calls = { inlining-too-costly = 1.0 }
gain = 0.03
spread = 0.06
expects = "the call is inlined"
risk = "code grows"
"""
UNROLL, INLINE = read_levers(TABLE)


def diagnosis(kind: str, weight: float, symbol: str = "work", cost: float = 0.0) -> Diagnosis:
    data: dict[str, Scalar] = {"cost": cost} if cost else {}
    fact = f"fact-{kind}-{symbol}"
    return Diagnosis(kind, f"{symbol}.c:1:1", weight, f"{kind} in {symbol}", (fact,), symbol, data)


def hear(*diagnoses: Diagnosis) -> list[Called]:
    return called(diagnoses, (UNROLL, INLINE))


# --- how loudly the evidence calls ----------------------------------------------------------


def test_a_lever_that_nothing_calls_for_stays_where_it_is() -> None:
    assert hear(diagnosis("scalar-loop", 1.0)) == []


def test_beliefs_shrink_with_the_share_of_time_that_is_touched() -> None:
    (half,) = hear(diagnosis("long-loop", 0.5))
    assert (half.mean, half.deviation) == pytest.approx((0.02, 0.04))


def test_the_loudest_of_its_calls_counts() -> None:
    (lever,) = hear(diagnosis("long-loop", 0.2), diagnosis("hot-function", 0.8))
    assert lever.mean == pytest.approx(0.04 * 0.8 * 0.5)


def test_what_speaks_against_a_lever_lowers_the_hope_but_not_the_doubt() -> None:
    (lever,) = hear(diagnosis("long-loop", 0.5), diagnosis("short-loop", 0.5))
    assert lever.mean == pytest.approx(0.02 - 0.08 * 0.25)
    assert lever.deviation == pytest.approx(0.04)


def test_the_most_hopeful_lever_comes_first() -> None:
    loop, refused = diagnosis("long-loop", 0.1), diagnosis("inlining-too-costly", 0.9, cost=300)
    assert [c.lever.name for c in hear(loop, refused)] == ["inline", "unroll"]


def test_a_function_counts_once_for_each_kind() -> None:
    found = strengths([diagnosis("long-loop", 0.5), diagnosis("long-loop", 0.3)])
    assert found == {"long-loop": 0.5}


def test_functions_add_up_to_the_whole_at_most() -> None:
    two = [diagnosis("long-loop", 0.5, "a"), diagnosis("long-loop", 0.3, "b")]
    assert strengths(two) == {"long-loop": pytest.approx(0.8)}
    assert strengths([*two, diagnosis("long-loop", 0.9, "c")]) == {"long-loop": 1.0}


# --- edits and claims -----------------------------------------------------------------------


def test_the_threshold_admits_the_costliest_refused_call() -> None:
    calls = [diagnosis("inlining-too-costly", 0.4, s, c) for s, c in (("a", 300), ("b", 405))]
    (lever,) = hear(*calls)
    assert [edit.text for edit in lever.edits] == ["option inline-threshold=455"]


def test_the_threshold_stays_within_reason() -> None:
    (lever,) = hear(diagnosis("inlining-too-costly", 0.4, cost=90_000))
    assert [edit.text for edit in lever.edits] == ["option inline-threshold=2000"]


def test_a_claim_says_what_is_wrong_and_what_to_expect() -> None:
    (lever,) = hear(diagnosis("long-loop", 0.5))
    (claim,) = lever.claims()
    assert claim.edit == lever.edits[0]
    assert claim.text == "long-loop in work: less loop control"
    assert claim.evidence == ("fact-long-loop-work",)


def test_a_claim_cites_the_heaviest_reasons_first_and_not_all() -> None:
    many = [diagnosis("long-loop", number / 20, f"f{number}") for number in range(1, 20)]
    (claim,) = hear(*many)[0].claims()
    assert claim.evidence[:2] == ("fact-long-loop-f19", "fact-long-loop-f18")
    assert len(claim.evidence) <= 6


def test_every_edit_of_a_lever_has_its_claim() -> None:
    (lever,) = [c for c in called([diagnosis("dispatch-loop", 1.0)]) if len(c.edits) > 1]
    assert tuple(claim.edit for claim in lever.claims()) == lever.edits


# --- the table ------------------------------------------------------------------------------


@pytest.mark.parametrize("line", ['colour = "red"', "calls = { long-loop = true, x = [] }"])
def test_a_column_that_is_unknown_or_wrong_is_an_error(line: str) -> None:
    with pytest.raises(ValidationError):
        read_levers(f'[[lever]]\nname = "x"\n{line}\n')


def test_names_are_unique() -> None:
    names = [lever.name for lever in LEVERS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("lever", LEVERS, ids=lambda lever: lever.name)
def test_numbers_are_of_ordinary_size(lever: Lever) -> None:
    assert lever.calls
    assert all(0 < loud <= 1 for loud in (*lever.calls.values(), *lever.against.values()))
    assert 0 < lever.spread < 0.3, "a standard deviation of log speed-up"
    assert abs(lever.gain) <= 2 * lever.spread, "an opinion, not a certainty"
    assert not set(lever.calls) & set(lever.against)


@pytest.mark.parametrize("lever", LEVERS, ids=lambda lever: lever.name)
def test_edits_are_in_normal_form(lever: Lever) -> None:
    for text in lever.edits:
        filled = text.replace("{enough}", "300")
        assert str(parse_edit(filled)) == filled
        assert "{" not in filled, "only {enough} is filled in"


def test_no_lever_is_part_of_another() -> None:
    """Beliefs go by which levers a candidate uses: that must be plain from its edits."""
    for one, other in itertools.permutations(LEVERS, 2):
        assert not set(one.edits) <= set(other.edits)


def test_levers_that_set_the_same_thing_are_in_one_group() -> None:
    """Levers of different groups are bundled, and a bundle must not contradict itself."""
    groups: dict[str, set[str]] = {}
    for lever in LEVERS:
        for text in lever.edits:
            edit = parse_edit(text.replace("{enough}", "300"))
            assert isinstance(edit, SetOption | SetFlag | Link)
            subject = edit.name if isinstance(edit, SetOption) else str(edit).partition("=")[0]
            groups.setdefault(subject, set()).add(lever.group)
    assert all(len(found) == 1 for found in groups.values())


@pytest.fixture(scope="module")
def each_repairer(each_toolchain: Toolchain) -> EditRepairer:
    """What edits are held against for every installed LLVM."""
    registry = about.pass_registry(each_toolchain, discovery.host(each_toolchain))
    options = about.option_table(each_toolchain)
    return EditRepairer(parse(registry.pipelines["default<O3>"]), Vocabulary(registry), options)


@pytest.mark.llvm
@pytest.mark.parametrize("enough", ["60", "2000"])
@pytest.mark.parametrize("lever", LEVERS, ids=lambda lever: lever.name)
def test_the_toolchain_takes_every_lever_as_it_stands(
    lever: Lever, enough: str, each_repairer: EditRepairer
) -> None:
    """A mended edit would be another idea, and what is measured of it would teach nothing."""
    for text in lever.edits:
        edit = parse_edit(text.replace("{enough}", enough))
        assert each_repairer.repair(str(edit)) == Repaired(edit)


@pytest.mark.llvm
@pytest.mark.parametrize("lever", LEVERS, ids=lambda lever: lever.name)
def test_an_option_that_a_toolchain_lacks_never_passes_unnoticed(
    lever: Lever, each_repairer: EditRepairer
) -> None:
    """Refused, or mended to one that looks alike and said to be so; the bench drops both."""
    for text in lever.edits:
        edit = parse_edit(text.replace("{enough}", "300"))
        if not isinstance(edit, SetOption):
            continue
        options = tuple(o for o in each_repairer.options.options if o.name != edit.name)
        lacking = EditRepairer(each_repairer.base, each_repairer.vocabulary, OptionTable(options))
        said = lacking.repair(str(edit))
        assert not isinstance(said, Repaired) or said.repairs
