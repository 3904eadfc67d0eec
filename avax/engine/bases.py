"""Base policies: trained once for each seed, shared by all settings, kept for reuse."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from avax import struct
from avax.engine import checkpoint, platform, sweep, tiles
from avax.engine.program import Program
from avax.engine.progress import say
from avax.engine.sweep import Sweep
from avax.loop import Experiment
from avax.models import transformer
from avax.pretrain import best_candidate, candidate_keys, pretrain
from avax.types import Policy, Task


def base_policies(config: Sweep, experiment: Experiment, folder: pathlib.Path) -> Policy:
    """Base policies of an experiment's runs; only those that are not kept yet are trained.

    Returns:
      Leading axes [num_seeds + num_bases - 1, num_snapshots]: one for each seed, and for the last
      runs' other bases those of the seeds that follow.
    """
    seeds = base_seeds(config, experiment)
    task = short_task(experiment)
    facts = {
        "pretraining": struct.to_dict(config.pretraining),
        "task": struct.to_dict(task),
        "base_difficulty": int(experiment.base_difficulty),
        "optimization": config.optimization,
        "versions": platform.versions(),
    }
    facts = {seed: facts | {"seed": seed} for seed in seeds}
    paths = {seed: folder / sweep.digest(facts[seed]) for seed in seeds}
    like = jax.tree.map(
        lambda x: jax.ShapeDtypeStruct(x.shape[1:], x.dtype), base_shapes(config, experiment)
    )
    found = {seed: checkpoint.load(paths[seed], like, facts[seed]) for seed in seeds}
    missing = [seed for seed in seeds if found[seed] is None]
    if missing:
        keys = [candidate_keys(config.pretraining, sweep.base_key(seed)) for seed in missing]
        train = partial(pretrain, config.pretraining, task, experiment.base_difficulty)
        num_policies = len(missing) * config.pretraining.num_candidates
        say(f"training {num_policies} policies, {config.pretraining.num_updates} updates each")
        trained, losses = train_bases(train, jnp.stack(keys), config.optimization)
        last = ", ".join(f"{x:.3f}" for x in losses[:, -1])
        say(f"the best of each seed has loss {last}; kept in {folder}")
        for i, seed in enumerate(missing):
            found[seed] = jax.tree.map(lambda x, i=i: x[i], trained)
            checkpoint.save(paths[seed], found[seed], facts[seed])
    return jax.tree.map(lambda *each: np.stack(each), *found.values())


def base_shapes(config: Sweep, experiment: Experiment) -> Policy:
    """What `base_policies` returns, as shapes alone: nothing is trained or read."""
    init = partial(transformer.init, config=config.pretraining.model)
    lead = len(base_seeds(config, experiment)), config.pretraining.num_snapshots
    return jax.tree.map(
        lambda x: jax.ShapeDtypeStruct((*lead, *x.shape), x.dtype),
        jax.eval_shape(init, jax.random.key(0)),
    )


def base_seeds(config: Sweep, experiment: Experiment) -> range:
    """The seeds whose base policies a sweep's runs need."""
    return range(config.seed, config.seed + config.num_seeds + experiment.num_bases - 1)


def short_task(experiment: Experiment) -> Task:
    """The base's task, with shorter sequences than the experiment's: a policy has no size that
    depends on them.
    """
    return experiment.warm_task.replace(max_difficulty=int(experiment.base_difficulty))


def train_bases(
    train: Callable, keys: jax.Array, optimization: int = 2
) -> tuple[Policy, np.ndarray]:
    """The best candidate of each seed and its losses, stacked; keys are [seeds, candidates]."""
    candidates = keys.reshape(-1)
    # The same width for any number of seeds and devices, so that a base has the same bits.
    width = 2 if jax.default_backend() == "cpu" else keys.size
    program = Program(train, (candidates,), width, optimization)
    units = tiles.make_units("tiles", jax.local_devices(), -(-keys.size // width))
    found = tiles.run_all(program, (candidates,), units)
    return best_candidate(*jax.tree.map(lambda x: x.reshape(*keys.shape, *x.shape[1:]), found))
