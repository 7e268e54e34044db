from __future__ import annotations

from typing import Any

import pytest

from perfwright.pipeline.nesting import Nester, UnplaceableError
from perfwright.pipeline.tree import Pipeline, parse
from perfwright.pipeline.vocabulary import Vocabulary
from perfwright.toolchain.registry import PassRegistry


def test_nesting(nesting_case: dict[str, Any], vocabulary: Vocabulary) -> None:
    nested = Nester(vocabulary).nest(parse(nesting_case["text"]).nodes)
    assert str(nested) == nesting_case["nested"]
    assert Nester(vocabulary).nest(nested.nodes) == nested


def test_the_standard_pipeline_is_left_as_it_is(o3: Pipeline, vocabulary: Vocabulary) -> None:
    assert Nester(vocabulary).nest(o3.nodes) == o3


def test_a_module_pass_splits_the_call_graph_walk_only_when_asked(vocabulary: Vocabulary) -> None:
    nodes = parse("cgscc(inline,globaldce,argpromotion)").nodes
    with pytest.raises(UnplaceableError, match="cannot run inside cgscc"):
        Nester(vocabulary).nest(nodes)
    split = Nester(vocabulary, split_cgscc=True).nest(nodes)
    assert str(split) == "cgscc(inline),globaldce,cgscc(argpromotion)"


def test_an_unknown_pass_is_not_placed_anywhere(vocabulary: Vocabulary) -> None:
    with pytest.raises(UnplaceableError, match="opt knows no pass 'frobnicate'"):
        Nester(vocabulary).nest(parse("function(frobnicate)").nodes)


@pytest.mark.llvm
def test_all_pipelines_of_an_installed_opt_are_left_as_they_are(
    each_registry: PassRegistry,
) -> None:
    nester = Nester(Vocabulary(each_registry))
    for text in each_registry.pipelines.values():
        assert str(nester.nest(parse(text).nodes)) == text
