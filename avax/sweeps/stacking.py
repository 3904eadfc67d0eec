"""The runs of a sweep as a program takes them: experiments, base policies and keys, stacked."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from avax.loop import Experiment
from avax.sweeps.sweep import Sweep, digest
from avax.types import Policy

BLOCK = 256  # keys that are made at a time


def groups(config: Sweep) -> list[list[int]]:
    """Indices of the different settings that share a compiled program and base policies."""
    settings, different = config.settings(), list(config.same)
    found = group_by_structure([settings[i] for i in different])
    return [[different[i] for i in group] for group in found]


def cells(config: Sweep, runs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the outcomes of some runs stand in the results: those of settings that are the same
    stand in the place of each.

    Returns:
      Indices into `runs`, and the runs by flat index; as many of both.
    """
    places = [
        (row, twin * config.num_seeds + run % config.num_seeds)
        for row, run in enumerate(runs.tolist())
        for twin in config.same[run // config.num_seeds]
    ]
    rows, flat = zip(*places, strict=True)
    return np.array(rows), np.array(flat)


def group_by_structure(experiments: list[Experiment]) -> list[list[int]]:
    """Indices of the experiments that share a compiled program and base policies, in order."""
    groups: dict[Any, list[int]] = {}
    digests: dict[int, str] = {}  # by the identity of a task: most settings share it
    for i, experiment in enumerate(experiments):
        task = experiment.warm_task
        if id(task) not in digests:
            digests[id(task)] = digest(task)
        key = jax.tree.structure(experiment), digests[id(task)], experiment.base_difficulty
        groups.setdefault(key, []).append(i)
    return list(groups.values())


def stack(experiments: list[Experiment]) -> Experiment:
    """One experiment whose leaves have a leading axis, as int32 or float32."""

    def leaves(*values):
        is_int = all(isinstance(v, int) for v in values)
        return np.asarray(values, np.int32 if is_int else np.float32)

    return jax.tree.map(leaves, *experiments)


def run_keys(
    experiments: Sequence[Experiment],
    seeds: Sequence[int],
    common: bool = False,
    chosen: np.ndarray | None = None,
) -> jax.Array:
    """The keys of all seeds of each setting: one depends on its setting and its seed, never on the
    run's place.

    Nor on fields that have their default: a field that is added later changes no run.

    Args:
      common: they depend on the seed and on `replicate` alone: common random numbers.
      chosen: indices of those that are wanted, all by default.
    """
    told = [{"replicate": int(e.replicate)} if common else e for e in experiments]
    names = [zlib.crc32(digest(x, defaults=False).encode()) for x in told]
    pairs = np.array(list(itertools.product(names, seeds)), np.uint32)
    blocks = np.resize(pairs, (-(-len(pairs) // BLOCK) * BLOCK, 2)).reshape(-1, BLOCK, 2)
    data = np.concatenate([_key_data(block) for block in blocks])[: len(pairs)]
    return jax.random.wrap_key_data(data if chosen is None else data[chosen])


@jax.jit  # of one shape: to compile for each number of runs would take longer than all else
def _key_data(pairs):
    def one(pair):
        name, seed = pair
        key = jax.random.fold_in(jax.random.fold_in(jax.random.key(seed), 1), name)
        return jax.random.key_data(key)

    return jax.vmap(one)(pairs)


def base_key(seed: int) -> jax.Array:
    """The key that a seed's base policy is trained with."""
    return jax.random.fold_in(jax.random.key(seed), 0)


def stack_members(
    config: Sweep,
    settings: list[Experiment],
    group: list[int],
    bases: Policy,
    made: np.ndarray | None = None,
) -> tuple[tuple, np.ndarray]:
    """A group of settings, given by their indices, x seeds as (experiments, bases, keys) with a
    leading axis, and the runs' indices.

    A run's bases are those of its own seed and of the `num_bases` - 1 seeds that follow.

    Args:
      made: bool[settings, num_seeds], which runs are made; all of them by default.
    """
    num_seeds = config.num_seeds
    rows, own = np.nonzero(np.ones((len(group), num_seeds), bool) if made is None else made[group])
    experiments = [settings[i] for i in group]
    stacked = stack([experiments[row] for row in rows])
    seeds = range(config.seed, config.seed + num_seeds)
    keys = run_keys(experiments, seeds, config.common_random_numbers, rows * num_seeds + own)
    own_seeds = own[:, None] + np.arange(stacked.num_bases)
    snapshots = np.array([experiments[row].snapshot for row in rows])[:, None]
    own_bases = jax.tree.map(lambda x: np.asarray(x)[own_seeds, snapshots], bases)
    return (stacked, own_bases, keys), np.array(group)[rows] * num_seeds + own
