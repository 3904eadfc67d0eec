"""How much better than its policy is a verifier, by model size and by round?

    python experiments/gap.py
    python experiments/gap.py --preset shipped     # from 14 bases, not four

The generation-verification gap of Song et al. (2025, arXiv 2412.02674) is what accuracy gains if a
policy's completions are filtered; the relative gap is the share of the errors that this removes.
Of policies of three widths, each trained on numbers of up to 8 digits for four numbers of updates,
the gap of five verifiers that are the policy itself is measured at the longest length that they
know and two digits beyond: so sizes can be compared at equal training and at equal skill. One of
them trains itself behind the truth, behind a majority vote over its own samples, and behind a
verifier that learns from a trickle of true labels: on 128 fixed prompts (step 0), and on a frontier
that moves on by a digit a round (step 1). In every round the gap of six verifiers is measured, and
pass@k.

Expect, from one run of 4 seeds: on lengths that it knows, every verifier removes all errors of the
widest policy and few of the narrowest; two digits beyond, half and none. Behind the vote the gap
shrinks to nothing; on fixed prompts pass@1 grows and pass@16 falls, in the mean. On a frontier no
policy is held by a vote. A verifier that learns from a quarter of the true labels finds no gap.
"""

from __future__ import annotations

import dataclasses

from avax import struct
from avax.curricula import Frontier
from avax.fields import ConfigError
from avax.learners import FilteredSFT
from avax.loop import Experiment
from avax.models.transformer import TransformerConfig
from avax.policies.pretrain import Pretraining
from avax.probes import Both, Gap, PassAt
from avax.probes.judging import OWN
from avax.sweeps.needs import Needs
from avax.sweeps.sweep import Sweep
from avax.tasks import Addition
from avax.verifiers import (
    CommitFirst,
    Commutative,
    Comparison,
    CrossModel,
    Learned,
    Likelihood,
    MajorityVote,
    Oracle,
)

CHOICES = {"preset": ("laptop", "smoke", "shipped", "paper")}
WIDTHS = (16, 32, 64)
FACTORS = {16: (1, 2, 4, 8), 32: (0.5, 1, 2, 4), 64: (0.25, 0.5, 1, 2)}  # of a base's updates
FAST = 3e-3  # the other learning rate, of the loop behind a vote
JUDGES = (
    MajorityVote(),
    Likelihood(),
    Comparison(),
    CommitFirst(),
    CrossModel(),
    Commutative(),
)
STEPS = (0, 1)  # fixed prompts, and a frontier
AXES = ("curriculum.step", "curriculum.start")
NEEDS = Needs(
    axes=dict(zip(AXES, (STEPS, 2), strict=True)),
    kinds={"curriculum": Frontier},
    values={"verifier": Oracle()},
    metrics=("gap", "relative_gap", "pass_at"),
)
CONTROLS = ("majority/frozen_generator", "majority/sham", "rate_3e-3/sham")


def build(preset: str) -> Sweep:
    """The loop behind the truth at one preset; the other parts follow from it."""
    return {"smoke": smoke, "laptop": laptop, "shipped": shipped, "paper": paper}[preset]()


def parts(sweep: Sweep) -> dict[str, Sweep]:
    """The loop behind the truth, a vote and a learned verifier; behind the vote once more and at a
    higher learning rate; and bases of every width and training, of which only the gap is measured.

    ConfigError if nothing is to be compared.
    """
    if set(sweep.base.probe.metrics(sweep.base.task)["gap"].dims["judge"]) <= {OWN}:
        raise ConfigError(
            "base.probe: asks no judge beside the loop's own; the figure is of others"
        )
    vote = with_base(sweep, verifier=MajorityVote())
    found = {
        "oracle": sweep,
        "majority": vote,
        "learned": with_base(sweep, verifier=Learned(level="outcome", label_rate=0.25)),
        "again": with_base(vote, replicate=1),
        "rate_3e-3": struct.replace(vote, "base.learner.learning_rate", FAST),
    }
    return found | {
        f"bases_{width}_x{factor:g}": of_bases(sweep, width, factor)
        for width, factors in FACTORS.items()
        for factor in factors
    }


