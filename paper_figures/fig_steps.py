"""Is it enough to verify outcomes where wrong steps can still give the right answer? Two figures.

python paper_figures/fig_steps.py [RESULTS] [--out STEM]
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
from paper_figures.steps import (
    FROZEN,
    NAMES,
    PARTS,
    SEEING_ALL,
    apart,
    as_false_positives,
    cancelled,
    clean,
    controls_of,
    diverged,
    frozen_of,
    gained,
    let_through,
    name_of,
    named,
    over_moduli,
    pooled,
)
from paper_figures.steps_claims import CLAIMS, QUESTION
from paper_figures.steps_effects import PLACES
from paper_figures.steps_words import summary

__all__ = ["CLAIMS", "PARTS", "QUESTION", "READS", "SHIPPED", "draw", "summary"]
SHIPPED = tuple(PLACES)
READS = (
    *("accuracy", "accuracy_by_difficulty", "base_accuracy", "sampled_accuracy", "accept_rate"),
    *("trace_precision", "diverged"),
)
BASE = plotting.role("untouched base")
DRAWN = ("steps", "outcome", "none")  # by round
ROLES = {"none": "no filter", "steps": "truth"}
ARMS = plotting.arms([name for name in NAMES if name not in ROLES])
STYLES = {n: plotting.role(ROLES[n]) if n in ROLES else {"color": ARMS[n]} for n in NAMES}
MARKERS = dict(zip(NAMES, "xosv", strict=True))
WEAK = plotting.BAND / 2  # of controls, whose bands lie over others


def draw(*datasets: xr.Dataset | None) -> plotting.Figure:
    """Additions gained by round beside the controls that were run, a panel for each modulus."""
    data = named(datasets)
    has_controls = bool(controls_of(data))
    moduli = data["none"].modulus.values
    number = min(plotting.MOST_PANELS, len(moduli))
    picked = moduli[np.linspace(0, len(moduli) - 1, number).round().astype(int)]
    figure = plotting.paper_figure((4.6 if number > 2 else 2.6) + 0.6 * has_controls)
    rows = -(-number // 2)
    panels = figure.subplots(rows, min(number, 2), sharey=True, squeeze=False).flat
    used = list(panels)[:number]
    for axes in list(panels)[number:]:
        axes.remove()
    for axes, modulus in zip(used, picked, strict=True):
        draw_gains(axes, data, modulus)
    if has_controls:  # more names than a panel has room for
        lines = used[0].get_legend_handles_labels()
        figure.legend(*lines, loc="outside lower center", ncols=3)
    else:
        used[0].legend(loc="upper left")
    plotting.letter(used)
    return figure


def draw_gains(axes, data: dict[str, xr.Dataset], modulus: int) -> None:
    """Solved length by round, less that of the untouched base."""
    lines = [(clean(data[x]), STYLES[x] | {"label": NAMES[x]}, plotting.BAND) for x in DRAWN]
    for (part, role), control in controls_of(data).items():
        style = plotting.role(role) | {"label": name_of(part, role)}
        if role == FROZEN:  # there are several
            style |= {"marker": MARKERS[part], "markersize": 2.5}
        lines.append((control, style, WEAK))
    for runs, style, alpha in lines:
        runs = runs.sel(modulus=modulus)
        gain = phase.gain(runs).transpose("round", "seed")
        lost = (runs.diverged == 1).any("seed").values
        most = gain.where(np.isfinite(gain)).max().item() + runs.sizes["difficulty"]
        each = np.array([intervals.mean(row)[:3] for row in gain.values]).T.clip(-most, most)
        plotting.plot_band(axes, gain["round"], each, lost, alpha=alpha, **style)
    axes.axhline(0, label="untouched base", **BASE)
    plotting.whole_ticks(axes)
    axes.set_xlabel("round")
    axes.set_ylabel("additions gained on the base")
    axes.set_title(f"Sums modulo {modulus}")


def draw_cancelling(*datasets: xr.Dataset | None) -> plotting.Figure:
    """How often errors cancel, what is let through, and what that costs."""
    data = named(datasets)
    figure = plotting.paper_figure(5.2)
    grid = figure.add_gridspec(2, 2, height_ratios=(1, 1.15))
    a, b = (figure.add_subplot(grid[0, i]) for i in (0, 1))
    moduli = data["none"].modulus.values
    a.plot(range(len(moduli)), 1 / moduli, color="0.6", linestyle=":", label="1 / m, expected")
    draw_shares(a, {x: cancelled(data[x]) for x in SEEING_ALL}, data)
    draw_frozen(a, data)
    a.set_ylabel("P(last sum right | a step is wrong)")
    a.set_title("How often do errors cancel?")
    a.legend()
    draw_shares(b, {x: let_through(data[x]) for x in ("none", "outcome")}, data)
    b.set_ylabel("P(a step is wrong | accepted)")
    b.set_title("What is let through")
    b.set_ylim(0, 1.3)  # room for the legend
    b.set_yticks(np.linspace(0, 1, 6))
    b.legend(loc="upper right")
    forest = figure.add_subplot(grid[1, :])
    plotting.forest(forest, rows_of_costs(data))
    forest.set_xlabel("additions gained, difference")
    forest.set_title("Does it matter that errors cancel?")
    plotting.letter([a, b, forest])
    return figure


def draw_shares(axes, found: dict[str, np.ndarray], data: dict[str, xr.Dataset]) -> None:
    """A share of f[S, M, 2] by modulus, for some of the parts: of all bases together, with
    intervals.
    """
    moduli = data["none"].modulus.values
    for i, (part, rows) in enumerate(found.items()):
        style = {"color": STYLES[part]["color"], "marker": MARKERS[part], "label": NAMES[part]}
        at = np.arange(len(moduli)) + 0.12 * (i - (len(found) - 1) / 2)
        draw_pooled(axes, at, rows, diverged(clean(data[part])), **style)
    axes.set_xticks(range(len(moduli)), moduli)
    axes.set_xlabel("modulus m of the sums")
    axes.set_ylim(0, 0.62)


def draw_frozen(axes, data: dict[str, xr.Dataset]) -> None:
    """How often errors cancel in what the untouched base writes, if that was run."""
    if ("none", FROZEN) in (found := frozen_of(data)):
        runs = found["none", FROZEN]
        style = plotting.role(FROZEN) | {"marker": MARKERS["none"], "label": "untouched base"}
        at = np.arange(runs.sizes["modulus"]) - 0.24
        draw_pooled(axes, at, cancelled(runs), diverged(runs), **style)


def draw_pooled(axes, at: np.ndarray, rows: np.ndarray, lost: np.ndarray, **style) -> None:
    each = np.where(lost, np.nan, np.array([x[:3] for x in pooled(rows)]).T.clip(0, 1))
    plotting.mark_lost(axes, at, lost)
    bars = np.abs(each[1:] - each[0])
    axes.errorbar(at, each[0], bars, markersize=3.5, **style | {"linestyle": ""})


def rows_of_costs(data: dict[str, xr.Dataset]) -> list[Row]:
    """What steps gain more than outcomes, by modulus, where errors cancel and where none can; and
    what outcomes gain more than with as many false positives.
    """
    steps, outcome, exact = (gained(clean(data[x])) for x in ("steps", "outcome", "exact_outcome"))
    rows = []
    for words, found, part in (
        ("Steps less outcomes", apart(steps, outcome), "outcome"),
        ("where none cancels", apart(steps, exact), "exact_outcome"),
        ("Outcomes less equal FPR", as_false_positives(data), "outcome"),
    ):
        rows.append(Row(words))
        for i, modulus in enumerate(data["none"].modulus.values):
            rows.append(row(f"m = {modulus}", found[:, i], STYLES[part]["color"]))
        rows.append(row("mean over m", over_moduli(found), STYLES[part]["color"]))
    return rows


def row(name: str, values: np.ndarray, colour: str) -> Row:
    return Row(name, intervals.mean(values), colour, values)


FIGURES = {"": draw, "cancelling": draw_cancelling}

if __name__ == "__main__":
    command.main(__doc__, FIGURES, PARTS)
