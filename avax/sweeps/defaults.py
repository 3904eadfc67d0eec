"""What an experiment has unless it is told otherwise: the main job's parts."""

from __future__ import annotations

import dataclasses
import difflib
from typing import Any

from avax import struct
from avax.curricula import Frontier
from avax.fields import ConfigError
from avax.learners import FilteredSFT
from avax.loop import Experiment
from avax.models.transformer import TransformerConfig
from avax.policies.pretrain import Pretraining
from avax.sweeps import plugins
from avax.sweeps.sweep import Sweep
from avax.sweeps.validate import check_field, check_setting
from avax.tasks import Addition
from avax.verifiers import Oracle

EXPERIMENT = Experiment(
    task=Addition(max_difficulty=18),
    curriculum=Frontier(start=9),
    verifier=Oracle(),
    learner=FilteredSFT(
        num_problems=128,
        num_updates=32,
        batch_size=32,
        num_kept=1,
        learning_rate=1e-3,  # at 3e-3 true data alone spoil much of what the base knows
        temperature=0.0,
    ),
    base_difficulty=8,
    num_rounds=10,
    num_eval=16,
)
# With two layers all of 32 bases were right on all of 200 problems of each length, 1 to 8 digits;
# with one layer 10 of 12 learned them.
PRETRAINING = Pretraining(
    model=TransformerConfig(num_layers=2, num_heads=2, width=32, rotary_base=10.0),
    num_updates=2500,
    learning_rate=3e-3,
)
# Kept of each base of a pool, so that the experiments that begin with less skill share it.
NUM_SNAPSHOTS = 4
CRITERION = 0.95  # right at each trained length: what a base must be to be run from
HOW = {"tile_width": "2", "placement": "spmd"}  # the main job is run


def laptop() -> Sweep:
    """10 rounds, a policy of 27,000 parameters: a setting takes about a second on 2 cores."""
    pretraining = PRETRAINING.replace(num_snapshots=NUM_SNAPSHOTS)
    return Sweep(EXPERIMENT, pretraining, base_criterion=CRITERION, **HOW)


def smoke() -> Sweep:
    """3 rounds, a base that has hardly learned: does everything work?"""
    task = EXPERIMENT.task.replace(max_difficulty=11)
    model = PRETRAINING.model.replace(num_layers=1)  # fast: whether it learns doesn't matter here
    return Sweep(
        EXPERIMENT.replace(num_rounds=3, task=task, num_eval=8),
        PRETRAINING.replace(model=model, num_updates=1000, learning_rate=5e-3),
        optimization=0,
        **HOW,
    )


def paper() -> Sweep:
    """5 seeds, 20 rounds, a larger policy, all at once: sized for one GPU."""
    learner = EXPERIMENT.learner.replace(num_problems=256, num_updates=40, batch_size=64)
    task = EXPERIMENT.task.replace(max_difficulty=28)
    model = TransformerConfig(num_layers=2, num_heads=4, width=64)
    return Sweep(
        EXPERIMENT.replace(task=task, learner=learner, num_rounds=20, num_eval=64),
        Pretraining(model=model, num_updates=3000, learning_rate=2e-3),
        num_seeds=5,
        base_criterion=CRITERION,
        **HOW | {"tile_width": "all"},
    )


PRESETS = {"laptop": laptop, "smoke": smoke, "paper": paper}


def experiment(**fields: Any) -> Experiment:
    """The main job's experiment, but for the fields that are given, as of `avax.Experiment`.

    A plug-in that is given has its own defaults: `verifier=verifiers.Noisy()`.

    Raises:
      ConfigError: in one line, for a field that there is not, a value out of its range, what is no
        plug-in, or plug-ins that can't work together.
    """
    known = {field.name: field for field in dataclasses.fields(Experiment)}
    for name, value in fields.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            raise ConfigError(f"{name}: there is no such field; can be {', '.join(near or known)}")
        kind = plugins.kind_of(known[name])
        if kind and not (value is None and known[name].default is None):
            kind.taken(name, value, names=False)
    found = EXPERIMENT
    for name, value in fields.items():
        found = struct.replace(found, name, value)
    found = struct.typed(found)
    for path, field, value in struct.walk(found):  # a plug-in's class may be anything
        check_field(path, field, value)
    check_setting(found, PRETRAINING.num_snapshots, "")
    return found
