"""Write the schema's file: `python -m perfwright.report.schema`."""

from __future__ import annotations

import sys

from perfwright.report.schema import write

if __name__ == "__main__":
    sys.stdout.write(f"{write()}\n")
