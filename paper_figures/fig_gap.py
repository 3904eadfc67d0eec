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
    FAR,
    FIRST,
    FIXED,
    JUDGES,
    LOOPS,
    MOVING,
    NEAR,
    PARTS,
    WHERE,
    WIDTH,
    controls_of,
    named,
    of,
    passed,
    posed,
    reached,
    summary,
    untouched_gap,
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
READS = ("gap", "pass_at", "sampled_accuracy", "accuracy_by_difficulty", "diverged")
STYLES = {
    "oracle": plotting.role("truth"),
    "majority": {"color": COLOURS["MajorityVote"]},
    "learned": {"color": COLOURS["learned"]},
}
BASE = plotting.role("untouched base")
WEAK = plotting.BAND / 2  # of controls, whose bands lie over others


def draw(*datasets: xr.Dataset | None) -> plotting.Figure:
    """Above: gaps of bases of every size as they learn. Below: a loop's own gap by round, and the
    vote's in the controls of the loop behind it and of the untouched base.
    """
    data = named(datasets)
    figure = plotting.paper_figure(5.1)
    above, below = figure.subplots(2, 2)
    draw_by_skill(above[0], data)
    draw_alike(above[1], data)
    for axes in above:
        axes.axhline(0, **plotting.NO_EFFECT)
    for axes, (step, where) in zip(below, WHERE.items(), strict=True):
        draw_gaps(axes, data, step)
        finish_rounds(axes, "gap of the loop's own verifier")
        axes.set_title(f"What is left to gain on {where}")
    below[1].sharey(below[0])
    figure.legend(*below[1].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    plotting.letter([*above, *below])
    return figure


def draw_gaps(axes, data: dict[str, xr.Dataset], step: int) -> None:
    """Own gaps of loops by round, from the longer start."""
    for part, title in LOOPS.items():
        run, style = of(data[part], FAR, step), STYLES[part] | {"label": f"behind {title}"}
        draw_mean(axes, run, run.gap.sel(judge="own"), **style)
    for role, control in controls_of(data).items():
        run, style = of(control, FAR, step), plotting.role(role) | {"label": of_vote(role)}
        draw_mean(axes, run, vote_gap(run, role), WEAK, **style)
    vote = of(data["majority"], FAR, step)
    base = untouched_gap(data, vote)
    axes.plot(base["round"], base.mean("seed"), label="untouched base, vote", **BASE)


def of_vote(role: str) -> str:
    """The name of a control in figures of several loops: it is the vote's."""
    return f"{role} of the vote"


def draw_judges(*datasets: xr.Dataset | None) -> plotting.Figure:
    """The gap of each judge: above by size, of bases that were trained alike, below by round in a
    loop behind a vote.
    """
    data = named(datasets)
    figure = plotting.paper_figure(4.6)
    above, below = figure.subplots(2, 2, sharey="row")
    for axes, start in zip(above, SIZED, strict=True):
        draw_sizes(axes, data, start)
    for axes, (step, where) in zip(below, WHERE.items(), strict=True):
        run = of(data["majority"], FAR, step).isel(round=slice(FIRST, None))
        lost = (run.diverged == 1).any("seed").values
        draw_each(axes, run["round"].values, run.gap.transpose("round", "seed", "judge"), lost)
        finish_rounds(axes, "gap (accuracy)")
        axes.set_title(f"Behind a vote on {where}, width {WIDTH}")
    below[1].legend()
    plotting.letter([*above, *below])
    return figure


def draw_skill(*datasets: xr.Dataset | None) -> plotting.Figure:
    """What loops learn, beside their untouched base: digits reached, and pass@k."""
    data = named(datasets)
    figure = plotting.paper_figure(5.1)
    panels = figure.subplots(2, 2)
    draw_reached(panels[0, 0], data, MOVING)
    draw_reached(panels[0, 1], data, FIXED)
    draw_newest(panels[1, 0], data)
    draw_change(panels[1, 1], data)
    handles = panels[1, 0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=3)
    plotting.letter(panels.flat)
    return figure


def loops_and_controls(data: dict[str, xr.Dataset]) -> list[tuple[xr.Dataset, float, dict]]:
    """Loops, then the controls of the vote: runs, how strong their bands are, and their look."""
    loops = [
        (data[part], plotting.BAND, STYLES[part] | {"label": f"behind {title}"})
        for part, title in LOOPS.items()
    ]
    return loops + [
        (control, WEAK, plotting.role(role) | {"label": of_vote(role)})
        for role, control in controls_of(data).items()
    ]


def draw_reached(axes, data: dict[str, xr.Dataset], step: int) -> None:
    """Digits reached beyond what the base knows, less the untouched base's, by round."""
    for dataset, alpha, style in loops_and_controls(data):
        run = of(dataset, NEAR, step)
        draw_mean(axes, run, reached(run), alpha, **style)
    finish_rounds(axes, "reach (digits), minus the base's")
    axes.axhline(0, **BASE)
    axes.set_title(f"Learned on {WHERE[step]}")


def draw_newest(axes, data: dict[str, xr.Dataset]) -> None:
    """Right answers on a frontier's newest lengths, and the untouched base's: a picture, as lengths
    grow.
    """
    for dataset, alpha, style in loops_and_controls(data):
        run = of(dataset, NEAR, MOVING)
        draw_mean(axes, run, run.sampled_accuracy, alpha, **style)
    at = posed(of(data["majority"], NEAR, MOVING)).drop_vars(["start", "step"])
    base = data["untouched"].sampled_accuracy.sel(round=FIRST, drop=True).sel(start=at)
    axes.plot(at["round"], base.mean("seed"), label="untouched base", **BASE)
    finish_rounds(axes, "right at the newest length")
    axes.set_ylim(-0.03, 1.03)
    axes.set_title("Samples on a frontier")


def draw_mean(
    axes, run: xr.Dataset, values: xr.DataArray, alpha: float = plotting.BAND, **style
) -> None:
    """A mean over bases by round with its t interval as a band, until a run diverged."""
    values = values.sel(round=values["round"] >= FIRST).transpose("round", "seed")
    lost = (run.diverged == 1).any("seed").sel(round=values["round"]).values
    band = band_of(values.values)
    plotting.plot_band(axes, values["round"], band, lost, alpha=alpha, **style)


def finish_rounds(axes, label: str) -> None:
    axes.axhline(0, **plotting.NO_EFFECT)
    plotting.whole_ticks(axes)
    axes.set_xlabel("round")
    axes.set_ylabel(label)


def draw_change(axes, data: dict[str, xr.Dataset]) -> None:
    """Pass@k in the last round minus the base's, base by base."""
    for dataset, alpha, style in loops_and_controls(data):
        before, after = passed(dataset)
        draw_by_k(axes, of(dataset, FAR), after - before, alpha, **style)
    axes.set_xscale("log", base=2)
    axes.set_xticks(before.k.values, before.k.values)
    axes.set_xlabel("k")
    axes.axhline(0, **BASE)
    axes.set_ylabel("pass@k, minus the base's")
    axes.set_title("What is found on fixed prompts")


def draw_by_k(axes, run: xr.Dataset, values: xr.DataArray, alpha: float, **style) -> None:
    values = values.transpose("k", "seed")
    lost = np.full(values.sizes["k"], bool((run.diverged == 1).any()))
    band = band_of(values.values)
    plotting.plot_band(axes, values.k, band, lost, alpha=alpha, **style)


FIGURES = {"": draw, "judges": draw_judges, "skill": draw_skill}

if __name__ == "__main__":
    command.main(__doc__, FIGURES, PARTS)
