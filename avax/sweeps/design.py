"""Which runs of a sweep are made: each setting with each base of the pool, or with some of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from avax.fields import ConfigError
from avax.sweeps.sweep import Sweep

REPLICATE = "replicate"
# What a base costs that a setting has already, and one that a neighbour has; one that another
# setting of the same value on an axis has costs 1.
TWICE, BESIDE = 10**9, 10**5


def most_per_setting(config: Sweep) -> int:
    """The most runs of a setting: those of all its bases, if all are admitted."""
    return config.num_runs if config.design == "balanced" else config.num_seeds


def per_setting(config: Sweep, admitted: np.ndarray) -> int:
    """Runs of each setting.

    Args:
      admitted: bool[num_seeds], which seeds' bases meet the criterion.

    Raises:
      ConfigError: in one line that names the field, if they are too few.
    """
    found = int(admitted.sum())
    if not found:
        raise ConfigError(
            f"base_criterion: is {config.base_criterion:g}, and no base meets it, of seeds "
            f"{config.seed} to {config.seed + config.num_seeds - 1}: lower it, or train bases "
            "longer with --pretraining.num-updates"
        )
    if config.design == "all":
        return found
    if config.num_runs > found:
        raise ConfigError(
            f"num_runs: is {config.num_runs}, and {found} of {config.num_seeds} bases meet the "
            f"base_criterion of {config.base_criterion:g}: lower it, or add --num-seeds"
        )
    return config.num_runs


def made(config: Sweep, admitted: np.ndarray) -> np.ndarray:
    """bool[settings, num_seeds]: which runs are made, the same whatever executes them.

    Settings that are the same have the same runs, those that differ in `replicate` alone the same
    bases.

    Args:
      admitted: bool[num_seeds], which seeds' bases meet the criterion.

    Raises:
      ConfigError: as `per_setting`.
    """
    number = per_setting(config, admitted)
    found = np.zeros((math.prod(config.shape), config.num_seeds), bool)
    if config.design == "all":
        found[:] = admitted
        return found
    first = np.empty(len(found), int)
    for i, twins in config.same.items():
        first[twins] = i
    if REPLICATE in config.axes:
        places = np.arange(len(found)).reshape(config.shape)
        axis = list(config.axes).index(REPLICATE)
        lead = np.broadcast_to(places.take([0], axis), config.shape)
        first = first[lead.ravel()]
    seeds = np.flatnonzero(admitted)
    np.put_along_axis(found, seeds[balanced(config.shape, len(seeds), number, first)], True, 1)
    return found


def balanced(
    shape: Sequence[int], num_bases: int, num_runs: int, first: np.ndarray | None = None
) -> np.ndarray:
    """i64[settings, num_runs]: the bases of each setting of a grid, by index, none of them twice.

    Settings take bases in turn, so that each serves as often as any other, or once more. Each time
    that all have had their turn they are dealt anew: so that neighbours, beside each other on one
    axis, have none in common, if bases are not few; and so that each base has all values of each
    axis as often, else what a value does could not be told from what its bases are. What is left is
    left to chance, the same every time.

    Args:
      first: i64[settings], of settings that have the same bases the first; these count once.
    """
    settings = np.arange(math.prod(shape))
    first = settings if first is None else first
    different = np.flatnonzero(first == settings)
    row_of = np.zeros(len(settings), int)  # of a setting, its place among those that differ
    row_of[different] = np.arange(len(different))
    before = _before(shape)[different]
    before = np.where(before < 0, -1, row_of[first[before]])
    places = np.stack(np.unravel_index(different, shape or (1,)))
    seen = [np.zeros((length, num_bases)) for length in shape or (1,)]
    bases, chance = np.full(len(different) * num_runs, -1), np.random.default_rng(0)
    for start in range(0, bases.size, num_bases):
        turns = np.arange(start, min(start + num_bases, bases.size))
        rows = turns // num_runs
        cost = chance.random((len(turns), num_bases))
        cost += sum(often[at[rows]] for often, at in zip(seen, places, strict=True))
        cost += _clashes(bases.reshape(-1, num_runs), rows, before, num_bases)
        bases[turns] = _cheapest(cost)
        for often, at in zip(seen, places, strict=True):
            np.add.at(often, (at[rows], bases[turns]), 1)
    return bases.reshape(-1, num_runs)[row_of[first]]


def _before(shape: Sequence[int]) -> np.ndarray:
    """i64[settings, axes]: the setting before each one on each axis, -1 if there is none."""
    places = np.stack(np.unravel_index(np.arange(math.prod(shape)), shape or (1,)), 1)
    strides = [math.prod(shape[axis + 1 :]) for axis in range(len(shape))] or [1]
    return np.where(places > 0, np.arange(len(places))[:, None] - strides, -1)


def _clashes(bases: np.ndarray, rows: np.ndarray, before: np.ndarray, num_bases: int) -> np.ndarray:
    """f[turns, num_bases]: what each base costs that the setting of a turn has, or one before it.

    Args:
      bases: i64[settings, num_runs], -1 where none is dealt yet.
      rows: i64[turns], the setting of each turn.
    """
    found = np.zeros((len(rows), num_bases + 1))  # the last column is that of -1, of none
    turns = np.arange(len(rows))[:, None]
    beside = np.where(before[rows, :, None] < 0, -1, bases[before[rows]])
    np.add.at(found, (turns, beside.reshape(len(rows), -1)), BESIDE)
    np.add.at(found, (turns, bases[rows]), TWICE)
    return found[:, :num_bases]


def _cheapest(cost: np.ndarray) -> np.ndarray:
    """i64[turns]: a base for each turn, each another one, so that the sum of costs is lowest."""
    from scipy.optimize import linear_sum_assignment  # here: it takes a quarter of a second

    return linear_sum_assignment(cost)[1]
