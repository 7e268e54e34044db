"""Run real A/A campaigns and say how many claimed a gain: `python benchmarks/aa.py`.

Every candidate is the unmodified program in another order of its functions.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from perfwright.app.study.aa import study

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Parse the command line, run, write the result as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", nargs="?", type=Path, default=ROOT / "suites/smoke/bits")
    parser.add_argument("--campaigns", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="JSON file")
    options = parser.parse_args()

    def note(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    result = study(options.program, options.campaigns, options.seed, note)
    if options.out:
        options.out.write_text(result.model_dump_json(indent=2) + "\n", encoding="utf-8")
    for line in result.lines():
        print(line)


if __name__ == "__main__":
    main()
