"""What the arms of the avalanche found: numbers for the figures, and words.

S bases, R rounds, L lengths on which the labels of the untouched base were judged.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr

from avax.analysis import intervals, phase, pool
from avax.analysis.intervals import Estimate
from avax.analysis.runway import diverged, growth, label_error, rounds_of, runway

ARMS = {  # how labels are made, and in short
    "direct": ("direct answers, all of them", "direct"),
    "simplify": ("one step, then a guess, all of them", "one step"),
    "vote_few": ("guesses after 1 to {} steps, majority vote", "vote of {}"),
    "vote": ("guesses after 1 to {} steps, majority vote", "vote of {}"),
    "vote_commutative": ("the same, if the direct answer to b + a agrees", "vote of {}, b + a"),
    "oracle": ("guesses after 1 to {} steps, the true ones", "truth"),
    "direct_oracle": ("direct answers, the true ones", "direct, truth"),
}
BASE_ARMS = tuple(arm for arm in ARMS if "oracle" not in arm)
CHECKED = BASE_ARMS[1:]
CONTROLS = {  # arm and control, by part; None is handed on for those that were not run
    **{f"control/direct_{x}": ("direct", x) for x in ("frozen_generator", "sham", "matched_sham")},
    **{
        f"control/vote_{x}": ("vote", x)
        for x in ("frozen_generator", "sham", "matched_sham", "placebo")
    },
}
PARTS = (*ARMS, *(f"base/{arm}" for arm in BASE_ARMS), "twice", *CONTROLS)
LEVELS = (0.1, 0.5)  # label errors that a runway is measured to
FEWEST = 0.05  # share of completions below which a loop has stopped to train on labels
FALL = 1.0  # digits below the most that a run had solved: it has fallen
SHORT = 3  # the first of the rounds up to which differences are read; the other is the last length


class Runs(NamedTuple):
    """What was run from bases that were admitted, until it diverged.

    Attributes:
      arms: the loops.
      bases: the labels that each arm makes with the untouched base, by length.
      controls: by arm and control; of those that were run.
      twice: two runs of a base on its direct answers.
    """

    arms: dict[str, xr.Dataset]
    bases: dict[str, xr.Dataset]
    controls: dict[tuple[str, str], xr.Dataset]
    twice: xr.Dataset


def split(*datasets: xr.Dataset | None) -> Runs:
    found = zip(PARTS, datasets, strict=True)
    parts = {name: phase.until_diverged(pool.of_admitted(x)) for name, x in found if x is not None}
    return Runs(
        {arm: parts[arm] for arm in ARMS},
        {arm: parts[f"base/{arm}"] for arm in BASE_ARMS},
        {of: parts[name] for name, of in CONTROLS.items() if name in parts},
        parts["twice"],
    )


def name_of(arm: str, dataset: xr.Dataset, short: bool = False) -> str:
    """The arm's name in words, or its short one."""
    return ARMS[arm][short].format(dataset.attrs["config"]["base"]["learner"]["num_samples"])


def smallest(dataset: xr.Dataset) -> float:
    """The share that one wrong label of a round is, if there is one label a problem."""
    return 1 / dataset.attrs["config"]["base"]["learner"]["num_problems"]


def base_errors(dataset: xr.Dataset) -> np.ndarray:
    """f[S, L]: label error of the base, by seed and length."""
    return 1 - dataset.label_precision.isel(round=1).transpose("seed", "start").values


def frozen(runs: Runs, arm: str) -> np.ndarray:
    """f[S, R]: label error of an arm where the untouched base writes all labels, by round.

    Of the frozen generator if it was run. Else of the labels that the arm makes with the base at
    the same lengths, on other problems, which is the same number: NaN where they are not judged.
    """
    if (control := runs.controls.get((arm, "frozen_generator"))) is not None:
        return label_error(control)
    return on_rounds(base_errors(runs.bases[arm]), runs.arms[arm])


def on_rounds(values: np.ndarray, dataset: xr.Dataset) -> np.ndarray:
    """f[S, R] of f[S, L], which begins at the length of round 1; NaN beyond."""
    found = np.full((len(values), dataset.sizes["round"] - 1), np.nan)
    shared = min(found.shape[1], values.shape[1])
    found[:, :shared] = values[:, :shared]
    return found


def untouched(runs: Runs) -> np.ndarray:
    """f[S, R]: share of direct answers of the untouched base that are wrong, by round."""
    direct = runs.arms["direct"]
    if "base_accuracy" in direct:
        return 1 - rounds_of(direct.base_accuracy)
    return on_rounds(base_errors(runs.bases["direct"]), direct)


def compounding(runs: Runs, arm: str) -> np.ndarray:
    """f[S, R]: label error of the loop minus that with a frozen generator, at equal length."""
    return label_error(runs.arms[arm]) - frozen(runs, arm)


def compounded(runs: Runs, arm: str, last: int) -> np.ndarray:
    """f[S]: its mean from round 2, in which a trained policy first makes labels, to `last`."""
    return mean_of_known(compounding(runs, arm)[:, 1:last])


