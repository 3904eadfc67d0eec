"""How far does clean verification carry: from 10 digits to 100?

    python experiments/length_generalization.py

A policy that can add numbers of up to 10 digits trains itself on its own answers, one digit longer
in every round, up to 100. Its verifier knows the truth. The other arms go to 40 digits: no filter;
a filter of lengths; a vote of five policies that all train themselves; sums written most
significant digit first, and products, both with the truth. Two more move on as fast as they solve
what is before them, 4 or 16 lengths at a time.

Expect, from one run of 4 seeds: with the truth two policies solve all 100 lengths in the end; two
meet a length, 59 and 83 digits, of which they get nothing right, and from then on have nothing to
learn from. Without a filter and with one of lengths the frontier is lost within a few rounds. What
the vote lets through is right, until nobody agrees any more. Plain order and products fail with the
base. Several lengths a round speed up the best policies, and not the others.
"""

from __future__ import annotations

import dataclasses

from avax.curricula import Accelerated, Frontier
from avax.engine.sweep import Sweep
from avax.engine.validate import ConfigError
from avax.learners import FilteredSFT, Population
from avax.loop import Experiment
from avax.models.transformer import TransformerConfig
from avax.pretrain import Pretraining
from avax.tasks import Addition, Multiplication
from avax.verifiers import AcceptAll, Oracle, RelativeLength

CHOICES = {"preset": ("laptop", "smoke", "paper")}
NUM_VOTERS = 5
REACHES = (4, 16)


def build(preset: str) -> Sweep:
    """The arm with the truth at one preset; the other parts follow from it."""
    return {"smoke": smoke, "laptop": laptop, "paper": paper}[preset]()


def parts(sweep: Sweep) -> dict[str, Sweep]:
    """The arms: the truth to the end, others over a third of the rounds."""
    base = sweep.base
    if sweep.axes or not isinstance(base.curriculum, Frontier) or base.curriculum.step != 1:
        raise ConfigError("base.curriculum: this experiment has no axes and a frontier of step 1")
    short = dataclasses.replace(sweep, base=shortened(base))
    arms = {
        "none": with_base(short, verifier=AcceptAll()),
        "length": with_base(short, verifier=RelativeLength(threshold=2)),
        "vote": with_base(
            short,
            verifier=AcceptAll(),
            learner=Population(base.learner, threshold=0.75),
            num_bases=NUM_VOTERS,
        ),
        "plain": with_base(short, task=short.base.task.replace(reversed_digits=False)),
        "multiplication": multiplication(short),
    }
    return {"oracle": sweep, "accelerated": accelerated(sweep)} | arms


def with_base(sweep: Sweep, **fields) -> Sweep:
    """The same sweep of another experiment."""
    return dataclasses.replace(sweep, base=sweep.base.replace(**fields))


def shortened(base: Experiment) -> Experiment:
    """The same over a third of the rounds, and so to shorter lengths."""
    num_rounds = max(1, base.num_rounds // 3)
    longest = base.base_difficulty + num_rounds
    return base.replace(
        task=base.task.replace(max_difficulty=longest), num_rounds=num_rounds, num_eval=8
    )


def accelerated(sweep: Sweep) -> Sweep:
    """Several lengths a round, as many further as are solved; over a sixth of the rounds."""
    curriculum = Accelerated(
        start=sweep.base.curriculum.start, ceiling=sweep.base.task.max_difficulty
    )
    sweep = with_base(sweep, curriculum=curriculum, num_rounds=max(1, sweep.base.num_rounds // 6))
    return dataclasses.replace(sweep, axes={"curriculum.reach": REACHES})


def multiplication(sweep: Sweep) -> Sweep:
    """Products of numbers of up to 2 digits, and then one digit longer in every round."""
    digits, num_rounds = 2, min(6, sweep.base.num_rounds)
    return with_base(
        sweep,
        task=Multiplication(max_difficulty=digits + num_rounds),
        curriculum=Frontier(start=digits + 1),
        base_difficulty=digits,
        num_rounds=num_rounds,
        num_eval=32,
    )


def laptop() -> Sweep:
    """4 seeds, 90 rounds, a policy of 54,000 parameters in one layer."""
    digits, longest = 10, 100
    return Sweep(
        base=Experiment(
            task=Addition(max_difficulty=longest),
            curriculum=Frontier(start=digits + 1),
            verifier=Oracle(),
            learner=FilteredSFT(
                num_problems=128,
                num_updates=32,
                batch_size=32,
                num_kept=1,
                learning_rate=2e-3,
                temperature=0.0,
            ),
            base_difficulty=digits,
            num_rounds=longest - digits,
            num_eval=4,
        ),
        pretraining=Pretraining(
            model=TransformerConfig(num_layers=1, num_heads=2, width=64, rotary_base=50.0),
            num_updates=2500,
            num_candidates=2,
            learning_rate=3e-3,
        ),
        num_seeds=4,
        tile_width="1",
        placement="spmd",
    )


def smoke() -> Sweep:
    """3 rounds from a base that has hardly learned: does everything work?"""
    sweep = laptop()
    base = sweep.base.replace(
        task=Addition(max_difficulty=5),
        curriculum=Frontier(start=3),
        learner=sweep.base.learner.replace(num_problems=16, num_updates=4),
        base_difficulty=2,
        num_rounds=3,
        num_eval=2,
    )
    model = sweep.pretraining.model.replace(width=32)
    return dataclasses.replace(
        sweep,
        base=base,
        pretraining=sweep.pretraining.replace(model=model, num_updates=100, num_candidates=1),
        num_seeds=2,
        optimization=0,
    )


def paper() -> Sweep:
    """To 200 digits, 16 seeds, more problems a round: sized for one GPU."""
    sweep = laptop()
    longest = 200
    base = sweep.base.replace(
        task=Addition(max_difficulty=longest),
        learner=sweep.base.learner.replace(num_problems=256, batch_size=64),
        num_rounds=longest - sweep.base.base_difficulty,
        num_eval=8,
    )
    return dataclasses.replace(sweep, base=base, num_seeds=16, tile_width="all", placement="tiles")
