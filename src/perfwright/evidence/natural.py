"""Natural loops of a flow graph: what a compiler calls a loop.

A jump back makes a loop when its target, the head, dominates it: every way to the jump leads
through the head.  The loop has the head and all blocks that lead to such a jump without passing
the head.  A cycle that can be entered at two blocks has no head, and is no loop.

Dominators as in Cooper, Harvey, Kennedy, "A Simple, Fast Dominance Algorithm" (2001).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

Graph = Sequence[Collection[int]]
"""The successors of each block; block 0 is the entrance."""


def natural_loops(graph: Graph) -> Mapping[int, frozenset[int]]:
    """The blocks of each loop by its head, outer loops before those inside.

    Jumps back to one head are one loop.  Blocks that the entrance does not lead to are in none.
    """
    order = _reverse_postorder(graph)
    before: dict[int, set[int]] = {block: set() for block in order}
    for block in order:
        for successor in graph[block]:
            before[successor].add(block)
    above = _immediate_dominators(order, before)
    found: dict[int, frozenset[int]] = {}
    for head in order:
        back = [block for block in before[head] if head in _dominators(block, above)]
        if back:
            found[head] = _body(head, back, before)
    nests = {
        head: sorted((h for h, body in found.items() if head in body), key=lambda h: -len(found[h]))
        for head in found
    }
    return {head: found[head] for head in sorted(found, key=nests.__getitem__)}


def _reverse_postorder(graph: Graph) -> list[int]:
    """The blocks that the entrance leads to, each before those that it leads to but for loops."""
    order: list[int] = []
    seen = {0}
    path = [(0, iter(graph[0]))] if graph else []
    while path:
        block, successors = path[-1]
        following = next((each for each in successors if each not in seen), None)
        if following is None:
            order.append(block)
            path.pop()
        else:
            seen.add(following)
            path.append((following, iter(graph[following])))
    return order[::-1]


def _immediate_dominators(
    order: Sequence[int], before: Mapping[int, Collection[int]]
) -> Mapping[int, int]:
    """The nearest dominator of each block; of the entrance itself."""
    rank = {block: number for number, block in enumerate(order)}
    above = {block: block for block in order[:1]}
    changed = True
    while changed:
        changed = False
        for block in order[1:]:
            known = [each for each in before[block] if each in above]
            nearest = known[0]
            for other in known[1:]:
                nearest = _meeting(nearest, other, above, rank)
            changed |= above.get(block) != nearest
            above[block] = nearest
    return above


def _meeting(one: int, other: int, above: Mapping[int, int], rank: Mapping[int, int]) -> int:
    """The nearest block that dominates both."""
    while one != other:
        if rank[one] < rank[other]:
            one, other = other, one
        one = above[one]
    return one


def _dominators(block: int, above: Mapping[int, int]) -> Iterable[int]:
    """The block itself and all that every way to it leads through."""
    yield block
    while above[block] != block:
        block = above[block]
        yield block


def _body(head: int, back: Iterable[int], before: Mapping[int, Collection[int]]) -> frozenset[int]:
    """What leads to the jumps back without passing the head."""
    body = {head}
    waiting = list(back)
    while waiting:
        block = waiting.pop()
        if block not in body:
            body.add(block)
            waiting.extend(before[block])
    return frozenset(body)
