"""Do problems that are nearly impossible spoil a policy, or do false rewards?

    python experiments/hard_samples.py
    python experiments/hard_samples.py --preset shipped     # from 32 bases, not four

A policy that adds up chains of digits knows two ways to answer: with all partial sums, which it can
do, or at once, which is a guess. By group-relative RL it trains on problems of which the base never
wrote the whole working in 16 samples, sometimes did, mostly did, or on all; on problems of equal
lengths that differ in this; and on chains that are too long for it. What is rewarded is an answer
that is right modulo 2, 3, 5 or 10, of which more or fewer are guessed, or the whole working, which
can't be; and, at the rate FPR, anything, or what skips the working. Beside them: the ways to leave
groups out or to hold the policy back that are said to help; a second learning rate; rewards dealt
out at random (a placebo), and the untouched base, a loop at learning rate 0. Measured is what
becomes of short chains that the base has mastered: how often they are worked out, and how well.

The literature says (second-hand) that problems without a success teach to skip the working, which
spoils old skills, and that dividing by the standard deviation is to blame. If false rewards are,
harm goes with their share whatever the problems are, and without any there is none. A reward that
does not depend on what was written moves a policy nowhere on average: then its placebo harms alike,
and only one that pays for skipping teaches it. Expect the second (what is predicted is in
docs/log.md): no run has been seen yet.
"""

from __future__ import annotations

import dataclasses

from avax import struct, vocab
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
from avax.verifiers import AnyOf, HasToken, Oracle

CHOICES = {"preset": ("laptop", "smoke", "shipped", "paper")}
BUCKETS = {"medium": (1, 8), "easy": (9, 16), "all": (0, 16)}  # solved of 16; the centre is 0
MODULI, FPRS = (2, 3, 5, 10), (0.0, 0.01, 0.05)
MODULUS, FPR, WORKING = "task.modulus", "verifier.fpr", "task.needs_working"
MUCH = 0.5  # an FPR at which easy problems have as many false rewards as guesses have on hard ones
EQUAL_LENGTHS, TOO_LONG = (5, 8), (11, 12)
SLOW = 3e-4  # the other learning rate
LEARNERS = {  # what is said to help, each a change of the centre's learner
    "no_std": {"normalize_std": 0},
    "two_accepted": {"min_accepted": 2},
    "kl_0.01": {"kl_coef": 0.01},
    "kl_0.1": {"kl_coef": 0.1},
    "no_clip": {"clip": 1e6},
    "oversampled": {"oversampling": 4},
    "resampled": {"oversampling": 4, "resample": 1},
    "slow": {"learning_rate": SLOW},
}
NEEDS = Needs(
    axes={MODULUS: 2, FPR: 2},
    kinds={"curriculum": Bucket, "task": Shortcut, "probe": Skill, "learner": GRPO},
    values={"verifier": Oracle()},
    metrics=("skill_whole", "skill_token"),
)
CONTROLS = (
    *("guessed/placebo", "false/placebo", "mixed/placebo"),
    *("guessed_slow/placebo", "false_slow/placebo"),
)


def build(preset: str) -> Sweep:
    """Hard problems of which the answers count, at one preset; the other parts follow from it."""
    return {"smoke": smoke, "laptop": laptop, "shipped": shipped, "paper": paper}[preset]()


def parts(sweep: Sweep) -> dict[str, Sweep]:
    """The untouched base; rewards of every kind on hard problems; some of them on others, and on
    others as long; and other learners at three places.
    """
    moduli, fprs = sweep.axes[MODULUS], sweep.axes[FPR]
    ends = {MODULUS: (moduli[0], moduli[-1]), FPR: (fprs[0], fprs[-1])}
    whole = with_values(sweep, {WORKING: 1})
    found = {
        "untouched": with_values(sweep, {"learner.learning_rate": 0.0}),
        "hard": sweep,
        "hard_whole": with_axes(whole, {FPR: fprs}),
    }
    for name, bounds in BUCKETS.items():
        found[name] = with_axes(in_bucket(sweep, *bounds), ends)
        found[f"{name}_whole"] = with_axes(in_bucket(whole, *bounds), {FPR: (*ends[FPR], MUCH)})
    for name in ("hard", "medium", "all"):
        bounds = BUCKETS.get(name, (0, 0))
        found[f"equal_{name}"] = with_axes(at_lengths(in_bucket(whole, *bounds), EQUAL_LENGTHS), {})
    too_long = at_lengths(in_bucket(whole, *BUCKETS["all"]), TOO_LONG)
    found["too_long"] = with_axes(too_long, {FPR: ends[FPR]})
    paid = AnyOf(Oracle(), HasToken(rate=fprs[-1]))
    found["paid_to_skip"] = with_values(whole, {"verifier": paid})
    return found | other_learners(sweep, whole)


