"""Which facts a model is shown, and in which order."""

from __future__ import annotations

from dataclasses import replace

from perfwright.core.evidence import Fact, Scalar
from perfwright.minds.llm.selection import alike, is_idle, is_vague, relevant


def remark(name: str, source: str = "gvn", text: str = "missed: x", **data: Scalar) -> Fact:
    values: dict[str, Scalar] = {"symbol": "hot", "outcome": "missed", **data}
    return Fact(name, "remark", source, f"a.c:{len(name)}:1", text, values)


def ids(groups: list[tuple[Fact, ...]]) -> list[list[str]]:
    return [[fact.id for fact in group] for group in groups]


def test_remarks_with_the_same_cause_stand_together() -> None:
    clobbered = "missed: load of type i{} not eliminated because it is clobbered by call (x{})"
    facts = [remark(f"r{n}", text=clobbered.format(8 * n, n)) for n in (1, 2)]
    facts.append(remark("r3", text="missed: load not eliminated because of a store"))
    assert ids(alike(facts)) == [["r1", "r2"], ["r3"]]


def test_refused_inlining_of_different_cost_is_told_apart() -> None:
    facts = [remark(f"r{n}", "inline", "missed: too costly", cost=n, threshold=250) for n in (1, 2)]
    assert ids(alike(facts)) == [["r1"], ["r2"]]


def test_many_remarks_of_one_kind_do_not_hide_another_kind() -> None:
    facts = [remark(f"g{n}", text=f"missed: cause {chr(97 + n) * 3}") for n in range(9)]
    facts.append(remark("spill", "regalloc", "missed: 3 spills", num_spills=3))
    order = [group[0].id for group in relevant(facts, {"hot": 0.9})]
    assert order.index("spill") == 1


def test_a_hot_branch_comes_before_a_rare_one() -> None:
    rare, hot = (
        Fact(f"br-{n}", "branch", "llvm-cov", f"a.c:{n}", "b", {"symbol": "hot", "taken": n})
        for n in (3, 3000)
    )
    order = [group[0].id for group in relevant([rare, hot], {"hot": 0.9})]
    assert order == ["br-3000", "br-3"]


def test_facts_about_other_functions_are_left_out() -> None:
    assert relevant([remark("r1", symbol="cold")], {"hot": 0.9}) == []


def test_remarks_without_a_line_are_vague() -> None:
    assert is_vague(Fact("r", "remark", "licm", "hot", "missed", {}))
    assert not is_vague(remark("r1"))


def test_a_loop_that_was_not_vectorised_for_no_known_cause_is_vague() -> None:
    data: dict[str, Scalar] = {"outcome": "missed", "name": "MissedDetails"}
    bare = Fact("r", "remark", "loop-vectorize", "a.c:3:5", "missed: loop not vectorized", data)
    assert is_vague(bare)
    assert not is_vague(replace(bare, data={**data, "cause": "it contains a switch"}))


def test_a_measured_share_keeps_a_trivial_function() -> None:
    trivial = Fact("f", "function", "opt", "", "", {"trivial": True, "share": 0.2})
    assert not is_idle(trivial, profiled=True)
    assert is_idle(Fact("f", "function", "opt", "", "", {"trivial": True}), profiled=False)
