"""Do problems that are nearly impossible spoil a policy, or do false rewards?

    python experiments/hard_samples.py
    python experiments/hard_samples.py --preset shipped     # 60 rounds from 16 bases, not four

A policy that adds up chains of digits knows two ways to answer: with all partial sums, which it can
do, or at once, which is a guess. By group-relative RL it trains on problems that it never solved in
8 samples, sometimes did, mostly did, or on all. What is rewarded is an answer that is right modulo
2, 3, 5 or 10, of which more or fewer are guessed, or the whole working, which can't be; and, at the
rate FPR, anything. Then the ways to leave groups out or to hold the policy back that are said to
help; a second learning rate; and rewards that are dealt out at random (a placebo). Measured is what
becomes of short chains that the base has mastered.

The literature says (second-hand) that problems without a success teach to skip the working, which
spoils old skills, and that dividing by the standard deviation is to blame. If false rewards are,
harm goes with their share whatever the problems are, and without any there is none.
"""

from __future__ import annotations

import dataclasses

from avax import struct
from avax.curricula import Bucket, Fixed
from avax.learners import GRPO
from avax.loop import Experiment
from avax.models.transformer import TransformerConfig
from avax.policies.pretrain import Pretraining
from avax.probes import Skill
from avax.sweeps import defaults
from avax.sweeps.needs import Needs
from avax.sweeps.sweep import Sweep
from avax.tasks import Shortcut
from avax.verifiers import Oracle

CHOICES = {"preset": ("laptop", "smoke", "shipped", "paper")}
BUCKETS = {"hard": (0, 0), "medium": (2, 6), "easy": (7, 8), "all": (0, 8)}  # right ones of 8
MODULI, FPRS = (2, 3, 5, 10), (0.0, 0.01, 0.05)
MODULUS, FPR, WORKING = AXES = ("task.modulus", "verifier.fpr", "task.needs_working")
SLOW = 3e-4  # the other learning rate
LEARNERS = {  # what is said to help, each a change of the centre's learner
    "no_std": {"normalize_std": 0},
    "two_accepted": {"min_accepted": 2},
    "kl_0.01": {"kl_coef": 0.01},
    "kl_0.1": {"kl_coef": 0.1},
    "no_clip": {"clip": 1e6},
}
NEEDS = Needs(kinds={"curriculum": Bucket, "task": Shortcut, "probe": Skill, "learner": GRPO})
CONTROLS = ("guessed/placebo", "false/placebo", "guessed/frozen_generator")


def build(preset: str) -> Sweep:
    """Hard problems of which the answers count, at one preset; the other parts follow from it."""
    return {"smoke": smoke, "laptop": laptop, "shipped": shipped, "paper": paper}[preset]()


def parts(sweep: Sweep) -> dict[str, Sweep]:
    """Rewards of every kind on hard problems; some of them on others; and at two places, where
    guesses are rewarded and where anything is at times, other learners and a second learning rate.
    """
    moduli, fprs = sweep.axes[MODULUS], sweep.axes[FPR]
    at_ends = {MODULUS: (moduli[0], moduli[-1]), FPR: (fprs[0], fprs[-1])}
    whole = {WORKING: (1,), FPR: fprs}
    found = {"hard": sweep, "hard_whole": dataclasses.replace(sweep, axes=whole)}
    for name, bounds in list(BUCKETS.items())[1:]:
        other = in_bucket(sweep, *bounds)
        found[name] = dataclasses.replace(other, axes=at_ends)
        found[f"{name}_whole"] = dataclasses.replace(other, axes={**whole, FPR: at_ends[FPR]})
    centres = {
        "guessed": with_values(sweep, {MODULUS: moduli[0], FPR: fprs[0]}),
        "false": with_values(sweep, {WORKING: 1, FPR: fprs[-1]}),
    }
    for name, centre in centres.items():
        found[name] = centre
        found |= {f"{name}_{word}": with_learner(centre, **x) for word, x in LEARNERS.items()}
        found[f"{name}_resampled"] = with_learner(centre, oversampling=4, resample=1)
        found[f"{name}_slow"] = with_learner(centre, learning_rate=SLOW)
        found[f"{name}_again"] = with_values(centre, {"replicate": 1})
    return found


def in_bucket(sweep: Sweep, lowest: int, highest: int) -> Sweep:
    """The same on problems that the base solves in so many of 8 samples."""
    values = {"curriculum.lowest": lowest, "curriculum.highest": highest}
    return with_values(sweep, values, sweep.axes)


def with_values(sweep: Sweep, values: dict, axes: dict | None = None) -> Sweep:
    """The same with other values of some fields, at no axes if none are given."""
    for path, value in values.items():
        sweep = struct.replace(sweep, f"base.{path}", value)
    return dataclasses.replace(sweep, axes=axes or {})


def with_learner(sweep: Sweep, **fields) -> Sweep:
    """The same with other values of the learner's fields."""
    return with_values(sweep, {f"learner.{name}": x for name, x in fields.items()}, sweep.axes)


def laptop() -> Sweep:
    """Some 60 settings of 60 rounds, 4 seeds, a policy of 27,000 parameters."""
    return Sweep(
        base=Experiment(
            task=Shortcut(max_difficulty=12, skip_rate=0.3),
            curriculum=Bucket(Fixed(highest=12), highest=0),
            verifier=Oracle(),
            learner=GRPO(
                num_problems=16, num_samples=8, num_updates=2, learning_rate=1e-3, kl_coef=0.0
            ),
            base_difficulty=4,
            num_rounds=60,
            num_eval=8,
            probe=Skill((2, 4), answer_len=2),
        ),
        pretraining=Pretraining(
            model=TransformerConfig(num_layers=2, num_heads=2, width=32, rotary_base=10.0),
            num_updates=1500,
        ),
        base_criterion=defaults.CRITERION,
        axes={MODULUS: MODULI, FPR: FPRS},
        num_seeds=4,
        tile_width="2",
        placement="spmd",
        common_random_numbers=True,
    )


def shipped() -> Sweep:
    """The same from 16 bases."""
    return dataclasses.replace(laptop(), num_seeds=16)


def smoke() -> Sweep:
    """2 rounds from a base that has hardly learned: does everything work?"""
    sweep = laptop()
    base = sweep.base.replace(
        task=sweep.base.task.replace(max_difficulty=4),
        curriculum=Bucket(Fixed(highest=4), num_problems=8, highest=0),
        learner=sweep.base.learner.replace(num_problems=4),
        base_difficulty=2,
        num_rounds=2,
        num_eval=2,
        probe=Skill((2,), num_problems=4, answer_len=2),
    )
    model = sweep.pretraining.model.replace(num_layers=1)
    return dataclasses.replace(
        sweep,
        base=base,
        pretraining=sweep.pretraining.replace(model=model, num_updates=50),
        base_criterion=0.0,
        axes={MODULUS: (2, 10), FPR: (0.0, 0.5)},
        num_seeds=2,
        optimization=0,
    )


def paper() -> Sweep:
    """200 rounds from 32 bases: sized for one GPU."""
    sweep = laptop()
    return dataclasses.replace(
        sweep,
        base=sweep.base.replace(num_rounds=200, num_eval=64),
        num_seeds=32,
        tile_width="all",
        placement="tiles",
    )
