"""What a policy solves: at the lengths that the base was trained on, and at longer ones."""

from __future__ import annotations

import xarray as xr

from avax.analysis import phase


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
