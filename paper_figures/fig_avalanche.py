"""Do errors compound where a loop trains on its own labels? Three figures, and words.

python paper_figures/fig_avalanche.py [RESULTS] [--out STEM]
"""

from __future__ import annotations

import pathlib
import sys

import numpy as np
import xarray as xr

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))  # a fresh clone is not installed

from avax import plotting
from avax.analysis import intervals, phase
from avax.analysis.runway import diverged, label_error, posed
from avax.plotting import Row
from paper_figures import avalanche as numbers
from paper_figures import command
from paper_figures.avalanche import BASE_ARMS, CHECKED, PARTS, Runs, name_of, split
from paper_figures.avalanche_across import ACROSS
from paper_figures.avalanche_claims import CLAIMS, QUESTION, SHIPPED
from paper_figures.avalanche_drawing import (
    BAND,
    BASE,
    STYLES,
    WORDS,
    band_of,
    name_lines,
    plot_mean,
)
from paper_figures.avalanche_lengths import draw_fixed
from paper_figures.avalanche_words import summary

__all__ = ["ACROSS", "CLAIMS", "PARTS", "QUESTION", "READS", "SHIPPED", "draw", "summary"]
READS = (
    *("accuracy_by_difficulty", "base_accuracy", "accept_rate", "label_precision"),
    *("num_accepted", "diverged", "step_precision", "wrong_way_share"),
)


def draw(*datasets: xr.Dataset | None) -> plotting.Figure:
    """Label errors beside those of the untouched base, what compounds, and what is solved."""
    runs = split(*datasets)
    figure = plotting.paper_figure(5.2)
    panels = figure.subplots(2, 2)
    draw_direct(panels[0, 0], runs)
    draw_compounding(panels[0, 1], runs)
    for axes, arm in zip(panels[1], ("direct", "vote"), strict=True):
        draw_solved(axes, runs, arm)
    ends = [axes.get_ylim() for axes in panels[1]]
    for axes in panels[1]:
        axes.set_ylim(min(low for low, _ in ends), max(high for _, high in ends))
    name_lines(figure, panels.flat)
    plotting.letter(panels.flat)
    return figure


def label_errors(axes, runs: Runs, arm: str, opacity: float = BAND) -> None:
    dataset = runs.arms[arm]
    style = STYLES[arm] | {"label": name_of(arm, dataset, True), "opacity": opacity}
    plot_mean(axes, posed(dataset), label_error(dataset), diverged(dataset), **style)


def draw_untouched(axes, runs: Runs) -> None:
    """Errors of the untouched base's direct answers to as long problems."""
    values, lost = numbers.untouched(runs), diverged(runs.arms["direct"])
    if "base_accuracy" not in runs.arms["direct"]:
        gone = (runs.bases["direct"].diverged.isel(round=1) == 1).transpose("seed", "start")
        lost = numbers.on_rounds(gone.values.astype(float), runs.arms["direct"]) == 1
    style = plotting.role(BASE) | {"label": BASE}
    plot_mean(axes, posed(runs.arms["direct"]), values, lost, **style)


def draw_direct(axes, runs: Runs) -> None:
    """Label errors of the loop that trains on all its direct answers, and of its controls."""
    label_errors(axes, runs, "direct")
    draw_untouched(axes, runs)
    if (control := runs.controls.get(("direct", "frozen_generator"))) is not None:
        style = plotting.role(WORDS["frozen_generator"]) | {"label": WORDS["frozen_generator"]}
        plot_mean(axes, posed(control), label_error(control), diverged(control), **style)
    axes.set_ylim(0, 1.02)
    of_lengths(axes, runs)
    axes.set_ylabel("share of labels that is wrong")
    axes.set_title("Direct answers, none rejected")


def of_lengths(axes, runs: Runs) -> None:
    """Round 1 poses the shortest of these lengths, and each round a digit more."""
    ends = posed(runs.arms["direct"])[[0, -1]]
    axes.set_xlim(ends[0] - 0.5, ends[1] + 0.5)
    plotting.whole_ticks(axes)
    axes.set_xlabel("digits of the round's problems")


