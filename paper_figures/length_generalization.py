"""How far clean verification carries: numbers for the figures, and words."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr

from avax.analysis import lengths, phase
from paper_figures import length_generalization_falls as falls
from paper_figures import length_generalization_growth as growth

ARMS = {
    "oracle": "truth, up to {} a round",
    "slow": "the same, rate 3e-4",
    "clipped": "the same, small gradients",
    "steady": "truth, one a round",
    "far": "the same, to 55",
    "none": "no filter",
    "slow_none": "no filter, rate 3e-4",
    "length": "length filter",
    "vote": "vote of 5",
}
CONTROLS = {  # by arm and role
    ("none", "frozen generator"): "control/none_frozen_generator",
    ("none", "sham"): "control/none_sham",
    ("slow_none", "frozen generator"): "control/slow_none_frozen_generator",
    ("slow_none", "sham"): "control/slow_none_sham",
    ("steady", "frozen generator"): "control/steady_frozen_generator",
    ("vote", "frozen generator"): "control/vote_frozen_generator",
}
RATES = ("none", "slow_none")  # no filter, by learning rate
PARTS = (*tuple(ARMS)[:5], "again", *tuple(ARMS)[5:], *CONTROLS.values())
TO_THE_END = ("oracle", "slow", "clipped")  # of 100 digits
WITH_THE_TRUTH = (*TO_THE_END, "steady", "far")
ONE_A_ROUND = ("steady", "none", "length", "vote")  # sums, to the same lengths
REACH = 8  # of the first arm, if it was run
MIDDLE, END = "middle", "end"  # of the rounds
GAINED = "digits gained on the untouched base"
NO_FILTER = "no filter less untouched base"
COMPOUNDED, BEYOND_SHAM = "digits gained, less frozen generator", "digits gained, less sham"
FILTERED = "digits gained, less no filter"
AHEAD = "up to {} less one a round, digits"
TIMES = {"to 15 digits": 1.5, "to 20 digits": 2}  # the base's length, of new lengths
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
    reach = REACH if REACH in asked else asked[0]
    return found | {part: found[part].sel(reach=reach) for part in TO_THE_END}


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


def newest(
    dataset: xr.Dataset, control: xr.Dataset | None = None, times: float = 2
) -> xr.DataArray:
    """Right at the newest length less the untouched base, or less a control, by seed: the mean over
    the rounds, but the first in which all are alike, that pose up to so many times the base's
    length. Beyond, the base is at 0, and nothing can fall below it.
    """
    right = [
        x.sampled_accuracy.isel(round=slice(2, None)) for x in (dataset, control) if x is not None
    ]
    base = base_right(dataset).isel(round=slice(1, None))
    more = right[0] - (base if control is None else right[1])
    is_meant = posed_length(dataset)[2:] <= times * lengths.base_length(dataset)
    if not is_meant.any():
        return more.isel(round=0, drop=True) * np.nan
    return more.where(is_meant, drop=True).mean("round", skipna=False)


def gained(dataset: xr.Dataset) -> xr.DataArray:
    """Digits solved in the end less those of the untouched base; -inf for a run that diverged."""
    return lengths.final_gain(dataset)


def rounds_until(solved: xr.DataArray, length: int) -> xr.DataArray:
    """First round after which that many digits are solved, NaN if none, for each seed."""
    return solved["round"].where(solved >= length).min("round")


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


def kept_and_reached(dataset: xr.Dataset, arm: str) -> Iterator[tuple[str, xr.DataArray]]:
    """Digits more than the untouched base's, at lengths that it was taught and at longer ones."""
    rate = ARMS[arm].removeprefix(ARMS["none"])
    longest = lengths.base_length(dataset)
    known = lengths.retention(dataset, longest) * longest
    for words, digits in (("known", known), ("longer", lengths.reach(dataset, longest))):
        change = digits - digits.isel(round=0, drop=True)
        for name, at in ((MIDDLE, dataset.sizes["round"] // 2), (END, -1)):
            yield f"{words}, {name}{rate}", change.isel(round=at, drop=True)


def collapse(data: dict[str, xr.Dataset], arm: str, when: str) -> lengths.Collapse | None:
    """Collapse without a filter, after half of the rounds or all. None without a sham."""
    if (arm, "sham") not in (controls := controls_of(data)):
        return None
    num_rounds = data[arm].sizes["round"]
    last = num_rounds // 2 if when == MIDDLE else num_rounds - 1
    both = data[arm], controls[arm, "sham"]
    return lengths.collapse(*(x.isel(round=slice(last + 1)) for x in both))


def beside_controls(data: dict[str, xr.Dataset]) -> dict[str, dict[str, xr.DataArray]]:
    """What arms gained more than their controls, base by base; of the controls that there are."""
    controls, found = controls_of(data), {COMPOUNDED: {}, BEYOND_SHAM: {}, NEWEST_BEYOND: {}}
    for (arm, role), control in controls.items():
        heading = BEYOND_SHAM if role == "sham" else COMPOUNDED
        with np.errstate(invalid="ignore"):  # both diverged: their difference is not known
            found[heading][ARMS[arm]] = gained(data[arm]) - gained(control)
        if arm in RATES:
            rate = ARMS[arm].removeprefix(ARMS["none"])
            for to, times in TIMES.items():
                value = newest(data[arm], control, times)
                found[NEWEST_BEYOND][f"{role}{rate}, {to}"] = value
    return {heading: each for heading, each in found.items() if each}


def effects(*datasets: xr.Dataset | None) -> Effects:
    """All that is compared, f[S] by what is compared and where."""
    data = named(*datasets)
    of_controls = {name_of(*of): gained(x) for of, x in controls_of(data).items()}
    words, gains = titles(data), {part: gained(data[part]) for part in ARMS}
    reach = data["oracle"].reach.item()
    truth = {words[part]: data[part] for part in WITH_THE_TRUTH}
    found = {
        GAINED: {words[part]: gains[part] for part in ARMS} | of_controls,
        NO_FILTER: {n: x for arm in RATES for n, x in kept_and_reached(data[arm], arm)},
        FILTERED: {words[p]: gains[p] - gains["none"] for p in ("steady", "length", "vote")},
        AHEAD.format(reach): dict(ahead(data["oracle"], data["steady"])),
        **falls.compared(truth, [words[part] for part in TO_THE_END]),
        growth.POWER: {
            words[part]: growth.power_of(data[part]) for part in ("oracle", "slow", "far")
        },
        **growth.compared(truth),
        NEWEST: {
            f"{words[part]}, {to}": newest(data[part], times=times)
            for part in (*ONE_A_ROUND, "slow_none")
            for to, times in TIMES.items()
        },
        WRONG: {words["vote"]: wrong_labels(data["vote"])},
        **beside_controls(data),
    }
    return {
        heading: {name: np.asarray(x, float).reshape(-1) for name, x in each.items()}
        for heading, each in found.items()
    }
