"""Does the pattern of errors decide, or only their rate?

    python experiments/noise_patterns.py                           # a fixed range of lengths
    python experiments/noise_patterns.py --curriculum frontier     # a digit longer each round
    python experiments/noise_patterns.py --preset shipped          # from 16 bases, not five

The loop of the phase diagram, with verifiers of equal error rates but different patterns: each
error drawn anew, the same error whenever a completion comes up again (on fresh problems and on 128
that come back all the time), and errors on one kind of mistake only. They are compared at the FPR
that a verifier has on the mistakes of the base policy, as one would measure it before training. And
right answers rejected at random against those of one kind of problem, and labels spoilt once in
four ways.

Expect, from one run of 16 bases: hashed errors are as good as independent ones. Blindness to one
kind of mistake does not keep the rate that was measured on the base, because the kinds change from
round to round; at the rate over the whole run blindness to dropped carries or near misses does less
harm than independent errors. It breeds the kind, more than as many false accepts at random do.
Rejecting long carries delays: it costs more than random rejection after half of the rounds, and no
more that can be told after all. Labels with every digit spoilt do by far the most harm, and noise
costs as much or more, not less, in a late round. Papers to compare with say that systematic false
positives do more harm than random ones and false negatives of any pattern only delay (Egashira et
al. 2026, arXiv 2605.02909), and that labels spoilt in a structured way do more harm than random
ones, and less the later they come (Lee et al. 2025, arXiv 2502.01612, section 8).
"""

from __future__ import annotations

import dataclasses
from typing import Any

from avax import struct
from avax.fields import ConfigError
from avax.loop import Experiment
from avax.sweeps.needs import Needs
from avax.sweeps.sweep import Sweep
from avax.verifiers import Hashed, Oracle, Systematic
from configs import noise_phase_diagram

CHOICES = {
    "preset": ("laptop", "smoke", "shipped", "paper"),
    "curriculum": ("fixed", "frontier"),
}
# Noise is followed by rounds.
NEEDS = Needs(axes={"verifier.fpr": 3}, values={"verifier": Oracle()}, num_rounds=2)
KINDS = ("dropped_carry", "near_miss", "long")  # `short` hardly ever happens to these policies
SPOILT = ("digit", "uniform", "drop", "perturb")
LEARNING_RATE = 3e-3  # three times the main job's
NUM_DISTINCT = 128  # as many as a round poses

FNR, SELECTIVE_FNR = (0.0, 0.15, 0.3, 0.6), (0.5, 1.0)  # the latter within one kind of problem
RATES, ROUNDS = (0.2, 0.6), (1, 4, 7)  # of spoilt labels

LAPTOP = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 1.0)
FPR = {
    "laptop": LAPTOP,
    "smoke": (0.0, 0.1, 1.0),
    "shipped": LAPTOP,
    "paper": (0.0, *noise_phase_diagram.log_spaced(0.005, 1.0, 15)),
}
NUM_SEEDS = {"smoke": 1, "laptop": 5, "shipped": 16, "paper": 32}  # of one pool
CONTROLS = (
    "sham",
    *(f"{kind}/recipient_shuffle" for kind in KINDS),
    "hashed_recurring/recipient_shuffle",
)


def build(preset: str, curriculum: str) -> Sweep:
    """The arm with independent errors; the other arms vary its verifier, and no other choice."""
    sweep = noise_phase_diagram.build("shipped" if preset == "laptop" else preset, curriculum)
    sweep = struct.replace(sweep, "base.learner.learning_rate", LEARNING_RATE)
    if preset == "smoke":
        learner = sweep.base.learner.replace(num_problems=16, num_updates=2)
        sweep = dataclasses.replace(sweep, base=sweep.base.replace(learner=learner, num_eval=4))
    axes = {"verifier.fpr": FPR[preset]}
    width = "1" if preset == "smoke" else sweep.tile_width  # a tile for each device in all arms
    all_bases = {
        "num_seeds": NUM_SEEDS[preset],
        "design": "all",
        "num_runs": 1,
    }  # compared base by base
    return dataclasses.replace(sweep, axes=axes, tile_width=width, **all_bases)


def parts(sweep: Sweep) -> dict[str, Sweep]:
    """Every arm, by its pattern; and one of them twice, which tells how much runs of one base
    differ.
    """
    fpr = sweep.axes["verifier.fpr"]
    if fpr[0] != 0:
        raise ConfigError(f"axes.verifier.fpr: begins with {fpr[0]}, must begin with 0")
    rounds = tuple(r for r in ROUNDS if r < sweep.base.num_rounds)
    base = sweep.base
    blind = tuple(x for x in fpr if x > 0)  # within one kind
    beside = (0.0, fpr[len(fpr) // 3])  # beside false negatives

    def arm(experiment: Experiment, **axes: tuple) -> Sweep:
        paths = {name.replace("__", "."): axis for name, axis in axes.items()}
        return dataclasses.replace(sweep, base=experiment, axes=paths)

    def judged(verifier: Any, **changes: Any) -> Experiment:
        return base.replace(verifier=verifier, **changes)

    found = {"independent": sweep, "hashed": arm(judged(Hashed()), verifier__fpr=fpr)}
    for kind in KINDS:
        found[kind] = arm(judged(Systematic()), **{f"verifier__{kind}": blind})
    for name, verifier in (("independent", Oracle()), ("hashed", Hashed())):
        recurring = judged(verifier, num_distinct=NUM_DISTINCT)
        found[f"{name}_recurring"] = arm(recurring, verifier__fpr=fpr)
    found["reject_at_random"] = arm(judged(Oracle()), verifier__fpr=beside, verifier__fnr=FNR)
    # False positives at random, false negatives where a carry runs on.
    found["reject_long_carry"] = arm(
        judged(Systematic()), verifier__fpr=beside, verifier__fnr=SELECTIVE_FNR
    )
    for pattern in SPOILT:
        rates = (0.0, *RATES) if pattern == SPOILT[0] else RATES
        spoilt = {f"label_noise__{pattern}_rate": rates}
        found[f"labels_{pattern}"] = arm(base, **spoilt, label_noise__round=rounds)
    again = {"replicate": (0, 1), "verifier__fpr": beside, "verifier__fnr": SELECTIVE_FNR[-1:]}
    return found | {"twice": arm(judged(Systematic()), **again)}