def other_learners(sweep: Sweep, whole: Sweep) -> dict[str, Sweep]:
    """Where guesses are rewarded, where anything is at times and hardly anything else, and where
    much else is: the centre's learner, others, and the centre's once more.
    """
    most = sweep.axes[FPR][-1]
    centres = {
        "guessed": with_values(sweep, {MODULUS: sweep.axes[MODULUS][0], FPR: 0.0}),
        "false": with_values(whole, {FPR: most}),
        "mixed": with_values(in_bucket(whole, *BUCKETS["all"]), {FPR: most}),
    }
    found = {}
    for name, centre in centres.items():
        found[name] = centre
        for word, fields in LEARNERS.items():
            values = {f"learner.{field}": x for field, x in fields.items()}
            found[f"{name}_{word}"] = with_values(centre, values)
        found[f"{name}_again"] = with_values(centre, {"replicate": 1})
    return found


def in_bucket(sweep: Sweep, lowest: int, highest: int) -> Sweep:
    """The same on problems that the base solves in so many of 16 samples."""
    return with_values(sweep, {"curriculum.lowest": lowest, "curriculum.highest": highest})


def at_lengths(sweep: Sweep, lengths: tuple[int, int]) -> Sweep:
    """The same of a pool of other lengths, as far as the task has them."""
    most = sweep.base.task.max_difficulty
    lowest, highest = (min(x, most) for x in lengths)
    return with_values(
        sweep, {"curriculum.inner.lowest": lowest, "curriculum.inner.highest": highest}
    )


def with_values(sweep: Sweep, values: dict) -> Sweep:
    """The same with other values of some fields, at no axes."""
    for path, value in values.items():
        sweep = struct.replace(sweep, f"base.{path}", value)
    return with_axes(sweep, {})


def with_axes(sweep: Sweep, axes: dict) -> Sweep:
    """The same experiment at other values of some fields."""
    return dataclasses.replace(sweep, axes=axes)


def laptop() -> Sweep:
    """72 settings of 60 rounds, 4 seeds, a policy of 27,000 parameters."""
    task = Shortcut(max_difficulty=12, skip_rate=0.3)
    return Sweep(
        base=Experiment(
            task=task,
            base_task=task,  # one base for all grades
            curriculum=Bucket(Fixed(highest=12), num_samples=16, highest=0, by_steps=1),
            verifier=Oracle(),
            learner=GRPO(
                num_problems=16, num_samples=8, num_updates=2, learning_rate=1e-3, kl_coef=0.0
            ),
            base_difficulty=4,
            num_rounds=60,
            num_eval=32,
            probe=Skill((2, 4), answer_len=2, token=vocab.STEP),
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
    """The same from 32 bases."""
    return dataclasses.replace(laptop(), num_seeds=32)


def smoke() -> Sweep:
    """2 rounds from a base that has hardly learned: does everything work?"""
    sweep = laptop()
    base = sweep.base.replace(
        task=sweep.base.task.replace(max_difficulty=4),
        base_task=sweep.base.base_task.replace(max_difficulty=4),
        curriculum=sweep.base.curriculum.replace(inner=Fixed(highest=4), num_problems=8),
        learner=sweep.base.learner.replace(num_problems=4),
        base_difficulty=2,
        num_rounds=2,
        num_eval=2,
        probe=sweep.base.probe.replace(difficulties=(2,), num_problems=4),
    )
    model = sweep.pretraining.model.replace(num_layers=1)
    return dataclasses.replace(
        sweep,
        base=base,
        pretraining=sweep.pretraining.replace(model=model, num_updates=50),
        base_criterion=0.0,
        axes={MODULUS: (2, 10), FPR: (0.0, 0.2)},
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
