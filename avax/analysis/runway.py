"""How long self-training lasts: label errors by round, and how they multiply.

S seeds, R rounds; round 0, the base, has no labels and is left out.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr

from avax.analysis.intervals import jackknife


def label_error(dataset: xr.Dataset) -> np.ndarray:
    """f[S, R]: share of wrong labels among those trained on; NaN where there are none."""
    return 1 - rounds_of(dataset.label_precision)


def guess_error(dataset: xr.Dataset) -> np.ndarray:
    """f[S, R]: share of wrong completions, accepted or not."""
    return 1 - rounds_of(dataset.sampled_accuracy)


def diverged(dataset: xr.Dataset) -> np.ndarray:
    """bool[S, R]: from the round on in which a run diverged."""
    return rounds_of(dataset.diverged) == 1


def rounds_of(metric: xr.DataArray) -> np.ndarray:
    """f[S, R]: without the base."""
    return metric.isel(round=slice(1, None)).transpose("seed", "round").values


def posed(dataset: xr.Dataset) -> np.ndarray:
    """i[R]: digits of each round's problems."""
    curriculum = dataset.attrs["config"]["base"]["curriculum"]
    return curriculum["start"] + curriculum["step"] * np.arange(dataset.sizes["round"] - 1)


def learned(dataset: xr.Dataset) -> np.ndarray:
    """f[S, R]: greedy accuracy of direct answers at the posed length, after the round."""
    index = xr.DataArray(posed(dataset), dims="round")
    after = dataset.accuracy_by_difficulty.isel(round=slice(1, None))
    picked = after.drop_vars("round").sel(difficulty=index)
    return picked.transpose("seed", "round").values


def runway(event: np.ndarray) -> np.ndarray:
    """i[S]: rounds before the first one in which bool[S, R] holds; R if it never does."""
    return np.where(event.any(1), event.argmax(1), event.shape[1])


def interval(
    values: np.ndarray, statistic: Callable[[np.ndarray], float] = np.mean, log: bool = False
) -> tuple[float, float, float]:
    """A smooth statistic of f[S, ...] over its first axis, the bases, and its 95 % t interval, that
    of the jackknife. It is NaN where there is none: one base, or a statistic that is not finite.

    Args:
      log: whether it is a factor, so that the interval is symmetric in its logarithm.
    """
    with np.errstate(invalid="ignore"):  # runs that diverged
        found = jackknife(values, statistic, log)
    value, *ends = found[:3]
    low, high = ends if np.isfinite(value) and np.isfinite(found[1:3]).any() else (np.nan, np.nan)
    return value, low, high


def growth(error: np.ndarray, lowest: float) -> np.ndarray:
    """f[S, R - 1]: the logarithm of the factor by which the label error grows in a round.

    NaN where it is below `lowest`, too few wrong labels to tell, or above one half.
    """
    before, after = error[:, :-1], error[:, 1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log(np.maximum(after, lowest) / before)
    return np.where((before >= lowest) & (before <= 0.5) & ~np.isnan(after), ratio, np.nan)


def growth_factor(logarithms: np.ndarray) -> float:
    """The geometric mean over seeds and rounds; NaN if there is nothing to average."""
    known = logarithms[~np.isnan(logarithms)]
    return float(np.exp(known.mean())) if known.size else float("nan")
