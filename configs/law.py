"""Can the boundary of a loop be predicted?

    python experiments/law.py                                  # the reference, from 8 bases
    python experiments/law.py --configuration rate_1e-3        # another one
    python experiments/law.py --preset shipped                 # from 32 bases

Loops differ in how much a round of training spoils by itself. Two runs measure that without a
verifier: a sham, on true sums of known lengths, and a frozen generator without a filter, on what
the untouched base writes. Laws say from these, or from the loop itself where no wrong answer is
accepted and where all are, where the boundary lies: the FPR / (1 - FNR) above which the loop ends
worse than its base. The loop at several FPRs tells whether it does.

Each configuration differs in one thing from the reference, which is the main job on its fixed
range with 40 rounds, at three times the learning rate: GRPO with all that it has in `theory`;
rounds of few updates are more, and of many fewer. Frontiers go from 9 digits to 29, each at its own
speed. All have the same pool of bases, but where the policy is another one, and each setting has
them all: 32, or 8 of them in the laptop preset.

Expect: what a round spoils moves the boundary, in whatever way it comes about.
"""

from __future__ import annotations

import dataclasses

from avax import struct
from avax.curricula import Frontier
from avax.learners import GRPO, FilteredSFT
from avax.sweeps import controls
from avax.sweeps.needs import ORACLES, Needs
from avax.sweeps.sweep import Sweep
from avax.tasks import Addition
from avax.verifiers import Oracle, Placebo
from configs import noise_phase_diagram as main_job
from configs import theory


def frontier(step: int) -> dict:
    """Fields of a frontier that moves by `step` digits a round, as far as the others do."""
    return {
        "base.task": Addition(max_difficulty=29),
        "base.curriculum": Frontier(start=9, step=step),
        "base.num_rounds": 20 // step + 1,
    }


# The fields in which each configuration differs from the reference.
CONFIGURATIONS = {
    "reference": {},
    "rate_1e-3": {"base.learner.learning_rate": 1e-3},
    "rate_6e-3": {"base.learner.learning_rate": 6e-3},
    "updates_8": {"base.learner.num_updates": 8, "base.num_rounds": 80},
    "base_data": {"base.learner.base_rate": 0.75},
    "fnr_0.5": {"base.verifier.fnr": 0.5},
    "distinct_128": {"base.num_distinct": 128},
    "grpo": {},
    "rate_5e-4": {"base.learner.learning_rate": 5e-4},
    "rate_2e-3": {"base.learner.learning_rate": 2e-3},
    "updates_128": {"base.learner.num_updates": 128, "base.num_rounds": 20},
    "width_64": {"pretraining.model.width": 64},
    "layers_3": {"pretraining.model.num_layers": 3},
    "kept_4": {"base.learner.num_kept": 4},
    "quarter_trained": {"base.snapshot": 0},  # of four, the last of which is the others' base
    "fnr_0.8": {"base.verifier.fnr": 0.8},
    "distinct_32": {"base.num_distinct": 32},
    "distinct_512": {"base.num_distinct": 512},
    "frontier_1": frontier(1),
    "frontier_2": frontier(2),
    "frontier_4": frontier(4),
    "grpo_fnr_0.5": {"base.verifier.fnr": 0.5},
}
CHOICES = {
    "preset": ("laptop", "smoke", "shipped"),
    "configuration": tuple(CONFIGURATIONS),
}
NEEDS = Needs(
    axes={"verifier.fpr": 2},
    kinds={"learner": (FilteredSFT, GRPO), "verifier": ORACLES},
    num_rounds=4,
)
LEARNING_RATE = 3e-3  # of the reference: a round spoils enough to be measured
CONTROLS = ()  # what is run without a verifier is what predicts: parts of its own
NUM_SEEDS = {"laptop": 8, "smoke": 1, "shipped": 32}
RATIOS = (0.0, 0.05, 0.2, 0.4, 0.7, 1.0)  # FPR / (1 - FNR)
NUM_ROUNDS = 40
SMALL = {"base.num_rounds": 4, "base.learner.num_updates": 2}


def build(preset: str, configuration: str) -> Sweep:
    """The line of verifiers of one configuration; `parts` derives the others from it."""
    small = preset == "smoke"
    sweep = theory.build("smoke") if small else main_job.build("shipped", "fixed")
    sweep = struct.replace(sweep, "base.learner.learning_rate", LEARNING_RATE)
    if configuration.startswith("grpo"):
        sweep = theory.with_grpo(sweep)  # but for its rounds
    changed = {"base.num_rounds": NUM_ROUNDS} | CONFIGURATIONS[configuration]
    for path, value in (changed | SMALL if small else changed).items():
        sweep = struct.replace(sweep, path, value)
    tpr = 1 - sweep.base.verifier.fnr
    axes = {"verifier.fpr": tuple(tpr * x for x in RATIOS)}
    all_bases = {"num_seeds": NUM_SEEDS[preset], "design": "all", "num_runs": 1}
    return dataclasses.replace(sweep, axes=axes, **all_bases)


def parts(sweep: Sweep) -> dict[str, Sweep]:
    """What is run without a verifier, first, so that predictions come before what they predict."""
    blind = struct.replace(sweep, "base.verifier.fpr", 1 - sweep.base.verifier.fnr)
    blind = dataclasses.replace(blind, axes={})  # accepts right and wrong at one rate
    if isinstance(sweep.base.learner, FilteredSFT):
        sham = controls.of(blind, "sham")
    else:  # where all is accepted a group-relative learner does nothing: as many, whichever
        blind = struct.replace(blind, "base.verifier", Placebo(Oracle(fpr=0.5)))
        sham = blind
    return {"sham": sham, "frozen": controls.of(blind, "frozen_generator"), "": sweep}