def draw_compounding(axes, runs: Runs) -> None:
    """Label errors of loops less those of labels that the untouched base makes in the same way, as
    a frozen generator does, at equal length.
    """
    for arm in BASE_ARMS:
        dataset = runs.arms[arm]
        style = STYLES[arm] | {"label": name_of(arm, dataset, True)}
        values = numbers.compounding(runs, arm)
        plot_mean(axes, posed(dataset), values, diverged(dataset), (-1, 1), **style)
    axes.axhline(0, **plotting.NO_EFFECT)
    ends = posed(runs.arms["direct"])[[0, numbers.num_lengths(runs) - 1]]
    axes.set_xlim(ends[0] - 0.2, ends[1] + 0.2)
    plotting.whole_ticks(axes)
    axes.set_xlabel("digits of the round's problems")
    axes.set_ylabel("compounding (share of labels)")
    axes.set_title("Label error, minus the untouched base's")


def draw_solved(axes, runs: Runs, arm: str) -> None:
    """Solved length by round of an arm and of what it is compared with."""
    bound = "direct_oracle" if arm == "direct" else "oracle"
    lines = {"truth": (runs.arms[bound], STYLES[bound])}
    lines[name_of(arm, runs.arms[arm], True)] = (runs.arms[arm], STYLES[arm])
    for control, word in WORDS.items():
        if (dataset := runs.controls.get((arm, control))) is not None:
            lines[word] = (dataset, plotting.role(word))
    for word, (dataset, style) in lines.items():
        solved = phase.solved_length(dataset).transpose("seed", "round").values
        lost = (dataset.diverged == 1).transpose("seed", "round").values
        opacity = band_of(word)
        ends, look = (0, dataset.sizes["difficulty"]), style | {"label": word, "opacity": opacity}
        plot_mean(axes, dataset["round"], solved, lost, ends, **look)
    level = float(phase.solved_length(runs.arms[arm]).isel(round=0).mean())
    axes.axhline(level, label=BASE, **plotting.role(BASE))
    plotting.whole_ticks(axes)
    axes.set_xlabel("round")
    axes.set_ylabel("solved length (digits)")
    axes.set_title("Trained on direct answers" if arm == "direct" else "Trained behind the vote")


def draw_runways(*datasets: xr.Dataset | None) -> plotting.Figure:
    """Growth of label errors, and how many rounds each arm lasts, as differences by base."""
    runs = split(*datasets)
    figure = plotting.paper_figure(5.4)
    panels = figure.subplots(2, 2)
    draw_growth(panels[0, 0], runs)
    first = numbers.num_lengths(runs)
    level = numbers.LEVELS[0]
    plotting.forest(
        panels[0, 1], [row(runs, a, numbers.outlasted(runs, a, level)) for a in BASE_ARMS]
    )
    panels[0, 1].set_xlabel(f"rounds of the first {first}, minus untouched base")
    panels[0, 1].set_title(f"Until {100 * level:.0f} % are wrong: the loop's own part")
    for axes, level in zip(panels[1], numbers.LEVELS, strict=True):
        others = (*CHECKED, "oracle")
        plotting.forest(axes, [row(runs, a, numbers.longer(runs, a, level)) for a in others])
        axes.set_xlabel("rounds, minus direct answers; run's end counts")
        axes.set_title(f"Until {100 * level:.0f} % are wrong: longer by checks")
    lost = any((x.diverged == 1).any() for x in datasets if x is not None)
    if lost:
        plotting.mark_lost(panels[1, 0], panels[1, 0].get_xlim()[0], True)
    plotting.letter(panels.flat)
    return figure


def row(runs: Runs, arm: str, values: np.ndarray) -> Row:
    """A row of differences between bases."""
    name, colour = name_of(arm, runs.arms[arm], True), STYLES[arm]["color"]
    return Row(name, intervals.mean(values), colour, values)


def draw_growth(axes, runs: Runs) -> None:
    """Factor by which label errors grow, in loops and in the untouched base over equal lengths."""
    rows = []
    for arm in BASE_ARMS:
        rows.append(Row(name_of(arm, runs.arms[arm], True)))
        looks = ("loop, a round", STYLES[arm]["color"]), ("base, a digit", "k")
        for (word, colour), logs in zip(looks, numbers.paces(runs, arm), strict=True):
            rows.append(Row(word, numbers.as_factor(logs), colour, np.exp(logs)))
    axes.set_xscale("log")
    plotting.forest(axes, rows, null=1)
    axes.set_xlim(0.1, 40)
    axes.set_xticks([0.25, 1, 4, 16], ["1/4", "1", "4", "16"])
    axes.minorticks_off()
    axes.set_xlabel("label errors become this many times more")
    axes.set_title("Growth, rounds against digits")


FIGURES = {"": draw, "fixed": draw_fixed, "runways": draw_runways}

if __name__ == "__main__":
    command.main(__doc__, FIGURES, PARTS)
