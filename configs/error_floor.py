"""Does the verifier or the model's size decide where self-training comes to rest?

    python experiments/error_floor.py

Policies of three widths that can add short numbers train themselves on their own answers to a fixed
range of lengths, of which they know the shorter ones. The verifier accepts wrong answers at the
rate FPR. Compared are the errors that are left in the end; with verifiers that also reject right
answers, at equal FPR / (1 - FNR); and with policies of the same sizes trained on true answers to
the whole range.

If the verifier alone decided, all widths would come to rest at one error for each FPR, above what
true labels leave. Expect: no such floor. Up to FPR 0.1 the larger policies come near to what true
labels leave, the later the larger FPR is, and the smallest stays above; without a filter all get
worse as long as they run. Equal FPR / (1 - FNR) is not equal error: at FNR 0.8 too few answers are
left to learn from.
"""

from __future__ import annotations

import dataclasses

from avax import struct
from avax.curricula import Fixed
from avax.learners import FilteredSFT
from avax.loop import Experiment
from avax.models.transformer import TransformerConfig
from avax.policies.pretrain import Pretraining
from avax.sweeps.needs import Needs
from avax.sweeps.sweep import Sweep
from avax.tasks import Addition
from avax.verifiers import Oracle

CHOICES = {"preset": ("laptop", "smoke", "paper")}
WIDTHS = (16, 32, 48)  # 4,000, 15,000 and 31,000 parameters in one layer
FNRS = (0.5, 0.8)  # of the verifiers that also reject right answers
AXIS = "verifier.fpr"
NEEDS = Needs(
    axes={AXIS: 1},
    kinds={"curriculum": Fixed, "learner": FilteredSFT},
    values={"verifier.fnr": 0.0},
)
CONTROLS = ("frozen_generator", "sham")


def build(preset: str) -> Sweep:
    """The sweep of one width, FNR 0, at one preset; the other parts follow from it."""
    return {"smoke": smoke, "laptop": laptop, "paper": paper}[preset]()


def parts(sweep: Sweep) -> dict[str, Sweep]:
    """Every width at FNR 0, the sweep's own width at other FNRs, and true labels at every width."""
    widths = {f"width_{width}": with_width(sweep, width) for width in WIDTHS}
    fnrs = {f"fnr_{fnr:g}": with_fnr(sweep, fnr) for fnr in FNRS}
    labels = {f"labels_{width}": with_labels(with_width(sweep, width)) for width in WIDTHS}
    return widths | fnrs | labels


def with_width(sweep: Sweep, width: int) -> Sweep:
    """The same sweep with policies of another width."""
    return struct.replace(sweep, "pretraining.model.width", width)


def with_fnr(sweep: Sweep, fnr: float) -> Sweep:
    """The same ratios FPR / (1 - FNR) at another FNR."""
    base = struct.replace(sweep.base, "verifier.fnr", fnr)
    fpr = tuple(float(f"{x * (1 - fnr):.4g}") for x in sweep.axes[AXIS])
    return dataclasses.replace(sweep, base=base, axes={AXIS: fpr})


def with_labels(sweep: Sweep) -> Sweep:
    """True answers to the whole range, for the base policies and in as many updates as there.

    Three seeds at most: what is asked is only how near to 0 a size can come.
    """
    base = sweep.base.replace(
        base_difficulty=sweep.base.curriculum.highest,
        learner=sweep.base.learner.replace(base_rate=1.0),
    )
    seeds = min(3, sweep.num_seeds)
    return dataclasses.replace(sweep, base=base, axes={AXIS: (0.0,)}, num_seeds=seeds)


def laptop() -> Sweep:
    """6 ratios, 5 seeds, 100 rounds: 33 settings in 8 parts, 15 minutes on 2 cores."""
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
            num_eval=64,
        ),
        pretraining=Pretraining(
            model=TransformerConfig(num_layers=1, num_heads=2, width=32, rotary_base=10.0),
            num_updates=2500,
            num_candidates=3,
        ),
        axes={AXIS: (0.0, 0.01, 0.03, 0.1, 0.3, 1.0)},
        num_seeds=5,
        tile_width="2",
        placement="spmd",
    )


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
        pretraining=sweep.pretraining.replace(num_updates=200, num_candidates=1),
        axes={AXIS: (0.0, 0.1, 1.0)},
        num_seeds=2,
        tile_width="1",
        optimization=0,
    )


def paper() -> Sweep:
    """12 ratios, 10 seeds, 60 rounds, lengths 1 to 12, two layers: sized for one GPU."""
    sweep = laptop()
    base = sweep.base.replace(
        task=Addition(max_difficulty=12),
        curriculum=Fixed(highest=12),
        base_difficulty=8,
        num_rounds=60,
        num_eval=128,
        learner=sweep.base.learner.replace(num_problems=256, batch_size=64),
    )
    pretraining = sweep.pretraining.replace(num_updates=3000, num_candidates=4)
    return dataclasses.replace(
        sweep,
        base=base,
        pretraining=pretraining,
        axes={AXIS: (0.0, 0.003, 0.006, 0.01, 0.02, 0.03, 0.06, 0.1, 0.2, 0.3, 0.6, 1.0)},
        num_seeds=10,
        tile_width="all",
        placement="tiles",
    )
