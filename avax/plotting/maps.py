"""Maps of the final gain over two axes of any kind, with the boundary where it is 0."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from avax import plotting
from avax.analysis import phase
from avax.plotting import panels, settings
from avax.plotting.settings import Line, Study

NO_CHANGE = "boundary: mean gain 0"
NOISE = {"fpr", "fnr"}
MOST_CELLS = 36  # with their numbers; more of them can't be read


def map_axes(study: Study) -> tuple[str, str]:
    """Which axis goes upwards and which to the right: FPR and FNR if they are there, else numbers
    before names, the longest first.
    """
    if NOISE <= set(study.numeric):
        return "fnr", "fpr"
    size = study.dataset.sizes
    first, second, *_ = sorted(
        study.axes, key=lambda d: (d not in study.numeric, -size[d], study.axes.index(d))
    )
    return second, first


def draw_map(axes, study: Study, rows: str, columns: str, limit: float | None = None):
    """Mean gain over seeds, and where it crosses 0; the image, for a colour bar.

    Args:
      limit: of the colours, if the map is one of several that share them.
    """
    mean = settings.mean_by_setting(study).transpose(rows, columns).values
    is_alone = limit is None
    image = plotting.cells(axes, mean, limit)
    plotting.name_unrun(axes, mean, is_alone)
    if mean.size <= MOST_CELLS and is_alone:
        write_cells(axes, mean)
    if {rows, columns} == NOISE:
        draw_noise_boundary(axes, study, is_alone)
    elif {rows, columns} <= set(study.numeric) and min(mean.shape) > 2:
        draw_contour(axes, mean)
    panels.ticks(axes.xaxis, study.dataset[columns])
    panels.ticks(axes.yaxis, study.dataset[rows])
    axes.set_xlabel(settings.label_of(study.dataset, columns))
    axes.set_ylabel(settings.label_of(study.dataset, rows))
    return image


def write_cells(axes, mean: np.ndarray) -> None:
    """The number in every cell of a small map."""
    largest = np.abs(mean[np.isfinite(mean)]).max(initial=1e-6)
    for (y, x), value in np.ndenumerate(mean):
        if np.isfinite(value):
            colour = "w" if abs(value) > 0.6 * largest else "k"
            style = {"ha": "center", "va": "bottom", "fontsize": 7, "color": colour}
            axes.text(x, y + 0.08, f"{value:+.2g}", **style)


def draw_contour(axes, mean: np.ndarray) -> None:
    """Where the mean gain crosses 0, if it does."""
    known = np.where(np.isfinite(mean), mean, np.nan)
    if np.nanmin(known, initial=0) < 0 < np.nanmax(known, initial=0):
        axes.contour(known, levels=[0], colors="k", linewidths=1.2)
        axes.plot([], [], "k-", linewidth=1.2, label=NO_CHANGE)


def draw_noise_boundary(axes, study: Study, is_alone: bool) -> None:
    """The boundary FPR of every FNR; on a map that `is_alone` with its interval, if several seeds
    were run of all settings, or with the reason why there is none.
    """
    order = study.gain
    found = phase.boundary(order)
    if why := phase.uncrossed(order, found):
        if is_alone:
            axes.plot([], [], " ", label=f"no boundary was measured: {why}")
        return
    name = "measured boundary: mean gain 0"
    if is_alone and study.num_each > 1 and study.run.all():
        name += "; grey: 95 % over seeds (bootstrap)"
        ends = found.low, found.high, found.fnr
        plotting.boundary_band(axes, order, *ends, color="k", alpha=0.2)
    plotting.boundary_line(axes, order, found.fpr, found.fnr, color="k", label=name)


def mark_lines(axes, lines: Sequence[Line], rows: str, columns: str) -> None:
    """The letters of the settings whose rounds are drawn beside the map."""
    for line in lines:
        place = {"boxstyle": "circle,pad=0.15", "facecolor": "w", "edgecolor": line.style["color"]}
        where = line.at[columns], line.at[rows] - 0.05
        axes.text(*where, line.name[0], fontsize=7, ha="center", va="top", bbox=place)
