"""Which runs of a sweep are made: each setting with each base of the pool, or with some of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from avax.fields import ConfigError
from avax.sweeps.sweep import Sweep

REPLICATE = "replicate"
TWICE = 10**6  # how much worse a base is that a setting has twice than one that its neighbour has


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
    that all have had their turn, the turns begin at the base that gives the fewest settings one of
    a neighbour's, those beside it on one axis: none, but where bases are few.

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
    bases = np.full(len(different) * num_runs, -1)
    for start in range(0, bases.size, num_bases):
        turns = np.arange(start, min(start + num_bases, bases.size))
        bases[turns] = _best_turns(bases.reshape(-1, num_runs), turns, before, num_bases)
    return bases.reshape(-1, num_runs)[row_of[first]]


def _before(shape: Sequence[int]) -> np.ndarray:
    """i64[settings, axes]: the setting before each one on each axis, -1 if there is none."""
    places = np.stack(np.unravel_index(np.arange(math.prod(shape)), shape or (1,)), 1)
    strides = [math.prod(shape[axis + 1 :]) for axis in range(len(shape))] or [1]
    return np.where(places > 0, np.arange(len(places))[:, None] - strides, -1)


def _best_turns(
    bases: np.ndarray, turns: np.ndarray, before: np.ndarray, num_bases: int
) -> np.ndarray:
    """The bases of some turns, each another one, where those of all earlier turns are known."""
    rows = turns // bases.shape[1]
    beside = np.where(before[rows, :, None] < 0, -1, bases[before[rows]])
    options = (np.arange(num_bases)[:, None] + np.arange(len(turns))) % num_bases
    clashes = (options[:, :, None] == beside.reshape(len(turns), -1)).sum((1, 2))
    own = (options[:, :, None] == bases[rows]).sum((1, 2))  # of a setting whose turns go on
    return options[(clashes + TWICE * own).argmin()]
