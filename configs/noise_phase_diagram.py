"""When does self-training survive a noisy verifier?

    python experiments/noise_phase_diagram.py                        # 16 x 16 settings
    python experiments/noise_phase_diagram.py --curriculum fixed     # the same on a fixed range

A policy that can add numbers of up to 8 digits trains itself on its own answers to ever longer
problems. The verifier that filters them accepts wrong answers at the rate FPR and rejects right
ones at the rate FNR.

Expect: growth, round after round, in a wedge at low FPR; collapse elsewhere. The theory to compare
with says that the boundary is a ray, FPR / (1 - FNR) = 1 / kappa, with kappa the amplification of
label errors, measured by injecting some.
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

CHOICES = {"preset": ("laptop", "smoke", "paper"), "curriculum": ("frontier", "fixed")}
NEEDS = Needs(  # kappa is measured in round 2, behind a verifier that errs on nothing at rates of 0
    axes={"fpr": 1, "fnr": 1}, kinds={"verifier": ORACLES}, num_rounds=2
)
INJECTED = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5)  # rates of the one-shot label noise that measures kappa
CONTROLS = ("frozen_generator", "sham", "matched_sham", "placebo")


def log_spaced(low: float, high: float, count: int) -> tuple[float, ...]:
    """`count` values from `low` to `high`, evenly spaced in their logarithm, 4 digits each."""
    return tuple(float(f"{x:.4g}") for x in np.geomspace(low, high, count))


def even_spaced(low: float, high: float, count: int) -> tuple[float, ...]:
    """`count` values from `low` to `high`, evenly spaced, 4 digits each."""
    return tuple(float(f"{x:.4g}") for x in np.linspace(low, high, count))


# FPR and FNR of each preset: 16 x 16 settings for a few minutes, 4 x 2 to see whether all works,
# and 32 x 32 for a GPU.
GRIDS = {
    "laptop": ((0.0, *log_spaced(0.001, 1.0, 15)), even_spaced(0.0, 0.9, 16)),
    "smoke": ((0.0, 0.03, 0.3, 1.0), (0.0, 0.5)),
    "paper": ((0.0, *log_spaced(0.0003, 1.0, 31)), even_spaced(0.0, 0.93, 32)),
}


def build(preset: str, curriculum: str) -> Sweep:
    """The sweep of one preset on one curriculum."""
    fpr, fnr = GRIDS[preset]
    axes = {"verifier.fpr": fpr, "verifier.fnr": fnr}
    sweep = dataclasses.replace(defaults.PRESETS[preset](), axes=axes)
    return fixed_range(sweep) if curriculum == "fixed" else sweep


def fixed_range(sweep: Sweep) -> Sweep:
    """The same settings and bases on lengths that stay: up to 8 digits beyond the base's own."""
    highest = sweep.base.base_difficulty + 8
    base = sweep.base.replace(
        task=Addition(max_difficulty=highest), curriculum=Fixed(highest=highest)
    )
    return dataclasses.replace(sweep, base=base)


def parts(sweep: Sweep) -> dict[str, Sweep]:
    """The phase diagram, and the injection of label noise that predicts its boundary."""
    return {"": sweep, "label_noise": injection(sweep)}


def injection(sweep: Sweep) -> Sweep:
    """The runs that measure kappa: a clean verifier, wrong labels put in once, in round 1."""
    base = sweep.base
    for path in sweep.axes:
        base = struct.replace(base, path, 0.0)
    return dataclasses.replace(sweep, base=base, axes={"label_noise.digit_rate": INJECTED})
