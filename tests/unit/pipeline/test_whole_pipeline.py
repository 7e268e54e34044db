"""Edits that run another pipeline altogether."""

from __future__ import annotations

import pytest

from perfwright.core.protocols import Refusal
from perfwright.pipeline.apply import apply_passes, pass_edits
from perfwright.pipeline.edits import EditError, Replace, parse_edit
from perfwright.pipeline.repair_edit import EditRepairer
from perfwright.pipeline.tree import Pipeline
from perfwright.pipeline.vocabulary import Vocabulary
from perfwright.toolchain.registry import OptionTable


@pytest.fixture
def repairer(o3: Pipeline, vocabulary: Vocabulary, options: OptionTable) -> EditRepairer:
    return EditRepairer(o3, vocabulary, options)


TEXT = "pipeline function(sroa,gvn),globaldce"


@pytest.mark.parametrize("text", [TEXT, "pipeline in src/a.c: function(sroa)"])
def test_the_text_form_reads_back(text: str) -> None:
    edit = parse_edit(text)
    assert isinstance(edit, Replace)
    assert str(edit) == text


def test_it_takes_the_place_of_the_base(repairer: EditRepairer) -> None:
    passes = pass_edits([parse_edit(TEXT)])
    changed = apply_passes(passes, repairer.base, repairer.vocabulary)
    assert str(changed) == "function(sroa,gvn),globaldce"


@pytest.mark.parametrize("other", ["remove gvn#1", "pipeline function(sroa)"])
def test_it_goes_with_no_other_edit_of_passes(repairer: EditRepairer, other: str) -> None:
    with pytest.raises(EditError):
        repairer.check_together([parse_edit(TEXT), parse_edit(other)])


def test_it_is_mended_like_any_pipeline(repairer: EditRepairer) -> None:
    mended = repairer.repair("pipeline function(sroa, instcombin")
    assert not isinstance(mended, Refusal)
    assert str(mended.value) == "pipeline function(sroa,instcombine<no-verify-fixpoint>)"
    assert mended.repairs


def test_one_that_is_far_too_long_is_refused(repairer: EditRepairer) -> None:
    mended = repairer.repair(f"pipeline {','.join(['globaldce'] * 10_000)}")
    assert isinstance(mended, Refusal)
    assert "10000 passes" in mended.reason
