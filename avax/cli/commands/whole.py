"""The results that a command is about: those of one part of an experiment. Imports no JAX."""

from __future__ import annotations

import pathlib
from collections.abc import Mapping
from typing import Any

import xarray as xr

from avax import results
from avax.results import ResultsError, roots

OF_RUNS = ("seed", "round")  # dimensions of all results beside the axes, and behind them


def load(folder: pathlib.Path) -> xr.Dataset:
    """The results in a folder; ResultsError, with the parts if only these hold some."""
    parts = roots.places(folder)
    if parts and "" not in parts:
        raise ResultsError(f"{folder}: holds no results itself; its parts do: {', '.join(parts)}")
    dataset = results.load(folder)
    found = dataset.accuracy.dims if "accuracy" in dataset else ()
    if found[-2:] != OF_RUNS:
        raise ResultsError(f"{folder}: holds no accuracy by seed and round")
    return dataset


def run_dims(dataset: xr.Dataset) -> tuple[str, ...]:
    """The dimensions of a run and its rounds: the axes, then seed and round."""
    return tuple(map(str, dataset.accuracy.dims))


def axis_paths(dataset: xr.Dataset) -> dict[str, str]:
    """The dotted path in the experiment of each axis, by its dimension.

    Raises:
      ResultsError: if the configuration has other axes than the arrays.
    """
    dims, axes = run_dims(dataset)[:-2], dataset.attrs["config"].get("axes")
    if not _are_axes(axes, {dim: dataset.sizes[dim] for dim in dims}):
        raise ResultsError(f"{results.CONFIG}: its axes are not those of the arrays")
    return dict(zip(dims, axes, strict=True))


def _are_axes(axes: Any, sizes: Mapping[str, int]) -> bool:
    """Whether these are lists of so many values, each by the path of a field or its last part."""
    return (
        isinstance(axes, dict)
        and len(axes) == len(sizes)
        and all(
            dim in (path, path.rpartition(".")[2])
            and isinstance(values, list)
            and len(values) == size
            for (dim, size), (path, values) in zip(sizes.items(), axes.items(), strict=True)
        )
    )
