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
from paper_figures.theory import (
    LEARNERS,
    LINES,
    PARTS,
    Data,
    controls_of,
    gained,
    isolines,
    lowest_fnr,
    named,
    orders_of,
    summary,
)
from paper_figures.theory_claims import CLAIMS, QUESTION
from paper_figures.theory_effects import ONE_LESS_J, PLACES, RATIO

__all__ = ["CLAIMS", "FIGURES", "PARTS", "QUESTION", "READS", "SHIPPED", "draw", "summary"]
SHIPPED = tuple(PLACES)
READS = (
    *("accuracy", "accuracy_by_difficulty", "base_accuracy", "diverged"),
    *("verifier_fpr", "verifier_fnr", "label_precision"),  # which `avax show` tells of
)
COLOURS = plotting.arms(LEARNERS.values())
GAINED = "accuracy gained"
WEAK = 0.5 * plotting.BAND  # of bands that lie over others


def draw(*datasets: xr.Dataset | None) -> plotting.Figure:
    """What each number explains, and the two collapses: all verifiers on one line."""
    orders = orders_of(named(datasets))
    figure = plotting.paper_figure(2.6)
    panels = figure.subplots(1, 3, width_ratios=(1.15, 1, 1))
    draw_explained(panels[0], orders)
    draw_collapse(panels[1], orders["4 x samples"], "fine-tuning, 4 x samples", RATIO)
    points = draw_collapse(panels[2], orders["GRPO"], "GRPO", ONE_LESS_J)
    figure.colorbar(points, ax=panels[2], label="FNR", pad=0.02)
    panels[2].axvline(1, **plotting.NO_EFFECT)
    plotting.letter(panels)
    return figure


def draw_maps(*datasets: xr.Dataset | None) -> plotting.Figure:
    """Phase diagrams with lines of equal outcome, by learner."""
    figure = plotting.paper_figure(2.4)
    panels = figure.subplots(1, 3, sharey=True)
    orders = orders_of(named(datasets))
    for axes, (learner, order) in zip(panels, orders.items(), strict=True):
        plotting.phase_map(axes, order, GAINED)
        for line in isolines(order):
            plotting.boundary_line(axes, order, line, order.fnr.values, color="k", linewidth=0.7)
        axes.set_title(f"{learner}{_exponent_text(order)}")
        axes.set_xlabel("FPR")
        axes.set_ylabel("FNR" if axes is panels[0] else "")
    plotting.letter(panels)
    return figure


def _exponent_text(order: xr.DataArray) -> str:
    """The exponent of the lines on a map, if they are fitted."""
    k = surface.exponent(order).value if phase.is_dealt(order) else np.nan
    return "" if np.isnan(k) else f", k = {k:.1f}"


def draw_bases(*datasets: xr.Dataset | None) -> plotting.Figure:
    """What rounds do for fine-tuning at the lowest FNR, where every base has every FPR; and what
    the skill of the base does.
    """
    data = named(datasets)
    figure = plotting.paper_figure(2.5)
    panels = figure.subplots(1, 2)
    gain = phase.gain(data["line"]).isel(round=slice(1, None)).rename(round="after")
    plotting.map_of(panels[0], gain, "after", GAINED)
    panels[0].set_ylabel("rounds")
    panels[0].set_title("More rounds")
    skill = data["skill"]
    plotting.map_of(panels[1], phase.order_parameter(skill), "snapshot", GAINED)
    base = phase.progress(skill).isel(round=0).mean(("seed", "fpr"))
    panels[1].set_yticks(range(len(base)), [f"{v:.2f}" for v in base.values])
    panels[1].set_ylabel("accuracy of the base")
    panels[1].set_title("More skilled bases")
    plotting.letter(panels)
    return figure


def draw_controls(*datasets: xr.Dataset | None) -> plotting.Figure:
    """What fine-tuning and GRPO gain at the lowest FNR, beside the controls that were run."""
    data = named(datasets)
    figure = plotting.paper_figure(2.9)
    panels = figure.subplots(1, 2)
    for axes, line in zip(panels, LINES, strict=True):
        draw_line(axes, data, line)
    plotting.letter(panels)
    for axes, place, number in zip(panels, ("left", "right"), (2, 1), strict=True):
        figure.legend(*axes.get_legend_handles_labels(), loc=f"outside lower {place}", ncols=number)
    return figure


def draw_line(axes, data: Data, line: str) -> None:
    """Means over bases by FPR with 95 % t intervals; 0 is the untouched base."""
    scale, values = data[line].fpr.values, gained(data[line])
    style = {"color": COLOURS[LINES[line]], "label": "loop", "zorder": 3}
    plotting.mean_line(axes, values, scale, **style)
    for role, control in controls_of(data, line).items():
        draw = plotting.mean_line if "fpr" in control.dims else plotting.mean_level
        style = plotting.role(role) | {"label": role, "alpha": WEAK}
        given = (scale,) if "fpr" in control.dims else ()
        draw(axes, gained(control), *given, **style)
    axes.axhline(0, label="untouched base", **plotting.role("untouched base"))
    plotting.tick_values(axes.xaxis, scale)
    plotting.spread_ticks(axes, len(scale))
    axes.set_xlim(-0.2, len(scale) - 0.8)
    axes.set_xlabel("verifier's FPR = P(accept | wrong)")
    axes.set_ylabel(GAINED)
    num_bases = values.notnull().any("fpr").sum().item()
    axes.set_title(f"{LINES[line]} at FNR {lowest_fnr(data[line]):g}, means of {num_bases} bases")


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


FIGURES = {"": draw, "controls": draw_controls, "maps": draw_maps, "bases": draw_bases}

if __name__ == "__main__":
    command.main(__doc__, FIGURES, PARTS)