def beyond(runs: Runs, arm: str, control: str, last: int) -> np.ndarray | None:
    """f[S]: label error of the loop minus that of a control that trains, mean over the same rounds;
    None if that was not run.
    """
    other = runs.controls.get((arm, control))
    if other is None:
        return None
    return mean_of_known((label_error(runs.arms[arm]) - label_error(other))[:, 1:last])


def mean_of_known(values: np.ndarray) -> np.ndarray:
    """f[S] of f[S, N]: means over what is known, NaN where nothing is."""
    known = ~np.isnan(values)
    return np.where(known, values, 0).sum(1) / np.where(known.any(1), known.sum(1), np.nan)


def num_lengths(runs: Runs) -> int:
    """Rounds at whose lengths the labels of the base are judged (L)."""
    return min(runs.bases["direct"].sizes["start"], runs.arms["direct"].sizes["round"] - 1)


def pace(error: np.ndarray, lowest: float) -> np.ndarray:
    """f[S]: the logarithm of the factor by which label errors f[S, N] grow from one length to the
    next, mean over those between `lowest` and one half; NaN where there are none.
    """
    return mean_of_known(growth(error, lowest))


def paces(runs: Runs, arm: str) -> tuple[np.ndarray, np.ndarray]:
    """`pace` a round of the loop and a digit of the untouched base, over the same lengths."""
    lowest, shared = smallest(runs.arms[arm]), slice(num_lengths(runs))
    loop, base = label_error(runs.arms[arm]), base_errors(runs.bases[arm])
    return pace(loop[:, shared], lowest), pace(base[:, shared], lowest)


def as_factor(logarithms: np.ndarray) -> Estimate:
    """Geometric mean over bases, with the t interval of the logarithms."""
    value, low, high, num = intervals.mean(logarithms)
    return Estimate(*map(float, np.exp([value, low, high])), num)


def rounds_until(runs: Runs, arm: str, level: float) -> np.ndarray:
    """f[S]: rounds before label error is above a level, or hardly anything is accepted; at the end
    of the run at least that. A run that diverged has none after that.
    """
    return runway(over(runs.arms[arm], level)).astype(float)


def over(dataset: xr.Dataset, level: float) -> np.ndarray:
    """bool[S, R]: rounds in which a loop has come to its end."""
    few = rounds_of(dataset.accept_rate) < FEWEST
    return (label_error(dataset) > level) | few | diverged(dataset)


def longer(runs: Runs, arm: str, level: float, than: str = "direct") -> np.ndarray:
    """f[S]: rounds that an arm lasts longer than another one, of bases that both have."""
    pair = xr.align(runs.arms[arm], runs.arms[than], join="inner")
    one, other = (runway(over(x, level)).astype(float) for x in pair)
    return one - other


def outlasted(runs: Runs, arm: str, level: float) -> np.ndarray:
    """f[S]: of the rounds whose lengths are judged by the base too, those before label error is
    above a level, minus the same with a frozen generator.
    """
    shared, loop = slice(num_lengths(runs)), over(runs.arms[arm], level)
    gone = (runs.bases[arm].diverged.isel(round=1) == 1).any("start").values
    rounds = [runway(x[:, shared]) for x in (loop, frozen(runs, arm) > level)]
    return np.where(gone, np.nan, rounds[0] - rounds[1])


def cut(runs: Runs, digits: int) -> Estimate:
    """How many times more labels are wrong among the base's direct answers than with both checks,
    of all bases together that both have; every base is left out once.
    """
    counts, looks = [], (runs.bases[arm] for arm in ("direct", "vote_commutative"))
    for look in xr.align(*looks, join="inner"):
        at = look.isel(round=1).sel(start=digits)
        accepted = at.num_accepted.values
        wrong = np.where(accepted > 0, np.nan_to_num(1 - at.label_precision.values) * accepted, 0)
        counts += [wrong, accepted]

    def factor(picked: np.ndarray) -> float:
        direct, of_direct, checked, of_checked = (x[picked].sum() for x in counts)
        return float(np.divide(direct * of_checked, of_direct * checked))

    with np.errstate(divide="ignore", invalid="ignore"):
        return intervals.jackknife(np.arange(len(counts[0])), factor, log=True)


def stopped(runs: Runs, arm: str) -> np.ndarray:
    """f[S]: 1 if a loop comes to its end, with half of its labels wrong or hardly any."""
    return over(runs.arms[arm], LEVELS[1]).any(1).astype(float)


def leads(runs: Runs) -> np.ndarray:
    """f[N]: of the runs without the truth, rounds from the one with label errors above 10 % to that
    in which the solved length falls by a digit below the most it was; of those in which it falls.
    """
    found = []
    for arm in BASE_ARMS:
        dataset = runs.arms[arm]
        solved = phase.solved_length(dataset).transpose("seed", "round").values
        most = np.fmax.accumulate(solved, 1)[:, :-1]
        falls = (solved[:, 1:] <= most - FALL) | diverged(dataset)
        lead = runway(falls) - rounds_until(runs, arm, LEVELS[0])
        found.append(lead[falls.any(1)])
    return np.concatenate(found)
