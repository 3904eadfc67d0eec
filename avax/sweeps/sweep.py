"""A sweep: one experiment, axes given as dotted fields of it, and seeds."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import itertools
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jax
import numpy as np
import xarray as xr

from avax import results, struct
from avax.fields import check_value
from avax.loop import Experiment
from avax.metrics import DIMENSIONS, METRICS
from avax.policies.pretrain import Pretraining
from avax.sweeps import plugins
from avax.types import MISTAKES, Metric, Policy

# Fields that change rounding alone, and those that change not even that. Results that are older
# than these keep their names.
INVISIBLE = ("segment", "engine", "ray_address", "keep_policies")
EXECUTION = ("tile_width", "placement", "optimization", *INVISIBLE)
BLOCK = 256  # keys that are made at a time


@dataclasses.dataclass(frozen=True)
class Sweep:
    """What is run, and the whole of it: the same sweep gives the same results.

    Attributes:
      base: the experiment that the axes vary.
      pretraining: how the base policies are trained, once per seed.
      axes: the values of each swept field, by its dotted path in `base`: numbers, or plug-ins (or
        their names). A number that only some of these plug-ins have is swept where it exists.
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
      keep_policies: trained policies that stay beside the results: those after the `last` round,
        those after `all` rounds, or `none`; `auto` keeps the last if they take at most 100 MB.
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
    keep_policies: str = struct.static("auto", choices=("auto", "last", "none", "all"))
    trace: bool = struct.static(False)

    def __post_init__(self):
        for field in dataclasses.fields(self):
            check_value(field.name, field, getattr(self, field.name))
        axes = {path: tuple(self._plugins(path, values)) for path, values in self.axes.items()}
        known = plugins.fields(self.base, axes)
        axes = {
            path: tuple(struct.as_type(known[path][0], v) if path in known else v for v in values)
            for path, values in axes.items()
        }
        for name, value in (
            ("base", struct.typed(self.base)),
            ("pretraining", struct.typed(self.pretraining)),
            ("axes", axes),
        ):
            object.__setattr__(self, name, value)  # the class is frozen

    def _plugins(self, path: str, values: Sequence) -> Iterator[Any]:
        """The values of an axis, with plug-ins for their names."""
        field = plugins.fields(self.base, {}).get(path)
        kind = plugins.kind_of(field[0]) if field else None
        for value in values:
            yield kind.taken(f"axes.{path}", value) if kind else value

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return tuple(len(values) for values in self.axes.values())

    def settings(self) -> list[Experiment]:
        """Every combination of axis values, the last axis fastest.

        A number that a plug-in lacks is left out: such settings are the same.
        """
        return list(self._settings)

    @functools.cached_property
    def _settings(self):  # thousands take a second
        return [
            self.setting(dict(zip(self.axes, values, strict=True)))
            for values in itertools.product(*self.axes.values())
        ]

    def setting(self, values: Mapping[str, Any]) -> Experiment:
        """The experiment with these values of the axes, by dotted path."""
        experiment = self.base
        for path in self._order:
            if path not in self.lacking or plugins.has(experiment, path):
                experiment = struct.replace(experiment, path, values[path])
        return experiment

    @functools.cached_property
    def _order(self):  # a plug-in before its own numbers
        return sorted(self.axes, key=lambda path: path.count("."))

    @functools.cached_property
    def lacking(self) -> dict[str, list[str]]:
        """Axes of numbers that not all plug-ins have, and the names of those that don't: their
        results are the same at each value.
        """
        found: dict[str, list[str]] = {}
        for axis, values in self.axes.items():
            for plugin in filter(dataclasses.is_dataclass, values):
                for path in self.axes:
                    inner = path.removeprefix(f"{axis}.")
                    if inner != path and not plugins.has(plugin, inner):
                        found.setdefault(path, []).append(plugins.label(plugin))
        return found

    def notes(self) -> list[str]:
        """What a user should know of `lacking`, a line for each axis."""
        return [
            f"axes.{path}: those without it ({', '.join(names)}) have equal results at each value"
            for path, names in self.lacking.items()
        ]

    @functools.cached_property
    def same(self) -> dict[int, list[int]]:
        """The settings that are the same as each one that is the first of its kind, itself
        included, as indices into `settings()`.
        """
        if not self.lacking:
            return {i: [i] for i in range(len(self._settings))}
        found: dict[str, list[int]] = {}
        for i, setting in enumerate(self._settings):
            found.setdefault(digest(setting), []).append(i)
        return {each[0]: each for each in found.values()}

    def digest(self) -> str:
        """Names what the results depend on: how the runs are executed is not part of it."""
        return stored_digest(struct.to_dict(self))


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


def groups(config: Sweep) -> list[list[int]]:
    """Indices of the different settings that share a compiled program and base policies."""
    settings, different = config.settings(), list(config.same)
    found = group_by_structure([settings[i] for i in different])
    return [[different[i] for i in group] for group in found]


def cells(config: Sweep, runs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the outcomes of some runs stand in the results: those of settings that are the same
    stand in the place of each.

    Returns:
      Indices into `runs`, and the runs by flat index; as many of both.
    """
    places = [
        (row, twin * config.num_seeds + run % config.num_seeds)
        for row, run in enumerate(runs.tolist())
        for twin in config.same[run // config.num_seeds]
    ]
    rows, flat = zip(*places, strict=True)
    return np.array(rows), np.array(flat)


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


def run_labels(config: Sweep) -> dict[str, list]:
    """The values along each dimension of the runs: the axes, then the seed."""
    names = dimension_names(config.axes, config.base)
    axes = {names[path]: plugins.labels(path, values) for path, values in config.axes.items()}
    return axes | {"seed": list(range(config.seed, config.seed + config.num_seeds))}


def empty_dataset(config: Sweep) -> xr.Dataset:
    """The results' dataset, full of NaN: axes, then seed and round, then what a metric has."""
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
    return results.template(coords, shapes, about).assign_attrs(config=struct.to_dict(config))
