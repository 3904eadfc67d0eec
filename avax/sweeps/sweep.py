"""A sweep: one experiment, axes given as dotted fields of it, and seeds."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import itertools
import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np
import xarray as xr

from avax import results, struct
from avax.loop import Experiment
from avax.metrics import DIMENSIONS, METRICS
from avax.policies.pretrain import Pretraining
from avax.types import MISTAKES, Metric, Policy

# Fields that change rounding alone, and those that change not even that. Results that are older
# than these keep their names.
INVISIBLE = ("segment", "engine", "ray_address")
EXECUTION = ("tile_width", "placement", "optimization", *INVISIBLE)
BLOCK = 256  # keys that are made at a time


@dataclasses.dataclass(frozen=True)
class Sweep:
    """What is run, and the whole of it: the same sweep gives the same results.

    Attributes:
      base: the experiment that the axes vary.
      pretraining: how the base policies are trained, once per seed.
      axes: the values of each swept field, by its dotted path in `base`.
      num_seeds: runs of each setting; each seed has its own base policy.
      seed: the first seed; the others follow it.
      tile_width: runs that one device advances together: a number, `all`, or `auto` to measure.
      placement: `tiles`, a program on each device, with the same bits on any number of them; or
        `spmd`, one on all, which compiles once and differs by rounding.
      optimization: how hard the compiler tries on a CPU, from 0, for programs that compile faster
        and run slower, to 3.
      segment: rounds after which a tile is saved, and can stop: a number, or `auto` for as many as
        take about 5 seconds. Changes no bit.
      engine: `local`, the devices of this machine; or `ray`, the workers of a Ray cluster, each a
        device, which needs placement `tiles`. Changes no bit.
      ray_address: HOST:PORT of a Ray cluster that this machine is part of, `auto` to find it, or
        `local` to start one of this machine alone.
      trace: run only the settings that show where the boundary lies; for two axes, fpr and another.
    """

    base: Experiment
    pretraining: Pretraining = Pretraining()
    axes: Mapping[str, tuple] = dataclasses.field(default_factory=dict)
    num_seeds: int = struct.static(1, low=1)
    seed: int = struct.static(0, low=0)
    tile_width: str = struct.static("auto")
    placement: str = struct.static("tiles", choices=("tiles", "spmd"))
    optimization: int = struct.static(2, low=0, high=3)
    segment: str = struct.static("auto")
    engine: str = struct.static("local", choices=("local", "ray"))
    ray_address: str = struct.static("local")
    trace: bool = struct.static(False)

    def __post_init__(self):
        kinds = {path: field for path, field, _ in struct.walk(self.base)}
        axes = {
            path: tuple(struct.as_type(kinds[path], v) if path in kinds else v for v in values)
            for path, values in self.axes.items()
        }
        for name, value in (
            ("base", struct.typed(self.base)),
            ("pretraining", struct.typed(self.pretraining)),
            ("axes", axes),
        ):
            object.__setattr__(self, name, value)  # the class is frozen

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return tuple(len(values) for values in self.axes.values())

    def settings(self) -> list[Experiment]:
        """Every combination of axis values, the last axis fastest."""
        return list(self._settings)

    @functools.cached_property
    def _settings(self):  # thousands take a second
        return [
            _with_fields(self.base, dict(zip(self.axes, values, strict=True)))
            for values in itertools.product(*self.axes.values())
        ]

    def digest(self) -> str:
        """Names what the results depend on: how the runs are executed is not part of it."""
        return stored_digest(struct.to_dict(self))


def _with_fields(node: Any, values: Mapping[str, Any]) -> Any:
    for path, value in values.items():
        node = struct.replace(node, path, value)
    return node


def digest(node: Any, defaults: bool = True) -> str:
    """16 hexadecimal digits that name a configuration; for `defaults` see `struct.to_dict`."""
    text = json.dumps(struct.to_dict(node, defaults), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def stored_digest(config: Mapping[str, Any]) -> str:
    """`Sweep.digest` of what `struct.to_dict` made of a sweep."""
    how = {f.name: f.default for f in dataclasses.fields(Sweep) if f.name in EXECUTION}
    return digest({name: x for name, x in {**config, **how}.items() if name not in INVISIBLE})


def probe_metrics(experiment: Experiment) -> dict[str, Metric]:
    """What the experiment's probe measures, by name."""
    return {} if experiment.probe is None else experiment.probe.metrics


