from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfwright.pipeline.edits import (
    EditError,
    Insert,
    Link,
    LinkMode,
    Move,
    PipelineEdit,
    Remove,
    Repeat,
    SetFlag,
    SetOption,
    SetParam,
    Side,
    parse_edit,
)
from perfwright.pipeline.places import Place
from perfwright.pipeline.tree import Param, Pass, parse_node

NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,10}", fullmatch=True)
FLAGS = NAMES.filter(lambda name: not name.startswith("no-"))
PLACES = st.builds(Place, NAMES, st.none() | st.integers(1, 99))
UNITS = st.none() | st.text(min_size=1, max_size=8).filter(lambda text: text.isprintable())
PARAMS = st.builds(Param, FLAGS, st.none(), st.booleans()) | st.builds(
    Param, NAMES, st.integers(-9, 99).map(str)
)
NODES = st.builds(Pass, NAMES) | st.just(parse_node("loop<a;no-b>(licm,c(d))"))
VALUES = st.from_regex(r"[A-Za-z0-9_.+-]{1,8}", fullmatch=True)
EDITS: st.SearchStrategy[PipelineEdit] = st.one_of(
    st.builds(Insert, NODES, st.sampled_from(Side), PLACES, UNITS),
    st.builds(Remove, PLACES, UNITS),
    st.builds(Move, PLACES, st.sampled_from(Side), PLACES, UNITS),
    st.builds(Repeat, PLACES, st.integers(2, 16), UNITS),
    st.builds(SetParam, PLACES, PARAMS, UNITS),
    st.builds(SetOption, NAMES, VALUES, UNITS),
    st.builds(SetFlag, st.just("-mprefer-vector-width=512"), UNITS),
    st.builds(Link, st.sampled_from(LinkMode)),
)


@given(EDITS)
def test_an_edit_prints_and_parses(edit: PipelineEdit) -> None:
    assert parse_edit(str(edit)) == edit


@given(EDITS)
def test_an_edit_is_one_line(edit: PipelineEdit) -> None:
    assert len(str(edit).splitlines()) == 1


@pytest.mark.parametrize(
    "text",
    [
        "insert licm<allowspeculation> after gvn#1",
        "insert loop(indvars,loop-deletion) before dse",
        "remove loop-vectorize#1",
        "move slp-vectorizer#1 before loop-vectorize#1",
        "repeat instcombine#3 x2",
        "set simplifycfg#2 bonus-inst-threshold=4",
        "set licm#1 no-allowspeculation",
        "option inline-threshold=600",
        "option in src/dct.c: unroll-threshold=600",
        'remove in "my file.c": gvn#1',
        "flag -mprefer-vector-width=512",
        "flag in a.c: -fno-vectorize",
        "link whole-program",
    ],
)
def test_texts_in_normal_form_stay_as_they_are(text: str) -> None:
    assert str(parse_edit(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "gvn",
        "insert gvn",
        "insert gvn after",
        "insert gvn beside dse#1",
        "insert gvn( after dse#1",
        "insert gvn,dse after dse#1",
        "remove gvn#0",
        "repeat gvn#1 2",
        "set gvn#1 a,b",
        "option inline-threshold",
        "option inline-threshold = 3",
        "option a=b c",
        "flag fno-vectorize",
        "link in a.c: per-unit",
        "link all",
        "Remove gvn#1",
        "remove  gvn#1",
        "remove gvn#1\nremove dse#1",
    ],
)
def test_malformed_edits_are_refused_with_an_example(text: str) -> None:
    with pytest.raises(EditError, match="is not an edit") as caught:
        parse_edit(text)
    assert "insert licm after gvn#1" in caught.value.hint


@pytest.mark.parametrize("times", [1, 17, 10**8])
def test_repeats_are_bounded(times: int) -> None:
    with pytest.raises(EditError, match="out of range"):
        parse_edit(f"repeat gvn#1 x{times}")
