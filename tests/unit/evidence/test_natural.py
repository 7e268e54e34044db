from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from perfwright.evidence.natural import natural_loops


@st.composite
def graphs(draw: st.DrawFn) -> list[list[int]]:
    count = draw(st.integers(1, 8))
    return draw(
        st.lists(st.lists(st.integers(0, count - 1), max_size=2), min_size=count, max_size=count)
    )


def reached(graph: list[list[int]], first: int, without: int | None = None) -> set[int]:
    seen: set[int] = set()
    waiting = [first]
    while waiting:
        block = waiting.pop()
        if block not in seen and block != without:
            seen.add(block)
            waiting.extend(graph[block])
    return seen


@given(graphs())
def test_loops_are_those_of_the_definition(graph: list[list[int]]) -> None:
    expected = {}
    for head in reached(graph, 0):
        undominated = reached(graph, 0, without=head)
        dominated = reached(graph, 0) - undominated
        back = [block for block in dominated if head in graph[block]]
        if back:
            body = {b for b in dominated if reached(graph, b, without=head) & set(back)}
            expected[head] = body | {head}

    assert natural_loops(graph) == expected


@given(graphs())
def test_a_loop_is_told_behind_those_that_it_is_in(graph: list[list[int]]) -> None:
    told = list(natural_loops(graph).items())

    for number, (head, _) in enumerate(told):
        assert not any(head in body for _, body in told[number + 1 :])


def test_without_blocks_there_are_no_loops() -> None:
    assert natural_loops([]) == {}
