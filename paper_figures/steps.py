"""What outcomes and steps as a verifier's level lead to: numbers for figures and words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from avax.analysis import intervals, lengths, phase
from avax.analysis.intervals import Estimate

NAMES = {
    "none": "no filter",
    "outcome": "outcome, perfect",
    "steps": "every step, perfect",
    "exact_outcome": "outcome, perfect; none cancels",
}
FROZEN = "frozen generator"
CONTROLS = {  # by the part that they are of and their role; a sham trains alike in every part
    ("outcome", "sham"): "control/sham",
    ("outcome", FROZEN): "control/frozen_generator",
    ("none", FROZEN): "control/none_frozen_generator",
    ("steps", FROZEN): "control/steps_frozen_generator",
}
PARTS = (*NAMES, "again", *CONTROLS.values())
SEEING_ALL = ("none", "outcome", "steps")  # accept every chain without a wrong step


def named(datasets: Sequence[xr.Dataset | None]) -> dict[str, xr.Dataset]:
    """The parts by name, runs until they diverged; without the controls that there are not."""
    found = zip(PARTS, datasets, strict=False)
    return {name: phase.until_diverged(data) for name, data in found if data is not None}


def controls_of(data: dict[str, xr.Dataset]) -> dict[tuple[str, str], xr.Dataset]:
    """The controls that there are, by part and role."""
    return {of: data[part] for of, part in CONTROLS.items() if part in data}


def frozen_of(data: dict[str, xr.Dataset]) -> dict[tuple[str, str], xr.Dataset]:
    """The frozen generators that accept every chain without a wrong step."""
    return {of: x for of, x in controls_of(data).items() if of[1] == FROZEN}


def name_of(part: str, role: str) -> str:
    """A control in words."""
    return role if role == "sham" else f"{role}, {NAMES[part].removesuffix(', perfect')}"


def clean(dataset: xr.Dataset) -> xr.Dataset:
    """A part at the lowest FPR that it was run with."""
    return dataset.sel(fpr=dataset.fpr.min(), drop=True) if "fpr" in dataset.dims else dataset


def gained(dataset: xr.Dataset, after: int | None = None) -> np.ndarray:
    """f[S, M]: solved length after a round minus the untouched base's on the same lengths, in
    additions, by seed and modulus; -inf for a run that diverged.

    Args:
      after: the round; the last by default.
    """
    gain = phase.gain(dataset)
    gain = gain.isel(round=-1) if after is None else gain.sel(round=after)
    return gain.transpose("seed", "modulus").values


def apart(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """One gain minus another, NaN where both runs diverged."""
    with np.errstate(invalid="ignore"):
        return one - other


def diverged(dataset: xr.Dataset) -> np.ndarray:
    """bool[M]: whether any seed's run did, by modulus."""
    return (dataset.diverged == 1).any(("seed", "round")).values


def right_throughout(dataset: xr.Dataset) -> xr.DataArray:
    """Share of a round's completions that were accepted and have no wrong step."""
    return dataset.accept_rate * dataset.trace_precision.fillna(0)


def cancelled(dataset: xr.Dataset, after: int | None = None) -> np.ndarray:
    """f[S, M, 2]: completions whose last sum is right though a step is wrong, and all with a wrong
    step, added up over the rounds until one. Of parts that accept every completion without a wrong
    step.
    """
    rounds = dataset.isel(round=slice(1, None if after is None else after + 1))
    right = right_throughout(rounds)
    return added_up(rounds.sampled_accuracy - right, 1 - right)


def let_through(dataset: xr.Dataset) -> np.ndarray:
    """f[S, M, 2]: accepted completions with a wrong step, and all accepted, likewise."""
    rounds = clean(dataset).isel(round=slice(1, None))
    return added_up(rounds.accept_rate - right_throughout(rounds), rounds.accept_rate)


def added_up(event: xr.DataArray, given: xr.DataArray) -> np.ndarray:
    """f[S, M, 2]: two shares of each round's completions, added up over the rounds; NaN for runs
    that diverged.
    """
    sums = (x.sum("round", skipna=False) for x in (event, given))
    return np.stack([x.transpose("seed", "modulus").values for x in sums], axis=-1)