def with_base(sweep: Sweep, **fields) -> Sweep:
    """The same sweep of another experiment."""
    return dataclasses.replace(sweep, base=sweep.base.replace(**fields))


def of_bases(sweep: Sweep, width: int, factor: float) -> Sweep:
    """Bases of a width, trained for a multiple of the updates, in the one round in which they write
    the answers.
    """
    probe = sweep.base.probe.first
    alone = tuple(x for x in probe.verifiers if not isinstance(x, CrossModel))
    sweep = with_base(sweep, num_rounds=1, num_bases=1, probe=probe.replace(verifiers=alone))
    pretraining = sweep.pretraining.replace(
        model=sweep.pretraining.model.replace(width=width),
        num_updates=round(factor * sweep.pretraining.num_updates),
    )
    axes = {AXES[1]: sweep.axes[AXES[1]]}
    return dataclasses.replace(sweep, pretraining=pretraining, axes=axes, base_criterion=0.0)


def laptop() -> Sweep:
    """5 loops, 4 curricula, 4 seeds, 8 rounds of 64 problems with 8 samples each."""
    digits, beyond, num_rounds = 8, 2, 8
    return Sweep(
        base=Experiment(
            task=Addition(max_difficulty=digits + beyond + num_rounds - 1),
            curriculum=Frontier(start=digits),
            verifier=Oracle(),
            learner=FilteredSFT(
                num_problems=64,
                num_samples=8,
                num_updates=32,
                batch_size=32,
                num_kept=1,
                learning_rate=1e-3,
            ),
            base_difficulty=digits,
            num_distinct=128,
            num_bases=2,
            num_rounds=num_rounds,
            num_eval=16,
            probe=Both(Gap(JUDGES), PassAt()),
        ),
        pretraining=Pretraining(
            model=TransformerConfig(num_layers=2, num_heads=2, width=32, rotary_base=10.0),
            num_updates=1000,
            learning_rate=3e-3,
        ),
        axes=dict(zip(AXES, (STEPS, (digits, digits + beyond)), strict=True)),
        num_seeds=4,
        tile_width="2",
        placement="spmd",
    )


def shipped() -> Sweep:
    """The same from 14 bases."""
    return dataclasses.replace(laptop(), num_seeds=14)


def smoke() -> Sweep:
    """2 rounds from a base that has hardly learned: does everything work?"""
    sweep = laptop()
    base = sweep.base.replace(
        task=Addition(max_difficulty=4),
        curriculum=Frontier(start=2),
        learner=sweep.base.learner.replace(num_problems=8, num_samples=2, num_updates=2),
        base_difficulty=2,
        num_distinct=8,
        num_rounds=2,
        num_eval=2,
        probe=Both(
            Gap(JUDGES[:2], num_problems=4, num_samples=2),
            PassAt((1, 2), num_problems=4, num_samples=2),
        ),
    )
    return dataclasses.replace(
        sweep,
        base=base,
        pretraining=sweep.pretraining.replace(
            model=sweep.pretraining.model.replace(num_layers=1, width=min(WIDTHS)), num_updates=100
        ),
        axes=dict(zip(AXES, (STEPS, (2, 3)), strict=True)),
        num_seeds=2,
        tile_width="1",
        optimization=0,
    )


def paper() -> Sweep:
    """16 seeds, 20 rounds, more samples: sized for one GPU."""
    sweep = laptop()
    num_rounds = 20
    longest = sweep.base.task.max_difficulty + num_rounds - sweep.base.num_rounds
    base = sweep.base.replace(
        task=Addition(max_difficulty=longest),
        num_rounds=num_rounds,
        num_eval=64,
        probe=Both(Gap(JUDGES, num_problems=256), PassAt(num_problems=256)),
    )
    return dataclasses.replace(sweep, base=base, num_seeds=16, tile_width="all", placement="tiles")
