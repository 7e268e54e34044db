from __future__ import annotations

from typing import Any

import pytest
from conftest import Live, cases  # type: ignore[import-not-found]

from perfwright.pipeline.nesting import Nester, UnplaceableError
from perfwright.pipeline.tree import Pipeline, parse
from perfwright.pipeline.vocabulary import Vocabulary


@pytest.mark.parametrize("case", cases("nesting"))
def test_nesting(case: dict[str, Any], vocabulary: Vocabulary) -> None:
    nested = Nester(vocabulary).nest(parse(case["text"]).nodes)
    assert str(nested) == case["nested"]
    assert Nester(vocabulary).nest(nested.nodes) == nested
