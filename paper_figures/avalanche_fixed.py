"""The avalanche on lengths that stay: errors by round, growth beside decay, and steps.

On a frontier every round is longer: only on fixed lengths can it be seen whether a policy gets
worse. S bases, R rounds.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from avax.analysis import intervals, phase
from avax.analysis.intervals import Estimate
from avax.analysis.runway import posed, rounds_of
from paper_figures.avalanche import Runs, mean_of_known

NUM_FIXED = 4  # lengths on which errors are compared: those of the first rounds
STEPS = "wrong_way_share"
BY_STEPS = ("simplify", "vote_few", "vote", "vote_commutative", "oracle")


def fixed_lengths(dataset: xr.Dataset) -> np.ndarray:
    """i[NUM_FIXED], or fewer in a run of fewer rounds."""
    return posed(dataset)[:NUM_FIXED]


def errors(dataset: xr.Dataset) -> np.ndarray:
    """f[S, R + 1]: share of direct answers that are wrong, mean over the fixed lengths, by round
    from the untouched base on; 1 where a run has diverged.
    """
    at = dataset.accuracy_by_difficulty.sel(difficulty=fixed_lengths(dataset))
    wrong = 1 - at.mean("difficulty", skipna=False)
    return wrong.where(dataset.diverged != 1, 1).transpose("seed", "round").values


def worse(runs: Runs, arm: str, after: int) -> np.ndarray | None:
    """f[S]: errors on the fixed lengths after a round, loop minus frozen generator; None if that
    was not run.
    """
    frozen = runs.controls.get((arm, "frozen_generator"))
    if frozen is None:
        return None
    return errors(runs.arms[arm])[:, after] - errors(frozen)[:, after]


def pace(dataset: xr.Dataset, last: int) -> np.ndarray:
    """f[S]: digits that are solved more, a round, over rounds 1 to `last`; a run that diverged
    solves none.
    """
    solved = phase.solved_length(dataset).where(dataset.diverged != 1, 0)
    solved = solved.transpose("seed", "round").values
    return (solved[:, last] - solved[:, 0]) / last


def decay_over_growth(runs: Runs, last: int) -> Estimate:
    """Digits lost a round with no label rejected over those gained a round with the true ones
    alone, of means over the same bases: 1 if both are as fast. Not known unless something grows.
    """
    paces = np.stack([pace(runs.arms[arm], last) for arm in ("direct", "direct_oracle")], 1)

    def ratio(picked: np.ndarray) -> float:
        decay, growth = paces[picked].mean(0)
        return float(-decay / growth) if growth > 0 else np.nan

    return intervals.jackknife(np.arange(len(paces)), ratio)


def wrong_ways(dataset: xr.Dataset) -> np.ndarray:
    """f[S, R]: share of the accepted right answers that were found by a wrong step."""
    return rounds_of(dataset[STEPS])


def ways_compounded(runs: Runs, arm: str, last: int) -> np.ndarray | None:
    """f[S]: that share, loop minus frozen generator, mean over the rounds from 2 to `last`; None if
    there is no frozen generator.
    """
    frozen = runs.controls.get((arm, "frozen_generator"))
    if frozen is None:
        return None
    return mean_of_known((wrong_ways(runs.arms[arm]) - wrong_ways(frozen))[:, 1:last])
