"""Stand-ins for what is expensive, that several tests of the engine share."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from avax.engine import bases as engine_bases
from avax.engine import knowledge, segments, tiles
from avax.engine.durable import resume
from avax.engine.program import Program
from avax.engine.run import Engine
from avax.metrics import METRICS
from avax.sweeps.stacking import run_keys, stack_members
from avax.sweeps.sweep import Sweep
from avax.types import MISTAKES

UNITS = [(device,) for device in jax.devices()]
BOTH = [tuple(jax.devices())]


class ToyLearner(NamedTuple):
    policy: Any


class ToyState(NamedTuple):
    """What the engine asks for of a loop's state, and what the toy needs."""

    learner: ToyLearner
    found: Any
    key: Any


def one_base(policy):
    """A policy as the only one of a run's bases."""
    return jax.tree.map(lambda x: x[None], policy)


def run_key(experiment, seed):
    """The key of one run."""
    return run_keys([experiment], [seed])[0]


def toy_run(experiment, bases, key):
    """Stands in for the loop: metrics that tell setting, base and key apart, compiled at once."""
    rounds = jnp.arange(experiment.num_rounds + 1, dtype=jnp.float32)
    numbers = {
        "accuracy": experiment.verifier.fpr,
        "loss": experiment.verifier.fnr,
        "grad_norm": experiment.learner.num_updates,
        "accept_rate": jax.random.uniform(key),
        "sampled_accuracy": bases["w"][0],
    }
    metrics = dict.fromkeys(METRICS, jnp.zeros_like(rounds))
    metrics |= {name: number + rounds for name, number in numbers.items()}
    metrics["accuracy_by_difficulty"] = jnp.stack([rounds, -rounds], axis=1)
    metrics["mistake_share"] = jnp.stack([rounds] * len(MISTAKES), axis=1)
    return None, metrics


def stand_in(monkeypatch, run, traces):
    """Puts a function like `toy_run` in the place of the loop; notes each trace of it."""

    def begin(experiment, bases, key):
        _, found = run(experiment, bases, key)
        nothing = jax.tree.map(lambda x: jnp.full_like(x, jnp.nan), found)
        learner = ToyLearner(jax.tree.map(lambda x: x[0], bases))
        state = ToyState(learner, found, jax.random.key_data(key))
        return segments.Progress(state, nothing)

    def go_on(like, experiment, progress, start, stop):
        traces.append(experiment)
        rounds = jnp.arange(experiment.num_rounds + 1)
        now = (start <= rounds) & (rounds < stop)

        def put(old, new):
            return jnp.where(now.reshape(-1, *[1] * (old.ndim - 1)), new, old)

        found = jax.tree.map(put, progress.found, progress.state.found)
        return segments.Progress(progress.state, found)

    monkeypatch.setattr(segments, "begin", begin)
    monkeypatch.setattr(segments, "go_on", go_on)


def stand_in_pretraining(monkeypatch, pretrain):
    """Puts a function like `toy_pretrain` in the place of pretraining; its policies know all."""

    def train_all(pretraining, task, base_difficulty, keys, optimization):
        train = partial(pretrain, pretraining, task, base_difficulty)
        return tiles.run_all(Program(train, (keys,), 2), (keys,), UNITS[:1])

    monkeypatch.setattr(engine_bases, "train", train_all)
    monkeypatch.setattr(knowledge, "accuracies", lambda task, bases: np.ones((len(bases), 1)))


def toy_pretrain(pretraining, task, base_difficulty, key):
    """Stands in for pretraining: a policy that says what it was trained with."""
    number = pretraining.learning_rate + 10.0 * base_difficulty + jax.random.uniform(key)
    return {"w": jnp.full((pretraining.num_snapshots,), number)}, jnp.zeros(1)


def toy_shapes(config, experiment):
    seeds = engine_bases.base_seeds(config, experiment)
    shape = len(seeds), config.pretraining.num_snapshots
    return {"w": jax.ShapeDtypeStruct(shape, jnp.float32)}


def toy_members(config: Sweep) -> tuple:
    settings = config.settings()
    bases = {"w": np.zeros((config.num_seeds, 1), np.float32)}
    return stack_members(config, settings, list(range(len(settings))), bases)[0]


def execute(config: Sweep, folder, engine=None):
    """The results of a sweep; its base policies are kept beside them."""
    out = folder / config.digest()
    with resume.claim({out: config}):
        return (engine or Engine(folder / "bases")).execute(config, out)


def damage(folder):
    """Empties every file."""
    for path in folder.rglob("*"):
        if path.is_file():
            path.write_bytes(b"")
