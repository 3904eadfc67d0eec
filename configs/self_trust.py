"""Does a policy that judges itself trust its own mistakes, and what becomes of the loop?

    python experiments/self_trust.py
    python experiments/self_trust.py --preset shipped     # from 24 bases, not three

A policy that can add short numbers, and mark a given sum as right or wrong digit by digit, is asked
about its own mistakes on longer ones and about another policy's, and so is the other policy: how
likely an answer is; how likely beside others; whether it is the greedy one; for marks. Then it
trains itself on lengths that it half knows. What it trains on is decided by its own judgement in
one of these ways, by another policy's greedy answer, by the truth, or by nothing; three of them
once more at a higher learning rate, and two beside a gate whose verdicts are shuffled.

Expect, from one run of 5 seeds of an earlier design, half of which hardly marked: asked how likely
an answer is, each policy accepts a quarter to half of its own mistakes and none of the other's,
though they have hardly any in common; asked for marks, it makes no difference whose they are.
"""

from __future__ import annotations

import dataclasses

from avax import struct
from avax.curricula import Fixed, Frontier
from avax.learners import FilteredSFT
from avax.loop import Experiment
from avax.models.transformer import TransformerConfig
from avax.policies.pretrain import Pretraining
from avax.probes import Both, Gap, Overlap, SelfTrust
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
    "likelihood": Likelihood(),
    "comparison": Comparison(),
    "commit_first": CommitFirst(),
    "self_evaluation": SelfEvaluation(),
}
# Asked of the untouched base, beside likelihood at its own threshold of 0.9.
JUDGES = (
    *(Likelihood(0.8), Likelihood(0.97)),
    *(Comparison(), CommitFirst(), SelfEvaluation()),
)
UNGATED = (Likelihood(), SelfEvaluation())  # asked in all loops, whatever gates them
LONGER = (1, 4)  # digits beyond those that the base knows, on which it loops
MARKS = 0.97  # right on at least so many of sums and questions about sums, at each length
FAST = 3e-3  # the other learning rate
AT_BOTH_RATES = ("none", "likelihood", "self_evaluation")
NEEDS = Needs(
    kinds={"probe": Gap, "curriculum": Fixed},
    values={"verifier": GATES["oracle"]},
    metrics=("judge_fpr",),
)
CONTROLS = (
    *("none/sham", "fast_none/sham"),
    *(
        f"{gate}/{control}"
        for gate in ("likelihood", "self_evaluation")
        for control in ("frozen_generator", "placebo")
    ),
)


def build(preset: str) -> Sweep:
    """The loop with the truth at one preset; the other parts follow from it."""
    return {"smoke": smoke, "laptop": laptop, "shipped": shipped, "paper": paper}[preset]()


def parts(sweep: Sweep) -> dict[str, Sweep]:
    """What the untouched base makes of mistakes, and the same loop behind each gate; some at a
    higher learning rate, and one once more, which tells how much runs of one base differ.
    """
    loops = {
        name: struct.replace(sweep, "base.verifier", verifier) for name, verifier in GATES.items()
    }
    loops["cross_model"] = struct.replace(loops["cross_model"], "base.num_bases", 2)
    again = struct.replace(loops["likelihood"], "base.replicate", 1)
    return {
        "base": on_the_base(loops["likelihood"]),
        **loops,
        "again": again,
        **{
            f"fast_{name}": struct.replace(loops[name], "base.learner.learning_rate", FAST)
            for name in AT_BOTH_RATES
        },
    }


def on_the_base(sweep: Sweep) -> Sweep:
    """All judges on mistakes of the base itself and of another one, at each length by itself."""
    base, gap = sweep.base, sweep.base.probe
    lengths = tuple(range(base.curriculum.lowest, base.curriculum.highest + 1))
    asked = SelfTrust(JUDGES, num_problems=4 * gap.num_problems, num_samples=2 * gap.num_samples)
    gaps = gap.replace(verifiers=JUDGES, num_problems=2 * gap.num_problems)
    base = base.replace(
        curriculum=Frontier(start=lengths[0]),
        learner=base.learner.replace(num_updates=1),  # nobody asks what comes of it
        num_rounds=1,
        num_bases=2,
        probe=Both(asked, Both(gaps, Overlap())),
    )
    return dataclasses.replace(sweep, base=base, axes={"curriculum.start": lengths})


def judged_addition(longest: int, judged: int) -> dict[str, JudgedAddition]:
    """Sums alone in the loop, half of the base's problems questions about sums."""
    task = JudgedAddition(max_difficulty=longest, max_judged=judged)
    return {"task": task.replace(judge_rate=0.0), "base_task": task}


def laptop() -> Sweep:
    """7 gates, 3 seeds, 10 rounds, a policy of 27,000 parameters."""
    digits = 8
    lowest, highest = (digits + more for more in LONGER)
    return Sweep(
        base=Experiment(
            **judged_addition(highest, digits),
            curriculum=Fixed(lowest, highest),
            verifier=GATES["oracle"],
            learner=FilteredSFT(
                num_problems=128,
                num_updates=32,
                batch_size=32,
                num_kept=1,
                learning_rate=1e-3,
            ),
            base_difficulty=digits,
            num_rounds=10,
            num_eval=32,
            probe=Gap(UNGATED, num_samples=2),
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
    """The same from 24 bases."""
    return dataclasses.replace(laptop(), num_seeds=24)


def smoke() -> Sweep:
    """2 rounds from a base that has hardly learned: does everything work?"""
    sweep = laptop()
    base = sweep.base.replace(
        **judged_addition(4, 2),
        curriculum=Fixed(3, 4),
        learner=sweep.base.learner.replace(num_problems=16, num_updates=2),
        base_difficulty=2,
        num_rounds=2,
        num_eval=2,
        probe=Gap(UNGATED, num_problems=4, num_samples=2),
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
    base = sweep.base.replace(num_rounds=20, num_eval=64)
    return dataclasses.replace(sweep, base=base, num_seeds=32, tile_width="all", placement="tiles")
