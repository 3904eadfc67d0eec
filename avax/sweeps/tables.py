"""The table of a sweep's results: what its dimensions are called, and all numbers, still NaN."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from avax import results, struct
from avax.analysis import pool
from avax.loop import Experiment
from avax.metrics import DIMENSIONS, METRICS
from avax.sweeps import plugins
from avax.sweeps.sweep import Sweep
from avax.types import MISTAKES, Metric


def probe_metrics(experiment: Experiment) -> dict[str, Metric]:
    """What the experiment's probe measures, by name."""
    return {} if experiment.probe is None else experiment.probe.metrics


def dimension_names(axes: Mapping[str, Any], experiment: Experiment) -> dict[str, str]:
    """The dimension of each axis: the field's own name, or its dotted path if that is taken."""
    last = [path.rpartition(".")[2] for path in axes]
    probed = [name for m in probe_metrics(experiment).values() for name in m.dims]
    taken = [*last, "seed", "round", "difficulty", "mistake", *dict.fromkeys(probed)]
    return {p: n if taken.count(n) == 1 else p for p, n in zip(axes, last, strict=True)}


def run_labels(config: Sweep) -> dict[str, list]:
    """The values along each dimension of the runs: the axes, then the seed."""
    names = dimension_names(config.axes, config.base)
    axes = {names[path]: plugins.labels(path, values) for path, values in config.axes.items()}
    return axes | {"seed": list(range(config.seed, config.seed + config.num_seeds))}


def empty_dataset(
    config: Sweep, worst: np.ndarray | None = None, admitted: np.ndarray | None = None
) -> xr.Dataset:
    """The results' dataset, full of NaN: axes, then seed and round, then what a metric has.

    Args:
      worst, admitted: f[num_seeds] and bool[num_seeds], what is known of the bases; see
        `avax.analysis.pool`.
    """
    runs = run_labels(config)
    coords: dict[str, Any] = runs | {
        "round": range(config.base.num_rounds + 1),
        "difficulty": range(1, config.settings()[0].task.max_difficulty + 1),
        "mistake": MISTAKES,
    }
    probed = probe_metrics(config.base)
    coords |= {name: values for m in probed.values() for name, values in m.dims.items()}
    dims = (*runs, "round")
    shapes = {name: (*dims, *DIMENSIONS.get(name, ())) for name in METRICS}
    shapes |= {name: (*dims, *metric.dims) for name, metric in probed.items()}
    about = METRICS | {name: metric.about for name, metric in probed.items()}
    dataset = results.template(coords, shapes, about).assign_attrs(config=struct.to_dict(config))
    unknown = np.full(config.num_seeds, np.nan)
    of_bases = {pool.WORST: worst, pool.ADMITTED: admitted}
    known = {n: np.asarray(unknown if x is None else x, np.float32) for n, x in of_bases.items()}
    return dataset.assign_coords(
        {n: ("seed", x, {"description": pool.ABOUT[n]}) for n, x in known.items()}
    )
