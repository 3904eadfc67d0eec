"""How far does clean verification carry: from 10 digits to 100?

python paper_figures/fig_length_generalization.py [RESULTS] [--out STEM]
"""

from __future__ import annotations

import pathlib
import sys

import numpy as np
import xarray as xr

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))  # a fresh clone is not installed

from avax import plotting
from avax.analysis import intervals, phase
from avax.plotting import Row
from paper_figures import command
from paper_figures import length_generalization as numbers
from paper_figures import length_generalization_falls as falls
from paper_figures.length_generalization import (
    ARMS,
    ONE_A_ROUND,
    PARTS,
    REACH,
    controls_of,
    name_of,
    posed_length,
)
from paper_figures.length_generalization_claims import CLAIMS, QUESTION
from paper_figures.length_generalization_growth import HEADING, PAIRS, POWER
from paper_figures.length_generalization_maps import draw_maps, draw_more_maps, lost_of
from paper_figures.length_generalization_words import summary

__all__ = ["CLAIMS", "PARTS", "QUESTION", "REACH", "READS", "SHIPPED", "draw", "summary"]
SHIPPED = ("length_generalization",)
READS = (
    *("accuracy", "accuracy_by_difficulty", "sampled_accuracy", "label_precision", "accept_rate"),
    *("num_accepted", "diverged", "base_accuracy", "loss", "grad_norm"),
)
OTHERS = plotting.arms(("length", "vote"))
SLOW = {"linestyle": "--"}  # of arms at the lower learning rate
STYLES = {
    "oracle": plotting.role("truth"),
    "slow": plotting.role("truth") | SLOW,
    "clipped": plotting.role("truth") | {"linestyle": ":"},
    "steady": plotting.role("truth"),
    "far": plotting.role("truth"),
    "none": plotting.role("no filter"),
    "slow_none": plotting.role("no filter") | SLOW,
    **{part: {"color": colour} for part, colour in OTHERS.items()},
}
LABELS = ("steady", "none", "length", "vote")  # of which labels at the newest length are drawn
WEAK = plotting.BAND / 2  # of controls, whose bands lie over others
BESIDE = (numbers.COMPOUNDED, numbers.BEYOND_SHAM)
PANELS = {  # of the comparisons, which have different scales
    "Solved lengths": (
        "digits",
        (numbers.FILTERED, *BESIDE),
    ),
    "Growth": ("logarithm", (POWER, *(HEADING.format(*pair) for pair in PAIRS))),
    "Late falls": ("log2 of digits", (falls.LATE, falls.LATE_LESS)),
    "No filter, middle and end of the rounds": ("digits", (numbers.NO_FILTER,)),
    "Labels": (
        "share of answers",
        (
            *(numbers.NEWEST, numbers.NEWEST_BEYOND, numbers.WRONG),
            *(falls.TO_100, falls.FELL, falls.DIP),
        ),
    ),
}


def draw(*datasets: xr.Dataset | None) -> plotting.Figure:
    """How far each base comes with the truth, labels at new lengths, and digits gained by arm."""
    data = numbers.named(*datasets)
    has_controls = bool(controls_of(data))
    figure = plotting.paper_figure(5.2 if has_controls else 4.8)
    panels = figure.subplots(2, 2)
    draw_bases(panels[0, 0], data)
    draw_newest(panels[0, 1], data)
    draw_solved(panels[1, 0], data)
    roles = [role for _, role in controls_of(data)]
    draw_gained(panels[1, 1], numbers.effects(*datasets)[numbers.GAINED], roles)
    handles, words = panels[1, 0].get_legend_handles_labels()
    number = 3 if has_controls else len(words)
    figure.legend(handles, words, loc="outside lower center", ncols=number, columnspacing=1)
    plotting.letter(panels.flat)
    return figure


def draw_bases(axes, data: dict[str, xr.Dataset]) -> None:
    """Solved length of every base by round, up to many lengths a round, at both learning rates."""
    for part, alpha in (("slow", 0.5), ("oracle", 1)):
        dataset = data[part]
        solved = phase.solved_length(dataset).transpose("round", "seed")
        lines = STYLES[part] | {"linewidth": 0.7, "alpha": alpha}
        plotting.plot_until(axes, solved["round"], solved.values, lost_of(dataset), **lines)
    draw_base(axes, solved)
    axes.set_ylim(0, 1.02 * dataset.sizes["difficulty"])
    axes.set_xlabel("round")
    axes.set_ylabel("solved length (digits)")
    axes.set_title(f"Each base, truth, up to {dataset.reach.item()} a round")


def draw_base(axes, solved: xr.DataArray) -> None:
    """What the untouched bases solve, their mean."""
    level = float(solved.isel(round=0).mean())
    axes.axhline(level, label="untouched base", **plotting.role("untouched base"))


