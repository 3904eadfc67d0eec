"""How long self-training lasts: label errors by round, and how they multiply.

S seeds, R rounds; round 0, the base, has no labels and is left out.
"""

from __future__ import annotations

import numpy as np
import xarray as xr


def label_error(dataset: xr.Dataset) -> np.ndarray:
    """f[S, R]: share of wrong labels among those trained on; NaN where there are none."""
    return 1 - rounds_of(dataset.label_precision)


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


def runway(event: np.ndarray) -> np.ndarray:
    """i[S]: rounds before the first one in which bool[S, R] holds; R if it never does."""
    return np.where(event.any(1), event.argmax(1), event.shape[1])


def growth(error: np.ndarray, lowest: float) -> np.ndarray:
    """f[S, R - 1]: the logarithm of the factor by which the label error grows in a round.

    NaN where it is below `lowest`, too few wrong labels to tell, or above one half.
    """
    before, after = error[:, :-1], error[:, 1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log(np.maximum(after, lowest) / before)
    return np.where((before >= lowest) & (before <= 0.5) & ~np.isnan(after), ratio, np.nan)
