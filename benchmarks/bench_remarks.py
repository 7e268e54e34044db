"""How fast remarks are read: writes a file of 100 MB and tallies it.

Usage: python benchmarks/bench_remarks.py [MEGABYTES]

The file looks like those of large C++ programs: many functions, most remarks from
the inliner, licm, gvn and the vectorisers, about one in three a repetition.
"""

from __future__ import annotations

import itertools
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from perfwright.evidence.remarks import open_remarks, read_remarks
from perfwright.evidence.tally import RemarkTally

INLINED = """--- !Passed
Pass:            inline
Name:            Inlined
DebugLoc:        { File: 'src/module_%(file)d.cpp', Line: %(line)d,%(blank)s
                   Column: %(column)d }
Function:        _ZN7project6module%(function)dEv
Args:
  - String:          ''''
  - Callee:          _ZN7project6helper%(callee)dEi
    DebugLoc:        { File: 'src/helper.h', Line: %(callee)d, Column: 0 }
  - String:          ''' inlined into '''
  - Caller:          _ZN7project6module%(function)dEv
    DebugLoc:        { File: 'src/module_%(file)d.cpp', Line: 12, Column: 0 }
  - String:          ''''
  - String:          ' with '
  - String:          '(cost='
  - Cost:            '%(cost)d'
  - String:          ', threshold='
  - Threshold:       '250'
  - String:          ')'
  - String:          ' at callsite '
  - String:          _ZN7project6module%(function)dEv
  - String:          ':'
  - Line:            '%(line)d'
  - String:          ':'
  - Column:          '%(column)d'
  - String:          ';'
...
"""
CLOBBERED = """--- !Missed
Pass:            gvn
Name:            LoadClobbered
DebugLoc:        { File: 'src/module_%(file)d.cpp', Line: %(line)d, Column: %(column)d }
Function:        _ZN7project6module%(function)dEv
Args:
  - String:          'load of type '
  - Type:            i32
  - String:          ' not eliminated'
  - String:          ' because it is clobbered by '
  - ClobberedBy:     call
    DebugLoc:        { File: 'src/module_%(file)d.cpp', Line: 7, Column: 16 }
...
"""
INVALIDATED = """--- !Missed
Pass:            licm
Name:            LoadWithLoopInvariantAddressInvalidated
DebugLoc:        { File: 'src/module_%(file)d.cpp', Line: 8, Column: 32 }
Function:        _ZN7project6module%(function)dEv
Args:
  - String:          failed to move load with loop-invariant address because the loop may \
invalidate its value
...
"""
MIX = """--- !Analysis
Pass:            asm-printer
Name:            InstructionMix
Function:        _ZN7project6module%(function)dEv
Args:
  - String:          'BasicBlock: '
  - BasicBlock:      ''
  - String:          "\\n"
  - String:          MOV32rr
  - String:          ': '
  - INST_MOV32rr:    '%(line)d'
  - String:          "\\n"
...
"""
TEMPLATES = (INLINED, INLINED, CLOBBERED, INVALIDATED, INVALIDATED, INVALIDATED, MIX)


def documents(seed: int) -> Iterator[str]:
    """Remarks without end, function by function."""
    chance = random.Random(seed)
    for function in itertools.count():
        for _ in range(60):
            yield chance.choice(TEMPLATES) % {
                "blank": " ",  # LLVM ends a broken line with a space
                "function": function,
                "file": function // 40,
                "line": chance.randrange(2000),
                "column": chance.randrange(80),
                "callee": chance.randrange(500),
                "cost": chance.randrange(-15000, 400),
            }


def write(path: Path, size_bytes: int) -> int:
    """Write at least so many bytes of remarks; how many remarks that took."""
    written = remarks = 0
    with path.open("w") as stream:
        for document in documents(seed=1):
            written += stream.write(document)
            remarks += 1
            if written >= size_bytes:
                return remarks
    raise AssertionError("unreachable")


def main() -> None:
    """Measure once and print seconds, rate and memory."""
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "big.opt.yaml")
        remarks = write(path, megabytes * 1_000_000)
        before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        started = time.perf_counter()
        tally = RemarkTally()
        with open_remarks(path) as stream:
            tally.add("big.cpp", read_remarks(stream))
        summary = tally.summary()
        seconds = time.perf_counter() - started
        grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib
    print(f"{megabytes} MB, {remarks} remarks, {len(summary.groups)} different")
    print(
        f"{seconds:.2f} s, {megabytes / seconds:.1f} MB/s, {grown_kib / 1024:.0f} MiB more memory"
    )


if __name__ == "__main__":
    main()
