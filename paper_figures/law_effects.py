"""What the claims about laws of the boundary measure: effects as functions of the shipped runs.

Each takes the names of the folders first, and then the parts of all of them, one after another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import numpy as np
import xarray as xr

from avax.analysis import intervals, law, phase
from avax.analysis.intervals import Estimate
from paper_figures import law_errors
from paper_figures.claims import remembered
from paper_figures.law import (
    ALL,
    HORIZONS,
    ODDS,
    PARTS,
    QUARTER,
    Read,
    Runs,
    bounded,
    crossing,
    gains,
    predicted,
    read,
    window,
)
from paper_figures.law_places import FITTED_ON, NAMES, family

CONSTANT = "one number"

Folders = Iterable[str]
Effect = Callable[..., Estimate]


@remembered
def prepared(*datasets: xr.Dataset) -> list[tuple[Runs, Read]]:
    """What was run, and what is read of it, of each folder."""
    number = len(PARTS)
    each = [Runs.known(*datasets[i : i + number]) for i in range(0, len(datasets), number)]
    return [(runs, read(runs)) for runs in each]


def of_folders(folders: Folders, datasets: tuple) -> dict[str, tuple[Runs, Read]]:
    return dict(zip(folders, prepared(*datasets), strict=True))


def logs_of(
    rule: str, horizon: str, only: Folders, folders: Folders, datasets: tuple, scale=bounded
) -> law_errors.Logs:
    """What a law says of some of the configurations beside what was measured."""
    found = of_folders(folders, datasets)
    reads = [found[name][1] for name in only]
    return law_errors.logs(rule, horizon, reads, [family(name) for name in only], scale)


def own(
    rule: str, scale, horizon: str, only: Folders, folders: Folders, *datasets: xr.Dataset
) -> Estimate:
    """A law's own error over some of the configurations; `scale` as in `law_errors.logs`."""
    return law_errors.own_error(logs_of(rule, horizon, only, folders, datasets, scale))


def beyond(
    rule: str,
    other: str,
    scale,
    horizon: str,
    only: Folders,
    folders: Folders,
    *datasets: xr.Dataset,
) -> Estimate:
    """How much farther off a law is than another, or than one number: the mean on that scale of
    what was measured of the configurations that laws were fitted on. `scale` as in
    `law_errors.logs`.
    """
    found = logs_of(rule, horizon, only, folders, datasets, scale)
    if other == CONSTANT:
        old = logs_of(rule, horizon, tuple(FITTED_ON), folders, datasets, scale)
        if old.seeds != found.seeds:
            raise ValueError(f"bases of one pool: {old.seeds} and {found.seeds}")
        compared = found._replace(said=old.found.mean(1, keepdims=True) + 0 * found.found)
    else:
        compared = logs_of(other, horizon, only, folders, datasets, scale)
    return law_errors.beyond(found, compared)


def error_between(horizon: str, only: Folders, folders: Folders, *datasets: xr.Dataset) -> Estimate:
    """How far gains at ratios between the ends are from the law from both ends, less how far they
    are from a straight line, root mean square over ratios and configurations; every base is left
    out once.
    """
    found = of_folders(folders, datasets)
    reads = [found[name][1] for name in only]

    def apart(seed: int | None) -> float:
        each = [x.of(np.flatnonzero(x.seeds != seed)) for x in reads]
        squares = (np.mean([_square(x, horizon, k) for x in each]) for k in (ODDS[horizon], 0.0))
        return float(np.subtract(*map(np.sqrt, squares)))

    seeds = sorted({int(seed) for each in reads for seed in each.seeds})
    value, error = apart(None), intervals.jackknife_error(np.array([apart(x) for x in seeds]))
    half = float(intervals.quantile_of_t(len(seeds)) * error)
    return Estimate(value, value - half, value + half, min(len(x.seeds) for x in reads))


def _square(found: Read, horizon: str, odds: float) -> float:
    gained = found.gained[:, HORIZONS.index(horizon)].mean(0)
    said = law.gained_at(found.ratios, gained[0], -gained[-1], odds)
    return float(((said - gained)[1:-1] ** 2).mean())


