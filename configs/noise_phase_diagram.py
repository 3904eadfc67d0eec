"""When does self-training survive a noisy verifier?

    python experiments/noise_phase_diagram.py                        # 16 x 16 settings
    python experiments/noise_phase_diagram.py --curriculum fixed     # the same on a fixed range
    python experiments/noise_phase_diagram.py --preset shipped       # 32 bases, 10 rounds

A policy that can add numbers of up to 8 digits trains itself on its own answers to ever longer
problems. The verifier that filters them accepts wrong answers at the rate FPR and rejects right
ones at the rate FNR.

Each setting of the map has its own bases of a pool: one of 8 for a first look in 4 rounds, two of
32 in 10 rounds for what is shipped. A line of settings at the lowest FNR, which is compared with
controls, has the whole pool, or four bases where settings have one each.

Expect: growth, round after round, nearly wherever the verifier tells anything; at three times the
learning rate in a wedge at low FPR, and loss elsewhere. The law to compare with
says that the boundary is a ray of equal FPR / (1 - FNR), and which one, from what is gained behind
a verifier without errors and what is lost without any.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from avax import struct
from avax.curricula import Fixed
from avax.sweeps import defaults
from avax.sweeps.needs import ORACLES, Needs
from avax.sweeps.sweep import Sweep
from avax.tasks import Addition

CHOICES = {
    "preset": ("laptop", "smoke", "shipped", "paper"),
    "curriculum": ("frontier", "fixed"),
}
NEEDS = Needs(axes={"fpr": 1, "fnr": 1}, kinds={"verifier": ORACLES}, num_rounds=2)
ON_LINE = 6  # FPRs of the line beside which controls are run
# Of a first look, in which settings of the map have one base each: rounds; its line's bases, FPRs.
LOOK_ROUNDS, LOOK_BASES, LOOK_FPRS = 4, 4, 4
CONTROLS = tuple(
    f"line/{control}" for control in ("frozen_generator", "sham", "matched_sham", "placebo")
)


def log_spaced(low: float, high: float, count: int) -> tuple[float, ...]:
    """`count` values from `low` to `high`, evenly spaced in their logarithm, 4 digits each."""
    return tuple(float(f"{x:.4g}") for x in np.geomspace(low, high, count))


def even_spaced(low: float, high: float, count: int) -> tuple[float, ...]:
    """`count` values from `low` to `high`, evenly spaced, 4 digits each."""
    return tuple(float(f"{x:.4g}") for x in np.linspace(low, high, count))


def even_picks(values: tuple, count: int) -> tuple:
    """At most `count` of the values, evenly spaced, both ends among them."""
    if len(values) <= count:
        return values
    return tuple(values[i] for i in np.linspace(0, len(values) - 1, count).round().astype(int))


# FPR and FNR of each preset: 16 x 16 settings for a few minutes, 4 x 2 to see whether all works,
# and 32 x 32 for a GPU.
LAPTOP = ((0.0, *log_spaced(0.001, 1.0, 15)), even_spaced(0.0, 0.9, 16))
GRIDS = {
    "laptop": LAPTOP,
    "smoke": ((0.0, 0.03, 0.3, 1.0), (0.0, 0.5)),
    "shipped": LAPTOP,
    "paper": ((0.0, *log_spaced(0.0003, 1.0, 31)), even_spaced(0.0, 0.93, 32)),
}
# Bases of the pool, which is kept, and how many of them each setting of the map has.
POOLS = {"laptop": (8, 1), "smoke": (1, 1), "shipped": (32, 2), "paper": (32, 5)}


def build(preset: str, curriculum: str) -> Sweep:
    """The map of one preset on one curriculum."""
    fpr, fnr = GRIDS[preset]
    num_seeds, num_runs = POOLS[preset]
    sweep = dataclasses.replace(
        defaults.PRESETS["laptop" if preset == "shipped" else preset](),
        axes={"verifier.fpr": fpr, "verifier.fnr": fnr},
        num_seeds=num_seeds,
        design="balanced",
        num_runs=num_runs,
    )
    if preset == "laptop":  # for time; half of the others' problems
        less = {"num_rounds": LOOK_ROUNDS, "num_eval": sweep.base.num_eval // 2}
        sweep = dataclasses.replace(sweep, base=sweep.base.replace(**less))
    return fixed_range(sweep) if curriculum == "fixed" else sweep


def fixed_range(sweep: Sweep) -> Sweep:
    """The same settings and bases on lengths that stay: up to 8 digits beyond the base's own."""
    highest = sweep.base.base_difficulty + 8
    base = sweep.base.replace(
        task=Addition(max_difficulty=highest), curriculum=Fixed(highest=highest)
    )
    return dataclasses.replace(sweep, base=base)


def parts(sweep: Sweep) -> dict[str, Sweep]:
    """The map; the line that controls are beside; and a part of it twice, which tells how much runs
    of one base differ.
    """
    line = at_lowest_fnr(sweep)
    return {"": sweep, "line": line, "twice": twice(line)}


def at_lowest_fnr(sweep: Sweep, count: int = ON_LINE) -> Sweep:
    """A few FPRs at the lowest FNR, each from the same bases: what is run beside it can be compared
    with it base by base.
    """
    (fnr,) = (path for path in sweep.axes if path.endswith("fnr"))
    base = struct.replace(sweep.base, fnr, min(sweep.axes[fnr]))
    count = min(count, LOOK_FPRS) if is_look(sweep) else count
    axes = {path: even_picks(x, count) for path, x in sweep.axes.items() if path != fnr}
    return from_all(dataclasses.replace(sweep, base=base, axes=axes))


def is_look(sweep: Sweep) -> bool:
    """Whether each setting of a map has one base only."""
    return sweep.design == "balanced" and sweep.num_runs == 1


def from_all(sweep: Sweep) -> Sweep:
    """Each setting from the same bases: all of the pool, or a few where settings had one each."""
    num_seeds = min(sweep.num_seeds, LOOK_BASES) if is_look(sweep) else sweep.num_seeds
    return dataclasses.replace(sweep, num_seeds=num_seeds, design="all", num_runs=1)


def twice(line: Sweep) -> Sweep:
    """Three settings of a line, each base twice: draws differ, and nothing else. The first of both
    is the line's own run, bit by bit.
    """
    ((path, values),) = line.axes.items()
    return dataclasses.replace(line, axes={"replicate": (0, 1), path: even_picks(values, 3)})
