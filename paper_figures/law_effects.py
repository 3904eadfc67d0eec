"""What a law says of a configuration, and what its runs say: boundaries at three horizons.

Each effect takes the parts of all folders, one after another.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import xarray as xr

from avax.analysis import intervals, law, phase
from avax.analysis.intervals import Estimate
from paper_figures.claims import remembered

PARTS = ("sham", "frozen", "")
PLACES = {  # by the folder of their results
    "law": "reference",
    "law_rate_1e-3": "learning rate 1e-3",
}
QUARTER, HALF, ALL = "a quarter of the rounds", "half of them", "all rounds"
LEAST = 0.01  # share right of a length, at which a map begins: from 0 nothing is learned
SHARES = {QUARTER: 0.25, HALF: 0.5, ALL: 1.0}
SHAM, FROZEN, MAP = LAWS = "settled, sham", "settled, frozen", "map by length"


class Runs(NamedTuple):
    """What was run of a configuration."""

    sham: xr.Dataset
    frozen: xr.Dataset
    line: xr.Dataset

    @classmethod
    def known(cls, *datasets: xr.Dataset) -> Runs:
        """Those of the parts, without what runs say that have diverged."""
        return cls(*map(phase.until_diverged, datasets))

    @property
    def num_rounds(self) -> int:
        return self.line.sizes["round"] - 1

    @property
    def lowest_fnr(self) -> float:
        return self.line.attrs["config"]["base"]["verifier"]["fnr"]

    @property
    def pace(self) -> float:
        """How far a round moves a policy, of what it does in the main job: updates times learning
        rate. Not known of other learners.
        """
        learner = self.line.attrs["config"]["base"]["learner"]
        is_known = learner["type"] == "FilteredSFT"
        return learner["num_updates"] * learner["learning_rate"] / law.PACE if is_known else np.nan

    def of(self, picks: np.ndarray) -> Runs:
        """Those of some of the bases."""
        return Runs(*(data.isel(seed=picks) for data in self))


def window(runs: Runs, horizon: str) -> slice:
    """The last quarter of the rounds up to a horizon, over which accuracy is averaged."""
    last = int(runs.num_rounds * SHARES[horizon])
    return slice(max(1, last * 3 // 4 + 1), last + 1)


def settling(runs: Runs) -> slice:
    """The second quarter of all rounds, in which eps is read: rounds 11 to 20 of 40."""
    return slice(max(1, runs.num_rounds // 4 + 1), max(2, runs.num_rounds // 2 + 1))


def gains(dataset: xr.Dataset, rounds: slice) -> xr.DataArray:
    """Accuracy gained over the untouched base, mean over some rounds; -inf for a diverged run."""
    return phase.gain(dataset).isel(round=rounds).mean("round")


def measured(runs: Runs, horizon: str) -> Estimate:
    """The boundary ratio: of each base where its gain falls to 0, geometric mean over bases."""
    order = gains(runs.line, window(runs, horizon)).expand_dims(fnr=[runs.lowest_fnr])
    return phase.boundary_ratio(order)


class Seen(NamedTuple):
    """What a law takes from what was run without a verifier."""

    base: float  # accuracy of the untouched base
    eps: dict[str, float]  # of the settled law, by its name
    start: np.ndarray  # f[L], accuracy of the base by length
    kept: np.ndarray  # f[R + 1, L], see `law.kept`


def seen(runs: Runs) -> Seen:
    """Of the bases of which no run without a verifier has diverged."""
    free = runs.sham, runs.frozen
    whole = np.all([x.accuracy.notnull().all("round").values for x in free], axis=0)
    runs = runs.of(np.flatnonzero(whole))
    base = runs.sham.accuracy.isel(round=0).mean().item()
    trained = {SHAM: runs.sham, FROZEN: runs.frozen}
    eps = {
        rule: float(law.spoilt(base, x.accuracy.isel(round=settling(runs)).mean().item()))
        for rule, x in trained.items()
    }
    sham, frozen = (d.accuracy_by_difficulty.mean("seed") for d in (runs.sham, runs.frozen))
    start = np.maximum(sham.isel(round=0).values, LEAST)
    kept = law.kept(start, frozen.transpose("round", "difficulty").values)
    return Seen(base, eps, start, kept)


def predicted(runs: Runs, rule: str, horizon: str) -> float:
    """What a law says of these bases, from what was run without a verifier; NaN if nothing."""
    found = seen(runs)
    if rule != MAP:
        return float(law.settled(found.base, found.eps[rule]))
    if np.isnan(runs.pace):
        return np.nan
    paced = law.MAIN_JOB.faster(runs.pace)
    return paced.boundary(found.start, found.kept, window(runs, horizon))


def followed(runs: Runs, rule: str, ratio: float) -> np.ndarray:
    """f[R + 1]: the mean accuracy by round that a law says; NaN if it says nothing."""
    found = seen(runs)
    if rule != MAP:
        return law.trajectory(found.base, found.eps[rule], ratio, runs.num_rounds)
    if np.isnan(runs.pace):
        return np.full(runs.num_rounds + 1, np.nan)
    return law.MAIN_JOB.faster(runs.pace).trajectory(found.start, found.kept, ratio).mean(1)


@remembered
def prepared(*datasets: xr.Dataset) -> dict[str, Runs]:
    """What was run, by folder."""
    number = len(PARTS)
    folders = list(PLACES)[: len(datasets) // number]
    return {f: Runs.known(*datasets[i * number :][:number]) for i, f in enumerate(folders)}


def prediction(runs: Runs, rule: str, horizon: str) -> Estimate:
    """What a law says, with the jackknife's interval over bases."""
    with np.errstate(all="ignore"):
        return intervals.jackknife(
            np.arange(runs.line.sizes["seed"]),
            lambda picks: predicted(runs.of(picks), rule, horizon),
            log=True,
        )


