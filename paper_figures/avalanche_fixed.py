"""The avalanche on lengths that stay: errors by round, growth beside decay, and steps.

On a frontier every round is longer: only on fixed lengths can it be seen whether a policy gets
worse. S bases, R rounds.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from avax.analysis import phase
from avax.analysis.runway import posed, rounds_of
from paper_figures.avalanche import Runs, mean_of_known

NUM_FIXED = 4  # lengths on which errors are compared: those of the first rounds
BASE = "untouched base"
WORSE_THAN = (BASE, "sham", "frozen_generator")  # what errors on fixed lengths are compared with
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


def worse(runs: Runs, arm: str, than: str, after: int) -> np.ndarray | None:
    """f[S]: errors on the fixed lengths after a round, minus those of a control after as many
    rounds, or of the untouched base; None if that was not run.
    """
    own = errors(runs.arms[arm])
    if than == BASE:
        return own[:, after] - own[:, 0]
    other = runs.controls.get((arm, than))
    return None if other is None else own[:, after] - errors(other)[:, after]


def pace(dataset: xr.Dataset, last: int) -> np.ndarray:
    """f[S]: digits that are solved more, a round, over rounds 1 to `last`; a run that diverged
    solves none.
    """
    solved = phase.solved_length(dataset).where(dataset.diverged != 1, 0)
    solved = solved.transpose("seed", "round").values
    return (solved[:, last] - solved[:, 0]) / last


def paces(runs: Runs, last: int) -> tuple[np.ndarray, np.ndarray]:
    """f[S]: digits lost a round where no label is rejected, and gained where the true ones alone
    are trained on, by the same bases.
    """
    return -pace(runs.arms["direct"], last), pace(runs.arms["direct_oracle"], last)


def compounded(runs: Runs, arm: str, control: str, after: int) -> np.ndarray | None:
    """f[S]: digits solved more after a round by a loop on direct answers than by one on those of
    the untouched base; None if that was not run.
    """
    other = runs.controls.get(("direct", control))
    if other is None:
        return None
    return after * (pace(runs.arms[arm], after) - pace(other, after))


def wrong_ways(dataset: xr.Dataset) -> np.ndarray:
    """f[S, R]: share of the accepted right answers that were found by a wrong step."""
    return rounds_of(dataset.wrong_way_share)


def wrong_steps(dataset: xr.Dataset) -> np.ndarray:
    """f[S, R]: share of the steps trained on that are wrong."""
    return 1 - rounds_of(dataset.step_precision)


def steps_compounded(runs: Runs, arm: str, last: int) -> np.ndarray | None:
    """f[S]: that share, loop minus frozen generator, mean over the rounds from 2 to `last`; None if
    there is no frozen generator.
    """
    frozen = runs.controls.get((arm, "frozen_generator"))
    if frozen is None:
        return None
    return mean_of_known((wrong_steps(runs.arms[arm]) - wrong_steps(frozen))[:, 1:last])
