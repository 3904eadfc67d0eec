"""How much better than its policy is a verifier, by model size and by round? Three figures.

python paper_figures/fig_gap.py [RESULTS] [--out STEM]
"""

from __future__ import annotations

import pathlib
import sys

import numpy as np
import xarray as xr

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))  # a fresh clone is not installed

from avax import plotting
from paper_figures import command
from paper_figures.gap import (
    BEYOND,
    FIRST,
    FIXED,
    GATES,
    JUDGES,
    LOOPS,
    MOVING,
    PARTS,
    WIDTH,
    controls_of,
    named,
    of,
    passed,
    skill,
    summary,
    vote_gap,
)
from paper_figures.gap_claims import CLAIMS, QUESTION
from paper_figures.gap_drawing import (
    COLOURS,
    SIZED,
    band_of,
    draw_alike,
    draw_by_skill,
    draw_each,
    draw_sizes,
)

__all__ = ["CLAIMS", "JUDGES", "PARTS", "QUESTION", "READS", "SHIPPED", "draw", "summary"]
SHIPPED = ("gap",)
READS = (
    *("gap", "relative_gap", "pass_at", "sampled_accuracy", "accuracy_by_difficulty"),
    *("base_accuracy", "diverged"),
)
STYLES = {
    "oracle": plotting.role("truth"),
    "majority": {"color": COLOURS["MajorityVote"]},
    "learned": {"color": COLOURS["learned"]},
}
BASE = plotting.role("untouched base")
WEAK = plotting.BAND / 2  # of controls, whose bands lie over others
COLUMNS = {FIXED: "fixed prompts", MOVING: "a frontier"}


def draw(*datasets: xr.Dataset | None) -> plotting.Figure:
    """Above: share of errors that judges remove, of bases of every size and training. Below: a
    loop's own gap by round, and the vote's in the controls of the loop behind it.
    """
    data = named(datasets)
    figure = plotting.paper_figure(height(data))
    above, below = figure.subplots(2, 2, sharey="row")
    draw_by_skill(above[0], data)
    draw_alike(above[1], data)
    for axes in above:
        axes.axhline(0, **plotting.NO_EFFECT)
        axes.set_ylabel("share of errors removed")
        axes.legend(loc="upper left")
    above[0].set_ylim(-0.1, 1.25)  # room for the legends
    for axes, (step, where) in zip(below, COLUMNS.items(), strict=True):
        for part, title in LOOPS.items():
            title = f"behind {title}" if controls_of(data) else title
            run = of(data[part], BEYOND, step)
            draw_mean(axes, run, run.gap.sel(judge="own"), -1, label=title, **STYLES[part])
        for role, control in controls_of(data).items():
            run, style = of(control, BEYOND, step), plotting.role(role) | {"label": of_vote(role)}
            draw_mean(axes, run, vote_gap(run, role), -1, WEAK, **style)
        finish_rounds(axes, "gap of the loop's own verifier")
        axes.set_title(f"What is left to gain on {where}, width {WIDTH}")
    name_lines(below[1], data, title="loop behind", title_fontsize=7)
    plotting.letter([*above, *below])
    return figure


def height(data: dict[str, xr.Dataset]) -> float:
    """Inches of a figure, whose legend is below it if there are controls."""
    return 5.1 if controls_of(data) else 4.6


def name_lines(axes, data: dict[str, xr.Dataset], **style) -> None:
    """The legend of a panel: within it, or below all of them if the names of controls are more than
    fit in.
    """
    if controls_of(data):
        named_lines = axes.get_legend_handles_labels()
        axes.figure.legend(*named_lines, loc="outside lower center", ncols=3)
    else:
        axes.legend(**style)


def of_vote(role: str) -> str:
    """The name of a control in figures of several loops: it is the vote's."""
    return f"{role} of the vote"


def draw_judges(*datasets: xr.Dataset | None) -> plotting.Figure:
    """The gap itself: above by size, of bases that were trained alike, below by round in a loop
    behind a vote.
    """
    data = named(datasets)
    figure = plotting.paper_figure(4.6)
    above, below = figure.subplots(2, 2, sharey="row")
    for axes, start in zip(above, SIZED, strict=True):
        draw_sizes(axes, data, "gap", start)
        axes.set_ylabel("gap (accuracy)")
    for axes, (step, where) in zip(below, COLUMNS.items(), strict=True):
        run = of(data["majority"], BEYOND, step).isel(round=slice(FIRST, None))
        lost = (run.diverged == 1).any("seed").values
        draw_each(axes, run["round"].values, run.gap.transpose("round", "seed", "judge"), lost)
        finish_rounds(axes, "gap (accuracy)")
        axes.set_title(f"Behind a vote on {where}, width {WIDTH}")
    below[1].legend()
    plotting.letter([*above, *below])
    return figure


