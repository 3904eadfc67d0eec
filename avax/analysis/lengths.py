"""What a policy solves: at the lengths that the base was trained on, and at longer ones."""

from __future__ import annotations

import operator
from typing import NamedTuple

import numpy as np
import xarray as xr

from avax.analysis import intervals, phase


def base_length(dataset: xr.Dataset) -> xr.DataArray | int | None:
    """The longest difficulty that the base policy was trained on: by setting if it is an axis, None
    if the configuration doesn't tell.
    """
    if "base_difficulty" in dataset.coords:
        return dataset.base_difficulty
    return dataset.attrs["config"]["base"].get("base_difficulty")


def retention(dataset: xr.Dataset, longest: xr.DataArray | int) -> xr.DataArray:
    """Greedy accuracy, mean over the difficulties up to `longest`, by run and round."""
    known = dataset.accuracy_by_difficulty.where(dataset.difficulty <= longest, 0)
    return known.sum("difficulty", skipna=False) / longest


def reach(dataset: xr.Dataset, longest: xr.DataArray | int) -> xr.DataArray:
    """Greedy accuracy summed over the difficulties above `longest`, by run and round.

    The solved length is `longest` times retention, and this.
    """
    longer = dataset.accuracy_by_difficulty.where(dataset.difficulty > longest, 0)
    return longer.sum("difficulty", skipna=False)


def gained(
    measure: xr.DataArray, dataset: xr.Dataset, control: xr.DataArray | None = None
) -> xr.DataArray:
    """What a measure came to after the last round, less its round 0, by run: the untouched base.

    Args:
      measure: retention, reach, ... of the runs of `dataset`, by run and round.
      control: the same of control runs, `gained` too, which is taken off: base by base, aligned on
        seed; bases that only one of them has are left out.
    """
    found = phase.since_base(measure, dataset).isel(round=-1, drop=True)
    if control is None:
        return found
    found, control = xr.align(found, control, join="inner")
    both_lost = np.isneginf(found) & np.isneginf(control)
    with np.errstate(invalid="ignore"):
        return (found - control).where(~both_lost)


def final_gain(dataset: xr.Dataset) -> xr.DataArray:
    """Solved length after the last round minus the base's, by run: -inf if it diverged, NaN if it
    was not done. On a fixed range, too, where `phase.gain` is of the accuracy.
    """
    return phase.since_base(phase.solved_length(dataset), dataset).isel(round=-1, drop=True)


def unit(dataset: xr.Dataset) -> str:
    """What difficulties count, for a label."""
    kind = dataset.attrs["config"]["base"].get("task", {}).get("type", "")
    is_digits = any(name in kind for name in ("Addition", "Multiplication", "Copy", "Scratchpad"))
    return "digits" if is_digits else "steps"


class Collapse(NamedTuple):
    """Whether settings collapsed, and what that rests on: arrays of the settings' dimensions.

    Each interval is of a difference at 97.5 %, so that both measures together are at 95 %.
    """

    collapsed: xr.DataArray  # bool: retention or reach lies below the base and below the sham
    retention: intervals.Estimate  # after the last round, minus the untouched base's
    retention_beyond_sham: intervals.Estimate  # the same, minus what the sham changed
    reach: intervals.Estimate
    reach_beyond_sham: intervals.Estimate


def collapse(loop: xr.Dataset, sham: xr.Dataset, longest: int | None = None) -> Collapse:
    """Collapse: below the untouched base and below the sham, both beyond doubt, in retention or in
    reach. What is not below both may still lose; where no interval is known, nothing collapsed. A
    run that diverged counts as solving nothing.

    Args:
      loop: runs with any settings and the dimension seed (the bases), as `avax.load` gives them.
      sham: runs with the same updates on true answers that the base knows; of the same settings or
        of none, as it broadcasts. Bases are aligned on seed.
      longest: difficulty that bases were trained on, where the configuration doesn't tell.
    """
    longest = base_length(loop) if longest is None else longest
    estimates, below = [], []
    for measure in (retention, reach):
        by_loop, by_sham = (_changed(measure(x, longest), x) for x in (loop, sham))
        for found in (by_loop, operator.sub(*xr.align(by_loop, by_sham, join="inner"))):
            estimate = intervals.mean(found, coverage=0.975)
            nowhere = xr.zeros_like(found.isel(seed=0, drop=True), dtype=bool)
            estimates.append(estimate)
            below.append(nowhere | (estimate.high < 0))
    return Collapse((below[0] & below[1]) | (below[2] & below[3]), *estimates)


def depth(judged: Collapse, longest: int) -> intervals.Estimate:
    """How far runs of one setting are below both the untouched base and the sham, in difficulties,
    in retention or in reach: the lower of both measures, each at its higher difference.

    The interval lies below 0 exactly where there is a collapse, and above 0 where neither measure
    is below both.
    """
    of_measures = (
        (judged.retention, judged.retention_beyond_sham, longest),
        (judged.reach, judged.reach_beyond_sham, 1),
    )
    each = [np.array([a[:3], b[:3]], float).max(0) * k for a, b, k in of_measures]
    num = min(int(x.num) for pair in of_measures for x in pair[:2])
    return intervals.Estimate(*np.min(each, axis=0).tolist(), num)


def _changed(measure: xr.DataArray, dataset: xr.Dataset) -> xr.DataArray:
    """After the last round less round 0; a run that diverged solves nothing any more."""
    solved = measure.where(dataset.diverged != 1, 0)
    return solved.isel(round=-1, drop=True) - solved.isel(round=0, drop=True)
