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
from avax.models.transformer import TransformerConfig
from avax.policies.pretrain import Pretraining
from avax.sweeps.defaults import EXPERIMENT, HOW, PRETRAINING
from avax.sweeps.needs import Needs
from avax.sweeps.sweep import Sweep
from avax.tasks import Addition

CHOICES = {"preset": ("laptop", "smoke", "paper"), "curriculum": ("frontier", "fixed")}
NEEDS = Needs(axes={"fpr": 1, "fnr": 1}, num_rounds=2)  # kappa is measured in round 2
INJECTED = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5)  # rates of the one-shot label noise that measures kappa


def build(preset: str, curriculum: str) -> Sweep:
    """The sweep of one preset on one curriculum."""
    sweep = {"smoke": smoke, "laptop": laptop, "paper": paper}[preset]()
    return fixed_range(sweep) if curriculum == "fixed" else sweep


def laptop() -> Sweep:
    """16 x 16 settings, 10 rounds, a policy of 14,000 parameters: a few minutes on 2 cores."""
    return Sweep(
        base=EXPERIMENT,
        pretraining=PRETRAINING,
        axes={
            "verifier.fpr": (0.0, *log_spaced(0.001, 1.0, 15)),
            "verifier.fnr": even_spaced(0.0, 0.9, 16),
        },
        **HOW,
    )


def smoke() -> Sweep:
    """4 x 2 settings, 3 rounds, a base that has hardly learned: does everything work?"""
    sweep = laptop()
    base = sweep.base.replace(num_rounds=3, task=Addition(max_difficulty=11), num_eval=8)
    return dataclasses.replace(
        sweep,
        base=base,
        pretraining=sweep.pretraining.replace(num_updates=1000, num_candidates=1),
        axes={"verifier.fpr": (0.0, 0.03, 0.3, 1.0), "verifier.fnr": (0.0, 0.5)},
        optimization=0,
    )


def paper() -> Sweep:
    """32 x 32 settings, 5 seeds, 20 rounds, a larger policy, all at once: sized for one GPU."""
    sweep = laptop()
    base = sweep.base.replace(
        task=Addition(max_difficulty=28),
        learner=sweep.base.learner.replace(
            num_problems=256, num_updates=40, batch_size=64, learning_rate=1e-3
        ),
        num_rounds=20,
        num_eval=64,
    )
    model = TransformerConfig(num_layers=2, num_heads=4, width=64)
    return dataclasses.replace(
        sweep,
        base=base,
        pretraining=Pretraining(model=model, num_updates=3000, learning_rate=2e-3),
        axes={
            "verifier.fpr": (0.0, *log_spaced(0.0003, 1.0, 31)),
            "verifier.fnr": even_spaced(0.0, 0.93, 32),
        },
        num_seeds=5,
        tile_width="all",
    )


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


def log_spaced(low: float, high: float, count: int) -> tuple[float, ...]:
    """`count` values from `low` to `high`, evenly spaced in their logarithm, 4 digits each."""
    return tuple(float(f"{x:.4g}") for x in np.geomspace(low, high, count))


def even_spaced(low: float, high: float, count: int) -> tuple[float, ...]:
    """`count` values from `low` to `high`, evenly spaced, 4 digits each."""
    return tuple(float(f"{x:.4g}") for x in np.linspace(low, high, count))
