"""Figures of all configurations of `law`: what laws say beside what was measured."""

from __future__ import annotations

import numpy as np
import xarray as xr

from avax import plotting
from avax.analysis import intervals, law
from paper_figures import law_scores
from paper_figures.law import ALL, ENDS, HORIZONS, MAP, ODDS, SHAM, UNFILTERED, Read
from paper_figures.law_effects import FOUND_ON, PLACES, prepared

COMPARED = (SHAM, MAP, UNFILTERED, ENDS)
GROUPS = {  # what configurations differ in, by words in the names of their folders
    "reference": ("law",),
    "learning rate": ("rate",),
    "updates a round": ("updates",),
    "base data, kept rounds": ("base", "kept"),
    "FNR": ("fnr",),
    "number of problems": ("distinct",),
    "policy": ("width", "layers", "half"),
    "frontier": ("frontier",),
    "GRPO": ("grpo",),
}
COLOURS = dict(zip(GROUPS, ("0", *plotting.ARMS), strict=True))
LOWEST, HIGHEST = 0.05, 1.2  # ratios that are drawn; what lies beyond is drawn at its edge
TICKS = (0.05, 0.1, 0.2, 0.5, 1)
FACTORS = (0.25, 0.5, 1, 2, 4)


def group(folder: str) -> str:
    """What a configuration differs in from the reference."""
    word = folder.removeprefix("law_").partition("_")[0]
    return next(name for name, words in GROUPS.items() if word in words)


def reads(datasets: tuple) -> dict[str, Read]:
    """What was read, by folder: of as many of them as there are data of."""
    return dict(zip(PLACES, (found for _, found in prepared(*datasets)), strict=False))


def draw_laws(*datasets: xr.Dataset) -> plotting.Figure:
    """Predicted against measured boundaries after all rounds, a panel for each law."""
    panels = {rule: (rule, ALL) for rule in COMPARED}
    return draw_panels(panels, reads(datasets))


def draw_horizons(*datasets: xr.Dataset) -> plotting.Figure:
    """The same of the law from both ends, a panel for each horizon."""
    panels = {f"after {horizon}": (ENDS, horizon) for horizon in HORIZONS}
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
    """Each configuration with 95 % intervals over bases, and the diagonal."""
    for folder, each in found.items():
        places = law_scores.places(rule, horizon, (each,))
        if not places.said.size:
            continue
        (x, *across), (y, *up) = (ends(logs[:, 0]) for logs in (places.found, places.said))
        axes.errorbar(
            x,
            y,
            xerr=[[a] for a in across],
            yerr=[[a] for a in up],
            marker="o",
            markersize=3,
            linestyle="",
            linewidth=0.7,
            color=COLOURS[group(folder)],
            label=group(folder),
        )
    axes.plot([LOWEST, HIGHEST], [LOWEST, HIGHEST], **plotting.NO_EFFECT)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(TICKS, TICKS)
    axes.set_yticks(TICKS, TICKS)
    axes.minorticks_off()
    axes.set_xlabel("measured")


def ends(logs: np.ndarray) -> tuple[float, float, float]:
    """A ratio, and how far its interval reaches below and above, within what is drawn."""
    value, low, high = np.exp(interval(logs))
    value, low, high = np.clip((value, low, high), LOWEST, HIGHEST)
    return value, value - low, high - value


def interval(logs: np.ndarray) -> tuple[float, float, float]:
    """A number and its 95 % interval, from its value f[1 + S] of all bases and without each."""
    half = intervals.quantile_of_t(len(logs) - 1) * intervals.jackknife_error(logs[1:])
    return logs[0], logs[0] - half, logs[0] + half


def draw_errors(*datasets: xr.Dataset) -> plotting.Figure:
    """Predicted over measured boundary of each configuration, by law."""
    found = reads(datasets)
    figure = plotting.paper_figure(1.2 + 0.17 * len(found))
    panels = figure.subplots(1, len(COMPARED), sharey=True)
    for axes, rule in zip(panels, COMPARED, strict=True):
        draw_factors(axes, found, rule)
        axes.set_title(rule)
    panels[0].set_yticks(range(len(found)), [PLACES[folder] for folder in found])
    panels[0].invert_yaxis()
    plotting.letter(panels)
    return figure


def draw_factors(axes, found: dict[str, Read], rule: str) -> None:
    """A row for each configuration, of which the interval is over bases; a quarter shaded."""
    axes.axvspan(0.8, 1.25, color="0.92", linewidth=0)
    axes.axvline(1, **plotting.NO_EFFECT)
    for row, (folder, each) in enumerate(found.items()):
        places = law_scores.places(rule, ALL, (each,))
        if not places.said.size:
            continue
        value, low, high = np.clip(np.exp(interval(places.off[:, 0])), FACTORS[0], FACTORS[-1])
        style = {"color": COLOURS[group(folder)], "linewidth": 1}
        axes.errorbar(value, row, xerr=[[value - low], [high - value]], marker="o", ms=3, **style)
    axes.set_xscale("log")
    axes.set_xlim(FACTORS[0], FACTORS[-1])
    axes.set_xticks(FACTORS, [f"{x:g}" for x in FACTORS])
    axes.minorticks_off()
    axes.set_xlabel("predicted / measured")


def draw_collapse(*datasets: xr.Dataset) -> plotting.Figure:
    """Where gains lie between those without a filter and those without errors, by ratio: one curve
    for each horizon, says the law from both ends. Those that it was found on are hollow.
    """
    found = reads(datasets)
    figure = plotting.paper_figure(2.9)
    panels = figure.subplots(1, len(HORIZONS), sharey=True)
    for axes, horizon in zip(panels, HORIZONS, strict=True):
        draw_shares(axes, found, horizon)
        axes.set_title(f"after {horizon}")
    panels[0].set_ylabel("share of the way from\nno filter to no errors")
    finish(figure, panels)
    return figure


def draw_shares(axes, found: dict[str, Read], horizon: str) -> None:
    at = HORIZONS.index(horizon)
    for folder, each in found.items():
        gained = each.gained[:, at].mean(0)
        share = (gained - gained[-1]) / (gained[0] - gained[-1])
        style = {"color": COLOURS[group(folder)], "label": group(folder), "markersize": 3}
        inside = "none" if folder in FOUND_ON else None
        axes.plot(each.ratios, share, "o", markerfacecolor=inside, markeredgewidth=0.8, **style)
    ratios = np.linspace(0, 1, 101)
    curve = law.gained_at(ratios, 1, 0, ODDS[horizon])
    axes.plot(ratios, curve, color="0", linewidth=2, label="law from both ends")
    axes.set_ylim(-0.1, 1.2)
    axes.set_xlabel("FPR / (1 - FNR)")


ACROSS = {
    "across": draw_laws,
    "horizons": draw_horizons,
    "errors": draw_errors,
    "collapse": draw_collapse,
}
