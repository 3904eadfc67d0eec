"""What of solved lengths falls again: how much, when, and which lengths; and who comes to 100."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from avax.analysis import lengths, phase

MOST, LATE_ROUNDS = 80, 10  # digits after which falls are late, and rounds that are looked at
LEAST_FALL = 5  # digits
DIP = "right in it at 1 to 10 digits, less at longer ones"
FELL = "deepest fall, share of what was solved"
LATE, LATE_LESS = "deepest late fall, log2 of digits", "deepest late fall, log2, less at 1e-3"
TO_100 = "solved 95 digits and more"


def falls(solved: xr.DataArray) -> tuple[np.ndarray, np.ndarray]:
    """f[R + 1, S]: the most that was solved until a round, and how much of it no more in it."""
    values = solved.transpose("round", "seed").values
    best = np.fmax.accumulate(values)
    return best, best - values


def deepest_fall(solved: xr.DataArray) -> np.ndarray:
    """f[S]: the largest share of what had been solved that in a later round was solved no more."""
    best, fall = falls(solved)
    return (fall / np.maximum(best, 1)).max(0)


def late_fall(solved: xr.DataArray) -> np.ndarray:
    """f[S]: log2 of the deepest fall, in digits but at least 1, after `MOST` digits were solved, in
    as many of the next rounds as all arms have; NaN where they never were.
    """
    best, fall = falls(solved)
    found = np.full(best.shape[1], np.nan)
    for seed, is_late in enumerate((best >= MOST).T):
        if is_late.sum() >= LATE_ROUNDS:
            found[seed] = np.log2(max(fall[is_late, seed][:LATE_ROUNDS].max(), 1))
    return found


def is_there(solved: xr.DataArray) -> np.ndarray:
    """f[S]: 1 where a base came to solve 95 digits in some round, else 0; NaN where none ran."""
    most = solved.max("round")
    return np.where(most.isnull(), np.nan, most >= 95)


def in_the_dip(dataset: xr.Dataset) -> np.ndarray:
    """f[S]: in the round of the deepest fall, share right of the lengths that the base was taught
    less that of the longer ones that had been solved; NaN where nothing fell by `LEAST_FALL`.
    """
    solved = phase.solved_length(dataset).transpose("seed", "round").values
    right = dataset.accuracy_by_difficulty.transpose("seed", "round", "difficulty").values
    best, known = np.fmax.accumulate(solved, axis=1), lengths.base_length(dataset)
    found = []
    for each, highest, rows in zip(solved, best, right, strict=True):
        at = int(np.argmax(highest - each))
        longer = rows[at, known : int(highest[at])]
        is_deep = highest[at] - each[at] >= LEAST_FALL and len(longer)
        found.append(rows[at, :known].mean() - longer.mean() if is_deep else np.nan)
    return np.array(found)


def compared(
    arms: Mapping[str, xr.Dataset], longest: Sequence[str]
) -> dict[str, dict[str, np.ndarray]]:
    """f[S] by what is compared and arm.

    Args:
      longest: the arms that go on to 100 digits; the first is what others are compared with.
    """
    solved = {name: phase.solved_length(runs) for name, runs in arms.items()}
    late = {name: late_fall(solved[name]) for name in longest}
    first, *others = longest
    return {
        TO_100: {name: is_there(solved[name]) for name in longest},
        FELL: {name: deepest_fall(x) for name, x in solved.items()},
        LATE: late,
        LATE_LESS: {name: late[name] - late[first] for name in others},
        DIP: {name: in_the_dip(arms[name]) for name in longest},
    }
