"""Errors round by round, and what figures of errors share."""

from __future__ import annotations

import numpy as np
import xarray as xr

from avax import plotting
from avax.analysis import intervals
from paper_figures.error_floor import (
    BESIDE,
    CENTRE,
    END,
    FAST,
    MIDDLE,
    SIZES,
    Findings,
    analyse,
    by_ratio,
    error_of,
    named,
    third,
)

OTHER_SIZES = [size for size in SIZES.values() if size != CENTRE]
COLOURS = plotting.arms((END, MIDDLE, *list(BESIDE.values())[1:], *OTHER_SIZES))
# Of growing FPR; 0 is the truth and 1 no filter, which look the same in every figure.
BETWEEN = ("#C7A9DC", "#9467BD", "#5B2A86", "#2E0F4F")


def estimates(values: np.ndarray, lost: np.ndarray) -> np.ndarray:
    """f[3, X]: mean, low and high of f[X, S], within 0 and 1; NaN where a run was lost, and the
    ends where they are not known.
    """
    each = np.array([intervals.mean(row)[:3] for row in values]).T
    each[1:] = np.where(np.isfinite(each[1:]), np.clip(each[1:], 0, 1), np.nan)
    return np.where(lost, np.nan, each)


def base_style() -> dict:
    return plotting.role("untouched base") | {"linewidth": 0.9}


def draw_rounds(*datasets: xr.Dataset | None) -> plotting.Figure:
    """Error by round at every FPR for each size."""
    found, parts = analyse(*datasets), named(datasets)
    figure = plotting.paper_figure(4.2)
    panels = figure.subplots(2, 2)
    for axes, (part, line) in zip(panels.flat, SIZES.items(), strict=True):
        draw_runs(axes, parts[part], found, line)
    finish(figure, panels, "FPR (bands at 0, 0.1 and 1)")
    return figure


def draw_rate(*datasets: xr.Dataset | None) -> plotting.Figure:
    """The same at the other learning rate, and how much is accepted."""
    found, parts = analyse(*datasets), named(datasets)
    figure = plotting.paper_figure(2.6)
    panels = figure.subplots(1, 2)
    for part, line in FAST.items():
        draw_runs(panels[0], parts[part], found, line)
    draw_accepted(panels[1], {name: parts[part] for part, name in BESIDE.items()})
    finish(figure, panels, "a, by FPR (bands at 0, 0.1 and 1)")
    return figure


def finish(figure: plotting.Figure, panels: np.ndarray, title: str) -> None:
    """Letters, names of axes, and a legend of what the first panel shows."""
    for axes in panels.flat:
        axes.set_xlabel("round (grey: middle, end)")
    handles, names = panels.flat[0].get_legend_handles_labels()
    style = {"loc": "outside lower center", "ncols": len(names), "title_fontsize": 7}
    figure.legend(handles, names, title=title, **style)
    plotting.letter(panels.flat)


def draw_runs(axes, dataset: xr.Dataset, found: Findings, name: str) -> None:
    """Mean error by round for every FPR, for some with its t interval as a band."""
    shade(axes, dataset)
    dataset = told_apart(dataset)
    error = error_of(dataset)
    lost = by_ratio(dataset.diverged == 1, dataset).transpose("ratio", "round", "seed")
    for line, gone, style in zip(error, lost, looks(error.ratio.values), strict=True):
        gone = gone.values.any(-1)
        estimate = estimates(line.transpose("round", "seed").values, gone)
        alpha = plotting.BAND if line.ratio in (0, 0.1, 1) else 0
        plotting.plot_band(axes, line["round"], estimate, gone, alpha, **style)
    axes.axhline(float(found.bases[name].mean()), label="untouched base", **base_style())
    axes.set_ylim(0, 1)
    axes.set_ylabel("share of wrong answers")
    axes.set_title(name[0].upper() + name[1:])


def told_apart(dataset: xr.Dataset) -> xr.Dataset:
    """A hundred or two of the rounds, evenly spaced: no more can be told apart in a panel."""
    return dataset.isel(round=slice(None, None, max(1, dataset.sizes["round"] // 100)))


def shade(axes, dataset: xr.Dataset) -> None:
    """The rounds of the middle and of the end, in grey."""
    for name, alpha in ((MIDDLE, 0.03), (END, 0.07)):
        at = third(dataset["round"], name).values[[0, -1]]
        axes.axvspan(*at, color="k", alpha=alpha, linewidth=0)


def draw_accepted(axes, datasets: dict[str, xr.Dataset]) -> None:
    """Accepted answers by round at FPR 0, of what is compared, with t intervals as bands."""
    for name, dataset in datasets.items():
        data = told_apart(dataset.isel(fpr=0, round=slice(1, None))).transpose("round", "seed", ...)
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
