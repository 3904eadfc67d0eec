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
CONTROLS = {  # by arm and role
    ("none", "frozen generator"): "control/none_frozen_generator",
    ("none", "sham"): "control/none_sham",
    ("steady", "frozen generator"): "control/steady_frozen_generator",
}
PARTS = (*ARMS, *CONTROLS.values())
ONE_A_ROUND = ("steady", "none", "length", "vote", "plain")  # sums, to the same lengths
REACH = 8  # of the first arm, if it was run
MARKS = (20, 40, 80)
MIDDLE, END = "middle", "end"  # of the rounds
GAINED = "digits gained on the untouched base"
NO_FILTER = "no filter less untouched base"
COMPOUNDED, BEYOND_SHAM = "digits gained, less frozen generator", "digits gained, less sham"
FILTERED, ORDER = "digits gained, less no filter", "digits gained, less reversed order"
AHEAD = "up to {} less one a round, digits"
FELL, GROWTH = "deepest fall on the way, digits", "speed, 40 to 80 less 20 to 40"
NEWEST, WRONG = "right at new lengths, less base", "wrong among accepted labels"
NEWEST_BEYOND = "no filter's labels, less control"
Effects = dict[str, dict[str, np.ndarray]]  # f[S] by heading and name


def named(*datasets: xr.Dataset | None) -> dict[str, xr.Dataset]:
    """Datasets by part, the first at one reach, runs until they diverged; without the controls that
    there are not.
    """
    pairs = zip(PARTS, datasets, strict=False)
    found = {part: phase.until_diverged(data) for part, data in pairs if data is not None}
    asked = found["oracle"].reach.values.tolist()
    return found | {"oracle": found["oracle"].sel(reach=REACH if REACH in asked else asked[0])}


def controls_of(data: dict[str, xr.Dataset]) -> dict[tuple[str, str], xr.Dataset]:
    """The controls that there are, by arm and role."""
    return {of: data[part] for of, part in CONTROLS.items() if part in data}


def name_of(arm: str, role: str) -> str:
    """A control in words; arms with controls have one name whatever was run."""
    return f"{role}, {ARMS[arm].removesuffix(', one a round')}"


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


def newest(dataset: xr.Dataset, control: xr.Dataset | None = None) -> xr.DataArray:
    """Right at the newest length less the untouched base, or less a control, by seed: the mean over
    the rounds that pose up to twice the base's length. Beyond, the base is at 0, and nothing can
    fall below it.
    """
    right = [
        x.sampled_accuracy.isel(round=slice(1, None)) for x in (dataset, control) if x is not None
    ]
    more = right[0] - (base_right(dataset) if control is None else right[1])
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


def collapse(data: dict[str, xr.Dataset], when: str) -> lengths.Collapse | None:
    """Collapse without a filter, after half of the rounds or all. None without a sham."""
    if ("none", "sham") not in (controls := controls_of(data)):
        return None
    num_rounds = data["none"].sizes["round"]
    last = num_rounds // 2 if when == MIDDLE else num_rounds - 1
    both = data["none"], controls["none", "sham"]
    return lengths.collapse(*(x.isel(round=slice(last + 1)) for x in both))


def beside_controls(data: dict[str, xr.Dataset]) -> dict[str, dict[str, xr.DataArray]]:
    """What arms gained more than their controls, base by base; of the controls that there are."""
    controls, found = controls_of(data), {COMPOUNDED: {}, BEYOND_SHAM: {}, NEWEST_BEYOND: {}}
    for (arm, role), control in controls.items():
        heading = BEYOND_SHAM if role == "sham" else COMPOUNDED
        with np.errstate(invalid="ignore"):  # both diverged: their difference is not known
            found[heading][ARMS[arm]] = gained(data[arm]) - gained(control)
        if arm == "none":
            found[NEWEST_BEYOND][role] = newest(data[arm], control)
    return {heading: each for heading, each in found.items() if each}


def effects(*datasets: xr.Dataset | None) -> Effects:
    """All that is compared, f[S] by what is compared and where."""
    data = named(*datasets)
    of_controls = {name_of(*of): gained(x) for of, x in controls_of(data).items()}
    solved = {part: phase.solved_length(data[part]) for part in ("oracle", "steady")}
    words, gains = titles(data), {part: gained(data[part]) for part in ARMS}
    reach = data["oracle"].reach.item()
    found = {
        GAINED: {words[part]: gains[part] for part in ARMS} | of_controls,
        NO_FILTER: dict(kept_and_reached(data["none"])),
        FILTERED: {words[p]: gains[p] - gains["none"] for p in ("steady", "length", "vote")},
        ORDER: {"plain order": gains["plain"] - gains["steady"]},
        AHEAD.format(reach): dict(ahead(data["oracle"], data["steady"])),
        FELL: {words[part]: deepest_fall(solved[part]) for part in ("oracle", "steady")},
        GROWTH: {words["oracle"]: growth(solved["oracle"])},
        NEWEST: {words[part]: newest(data[part]) for part in ONE_A_ROUND},
        WRONG: {words["vote"]: wrong_labels(data["vote"])},
        **beside_controls(data),
    }
    return {
        heading: {name: np.asarray(x, float).reshape(-1) for name, x in each.items()}
        for heading, each in found.items()
    }


def summary(*datasets: xr.Dataset | None) -> str:
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
    if (judged := collapse(data, END)) is not None:
        verdict = "yes" if bool(judged.collapsed) else "not shown"
        lines.append(f"collapse without a filter (below base and sham): {verdict}")
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
