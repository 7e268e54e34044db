from __future__ import annotations

import math
from pathlib import Path

import pytest
from pydantic import ValidationError

from perfwright.app.record.places import results_folder
from perfwright.app.request import METRICS, TuneRequest, likely_name
from perfwright.errors import UserError
from perfwright.settings import Settings


def test_little_has_to_be_asked_for(tmp_path: Path) -> None:
    request = TuneRequest(program=tmp_path)
    assert (request.mind, request.levels, request.rounds) == ("builtin", ("pipeline",), 3)
    assert request.metric is None


def test_a_request_survives_the_journal(tmp_path: Path) -> None:
    request = TuneRequest(program=tmp_path, arguments=("a b",), max_size=1.5, out=tmp_path)
    assert TuneRequest.model_validate(request.model_dump(mode="json")) == request


@pytest.mark.parametrize("metric", METRICS)
def test_known_metrics_are_taken(tmp_path: Path, metric: str) -> None:
    assert TuneRequest(program=tmp_path, metric=metric).metric == metric


@pytest.mark.parametrize(
    ("asked", "fact", "hint"),
    [
        ({"metric": "cycle"}, "unknown metric 'cycle'", "cycles"),
        ({"levels": ("pipelin",)}, "unknown level 'pipelin'", "pipeline"),
        ({"levels": ()}, "no level is given", "--levels pipeline"),
    ],
)
def test_what_is_unknown_is_the_users_error_with_the_nearest_name(
    tmp_path: Path, asked: dict[str, str], fact: str, hint: str
) -> None:
    with pytest.raises(UserError) as error:
        TuneRequest.model_validate({"program": tmp_path, **asked})
    assert (error.value.fact, error.value.hint) == (fact, hint)


@pytest.mark.parametrize(
    ("asked", "fact", "cause"),
    [
        ({"rounds": -1}, "rounds is -1", "it must be at least 0"),
        ({"seed": -1}, "seed is -1", "it must be at least 0"),
        ({"seed": 2**63}, f"seed is {2**63}", f"it must be at most {2**63 - 1}"),
        ({"top_k": 0}, "top_k is 0", "it must be at least 1"),
        ({"context_tokens": 999}, "context_tokens is 999", "it must be at least 1000"),
        ({"max_requests": -1}, "max_requests is -1", "it must be at least 0"),
        ({"max_usd": math.nan}, "max_usd is nan", "it must be at least 0"),
        ({"max_usd": math.inf}, "max_usd is inf", f"it must be at most {2**63 - 1}"),
        ({"seconds": 0}, "time is 0.0", "it must be more than 0"),
        ({"mind_timeout": -1}, "mind_timeout is -1.0", "it must be more than 0"),
        ({"max_size": -1.2}, "max_size is -1.2", "it must be more than 0"),
        ({"max_compile_time": 0}, "max_compile_time is 0.0", "it must be more than 0"),
    ],
)
def test_figures_that_make_no_sense_are_the_users_error(
    tmp_path: Path, asked: dict[str, float], fact: str, cause: str
) -> None:
    with pytest.raises(UserError) as error:
        TuneRequest.model_validate({"program": tmp_path, **asked})
    assert (error.value.fact, error.value.cause) == (fact, cause)


def test_nothing_is_enough_where_nothing_can_be_asked_for(tmp_path: Path) -> None:
    asked = {"rounds": 0, "max_requests": 0, "max_usd": 0, "tool_calls": 0, "ir_tokens": 0}
    request = TuneRequest.model_validate({"program": tmp_path, **asked})
    assert request.model_dump(include=set(asked)) == asked


def test_a_field_of_another_version_is_not_overlooked(tmp_path: Path) -> None:
    with pytest.raises(ValidationError):
        TuneRequest.model_validate({"program": tmp_path, "colour": "red"})


def test_a_settled_request_means_the_same_from_every_folder(tmp_path: Path) -> None:
    settled = TuneRequest(program=Path("x.c"), out=Path("results")).settled(tmp_path)
    assert (settled.program, settled.cwd) == (tmp_path / "x.c", tmp_path)
    assert settled.out == tmp_path / "results"
    assert settled.settled(Path("/elsewhere")) == settled


def test_results_go_where_they_are_asked_for(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    asked = TuneRequest(program=tmp_path, out=tmp_path / "here")
    assert results_folder(settings, "x-1", asked) == tmp_path / "here"
    default = results_folder(settings, "x-1", TuneRequest(program=tmp_path))
    assert default == tmp_path / "home/results/x-1"


@pytest.mark.parametrize(
    ("program", "name"),
    [
        ("qsort.c", "qsort"),
        ("code/qsort", "qsort"),
        ("code/qsort/perfwright.toml", "qsort"),
        ("code/qsort/", "qsort"),
    ],
)
def test_a_program_that_was_not_read_yet_has_a_likely_name(program: str, name: str) -> None:
    assert likely_name(Path(program)) == name


def test_a_folder_keeps_its_whole_name(tmp_path: Path) -> None:
    folder = tmp_path / "zlib-1.3"
    folder.mkdir()
    assert likely_name(folder) == "zlib-1.3"
