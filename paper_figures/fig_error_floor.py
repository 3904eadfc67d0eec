"""Does the verifier or the model's size decide where self-training comes to rest?

python paper_figures/fig_error_floor.py [RESULTS] [--out STEM]
"""

from __future__ import annotations

import pathlib
import sys

import numpy as np
import xarray as xr

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))  # a fresh clone is not installed

from avax import plotting
from avax.analysis import intervals
from avax.plotting import Row
from paper_figures import command
from paper_figures.error_floor import (
    BESIDE,
    CENTRE,
    END,
    LINES,
    MIDDLE,
    PARTS,
    Findings,
    analyse,
    by_ratio,
    effects,
    error_of,
    named,
    third,
)
from paper_figures.error_floor_claims import CLAIMS, QUESTION
from paper_figures.error_floor_words import summary

__all__ = ["CLAIMS", "PARTS", "QUESTION", "READS", "SHIPPED", "draw", "summary"]
SHIPPED = ("error_floor",)
READS = ("accuracy", "accuracy_by_difficulty", "num_accepted", "diverged")
# FPR 0 is the truth and FPR 1 no filter, which look the same in every figure.
COLOURS = plotting.arms((END, MIDDLE, *list(BESIDE.values())[1:]))
BETWEEN = ("#332288", "#56B4E9", "#999933", "#DDCC77")  # of growing FPR
WEAK = 0.5 * plotting.BAND  # of bands that lie over others


def draw(*datasets: xr.Dataset | None) -> plotting.Figure:
    """Errors by FPR in the middle and in the end, for each size and at another learning rate,
    beside the controls that were run; and at another FNR.
    """
    found = analyse(*datasets)
    figure = plotting.paper_figure(4.2)
    panels = figure.subplots(2, 3, sharey=True)
    when = spans(datasets[0])
    for axes, line in zip(panels.flat, found.lines, strict=False):
        draw_line(axes, found, line)
        draw_controls(axes, found, line)
    draw_beside(panels[1, 2], found)
    for axes in panels[:, 0]:
        axes.set_ylabel("share of wrong answers")
    handles, names = panels[1, 1].get_legend_handles_labels()
    names = [when.get(name, name) for name in names]
    figure.legend(handles, names, loc="outside lower center", ncols=3)
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


def estimates(values: np.ndarray, lost: np.ndarray) -> np.ndarray:
    """f[3, X]: mean, low and high of f[X, S], within 0 and 1; NaN where a run was lost, and the
    ends where they are not known.
    """
    each = np.array([intervals.mean(row)[:3] for row in values]).T
    each[1:] = np.where(np.isfinite(each[1:]), np.clip(each[1:], 0, 1), np.nan)
    return np.where(lost, np.nan, each)


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


def base_style() -> dict:
    return plotting.role("untouched base") | {"linewidth": 0.9}


def draw_beside(axes, found: Findings) -> None:
    """Errors of the size in the centre in the end by FPR / (1 - FNR), and of what is beside it."""
    for name, each in found.beside.items():
        colour = COLOURS.get(name, COLOURS[END])
        style = {"color": colour, "marker": "o", "markersize": 2.5}
        draw_floors(axes, each[END], label=name, **style)
    axes.axhline(float(found.bases[CENTRE].mean()), **base_style())
    axes.set_xlabel("FPR / (1 - FNR)")
    axes.set_title(f"{CENTRE[0].upper()}{CENTRE[1:]}, in the end")
    axes.legend(loc="upper left")


def draw_effects(*datasets: xr.Dataset | None) -> plotting.Figure:
    """All comparisons in the last third of the rounds with their intervals."""
    rows = []
    for heading, each in effects(*datasets).items():
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


def draw_rounds(*datasets: xr.Dataset | None) -> plotting.Figure:
    """Error by round at every FPR for each line, and how much is accepted."""
    found, parts = analyse(*datasets), named(datasets)
    figure = plotting.paper_figure(4.2)
    panels = figure.subplots(2, 3)
    for axes, (part, line) in zip(panels.flat, LINES.items(), strict=False):
        draw_runs(axes, parts[part], found, line)
    draw_accepted(panels[1, 2], {name: parts[part] for part, name in BESIDE.items()})
    for axes in panels.flat:
        axes.set_xlabel("round (grey: middle, end)")
    handles, names = panels[0, 0].get_legend_handles_labels()
    style = {"loc": "outside lower center", "ncols": len(names), "title_fontsize": 7}
    figure.legend(handles, names, title="a to e, by FPR (bands at 0, 0.1 and 1)", **style)
    plotting.letter(panels.flat)
    return figure


def draw_runs(axes, dataset: xr.Dataset, found: Findings, name: str) -> None:
    """Mean error by round for every FPR, for some with its t interval as a band."""
    error = error_of(dataset)
    lost = by_ratio(dataset.diverged == 1, dataset).transpose("ratio", "round", "seed")
    for line, gone, style in zip(error, lost, looks(error.ratio.values), strict=True):
        gone = gone.values.any(-1)
        estimate = estimates(line.transpose("round", "seed").values, gone)
        alpha = plotting.BAND if line.ratio in (0, 0.1, 1) else 0
        plotting.plot_band(axes, line["round"], estimate, gone, alpha, **style)
    axes.axhline(float(found.bases[name].mean()), label="untouched base", **base_style())
    shade(axes, dataset)
    axes.set_ylim(0, 1)
    axes.set_ylabel("share of wrong answers")
    axes.set_title(name[0].upper() + name[1:])


def shade(axes, dataset: xr.Dataset) -> None:
    """The rounds of the middle and of the end, in grey."""
    for name, alpha in ((MIDDLE, 0.03), (END, 0.07)):
        at = third(dataset["round"], name).values[[0, -1]]
        axes.axvspan(*at, color="k", alpha=alpha, linewidth=0)


def draw_accepted(axes, datasets: dict[str, xr.Dataset]) -> None:
    """Accepted answers by round at FPR 0, of what is compared, with t intervals as bands."""
    for name, dataset in datasets.items():
        data = dataset.isel(fpr=0, round=slice(1, None)).transpose("round", "seed", ...)
        lost = (data.diverged == 1).values.any(-1)
        each = np.array([intervals.mean(row)[:3] for row in data.num_accepted.values]).T
        each = np.where(np.isfinite(each) & ~lost, np.maximum(each, 0), np.nan)
        style = {"color": COLOURS.get(name, COLOURS[END]), "label": name}
        plotting.plot_band(axes, data["round"], each, lost, plotting.BAND, **style)
    shade(axes, next(iter(datasets.values())))
    axes.set_ylim(0, 1.9 * axes.get_ylim()[1])  # room for the legend
    axes.set_ylabel("accepted answers a round")
    axes.set_title("Lowest FPR, width 24")
    axes.legend(loc="upper left")


def looks(ratios: np.ndarray) -> list[dict]:
    """How lines of growing ratios look: the truth, those between, and no filter."""
    between = iter(BETWEEN * len(ratios))
    known = {0.0: ("truth", "0 (truth)"), 1.0: ("no filter", "1 (no filter)")}
    return [
        plotting.role(known[x][0]) | {"label": known[x][1]}
        if x in known
        else {"color": next(between), "label": f"{x:.2g}"}
        for x in ratios
    ]


FIGURES = {"": draw, "effects": draw_effects, "rounds": draw_rounds}

if __name__ == "__main__":
    command.main(__doc__, FIGURES, PARTS)
