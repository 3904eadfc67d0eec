"""A sweep: one experiment, axes given as dotted fields of it, and seeds."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from avax import struct
from avax.fields import check_value
from avax.loop import Experiment
from avax.policies.pretrain import Pretraining
from avax.sweeps import plugins

# Fields that change rounding alone, and those that change not even that. Results that are older
# than these keep their names.
INVISIBLE = ("segment", "engine", "ray_address", "keep_policies")
EXECUTION = ("tile_width", "placement", "optimization", *INVISIBLE)
# Fields that decide which runs there are, and what they draw: results depend on them.
DESIGN = ("base_criterion", "design", "num_runs", "common_random_numbers")


@dataclasses.dataclass(frozen=True)
class Sweep:
    """What is run, and the whole of it: the same sweep gives the same results.

    Attributes:
      base: the experiment that the axes vary.
      pretraining: how the base policies are trained, once per seed.
      axes: the values of each swept field, by its dotted path in `base`: numbers, or plug-ins (or
        their names). A number that only some of these plug-ins have is swept where it exists.
      num_seeds: base policies of the pool, one for each seed; each setting is run from each of
        them, unless `design` says otherwise.
      seed: the first seed; the others follow it.
      base_criterion: a base is admitted if it is right on at least this share of problems at each
        difficulty that it was trained on; from others nothing is run.
      design: `all`, each setting with each admitted base; or `balanced`, each setting with
        `num_runs` of them, which differ between neighbours, and all bases equally often.
      num_runs: bases of each setting in a balanced design.
      common_random_numbers: the runs of a base draw the same in all settings, for contrasts between
        them in pairs; else each run draws by itself.
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
    base_criterion: float = struct.static(0.0, low=0, high=1)
    design: str = struct.static("all", choices=("all", "balanced"))
    num_runs: int = struct.static(1, low=1)
    common_random_numbers: bool = struct.static(False)
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
            value = getattr(self, field.name)
            check_value(field.name, field, value)
            if not dataclasses.is_dataclass(value) and field.name != "axes":
                object.__setattr__(self, field.name, struct.as_type(field, value))
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
        """What a user should know of `lacking`, a line for each axis, and of the design."""
        lines = [
            f"axes.{path}: those without it ({', '.join(names)}) have equal results at each value"
            for path, names in self.lacking.items()
        ]
        if self.design == "balanced":
            lines.append(
                f"design balanced: each setting is run from {self.num_runs} of a pool of "
                f"{self.num_seeds} bases, its neighbours from others, where there are enough"
            )
        if self.common_random_numbers:
            lines.append(
                "common random numbers: the runs of a base draw the same in all settings, so that "
                "settings are to be compared base by base"
            )
        return lines

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
