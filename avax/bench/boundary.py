"""How long it takes to know a boundary to a quarter: designs of runs beside each other.

A design says how precise it was with so many bases. A t interval narrows with the root of their
number, so that it also says how many more, or how many fewer, would have done, each with as many
runs. Runs and the training of bases are timed here.

What designs measure is not quite the same: a boundary of each base and their geometric mean, or the
boundary of the mean over bases. And an interval from five bases is a rough guide to how many more
are needed. So this tells orders of magnitude.
"""

from __future__ import annotations

import itertools
import math
import time
from functools import partial
from typing import Any, NamedTuple

import jax

from avax.analysis.intervals import quantile_of_t
from avax.bench import measure
from avax.bench.main_job import run
from avax.bench.steps import Contestant
from avax.engine import tiles
from avax.engine.bases import short_task
from avax.engine.program import Program
from avax.engine.progress import say
from avax.policies.pretrain import pretrain
from avax.sweeps.sweep import Sweep

WITHIN = 1.25  # factor within which the boundary is to be known, at 95 %


class Design(NamedTuple):
    """What was run once, and the interval of the boundary that came of it."""

    name: str
    num_runs: int
    num_bases: int
    low: float
    high: float
    sweep: Sweep  # whose runs and bases are timed

    @property
    def needed_bases(self) -> int:
        """Bases whose interval would reach as far as WITHIN to both sides, on the log scale."""
        half = math.log(self.high / self.low) / 2
        deviation = half * math.sqrt(self.num_bases) / quantile_of_t(self.num_bases)
        return next(
            num
            for num in itertools.count(2)
            if quantile_of_t(num) * deviation <= math.sqrt(num) * math.log(WITHIN)
        )

    @property
    def needed(self) -> int:
        """Runs of these bases."""
        return math.ceil(self.num_runs / self.num_bases * self.needed_bases)


def boundary(designs: list[Design], repeats: int) -> list[dict[str, Any]]:
    """Rows of designs: the median seconds of a run and of a base, and of all that are needed."""
    say("timing the runs and bases of designs that find a boundary")
    contestants = [run(each.name, each.sweep) for each in designs]
    contestants += [base(each.name, each.sweep) for each in designs]
    median = [row["median_s"] for row in measure.steps_table(contestants, repeats)]
    return [
        {"design": each.name, "runs": each.num_runs, "bases": each.num_bases}
        | {"low": each.low, "high": each.high}
        | {"needed": each.needed, "needed_bases": each.needed_bases}
        | {"s_a_run": s_a_run, "s_a_base": s_a_base}
        | {"seconds": each.needed * s_a_run + each.needed_bases * s_a_base}
        for each, s_a_run, s_a_base in zip(
            designs, median[: len(designs)], median[len(designs) :], strict=True
        )
    ]


def base(name: str, sweep: Sweep) -> Contestant:
    """The training of a base, as many at a time as runs, on each device."""
    experiment, pretraining = sweep.base, sweep.pretraining
    width, num_devices = int(sweep.tile_width), len(jax.local_devices())
    num_bases = width * num_devices
    members = (jax.random.split(jax.random.key(0), num_bases),)
    train = partial(pretrain, pretraining, short_task(experiment), experiment.base_difficulty)
    program = Program(train, members, width)
    units = tiles.make_units("tiles", jax.local_devices(), num_devices)
    program.compile_all(units)

    def seconds() -> float:
        start = time.perf_counter()
        tiles.run_tiles(program, members, units, lambda *_: None)
        return pretraining.num_candidates * (time.perf_counter() - start) / num_bases

    return Contestant({"what": "base", "of": name}, seconds)