def draw_skill(*datasets: xr.Dataset | None) -> plotting.Figure:
    """What training makes of the gap: skill by round beside the base's, and pass@k."""
    data = named(datasets)
    figure = plotting.paper_figure(height(data))
    panels = figure.subplots(2, 2)
    draw_levels(panels[0, 0], data)
    draw_gained(panels[0, 1], data, MOVING)
    draw_gained(panels[1, 0], data, FIXED)
    draw_change(panels[1, 1], data)
    plotting.letter(panels.flat)
    return figure


def draw_levels(axes, data: dict[str, xr.Dataset]) -> None:
    """Means by round on a frontier, and those of the base on the same lengths."""
    lines = [(data[part], STYLES[part], f"behind {title}") for part, title in LOOPS.items()]
    controls = controls_of(data).items()
    lines += [(control, plotting.role(role), of_vote(role)) for role, control in controls]
    for dataset, style, name in lines:
        run = of(dataset, BEYOND, MOVING)
        after, base = skill(run)
        lost = (run.diverged == 1).any("seed").sel(round=after["round"]).values
        style = style | {"label": name}
        plotting.plot_until(axes, after["round"], after.mean("seed"), lost, **style)
    axes.plot(base["round"], base.mean("seed"), label="untouched base", **BASE)
    finish_rounds(axes, "greedy accuracy, newest length")
    axes.set_ylim(-0.03, 1.2)  # room for the legend
    axes.set_yticks(np.linspace(0, 1, 6))
    axes.set_title(f"Skill on a frontier, width {WIDTH}, means")
    name_lines(axes, data, loc="upper right")


def draw_gained(axes, data: dict[str, xr.Dataset], step: int) -> None:
    """Skill minus that of the untouched base on the same lengths, base by base."""
    lines = [(data[part], plotting.BAND, STYLES[part]) for part in LOOPS]
    lines += [(x, WEAK, plotting.role(role)) for role, x in controls_of(data).items()]
    for dataset, alpha, style in lines:
        run = of(dataset, BEYOND, step)
        after, base = skill(run)
        draw_mean(axes, run, after - base, -1, alpha, **style)
    axes.axhline(0, **BASE)
    finish_rounds(axes, "accuracy, minus the base's")
    axes.set_title(f"Skill gained on {COLUMNS[step]}")


def draw_mean(
    axes, run: xr.Dataset, values: xr.DataArray, least: float, alpha: float = plotting.BAND, **style
) -> None:
    """A mean over bases by round with its t interval as a band, until a run diverged."""
    values = values.sel(round=values["round"] >= FIRST).transpose("round", "seed")
    lost = (run.diverged == 1).any("seed").sel(round=values["round"]).values
    band = band_of(values.values, least)
    plotting.plot_band(axes, values["round"], band, lost, alpha=alpha, **style)


def finish_rounds(axes, label: str) -> None:
    axes.axhline(0, **plotting.NO_EFFECT)
    plotting.whole_ticks(axes)
    axes.set_xlabel("round")
    axes.set_ylabel(label)


def draw_change(axes, data: dict[str, xr.Dataset]) -> None:
    """Pass@k in the last round minus the base's, base by base."""
    lines = [(data[part], plotting.BAND, STYLES[part]) for part in GATES]
    lines += [(x, WEAK, plotting.role(role)) for role, x in controls_of(data).items()]
    for dataset, alpha, style in lines:
        before, after = passed(dataset)
        draw_by_k(axes, of(dataset, BEYOND), after - before, alpha, **style)
    axes.set_xscale("log", base=2)
    axes.set_xticks(before.k.values, before.k.values)
    axes.set_xlabel("k")
    axes.axhline(0, **BASE)
    axes.set_ylabel("pass@k, minus the base's")
    axes.set_title("What is found on fixed prompts")


def draw_by_k(axes, run: xr.Dataset, values: xr.DataArray, alpha: float, **style) -> None:
    values = values.transpose("k", "seed")
    lost = np.full(values.sizes["k"], bool((run.diverged == 1).any()))
    band = band_of(values.values, -1)
    plotting.plot_band(axes, values.k, band, lost, alpha=alpha, **style)


FIGURES = {"": draw, "judges": draw_judges, "skill": draw_skill}

if __name__ == "__main__":
    command.main(__doc__, FIGURES, PARTS)
