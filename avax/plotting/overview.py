"""The figure and the words for any sweep, whatever its axes are.

The base before training is drawn beside everything: gain is solved length minus that of the base.
"""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Sequence

import numpy as np
import xarray as xr

from avax import plotting
from avax.analysis import lengths
from avax.plotting import maps, panels, settings
from avax.plotting.settings import Line, Study
from avax.plotting.words import summary

__all__ = ["draw", "summary"]

ALONE = [["solved", "rates"], ["retention", "reach"]]
LINES = [["solved", "retention", "reach", "gain"], ["fpr", "fnr", "precision", "legend"]]
PLANE = [["main", "main", "retention", "reach"], ["fpr", "fnr", "precision", "legend"]]
ROUNDS = [["solved", "retention", "reach", "legend"], ["fpr", "fnr", "precision", "legend"]]
MOST_LINES, MOST_MAPS = 6, 8


def draw(dataset: xr.Dataset) -> plotting.Figure:
    """By the number of axes: none, rounds of the only setting; one, a line for each value; two, a
    map of the final gain or a line for each name; more, a map for each value of the others.

    Args:
      dataset: as `avax.load` gives it, any axes before `seed` and `round`.
    """
    study = settings.study(dataset)
    if len(study.axes) == 0:
        return draw_alone(study)
    if len(study.axes) == 1:
        return draw_lines(study)
    if len(study.axes) == 2 and len(study.numeric) == 1:
        return draw_names(study)
    return draw_plane(study) if len(study.axes) == 2 else draw_maps(study)


def draw_alone(study: Study) -> plotting.Figure:
    """One setting."""
    figure = plotting.new_figure(9, 6.6)
    axes = figure.subplot_mosaic(ALONE)
    lines = [Line({}, "mean over seeds", {"color": settings.NAMED[0], "marker": "o"})]
    panels.draw_solved(axes["solved"], study, lines)
    axes["solved"].legend(loc="best")
    panels.draw_rates(axes["rates"], study)
    panels.draw_retention(axes["retention"], study, lines)
    panels.draw_reach(axes["reach"], study, lines)
    return with_notes(figure, study, lines)


def draw_lines(study: Study) -> plotting.Figure:
    """One axis: a line for each value, or for some of many."""
    (dim,) = study.axes
    most = MOST_LINES if study.numeric else len(settings.NAMED)
    chosen = settings.along(study, most)
    lines = settings.lines(study, chosen, ordered=dim in study.numeric)
    figure = plotting.new_figure(11, 5.8)
    axes = figure.subplot_mosaic(LINES)
    draw_rounds(axes, study, lines)
    panels.draw_gain(axes["gain"], study, dim, lines)
    legend(axes["legend"], [axes["solved"]], settings.label_of(study.dataset, dim))
    notes = bars(study) + left_out(
        len(lines), study.dataset.sizes[dim], f"values of {dim} by round"
    )
    return with_notes(figure, study, lines, notes)


def draw_names(study: Study) -> plotting.Figure:
    """Names and numbers: gain against the number, a colour for each name; rounds at both ends."""
    (name,), (dim,) = study.named, study.numeric
    run = np.flatnonzero(study.run.any(dim))
    chosen = [{name: int(i)} for i in run[:MOST_LINES]]
    lines = []
    for line in settings.lines(study, chosen, ordered=False):
        ends = settings.along(settings.part(study, line.at), most=2)
        for end, style in zip(ends, ("-", ":"), strict=False):
            at = {d: (line.at | end)[d] for d in study.axes}
            lines.append(Line(at, settings.name_of(study, at), line.style | {"linestyle": style}))
    figure = plotting.new_figure(11, 6)
    axes = figure.subplot_mosaic(PLANE)
    panels.draw_gain(axes["main"], study, dim, lines)
    draw_rounds(axes, study, lines)
    legend(axes["legend"], [axes["retention"]], f"{name} (colour), lowest and highest {dim} run")
    notes = bars(study) + left_out(len(chosen), study.dataset.sizes[name], f"values of {name}")
    return with_notes(figure, study, lines, notes)


def draw_plane(study: Study) -> plotting.Figure:
    """Two axes of numbers, or of names: a map, and the rounds of its corners and its middle."""
    rows, columns = maps.map_axes(study)
    lines = settings.lines(study, settings.corners(study), ordered=True, letters=True)
    figure = plotting.new_figure(11, 6.2)
    axes = figure.subplot_mosaic(PLANE)
    image = maps.draw_map(axes["main"], study, rows, columns)
    axes["main"].set_title("Final gain: solved length minus the base's")
    figure.colorbar(image, ax=axes["main"], label=panels.gain_label(study), pad=0.02)
    maps.mark_lines(axes["main"], lines, rows, columns)
    draw_rounds(axes, study, lines)
    legend(axes["legend"], [axes["retention"], axes["main"]], "rounds: setting")
    return with_notes(figure, study, lines)


