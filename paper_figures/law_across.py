"""Figures of all configurations of `law`: what laws say beside what was measured."""

from __future__ import annotations

import numpy as np
import xarray as xr

from avax import plotting
from avax.analysis import intervals, law
from avax.analysis.intervals import Estimate
from paper_figures import law_errors
from paper_figures.law import (
    ALL,
    ENDS,
    HORIZONS,
    MAP,
    ODDS,
    SHAM,
    UNFILTERED,
    Read,
    boundary,
    crossing,
    is_open,
    predicted,
    prediction,
)
from paper_figures.law_effects import prepared
from paper_figures.law_places import FAMILIES, FITTED_ON, NAMES, family

COMPARED = (SHAM, MAP, UNFILTERED, ENDS)
COLOURS = dict(zip(dict.fromkeys(FAMILIES.values()), ("0", *plotting.ARMS), strict=True))
LOWEST, HIGHEST = 0.05, 1.2  # ratios that are drawn; what lies beyond is drawn at its edge
TICKS = (0.05, 0.1, 0.2, 0.5, 1)
FACTORS = (0.5, 1, 2, 4, 8)
NEAREST, FARTHEST = 0.4, 9.0  # factors that are drawn
SIDE = 0.08  # of ratios, within which configurations stand side by side


def reads(datasets: tuple) -> dict[str, Read]:
    """What was read, by folder: of the first of them, as many as there are data of."""
    return dict(zip(NAMES, (found for _, found in prepared(*datasets)), strict=False))


def draw_laws(*datasets: xr.Dataset) -> plotting.Figure:
    """Predicted against measured boundaries after all rounds, a panel for each law."""
    panels = {rule: (rule, ALL) for rule in COMPARED}
    return draw_panels(panels, reads(datasets))


def draw_horizons(*datasets: xr.Dataset) -> plotting.Figure:
    """The same of the law from both ends, a panel for each earlier horizon."""
    panels = {f"from both ends, after {h}": (ENDS, h) for h in HORIZONS if h != ALL}
    return draw_panels(panels, reads(datasets))


def draw_panels(panels: dict[str, tuple[str, str]], found: dict[str, Read]) -> plotting.Figure:
    figure = plotting.paper_figure(2.9)
    each = figure.subplots(1, len(panels), sharey=True)
    for axes, (title, (rule, horizon)) in zip(each, panels.items(), strict=True):
        draw_boundaries(axes, found, rule, horizon)
        axes.set_title(title)
    each[0].set_ylabel("predicted FPR / (1 - FNR)")
    finish(figure, each)
    return figure


