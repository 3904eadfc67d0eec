"""What the arms of the avalanche found: numbers for the figure, and words."""

from __future__ import annotations

import numpy as np
import xarray as xr

from avax.analysis import phase, seeds
from avax.analysis.runway import (
    diverged,
    growth,
    growth_factor,
    guess_error,
    interval,
    label_error,
    learned,
    posed,
    rounds_of,
    runway,
)

ARMS = {  # how labels are made, in short, colour
    "direct": ("direct answers, all of them", "direct", "#777777"),
    "simplify": ("one step, then a guess, all of them", "1 step", "#E69F00"),
    "vote_few": ("guesses after 1 to {} steps, majority vote", "vote {}", "#56B4E9"),
    "vote": ("guesses after 1 to {} steps, majority vote", "vote {}", "#0072B2"),
    "vote_commutative": (
        "the same, if the direct answer to b + a agrees",
        "vote {},\nb + a too",
        "#CC79A7",
    ),
    "oracle": ("guesses after 1 to {} steps, the true ones", "truth", "#009E73"),
}
BASE_ARMS = tuple(arm for arm in ARMS if arm != "oracle")
PARTS = (*ARMS, *(f"base/{arm}" for arm in BASE_ARMS))
LEVELS = (0.1, 0.5)  # label errors that a runway is measured to


def name_of(arm: str, dataset: xr.Dataset, short: bool = False) -> str:
    """The arm's name in the legend, or its short one."""
    return ARMS[arm][short].format(dataset.attrs["config"]["base"]["learner"]["num_samples"])


def smallest(dataset: xr.Dataset) -> float:
    """The share that one wrong label of a round is, if there is one label a problem."""
    return 1 / dataset.attrs["config"]["base"]["learner"]["num_problems"]


def split(datasets) -> tuple[dict[str, xr.Dataset], dict[str, xr.Dataset]]:
    """The runs of each arm until they diverged, and the labels that each makes with the base."""
    parts = dict(zip(PARTS, map(phase.until_diverged, datasets), strict=True))
    return {a: parts[a] for a in ARMS}, {a: parts[f"base/{a}"] for a in BASE_ARMS}


def runways_of(dataset: xr.Dataset) -> dict[str, np.ndarray]:
    """Rounds survived by each seed, by what ends them; none survives that a run diverged."""
    lost = diverged(dataset)
    found = {
        f"label error above {100 * level:.0f} %": runway((label_error(dataset) > level) | lost)
        for level in LEVELS
    }
    return found | {"accuracy below 50 %": runway((learned(dataset) < 0.5) | lost)}


def base_errors(dataset: xr.Dataset) -> np.ndarray:
    """f[S, L]: label error of the base, by seed and length."""
    return 1 - dataset.label_precision.isel(round=1).transpose("seed", "start").values


def summary(*datasets: xr.Dataset) -> str:
    """Arm by arm: the first label error, its growth, the runways; then what announces the end."""
    arms, bases = split(datasets)
    num_rounds = datasets[0].sizes["round"] - 1
    head = (
        f"{datasets[0].sizes['seed']} seeds, {num_rounds} rounds (a runway of {num_rounds} is at "
        f"least that), from {posed(datasets[0])[0]} digits on; 95 % t intervals over bases"
    )
    lines = [x for arm, dataset in arms.items() for x in arm_summary(arm, dataset, arms["direct"])]
    return "\n".join([head, *lines, *base_summary(bases), announcement(arms)])


def base_summary(bases) -> list[str]:
    """The base's label errors at each length, a line for each arm."""
    lengths = ", ".join(f"{n}" for n in bases["direct"].start.values)
    lines = [f"label error of the base alone at {lengths} digits, mean over seeds:"]
    for arm, dataset in bases.items():
        errors = ", ".join(f"{x:.4f}" for x in seeds.mean(base_errors(dataset)))
        lines.append(f"  {name_of(arm, dataset)}: {errors}")
    return [*lines, "  SECToR's, as secondary sources report: 0.28 direct, 0.007 with both checks"]


def arm_summary(arm: str, dataset: xr.Dataset, direct: xr.Dataset) -> list[str]:
    """One arm's numbers, a line each."""
    error = label_error(dataset)
    first = interval(error[:, :1], lambda x: seeds.mean(x)[0])
    factor = interval(growth(error, smallest(dataset)), growth_factor, log=True)
    accepted = interval(rounds_of(dataset.accept_rate).mean(1))
    lines = [
        f"{name_of(arm, dataset)}:",
        f"  label error {show(first, 4)} in round 1, times {show(factor)} a round while below one "
        f"half; {show(accepted)} of all completions accepted",
    ]
    plain = runways_of(direct)
    for end, rounds in runways_of(dataset).items():
        gain = (
            "" if arm == "direct" else f", {show(interval(rounds - plain[end]))} more than direct"
        )
        lines.append(f"  rounds until {end}: {show(interval(rounds))}{gain}")
    for level in LEVELS:
        rounds = interval(runway((guess_error(dataset) > level) | diverged(dataset)))
        lines.append(
            f"  rounds until all completions have errors above {100 * level:.0f} %: {show(rounds)}"
        )
    return lines


def announcement(arms) -> str:
    """How many rounds before the policy fails on the new length the labels go bad."""
    leads, silent = [], 0
    for arm, dataset in arms.items():
        if arm == "oracle":
            continue
        lost = diverged(dataset)
        fails = (learned(dataset) < 0.5) | lost
        warned, ended = runway((label_error(dataset) > LEVELS[0]) | lost), runway(fails)
        leads += (ended - warned)[fails.any(1)].tolist()
        silent += int((warned > ended)[fails.any(1)].sum())
    if not leads:
        return "no run without the truth failed on the newest length"
    return (
        f"of {len(leads)} runs without the truth that failed (accuracy below 50 % on the newest "
        f"length), {len(leads) - silent} had label errors above {100 * LEVELS[0]:.0f} % in that "
        f"round or before, the median {np.median(leads):.0f} rounds before"
    )


def show(estimate: tuple[float, float, float], digits: int = 2) -> str:
    """A number with its interval."""
    mean, low, high = (f"{x:.{digits}f}" for x in estimate)
    return f"{mean} ({low} to {high})"
