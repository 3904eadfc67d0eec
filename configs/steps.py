"""Is it enough to verify outcomes where wrong steps can still give the right answer?

    python experiments/steps.py
    python experiments/steps.py --preset shipped     # from 20 bases, not five

A policy that can add up short chains of digits modulo m, writing all partial sums, trains itself on
chains that grow by four additions each round. Errors in a chain may cancel: with modulus m the last
sum of about 1 in m wrong chains is right by chance. Compared are perfect verifiers of the outcome
and of all steps, and no filter. In the part `exact_outcome` the answer is the whole chain, so that
errors can't cancel; the verifier of outcomes is perfect there, or accepts wrong chains at a rate.

Predicted before the first run: where errors cancel, verifying the outcome alone is like an FPR near
1 / m, above the ratio FPR / (1 - FNR) of about 0.07 at which the main job's loop stopped to gain at
the learning rate that it had then, 3e-3, and the policy loses, the more the smaller m is; verifying
steps it climbs. Where errors can't cancel both do the same.

Expect, from one run of 14 bases: errors cancel in a third of the 1 in m wrong chains. Verifying
outcomes gains two thirds of what verifying steps does: chains that cancel cost what false positives
at their rate cost. Where errors can't cancel both do the same.
"""

from __future__ import annotations

import dataclasses

from avax.curricula import Frontier
from avax.learners import FilteredSFT
from avax.loop import Experiment
from avax.models.transformer import TransformerConfig
from avax.policies.pretrain import Pretraining
from avax.sweeps import defaults
from avax.sweeps.needs import Needs
from avax.sweeps.sweep import Sweep
from avax.tasks import Chain
from avax.verifiers import AcceptAll, Oracle, StepOracle

CHOICES = {"preset": ("laptop", "smoke", "shipped", "paper")}
MODULUS, FPR = "task.modulus", "verifier.fpr"
NEEDS = Needs(axes={MODULUS: 1}, values={"verifier": Oracle(), "task.outcome_only": True})
FPRS = (0.0, 0.1, 0.4)  # where no error cancels
NUM_SEEDS = {"laptop": 5, "shipped": 20}
FIRST_SEED = 5  # of what is shipped: the frontier was chosen by the loops of the first
CONTROLS = ("sham", "frozen_generator", "none/frozen_generator", "steps/frozen_generator")


def build(preset: str) -> Sweep:
    """The sweep of the part `outcome` at one preset; the other parts follow from it."""
    return {"smoke": smoke, "laptop": laptop, "shipped": shipped, "paper": paper}[preset]()


def parts(sweep: Sweep) -> dict[str, Sweep]:
    """Outcomes, steps and no filter where errors can cancel; outcomes where they can't; and those
    where they can once more, which tells how much runs of one base differ.
    """
    base = sweep.base
    exact = base.replace(task=base.task.replace(outcome_only=False))
    return {
        "none": dataclasses.replace(sweep, base=base.replace(verifier=AcceptAll())),
        "outcome": sweep,
        "steps": dataclasses.replace(sweep, base=base.replace(verifier=StepOracle())),
        "exact_outcome": dataclasses.replace(sweep, base=exact, axes={**sweep.axes, FPR: FPRS}),
        "again": dataclasses.replace(sweep, base=base.replace(replicate=1)),
    }


def laptop() -> Sweep:
    """4 moduli, 5 seeds, 8 rounds, chains of 8, 12, ..., 36 additions."""
    return Sweep(
        base=Experiment(
            task=Chain(max_difficulty=36, outcome_only=True),
            curriculum=Frontier(start=8, step=4),
            verifier=Oracle(),
            learner=FilteredSFT(
                num_problems=128,
                num_updates=32,
                batch_size=32,
                num_kept=1,
                learning_rate=3e-3,
            ),
            base_difficulty=4,
            num_rounds=8,
            num_eval=16,
        ),
        pretraining=Pretraining(
            model=TransformerConfig(num_layers=1, num_heads=2, width=32, rotary_base=10.0),
            num_updates=600,
        ),
        base_criterion=defaults.CRITERION,  # of seeds 5 to 20 four miss it
        axes={MODULUS: (2, 3, 5, 10)},
        num_seeds=NUM_SEEDS["laptop"],
        tile_width="2",
        placement="spmd",
    )


def shipped() -> Sweep:
    """The same from 20 other bases of each modulus."""
    return dataclasses.replace(laptop(), num_seeds=NUM_SEEDS["shipped"], seed=FIRST_SEED)


def smoke() -> Sweep:
    """2 moduli, 2 rounds, one seed of a base that has hardly learned: does it work?"""
    sweep = laptop()
    base = sweep.base.replace(
        task=Chain(max_difficulty=4, outcome_only=True),
        curriculum=Frontier(start=3, step=1),
        base_difficulty=2,
        num_rounds=2,
        num_eval=4,
        learner=sweep.base.learner.replace(num_problems=16, num_updates=2),
    )
    return dataclasses.replace(
        sweep,
        base=base,
        pretraining=sweep.pretraining.replace(num_updates=100),
        base_criterion=0.0,
        axes={MODULUS: (2, 10)},
        num_seeds=1,
        tile_width="1",
        optimization=0,
    )


def paper() -> Sweep:
    """9 moduli, 10 seeds, 15 rounds, a larger policy: sized for one GPU."""
    sweep = laptop()
    base = sweep.base.replace(
        task=Chain(max_difficulty=64, outcome_only=True),
        num_rounds=15,
        num_eval=128,
        learner=sweep.base.learner.replace(num_problems=256, batch_size=64, learning_rate=1e-3),
    )
    model = TransformerConfig(num_layers=2, num_heads=4, width=64)
    return dataclasses.replace(
        sweep,
        base=base,
        pretraining=Pretraining(model=model, num_updates=3000, learning_rate=2e-3),
        axes={MODULUS: tuple(range(2, 11))},
        num_seeds=10,
        tile_width="all",
        placement="tiles",
    )