def dimension_names(axes: Mapping[str, Any], experiment: Experiment) -> dict[str, str]:
    """The dimension of each axis: the field's own name, or its dotted path if that is taken."""
    last = [path.rpartition(".")[2] for path in axes]
    probed = [name for m in probe_metrics(experiment).values() for name in m.dims]
    taken = [*last, "seed", "round", "difficulty", "mistake", *dict.fromkeys(probed)]
    return {p: n if taken.count(n) == 1 else p for p, n in zip(axes, last, strict=True)}


def group_by_structure(experiments: list[Experiment]) -> list[list[int]]:
    """Indices of the experiments that share a compiled program and base policies, in order."""
    groups: dict[Any, list[int]] = {}
    digests: dict[int, str] = {}  # by the identity of a task: most settings share it
    for i, experiment in enumerate(experiments):
        task = experiment.warm_task
        if id(task) not in digests:
            digests[id(task)] = digest(task)
        key = jax.tree.structure(experiment), digests[id(task)], experiment.base_difficulty
        groups.setdefault(key, []).append(i)
    return list(groups.values())


def stack(experiments: list[Experiment]) -> Experiment:
    """One experiment whose leaves have a leading axis, as int32 or float32."""

    def leaves(*values):
        is_int = all(isinstance(v, int) for v in values)
        return np.asarray(values, np.int32 if is_int else np.float32)

    return jax.tree.map(leaves, *experiments)


def run_keys(experiments: Sequence[Experiment], seeds: Sequence[int]) -> jax.Array:
    """The keys of all seeds of each setting: one depends on its setting and its seed, never on the
    run's place.

    Nor on fields that have their default: a field that is added later changes no run.
    """
    names = [zlib.crc32(digest(e, defaults=False).encode()) for e in experiments]
    pairs = np.array(list(itertools.product(names, seeds)), np.uint32)
    blocks = np.resize(pairs, (-(-len(pairs) // BLOCK) * BLOCK, 2)).reshape(-1, BLOCK, 2)
    data = np.concatenate([_key_data(block) for block in blocks])[: len(pairs)]
    return jax.random.wrap_key_data(data)


@jax.jit  # of one shape: to compile for each number of runs would take longer than all else
def _key_data(pairs):
    def one(pair):
        name, seed = pair
        key = jax.random.fold_in(jax.random.fold_in(jax.random.key(seed), 1), name)
        return jax.random.key_data(key)

    return jax.vmap(one)(pairs)


def base_key(seed: int) -> jax.Array:
    """The key that a seed's base policy is trained with."""
    return jax.random.fold_in(jax.random.key(seed), 0)


def stack_members(
    config: Sweep, settings: list[Experiment], group: list[int], bases: Policy
) -> tuple[tuple, np.ndarray]:
    """A group of settings, given by their indices, x seeds as (experiments, bases, keys) with a
    leading axis, and the runs' indices.

    A run's bases are those of its own seed and of the `num_bases` - 1 seeds that follow.
    """
    experiments = [settings[i] for i in group]
    seeds = range(config.seed, config.seed + config.num_seeds)
    pairs = [(e, i) for e in experiments for i in range(config.num_seeds)]
    stacked = stack([e for e, _ in pairs])
    keys = run_keys(experiments, seeds)
    own_seeds = np.array([i for _, i in pairs])[:, None] + np.arange(stacked.num_bases)
    snapshots = np.array([e.snapshot for e, _ in pairs])[:, None]
    own_bases = jax.tree.map(lambda x: np.asarray(x)[own_seeds, snapshots], bases)
    runs = np.array([g * config.num_seeds + i for g in group for i in range(config.num_seeds)])
    return (stacked, own_bases, keys), runs


def empty_dataset(config: Sweep) -> xr.Dataset:
    """The results' dataset, full of NaN: axes, then seed and round, then what a metric has."""
    names = dimension_names(config.axes, config.base)
    axes = {names[path]: values for path, values in config.axes.items()}
    coords: dict[str, Any] = axes | {
        "seed": range(config.seed, config.seed + config.num_seeds),
        "round": range(config.base.num_rounds + 1),
        "difficulty": range(1, config.base.task.max_difficulty + 1),
        "mistake": MISTAKES,
    }
    probed = probe_metrics(config.base)
    coords |= {name: values for m in probed.values() for name, values in m.dims.items()}
    dims = (*axes, "seed", "round")
    shapes = {name: (*dims, *DIMENSIONS.get(name, ())) for name in METRICS}
    shapes |= {name: (*dims, *metric.dims) for name, metric in probed.items()}
    about = METRICS | {name: metric.about for name, metric in probed.items()}
    return results.template(coords, shapes, about).assign_attrs(config=struct.to_dict(config))
