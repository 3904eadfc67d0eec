"""What an experiment has unless it is told otherwise: the main job's parts."""

from __future__ import annotations

import dataclasses
import difflib
from typing import Any

from avax import struct, types
from avax.curricula import Frontier
from avax.fields import ConfigError, check_value, shown
from avax.learners import FilteredSFT
from avax.loop import Experiment
from avax.models.transformer import TransformerConfig
from avax.policies.pretrain import Pretraining
from avax.sweeps.validate import check_setting
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
        learning_rate=3e-3,
        temperature=0.0,
    ),
    base_difficulty=8,
    num_rounds=10,
    num_eval=16,
)
PRETRAINING = Pretraining(
    model=TransformerConfig(num_layers=1, num_heads=2, width=32, rotary_base=10.0),
    num_updates=2500,
    num_candidates=4,
)
HOW = {"tile_width": "2", "placement": "spmd"}  # the main job is run
PROTOCOLS = {
    "task": types.Task,
    "curriculum": types.Curriculum,
    "verifier": types.Verifier,
    "learner": types.Learner,
    "base_task": types.Task,
    "probe": types.Probe,
}


def experiment(**fields: Any) -> Experiment:
    """The main job's experiment, but for the fields that are given, as of `avax.Experiment`.

    A plug-in that is given has its own defaults: `verifier=verifiers.Noisy()`.

    Raises:
      ConfigError: in one line, for a field that there is not, a value out of its range, what is no
        plug-in, or plug-ins that can't work together.
    """
    known = [field.name for field in dataclasses.fields(Experiment)]
    for name, value in fields.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            raise ConfigError(f"{name}: there is no such field; can be {', '.join(near or known)}")
        _check_plugin(name, value)
    found = EXPERIMENT
    for name, value in fields.items():
        found = struct.replace(found, name, value)
    found = struct.typed(found)
    for path, field, value in struct.walk(found):  # a plug-in's class may be anything
        check_value(path, field, value)
    check_setting(found, PRETRAINING.num_snapshots, "")
    return found


def _check_plugin(name: str, value: Any) -> None:
    protocol, default = PROTOCOLS.get(name), getattr(EXPERIMENT, name)
    if protocol is None or (value is None and default is None):
        return
    if isinstance(value, type) or not isinstance(value, protocol):
        example = f", such as {type(default).__name__}()" if default is not None else ""
        noun = protocol.__name__.lower()
        raise ConfigError(f"{name}: is {shown(value)}, must be a {noun}{example}")