def by_skill(horizon: str, folders: Folders, *datasets: xr.Dataset) -> Estimate:
    """How the logarithm of a base's boundary, mean over configurations of the same bases, changes
    with 0.1 more of its accuracy, least squares; what lies beyond all that was run stands at its
    end.
    """
    found = of_folders(folders, datasets)
    base = next(iter(found.values()))[1].base
    found = {name: each for name, each in found.items() if np.array_equal(each[1].base, base)}
    tables = [
        xr.DataArray(
            np.stack([own_boundaries(*each, horizon), each[1].base / 0.1]),
            {"seed": each[1].seeds},
            ("what", "seed"),
        )
        for each in found.values()
    ]
    boundaries, skill = np.mean(xr.align(*tables, join="inner"), axis=0)

    def slope(picks: np.ndarray) -> float:
        return float(np.polyfit(skill[picks], boundaries[picks], 1)[0])

    return intervals.jackknife(np.arange(len(skill)), slope)


def own_boundaries(runs: Runs, found: Read, horizon: str) -> np.ndarray:
    """f[S]: logarithms of the boundaries of single bases."""
    order = gains(runs.whole.line, window(runs, horizon)).expand_dims(fnr=[runs.fnr])
    (places,) = phase.boundary(order).by_base
    return np.array([bounded(found, x / (1 - runs.fnr)) for x in places])


def against(
    folder: str, other: str, horizon: str, folders: Folders, *datasets: xr.Dataset
) -> Estimate:
    """The boundary ratio of one configuration over that of another, of the mean over the bases that
    both have; unbounded if either may lie beyond what was run.
    """
    found = of_folders(folders, datasets)
    one, two = found[folder][1], found[other][1]
    _, first, second = np.intersect1d(one.seeds, two.seeds, return_indices=True)

    def quotient(picks: np.ndarray) -> float:
        pair = one.of(first[picks]), two.of(second[picks])
        return np.divide(*(crossing(x, horizon) for x in pair))

    with np.errstate(all="ignore"):
        return intervals.jackknife(np.arange(len(first)), quotient, log=True)


def beside(which: Folders, other: str, folders: Folders) -> dict[str, Effect]:
    """The boundaries of some configurations over that of another, at three horizons."""
    return {
        f"{NAMES[f]}, {h}": partial(against, f, other, h, folders) for f in which for h in HORIZONS
    }


def factor(
    folder: str, rule: str, horizon: str, folders: Folders, *datasets: xr.Dataset
) -> Estimate:
    """What a law says of one configuration over its measured boundary; unbounded if that may lie
    beyond what was run.
    """
    return factor_of(of_folders(folders, datasets)[folder][1], rule, horizon)


def factor_of(found: Read, rule: str, horizon: str) -> Estimate:
    """The same of what was read; every base is left out once."""

    def of_bases(picks: np.ndarray) -> float:
        some = found.of(picks)
        return np.divide(predicted(some, rule, horizon), crossing(some, horizon))

    with np.errstate(all="ignore"):
        return intervals.jackknife(found.units, of_bases, log=True)


def gained(
    folder: str, ratio: float, horizon: str, folders: Folders, *datasets: xr.Dataset
) -> Estimate:
    """What is gained over the untouched base at a ratio."""
    each = of_folders(folders, datasets)[folder][1]
    at = int(np.abs(each.ratios - ratio).argmin())
    return intervals.mean(each.gained[:, HORIZONS.index(horizon), at])


def risen(folder: str, ratio: float, folders: Folders, *datasets: xr.Dataset) -> Estimate:
    """Accuracy gained at a ratio after all rounds, less that after a quarter of them."""
    each = of_folders(folders, datasets)[folder][1]
    at = int(np.abs(each.ratios - ratio).argmin())
    last, first = (each.gained[:, HORIZONS.index(h), at] for h in (ALL, QUARTER))
    return intervals.mean(last - first)
