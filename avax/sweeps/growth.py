"""Sweeps that grow: more seeds, more values on an axis. The runs that are done are a part of it."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from avax import struct
from avax.sweeps import plugins
from avax.sweeps.stacking import groups
from avax.sweeps.sweep import Sweep


def part_of(config: Sweep, stored: Mapping[str, Any]) -> Sweep | None:
    """The sweep that a stored configuration is of, if it is a part of another one: its seeds and
    its values on the same axes are among the other's, and all else is the same.

    None if it isn't, or is not what its own digest names. A balanced design has no parts: with more
    bases or values, its settings are run from other bases.
    """
    if config.design == "balanced":
        return None
    seed, num_seeds, axes = (stored.get(name) for name in ("seed", "num_seeds", "axes"))
    if not (type(seed) is int and type(num_seeds) is int and isinstance(axes, Mapping)):
        return None
    if not (
        config.seed <= seed < seed + num_seeds <= config.seed + config.num_seeds
        and axes.keys() == config.axes.keys()
    ):
        return None
    own_axes = {path: _among(values, config.axes[path]) for path, values in axes.items()}
    if not all(own_axes.values()):
        return None
    part = dataclasses.replace(config, axes=own_axes, seed=seed, num_seeds=num_seeds)
    # What stands in a field whose plug-ins are an axis has no effect; it may be the part's first.
    parts = part, dataclasses.replace(part, base=plugins.with_first(part.base, own_axes))
    return next((x for x in parts if x.digest() == stored.get("digest")), None)


def _among(values: Any, others: tuple) -> tuple:
    """Which values of an axis some stored ones are; none if one is none of them, or is twice."""
    if not isinstance(values, (list, tuple)):
        return ()
    stored = [json.loads(json.dumps(struct.to_dict(x))) for x in others]  # plug-ins become dicts
    found = [stored.index(x) for x in values if x in stored]
    is_part = len(found) == len(values) == len(set(found))
    return tuple(others[i] for i in found) if is_part else ()


def num_runs(config: Sweep) -> int:
    """All settings x seeds; a traced sweep runs fewer, and one that leaves bases out."""
    return math.prod(config.shape) * config.num_seeds


def places(part: Sweep, config: Sweep) -> np.ndarray:
    """The flat indices in a sweep of the runs of its part, in the part's order; i64[runs]."""
    runs = np.arange(num_runs(config)).reshape(*config.shape, config.num_seeds)
    paths = list(config.axes)
    runs = runs.transpose(*(paths.index(path) for path in part.axes), -1)
    chosen = [[config.axes[p].index(x) for x in values] for p, values in part.axes.items()]
    seeds = np.arange(part.num_seeds) + part.seed - config.seed
    return runs[np.ix_(*chosen, seeds)].ravel()


def structures(part: Sweep, config: Sweep) -> list[int]:
    """For each structure of a part, its index among those of the sweep."""
    group_of = {
        twin: i
        for i, group in enumerate(groups(config))
        for setting in group
        for twin in config.same[setting]
    }
    settings = places(part, config)[:: part.num_seeds] // config.num_seeds
    return [group_of[int(settings[group[0]])] for group in groups(part)]


def change(part: Sweep, config: Sweep) -> str:
    """What becomes of a part, in words for a user: `grows from 5 to 8 num_seeds`."""
    sizes = {f"values of {p}": (len(x), len(config.axes[p])) for p, x in part.axes.items()}
    sizes["num_seeds"] = part.num_seeds, config.num_seeds
    grown = [f"from {old} to {new} {name}" for name, (old, new) in sizes.items() if old != new]
    return f"grows {' and '.join(grown)}" if grown else "takes another order"
