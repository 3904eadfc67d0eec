"""How much better than its policy is a verifier, by model size and by round?

    python experiments/gap.py

The generation-verification gap of Song et al. (2025, arXiv 2412.02674) is what accuracy gains if a
policy's completions are filtered; the relative gap is the share of the errors that this removes.
Policies of three widths, trained for a short time on numbers of up to 8 digits, train themselves
behind the truth, and behind a majority vote over their own samples: on 128 fixed prompts (step 0),
and on a frontier that moves on by a digit a round (step 1). Both begin with the longest length that
the base knows (start 8), or with one two digits beyond (start 10). In every round the gap of six
other verifiers is measured, and pass@k; one more loop is gated by a verifier that learns from a
trickle of true labels.

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
from avax.types import Verifier
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

CHOICES = {"preset": ("laptop", "smoke", "paper")}
WIDTHS = (16, 32, 64)
LEARNED_WIDTH = 32  # of the loop behind a learned verifier
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
CONTROLS = ("majority_32/frozen_generator", "majority_32/sham")


def build(preset: str) -> Sweep:
    """The loop behind the truth at one preset; the other parts follow from it."""
    return {"smoke": smoke, "laptop": laptop, "paper": paper}[preset]()


def parts(sweep: Sweep) -> dict[str, Sweep]:
    """Every width behind the truth and behind a vote, and one behind a learned verifier.

    ConfigError if nothing is to be compared.
    """
    if set(sweep.base.probe.metrics(sweep.base.task)["gap"].dims["judge"]) <= {OWN}:
        raise ConfigError(
            "base.probe: asks no judge beside the loop's own; the figure is of others"
        )
    gates = {"oracle": Oracle(), "majority": MajorityVote()}
    found = {
        f"{name}_{width}": gated(sweep, gate, width)
        for name, gate in gates.items()
        for width in WIDTHS
    }
    learned = Learned(level="outcome", label_rate=0.25)
    return found | {"learned": gated(sweep, learned, LEARNED_WIDTH)}


def gated(sweep: Sweep, verifier: Verifier, width: int) -> Sweep:
    """The same loop behind another verifier, with policies of another width, at most its own."""
    sweep = dataclasses.replace(sweep, base=sweep.base.replace(verifier=verifier))
    width = min(width, sweep.pretraining.model.width)
    return struct.replace(sweep, "pretraining.model.width", width)


def laptop() -> Sweep:
    """7 parts, 4 curricula, 4 seeds, 8 rounds of 64 problems with 8 samples each."""
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
            model=TransformerConfig(num_layers=2, num_heads=2, width=max(WIDTHS), rotary_base=10.0),
            num_updates=1000,
            learning_rate=3e-3,
        ),
        axes=dict(zip(AXES, (STEPS, (digits, digits + beyond)), strict=True)),
        num_seeds=4,
        tile_width="2",
        placement="spmd",
    )


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
