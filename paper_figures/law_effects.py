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
from paper_figures import law_scores
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
    followed,
    gains,
    read,
    window,
)

FOUND_ON = {  # what laws were found on
    "law": "reference",
    "law_rate_1e-3": "learning rate 1e-3",
    "law_fnr_0.5": "FNR 0.5",
    "law_base_data": "0.75 base data",
    "law_rate_6e-3": "learning rate 6e-3",
    "law_distinct_128": "128 problems in all",
    "law_updates_8": "8 updates a round",
}
NEW = {  # run when all laws had been written down
}
FRONTIERS = {}
GRPO = {}
PLACES = FOUND_ON | NEW | FRONTIERS | GRPO  # names by the folder of their results
FIXED = tuple(FOUND_ON | NEW)  # fine-tuned on one range of lengths

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


def score(
    rule: str,
    horizon: str,
    measure: Callable[[law_scores.Places], float],
    only: Folders,
    folders: Folders,
    *datasets: xr.Dataset,
) -> Estimate:
    """How far a law is off in some of the configurations; see `law_scores`."""
    found = of_folders(folders, datasets)
    places = law_scores.places(rule, horizon, tuple(found[name][1] for name in only))
    if measure is law_scores.own:
        measure = partial(measure, noise=law_scores.errors(places))
    return law_scores.of_all(places, measure, log=measure is law_scores.typical)


def at_horizons(rule: str, measure: Callable, only: Folders, folders: Folders) -> dict[str, Effect]:
    """A score at each of three horizons."""
    return {h: partial(score, rule, h, measure, only, folders) for h in HORIZONS}


def between_ends(horizon: str, only: Folders, folders: Folders, *datasets: xr.Dataset) -> Estimate:
    """How far gains at ratios between the ends are from the law from both ends, root mean square
    over ratios and configurations; every base is left out once.
    """
    found = of_folders(folders, datasets)
    reads = [found[name][1] for name in only]
    at = HORIZONS.index(horizon)

    def of_bases(picks: np.ndarray) -> float:
        squares = []
        for each in (x.of(picks) for x in reads):
            gained = each.gained[:, at].mean(0)
            said = law.gained_at(each.ratios, gained[0], -gained[-1], ODDS[horizon])
            squares.append(((said - gained)[1:-1] ** 2).mean())
        return float(np.sqrt(np.mean(squares)))

    return intervals.jackknife(np.arange(min(len(x.gained) for x in reads)), of_bases, log=True)


def off(rule: str, end: Callable, folders: Folders, *datasets: xr.Dataset) -> Estimate:
    """How far what a law says is from mean accuracy, root mean square over rounds and
    configurations, at the lowest or at the highest FPR, `min` or `max`; every base is left out
    once.
    """
    found = list(of_folders(folders, datasets).values())
    lines = [x.line.accuracy.transpose("seed", "round", "fpr").values for x, _ in found]

    def of_bases(picks: np.ndarray) -> float:
        squares = []
        for (runs, each), line in zip(found, lines, strict=True):
            at = list(runs.ratios).index(end(runs.ratios))
            said = followed(each.of(picks), rule, runs.ratios[at])
            squares.append(((said - line[picks][:, :, at].mean(0))[1:] ** 2).mean())
        return float(np.sqrt(np.nanmean(squares)))

    return intervals.jackknife(np.arange(min(map(len, lines))), of_bases)


def at_both_ends(rule: str, folders: Folders) -> dict[str, Effect]:
    ends = {"no errors": min, "no filter": max}
    return {name: partial(off, rule, end, folders) for name, end in ends.items()}


def by_skill(horizon: str, folders: Folders, *datasets: xr.Dataset) -> Estimate:
    """How the logarithm of a base's boundary, mean over configurations, changes with 0.1 more of
    its accuracy, least squares; what lies beyond all that was run stands at its end.
    """
    found = list(of_folders(folders, datasets).values())
    number = min(len(each.base) for _, each in found)
    skill = np.mean([each.base[:number] for _, each in found], 0) / 0.1
    boundaries = np.mean([own_boundaries(*each, horizon)[:number] for each in found], 0)

    def slope(picks: np.ndarray) -> float:
        return float(np.polyfit(skill[picks], boundaries[picks], 1)[0])

    return intervals.jackknife(np.arange(number), slope)


def own_boundaries(runs: Runs, found: Read, horizon: str) -> np.ndarray:
    """f[S]: logarithms of the boundaries of single bases."""
    order = gains(runs.line, window(runs, horizon)).expand_dims(fnr=[runs.fnr])
    (places,) = phase.boundary(order).by_base
    return np.array([bounded(found, x / (1 - runs.fnr)) for x in places])


def against(
    folder: str, other: str, horizon: str, folders: Folders, *datasets: xr.Dataset
) -> Estimate:
    """The boundary ratio of one configuration over that of another, of the mean over bases of equal
    numbers; unbounded if either may lie beyond what was run.
    """
    found = of_folders(folders, datasets)
    one, two = found[folder][1], found[other][1]

    def quotient(picks: np.ndarray) -> float:
        return np.divide(*(crossing(x.of(picks), horizon) for x in (one, two)))

    with np.errstate(all="ignore"):
        units = np.arange(min(len(one.gained), len(two.gained)))
        return intervals.jackknife(units, quotient, log=True)


def beside(which: Folders, other: str, folders: Folders) -> dict[str, Effect]:
    """The boundaries of some configurations over that of another, at three horizons."""
    return {
        f"{PLACES[f]}, {h}": partial(against, f, other, h, folders) for f in which for h in HORIZONS
    }


def risen(ratio: float, folders: Folders, *datasets: xr.Dataset) -> Estimate:
    """Accuracy gained at a ratio after all rounds, less that after a quarter of them, mean over
    configurations.
    """
    found = [each for _, each in of_folders(folders, datasets).values()]
    number = min(len(each.gained) for each in found)
    last, first = HORIZONS.index(ALL), HORIZONS.index(QUARTER)
    rises = []
    for each in found:
        at = int(np.abs(each.ratios - ratio).argmin())
        rises.append((each.gained[:, last, at] - each.gained[:, first, at])[:number])
    return intervals.mean(np.mean(rises, 0))
