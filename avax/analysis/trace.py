"""Boundary tracing: the few settings of a diagram that tell where its boundary is.

A diagram is a table of order parameters. A row is a ray, along which the order parameter falls; the
boundary crosses it between the last value above the level and the first one that is not.
"""

from __future__ import annotations

import math

import numpy as np

from avax.analysis import monotone

NUM_LEADERS = 3  # rays searched with no guess; more of them cost settings, fewer guess badly


def next_settings(values: np.ndarray, level: float = 0.0) -> list[tuple[int, int]]:
    """The settings to run next as (ray, index), at most one a ray; none once every ray is traced.

    The leaders, rays spread over the diagram, are searched by bisection. Each ray between two of
    them begins where these two let expect its boundary, gallops on until it has passed it, then
    bisects. Every answer lies inside its ray's bracket, where nothing was run: no setting is asked
    for twice, and whatever the values are, the questions come to an end.

    Args:
      values: f[rays, N], NaN where nothing was run, -inf where a run diverged.
      level: value that separates the phases.
    """
    num_rays, size = values.shape
    found = brackets(values, level)
    open_rays = np.flatnonzero(found[:, 1] - found[:, 0] > 1)
    leaders = np.unique(np.linspace(0, num_rays - 1, NUM_LEADERS).round().astype(int))
    crossings = found.mean(1)
    crossings[open_rays] = np.nan  # spoils the guesses for the rays beside an open leader
    guesses = np.interp(np.arange(num_rays), leaders, crossings[leaders])
    asked = {r: None for r in open_rays if r in leaders}
    asked |= {r: guesses[r] for r in open_rays if r not in leaders and not np.isnan(guesses[r])}
    return [(int(r), probe(*found[r], size, guess)) for r, guess in sorted(asked.items())]


def brackets(values: np.ndarray, level: float = 0.0) -> np.ndarray:
    """For each ray the last index above `level` and the first that is not; i[rays, 2].

    What was run is made to fall along the ray first. The ends are -1 and N where nothing that was
    run is above, or nothing is not. A ray is traced when the two are neighbours.
    """
    return np.array([_bracket(row, level) for row in values])


def _bracket(row: np.ndarray, level: float) -> tuple[int, int]:
    run = np.flatnonzero(~np.isnan(row))
    num_above = int((monotone.decreasing(row[run], level) > level).sum()) if len(run) else 0
    ends = np.concatenate([[-1], run, [len(row)]])
    return int(ends[num_above]), int(ends[num_above + 1])


def probe(low: int, high: int, size: int, guess: float | None) -> int:
    """An index between `low` and `high`, which are not neighbours, of a ray with `size` values.

    The middle, if there is no guess or both ends were run; else the guess, and if that was run, as
    far beyond the end that was run as this is from the guess.
    """
    nothing_run = low < 0 and high == size
    if guess is None or (low >= 0 and high < size):
        index = (low + high) // 2
    elif nothing_run:
        index = math.ceil(guess)  # boundaries bulge beyond the straight line that a guess is from
    elif high == size:
        index = low + max(1, round(low - guess))
    else:
        index = high - max(1, round(guess - high))
    return min(max(index, low + 1), high - 1)


def num_traced(values: np.ndarray, level: float = 0.0) -> int:
    """How many rays need no more runs."""
    found = brackets(values, level)
    return int((found[:, 1] - found[:, 0] == 1).sum())
