"""What an experiment's parts and figure take for granted, checked before anything runs.

A config says it once, as `NEEDS`; the script of every experiment asks here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any

import numpy as np
import xarray as xr

from avax import plotting, results, struct
from avax.fields import ConfigError
from avax.results import roots
from avax.sweeps import adaptive, design
from avax.sweeps.controls import parts as control_parts
from avax.sweeps.sweep import Sweep
from avax.sweeps.tables import empty_dataset, plugin_metrics
from avax.sweeps.validate import validate
from avax.verifiers import Hashed, Oracle, StepOracle, Systematic

# Verifiers that know the truth, and err at the rates of their own fields alone.
ORACLES = (Oracle, StepOracle, Hashed, Systematic)
ANY = "experiments/run.py takes any"


@dataclasses.dataclass(frozen=True)
class Needs:
    """What a sweep must be, so that the parts can be made of it and the figure be drawn.

    Attributes:
      axes: all axes, by dotted path, or by their last name where the plug-in doesn't matter: how
        many values each has at least, or which.
      kinds: fields of the base that must be of a class, by dotted path.
      values: fields of the base that the parts set, by dotted path, and what they are until then.
      num_rounds: rounds, at least.
      metrics: what a probe has to measure.
    """

    axes: Mapping[str, int | tuple] = dataclasses.field(default_factory=dict)
    kinds: Mapping[str, type | tuple[type, ...]] = dataclasses.field(default_factory=dict)
    values: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    num_rounds: int = 1
    metrics: tuple[str, ...] = ()

    def check(self, sweep: Sweep) -> None:
        """Raises ConfigError for the first thing that is missing."""
        for path, kind in self.kinds.items():
            if not isinstance(value := _get(sweep.base, path), kind):
                names = [k.__name__ for k in (kind if isinstance(kind, tuple) else (kind,))]
                raise ConfigError(
                    f"base.{path}: is {_named(value)}, must be {' or '.join(names)} here, as the "
                    f"parts and the figure say; {ANY}"
                )
        for path, wanted in self.values.items():
            if (value := _get(sweep.base, path)) != wanted:
                raise ConfigError(
                    f"base.{path}: is {_named(value)}, must be {_named(wanted)} here: the parts of "
                    f"this experiment set it; {ANY}"
                )
        self._check_axes(sweep.axes)
        if sweep.base.num_rounds < self.num_rounds:
            raise ConfigError(
                f"base.num_rounds: is {sweep.base.num_rounds}, must be at least {self.num_rounds}"
            )
        found = plugin_metrics(sweep)
        if missing := [name for name in self.metrics if name not in found]:
            raise ConfigError(f"base.probe: must measure {', '.join(missing)} for the figure")

    def _check_axes(self, axes: Mapping[str, tuple]) -> None:
        found = {_key(path, self.axes): values for path, values in axes.items()}
        if set(found) != set(self.axes):
            wanted, given = (", ".join(names) or "none" for names in (self.axes, axes))
            raise ConfigError(
                f"axes: are {given}, must be {wanted} here (one that a plug-in lacks is left "
                f"out); {ANY}"
            )
        for name, wanted in self.axes.items():
            values = found[name]
            if isinstance(wanted, tuple) and values != wanted:
                listed = ", ".join(map(str, wanted))
                raise ConfigError(f"axes.{name}: must be {listed}: the figure compares these")
            if isinstance(wanted, int) and len(values) < wanted:
                raise ConfigError(f"axes.{name}: needs at least {wanted} values")


def parts(config: ModuleType, sweep: Sweep, controls: Iterable[str] = ()) -> dict[str, Sweep]:
    """The sweeps of an experiment's parts, by folder, and behind them those of its controls.

    Raises:
      ConfigError: if they can't be made or run.
    """
    if config.NEEDS:
        config.NEEDS.check(sweep)
    try:
        found = config.parts(sweep)
    except (AttributeError, TypeError) as error:  # of a plug-in without what the parts change
        raise ConfigError(
            f"base: the parts of this experiment can't be made of it ({error}); {ANY}"
        ) from error
    found = {name: adaptive.trace_if_possible(part) for name, part in found.items()}
    try:
        found |= control_parts(sweep, controls, found)
    except ConfigError as error:
        raise ConfigError(f"{error}; --controls chooses others") from error
    for name, part in found.items():
        try:
            validate(part)
        except ConfigError as error:
            raise ConfigError(f"{error}, in the part {name}" if name else str(error)) from error
    return found


def shown(figure: ModuleType, parts: Mapping[str, Any]) -> list[Any]:
    """What a figure takes of an experiment's parts: those that its PARTS name, None for a control
    that is not among them; if it names none, all that are no controls.
    """
    own = [name for name in parts if not roots.is_control(name)]
    return [parts.get(name) for name in getattr(figure, "PARTS", own)]


def rehearse(figure: ModuleType, sweeps: Mapping[str, Sweep]) -> None:
    """Draws made-up results of the parts; ConfigError if that fails, as it would after the run."""
    datasets = [sweep and made_up(sweep) for sweep in shown(figure, sweeps)]
    for step in (*plotting.drawings(figure).values(), figure.summary):
        try:
            step(*datasets)
        except Exception as error:  # results of something else lack any of many things
            why = f"{type(error).__name__}: {results.one_line(error)}"
            raise ConfigError(
                f"base, axes: this experiment's figure can't be drawn from such runs ({why}); {ANY}"
            ) from error


def made_up(sweep: Sweep) -> xr.Dataset:
    """A dataset as a sweep leaves it, with random numbers between 0 and 1; no run diverged, all
    bases were admitted.
    """
    admitted = np.ones(sweep.num_seeds, bool)
    dataset, rng = empty_dataset(sweep, admitted, admitted), np.random.default_rng(0)
    for array in dataset.values():
        array.values[...] = rng.random(array.shape)
    dataset.diverged.values[...] = 0
    made = design.made(sweep, admitted).reshape(*sweep.shape, sweep.num_seeds)
    runs = xr.DataArray(made, dims=dataset.diverged.dims[: made.ndim])
    return dataset if made.all() else dataset.where(runs)


def _get(node: Any, path: str) -> Any:
    """The value at a dotted path, None if there is none."""
    try:
        return struct.get(node, path)
    except AttributeError:
        return None


def _key(path: str, names: Mapping[str, Any]) -> str:
    last = path.rpartition(".")[2]
    return last if last in names else path


def _named(value: Any) -> str:
    if value is None:
        return "none"
    return type(value).__name__ if dataclasses.is_dataclass(value) else str(value)
