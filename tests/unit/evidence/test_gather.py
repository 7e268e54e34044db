from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from perfwright.evidence.gather import Gatherer, Subject
from perfwright.evidence.gathered import Evidence
from perfwright.toolchain.process import run

Program = Callable[..., Any]


def gather(built: Any, scratch: Path, program: Any, **changes: Any) -> Evidence:
    subject = Subject(built.units, built.binary, built.instrumented, built.root)
    gatherer = Gatherer(built.toolchain, run, scratch, program, profile_methods=("perf", "counts"))
    return gatherer.gather(replace(subject, **changes))


@pytest.mark.llvm
def test_everything_about_a_c_program_comes_together(
    tiny: Any, tmp_path: Path, program: Program
) -> None:
    evidence = gather(tiny, tmp_path, program(("10000000",)))
    if not evidence.profile.available:
        pytest.skip(evidence.profile.reason)
    hottest = evidence.functions[0]
    assert (hottest.features.unit, hottest.features.name) == ("work.c", "step")
    assert hottest.hotness > 0.5
    assert hottest.remarks
    assert evidence.remarks.groups[0].remark.function in ("step", "work")
    assert evidence.fact("fun-work.c:step").data["local"] is True
    assert evidence.fact("loop-work.c:9:5").data["trip_count"] == 16
    assert evidence.fact("code-step").kind == "code"
    if tiny.instrumented:
        assert evidence.fact("fun-main.c:step").data["entries"] == 5
        assert evidence.fact("br-work.c:10:13").data["bias"] == "even"
        assert evidence.fact("loop-work.c:9:5").data["per_entry"] == 16.0


@pytest.mark.llvm
def test_cpp_names_are_readable_in_facts(shapes: Any, tmp_path: Path, program: Program) -> None:
    evidence = gather(shapes, tmp_path, None)
    readable = {f.readable for f in evidence.functions}
    assert {"geo::Sum::add", "geo::area", "main::$_0::operator()"} <= readable
    ids = [fact_id for fact_id in evidence.facts if fact_id.startswith("fun-shapes.cpp:geo::area-")]
    assert len(ids) == 2


@pytest.mark.llvm
def test_without_a_way_to_run_it_the_rest_is_still_known(tiny: Any, tmp_path: Path) -> None:
    evidence = gather(tiny, tmp_path, None)
    assert not evidence.profile.available
    assert evidence.fact("prof-method").text == "no profile: the program was not run"
    assert evidence.fact("loop-work.c:9:5").data["trip_count"] == 16
    assert evidence.remarks.groups


@pytest.mark.llvm
def test_what_cannot_be_read_is_noted_and_left_out(tiny: Any, tmp_path: Path) -> None:
    broken = tmp_path / "broken.bc"
    broken.write_bytes(b"no bitcode")
    units = (
        replace(tiny.units[0], bitcode=broken),
        replace(tiny.units[1], remarks=tmp_path / "none.yaml"),
    )
    evidence = gather(tiny, tmp_path, None, units=units)
    assert {f.features.unit for f in evidence.functions} == {"work.c"}
    assert len(evidence.unavailable) == 2
    assert "main.c" in evidence.unavailable[0]
    assert "none.yaml" in evidence.unavailable[1]


@pytest.mark.llvm
def test_the_same_builds_have_the_same_ids(tiny: Any, tmp_path: Path) -> None:
    first, second = (gather(tiny, tmp_path, None) for _ in range(2))
    assert list(first.facts) == list(second.facts)
