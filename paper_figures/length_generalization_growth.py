"""How solved lengths grow: linearly, ever faster, or to rest; by what predicts them best."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import xarray as xr

from avax.analysis import phase

FASTER, LINEAR, SATURATING = "ever faster", "linear", "to rest"
POWER = "log of the power of growth (linear: 0)"
HEADING = "log error of prediction, {} less {}"
PAIRS = ((FASTER, LINEAR), (FASTER, SATURATING), (LINEAR, SATURATING))
SHARE = 2 / 3  # of the rounds that a model is fitted to; it predicts the others
FULL = 0.8  # of all lengths: from there on little is left to grow
LEAST = 9  # rounds until then, or nothing is compared
EXACT = 0.5  # digits: how well a length is known, the least error
LEAST_GROWTH = 10  # digits, or a base has stalled


def linear(x: np.ndarray, y: np.ndarray) -> Callable:
    return np.poly1d(np.polyfit(x, y, 1))


def faster(x: np.ndarray, y: np.ndarray) -> Callable:
    """A share more in every round: linear in the logarithm of the length."""
    line = np.poly1d(np.polyfit(x, np.log(np.maximum(y, 1)), 1))
    return lambda at: np.exp(np.minimum(line(at), 20))


def saturating(x: np.ndarray, y: np.ndarray) -> Callable:
    """What is left to a resting place falls by a share in every round: by least squares, with the
    time of that on a grid, which ends where it would be hard to tell from a line.
    """
    best, found = np.inf, None
    for time in np.geomspace(1, len(x), 40):
        columns = np.stack([np.ones(len(x)), 1 - np.exp(-x / time)], 1)
        weights = np.linalg.lstsq(columns, y, rcond=None)[0]
        error = ((columns @ weights - y) ** 2).sum()
        if error < best:
            best, found = error, (time, *weights)
    time, level, rise = found
    return lambda at: level + rise * (1 - np.exp(-at / time))


MODELS = {FASTER: faster, LINEAR: linear, SATURATING: saturating}


def until_full(solved: np.ndarray, longest: float) -> np.ndarray | None:
    """f[N]: solved lengths until nearly all is solved; None if that is too soon to tell."""
    is_full = solved >= FULL * longest
    end = int(is_full.argmax()) if is_full.any() else len(solved)
    return solved[:end] if end >= LEAST and np.isfinite(solved[:end]).all() else None


def power(solved: np.ndarray, longest: float) -> float:
    """Logarithm of p where solved lengths f[R + 1] grow as round ** p, by least squares on a grid;
    NaN for a base that has stalled.
    """
    y = until_full(solved, longest)
    if y is None or y.max() - y[0] < LEAST_GROWTH:
        return np.nan
    rounds, grid, left = np.arange(len(y), dtype=float), np.geomspace(0.2, 5, 161), []
    for p in grid:
        columns = np.stack([np.ones(len(y)), rounds**p], 1)
        left.append(((columns @ np.linalg.lstsq(columns, y, rcond=None)[0] - y) ** 2).sum())
    return float(np.log(grid[np.argmin(left)]))


def power_of(runs: xr.Dataset) -> np.ndarray:
    """f[S]: `power` of every base."""
    solved = phase.solved_length(runs).transpose("seed", "round").values
    return np.array([power(row, runs.sizes["difficulty"]) for row in solved])


def errors(solved: np.ndarray, longest: float) -> dict[str, float]:
    """Logarithm of the root mean square error of each model's prediction of the later rounds, until
    nearly all lengths are solved; NaN if that is too soon to tell.

    Args:
      solved: f[R + 1], solved length by round.
    """
    y = until_full(solved, longest)
    if y is None:
        return dict.fromkeys(MODELS, np.nan)
    x, num = np.arange(len(y), dtype=float), round(SHARE * len(y))
    each = {n: model(x[:num], y[:num])(x[num:]) - y[num:] for n, model in MODELS.items()}
    return {n: float(np.log(max(np.sqrt((x**2).mean()), EXACT))) for n, x in each.items()}


def compared(arms: Mapping[str, xr.Dataset]) -> dict[str, dict[str, np.ndarray]]:
    """f[S]: by pair and arm, the error of one model less that of the other."""
    found: dict[str, dict[str, np.ndarray]] = {HEADING.format(*pair): {} for pair in PAIRS}
    for name, runs in arms.items():
        solved = phase.solved_length(runs).transpose("seed", "round").values
        each = [errors(row, runs.sizes["difficulty"]) for row in solved]
        for one, other in PAIRS:
            found[HEADING.format(one, other)][name] = np.array([e[one] - e[other] for e in each])
    return found
