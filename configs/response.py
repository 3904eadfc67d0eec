"""Can the boundary between gain and collapse be predicted from one lapse of the verifier?

    python experiments/response.py
    python experiments/response.py --preset shipped     # from 32 bases, not five

A perfect verifier looks away in one round and lets some of the policy's own mistakes through. How
much more the policy errs in each of the following rounds is the loop's impulse response; if
responses add up, it predicts what a verifier does that always errs. For several mixes of data, a
learning rate, a wider model, GRPO and a curriculum: predicted and measured boundary, beside the
prediction of mean field from the next round alone, 1 / kappa, and the response to random wrong
digits instead of own mistakes.

Expect: own mistakes are remembered for many rounds, random digits are forgotten; predictions from
one round's kappa are off by 10 times and more, those from the whole response by about 2.
"""

from __future__ import annotations

import dataclasses

from avax import struct
from avax.curricula import Frontier
from avax.learners import FilteredSFT
from avax.sweeps.needs import ORACLES, Needs
from avax.sweeps.sweep import Sweep
from configs import theory
from configs.theory import with_learner

CHOICES = {"preset": ("laptop", "smoke", "shipped", "paper")}
NEEDS = Needs(
    axes={"verifier.fpr": 1}, kinds={"learner": FilteredSFT, "verifier": ORACLES}, num_rounds=3
)
FPR = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0)
LAPSES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
WIDE = 48  # 2.1 times the parameters of the reference
DIGITS_CHANGED = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
NUM_SEEDS = {"smoke": 1, "laptop": 5, "shipped": 32, "paper": 10}  # of one pool
CONTROLS = ("frozen_generator", "sham")


def build(preset: str) -> Sweep:
    """The reference: verifiers that always err, at FNR 0, from the base policies of `theory`."""
    sweep = theory.build("laptop" if preset == "shipped" else preset)
    same_bases = {"num_seeds": NUM_SEEDS[preset], "design": "all", "num_runs": 1}
    return dataclasses.replace(sweep, axes={"verifier.fpr": FPR}, **same_bases)


def parts(sweep: Sweep) -> dict[str, Sweep]:
    """Random labels in one round; for each variant a line of verifiers, and lapses of one round."""
    found = {
        "random_labels": dataclasses.replace(sweep, axes={"label_noise.digit_rate": DIGITS_CHANGED})
    }
    for name, variant in variants(sweep).items():
        found[f"line/{name}"] = variant
        found[f"lapse/{name}"] = dataclasses.replace(variant, axes={"lapse.rate": LAPSES})
    return found


def variants(sweep: Sweep) -> dict[str, Sweep]:
    """Mixes of data, a learning rate, a width, a learner and a curriculum, one at a time."""
    base, learner = sweep.base, sweep.base.learner
    frontier = base.replace(
        task=base.task.replace(max_difficulty=base.base_difficulty + base.num_rounds),
        curriculum=Frontier(start=base.base_difficulty + 1),
        lapse=base.lapse.replace(round=2),  # in round 1 there are hardly any mistakes
    )
    return {
        "reference": sweep,
        "base_data": with_learner(sweep, learner.replace(base_rate=0.5)),
        "gentle": with_learner(sweep, learner.replace(learning_rate=learner.learning_rate / 3)),
        "accumulated": with_learner(sweep, learner.replace(num_kept=base.num_rounds)),
        "wide": struct.replace(sweep, "pretraining.model.width", WIDE),
        "grpo": theory.with_grpo(sweep),
        "frontier": dataclasses.replace(sweep, base=frontier),
    }
