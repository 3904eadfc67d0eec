"""How far does clean verification carry: from 10 digits to 100?

    python experiments/length_generalization.py
    python experiments/length_generalization.py --preset shipped     # from 18 bases, not three

A policy that can add numbers of up to 10 digits trains itself on its own answers. In the first arm
its verifier knows the truth, and the frontier moves on by what is already solved, up to 8 lengths a
round, to 100 digits; once more at a lower learning rate, in as many more updates; and with
gradients that are scaled to one small norm. The other arms add one digit in every round, up to 40:
with the truth, and on to 55; with no filter, at both rates; with a filter of lengths; and with a
vote of five policies that all train themselves. `--preset paper` goes to 200 digits, 1, 4, 8 or 16
lengths at a time.

Expect, from one run of 5 seeds: with the truth three policies come to 100 digits in about 30
rounds; one stays where a frontier had nothing right, one base never learned to add. Without a
filter, and with one of lengths, nothing is right at the frontier after 8 rounds, from 19 digits on;
there the untouched base gets nothing right either, so that this says nothing of training. What the
vote lets through is mostly right, until nobody agrees any more.
"""

from __future__ import annotations

import dataclasses

from avax import struct
from avax.curricula import Accelerated, Frontier
from avax.learners import FilteredSFT, Population
from avax.loop import Experiment
from avax.models.transformer import TransformerConfig
from avax.policies.pretrain import Pretraining
from avax.sweeps import defaults
from avax.sweeps.needs import ORACLES, Needs
from avax.sweeps.sweep import Sweep
from avax.tasks import Addition
from avax.verifiers import AcceptAll, Oracle, RelativeLength

CHOICES = {"preset": ("laptop", "smoke", "shipped", "paper")}
NUM_VOTERS = 5
AXIS = "curriculum.reach"
FIRST_SEED = 100  # of what is shipped: what is expected is from loops of the first five
NEEDS = Needs(
    axes={AXIS: 1}, kinds={"task": Addition, "curriculum": Accelerated, "verifier": ORACLES}
)
SLOW, TIMES = 3e-4, 3  # the other learning rate, and how many times the updates it has
CLIPPED = 1e-3  # a norm that nearly all gradients are above
CONTROLS = (
    *("none/frozen_generator", "none/sham", "slow_none/frozen_generator", "slow_none/sham"),
    *("steady/frozen_generator", "vote/frozen_generator"),
)


def build(preset: str) -> Sweep:
    """The arm with the truth at one preset; the other parts follow from it."""
    return {"smoke": smoke, "laptop": laptop, "shipped": shipped, "paper": paper}[preset]()


def parts(sweep: Sweep) -> dict[str, Sweep]:
    """The arms: the truth to the end, at two learning rates and with small gradients; all others a
    digit a round to shorter lengths, one of them once more, which tells how much runs of one base
    differ.
    """
    short = shortened(sweep)
    none = with_base(short, verifier=AcceptAll())
    return {
        "oracle": sweep,
        "slow": slower(sweep),
        "clipped": struct.replace(sweep, "base.learner.max_grad_norm", CLIPPED),
        "steady": short,
        "far": far(sweep),
        "again": with_base(short, replicate=1),
        "none": none,
        "slow_none": slower(none),
        "length": with_base(short, verifier=RelativeLength(threshold=2)),
        "vote": with_base(
            short,
            verifier=AcceptAll(),
            learner=Population(short.base.learner, threshold=0.75),
            num_bases=NUM_VOTERS,
        ),
    }


def slower(sweep: Sweep) -> Sweep:
    """The same at a lower learning rate, in as many more updates."""
    sweep = struct.replace(sweep, "base.learner.learning_rate", SLOW)
    num_updates = TIMES * sweep.base.learner.num_updates
    return struct.replace(sweep, "base.learner.num_updates", num_updates)


def far(sweep: Sweep) -> Sweep:
    """One digit longer in every round, over all rounds, measured on all lengths."""
    curriculum = Frontier(start=sweep.base.base_difficulty + 1)
    return dataclasses.replace(with_base(sweep, curriculum=curriculum), axes={})


def with_base(sweep: Sweep, **fields) -> Sweep:
    """The same sweep of another experiment."""
    return dataclasses.replace(sweep, base=sweep.base.replace(**fields))


def shortened(sweep: Sweep) -> Sweep:
    """One digit longer in every round, over two thirds of the rounds."""
    base = sweep.base
    num_rounds = max(1, 2 * base.num_rounds // 3)
    sweep = with_base(
        sweep,
        task=base.task.replace(max_difficulty=base.base_difficulty + num_rounds),
        curriculum=Frontier(start=base.base_difficulty + 1),
        num_rounds=num_rounds,
        num_eval=2 * base.num_eval,
    )
    return dataclasses.replace(sweep, axes={})


def laptop() -> Sweep:
    """3 seeds, 45 rounds, a policy of 54,000 parameters in one layer."""
    digits, longest = 10, 100
    return Sweep(
        base=Experiment(
            task=Addition(max_difficulty=longest),
            curriculum=Accelerated(start=digits + 1, threshold=0.5, ceiling=longest),
            verifier=Oracle(),
            learner=FilteredSFT(
                num_problems=128,
                num_updates=32,
                batch_size=32,
                num_kept=8,
                learning_rate=1e-3,
                temperature=0.0,
            ),
            base_difficulty=digits,
            num_rounds=45,
            num_eval=4,
        ),
        pretraining=Pretraining(
            model=TransformerConfig(num_layers=1, num_heads=2, width=64, rotary_base=400.0),
            num_updates=2500,
            num_candidates=2,
            learning_rate=3e-3,
        ),
        base_criterion=defaults.CRITERION,
        axes={AXIS: (8,)},
        num_seeds=3,
        tile_width="1",
        placement="spmd",
    )


def shipped() -> Sweep:
    """The same from 18 other bases, each the best of four that were trained."""
    sweep = laptop()
    pretraining = sweep.pretraining.replace(num_candidates=4)
    return dataclasses.replace(sweep, pretraining=pretraining, num_seeds=18, seed=FIRST_SEED)


def smoke() -> Sweep:
    """3 rounds from a base that has hardly learned: does everything work?"""
    sweep = laptop()
    base = sweep.base.replace(
        task=Addition(max_difficulty=5),
        curriculum=sweep.base.curriculum.replace(start=3, ceiling=5),
        learner=sweep.base.learner.replace(num_problems=16, num_updates=4),
        base_difficulty=2,
        num_rounds=3,
        num_eval=2,
    )
    model = sweep.pretraining.model.replace(width=32)
    return dataclasses.replace(
        sweep,
        base=base,
        pretraining=sweep.pretraining.replace(model=model, num_updates=50, num_candidates=1),
        base_criterion=0.0,
        num_seeds=2,
        optimization=0,
    )


def paper() -> Sweep:
    """To 200 digits at four speeds, 8 seeds, 120 rounds: sized for one GPU."""
    sweep = laptop()
    longest = 200
    base = sweep.base.replace(
        task=Addition(max_difficulty=longest),
        curriculum=sweep.base.curriculum.replace(ceiling=longest),
        num_rounds=120,
    )
    return dataclasses.replace(
        sweep,
        base=base,
        axes={AXIS: (1, 4, 8, 16)},
        num_seeds=8,
        tile_width="all",
        placement="tiles",
    )
