"""Is it enough to verify outcomes where wrong steps can still give the right answer?

    python experiments/steps.py

A policy that can add up short chains of digits modulo m, writing all partial sums, trains itself on
chains that grow by four additions each round. Errors in a chain may cancel: with modulus m the last
sum of about 1 in m wrong chains is right by chance. Compared are verifiers of the outcome and of
all steps, perfect, with errors of their own, and learned from a share of true labels; and no
filter. In the parts `exact_...` the answer is the whole chain, and an outcome is right only if all
steps are: errors can't cancel.

Predicted before the first run: where errors cancel, verifying the outcome alone is like an FPR near
1 / m, above the ratio FPR / (1 - FNR) of about 0.07 at which the main job's loop stopped to gain at
the learning rate that it had then, 3e-3, and the policy loses, the more the smaller m is; verifying
steps it climbs. Where errors can't cancel both do the same.

Expect, from one run of 5 seeds: errors cancel in far fewer than 1 in m wrong chains, and verifying
outcomes gains, but half of what verifying steps does. Where errors can't cancel both do the same.
The learned verifiers hardly help, whatever their level. A step oracle stands false positives better
than an oracle of outcomes of equal rate, and false negatives worse.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from avax.curricula import Frontier
from avax.learners import FilteredSFT
from avax.loop import Experiment
from avax.models.transformer import TransformerConfig
from avax.policies.pretrain import Pretraining
from avax.sweeps import defaults
from avax.sweeps.needs import Needs
from avax.sweeps.sweep import Sweep
from avax.tasks import Chain
from avax.verifiers import AcceptAll, Learned, Oracle, StepOracle

CHOICES = {"preset": ("laptop", "smoke", "paper")}
MODULUS, FPR, FNR = "task.modulus", "verifier.fpr", "verifier.fnr"
NEEDS = Needs(
    axes={MODULUS: 1, FPR: 1, FNR: 1}, values={"verifier": Oracle(), "task.outcome_only": True}
)
LEVELS = ("outcome", "product", "minimum")
LABEL_RATE = 0.5  # of the learned verifiers: 64 completions of a round
CONTROLS = ("frozen_generator", "sham", "none/frozen_generator")


def build(preset: str) -> Sweep:
    """The sweep of the part `outcome` at one preset; the other parts follow from it."""
    return {"smoke": smoke, "laptop": laptop, "paper": paper}[preset]()


def parts(sweep: Sweep) -> dict[str, Sweep]:
    """Every kind of verifier where errors can cancel; those that see outcomes where they can't."""
    found = {
        "none": judged(sweep, AcceptAll()),
        "outcome": sweep,
        "steps": judged(sweep, StepOracle()),
    }
    for level in LEVELS:
        learned = Learned(level=level, label_rate=LABEL_RATE)
        found[f"learned_{level}"] = judged(sweep, learned)
    blind = ("outcome", "learned_outcome")  # to errors that cancel; the others see every step
    return found | {f"exact_{name}": exact(found[name]) for name in blind}


def judged(sweep: Sweep, verifier: Any) -> Sweep:
    """The same with another verifier, without the axes that it lacks."""
    has_rates = isinstance(verifier, StepOracle)
    axes = {path: x for path, x in sweep.axes.items() if path == MODULUS or has_rates}
    return dataclasses.replace(sweep, base=sweep.base.replace(verifier=verifier), axes=axes)


def exact(sweep: Sweep) -> Sweep:
    """The same where a correct outcome needs all steps."""
    task = sweep.base.task.replace(outcome_only=False)
    return dataclasses.replace(sweep, base=sweep.base.replace(task=task))


def laptop() -> Sweep:
    """4 moduli, 2 FPRs, 2 FNRs, 5 seeds, 8 rounds, chains of 8, 12, ..., 36 additions."""
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
        base_criterion=defaults.CRITERION,  # one layer meets it here: 12 of 12 looked at
        axes={MODULUS: (2, 3, 5, 10), FPR: (0.0, 0.1), FNR: (0.0, 0.1)},
        num_seeds=5,
        tile_width="2",
        placement="spmd",
    )


def smoke() -> Sweep:
    """2 moduli, 2 FPRs, 2 rounds, one seed of a base that has hardly learned: does it work?"""
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
        axes={MODULUS: (2, 10), FPR: (0.0, 0.3), FNR: (0.0,)},
        num_seeds=1,
        tile_width="1",
        optimization=0,
    )


def paper() -> Sweep:
    """9 moduli, 8 FPRs, 4 FNRs, 10 seeds, 15 rounds, a larger policy: sized for one GPU."""
    sweep = laptop()
    base = sweep.base.replace(
        task=Chain(max_difficulty=64, outcome_only=True),
        num_rounds=15,
        num_eval=128,
        learner=sweep.base.learner.replace(num_problems=256, batch_size=64, learning_rate=1e-3),
    )
    model = TransformerConfig(num_layers=2, num_heads=4, width=64)
    axes = {
        MODULUS: tuple(range(2, 11)),
        FPR: (0.0, 0.01, 0.03, 0.06, 0.1, 0.2, 0.4, 1.0),
        FNR: (0.0, 0.03, 0.1, 0.3),
    }
    return dataclasses.replace(
        sweep,
        base=base,
        pretraining=Pretraining(model=model, num_updates=3000, learning_rate=2e-3),
        axes=axes,
        num_seeds=10,
        tile_width="all",
        placement="tiles",
    )
