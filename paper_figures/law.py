"""What laws say of a configuration, and what its runs say: boundaries at three horizons."""

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
LINEAR, EVEN = "linear in the ratio", "one accuracy of a half"  # the same with other odds
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
    def whole(self) -> Runs:
        """Those of bases none of whose runs has diverged."""
        kept = [x.accuracy.notnull().all([d for d in x.accuracy.dims if d != "seed"]) for x in self]
        return Runs(*(x.isel(seed=np.flatnonzero(np.all(kept, axis=0))) for x in self))

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
    def control(self) -> str:
        """What is in the place of a sham: of a group-relative learner, a placebo."""
        verifier = self.sham.attrs["config"]["base"]["verifier"]
        return "placebo" if verifier["type"] == "Placebo" else "sham"

    @property
    def pace(self) -> float:
        """How far a round moves a policy, of what it does where the map by length was fitted:
        updates times learning rate. Not known of other learners.
        """
        learner = self.line.attrs["config"]["base"]["learner"]
        if learner["type"] != "FilteredSFT":
            return np.nan
        return learner["num_updates"] * learner["learning_rate"] / law.FITTED_AT


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
        return boundary(read(runs), horizon)
    gained = gains(runs.line, window(runs, horizon))
    return phase.boundary_ratio(gained.expand_dims(fnr=[runs.fnr]))


class Read(NamedTuple):
    """What laws say from, and what they are held against: arrays, first by base. Bases of which a
    run has diverged are left out.
    """

    seeds: np.ndarray  # i[S], which bases
    ratios: np.ndarray  # f[F]
    gained: np.ndarray  # f[S, 3, F], at each horizon and ratio
    base: np.ndarray  # f[S], accuracy of the untouched base
    trained: np.ndarray  # f[S, 2], of the sham and of the frozen generator, where they settle
    start: np.ndarray  # f[S, L], accuracy of the base by length
    frozen: np.ndarray  # f[S, R + 1, L], of the frozen generator
    rounds: tuple[slice, ...]  # of each horizon
    pace: float
    is_fixed: bool  # whether on a fixed range

    @property
    def units(self) -> np.ndarray:
        return np.arange(len(self.seeds))

    @property
    def has_ends(self) -> bool:
        """Whether the line begins without wrong labels and ends without a filter, behind which
        something is learned: a group-relative learner learns nothing where all is accepted.
        """
        return self.ratios[0] == 0 and np.isclose(self.ratios[-1], 1) and self.gained[..., -1].any()

    def of(self, picks: np.ndarray) -> Read:
        """Of some of the bases."""
        names = ("seeds", "gained", "base", "trained", "start", "frozen")
        return self._replace(**{name: getattr(self, name)[picks] for name in names})


def read(runs: Runs) -> Read:
    runs = runs.whole
    rounds = tuple(window(runs, horizon) for horizon in HORIZONS)

    def by_base(data: xr.DataArray, *dims: str) -> np.ndarray:
        return data.transpose("seed", *dims).values

    settled = [x.accuracy.isel(round=settling(runs)) for x in (runs.sham, runs.frozen)]
    return Read(
        seeds=runs.line.seed.values,
        ratios=runs.ratios,
        gained=np.stack([by_base(gains(runs.line, each), "fpr") for each in rounds], 1),
        base=by_base(runs.sham.accuracy.isel(round=0)),
        trained=np.stack([by_base(x.mean("round")) for x in settled], 1),
        start=by_base(runs.sham.accuracy_by_difficulty.isel(round=0), "difficulty"),
        frozen=by_base(runs.frozen.accuracy_by_difficulty, "round", "difficulty"),
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


def boundary(found: Read, horizon: str) -> Estimate:
    """The same with the jackknife's interval over bases."""
    with np.errstate(all="ignore"):
        return intervals.jackknife(
            found.units, lambda some: crossing(found.of(some), horizon), log=True
        )


def is_open(found: Read, horizon: str) -> bool:
    """Whether the measured boundary lies beyond all that was run."""
    return not np.isfinite(crossing(found, horizon)) or crossing(found, horizon) == 0


def predicted(found: Read, rule: str, horizon: str) -> float:
    """What a law says of these bases; NaN if nothing."""
    at = HORIZONS.index(horizon)
    best, *_, blind = found.gained[:, at].mean(0)
    odds = {ENDS: ODDS[horizon], EVEN: 1.0, LINEAR: 0.0}
    if rule in odds:
        return alike(found, best, -blind, odds[rule])
    if not found.is_fixed:
        return np.nan
    base = found.base.mean()
    if rule in (SHAM, FROZEN):
        trained = found.trained[:, (SHAM, FROZEN).index(rule)].mean()
        return float(law.settled(base, law.spoilt(base, trained)))
    if rule == UNFILTERED:  # says nothing of loops that are not near their end
        return alike(found, 1 - base, -blind, 1.0) if horizon == ALL else np.nan
    if np.isnan(found.pace):
        return np.nan
    start, kept = by_length(found)
    return law.FITTED.faster(found.pace).boundary(start, kept, found.rounds[at])


def alike(found: Read, best: float, lost: float, odds: float) -> float:
    """`law.between`, read from its gains at the ratios that were run as `crossing` reads measured
    ones; NaN if both ends were not run.
    """
    if not found.has_ends:
        return np.nan
    gained = law.gained_at(found.ratios, best, lost, odds)
    place, side = monotone.located(found.ratios, gained, 0.0)
    return place if side == 0 else float(law.between(best, lost, odds))


def by_length(found: Read) -> tuple[np.ndarray, np.ndarray]:
    """f[L], f[R + 1, L]: what the map begins with, and what it takes to be kept; see `law.kept`."""
    start = np.maximum(found.start.mean(0), LEAST)
    return start, law.kept(start, found.frozen.mean(0))


def followed(found: Read, rule: str, ratio: float) -> np.ndarray:
    """f[R + 1]: the mean accuracy by round that a law says; NaN if it says nothing."""
    num_rounds = found.frozen.shape[1] - 1
    if rule != MAP:
        base, trained = found.base.mean(), found.trained[:, 0].mean()
        return law.trajectory(base, float(law.spoilt(base, trained)), ratio, num_rounds)
    if np.isnan(found.pace):
        return np.full(num_rounds + 1, np.nan)
    start, kept = by_length(found)
    return law.FITTED.faster(found.pace).trajectory(start, kept, ratio).mean(1)


def prediction(found: Read, rule: str, horizon: str) -> Estimate:
    """What a law says, with the jackknife's interval over bases."""
    with np.errstate(all="ignore"):
        return intervals.jackknife(
            found.units, lambda picks: predicted(found.of(picks), rule, horizon), log=True
        )


def bounded(found: Read, ratio: float) -> float:
    """The logarithm of a ratio; one beyond what was run stands at its end. NaN is not known."""
    ratios = found.ratios
    return float(np.log(np.clip(ratio, ratios[ratios > 0].min(), ratios.max())))


def missing(found: Read, ratio: float) -> float:
    """The logarithm of what is missing of a ratio to 1, where J = 0: for the settled law, of what a
    round spoils. As little as the lowest ratio that was run stands for all below it.
    """
    return float(np.log(np.clip(1 - ratio, found.ratios[found.ratios > 0].min(), 1)))
