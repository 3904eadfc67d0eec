"""The settings of any sweep: its axes, their names and values in words, and which are drawn."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import xarray as xr

from avax.analysis import lengths, phase, seeds
from avax.plotting import colour_map

# Tol's muted colours: for names, which have no order; none is the black of the base.
NAMED = "#332288 #CC6677 #117733 #DDCC77 #88CCEE #882255 #44AA99 #AA4499".split()
# Fields that decide what the base policy is; without them all settings begin with the same one.
OF_BASE = ("task", "base_task", "base_difficulty", "snapshot", "pretraining")
RATES = {"fpr": "FPR = P(accept | wrong)", "fnr": "FNR = P(reject | right)"}

At = dict[str, int]  # a setting: the index of its value on each axis, by dimension


class Study(NamedTuple):
    """A sweep made ready to be drawn.

    Attributes:
      dataset: numeric axes sorted, axes of one value taken out.
      axes: dimensions that have several values.
      fixed: the value of every other axis.
      gain: solved length after the last round minus the base's, by axes and seed; -inf if the run
        diverged, NaN if it was not done.
    """

    dataset: xr.Dataset
    axes: tuple[str, ...]
    fixed: dict[str, str]
    gain: xr.DataArray

    @property
    def numeric(self) -> list[str]:
        return [name for name in self.axes if is_numeric(self.dataset[name])]

    @property
    def named(self) -> list[str]:
        return [name for name in self.axes if not is_numeric(self.dataset[name])]

    @property
    def run(self) -> xr.DataArray:
        """Which settings were run, each with its own seeds."""
        return phase.measured(self.gain)

    @property
    def num_each(self) -> int:
        """Seeds that a setting was run with, at most: fewer than there are in a balanced design, or
        where bases were left out.
        """
        return int(self.gain.notnull().sum("seed").max())


def study(dataset: xr.Dataset) -> Study:
    """A dataset as `avax.load` gives it, with any axes before `seed` and `round`."""
    every = [str(d) for d in dataset.accuracy.dims if d not in ("seed", "round")]
    dataset = dataset.sortby([d for d in every if is_numeric(dataset[d])])
    single = [d for d in every if dataset.sizes[d] == 1]
    fixed = {d: shown(dataset[d].values[0]) for d in single}
    dataset = dataset.isel({d: 0 for d in single})
    axes = tuple(d for d in every if d not in single)
    return Study(dataset, axes, fixed, lengths.final_gain(dataset).transpose(*axes, "seed"))


def is_numeric(axis: xr.DataArray) -> bool:
    """Whether the values of an axis are numbers; yes and no are names."""
    return np.issubdtype(axis.dtype, np.number)


def shown(value: object) -> str:
    """A value of an axis, briefly."""
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return str(value)
    return f"{value:.3g}" if isinstance(value, float | np.floating) else str(value)


def path_of(dataset: xr.Dataset, dim: str) -> str:
    """The dotted path of an axis's field, as far as the configuration tells."""
    paths = dataset.attrs["config"].get("axes", {})
    return next((p for p in paths if p == dim or p.rpartition(".")[2] == dim), dim)


def label_of(dataset: xr.Dataset, dim: str) -> str:
    """What an axis is called beside a plot."""
    path = path_of(dataset, dim)
    if dim in RATES and path in (dim, f"verifier.{dim}"):
        return f"verifier's {RATES[dim]}"
    return path


def shares_base(study: Study) -> bool:
    """Whether all settings begin with the same policy, seed by seed."""
    return not any(path_of(study.dataset, dim).split(".")[0] in OF_BASE for dim in study.axes)


class Line(NamedTuple):
    """A setting whose rounds are drawn, and how."""

    at: At
    name: str
    style: dict[str, object]


def name_of(study: Study, at: At, in_full: bool = False) -> str:
    """The values of a setting, names first; the axis of a number is named, too, if there
    are several axes, or `in_full`; that of a name if several axes have names.
    """
    values = {d: shown(study.dataset[d].values[i]) for d, i in at.items()}
    if len(study.axes) <= 1 and not in_full:
        return "".join(values.values())
    are_unclear = len(study.named) > 1
    named = [
        f"{d} {v}" if are_unclear or v in ("True", "False") else v
        for d, v in values.items()
        if d in study.named
    ]
    return ", ".join(named + [f"{d} {v}" for d, v in values.items() if d in study.numeric])


def lines(study: Study, chosen: Iterable[At], ordered: bool, letters: bool = False) -> list[Line]:
    """Settings with a colour and a marker each: of a scale if they are in an order."""
    chosen = list(chosen)
    scale = colour_map("viridis")(np.linspace(0, 0.9, len(chosen)))
    found = []
    for i, at in enumerate(chosen):
        name = name_of(study, at)
        colour = tuple(scale[i]) if ordered else NAMED[i % len(NAMED)]
        style = {"color": colour, "marker": "os^Dv<>P"[i % 8]}
        found.append(Line(at, f"{chr(65 + i)}: {name}" if letters else name, style))
    return found


def spread(size: int, most: int) -> list[int]:
    """At most so many indices, evenly spread, both ends included."""
    return sorted({round(float(x)) for x in np.linspace(0, size - 1, min(most, size))})


def along(study: Study, most: int) -> list[At]:
    """Settings of the only axis that were run: evenly spread over numbers, the first of names."""
    (dim,) = study.axes
    run = np.flatnonzero(study.run.values)
    few = run[:most] if dim in study.named else run[spread(len(run), most)]
    return [{dim: int(i)} for i in few]


def corners(study: Study) -> list[At]:
    """The corners and the middle of two axes, or the settings nearest to them that were run."""
    rows, columns = (study.dataset.sizes[d] - 1 for d in study.axes)
    wanted = [*itertools.product((0, rows), (0, columns)), (rows / 2, columns / 2)]
    found: list[At] = []
    for target in wanted:
        at = nearest(study, dict(zip(study.axes, target, strict=True)))
        if at and at not in found:
            found.append(at)
    return found


def middle(study: Study) -> At | None:
    """The setting in the middle of all axes, or the one nearest to it that was run."""
    return nearest(study, {d: (study.dataset.sizes[d] - 1) / 2 for d in study.axes})


def nearest(study: Study, target: Mapping[str, float]) -> At | None:
    """The setting that was run and is nearest to some indices, as shares of each axis; None if
    none was.
    """
    places = np.argwhere(study.run.values)
    if not len(places):
        return None
    shares = (places - [target[d] for d in study.axes]) / study.run.shape
    best = places[np.argmin((shares**2).sum(1))]
    return {d: int(i) for d, i in zip(study.axes, best, strict=True)}


def part(study: Study, at: At) -> Study:
    """The settings that have some values."""
    axes = tuple(d for d in study.axes if d not in at)
    return Study(study.dataset.isel(at), axes, study.fixed, study.gain.isel(at))


def mean_by_setting(study: Study) -> xr.DataArray:
    """Mean gain of the seeds, by axes: -inf if a run diverged, NaN if the setting was not run."""
    mean = seeds.mean(study.gain.transpose("seed", ...).values)
    return study.gain.isel(seed=0, drop=True).copy(data=mean).where(study.run)