def pooled(rows: np.ndarray) -> list[Estimate]:
    """P(event | given) of f[S, M, 2] by modulus, of all bases together; each base is left out once
    for the interval.
    """
    found = []
    for column in rows.swapaxes(0, 1):
        known = column[np.isfinite(column).all(1)]
        found.append(intervals.jackknife(known, lambda x: x[:, 0].sum() / max(x[:, 1].sum(), 1e-6)))
    return found


def share(rows: np.ndarray) -> np.ndarray:
    """f[S, M]: P(event | given) of f[S, M, 2], by base; NaN where `given` never happens."""
    event, given = rows[..., 0], rows[..., 1]
    return event / np.where(given > 1e-6, given, np.nan)


def by_modulus(rows: np.ndarray) -> list[Estimate]:
    """Means over bases of f[S, M] for each modulus."""
    return [intervals.mean(column) for column in rows.T]


def over_moduli(gains: np.ndarray) -> np.ndarray:
    """f[S]: the mean over moduli of f[S, M]. Bases of one seed differ by modulus, but share random
    numbers: so they count as one unit.
    """
    return gains.mean(1)


def and_mean(gains: np.ndarray) -> list[Estimate]:
    """Means over bases by modulus, and over all."""
    return [*by_modulus(gains), intervals.mean(over_moduli(gains))]


def mean_of_moduli(dataset: xr.Dataset) -> xr.Dataset:
    """Runs whose accuracies are means over moduli, seed by seed; what diverged solves nothing."""
    solved = dataset.accuracy_by_difficulty.where(dataset.diverged != 1, 0)
    return xr.Dataset(
        {
            "accuracy_by_difficulty": solved.mean("modulus", skipna=False),
            "diverged": xr.zeros_like(dataset.diverged.isel(modulus=0, drop=True)),
        },
        attrs=dataset.attrs,
    )


def collapse(data: dict[str, xr.Dataset], part: str, after: int) -> lengths.Collapse | None:
    """Collapse of a part in the mean over moduli, after a round. None without a sham."""
    if ("outcome", "sham") not in (controls := controls_of(data)):
        return None
    both = (mean_of_moduli(x) for x in (data[part], controls["outcome", "sham"]))
    return lengths.collapse(*(x.sel(round=slice(None, after)) for x in both))


def beyond(one: xr.Dataset, other: xr.Dataset, after: int | None = None) -> np.ndarray:
    """f[S, M]: what some runs gained more than others, base by base."""
    return apart(*(gained(x, after) for x in xr.align(one, other, join="inner")))


def as_false_positives(data: dict[str, xr.Dataset], after: int | None = None) -> np.ndarray:
    """f[S, M]: what outcomes gain where errors cancel, minus where none can and wrong chains are
    accepted at the rate at which errors cancelled in that loop, base by base.

    Gains between the FPRs that were run are interpolated; a rate beyond them is taken as the
    highest. Where no chain is wrong the rate is 0.
    """
    rows, exact = cancelled(data["outcome"], after), data["exact_outcome"].sortby("fpr")
    rates = np.where(rows[..., 1] <= 1e-6, 0, share(rows))
    gains = np.stack([gained(exact.isel(fpr=i), after) for i in range(exact.sizes["fpr"])], -1)
    at = [
        np.interp(x, exact.fpr.values, y)
        for x, y in zip(rates.flat, gains.reshape(-1, gains.shape[-1]), strict=True)
    ]
    return apart(gained(data["outcome"], after), np.reshape(at, rates.shape))


def cost_by_chance(data: dict[str, xr.Dataset], after: int) -> np.ndarray:
    """f[S]: how much more outcomes cost for each unit of 1 / m: the slope over moduli of what steps
    gain more, as a share of what the base leaves to gain.
    """
    left = phase.solved_length(data["steps"]).isel(round=0).transpose("seed", "modulus")
    left = data["steps"].sizes["difficulty"] - left.values
    shares = apart(gained(data["steps"], after), gained(data["outcome"], after)) / left
    chance = 1 / data["steps"].modulus.values
    return np.polyfit(chance, shares.T, 1)[0] if len(chance) > 1 else shares[:, 0] * np.nan
