"""What the arms of the avalanche found, in words."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr

from avax.analysis import intervals, phase
from avax.analysis.runway import posed, rounds_of
from paper_figures import avalanche as found
from paper_figures import avalanche_fixed as fixed
from paper_figures import beside
from paper_figures.avalanche import BASE_ARMS, LEVELS, Runs, name_of, split
from paper_figures.pages import text


def summary(*datasets: xr.Dataset | None) -> str:
    """Arm by arm: label errors, what of them compounds, growth, runways; then the base's labels."""
    runs = split(*datasets)
    direct = runs.arms["direct"]
    num_rounds = direct.sizes["round"] - 1
    head = (
        f"{direct.sizes['seed']} bases, {num_rounds} rounds (a runway of {num_rounds} is at least "
        f"that), from {posed(direct)[0]} digits on; 95 % t intervals over bases"
    )
    lines = [x for arm in runs.arms for x in arm_summary(runs, arm)]
    known = found.leads(runs)
    end = "no run without the truth fell by a digit"
    if known.size:
        end = (
            f"of {known.size} runs without the truth that fell by a digit {np.sum(known > 0)} had "
            f"label errors above 10 % in a round before, {np.sum(known == 0)} in that round"
        )
    return "\n".join(
        [head, *lines, *base_summary(runs), end, *fixed_lines(runs), *spread_lines(runs)]
    )


def arm_summary(runs: Runs, arm: str) -> list[str]:
    """One arm's numbers, a line each."""
    dataset = runs.arms[arm]
    accepted = found.mean_of_known(rounds_of(dataset.accept_rate))
    lines = [f"{name_of(arm, dataset)}: {shown(accepted)} of all completions accepted"]
    if arm in BASE_ARMS:
        last = found.num_lengths(runs)
        loop, base = (text(found.as_factor(x)) for x in found.paces(runs, arm))
        lines += [
            f"  label error minus that with a frozen generator, rounds 2 to {last}: "
            f"{shown(found.compounded(runs, arm, last))}",
            f"  label error times {loop} a round; of the untouched base times {base} a digit",
        ]
    for level in LEVELS:
        gain = (
            "" if arm == "direct" else f", {shown(found.longer(runs, arm, level))} more than direct"
        )
        rounds = shown(found.rounds_until(runs, arm, level))
        lines.append(f"  rounds until label error above {100 * level:.0f} %: {rounds}{gain}")
    return lines


def base_summary(runs: Runs) -> list[str]:
    """The base's label errors at each length, a line for each arm."""
    lengths = ", ".join(f"{n}" for n in runs.bases["direct"].start.values)
    lines = [f"label error of the untouched base at {lengths} digits, mean over bases:"]
    for arm, dataset in runs.bases.items():
        errors = ", ".join(f"{x:.4f}" for x in found.mean_of_known(found.base_errors(dataset).T))
        lines.append(f"  {name_of(arm, dataset)}: {errors}")
    return [*lines, "  SECToR's, as secondary sources report: 0.28 direct, 0.007 with both checks"]


def shown(values: np.ndarray) -> str:
    return text(intervals.mean(values))


def fixed_lines(runs: Runs) -> Iterator[str]:
    """Direct answers on fixed lengths, growth beside decay, and right answers by wrong steps."""
    direct = runs.arms["direct"]
    last, digits = direct.sizes["round"] - 1, fixed.fixed_lengths(direct)
    yield f"direct answers at {digits[0]} to {digits[-1]} digits that are wrong, in the end:"
    own = {("direct", "loop"): direct, **runs.controls}
    for (arm, name), dataset in own.items():
        if arm == "direct":
            yield f"  {name}: {shown(fixed.errors(dataset)[:, -1])}"
    yield f"  untouched base: {shown(fixed.errors(direct)[:, 0])}"
    for arm, word in (("direct_oracle", "true direct answers"), ("direct", "all of them")):
        yield f"digits solved more a round, {word}: {shown(fixed.pace(runs.arms[arm], last))}"
    for arm in fixed.BY_STEPS:
        share = shown(found.mean_of_known(fixed.wrong_ways(runs.arms[arm])))
        yield f"right answers by a wrong step, {name_of(arm, runs.arms[arm], True)}: {share}"


def spread_lines(runs: Runs) -> Iterator[str]:
    """How much what is solved in the end differs between bases, and between two runs of one."""
    solved = phase.solved_length(runs.twice).isel(round=-1).transpose("seed", "replicate").values
    if told := beside.spread_text(solved):
        yield f"digits solved in the end, direct answers: {told}"
