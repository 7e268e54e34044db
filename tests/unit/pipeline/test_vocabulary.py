from __future__ import annotations

import pytest

from perfwright.pipeline.tree import parse_node
from perfwright.pipeline.vocabulary import Level, Vocabulary


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("globalopt", {Level.MODULE}),
        ("inline", {Level.CGSCC}),
        ("gvn", {Level.FUNCTION}),
        ("indvars", {Level.LOOP, Level.LOOP_MSSA}),
        ("licm", {Level.LOOP_MSSA}),
        ("loop-unroll-full", {Level.LOOP}),
        ("loop-flatten", {Level.LOOP, Level.LOOP_MSSA}),
        ("verify", {Level.MODULE, Level.FUNCTION, Level.MACHINE}),
        ("default<O3>", {Level.MODULE}),
        ("require<globals-aa>", {Level.MODULE}),
        ("invalidate<aa>", {Level.FUNCTION}),
        ("print<loops>", {Level.FUNCTION}),
        ("loop-mssa(licm)", {Level.FUNCTION}),
        ("frobnicate", set()),
        ("frobnicate(gvn)", set()),
        ("require<frobnicate>", set()),
    ],
)
def test_a_node_stands_in_lists_of_certain_levels(
    text: str, levels: set[Level], vocabulary: Vocabulary
) -> None:
    assert vocabulary.levels(parse_node(text)) == levels


def test_parameters_are_those_listed_and_those_in_the_tools_own_pipelines(
    vocabulary: Vocabulary,
) -> None:
    assert vocabulary.parameters(parse_node("licm")) == ("allowspeculation", "no-allowspeculation")
    assert "bonus-inst-threshold=N" in (vocabulary.parameters(parse_node("simplifycfg")) or ())
    assert vocabulary.parameters(parse_node("dce")) is None
    assert vocabulary.parameters(parse_node("default<O3>")) == ("O3",)
    assert vocabulary.parameters(parse_node("devirt<4>(inline)")) == ("N",)


def test_unlisted_parameters_in_printed_pipelines_are_known(vocabulary: Vocabulary) -> None:
    # LLVM 19 lists `licm<allowspeculation>` and prints `licm<no-allowspeculation>`.
    forms = vocabulary.parameters(parse_node("mldst-motion"))
    assert forms is not None
    assert "no-split-footer-bb" in forms
