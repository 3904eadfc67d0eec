"""Which one number of a verifier decides whether self-training gains or loses?

python paper_figures/fig_theory.py [RESULTS] [--out STEM]
"""

from __future__ import annotations

import pathlib
import sys

import numpy as np
import xarray as xr

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))  # a fresh clone is not installed

from avax import plotting
from avax.analysis import intervals, numbers, phase, surface
from paper_figures import command
from paper_figures.theory_claims import (
    CLAIMS,
    LEARNERS,
    ONE_LESS_J,
    PARTS,
    QUESTION,
    RATIO,
    levels,
    that_train,
)

__all__ = ["CLAIMS", "FIGURES", "PARTS", "QUESTION", "READS", "SHIPPED", "draw", "summary"]
SHIPPED = ("theory",)
READS = (
    *("accuracy", "accuracy_by_difficulty", "sampled_accuracy", "base_accuracy", "label_precision"),
    *("verifier_fpr", "verifier_fnr", "num_accepted", "diverged"),
)
COLOURS = plotting.arms(LEARNERS.values())
GAINED = "accuracy gained"


def orders_of(datasets) -> dict[str, xr.DataArray]:
    """The order parameter by learner; of GRPO without verifiers behind which nothing trains."""
    found = dict(zip(LEARNERS.values(), map(phase.order_parameter, datasets[:3]), strict=True))
    return {name: that_train(order, name) for name, order in found.items()}


def summary(*datasets: xr.Dataset) -> str:
    """What each number explains, by learner, and how iso-lines depend on FNR."""
    lines = []
    for learner, order in orders_of(datasets).items():
        lines.append(f"{learner}: share of the variance between verifiers explained by")
        run = phase.measured(phase.order_parameter(datasets[[*LEARNERS.values()].index(learner)]))
        if not run.all():
            lines.append(f"  (of {run.sum().item()} of {run.size}, beside the boundary)")
        lines += [f"  {n:15} {_text(numbers.explained(order, n))}" for n in numbers.NUMBERS]
        lines.append(f"  iso-lines: FPR ~ (1 - FNR)^{_text(surface.exponent(order))}")
    return "\n".join(lines)


def _text(estimate) -> str:
    value, low, high = (f"{v:.2g}" for v in estimate[:3])
    return f"{value} ({low} to {high})"


def draw(*datasets: xr.Dataset) -> plotting.Figure:
    """What each number explains, and the two collapses: all verifiers on one line."""
    orders = orders_of(datasets)
    figure = plotting.paper_figure(2.6)
    panels = figure.subplots(1, 3, width_ratios=(1.15, 1, 1))
    draw_explained(panels[0], orders)
    draw_collapse(panels[1], orders["4 x samples"], "fine-tuning, 4 x samples", RATIO)
    points = draw_collapse(panels[2], orders["GRPO"], "GRPO", ONE_LESS_J)
    figure.colorbar(points, ax=panels[2], label="FNR", pad=0.02)
    panels[2].axvline(1, **plotting.NO_EFFECT)
    plotting.letter(panels)
    return figure


def draw_maps(*datasets: xr.Dataset) -> plotting.Figure:
    """Phase diagrams with iso-lines of the outcome, by learner."""
    figure = plotting.paper_figure(2.4)
    panels = figure.subplots(1, 3, sharey=True)
    for axes, (learner, order) in zip(panels, orders_of(datasets).items(), strict=True):
        plotting.phase_map(axes, order, GAINED)
        for level in levels(order):
            line = phase.isoline(order, level), order.fnr.values
            plotting.boundary_line(axes, order, *line, color="k", linewidth=0.7)
        axes.set_title(learner)
        axes.set_xlabel("FPR")
        axes.set_ylabel("FNR" if axes is panels[0] else "")
    plotting.letter(panels)
    return figure


def draw_bases(*datasets: xr.Dataset) -> plotting.Figure:
    """What rounds and the skill of the base do, for fine-tuning at FNR 0."""
    figure = plotting.paper_figure(2.5)
    panels = figure.subplots(1, 2)
    gain = phase.gain(datasets[0]).sel(fnr=0).isel(round=slice(1, None)).rename(round="after")
    plotting.map_of(panels[0], gain, "after", GAINED)
    panels[0].set_ylabel("rounds")
    panels[0].set_title("More rounds")
    skill = datasets[3]
    plotting.map_of(panels[1], phase.order_parameter(skill), "snapshot", GAINED)
    base = phase.progress(skill).isel(round=0).mean(("seed", "fpr"))
    panels[1].set_yticks(range(len(base)), [f"{v:.2f}" for v in base.values])
    panels[1].set_ylabel("accuracy of the base")
    panels[1].set_title("More skilled bases")
    plotting.letter(panels)
    return figure


def draw_collapse(axes, order: xr.DataArray, learner: str, number: str = RATIO):
    """All verifiers against one number: means over bases, and the best falling function.

    Returns the points, coloured by FNR.
    """
    x, values = numbers.by_setting(order, number)
    fnr = numbers.by_setting(order, "FNR")[0]
    mean, low, high, _ = intervals.mean(values)
    axes.vlines(x, low, high, color="0.8", linewidth=0.8, zorder=1)
    points = axes.scatter(x, mean, c=fnr, cmap="viridis", s=9, zorder=2)
    rates = xr.broadcast(order.fpr, order.fnr)
    at = rates[0].copy(data=numbers.NUMBERS[number](*(rate.values for rate in rates)))
    plotting.mark_diverged(axes, at, order)
    by_x = np.argsort(x)
    axes.plot(x[by_x], numbers.fitted(x, mean)[by_x], "k-", linewidth=1)
    axes.axhline(0, **plotting.NO_EFFECT)
    axes.set_xlim(-0.05, 1.05 * x.max(initial=0.1))
    if number == RATIO:
        axes.set_xscale("symlog", linthresh=0.02)
        axes.set_xticks([0, 0.1, 1, 10], ["0", "0.1", "1", "10"])
        axes.minorticks_off()
        axes.set_xlim(-0.003, 1.3 * x.max(initial=0.1))
    axes.set_xlabel(number)
    axes.set_ylabel(GAINED)
    axes.set_title(learner)
    return points


def draw_explained(axes, orders: dict[str, xr.DataArray]) -> None:
    """How much of the variance each number explains, by learner."""
    for i, (learner, order) in enumerate(orders.items()):
        for y, number in enumerate(numbers.NUMBERS):
            value, low, high, _ = numbers.explained(order, number)
            at, style = y + 0.22 * (i - 1), {"color": COLOURS[learner]}
            axes.plot(np.clip([low, high], 0, 1), [at, at], linewidth=1.4, **style)
            axes.plot(value, at, "o", ms=4, label=learner if y == 0 else None, **style)
    names = [name.replace(" / (", "\n/ (") for name in numbers.NUMBERS]
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -1.7)  # room for the legend
    axes.set_xlim(0, 1.02)
    axes.set_xlabel("share of variance, R²")
    axes.set_title("Which number decides?")
    axes.legend(loc="upper left")


FIGURES = {"": draw, "maps": draw_maps, "bases": draw_bases}

if __name__ == "__main__":
    command.main(__doc__, FIGURES, PARTS)