def draw_maps(study: Study) -> plotting.Figure:
    """Three axes or more: a map over two of them for each value of the others, or for some; rounds
    of the setting in the middle of each map.
    """
    rows, columns = maps.map_axes(study)
    others = [d for d in study.axes if d not in (rows, columns)]
    every = list(itertools.product(*(range(study.dataset.sizes[d]) for d in others)))
    chosen = [every[i] for i in settings.spread(len(every), MOST_MAPS)]
    places = [dict(zip(others, values, strict=True)) for values in chosen]
    lines = middles(study, places)
    figure, axes = map_grid(len(places))
    mean = settings.mean_by_setting(study).values
    limit = np.abs(mean[np.isfinite(mean)]).max(initial=1e-6)
    for i, place in enumerate(places):
        image = maps.draw_map(axes[i], settings.part(study, place), rows, columns, limit)
        axes[i].set_title(settings.name_of(study, place), fontsize=9)
        if i % 4:
            axes[i].set_ylabel("")
        if i + 4 < len(places):
            axes[i].set_xlabel("")
        here = [x for x in lines if all(x.at[d] == k for d, k in place.items())]
        maps.mark_lines(axes[i], here, rows, columns)
    drawn = [axes[i] for i in range(len(places))]
    figure.colorbar(image, ax=drawn, label=panels.gain_label(study), pad=0.01)
    draw_rounds(axes, study, lines)
    legend(axes["legend"], [axes["solved"], *drawn], "rounds: the setting in the middle")
    notes = left_out(len(places), len(every), f"combinations of {', '.join(others)}")
    return with_notes(figure, study, lines, notes)


def middles(study: Study, places: Sequence[settings.At]) -> list[Line]:
    """The setting in the middle of each map, of which any was run."""
    found = [(place, settings.middle(settings.part(study, place))) for place in places]
    chosen = [{d: (p | at)[d] for d in study.axes} for p, at in found if at]
    numbered = len(places[0]) == 1 and next(iter(places[0])) in study.numeric
    return settings.lines(study, chosen, ordered=numbered, letters=True)


def map_grid(num: int) -> tuple[plotting.Figure, dict]:
    """A figure with places for maps, named 0, 1, ..., above those of ROUNDS."""
    wide = 2 if num <= 2 else 1
    places = [str(i) for i in range(num) for _ in range(wide)]
    places += ["."] * (-len(places) % 4)
    above = [places[i : i + 4] for i in range(0, len(places), 4)]
    height = 2.6 * len(above)
    figure = plotting.new_figure(11, height + 5.4)
    ratios = [2.6] * len(above) + [2.7, 2.7]
    axes = figure.subplot_mosaic([*above, *ROUNDS], height_ratios=ratios)
    return figure, {int(k) if k.isdigit() else k: v for k, v in axes.items()}


def bars(study: Study) -> list[str]:
    """A note on the interval of the final gain, if there is one."""
    num_seeds = study.num_each
    if num_seeds < panels.LEAST_SEEDS:
        return ["two seeds: an interval would say nothing"] if num_seeds == 2 else []
    return ["bars or bands: 95 % t intervals over seeds"]


def left_out(num: int, total: int, what: str) -> list[str]:
    """A note on what isn't drawn, if anything."""
    return [f"drawn: {num} of {total} {what}"] if num < total else []


def draw_rounds(axes: dict, study: Study, lines: Sequence[Line]) -> None:
    """The panels by round that a figure has."""
    if "solved" in axes:
        panels.draw_solved(axes["solved"], study, lines)
    panels.draw_retention(axes["retention"], study, lines)
    panels.draw_reach(axes["reach"], study, lines)
    for name, metric in zip(("fpr", "fnr", "precision"), panels.RATES, strict=True):
        panels.draw_rate(axes[name], study, lines, metric)


def legend(axes, sources: Sequence, title: str) -> None:
    """One legend for all panels, in a place of its own; what is named twice is named once."""
    axes.set_axis_off()
    found = {}
    for handles, names in (source.get_legend_handles_labels() for source in sources):
        for handle, name in zip(handles, names, strict=True):
            found.setdefault(textwrap.fill(name, 34), handle)
    title = textwrap.fill(title, 34)
    axes.legend(found.values(), found.keys(), title=title, loc="upper left", borderaxespad=0)


def with_notes(
    figure: plotting.Figure, study: Study, lines: Sequence[Line], notes: Sequence[str] = ()
) -> plotting.Figure:
    """The figure with what it is of, and what it leaves out, below its panels."""
    data = study.dataset
    num_seeds, longest = study.num_each, lengths.base_length(data)
    seeds = f"lines are means over {num_seeds} seeds" if num_seeds > 1 else "one seed: no interval"
    first = seeds + (", thin ones single seeds" if panels.shows_seeds(study, lines) else "")
    text = [first, *notes]
    text += [f"{settings.path_of(data, d)} = {value}" for d, value in study.fixed.items()]
    text = ["; ".join(text)]
    if longest is not None:
        text.append(
            "retention: at lengths that the base was trained on; reach: sum over longer ones; "
            f"solved length = {panels.last_of(longest)} x retention + reach"
        )
    filled = "\n".join(textwrap.fill(x, int(16 * figure.get_figwidth())) for x in text)
    figure.supxlabel(filled, x=0.01, ha="left", fontsize=8)
    return figure
