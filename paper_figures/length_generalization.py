"""How far clean verification carries: numbers for the figures, and words."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr

from avax.analysis import intervals, lengths, phase

ARMS = {
    "oracle": "truth, up to {} a round",
    "steady": "truth, one a round",
    "none": "no filter",
    "length": "length filter",
    "vote": "vote of 5",
    "plain": "truth, plain order",
    "multiplication": "truth, products",
}
PARTS = tuple(ARMS)
ONE_A_ROUND = ("steady", "none", "length", "vote", "plain")  # sums, to the same lengths
REACH = 8  # of the first arm, if it was run
MARKS = (20, 40, 80)
MIDDLE, END = "middle", "end"  # of the rounds
GAINED = "digits gained on the untouched base"
NO_FILTER = "no filter less untouched base"
FILTERED, ORDER = "digits gained, less no filter", "digits gained, less reversed order"
AHEAD = "up to {} less one a round, digits"
FELL, GROWTH = "deepest fall on the way, digits", "speed, 40 to 80 less 20 to 40"
NEWEST, WRONG = "right at new lengths, less base", "wrong among accepted labels"
Effects = dict[str, dict[str, np.ndarray]]  # f[S] by heading and name


def named(*datasets: xr.Dataset) -> dict[str, xr.Dataset]:
    """Datasets by part, the first at one reach, runs until they diverged."""
    found = dict(zip(PARTS, map(phase.until_diverged, datasets), strict=True))
    asked = found["oracle"].reach.values.tolist()
    return found | {"oracle": found["oracle"].sel(reach=REACH if REACH in asked else asked[0])}


def titles(data: dict[str, xr.Dataset]) -> dict[str, str]:
    return {part: title.format(data["oracle"].reach.item()) for part, title in ARMS.items()}


def posed_length(dataset: xr.Dataset) -> xr.DataArray | None:
    """The length posed in each round of a steady frontier, the base's own before the first.

    None where it depends on what was solved.
    """
    config = dataset.attrs["config"]["base"]
    if "step" not in config["curriculum"]:
        return None
    rounds = dataset["round"]
    posed = config["curriculum"]["start"] + config["curriculum"]["step"] * (rounds - 1)
    return posed.where(rounds > 0, config["base_difficulty"])


def base_right(dataset: xr.Dataset) -> xr.DataArray:
    """Share of the lengths that are posed which the untouched base gets right, by seed and round
    from the first: of the same problems if they were given to it, else of those of round 0.
    """
    if "base_accuracy" in dataset:
        return dataset.base_accuracy.isel(round=slice(1, None))
    posed = posed_length(dataset)[1:].astype(int)
    right = dataset.accuracy_by_difficulty.isel(round=0, drop=True)
    right = right.reindex(difficulty=posed.values).rename(difficulty="round")
    return right.assign_coords(round=posed["round"])


def newest(dataset: xr.Dataset) -> xr.DataArray:
    """Right at the newest length less the untouched base, by seed: the mean over the rounds that
    pose up to twice the base's length. Beyond, the base is at 0, and nothing can fall below it.
    """
    more = dataset.sampled_accuracy.isel(round=slice(1, None)) - base_right(dataset)
    posed = posed_length(dataset)[1:]
    return more.where(posed <= 2 * lengths.base_length(dataset), drop=True).mean(
        "round", skipna=False
    )


def gained(dataset: xr.Dataset) -> xr.DataArray:
    """Digits solved in the end less those of the untouched base; -inf for a run that diverged."""
    return lengths.final_gain(dataset)


def rounds_until(solved: xr.DataArray, length: int) -> xr.DataArray:
    """First round after which that many digits are solved, NaN if none, for each seed."""
    return solved["round"].where(solved >= length).min("round")


def growth(solved: xr.DataArray) -> xr.DataArray:
    """Digits a round between the later two of MARKS less those between the earlier, by seed; NaN
    for a run that didn't get there.
    """
    first, second, third = (rounds_until(solved, mark) for mark in MARKS)
    # What is passed within one round took one.
    early, late = (np.maximum(x, 1) for x in (second - first, third - second))
    return (MARKS[2] - MARKS[1]) / late - (MARKS[1] - MARKS[0]) / early


def deepest_fall(solved: xr.DataArray) -> xr.DataArray:
    """The most digits that were solved in an earlier round and in a later one no more, by seed."""
    best = np.fmax.accumulate(solved.transpose("round", ...).values)
    return (best - solved.transpose("round", ...)).max("round", skipna=False)


def ahead(fast: xr.Dataset, steady: xr.Dataset) -> Iterator[tuple[str, xr.DataArray]]:
    """How many digits more are solved with many lengths a round than with one, of the lengths that
    both measured, after a third and two thirds of the rounds of the latter.
    """
    num_rounds = steady.sizes["round"] - 1
    for share in (1, 2):
        at = {"round": min(max(1, share * num_rounds // 3), fast.sizes["round"] - 1)}
        one = phase.solved_length(fast.sel(difficulty=steady.difficulty)).isel(at, drop=True)
        yield f"round {at['round']}", one - phase.solved_length(steady).isel(at, drop=True)


def wrong_labels(dataset: xr.Dataset) -> xr.DataArray:
    """Share of wrong ones among the accepted labels of all rounds, by seed; NaN if none was."""
    data = dataset.isel(round=slice(1, None))
    right = (data.label_precision.fillna(0) * data.num_accepted).sum("round", skipna=False)
    all_ = data.num_accepted.sum("round", skipna=False)
    return 1 - right / all_.where(all_ > 0)


def kept_and_reached(dataset: xr.Dataset) -> Iterator[tuple[str, xr.DataArray]]:
    """Digits more than the untouched base's, at lengths that it was taught and at longer ones."""
    longest = lengths.base_length(dataset)
    known = lengths.retention(dataset, longest) * longest
    for words, digits in (("known", known), ("longer", lengths.reach(dataset, longest))):
        change = digits - digits.isel(round=0, drop=True)
        for name, at in ((MIDDLE, dataset.sizes["round"] // 2), (END, -1)):
            yield f"{words}, {name}", change.isel(round=at, drop=True)


def effects(*datasets: xr.Dataset) -> Effects:
    """All that is compared, f[S] by what is compared and where."""
    data = named(*datasets)
    solved = {part: phase.solved_length(data[part]) for part in ("oracle", "steady")}
    words, gains = titles(data), {part: gained(data[part]) for part in PARTS}
    reach = data["oracle"].reach.item()
    found = {
        GAINED: {words[part]: gains[part] for part in PARTS},
        NO_FILTER: dict(kept_and_reached(data["none"])),
        FILTERED: {words[p]: gains[p] - gains["none"] for p in ("steady", "length", "vote")},
        ORDER: {"plain order": gains["plain"] - gains["steady"]},
        AHEAD.format(reach): dict(ahead(data["oracle"], data["steady"])),
        FELL: {words[part]: deepest_fall(solved[part]) for part in ("oracle", "steady")},
        GROWTH: {words["oracle"]: growth(solved["oracle"])},
        NEWEST: {words[part]: newest(data[part]) for part in ONE_A_ROUND},
        WRONG: {words["vote"]: wrong_labels(data["vote"])},
    }
    return {
        heading: {name: np.asarray(x, float).reshape(-1) for name, x in each.items()}
        for heading, each in found.items()
    }


def summary(*datasets: xr.Dataset) -> str:
    """How far every arm came, how fast, and all comparisons with 95 % t intervals over bases."""
    data = named(*datasets)
    lines = ["solved length in digits, mean (lowest, highest base)"]
    lines += [arm_line(title, data[part]) for part, title in titles(data).items()]
    lines.append(f"rounds until {', '.join(map(str, MARKS))} digits are solved (bases that did)")
    fast = phase.solved_length(phase.until_diverged(datasets[0]))
    speeds = {f"up to {r} a round": fast.sel(reach=r) for r in fast.reach.values}
    speeds["one a round"] = phase.solved_length(data["steady"])
    for title, solved in speeds.items():
        lines.append(f"  {title:18} {', '.join(speed_cell(solved, mark) for mark in MARKS)}")
    for heading, each in effects(*datasets).items():
        lines.append(heading)
        for name, values in each.items():
            value, low, high, num = intervals.mean(values)
            lines.append(f"  {name}: {value:.3g} ({low:.3g}, {high:.3g}), {num} bases")
    return "\n".join(lines)


def speed_cell(solved: xr.DataArray, mark: int) -> str:
    """Mean round, and how many seeds it is the mean of."""
    found = rounds_until(solved, mark).dropna("seed")
    return f"{found.mean():.1f} ({found.size})" if found.size else "-"


def arm_line(title: str, dataset: xr.Dataset) -> str:
    """Solved length of an arm before and after, and how right its last round's data are."""
    solved = phase.solved_length(dataset)
    last = dataset.sampled_accuracy.isel(round=-1)
    return (
        f"  {title:22} {shown(solved.isel(round=0))} -> {shown(solved.isel(round=-1))} "
        f"of {dataset.sizes['difficulty']}, right at the last frontier {shown(last)}"
    )


def shown(values: xr.DataArray) -> str:
    """Mean and range over seeds."""
    return f"{values.mean():.2f} ({values.min():.2f}, {values.max():.2f})"
