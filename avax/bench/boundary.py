"""How long it takes to know a boundary to a quarter: designs of runs beside each other.

A design says how precise it was with so many runs. An interval narrows with the root of their
number, so that it also says how many more, or how many less, would have done. Runs are timed here;
bases, which are trained once and kept, are not counted.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from avax.bench import measure
from avax.bench.main_job import run
from avax.engine.progress import say
from avax.sweeps.sweep import Sweep

WITHIN = 1.25  # factor within which the boundary is to be known, at 95 %


class Design(NamedTuple):
    """What was run once, and the interval of the boundary that came of it."""

    name: str
    num_runs: int
    low: float
    high: float
    sweep: Sweep  # whose runs are timed

    @property
    def needed(self) -> int:
        """Runs whose interval would reach as far as WITHIN to both sides, on the log scale."""
        half = math.log(self.high / self.low) / 2
        return math.ceil(self.num_runs * (half / math.log(WITHIN)) ** 2)


def boundary(designs: list[Design], repeats: int) -> list[dict[str, Any]]:
    """Rows of designs: the median seconds of a run, and of as many runs as are needed."""
    say("timing the runs of designs that find a boundary")
    contestants = [run(design.name, design.sweep) for design in designs]
    rows = measure.steps_table(contestants, repeats)
    return [
        {"design": each.name, "runs": each.num_runs, "low": each.low, "high": each.high}
        | {"needed": each.needed, "s_a_run": row["median_s"]}
        | {"seconds": each.needed * row["median_s"]}
        for each, row in zip(designs, rows, strict=True)
    ]
