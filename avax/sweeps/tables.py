"""The table of a sweep's results: what its dimensions are called, and all numbers, still NaN."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from avax import results, struct
from avax.analysis import pool
from avax.fields import ConfigError
from avax.metrics import DIMENSIONS, METRICS, of_plugins
from avax.sweeps import plugins
from avax.sweeps.sweep import Sweep
from avax.types import MISTAKES, Metric


def plugin_metrics(config: Sweep) -> dict[str, Metric]:
    """What the probe and the learners of a sweep report besides, by name. Where learners differ by
    setting, those that don't report a number have NaN in its place.

    Raises:
      ConfigError: in one line, if one name means two things.
    """
    found: dict[str, Metric] = {}
    differ = any(path == "learner" or path.startswith("learner.") for path in config.axes)
    for setting in config.settings() if differ else [config.base]:
        for name, metric in of_plugins(setting).items():
            if found.setdefault(name, metric) != metric:
                raise ConfigError(
                    f"axes: {name} has other dimensions or another meaning by setting; "
                    "must be the same for all"
                )
    return found


def dimension_names(axes: Mapping[str, Any], more: Mapping[str, Metric]) -> dict[str, str]:
    """The dimension of each axis: the field's own name, or its dotted path if that is taken.

    Args:
      more: what plug-ins report besides; their names are taken as well.
    """
    last = [path.rpartition(".")[2] for path in axes]
    reported = [name for metric in more.values() for name in metric.dims]
    taken = [*last, "seed", "round", "difficulty", "mistake", *dict.fromkeys([*more, *reported])]
    return {p: n if taken.count(n) == 1 else p for p, n in zip(axes, last, strict=True)}


def run_labels(config: Sweep) -> dict[str, list]:
    """The values along each dimension of the runs: the axes, then the seed."""
    names = dimension_names(config.axes, plugin_metrics(config))
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
    more = plugin_metrics(config)
    coords |= {name: values for m in more.values() for name, values in m.dims.items()}
    dims = (*runs, "round")
    shapes = {name: (*dims, *DIMENSIONS.get(name, ())) for name in METRICS}
    shapes |= {name: (*dims, *metric.dims) for name, metric in more.items()}
    about = METRICS | {name: metric.about for name, metric in more.items()}
    dataset = results.template(coords, shapes, about).assign_attrs(config=struct.to_dict(config))
    unknown = np.full(config.num_seeds, np.nan)
    of_bases = {pool.WORST: worst, pool.ADMITTED: admitted}
    known = {n: np.asarray(unknown if x is None else x, np.float32) for n, x in of_bases.items()}
    return dataset.assign_coords(
        {n: ("seed", x, {"description": pool.ABOUT[n]}) for n, x in known.items()}
    )
