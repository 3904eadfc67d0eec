"""What the claims about laws of the boundary measure: effects as functions of the shipped runs.

Each takes the parts of all folders, one after another.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import xarray as xr

from avax.analysis import intervals, phase
from avax.analysis.intervals import Estimate
from paper_figures.claims import remembered
from paper_figures.law import (
    ALL,
    BY_BASE,
    HORIZONS,
    PARTS,
    QUARTER,
    Runs,
    bounded,
    error,
    followed,
    gains,
    place,
    predicted,
    window,
)

PLACES = {  # by the folder of their results
    "law": "reference",
    "law_rate_1e-3": "learning rate 1e-3",
    "law_fnr_0.5": "FNR 0.5",
    "law_base_data": "0.75 base data",
    "law_rate_6e-3": "learning rate 6e-3",
    "law_distinct_128": "128 problems in all",
    "law_updates_8": "8 updates a round",
}


@remembered
def prepared(*datasets: xr.Dataset) -> dict[str, Runs]:
    """What was run, by folder."""
    number = len(PARTS)
    folders = list(PLACES)[: len(datasets) // number]
    return {f: Runs.known(*datasets[i * number :][:number]) for i, f in enumerate(folders)}


def factor(folder: str, rule: str, how: str, horizon: str, *datasets: xr.Dataset) -> Estimate:
    """Predicted over measured boundary of a configuration; every base is left out once. Unbounded
    if the measured one may lie beyond what was run.
    """
    runs = prepared(*datasets)[folder]

    def of_bases(picks: np.ndarray) -> float:
        some = runs.of(picks)
        return np.divide(predicted(some, rule, horizon), place(some, horizon, how))

    with np.errstate(all="ignore"):
        return intervals.jackknife(np.arange(runs.line.sizes["seed"]), of_bases, log=True)


def off(folder: str, rule: str, end: Callable, *datasets: xr.Dataset) -> Estimate:
    """How far what a law says is from mean accuracy, root mean square over rounds, at the lowest
    or at the highest FPR, `min` or `max`; every base is left out once.
    """
    runs = prepared(*datasets)[folder]
    fpr = end(runs.line.fpr.values)

    def of_bases(picks: np.ndarray) -> float:
        some = runs.of(picks)
        said = followed(some, rule, fpr / (1 - runs.fnr))
        found = some.line.accuracy.sel(fpr=fpr).mean("seed", skipna=False).values
        return float(np.sqrt(((said - found)[1:] ** 2).mean()))

    return intervals.jackknife(np.arange(runs.line.sizes["seed"]), of_bases)


def at_both_ends(rule: str) -> dict[str, Callable]:
    """How far off a law is in all configurations of which it says something."""
    ends = {"no errors": min, "no filter": max}
    return {
        f"{PLACES[f]}, {name}": partial(off, f, rule, end)
        for f in PLACES
        for name, end in ends.items()
    }


def by_skill(folder: str, horizon: str, *datasets: xr.Dataset) -> Estimate:
    """How the logarithm of a base's boundary changes with 0.1 more of its accuracy, least squares;
    what lies beyond all that was run stands at its end.
    """
    runs = prepared(*datasets)[folder]
    skill = runs.sham.accuracy.isel(round=0).values / 0.1
    order = gains(runs.line, window(runs, horizon)).expand_dims(fnr=[runs.fnr])
    (found,) = phase.boundary(order).by_base
    places = np.array([bounded(runs, x / (1 - runs.fnr)) for x in found])

    def slope(picks: np.ndarray) -> float:
        return float(np.polyfit(skill[picks], places[picks], 1)[0])

    return intervals.jackknife(np.arange(len(skill)), slope)


def against(folder: str, other: str, horizon: str, *datasets: xr.Dataset) -> Estimate:
    """The boundary ratio of one configuration over that of another, from the same bases; unbounded
    if either may lie beyond what was run.
    """
    found = prepared(*datasets)
    one, two = found[folder], found[other]

    def quotient(picks: np.ndarray) -> float:
        return np.divide(*(place(x.of(picks), horizon, BY_BASE) for x in (one, two)))

    with np.errstate(all="ignore"):
        return intervals.jackknife(np.arange(one.line.sizes["seed"]), quotient, log=True)


def risen(folder: str, ratio: float, *datasets: xr.Dataset) -> Estimate:
    """Accuracy gained at a ratio after all rounds, less that after a quarter of them."""
    runs = prepared(*datasets)[folder]
    line = runs.line.isel(fpr=int(np.abs(runs.ratios - ratio).argmin()))
    return intervals.paired(*(gains(line, window(runs, h)) for h in (ALL, QUARTER)))


def in_all(effect: Callable, *args) -> dict[str, Callable]:
    """An effect in all configurations."""
    return {PLACES[f]: partial(effect, f, *args) for f in PLACES}


def at_all_horizons(effect: Callable, *args) -> dict[str, Callable]:
    """An effect at three horizons."""
    return {h: partial(effect, *args, h) for h in HORIZONS}


def everywhere(rule: str, how: str, horizon: str) -> dict[str, Callable]:
    """The factor of all configurations of which the law says something."""
    return {PLACES[f]: partial(factor, f, rule, how, horizon) for f in PLACES}


def worse_than_constant(rule: str, how: str, horizon: str, *datasets: xr.Dataset) -> Estimate:
    """Root mean square of a law's errors minus that of the best constant, which is fitted on these
    very boundaries; the jackknife's interval over bases. Below 0 the law is better.
    """
    found = prepared(*datasets)

    def excess(picks: np.ndarray) -> float:
        each = [runs.of(picks) for runs in found.values()]
        errors = np.array([error(runs, rule, horizon, how) for runs in each])
        said = [bounded(x, predicted(x, rule, horizon)) for x in each]
        places = said - errors
        return float(np.sqrt((errors**2).mean()) - places.std())

    num_bases = min(runs.line.sizes["seed"] for runs in found.values())
    with np.errstate(all="ignore"):
        return intervals.jackknife(np.arange(num_bases), excess)
