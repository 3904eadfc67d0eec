"""Does a policy that judges itself trust its own mistakes, and what becomes of the loop?

    python experiments/self_trust.py
    python experiments/self_trust.py --preset shipped     # from 18 bases, not three

A policy that can add short numbers, and mark a given sum as right or wrong digit by digit, trains
itself on a growing frontier. What it trains on is decided by its own judgement in one of four ways
(how likely its answer is; how likely beside others; whether it is its greedy answer; its marks), by
another policy's greedy answer, by the truth, or by nothing; three of them once more at a higher
learning rate. In every round a self-judging gate looks at new answers of this policy and of another
one, and each of the two is asked about both.

Expect, from one run of 5 seeds, half of which hardly marked: asked how likely an answer is, each
policy accepts a quarter to half of its own mistakes and none of the other's, though they have
hardly any in common; asked for marks, it makes no difference whose they are. Behind every
self-judging gate nothing is right after six rounds, and a fifth to a half is accepted.
"""

from __future__ import annotations

import dataclasses

from avax import struct
from avax.curricula import Frontier
from avax.learners import FilteredSFT
from avax.loop import Experiment
from avax.models.transformer import TransformerConfig
from avax.policies.pretrain import Pretraining
from avax.probes import Both, Overlap, SelfTrust
from avax.sweeps.needs import Needs
from avax.sweeps.sweep import Sweep
from avax.tasks import JudgedAddition
from avax.types import Verifier
from avax.verifiers import (
    CommitFirst,
    Comparison,
    CrossModel,
    Likelihood,
    Oracle,
    SelfEvaluation,
)

CHOICES = {"preset": ("laptop", "smoke", "shipped", "paper")}
GATES: dict[str, Verifier] = {
    "oracle": Oracle(),
    "none": Oracle(fpr=1.0),  # accepts all, by the program of the gate above
    "cross_model": CrossModel(),
}
SELF_JUDGES: dict[str, Verifier] = {
    "likelihood": Likelihood(),
    "comparison": Comparison(),
    "commit_first": CommitFirst(),
    "self_evaluation": SelfEvaluation(),
}

MARKS = 0.9  # right on at least so many sums, and questions about sums, of each length
FAST = 3e-3  # the other learning rate
AT_BOTH_RATES = ("none", "likelihood", "self_evaluation")
NEEDS = Needs(
    kinds={"probe": Both},
    values={"verifier": GATES["oracle"]},
    num_rounds=2,
    metrics=("trust_fpr", "auroc", "own_error", "both_wrong", "same_wrong"),
)
CONTROLS = (
    *("none/frozen_generator", "none/sham", "likelihood/frozen_generator"),
    *("self_evaluation/frozen_generator", "fast_none/sham"),
)


def build(preset: str) -> Sweep:
    """The loop with the truth at one preset; the other parts follow from it."""
    return {"smoke": smoke, "laptop": laptop, "shipped": shipped, "paper": paper}[preset]()


def parts(sweep: Sweep) -> dict[str, Sweep]:
    """The same loop behind each gate; those that ask no policy have no self-trust to measure. Some
    at a higher learning rate, and one once more, which tells how much runs of one base differ.
    """
    blind = struct.replace(sweep, "base.probe", sweep.base.probe.second)
    found = {
        name: struct.replace(blind if name in GATES else sweep, "base.verifier", gate)
        for name, gate in (GATES | SELF_JUDGES).items()
    }
    found["again"] = struct.replace(found["likelihood"], "base.replicate", 1)
    fast = struct.replace(blind, "base.learner.learning_rate", FAST)
    gates = GATES | SELF_JUDGES
    return found | {
        f"fast_{name}": struct.replace(fast, "base.verifier", gates[name]) for name in AT_BOTH_RATES
    }


def judged_addition(longest: int, judged: int) -> dict[str, JudgedAddition]:
    """Sums alone in the loop, half of the base's problems questions about sums."""
    task = JudgedAddition(max_difficulty=longest, max_judged=judged)
    return {"task": task.replace(judge_rate=0.0), "base_task": task}


def laptop() -> Sweep:
    """7 gates, 3 seeds, 10 rounds, a policy of 27,000 parameters."""
    digits, num_rounds = 8, 10
    return Sweep(
        base=Experiment(
            **judged_addition(digits + num_rounds + 1, digits),
            curriculum=Frontier(start=digits + 2),  # where the base errs, too
            verifier=GATES["oracle"],
            learner=FilteredSFT(
                num_problems=128,
                num_updates=32,
                batch_size=32,
                num_kept=1,
                learning_rate=1e-3,
            ),
            base_difficulty=digits,
            num_bases=2,
            num_rounds=num_rounds,
            num_eval=16,
            probe=Both(SelfTrust(), Overlap()),
        ),
        pretraining=Pretraining(
            model=TransformerConfig(num_layers=2, num_heads=4, width=32, rotary_base=10.0),
            num_updates=6000,  # with 3000, two of three never learn to judge
            learning_rate=5e-3,
        ),
        base_criterion=MARKS,
        num_seeds=3,
        tile_width="1",
        placement="spmd",
    )


def shipped() -> Sweep:
    """The same from 18 bases."""
    return dataclasses.replace(laptop(), num_seeds=18)


def smoke() -> Sweep:
    """2 rounds from a base that has hardly learned: does everything work?"""
    sweep = laptop()
    base = sweep.base.replace(
        **judged_addition(4, 2),
        curriculum=Frontier(start=3),
        learner=sweep.base.learner.replace(num_problems=16, num_updates=2),
        base_difficulty=2,
        num_rounds=2,
        num_eval=2,
        probe=Both(SelfTrust(num_problems=4, num_samples=2), Overlap(num_problems=4)),
    )
    model = sweep.pretraining.model.replace(num_layers=1, num_heads=2)
    pretraining = sweep.pretraining.replace(model=model, num_updates=20)
    return dataclasses.replace(
        sweep,
        base=base,
        pretraining=pretraining,
        base_criterion=0.0,
        num_seeds=2,
        optimization=0,
        tile_width="2",  # one tile: a program for one device compiles in less time than `spmd`
        placement="tiles",
    )


def paper() -> Sweep:
    """32 seeds, 20 rounds: sized for one GPU."""
    sweep = laptop()
    digits, num_rounds = sweep.base.base_difficulty, 20
    base = sweep.base.replace(
        **judged_addition(digits + num_rounds + 1, digits), num_rounds=num_rounds, num_eval=64
    )
    return dataclasses.replace(sweep, base=base, num_seeds=32, tile_width="all", placement="tiles")
