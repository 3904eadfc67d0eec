"""The pool of bases of a sweep's results: what each knows, and which were left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from avax.results import OF_BASES

# Coordinates along `seed`, and what they are; results that are older have none.
WORST, ADMITTED = OF_BASES
ABOUT = {
    WORST: "greedy accuracy of the base at the trained difficulty that it knows least",
    ADMITTED: "1 if runs were made from the base, 0 if it was left out by the criterion",
}


def left_out_line(
    seeds: Sequence[int], worst: np.ndarray, admitted: np.ndarray, criterion: float
) -> str:
    """How many bases of a pool were left out, and which; nothing if none was.

    Args:
      seeds: of the pool.
      worst: f[seeds], what each base is right on at the trained difficulty that it knows least.
      admitted: bool[seeds].
    """
    out = ~admitted.astype(bool)
    if not out.any():
        return ""
    listed = ", ".join(
        f"{s} ({x:.2f})" for s, x in zip(np.array(seeds)[out], worst[out], strict=True)
    )
    return (
        f"{out.sum()} of {out.size} bases left out by base_criterion {criterion:g}, of seeds "
        f"{listed}: in brackets the share right at the trained difficulty that each knows least"
    )


def of_admitted(dataset: xr.Dataset) -> xr.Dataset:
    """The runs without the rows of bases that were left out; as they are if nobody knows."""
    if ADMITTED not in dataset.coords or dataset[ADMITTED].isnull().any():
        return dataset
    return dataset.isel(seed=np.flatnonzero(dataset[ADMITTED].values == 1))


def left_out(dataset: xr.Dataset) -> list[str]:
    """The same of results, as lines: none if no base was left out, or nobody knows."""
    if ADMITTED not in dataset.coords or dataset[ADMITTED].isnull().any():
        return []
    config: Mapping = dataset.attrs["config"]
    about = (dataset[name].values for name in ("seed", WORST, ADMITTED))
    line = left_out_line(*about, config.get("base_criterion", 0.0))
    return [line] if line else []
