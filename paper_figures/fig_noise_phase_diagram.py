"""When does self-training survive a noisy verifier? A map with its boundary, and the controls.

python paper_figures/fig_noise_phase_diagram.py [RESULTS] [--out STEM]
"""

from __future__ import annotations

import pathlib
import sys

import numpy as np
import xarray as xr

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))  # a fresh clone is not installed

from avax import plotting
from avax.analysis import lengths, phase
from avax.analysis.intervals import Estimate
from paper_figures import command
from paper_figures.noise_phase_diagram import (
    PARTS,
    Data,
    Findings,
    analyse,
    at_fpr,
    changed,
    controls_of,
    is_run,
    line_fprs,
    mean_of,
    named,
    order_of,
    ratios,
    unit,
)
from paper_figures.noise_phase_diagram_claims import CLAIMS, QUESTION, SHIPPED
from paper_figures.noise_phase_diagram_words import compared, summary

__all__ = ["CLAIMS", "PARTS", "QUESTION", "READS", "SHIPPED", "compared", "draw", "summary"]
READS = (
    *("accuracy", "accuracy_by_difficulty", "sampled_accuracy", "base_accuracy", "diverged"),
    *("label_precision", "num_accepted", "accept_rate", "verifier_fpr", "verifier_fnr"),
)
LOOP, MIDDLE = plotting.ARMS[0], plotting.ARMS[1]
FPR = "verifier's FPR = P(accept | wrong)"
PREDICTED = {"color": "k", "linestyle": (0, (6, 2, 1, 2, 1, 2))}  # no look of a role
NEUTRAL = {"color": "k", "linestyle": (0, (1, 1)), "linewidth": 0.9}
WEAK = 0.5 * plotting.BAND  # of bands that lie over others


def draw(*datasets: xr.Dataset | None) -> plotting.Figure:
    """The map with measured and predicted boundary; and the line beside its controls."""
    data, findings = named(datasets), analyse(*datasets)
    figure = plotting.paper_figure(3.3)
    left, right = figure.subplots(1, 2, width_ratios=[1.2, 1])
    draw_map(left, data[""], findings)
    draw_controls(right, data)
    plotting.letter((left, right))
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower left")
    figure.legend(*right.get_legend_handles_labels(), loc="outside lower right", ncols=2)
    return figure


def draw_map(axes, dataset: xr.Dataset, findings: Findings) -> None:
    """The order parameter with both boundaries; 0 is the untouched base."""
    order, measured, exponent, predicted = findings
    plotting.phase_map(axes, mean_of(order), f"{unit(dataset)[1]} (0: untouched base)")
    if why := phase.uncrossed(order, measured):
        axes.plot([], [], " ", label=f"no boundary was measured:\n{why}")
    else:
        draw_measured(axes, order, measured, exponent.value)
    fnr = np.linspace(order.fnr.values[0], order.fnr.values[-1], 200)
    if np.isfinite(predicted.value):
        name = f"law, from both ends of b: FPR / (1 - FNR) = {predicted.value:.2g}"
        ray = predicted.value * (1 - fnr)
        plotting.boundary_line(axes, order, ray, fnr, **PREDICTED, label=name)
    neutral = np.where(fnr > 0, 1 - fnr, np.nan)
    name = "FPR = 1 - FNR: no information (J = 0)"
    plotting.boundary_line(axes, order, neutral, fnr, **NEUTRAL, label=name)
    plotting.spread_ticks(axes, order.sizes["fpr"])
    where = "Growing frontier" if phase.is_frontier(dataset) else "Fixed range of lengths"
    rate = dataset.attrs["config"]["base"].get("learner", {}).get("learning_rate")
    axes.set_title(where if rate is None else f"{where}, learning rate {rate:g}")


def draw_measured(axes, order: xr.DataArray, measured: phase.Boundary, exponent: float) -> None:
    """The measured boundary, with its interval if all settings were run; of bases that were dealt
    out its shape is a fitted one.
    """
    name = "measured boundary"
    if phase.is_dealt(order) and np.isfinite(exponent):
        name = f"measured: FPR ~ (1 - FNR)$^{{{exponent:.1f}}}$"
    if is_run(order).all() and np.isfinite(measured.low).any():
        name += ", 95 % t interval"
        band = measured.low, measured.high, measured.fnr
        plotting.boundary_band(axes, order, *band, color="k", alpha=0.2)
    plotting.boundary_line(axes, order, measured.fpr, measured.fnr, color="k", label=name)


def draw_controls(axes, data: Data) -> None:
    """Gain by FPR at the lowest FNR, beside the controls that were run."""
    scale = data[""].fpr.values
    plotting.mean_line(axes, order_of(data["line"]), scale, color=LOOP, label="loop")
    for name, control in controls_of(data).items():
        values, style = order_of(control), plotting.role(name) | {"label": name}
        if "fpr" in values.dims:
            plotting.mean_line(axes, values, scale, WEAK, **style)
        else:
            plotting.mean_level(axes, values, WEAK, **style)
    axes.axhline(0, label="untouched base", **plotting.role("untouched base"))
    plotting.tick_values(axes.xaxis, scale)
    plotting.spread_ticks(axes, len(scale))
    axes.set_xlim(-0.4, len(scale) - 0.6)
    axes.set_xlabel(FPR)
    axes.set_ylabel(unit(data[""])[1])
    num_bases = data["line"].sizes["seed"]
    axes.set_title(f"FNR = {data[''].fnr.values.min():.2g}, means of {num_bases} bases")


