"""What lengthens the runway before errors bury self-training? Label errors, arm by arm.

python paper_figures/fig_avalanche.py [RESULTS] [--out STEM]
"""

from __future__ import annotations

import pathlib
import sys

import numpy as np
import xarray as xr

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))  # a fresh clone is not installed

from avax import plotting
from avax.analysis import seeds
from avax.analysis.runway import diverged, interval, label_error, learned, posed
from paper_figures import command
from paper_figures.avalanche import (
    ARMS,
    LEVELS,
    PARTS,
    base_errors,
    name_of,
    runways_of,
    smallest,
    split,
    summary,
)

__all__ = ["PARTS", "SHIPPED", "draw", "summary"]

SHIPPED = ("avalanche",)
MARKS = "o^s"  # of the three ends of a runway


def draw(*datasets: xr.Dataset) -> plotting.Figure:
    """Label errors and what they do to the policy; runways; growth; labels of the base itself."""
    arms, bases = split(datasets)
    figure = plotting.new_figure(13, 7.2)
    ((errors, accuracy, runways), (growths, first, legend)) = figure.subplots(2, 3)
    draw_rounds(errors, arms, label_error)
    for level in LEVELS:
        errors.axhline(level, color="k", linestyle=":", linewidth=0.8)
    errors.set_ylabel("label error: share that is wrong")
    errors.set_title("a  Errors in the data of each round")
    log_share(errors, floor(datasets))
    draw_rounds(accuracy, arms, learned)
    accuracy.set_ylabel("accuracy of direct answers")
    accuracy.set_ylim(-0.03, 1.03)
    accuracy.set_title("b  That length after training on them")
    draw_runways(runways, arms)
    draw_growth(growths, arms)
    draw_base(first, bases, floor(datasets))
    draw_legend(legend, arms)
    return figure


def draw_legend(axes, arms) -> None:
    """What the colours mean, and the marks of the runways."""
    axes.set_axis_off()
    for arm, dataset in arms.items():
        axes.plot([], [], color=ARMS[arm][2], linewidth=2.5, label=name_of(arm, dataset))
    for mark, end in zip(MARKS, runways_of(next(iter(arms.values()))), strict=True):
        axes.plot([], [], mark, color="w", markeredgecolor="k", label=f"c: {end}")
    axes.plot([], [], "k:", linewidth=0.8, label="a: 10 % and 50 %; c: the end of the run")
    axes.legend(loc="center", title="Labels of a round (small dots and thin lines: seeds)")


def floor(datasets) -> float:
    """Where an error of 0 is drawn: below one wrong label of a round."""
    return min(smallest(d) for d in datasets) / 3


def log_share(axes, lowest: float, which: str = "y") -> None:
    """A logarithmic axis from `lowest`, which stands for 0, to 1."""
    axis = axes.yaxis if which == "y" else axes.xaxis
    (axes.set_yscale if which == "y" else axes.set_xscale)("log")
    (axes.set_ylim if which == "y" else axes.set_xlim)(0.85 * lowest, 1.15)
    ticks = [t for t in (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0) if t > 1.5 * lowest]
    axis.set_ticks([lowest, *ticks], ["0", *(f"{t:g}" for t in ticks)])
    axis.minorticks_off()


def draw_rounds(axes, arms, values) -> None:
    """A quantity f[S, R] against the digits posed: thin lines are seeds, thick ones their mean."""
    lowest = floor(arms.values()) if values is label_error else -np.inf
    for arm, dataset in arms.items():
        found, lost, colour = values(dataset), diverged(dataset), ARMS[arm][2]
        thin = {"color": colour, "linewidth": 0.5, "alpha": 0.5}
        plotting.plot_until(axes, posed(dataset), np.maximum(found, lowest).T, lost.T, **thin)
        mean, bold = np.maximum(seeds.mean(found), lowest), {"color": colour, "linewidth": 2.2}
        plotting.plot_until(axes, posed(dataset), mean, lost.any(0), **bold)
    plotting.whole_ticks(axes)
    axes.set_xlabel("digits of the round's problems")


def draw_runways(axes, arms) -> None:
    """Rounds before the end: small dots are seeds, large ones their mean, with its interval."""
    num_rounds = max(d.sizes["round"] - 1 for d in arms.values())
    for row, (arm, dataset) in enumerate(arms.items()):
        for i, rounds in enumerate(runways_of(dataset).values()):
            mark, y, colour = MARKS[i], row + 0.25 * (i - 1), ARMS[arm][2]
            mean, low, high = interval(rounds)
            axes.plot([low, high], [y, y], color=colour, linewidth=1.5)
            at = np.full(len(rounds), y)
            axes.plot(rounds, at, mark, color=colour, markersize=3, alpha=0.4)
            lost = diverged(dataset).any(1)
            if lost.any():
                plotting.cross(axes, rounds[lost], at[lost])
            axes.plot(mean, y, mark, color=colour, markersize=7, markeredgecolor="k")
    axes.axvline(num_rounds, color="k", linestyle=":", linewidth=0.8)
    axes.set_yticks(range(len(arms)), [name_of(a, d, True) for a, d in arms.items()])
    axes.set_ylim(len(arms) - 0.4, -0.6)
    axes.set_xlim(-0.3, num_rounds + 0.5)
    axes.set_xlabel("rounds until (marks: see legend)")
    axes.set_title("c  Runway: seeds, mean, 95 % interval")


def draw_growth(axes, arms) -> None:
    """The label error of a round against that of the round before."""
    lowest = floor(arms.values())
    for arm, dataset in arms.items():
        if arm != "oracle":
            error = np.maximum(label_error(dataset), lowest)
            style = {"color": ARMS[arm][2], "markersize": 4, "alpha": 0.7}
            axes.plot(error[:, :-1].ravel(), error[:, 1:].ravel(), "o", **style)
    ends = np.array([lowest, 1.0])
    axes.plot(ends, ends, "k-", linewidth=0.8)
    axes.plot(ends, 3 * ends, "k--", linewidth=0.8)
    axes.text(0.02, 0.98, "solid: as many\ndashed: three times as many", va="top",
              transform=axes.transAxes, fontsize=8)  # fmt: skip
    log_share(axes, lowest, "x")
    log_share(axes, lowest, "y")
    axes.set_xlabel("label error of a round")
    axes.set_ylabel("label error of the next round")
    axes.set_title("d  Errors from one round to the next")


def draw_base(axes, bases, lowest: float) -> None:
    """Label errors before any training on them, on lengths that the base was not trained on."""
    for arm, dataset in bases.items():
        rows, colour = base_errors(dataset), ARMS[arm][2]
        lost = (dataset.diverged.isel(round=1) == 1).any("seed").values
        mean = np.where(lost, np.nan, seeds.mean(rows))
        axes.plot(dataset.start, np.maximum(rows.T, lowest), color=colour, linewidth=0.5, alpha=0.5)
        axes.plot(dataset.start, np.maximum(mean, lowest), color=colour, linewidth=2.2)
        plotting.mark_lost(axes, dataset.start, lost)
    log_share(axes, lowest)
    plotting.whole_ticks(axes)
    axes.set_xlabel("digits; none of these lengths was trained on")
    axes.set_ylabel("label error: share that is wrong")
    axes.set_title("e  Before any round: labels made by the base")


if __name__ == "__main__":
    command.main(__doc__, draw, PARTS)