def bounded(runs: Runs, ratio: float) -> float:
    """The logarithm of a ratio; one beyond what was run stands at its end."""
    ratios = runs.line.fpr.values / (1 - runs.lowest_fnr)
    return float(np.log(np.clip(ratio, ratios[ratios > 0].min(), ratios.max())))


def error(runs: Runs, rule: str, horizon: str) -> float:
    """log(predicted / measured); both ends of what was run stand for what lies beyond."""
    said, found = predicted(runs, rule, horizon), measured(runs, horizon).value
    return bounded(runs, said) - bounded(runs, found)


def factor(folder: str, rule: str, horizon: str, *datasets: xr.Dataset) -> Estimate:
    """Predicted over measured boundary of a configuration; every base is left out once."""
    runs = prepared(*datasets)[folder]
    with np.errstate(all="ignore"):
        return intervals.jackknife(
            np.arange(runs.line.sizes["seed"]),
            lambda picks: np.exp(error(runs.of(picks), rule, horizon)),
            log=True,
        )


def off(folder: str, rule: str, end: Callable, *datasets: xr.Dataset) -> Estimate:
    """How far what a law says is from mean accuracy, root mean square over rounds, at the lowest
    or at the highest FPR, `min` or `max`; every base is left out once.
    """
    runs = prepared(*datasets)[folder]
    fpr = end(runs.line.fpr.values)

    def of_bases(picks: np.ndarray) -> float:
        some = runs.of(picks)
        said = followed(some, rule, fpr / (1 - runs.lowest_fnr))
        found = some.line.accuracy.sel(fpr=fpr).mean("seed", skipna=False).values
        return float(np.sqrt(((said - found)[1:] ** 2).mean()))

    return intervals.jackknife(np.arange(runs.line.sizes["seed"]), of_bases)


def at_both_ends(rule: str) -> dict[str, Callable]:
    """How far off a law is in all configurations of which it says something."""
    ends = {"no errors": min, "no filter": max}
    return {
        f"{PLACES[f]}, {name}": partial(off, f, rule, end)
        for f in told_of(rule)
        for name, end in ends.items()
    }


def by_skill(folder: str, horizon: str, *datasets: xr.Dataset) -> Estimate:
    """How the logarithm of a base's boundary changes with 0.1 more of its accuracy, least squares;
    what lies beyond all that was run stands at its end.
    """
    runs = prepared(*datasets)[folder]
    skill = runs.sham.accuracy.isel(round=0).values / 0.1
    order = gains(runs.line, window(runs, horizon)).expand_dims(fnr=[runs.lowest_fnr])
    (found,) = phase.boundary(order).by_base
    places = np.array([bounded(runs, x / (1 - runs.lowest_fnr)) for x in found])

    def slope(picks: np.ndarray) -> float:
        return float(np.polyfit(skill[picks], places[picks], 1)[0])

    return intervals.jackknife(np.arange(len(skill)), slope)


def told_of(rule: str) -> list[str]:
    """The folders of configurations of which a law says something."""
    return [f for f in PLACES if not (rule == MAP and f == "law_grpo")]


def of_skill(horizon: str) -> dict[str, Callable]:
    """The change with a base's accuracy in all configurations."""
    return {PLACES[f]: partial(by_skill, f, horizon) for f in PLACES}


def everywhere(rule: str, horizon: str) -> dict[str, Callable]:
    """The factor of all configurations of which the law says something."""
    return {PLACES[f]: partial(factor, f, rule, horizon) for f in told_of(rule)}


def worse_than_constant(rule: str, horizon: str, *datasets: xr.Dataset) -> Estimate:
    """Root mean square of a law's errors minus that of the best constant, which is fitted on these
    very boundaries; the jackknife's interval over bases. Below 0 the law is better.
    """
    found = prepared(*datasets)
    if rule == MAP:
        found = {name: runs for name, runs in found.items() if not np.isnan(runs.pace)}

    def excess(picks: np.ndarray) -> float:
        each = [runs.of(picks) for runs in found.values()]
        errors = np.array([error(runs, rule, horizon) for runs in each])
        places = np.array([bounded(x, measured(x, horizon).value) for x in each])
        return float(np.sqrt((errors**2).mean()) - places.std())

    num_bases = min(runs.line.sizes["seed"] for runs in found.values())
    with np.errstate(all="ignore"):
        return intervals.jackknife(np.arange(num_bases), excess)
