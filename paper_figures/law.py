"""What a law says of a configuration, and what its runs say: boundaries at three horizons."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr

from avax.analysis import intervals, law, monotone, phase
from avax.analysis.intervals import Estimate

PARTS = ("sham", "frozen", "")
QUARTER, HALF, ALL = "a quarter of the rounds", "half of them", "all rounds"
LEAST = 0.01  # share right of a length, at which a map begins: from 0 nothing is learned
HORIZONS = (QUARTER, HALF, ALL)
SHARES = {QUARTER: 0.25, HALF: 0.5, ALL: 1.0}
ODDS = dict(zip(HORIZONS, law.ODDS, strict=True))
SHAM, FROZEN, MAP, UNFILTERED, ENDS = LAWS = (
    *("settled, sham", "settled, frozen"),
    *("map by length", "unfiltered", "from both ends"),
)
BY_BASE, OF_MEAN = "geometric mean of bases", "of the mean over bases"


class Runs(NamedTuple):
    """What was run of a configuration."""

    sham: xr.Dataset
    frozen: xr.Dataset
    line: xr.Dataset

    @classmethod
    def known(cls, *datasets: xr.Dataset) -> Runs:
        """Those of bases that were admitted, without what runs say that have diverged."""
        made = np.flatnonzero(datasets[0].diverged.isel(round=0).notnull())
        return cls(*(phase.until_diverged(x.isel(seed=made)) for x in datasets))

    @property
    def num_rounds(self) -> int:
        return self.line.sizes["round"] - 1

    @property
    def fnr(self) -> float:
        """Of all verifiers of the line."""
        return self.line.attrs["config"]["base"]["verifier"]["fnr"]

    @property
    def ratios(self) -> np.ndarray:
        """FPR / (1 - FNR) of the line."""
        return self.line.fpr.values / (1 - self.fnr)

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


def measured(runs: Runs, horizon: str, how: str = BY_BASE) -> Estimate:
    """The boundary ratio: of each base where its gain falls to 0, geometric mean over bases; or
    where the mean over bases does.
    """
    if how == OF_MEAN:
        units = np.arange(runs.line.sizes["seed"])
        return intervals.jackknife(units, lambda some: crossing(runs.of(some), horizon), log=True)
    gained = gains(runs.line, window(runs, horizon))
    return phase.boundary_ratio(gained.expand_dims(fnr=[runs.fnr]))


def crossing(runs: Runs, horizon: str) -> float:
    """The ratio at which the mean gain over bases falls to 0; 0 or inf if it lies beyond all that
    was run.
    """
    gained = gains(runs.line, window(runs, horizon)).mean("seed").values
    found, side = monotone.located(runs.ratios, gained, 0.0)
    return {0: found, 1: np.inf, -1: 0.0}[side]


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
    if rule == ENDS:
        return from_ends(runs, horizon)
    found = seen(runs)
    if rule == UNFILTERED:
        return from_unfiltered(runs, found.base) if horizon == ALL else np.nan
    if rule != MAP:
        return float(law.settled(found.base, found.eps[rule]))
    if np.isnan(runs.pace):
        return np.nan
    paced = law.MAIN_JOB.faster(runs.pace)
    return paced.boundary(found.start, found.kept, window(runs, horizon))


def from_unfiltered(runs: Runs, base: float) -> float:
    """What that law says of the line's runs without a filter; NaN if there are none, or if these
    train nothing, as those of a group-relative learner.
    """
    if np.isnan(runs.pace) or not np.isclose(runs.ratios[-1], 1):
        return np.nan
    gained = gains(runs.line.isel(fpr=-1), window(runs, ALL))
    return float(law.unfiltered(base, -gained.mean("seed").item()))


def from_ends(runs: Runs, horizon: str) -> float:
    """What that law says of the line's runs without errors and of those without a filter, which are
    those of the placebo where a learner learns nothing if all is accepted.
    """
    rounds = window(runs, horizon)
    best = gains(runs.line.isel(fpr=0), rounds).mean("seed").item()
    blind = runs.sham if np.isnan(runs.pace) else runs.line.isel(fpr=-1)
    return float(law.between(best, -gains(blind, rounds).mean("seed").item(), ODDS[horizon]))


def followed(runs: Runs, rule: str, ratio: float) -> np.ndarray:
    """f[R + 1]: the mean accuracy by round that a law says; NaN if it says nothing."""
    found = seen(runs)
    if rule != MAP:
        return law.trajectory(found.base, found.eps[rule], ratio, runs.num_rounds)
    if np.isnan(runs.pace):
        return np.full(runs.num_rounds + 1, np.nan)
    return law.MAIN_JOB.faster(runs.pace).trajectory(found.start, found.kept, ratio).mean(1)


def prediction(runs: Runs, rule: str, horizon: str) -> Estimate:
    """What a law says, with the jackknife's interval over bases."""
    with np.errstate(all="ignore"):
        return intervals.jackknife(
            np.arange(runs.line.sizes["seed"]),
            lambda picks: predicted(runs.of(picks), rule, horizon),
            log=True,
        )


def place(runs: Runs, horizon: str, how: str) -> float:
    """The measured boundary ratio alone."""
    return crossing(runs, horizon) if how == OF_MEAN else measured(runs, horizon).value


def bounded(runs: Runs, ratio: float) -> float:
    """The logarithm of a ratio; one beyond what was run stands at its end."""
    ratios = runs.ratios
    return float(np.log(np.clip(ratio, ratios[ratios > 0].min(), ratios.max())))


def error(runs: Runs, rule: str, horizon: str, how: str = BY_BASE) -> float:
    """log(predicted / measured); both ends of what was run stand for what lies beyond."""
    said, found = predicted(runs, rule, horizon), place(runs, horizon, how)
    return bounded(runs, said) - bounded(runs, found)
