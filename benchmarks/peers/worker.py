"""The peer's side of benchmarks/rows/common.py: one piece of work for each line of the input."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable


def serve(about: dict[str, object], work: Callable[[str], float]) -> None:
    """Prints @p about, then for each line {"seconds": ..., "value": work(line)}."""
    print(json.dumps(about), flush=True)
    for line in sys.stdin:
        begin = time.perf_counter()
        value = work(line.strip())
        print(json.dumps({"seconds": time.perf_counter() - begin, "value": value}), flush=True)
