"""Does the verifier or the model's size decide where self-training comes to rest?

python paper_figures/fig_error_floor.py [RESULTS] [--out STEM]
"""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Callable

import numpy as np
import xarray as xr

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))  # a fresh clone is not installed

from avax import plotting
from avax.analysis import intervals
from avax.plotting import Row
from paper_figures import command
from paper_figures.error_floor import (
    BESIDE,
    BEYOND,
    CENTRE,
    DRIFT,
    END,
    FASTER,
    MIDDLE,
    PARTS,
    RISE,
    SIZES,
    Findings,
    analyse,
    effects,
    named,
    third,
)
from paper_figures.error_floor_claims import CLAIMS, QUESTION
from paper_figures.error_floor_rounds import (
    COLOURS,
    base_style,
    draw_rate,
    draw_rounds,
    estimates,
)
from paper_figures.error_floor_words import summary

__all__ = ["CLAIMS", "PARTS", "QUESTION", "READS", "SHIPPED", "draw", "summary"]
SHIPPED = ("error_floor",)
READS = {  # by the parts of which they are read
    "accuracy": ("*",),
    "diverged": ("*",),
    "accuracy_by_difficulty": ("width_24", "rate_*", "control/*"),
    "num_accepted": tuple(BESIDE),
}
AGAINST = (DRIFT, RISE, *BEYOND.values())  # headings of what is compared with other rounds or runs
WEAK = 0.5 * plotting.BAND  # of bands that lie over others


def draw(*datasets: xr.Dataset | None) -> plotting.Figure:
    """Errors by FPR in the middle and in the end, at two learning rates beside the controls that
    were run; in the end for each size; and at another FNR.
    """
    found = analyse(*datasets)
    figure = plotting.paper_figure(4.2)
    panels = figure.subplots(2, 2, sharey=True)
    when = spans(datasets[0])
    for axes, line in zip(panels[0], (CENTRE, FASTER), strict=True):
        draw_line(axes, found, line)
        draw_controls(axes, found, line)
    draw_ends(panels[1, 0], {size: found.lines[size][END] for size in SIZES.values()})
    panels[1, 0].set_xlabel("FPR, at FNR = 0")
    panels[1, 0].set_title("All sizes, in the end")
    draw_beside(panels[1, 1], found)
    for axes in panels[:, 0]:
        axes.set_ylabel("share of wrong answers")
    handles, names = panels[0, 1].get_legend_handles_labels()
    names = [when.get(name, name) for name in names]
    figure.legend(handles, names, title="a, b", loc="outside lower center", ncols=3)
    plotting.letter(panels.flat)
    return figure


def spans(dataset: xr.Dataset) -> dict[str, str]:
    """The rounds of both thirds, in words."""
    found = {name: third(dataset["round"], name).values for name in (MIDDLE, END)}
    return {name: f"rounds {x[0]} to {x[-1]}" for name, x in found.items()}


def draw_floors(axes, floors: xr.DataArray, alpha: float = plotting.BAND, **style) -> None:
    """Mean over bases by ratio, with its t interval as a band; crosses where a run diverged."""
    at = plotting.to_position(floors.ratio.values, floors.ratio.values)
    estimate = estimates(floors.values, floors.diverged.values.any(-1))
    plotting.plot_band(axes, at, estimate, np.zeros(len(at), bool), alpha, **style)
    plotting.mark_lost(axes, at[:, None], floors.diverged.values)
    plotting.tick_values(axes.xaxis, floors.ratio.values)


def draw_line(axes, found: Findings, line: str) -> None:
    """Errors of one line by FPR, in both thirds, beside the untouched base and true labels."""
    for name in (MIDDLE, END):
        style = {"color": COLOURS[name], "marker": "o", "markersize": 2.5, "label": name}
        draw_floors(axes, found.lines[line][name], **style)
    axes.axhline(float(found.bases[line].mean()), label="untouched base", **base_style())
    left = found.labels.get(line, found.labels[CENTRE])  # of the same size
    style = plotting.role("truth") | {"linestyle": ":"}
    axes.axhline(float(left.mean(skipna=False)), label="trained on true labels", **style)
    plotting.mark_lost(axes, np.zeros(left.size), left.diverged.values)
    axes.set_ylim(-0.02, 1)  # true labels leave next to nothing
    axes.set_xlabel("FPR, at FNR = 0")
    axes.set_title(line[0].upper() + line[1:])


def draw_controls(axes, found: Findings, line: str) -> None:
    """Errors in the end of the controls of a line that were run."""
    for (of, role), each in found.controls.items():
        floors, style = each[END], plotting.role(role) | {"label": role, "alpha": WEAK}
        if of != line:
            continue
        if "ratio" in floors.dims:
            draw_floors(axes, floors, marker="o", markersize=2.5, **style)
        else:
            plotting.mean_level(axes, floors.where(~floors.diverged, -np.inf), **style)
            plotting.mark_lost(axes, np.zeros(floors.size), floors.diverged.values)


def draw_ends(axes, ends: dict[str, xr.DataArray]) -> None:
    """Errors in the end of several policies or verifiers."""
    for name, floors in ends.items():
        style = {"color": COLOURS.get(name, COLOURS[END]), "marker": "o", "markersize": 2.5}
        draw_floors(axes, floors, label=name, **style)
    axes.legend(loc="upper left")


def draw_beside(axes, found: Findings) -> None:
    """Errors of the size in the centre in the end by FPR / (1 - FNR), and of what is beside it."""
    draw_ends(axes, {name: each[END] for name, each in found.beside.items()})
    axes.axhline(float(found.bases[CENTRE].mean()), **base_style())
    axes.set_xlabel("FPR / (1 - FNR)")
    axes.set_title(f"{CENTRE[0].upper()}{CENTRE[1:]}, in the end")


def draw_effects(*datasets: xr.Dataset | None) -> plotting.Figure:
    """All comparisons of verifiers, sizes and labels in the last third of the rounds."""
    return draw_comparisons(lambda heading: heading not in AGAINST, datasets)


def draw_changes(*datasets: xr.Dataset | None) -> plotting.Figure:
    """What changed over the rounds, and all comparisons with controls in their last third."""
    return draw_comparisons(lambda heading: heading in AGAINST, datasets)


def draw_comparisons(shown: Callable[[str], bool], datasets: tuple) -> plotting.Figure:
    """The comparisons of some headings with their intervals."""
    rows = []
    for heading, each in effects(*datasets).items():
        if not shown(heading):
            continue
        last = {n.removesuffix(f", {END}"): x for n, x in each.items() if MIDDLE not in n}
        rows.append(Row(heading))
        rows += [Row(name, intervals.mean(x), "0.25", x) for name, x in last.items()]
    figure = plotting.paper_figure(0.9 + 0.17 * len(rows))
    axes = figure.subplots()
    plotting.forest(axes, rows)
    axes.set_xlabel("difference between shares of wrong answers")
    axes.set_title(f"All comparisons, {spans(datasets[0])[END]}")
    if any((x.diverged == 1).any() for x in named(datasets).values()):  # such runs are in no mean
        plotting.mark_lost(axes, axes.get_xlim()[0], True)
    return figure


FIGURES = {
    "": draw,
    "effects": draw_effects,
    "changes": draw_changes,
    "rounds": draw_rounds,
    "rate": draw_rate,
}

if __name__ == "__main__":
    command.main(__doc__, FIGURES, PARTS)
