"""Ctrl-C at any moment, and a disk that is full: nothing that has been found is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from perfwright.toolchain.process import run

User = Any
Write = Callable[[Path, Mapping[str, str]], Path]

pytestmark = [pytest.mark.e2e, pytest.mark.llvm]

SOURCE = """\
#include <stdio.h>
int main(int count, char **words)
{
    FILE *file = count > 1 ? fopen(words[1], "r") : 0;
    unsigned sum;
    if (!file || fscanf(file, "%u", &sum) != 1)
        return 1;
    for (unsigned i = 0; i < 30000000; i++)
        sum = (sum ^ i) * 3u + (sum >> 3);
    printf("%u\\n", sum);
    return 0;
}
"""


@pytest.fixture
def program(user: User, written: Write) -> Path:
    written(user.cwd, {"a.c": SOURCE, "seed.txt": "7\n"})
    return Path(user.cwd, "a.c")


def test_an_interrupted_campaign_goes_on_from_anywhere(
    user: User, program: Path, tmp_path: Path
) -> None:
    tune = ("tune", "--json", "--rounds", "1", "a.c", "--", "seed.txt")
    said = user.interrupts("round 1", *tune)
    assert said.status == 130
    document = said.document
    name = document["campaign"]
    assert document["status"] == "interrupted"
    assert document["baseline"]["seconds"] > 0
    assert f"perfwright resume {name}" in said.err
    assert "Traceback" not in said.err

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert user.types("show", "last", "--json", cwd=elsewhere).document["status"] == "interrupted"
    assert f"perfwright resume {name}" in user.types("show", name).err
    assert user.types("runs", "--json").json["campaigns"][0]["status"] == "interrupted"

    resumed = user.types("resume", "last", "--json", cwd=elsewhere)
    assert resumed.status == 0, resumed.err
    ended = resumed.document
    assert (ended["campaign"], ended["status"] in ("improved", "no-gain")) == (name, True)
    assert ended["baseline"] == document["baseline"]
    assert ended["usage"]["seconds"] > document["usage"]["seconds"]


def test_an_interrupted_campaign_is_not_resumed_on_another_program(
    user: User, program: Path
) -> None:
    tune = ("tune", "--rounds", "1", "a.c", "--", "seed.txt")
    assert user.interrupts("round 1", *tune).status == 130
    (user.cwd / "seed.txt").write_text("8\n")
    said = user.types("resume", "last", "--json")
    assert (said.status, said.document["status"]) == (2, "failed")
    assert "seed.txt has changed" in said.err


def test_a_campaign_that_has_hardly_begun_is_interrupted_too(user: User, program: Path) -> None:
    said = user.interrupts("", "tune", "a.c", "--json")
    # Before Python itself is up, Ctrl-C just ends the process.
    if said.status == 130:
        assert said.document["status"] == "interrupted"
        assert "Traceback" not in said.err


# --- a full disk ----------------------------------------------------------------------------


@pytest.fixture(params=["64k", "700k"])
def small_disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={request.param}", "tmpfs"]
    if not run(["mount", *options, place]).ok:
        pytest.skip("only root may mount a small disk")
    yield place
    run(["umount", place])


def test_a_full_disk_is_6_and_says_what_to_do(user: User, program: Path, small_disk: Path) -> None:
    said = user.types(
        "tune", "--json", "--rounds", "1", "a.c", "--", "seed.txt",
        PERFWRIGHT_HOME=str(small_disk / "home"),
    )  # fmt: skip
    assert said.status == 6, said.err
    assert said.document["status"] == "failed"
    assert "full" in said.err or "space" in said.err
    assert "perfwright clean" in said.err
