"""What rewards on hard problems do to old skills: numbers for the figures, claims and words.

Everything is read on chains of the longest length that the probe looks at, which the base has
mastered, as a difference from a loop at learning rate 0 on the same draws: the untouched base.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import xarray as xr

BUCKETS = ("hard", "medium", "easy", "all")
EQUAL = ("hard", "medium", "all")  # also compared at equal lengths
CENTRES = {  # in words: what is rewarded there
    "guessed": "guesses modulo 2",
    "false": "anything at 0.05, on hard problems",
    "mixed": "anything at 0.05, on all problems",
}
LEARNERS = {  # in words, by the end of a part's name
    "no_std": "no division by the std",
    "two_accepted": "two accepted at least",
    "kl_0.01": "KL 0.01",
    "kl_0.1": "KL 0.1",
    "no_clip": "no clipping",
    "oversampled": "4 times the problems",
    "resampled": "of these, unequal groups",
    "slow": "learning rate 3e-4",
}
PLACEBOS = ("guessed", "false", "mixed", "guessed_slow", "false_slow")
PARTS = (
    *("untouched", "hard", "hard_whole"),
    *(f"{name}{end}" for name in BUCKETS[1:] for end in ("", "_whole")),
    *(f"equal_{name}" for name in EQUAL),
    *("too_long", "paid_to_skip"),
    *(f"{name}{end}" for name in CENTRES for end in ("", *(f"_{x}" for x in LEARNERS), "_again")),
    *(f"control/{name}_placebo" for name in PLACEBOS),
)
MIDDLE, END = TIMES = ("middle", "end")
SPAN = 10  # rounds that a reading is the mean of
MOST = 0.98  # of the working is skipped: what is left says too little of how well it is done


def named(datasets: Sequence[xr.Dataset | None]) -> dict[str, xr.Dataset]:
    """The parts by name, without the controls that there are not."""
    found = zip(PARTS, datasets, strict=False)
    return {name: data for name, data in found if data is not None}


def arms(data: dict[str, xr.Dataset]) -> Iterator[tuple[str, xr.Dataset]]:
    """Every setting of every part, with its place on the axes in words."""
    for part, runs in data.items():
        axes = [dim for dim in ("modulus", "fpr") if dim in runs.dims]
        for values in np.ndindex(*(runs.sizes[dim] for dim in axes)):
            one = runs.isel(dict(zip(axes, values, strict=True)))
            at = [f"{dim} {one[dim].item():g}" for dim in axes]
            yield ", ".join([part, *at]), one


def rounds_of(runs: xr.Dataset, when: str) -> xr.Dataset:
    """The last rounds, or as many up to half of all."""
    last = runs.sizes["round"] - 1
    end = last if when == END else max(1, last // 2)
    return runs.isel(round=slice(max(1, end - SPAN + 1), end + 1))


def old(values: xr.DataArray) -> xr.DataArray:
    """Of what the probe measured, that on the longest chains."""
    return values.isel(skill_difficulty=-1, drop=True)


def reading(runs: xr.Dataset, name: str, when: str = END) -> xr.DataArray:
    """One of `worked`, `skipped`, `able` by seed: how often an old problem is worked out as a whole
    and right, how often its working is skipped, and how often it is right if it is not.

    NaN of runs that diverged, and of `able` where next to all is skipped.
    """
    span = rounds_of(runs, when)
    worked, skipped = (old(span[x]).mean("round") for x in ("skill_whole", "skill_token"))
    able = (worked / (1 - skipped)).where(skipped < MOST)
    found = {"worked": worked, "skipped": skipped, "able": able}[name]
    return found.where(span.diverged.isel(round=-1, drop=True) != 1)


def change(
    data: dict[str, xr.Dataset], arm: xr.Dataset, name: str, when: str = END
) -> xr.DataArray:
    """A reading less that of the untouched base on the same draws, by seed."""
    return reading(arm, name, when) - reading(data["untouched"], name, when)


def part_at(data: dict[str, xr.Dataset], part: str, **at: float) -> xr.Dataset | None:
    """A part at some values of its axes, the lowest if nothing is said; None if it isn't there."""
    if (runs := data.get(part)) is None:
        return None
    for dim in ("modulus", "fpr"):
        if dim in runs.dims:
            runs = runs.sel({dim: at.get(dim, runs[dim].min().item())}, method="nearest")
    return runs


def false_shares(runs: xr.Dataset) -> tuple[xr.DataArray, xr.DataArray]:
    """By seed, completions of the first round, which the base wrote: how many of those that are
    accepted are not whole and right, and how many are accepted.
    """
    first = runs.isel(round=1, drop=True)
    return first.num_accepted * (1 - first.trace_precision.fillna(0)), first.num_accepted


def doses(data: dict[str, xr.Dataset], when: str = END) -> tuple[list[str], np.ndarray]:
    """Of every arm with the centre's learner, its name, and f[S, 3, A]: false and all accepted
    completions of the first round, and the change of what is worked out, for the bases that all
    have.
    """
    others = ("untouched", "control", *CENTRES)  # the centres are among the arms already
    own = {part: runs for part, runs in data.items() if not part.startswith(others)}
    names, rows = [], []
    for name, arm in arms(own):
        names.append(name)
        rows.append(xr.concat([*false_shares(arm), change(data, arm, "worked", when)], "what"))
    together = xr.concat(xr.align(*rows, join="inner"), "arm", coords="minimal", compat="override")
    return names, together.transpose("seed", "what", "arm").values


def explained(units: np.ndarray) -> float:
    """How the mean change of the arms goes with the share of their rewards that are false: the
    correlation over arms, of f[S, 3, A].
    """
    false, accepted, changed = units.sum(0)
    share = false / np.maximum(accepted, 1)
    if len(share) < 3 or np.ptp(share) == 0 or np.ptp(changed) == 0:
        return float("nan")
    return float(np.corrcoef(share, changed)[0, 1])


def half_way(data: dict[str, xr.Dataset], arm: xr.Dataset, name: str) -> np.ndarray:
    """f[S]: the first round after which a reading has gone half of its own way from the untouched
    base's, as means over SPAN rounds; NaN of runs in which it went less than 0.1.
    """
    worked, skipped = (
        old(arm[x]).isel(round=slice(1, None)).rolling(round=SPAN, min_periods=1).mean()
        for x in ("skill_whole", "skill_token")
    )
    values = skipped if name == "skipped" else (worked / (1 - skipped)).where(skipped < MOST)
    start, end = reading(data["untouched"], name), values.isel(round=-1)
    way = (end - start).where(np.abs(end - start) >= 0.1)
    reached = ((values - start) / way >= 0.5).transpose("seed", "round").values
    first = values["round"].values[reached.argmax(1)].astype(float)
    return np.where(reached.any(1), first, np.nan)


def inert(runs: xr.Dataset) -> xr.DataArray:
    """Share of the rounds in which nothing was trained, by seed."""
    return (runs.grad_norm.isel(round=slice(1, None)) == 0).mean("round")


def accuracy_change(data: dict[str, xr.Dataset], arm: xr.Dataset, when: str = END) -> xr.DataArray:
    """Greedy accuracy over all lengths less the untouched base's, by seed."""
    last = rounds_of(arm, when)["round"].values[-1]
    return arm.accuracy.sel(round=last) - data["untouched"].accuracy.sel(round=last)
