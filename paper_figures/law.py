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
        found = read(runs)
        return intervals.jackknife(
            found.units, lambda some: crossing(found.of(some), horizon), log=True
        )
    gained = gains(runs.line, window(runs, horizon))
    return phase.boundary_ratio(gained.expand_dims(fnr=[runs.fnr]))


class Read(NamedTuple):
    """What laws say from, and what they are held against: arrays, first by base."""

    ratios: np.ndarray  # f[F]
    gained: np.ndarray  # f[S, 3, F], at each horizon and ratio
    base: np.ndarray  # f[S], accuracy of the untouched base; NaN where a control has diverged
    trained: np.ndarray  # f[S, 2], of the sham and of the frozen generator, where they settle
    start: np.ndarray  # f[S, L], accuracy of the base by length
    frozen: np.ndarray  # f[S, R + 1, L], of the frozen generator
    rounds: tuple[slice, ...]  # of each horizon
    pace: float
    is_fixed: bool  # whether on a fixed range

    @property
    def units(self) -> np.ndarray:
        return np.arange(len(self.gained))

    def of(self, picks: np.ndarray) -> Read:
        """Of some of the bases."""
        names = ("gained", "base", "trained", "start", "frozen")
        return self._replace(**{name: getattr(self, name)[picks] for name in names})


def read(runs: Runs) -> Read:
    rounds = tuple(window(runs, horizon) for horizon in HORIZONS)

    def by_base(data: xr.DataArray, *dims: str) -> np.ndarray:
        return data.transpose("seed", *dims).values

    gained = [by_base(gains(runs.line, each), "fpr") for each in rounds]
    controls = runs.sham, runs.frozen
    whole = [x.accuracy.notnull().all("round") for x in controls]
    is_whole = whole[0] & whole[1]
    settled = [x.accuracy.where(is_whole).isel(round=settling(runs)) for x in controls]
    sham, frozen = (x.accuracy_by_difficulty.where(is_whole) for x in controls)
    return Read(
        ratios=runs.ratios,
        gained=np.stack(gained, 1),
        base=by_base(runs.sham.accuracy.isel(round=0).where(is_whole)),
        trained=np.stack([by_base(x.mean("round")) for x in settled], 1),
        start=by_base(sham.isel(round=0), "difficulty"),
        frozen=by_base(frozen, "round", "difficulty"),
        rounds=rounds,
        pace=runs.pace,
        is_fixed=not phase.is_frontier(runs.line),
    )


def crossing(found: Read, horizon: str) -> float:
    """The ratio at which the mean gain over bases falls to 0; 0 or inf if it lies beyond all that
    was run.
    """
    gained = found.gained[:, HORIZONS.index(horizon)].mean(0)
    place, side = monotone.located(found.ratios, gained, 0.0)
    return {0: place, 1: np.inf, -1: 0.0}[side]


def predicted(found: Read, rule: str, horizon: str) -> float:
    """What a law says of these bases, from what was run without a verifier, or at both ends; NaN if
    nothing.
    """
    at = HORIZONS.index(horizon)
    best, *_, blind = found.gained[:, at].mean(0)
    if rule == ENDS:
        return float(law.between(best, -blind, ODDS[horizon]))
    if not found.is_fixed:
        return np.nan
    base = np.nanmean(found.base)
    if rule in (SHAM, FROZEN):
        trained = np.nanmean(found.trained[:, (SHAM, FROZEN).index(rule)])
        return float(law.settled(base, law.spoilt(base, trained)))
    if np.isnan(found.pace):
        return np.nan
    if rule == UNFILTERED:  # says nothing of loops that are not near their end
        is_seen = horizon == ALL and np.isclose(found.ratios[-1], 1)
        return float(law.unfiltered(base, -blind)) if is_seen else np.nan
    start, kept = by_length(found)
    return law.MAIN_JOB.faster(found.pace).boundary(start, kept, found.rounds[at])


def by_length(found: Read) -> tuple[np.ndarray, np.ndarray]:
    """f[L], f[R + 1, L]: what the map begins with, and what it takes to be kept; see `law.kept`."""
    start = np.maximum(np.nanmean(found.start, 0), LEAST)
    return start, law.kept(start, np.nanmean(found.frozen, 0))


def followed(found: Read, rule: str, ratio: float) -> np.ndarray:
    """f[R + 1]: the mean accuracy by round that a law says; NaN if it says nothing."""
    num_rounds = found.frozen.shape[1] - 1
    if rule != MAP:
        base, trained = np.nanmean(found.base), np.nanmean(found.trained[:, 0])
        return law.trajectory(base, float(law.spoilt(base, trained)), ratio, num_rounds)
    if np.isnan(found.pace):
        return np.full(num_rounds + 1, np.nan)
    start, kept = by_length(found)
    return law.MAIN_JOB.faster(found.pace).trajectory(start, kept, ratio).mean(1)


def prediction(runs: Runs, rule: str, horizon: str) -> Estimate:
    """What a law says, with the jackknife's interval over bases."""
    found = read(runs)
    with np.errstate(all="ignore"):
        return intervals.jackknife(
            found.units, lambda picks: predicted(found.of(picks), rule, horizon), log=True
        )


def bounded(found: Read, ratio: float) -> float:
    """The logarithm of a ratio; one beyond what was run stands at its end."""
    ratios = found.ratios
    return float(np.log(np.clip(ratio, ratios[ratios > 0].min(), ratios.max())))
