from __future__ import annotations

import pytest

from perfwright.errors import InternalError
from perfwright.program.build import failure_of
from perfwright.toolchain.process import ProcessResult


@pytest.mark.parametrize(
    "said",
    [
        "error: unable to open output file 'a.o': 'No space left on device'",
        "/usr/bin/ld: final link failed: No space left on device",
    ],
)
def test_a_full_disk_is_no_fault_of_a_candidate(said: str) -> None:
    result = ProcessResult(("clang",), None, 1, stderr=said.encode())
    with pytest.raises(InternalError, match="the disk is full") as caught:
        failure_of(result, "link", None)
    assert caught.value.exit_status == 6
