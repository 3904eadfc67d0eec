"""Does the verifier or the model's size decide where self-training comes to rest?

    python experiments/error_floor.py
    python experiments/error_floor.py --preset shipped     # 300 rounds from 14 bases

Policies of three widths and two depths that can add short numbers train themselves on their own
answers to a fixed range of lengths, of which they know the shorter ones. The verifier accepts wrong
answers at the rate FPR. Compared are the errors that are left in the end; one size at a higher
learning rate; with a verifier that also rejects right answers, at equal FPR / (1 - FNR), beside
half as many problems; and with policies of the same sizes trained on true answers to the whole
range.

If the verifier alone decided, all sizes would come to rest at one error for each FPR, above what
true labels leave. Expect, from one run of 14 bases: no such floor up to FPR 0.1, where 0.02 more at
most is left than behind a perfect verifier, whatever the size. At FPR 0.3 a tenth is left, four
layers leave less; at three times the learning rate some bases fall to nearly no error there and
others lose nearly all. From 0.6 on errors rise at every size.
"""

from __future__ import annotations

import dataclasses

from avax import struct
from avax.curricula import Fixed
from avax.learners import FilteredSFT
from avax.loop import Experiment
from avax.models.transformer import TransformerConfig
from avax.policies.pretrain import Pretraining
from avax.sweeps import defaults
from avax.sweeps.needs import Needs
from avax.sweeps.sweep import Sweep
from avax.tasks import Addition
from avax.verifiers import Oracle

CHOICES = {"preset": ("laptop", "smoke", "shipped", "paper")}
SIZES = {  # width and layers: 7,000, 16,000, 41,000 and 14,000 parameters
    "width_16": (16, 2),
    "width_24": (24, 2),
    "width_40": (40, 2),
    "layers_4": (16, 4),
}
FAST = 3e-3  # the other learning rate, of the size in the centre
FNR, FEWER = 0.5, 64  # of a verifier that also rejects right answers; problems that leave as many
AXIS = "verifier.fpr"
NEEDS = Needs(
    axes={AXIS: 1},
    kinds={"curriculum": Fixed, "learner": FilteredSFT},
    values={"verifier.fnr": 0.0},
)
FAST_PART = "rate_3e-3"
CONTROLS = (
    *("frozen_generator", "sham"),
    *(f"{FAST_PART}/{control}" for control in ("frozen_generator", "sham")),
)


def build(preset: str) -> Sweep:
    """The sweep of one size, FNR 0, at one preset; the other parts follow from it."""
    return {"smoke": smoke, "laptop": laptop, "shipped": shipped, "paper": paper}[preset]()


def parts(sweep: Sweep) -> dict[str, Sweep]:
    """Every size at FNR 0; the sweep's own at a higher learning rate, at other FNRs, and once more,
    which tells how much runs of one base differ; and true labels at every size.
    """
    found = {name: of_size(sweep, *size) for name, size in SIZES.items()}
    found[FAST_PART] = struct.replace(sweep, "base.learner.learning_rate", FAST)
    found[f"fnr_{FNR:g}"] = with_fnr(sweep, FNR)
    found[f"problems_{FEWER}"] = struct.replace(sweep, "base.learner.num_problems", FEWER)
    again = {AXIS: sweep.axes[AXIS][1:3]}
    found["again"] = dataclasses.replace(sweep, base=sweep.base.replace(replicate=1), axes=again)
    return found | {f"labels_{n}": with_labels(of_size(sweep, *s)) for n, s in SIZES.items()}


def of_size(sweep: Sweep, width: int, num_layers: int) -> Sweep:
    """The same sweep with policies of another size."""
    sweep = struct.replace(sweep, "pretraining.model.width", width)
    return struct.replace(sweep, "pretraining.model.num_layers", num_layers)


def with_fnr(sweep: Sweep, fnr: float) -> Sweep:
    """The same ratios FPR / (1 - FNR) at another FNR."""
    base = struct.replace(sweep.base, "verifier.fnr", fnr)
    fpr = tuple(float(f"{x * (1 - fnr):.4g}") for x in sweep.axes[AXIS])
    return dataclasses.replace(sweep, base=base, axes={AXIS: fpr})


def with_labels(sweep: Sweep) -> Sweep:
    """True answers to the whole range, for the base policies and in as many updates as there: how
    near to 0 a size can come.
    """
    base = sweep.base.replace(
        base_difficulty=sweep.base.curriculum.highest,
        learner=sweep.base.learner.replace(base_rate=1.0),
    )
    return dataclasses.replace(sweep, base=base, axes={AXIS: (0.0,)})


def laptop() -> Sweep:
    """5 ratios, 5 seeds, 100 rounds."""
    return Sweep(
        base=Experiment(
            task=Addition(max_difficulty=8),
            curriculum=Fixed(highest=8),
            verifier=Oracle(),
            learner=FilteredSFT(
                num_problems=128,
                num_updates=32,
                batch_size=32,
                num_kept=1,
                learning_rate=1e-3,
                temperature=0.0,
                base_rate=0.0,
            ),
            base_difficulty=5,
            num_rounds=100,
            num_eval=16,  # in every round, and most of what is read is a mean over a third of them
        ),
        pretraining=Pretraining(
            model=TransformerConfig(num_layers=2, num_heads=2, width=24, rotary_base=10.0),
            num_updates=2500,
        ),
        base_criterion=defaults.CRITERION,
        axes={AXIS: (0.0, 0.1, 0.3, 0.6, 1.0)},
        num_seeds=5,
        tile_width="2",
        placement="spmd",
    )


def shipped() -> Sweep:
    """The same for 300 rounds from 14 bases."""
    sweep = laptop()
    return dataclasses.replace(sweep, base=sweep.base.replace(num_rounds=300), num_seeds=14)


def smoke() -> Sweep:
    """3 ratios, 2 seeds, 3 rounds, bases that have hardly learned: does everything work?"""
    sweep = laptop()
    base = sweep.base.replace(
        task=Addition(max_difficulty=2),
        curriculum=Fixed(highest=2),
        base_difficulty=2,  # of all parts, so that they share base policies
        num_rounds=3,
        num_eval=8,
    )
    return dataclasses.replace(
        sweep,
        base=base,
        pretraining=sweep.pretraining.replace(num_updates=200),
        base_criterion=0.0,
        axes={AXIS: (0.0, 0.1, 1.0)},
        num_seeds=2,
        tile_width="1",
        optimization=0,
    )


def paper() -> Sweep:
    """12 ratios, 10 seeds, 60 rounds, lengths 1 to 12: sized for one GPU."""
    sweep = laptop()
    base = sweep.base.replace(
        task=Addition(max_difficulty=12),
        curriculum=Fixed(highest=12),
        base_difficulty=8,
        num_rounds=60,
        num_eval=128,
        learner=sweep.base.learner.replace(num_problems=256, batch_size=64),
    )
    pretraining = sweep.pretraining.replace(num_updates=3000)
    return dataclasses.replace(
        sweep,
        base=base,
        pretraining=pretraining,
        axes={AXIS: (0.0, 0.003, 0.006, 0.01, 0.02, 0.03, 0.06, 0.1, 0.2, 0.3, 0.6, 1.0)},
        num_seeds=10,
        tile_width="all",
        placement="tiles",
    )