def draw_rounds(*datasets: xr.Dataset | None) -> plotting.Figure:
    """What is kept and reached by round beside the controls, and boundaries at two horizons."""
    data, findings = named(datasets), analyse(*datasets)
    rows = list(ratios(data))
    figure = plotting.paper_figure(3.9 + 0.14 * len(rows))
    top, bottom = figure.subfigures(2, 1, height_ratios=[2.4, 0.8 + 0.14 * len(rows)])
    first, second = top.subplots(1, 2)
    runs = list(shown_runs(data))
    draw_changes(first, runs, lengths.retention, "retention: share right", "Known lengths")
    unit_of = lengths.unit(data[""])
    ends = draw_changes(second, runs, lengths.reach, f"reach: {unit_of}", "Longer lengths")
    third = bottom.subplots()
    draw_ratios(third, rows, findings)
    plotting.letter((first, second, third))
    plotting.label_ends(second, ends)
    return figure


def shown_runs(data: Data):
    """What rounds are shown of: name, style and runs at the lowest FNR; controls in the end."""
    controls, fprs = controls_of(data), line_fprs(data)
    picked = np.unique(np.linspace(0, len(fprs) - 1, min(3, len(fprs))).round().astype(int))
    for fpr in fprs[picked]:
        style = {"color": MIDDLE}
        style = plotting.role("truth") if fpr == fprs[0] and fpr == 0 else style
        style = plotting.role("no filter") if fpr == 1 else style
        yield f"FPR {fpr:.2g}", style, at_fpr(data["line"], fpr)
    if "sham" in controls:
        yield "sham", plotting.role("sham"), at_fpr(controls["sham"])
    if "frozen generator" in controls and len(fprs):
        name = f"frozen generator, FPR {fprs[-1]:.2g}"
        runs = at_fpr(controls["frozen generator"], fprs[-1])
        yield name, plotting.role("frozen generator"), runs


def draw_changes(axes, runs, measure, label: str, title: str) -> list[tuple]:
    """Changes since the untouched base by round, with t intervals; the ends of the lines."""
    ends = []
    for name, style, dataset in runs:
        values = changed(dataset, measure)
        plotting.mean_line(axes, values, values["round"].values, WEAK, **style | {"marker": ""})
        mean = values.mean("seed").values
        known = mean[np.isfinite(mean)]
        last = known[-1] if len(known) else np.nan
        ends.append((float(values["round"][-1]), last, name, style["color"]))
    axes.axhline(0, **plotting.role("untouched base"))
    rounds = runs[0][2]["round"].values if runs else np.arange(2)
    axes.set_xlim(0, rounds[-1])
    plotting.whole_ticks(axes)
    axes.set_xlabel("round")
    axes.set_ylabel(f"{label}, less base's")
    axes.set_title(title)
    return [*ends, (float(rounds[-1]), 0.0, "untouched base", "k")]


def draw_ratios(axes, rows: list[tuple[str, Estimate]], findings: Findings) -> None:
    """Boundary ratios with intervals, open ends as arrows, beside the predicted one and J = 0."""
    rows = [*rows, ("predicted, from both ends", findings.predicted)]
    shown = np.array([x[:3] for _, x in rows], float)
    inside = shown[np.isfinite(shown) & (shown > 0)]
    low, high = min(0.01, *inside, 1) / 2, max(10, *inside, 1) * 2
    axes.set_xscale("log")
    axes.axvline(1, **plotting.NO_EFFECT)
    for y, (name, (value, *ends)) in enumerate((n, e[:3]) for n, e in rows):
        style = {"color": "0.4" if name.startswith("predicted") else LOOP}
        if np.isnan(value):
            axes.text(low * 1.3, y, "not measured", va="center", fontsize=7, color="0.4")
            continue
        if not np.isnan(ends).any():
            left, right = np.clip(ends, low, high)
            axes.plot([left, right], [y, y], linewidth=1.6, **style)
            for end, edge, marker in ((ends[0], low, "<"), (ends[1], high, ">")):
                if not low < end < high:
                    axes.plot(edge, y, marker, markersize=4, clip_on=False, **style)
        if 0 < value < np.inf:  # else an arrow says so
            axes.plot(value, y, "o", markersize=4, **style)
    axes.set_yticks(range(len(rows)), [name for name, _ in rows])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlim(low, high)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("boundary: FPR / (1 - FNR) (grey line: J = 0)")
    axes.set_title("Boundaries, by what runs are compared with")


FIGURES = {"": draw, "rounds": draw_rounds}

if __name__ == "__main__":
    command.main(__doc__, FIGURES, PARTS)
