"""Which settings of a sweep are run: all of them at once, or batches that trace its boundary."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterator

import numpy as np
import xarray as xr

from avax.analysis import phase, trace
from avax.sweeps import design
from avax.sweeps.sweep import Sweep
from avax.sweeps.tables import dimension_names

ALONG = "fpr"  # the axis that rays follow; each value of the other axis is a ray


def can_trace(config: Sweep) -> bool:
    """Whether a sweep has the two axes that tracing needs, with two numbers or more on each."""
    values = itertools.chain(*config.axes.values())
    are_two = len(config.axes) == 2 and ALONG in _sizes(config) and min(config.shape) > 1
    return are_two and not any(map(dataclasses.is_dataclass, values))


def trace_if_possible(config: Sweep) -> Sweep:
    """A part of an experiment: it can be one that is run whole where others are traced."""
    return config if can_trace(config) else dataclasses.replace(config, trace=False)


def batches(config: Sweep, dataset: xr.Dataset) -> Iterator[set[int]]:
    """The settings to run, batch after batch, as indices into `config.settings()`.

    A batch of a traced sweep depends on the dataset, which has to hold the results of those before.
    """
    if not config.trace:
        yield set(range(math.prod(config.shape)))
        return
    diverged = dataset.diverged.isel(seed=0, round=0)
    indices = _rays(diverged.copy(data=np.arange(diverged.size).reshape(diverged.shape)))
    while asked := trace.next_settings(ray_values(dataset)):
        yield {int(indices[setting]) for setting in asked}


def largest_batch(config: Sweep) -> int:
    """The most settings that one batch holds."""
    size = math.prod(config.shape)
    return size // _sizes(config)[ALONG] if config.trace else size


def most_runs(config: Sweep, num_settings: int) -> int:
    """The most runs at a time of so many settings that share a structure."""
    return min(num_settings, largest_batch(config)) * design.most_per_setting(config)


def ray_values(dataset: xr.Dataset) -> np.ndarray:
    """The order parameter of a traced sweep, mean over the seeds that a setting was run with;
    f[rays, N], both axes rising.
    """
    return _rays(phase.order_parameter(dataset).mean("seed"))


def _rays(table: xr.DataArray) -> np.ndarray:
    (across,) = (name for name in table.dims if name != ALONG)
    return table.sortby([across, ALONG]).transpose(across, ALONG).values


def _sizes(config: Sweep) -> dict[str, int]:
    names = dimension_names(config.axes, config.base)
    return {names[path]: len(values) for path, values in config.axes.items()}
