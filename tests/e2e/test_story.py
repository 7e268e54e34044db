"""The story that the paper tells of qsort, measured in earnest: harm undone, its correction kept.

The dialogue is written by hand (`tests/replays/sha256_story.json`) and played over HTTP; the
program is one of the core suite with less to do.  The aggressive candidate takes three times as
long, the corrected one a fifth less: no matter of noise.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from perfwright.testing.model_replies import MODEL, Output, Request
from perfwright.testing.model_server import ModelServer

User = Any  # conftest.User: test folders are no packages
Said = Any

pytestmark = [pytest.mark.e2e, pytest.mark.llvm]

ROOT = Path(__file__).parents[2]
STORY: Mapping[str, Any] = json.loads((ROOT / "tests/replays/sha256_story.json").read_text())
LESS_TO_DO = {'"24", "120000"': '"3", "40000"', '"12", "220000"': '"2", "60000"'}


@dataclass
class Dialogue:
    """Plays the answers of each role in their order."""

    left: dict[str, list[Any]] = field(
        default_factory=lambda: {role: list(said) for role, said in STORY["answers"].items()}
    )

    def __call__(self, request: Request) -> Output:
        return Output(self.left[request.role].pop(0))


@dataclass(frozen=True)
class Told:
    """The campaign as its user sees it afterwards."""

    tuned: Said
    explained: Said
    told: Said
    dialogue: Dialogue

    @property
    def trials(self) -> list[dict[str, Any]]:
        return [trial for each in self.tuned.document["rounds"] for trial in each["trials"]]


@pytest.fixture(scope="module")
def story(module_user: User) -> Told:
    program = module_user.cwd / "sha256"
    shutil.copytree(ROOT / "suites/core/sha256", program)
    file = program / "perfwright.toml"
    text = file.read_text()
    for much, less in LESS_TO_DO.items():
        assert much in text
        text = text.replace(much, less)
    file.write_text(text)
    dialogue = Dialogue()
    key = {"PERFWRIGHT_MODEL_API_KEY": "sk-0123456789-of-nobody"}
    with ModelServer(dialogue) as server:
        mind = f"{server.url}#{MODEL}"
        tuned = module_user.types("tune", program, "--mind", mind, "--rounds", "2", "--json", **key)
    explained = module_user.types("explain", "last", "--json")
    return Told(tuned, explained, module_user.types("explain", "last"), dialogue)


def test_the_aggressive_round_is_measured_slower_and_rolled_back(story: Told) -> None:
    assert story.tuned.status == 0, story.tuned.err
    first = story.trials[0]
    assert (first["verdict"], first["accepted"]) == ("slower", False)
    assert first["high"] < 0.9


def test_the_corrected_round_is_measured_faster_kept_and_confirmed(story: Told) -> None:
    second = story.trials[1]
    assert (second["verdict"], second["accepted"]) == ("faster", True)
    assert story.tuned.document["status"] == "improved"
    assert story.tuned.document["edits"] == ["pipeline: option unroll-count=16"]


def test_the_dialogue_is_played_to_its_end(story: Told) -> None:
    assert story.dialogue.left == {role: [] for role in STORY["answers"]}


def test_explain_tells_it_from_diagnosis_to_correction(story: Told) -> None:
    told = " ".join(story.told.err.split())
    parts = [
        "0.95 compress the compression function",
        "compress: a cryptographic hash",
        "fixed-count-loop: sha256.c:81:5: 64 rounds in a loop",
        "trial 1.1 diagnosis unrolled rounds rename the working variables",
        "decision try option unroll-count=16; option slp-threshold=-100",
        "expectation no moves between rounds, vector code in compress: a third less time; "
        "80 % sure that it is faster",
        "consequence measured slower 0.",
        "against the incumbent: rolled back",
        "in the code:",
        "correction each round needs the last",
        "trial 2.1 diagnosis unrolling alone",
        "decision try option unroll-count=16 expectation",
        "70 % sure that it is faster consequence measured faster 1.",
        "against the incumbent: kept",
        "improved: fresh runs say faster 1.",
    ]
    places = [told.find(part) for part in parts]
    assert -1 not in places, parts[places.index(-1)]
    assert places == sorted(places)


def test_the_analysis_is_there_as_json(story: Told) -> None:
    said = story.explained.json
    assert said["priorities"]["by"] == said["minds"]["scorer"] == story.tuned.document["mind"]
    (hint,) = said["analysis"]["hints"]
    assert (hint["symbol"], hint["evidence"]) == ("compress", ["fun-sha256.c:compress"])
    (group,) = said["analysis"]["remarks"]
    assert group["count"] == 4
    assert [b["weight"] for b in said["analysis"]["bottlenecks"]] == [0.75, 0.2]
    assert {f["id"] for f in said["steps"][0]["evidence"]} == {
        "loop-sha256.c:81:5",
        "fun-sha256.c:compress",
    }
