from __future__ import annotations

from collections.abc import Callable

import pytest

from perfwright.evidence.perf import KERNEL, Samples, parse_script


@pytest.fixture
def samples(case: Callable[[str], str]) -> Samples:
    return parse_script(case("perf-script.txt").splitlines(), "/elsewhere/encode")


def test_samples_of_the_program_are_counted_by_place_in_its_file(samples: Samples) -> None:
    # Two processes, mapped at different addresses, hit the same instruction.
    assert samples.in_program == {0x1D47: 3, 0x1010: 1}


def test_samples_elsewhere_keep_their_name_and_library(samples: Samples) -> None:
    assert samples.elsewhere["handle_amd", "ld-linux-x86-64.so.2"] == 1
    assert samples.elsewhere["std::foo(int (*)(int))", "libc.so.6"] == 1
    assert samples.elsewhere["[unknown]", "[unknown]"] == 1


def test_the_kernel_and_its_modules_are_one(samples: Samples) -> None:
    assert samples.elsewhere[KERNEL, ""] == 2


def test_runs_add_up(samples: Samples) -> None:
    total = samples.total
    samples.add(parse_script(["cpu-clock: 10 f (/lib/x.so)"], "encode"))
    assert samples.total == total + 1


def test_a_sample_outside_every_mapping_is_not_lost() -> None:
    found = parse_script(["cpu-clock: 10 f (/bin/encode)"], "encode")
    assert found.elsewhere == {("f", "encode"): 1}
