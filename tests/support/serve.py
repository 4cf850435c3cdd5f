"""`doorward serve` with a clock that a file tells: `serve.py CLOCK [flags of serve]`. Not part of the product."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from doorward.cli.serve import serve_with_clock
from support.clocks import FileClock

if __name__ == "__main__":
    serve_with_clock(FileClock(Path(sys.argv[1])), sys.argv[2:])
