from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfwright.pipeline.tree import (
    MAX_DEPTH,
    Adaptor,
    Node,
    Param,
    Pass,
    Pipeline,
    PipelineSyntaxError,
    expand,
    parse,
    parse_node,
    walk,
    without_verify,
)

WORDS = st.from_regex(r"[a-z][a-z0-9_.-]{0,12}", fullmatch=True)
FLAGS = WORDS.filter(lambda word: not word.startswith("no-"))
VALUES = st.from_regex(r"[A-Za-z0-9_.=-]{0,8}", fullmatch=True)
PARAMS = st.one_of(
    st.builds(Param, FLAGS, st.none(), st.booleans()),
    st.builds(Param, WORDS, VALUES),
    st.just(Param("")),
    st.just(Param("cutoffs[0;1]", "5")),
)
PARAM_LISTS = st.none() | st.lists(PARAMS, max_size=4).map(tuple).filter(
    lambda params: params != (Param(""),)
)
NAMES = WORDS | WORDS.map(lambda word: f"print<{word}>")
LEAVES = st.builds(Pass, NAMES, PARAM_LISTS).filter(
    lambda p: p.params is not None or "<" not in p.name
)


def adaptors(children: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    return st.builds(
        Adaptor, WORDS, PARAM_LISTS, st.lists(children, min_size=1, max_size=4).map(tuple)
    )


NODES: st.SearchStrategy[Node] = st.recursive(LEAVES, adaptors, max_leaves=20)
PIPELINES = st.lists(NODES, max_size=5).map(lambda nodes: Pipeline(tuple(nodes)))


@settings(max_examples=60)
@given(PIPELINES)
def test_a_printed_tree_parses_to_itself(tree: Pipeline) -> None:
    assert parse(str(tree)) == tree


@given(st.text(alphabet="ab<>();,=no-", max_size=30))
def test_a_text_either_prints_back_exactly_or_is_refused_with_its_position(text: str) -> None:
    try:
        tree = parse(text)
    except PipelineSyntaxError as error:
        position = error.position
    else:
        position = 0
        assert str(tree) == text
    assert 0 <= position <= len(text)


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("gvn", Pass("gvn")),
        ("gvn<>", Pass("gvn", ())),
        ("licm<no-allowspeculation>", Pass("licm", (Param("allowspeculation", enabled=False),))),
        ("instcombine<max-iterations=1>", Pass("instcombine", (Param("max-iterations", "1"),))),
        ("devirt<4>(inline)", Adaptor("devirt", (Param("4"),), (Pass("inline"),))),
        ("print<stack-lifetime><may>", Pass("print<stack-lifetime>", (Param("may"),))),
        ("require<a<b;c>;d>", Pass("require", (Param("a<b;c>"), Param("d")))),
        (
            "lower-allow-check<cutoffs[0;1]=5>",
            Pass("lower-allow-check", (Param("cutoffs[0;1]", "5"),)),
        ),
        ("loop-vectorize<a;>", Pass("loop-vectorize", (Param("a"), Param("")))),
    ],
)
def test_elements_are_read_into_names_and_parameters(text: str, node: Node) -> None:
    assert parse_node(text) == node
    assert str(node) == text


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("gvn,,dse", "a pass without a name at character 4"),
        ("function(gvn", "'function(' is never closed"),
        ("gvn)", "a ')' too many"),
        ("function()", "a pass without a name"),
        ("function(gvn)dse", "expected ',' or ')'"),
        ("sroa<modify-cfg", "do not match"),
        ("sroa>", "do not match"),
        ("sroa<a>b", "do not match"),
        ("gvn, dse", "white space"),
        ("f(" * (MAX_DEPTH + 1) + "gvn", "nested more than"),
    ],
)
def test_malformed_texts_are_refused_with_the_reason(text: str, fact: str) -> None:
    with pytest.raises(PipelineSyntaxError) as caught:
        parse(text)
    assert fact in caught.value.fact


def test_the_last_of_equal_parameters_counts() -> None:
    node = parse_node("gvn<pre;no-pre>")
    assert node.param("pre") == Param("pre", enabled=False)
    assert node.param("memdep") is None


def test_a_parameter_has_one_form_only() -> None:
    with pytest.raises(ValueError, match="enabled=False"):
        Param("no-pre")
    with pytest.raises(ValueError, match="no text form"):
        Param("a", "1", enabled=False)


def test_the_digest_is_the_same_in_every_process() -> None:
    assert parse("function(gvn)").digest == "9ec63f2aaead"
    assert parse("function(gvn<>)").digest != parse("function(gvn)").digest


def test_length_counts_passes_without_adaptors() -> None:
    assert len(parse("globaldce,function(gvn,loop-mssa(licm))")) == 3


def test_walking_is_in_pre_order() -> None:
    names = [node.name for node in walk(parse("a(b,c(d)),e"))]
    assert names == ["a", "b", "c", "d", "e"]


def test_verify_is_dropped_at_the_end_only() -> None:
    assert str(without_verify(parse("verify,gvn,verify,verify"))) == "verify,gvn"


def test_aliases_expand_to_what_they_stand_for() -> None:
    pipelines = {"default<O3>": "globalopt,function(gvn)"}
    assert str(expand(parse("default<O3>,dce"), pipelines)) == "globalopt,function(gvn),dce"


def test_the_printed_o3_of_llvm_22_prints_back_exactly(o3: Pipeline) -> None:
    assert parse(str(o3)) == o3
    assert len(o3) > 100