def draw_newest(axes, data: dict[str, xr.Dataset]) -> None:
    """Share of right answers at the newest length, beside the untouched base's on the same."""
    for part in LABELS:
        dataset = data[part].isel(round=slice(1, None))
        posed = posed_length(data[part])[1:]
        plot_mean(axes, posed, dataset.sampled_accuracy, lost_of(dataset), 1, **STYLES[part])
    for (arm, role), control in controls_of(data).items():
        if arm == "none":  # what the untouched base writes behind the truth is as right as here
            rounds, style = control.isel(round=slice(1, None)), plotting.role(role)
            plot_mean(axes, posed, rounds.sampled_accuracy, lost_of(rounds), 1, WEAK, **style)
    bases = xr.concat([numbers.base_right(data[part]) for part in LABELS], "arm").mean("arm")
    axes.plot(posed, bases.mean("seed"), **plotting.role("untouched base"))
    axes.set_ylim(0, 1)
    axes.set_xlabel("newest length (digits)")
    axes.set_ylabel("right answers at it")
    axes.set_title("Labels of new lengths")


def plot_mean(
    axes, x, values: xr.DataArray, lost: np.ndarray, most: float, alpha=plotting.BAND / 1.5, **style
) -> None:
    """Mean over bases with its t interval as a band, within 0 and `most`."""
    rows = values.transpose("round", "seed").values
    each = np.array([intervals.mean(row)[:3] for row in rows]).T
    each[1:] = np.where(np.isfinite(each[1:]), np.clip(each[1:], 0, most), np.nan)
    gone = lost.reshape(len(rows), -1).any(1)
    plotting.plot_band(axes, x, each, gone, alpha, **style)


def draw_solved(axes, data: dict[str, xr.Dataset]) -> None:
    """Solved length by round where one digit is added in every round."""
    words = numbers.titles(data)
    for part in ONE_A_ROUND:
        solved = phase.solved_length(data[part])
        style = STYLES[part] | {"label": words[part]}
        most = data[part].sizes["difficulty"]
        plot_mean(axes, solved["round"], solved, lost_of(data[part]), most, **style)
    for (arm, role), control in controls_of(data).items():
        solved, style = phase.solved_length(control), plotting.role(role)
        style |= {"label": name_of(arm, role)}
        if arm == "steady":  # of which another one is drawn as well
            style |= {"marker": "o", "markersize": 2.5, "markevery": 5}
        plot_mean(axes, solved["round"], solved, lost_of(control), most, WEAK, **style)
    draw_base(axes, xr.concat([phase.solved_length(data[p]) for p in LABELS], "arm").mean("arm"))
    axes.set_ylim(0, 1.02 * most)
    axes.set_xlabel("round")
    axes.set_ylabel("solved length (digits)")
    axes.set_title("One digit more in every round")


def draw_gained(axes, gains: dict[str, np.ndarray], roles: list[str]) -> None:
    """Digits gained on the untouched base, every arm and then every control."""
    looks = [*(STYLES[part] for part in ARMS), *map(plotting.role, roles)]
    colours = [look["color"] for look in looks]
    rows = [
        Row(name, intervals.mean(x), colour, x)
        for (name, x), colour in zip(gains.items(), colours, strict=True)
    ]
    plotting.forest(axes, rows)
    axes.set_xlabel("digits gained on the untouched base")
    axes.set_title("By arm, at the end")


def draw_effects(*datasets: xr.Dataset | None) -> plotting.Figure:
    """All other comparisons with their intervals: in digits, and in shares."""
    found = numbers.effects(*datasets)
    ahead = numbers.AHEAD.format(numbers.named(*datasets)["oracle"].reach.item())
    lost = any((x.diverged == 1).any() for x in datasets if x is not None)
    rows = []
    for _, headings in PANELS.values():
        here = (*headings, ahead) if numbers.FILTERED in headings else headings
        there = [heading for heading in here if heading in found]  # those of controls may not be
        rows.append([row for heading in there for row in rows_of(heading, found[heading])])
    figure = plotting.paper_figure(2.1 + 0.16 * sum(map(len, rows)))
    panels = figure.subplots(len(rows), 1, height_ratios=[len(each) for each in rows])
    for axes, each, title in zip(panels, rows, PANELS, strict=True):
        plotting.forest(axes, each)
        axes.set_xlabel(PANELS[title][0])
        axes.set_title(title)
        if lost:
            plotting.mark_lost(axes, axes.get_xlim()[0], True)
    plotting.letter(panels)
    return figure


def rows_of(heading: str, effects: dict[str, np.ndarray]) -> list[Row]:
    rows = [Row(name, intervals.mean(values), "0.25", values) for name, values in effects.items()]
    return [Row(heading), *rows]


FIGURES = {"": draw, "effects": draw_effects, "maps": draw_maps, "more_maps": draw_more_maps}

if __name__ == "__main__":
    command.main(__doc__, FIGURES, PARTS)
