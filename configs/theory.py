"""Which one number of a verifier decides whether self-training gains or loses?

    python experiments/theory.py

From the same base policies, on a fixed range of lengths: phase diagrams of filtered fine-tuning,
of the same with four times the samples, and of GRPO, over verifiers of all error rates. Mean field
says that FPR / (1 - FNR) decides for filtered fine-tuning; for GRPO the literature says that it is
J = TPR - FPR (Rad et al. 2026, arXiv 2601.04411). With --trace the boundaries alone are found: what
a number explains is then asked of verifiers that were picked for being near them.

Each verifier has four bases of a pool of 32, its neighbours four others; a line of verifiers at the
lowest FNR, which is compared with controls, has twelve.

Expect: J orders the outcomes of GRPO, the ratio those of filtered fine-tuning with many samples.
With few samples a high FNR also hurts by itself, since little is left to train on, and neither
number is clearly ahead.
"""

from __future__ import annotations

import dataclasses

from avax import struct
from avax.curricula import Fixed
from avax.learners import GRPO, FilteredSFT
from avax.sweeps import defaults
from avax.sweeps.needs import ORACLES, Needs
from avax.sweeps.sweep import Sweep
from avax.tasks import Addition
from configs import noise_phase_diagram as main_job

CHOICES = {"preset": ("laptop", "smoke", "paper")}
NEEDS = Needs(
    axes={"verifier.fpr": 1, "verifier.fnr": 1}, kinds={"learner": FilteredSFT, "verifier": ORACLES}
)
FPR = (0.0, 0.02, 0.06, 0.15, 0.35, 0.7, 1.0)
FNR = (0.0, 0.4, 0.7, 0.9)
NUM_SNAPSHOTS = defaults.NUM_SNAPSHOTS  # so that the bases are those of the main job
LEARNING_RATE = 3e-3  # of filtered fine-tuning: three times the main job's
NUM_RUNS = 4  # bases of each verifier
ON_LINE, NUM_ON_LINE = 4, 12  # verifiers of the line beside which controls are run, and its bases
CONTROLS = (
    *(f"line/{control}" for control in ("frozen_generator", "sham", "matched_sham", "placebo")),
    "grpo_line/placebo",
)


def build(preset: str) -> Sweep:
    """The phase diagram of filtered fine-tuning; `parts` derives all others from it."""
    return {"smoke": smoke, "laptop": laptop, "paper": paper}[preset]()


def laptop() -> Sweep:
    """7 x 4 settings on 1 to 16 digits from bases that know 8."""
    sweep = main_job.build("shipped", "fixed")
    sweep = struct.replace(sweep, "base.learner.learning_rate", LEARNING_RATE)
    return dataclasses.replace(
        sweep,
        base=sweep.base.replace(num_eval=32),
        axes={"verifier.fpr": FPR, "verifier.fnr": FNR},
        num_runs=NUM_RUNS,
    )


def smoke() -> Sweep:
    """2 x 2 settings, 3 rounds of short numbers, one seed of a base that has hardly learned."""
    sweep = laptop()
    base = sweep.base.replace(
        task=Addition(max_difficulty=5),
        curriculum=Fixed(highest=5),
        base_difficulty=2,
        num_rounds=3,
        num_eval=4,
        learner=sweep.base.learner.replace(num_problems=16, num_updates=2),
    )
    model = sweep.pretraining.model.replace(num_layers=1)
    return dataclasses.replace(
        sweep,
        base=base,
        pretraining=sweep.pretraining.replace(model=model, num_updates=100),
        base_criterion=0.0,
        axes={"verifier.fpr": (0.0, 1.0), "verifier.fnr": (0.0, 0.6)},
        num_seeds=1,
        num_runs=1,
        optimization=0,
    )


def paper() -> Sweep:
    """16 x 8 settings, 10 bases each, all at once: sized for one GPU."""
    axes = {
        "verifier.fpr": (0.0, *main_job.log_spaced(0.005, 1.0, 15)),
        "verifier.fnr": main_job.even_spaced(0.0, 0.95, 8),
    }
    return dataclasses.replace(laptop(), axes=axes, num_runs=10, tile_width="all")


def parts(sweep: Sweep) -> dict[str, Sweep]:
    """Phase diagrams of three learners, base skill x FPR, and lines that controls are beside."""
    learner = sweep.base.learner
    samples = learner.replace(num_problems=4 * learner.num_problems)
    line = main_job.at_lowest_fnr(sweep, ON_LINE)
    line = dataclasses.replace(line, num_seeds=min(line.num_seeds, NUM_ON_LINE))
    skill = {"snapshot": tuple(range(NUM_SNAPSHOTS)), "verifier.fpr": sweep.axes["verifier.fpr"]}
    return {
        "": sweep,
        "samples": with_learner(sweep, samples),
        "grpo": with_grpo(sweep),
        "skill": dataclasses.replace(sweep, axes=skill),
        "line": line,
        "grpo_line": with_grpo(line),
    }


def with_grpo(sweep: Sweep) -> Sweep:
    """The same with GRPO, at a tenth of the learning rate. It learns slowly: twice the rounds, with
    four times the completions.
    """
    learner = GRPO(
        num_problems=sweep.base.learner.num_problems // 2,
        num_samples=8,
        num_updates=4,
        learning_rate=float(f"{sweep.base.learner.learning_rate / 10:.6g}"),
        kl_coef=0.0,
    )
    base = sweep.base.replace(learner=learner, num_rounds=2 * sweep.base.num_rounds)
    return dataclasses.replace(sweep, base=base)


def with_learner(sweep: Sweep, learner) -> Sweep:
    """The same sweep with another learner."""
    return dataclasses.replace(sweep, base=sweep.base.replace(learner=learner))