def finish(figure: plotting.Figure, panels) -> None:
    """Letters, and one legend of all panels."""
    plotting.letter(panels)
    known = {
        label: handle
        for axes in panels
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(known.values(), known.keys(), loc="outside lower center", ncols=5)


def draw_boundaries(axes, found: dict[str, Read], rule: str, horizon: str) -> None:
    """Each configuration with 95 % intervals over bases, and the diagonal. Beyond what was run only
    the side is known: arrows.
    """
    for folder, each in found.items():
        said, place = prediction(each, rule, horizon), boundary(each, horizon)
        if np.isnan(said.value):
            continue
        style = {"color": COLOURS[family(folder)], "label": family(folder), "linewidth": 0.7}
        (x, *across), (y, *up) = ends(place), ends(said)
        if is_open(each, horizon):
            marker = ">" if place.value > 1 else "<"
            axes.plot(x, y, marker, markersize=4, **style)
            continue
        bars = {"xerr": [[a] for a in across], "yerr": [[a] for a in up]}
        axes.errorbar(x, y, **bars, marker="o", markersize=3, linestyle="", **style)
    axes.plot([LOWEST, HIGHEST], [LOWEST, HIGHEST], **plotting.NO_EFFECT)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(TICKS, TICKS)
    axes.set_yticks(TICKS, TICKS)
    axes.minorticks_off()
    axes.set_xlabel("measured")


def ends(estimate: Estimate) -> tuple[float, float, float]:
    """A ratio, and how far its interval reaches below and above, within what is drawn."""
    value, low, high = np.clip(estimate[:3], LOWEST, HIGHEST)
    return value, value - low, high - value


def draw_errors(*datasets: xr.Dataset) -> plotting.Figure:
    """Predicted over measured boundary of each configuration, by law."""
    found = reads(datasets)
    figure = plotting.paper_figure(1.2 + 0.17 * len(found))
    panels = figure.subplots(1, len(COMPARED), sharey=True)
    for axes, rule in zip(panels, COMPARED, strict=True):
        draw_factors(axes, found, rule)
        axes.set_title(f"{rule}\n{within_noise(found, rule)}")
    panels[0].set_yticks(range(len(found)), [NAMES[folder] for folder in found])
    panels[0].invert_yaxis()
    plotting.letter(panels)
    return figure


def within_noise(found: dict[str, Read], rule: str) -> str:
    """How often the law is right within the noise of the measurement."""
    logs = law_errors.logs(rule, ALL, list(found.values()), [family(folder) for folder in found])
    return "{} of {} within noise".format(*law_errors.covered(logs))


def draw_factors(axes, found: dict[str, Read], rule: str) -> None:
    """A row for each configuration, of which the interval is over bases; a quarter shaded. Of a
    boundary beyond what was run, on which side of it.
    """
    axes.axvspan(0.8, 1.25, color="0.92", linewidth=0)
    axes.axvline(1, **plotting.NO_EFFECT)
    for row, (folder, each) in enumerate(found.items()):
        logs = law_errors.logs(rule, ALL, [each], [family(folder)])
        if not logs.said.size:
            if is_open(each, ALL) and np.isfinite(predicted(each, rule, ALL)):
                end, where = (1, "above") if crossing(each, ALL) > 1 else (LOWEST, "below")
                words = {"fontsize": plotting.LEAST_TYPE, "color": "0.4", "va": "center"}
                axes.text(NEAREST * 1.1, row, f"measured {where} {end:g}", **words)
            continue
        error = np.sqrt(law_errors.noise(logs)[0, 0])
        half = intervals.quantile_of_t(len(each.seeds)) * error
        value, low, high = np.clip(
            np.exp(logs.off[0, 0] + np.array([0, -half, half])), NEAREST, FARTHEST
        )
        style = {"color": COLOURS[family(folder)], "linewidth": 1}
        axes.errorbar(value, row, xerr=[[value - low], [high - value]], marker="o", ms=3, **style)
    axes.set_xscale("log")
    axes.set_xlim(NEAREST, FARTHEST)
    axes.set_xticks(FACTORS, [f"{x:g}" for x in FACTORS])
    axes.minorticks_off()
    axes.set_xlabel("predicted / measured")


def draw_shares(*datasets: xr.Dataset) -> plotting.Figure:
    """Where gains lie between those without a filter and those without errors, by ratio: on one
    curve for each horizon, says the law from both ends. Those that it was fitted on are hollow.
    """
    found = reads(datasets)
    figure = plotting.paper_figure(2.9)
    panels = figure.subplots(1, len(HORIZONS), sharey=True)
    for axes, horizon in zip(panels, HORIZONS, strict=True):
        draw_horizon(axes, found, horizon)
        axes.set_title(f"after {horizon}")
    panels[0].set_ylabel("share of the way from\nno filter to no errors")
    finish(figure, panels)
    return figure


def draw_horizon(axes, found: dict[str, Read], horizon: str) -> None:
    """Shares with 95 % intervals over bases, side by side at each ratio; both ends are 0 and 1. Not
    of loops that gain nothing where no wrong answer is accepted.
    """
    at = HORIZONS.index(horizon)
    for i, (folder, each) in enumerate(found.items()):
        if each.gained[:, at, 0].mean() <= 0:
            continue
        share = intervals.jackknife(each.gained[:, at], share_of)
        bars = np.array([share.value - share.low, share.high - share.value])[:, 1:-1]
        inside = "none" if folder in FITTED_ON else None
        axes.errorbar(
            each.ratios[1:-1] + SIDE * (i / len(found) - 0.5),
            share.value[1:-1],
            yerr=bars,
            marker="o",
            markersize=2.5,
            linestyle="",
            linewidth=0.5,
            markerfacecolor=inside,
            markeredgewidth=0.7,
            color=COLOURS[family(folder)],
            label=family(folder),
        )
    ratios = np.linspace(0, 1, 101)
    curve = law.gained_at(ratios, 1, 0, ODDS[horizon])
    axes.plot(ratios, curve, color="0", linewidth=1.5, label="law from both ends")
    axes.set_ylim(-0.2, 1.3)
    axes.set_xlabel("FPR / (1 - FNR)")


def share_of(gained: np.ndarray) -> np.ndarray:
    """f[F] of gains f[S, F]."""
    mean = gained.mean(0)
    return (mean - mean[-1]) / (mean[0] - mean[-1])


ACROSS = {
    "across": draw_laws,
    "horizons": draw_horizons,
    "errors": draw_errors,
    "shares": draw_shares,
}
