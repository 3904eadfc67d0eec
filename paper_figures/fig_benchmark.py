"""How fast is avax? Training and generation against the machine's limit and PyTorch; whole runs.

These are measurements of one machine and claim nothing: two figures, and a table in words.

python paper_figures/fig_benchmark.py [RESULTS] [--out STEM]
"""

from __future__ import annotations

import json
import pathlib
import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))  # a fresh clone is not installed

from avax import plotting
from paper_figures import command
from paper_figures.benchmark import WORKS, contestants, sizes

SHIPPED = ("benchmark",)
PARTS = ("benchmark.json",)
CLAIMS = ()
TITLES = {"train": "Training", "generate": "Generation"}
CONTESTANTS = (
    *("avax", "avax, one at a time", "PyTorch"),
    *("products alone, padded", "products alone, unpadded"),
)
COLOURS = plotting.arms(CONTESTANTS)
MARKERS = dict(zip(CONTESTANTS, "os^vD", strict=True))


def draw(found: dict[str, Any]) -> plotting.Figure:
    """Time of training and of generation, by size of the model."""
    found = json.loads(json.dumps(found))
    works = WORKS if "steps" in found else {}
    return drawn(2.7, {work: partial(draw_steps, found=found, work=work) for work in works})


def draw_runs(found: dict[str, Any]) -> plotting.Figure:
    """Whole runs: how they scale, how they start, and what it costs to watch and save them."""
    panels = {}
    for part, each in PANELS.items():
        if part in found:
            panels |= {f"{part} {i}": partial(one, found=found[part]) for i, one in enumerate(each)}
    return drawn(4.4 if len(panels) > 2 else 2.4, panels)


def drawn(height: float, panels: Mapping[str, Callable]) -> plotting.Figure:
    """A figure of these panels, two side by side; of none it says so."""
    figure = plotting.paper_figure(height)
    if not panels:
        figure.text(0.5, 0.5, "not measured", ha="center")
        return figure
    columns = min(2, len(panels))
    grid = figure.add_gridspec(-(-len(panels) // columns), columns)
    places = [figure.add_subplot(grid[i // columns, i % columns]) for i in range(len(panels))]
    for axes, one in zip(places, panels.values(), strict=True):
        one(axes)
    if len(places) > 1:
        plotting.letter(places)
    return figure


def draw_steps(axes, found: dict[str, Any], work: str) -> None:
    """Time of a unit of work by size, for each contestant: medians, bars from least to most."""
    each = [contestants(found, size, work) for size in sizes(found)]
    names = [name for name in CONTESTANTS if each[0][name]]
    for i, name in enumerate(names):
        rows = [by_name[name] for by_name in each]
        at = [j + 0.12 * (i - (len(names) - 1) / 2) for j in range(len(rows))]
        median = [1e3 * row["median_s"] for row in rows]
        spread = [
            [1e3 * (row["median_s"] - row["least_s"]) for row in rows],
            [1e3 * (row["most_s"] - row["median_s"]) for row in rows],
        ]
        style = {"color": COLOURS[name], "marker": MARKERS[name], "markersize": 4}
        axes.errorbar(at, median, spread, linestyle="", label=name, elinewidth=1, **style)
    axes.set_yscale("log")
    axes.set_xlim(-0.5, len(each) - 0.5)
    axes.set_xticks(range(len(each)), [f"width {size}" for size in sizes(found)])
    axes.set_ylabel(f"milliseconds {WORKS[work]}, all cores")
    axes.set_title(TITLES[work])
    if work == "train":
        axes.legend(loc="upper left", title="median; bars: least to most", title_fontsize=7)
    low, high = axes.get_ylim()
    axes.set_ylim(low, high * (high / low) ** 0.4)  # room for the legend


def draw_time(axes, found: list[dict[str, Any]]) -> None:
    """Seconds a setting by the number of settings."""
    draw_scaling(axes, found, [row["s_a_setting"] for row in found], "seconds a setting")
    axes.set_title("Time of many settings")


def draw_memory(axes, found: list[dict[str, Any]]) -> None:
    """Peak memory by the number of settings."""
    draw_scaling(axes, found, [row["peak_memory_bytes"] / 1e9 for row in found], "peak memory, GB")
    axes.set_title("Memory of many settings")


def draw_scaling(axes, rows: list[dict[str, Any]], values: list[float], label: str) -> None:
    settings = [row["settings"] for row in rows]
    axes.plot(settings, values, "o-", color=COLOURS["avax"], markersize=4)
    axes.set_xscale("log", base=2)
    axes.set_xticks(settings, [str(s) for s in settings])
    axes.set_xlabel("settings (2 rounds each)")
    axes.set_ylabel(label)
    axes.set_ylim(0, 1.2 * max(values))


def draw_start(axes, found: dict[str, dict[str, float]]) -> None:
    """Import and compilation, stacked, with an empty compile cache and with a full one."""
    below = [0.0] * len(found)
    for part, colour in plotting.arms(("compilation", "import")).items():
        width = [one[part] for one in found.values()]
        axes.barh(list(found), width, 0.5, left=below, label=part, color=colour)
        below = [b + w for b, w in zip(below, width, strict=True)]
    axes.invert_yaxis()
    axes.set_xlabel("seconds before the main job runs")
    axes.set_ylabel("compile cache")
    axes.set_title("Start")
    axes.legend(loc="lower right")


def draw_observing(axes, found: dict[str, Any]) -> None:
    """The same runs by themselves, and as an experiment watches and saves them."""
    for y, who in enumerate(("alone", "observed")):
        each = found.get("seconds", {}).get(who, ())
        axes.plot(each, [y] * len(each), "o", color=COLOURS["avax"], markersize=3, alpha=0.5)
        axes.plot(found[f"{who}_s"], y, "|", color=COLOURS["avax"], markersize=16)
    axes.set_yticks((0, 1), ("alone", "watched\nand saved"))
    axes.set_ylim(1.5, -0.5)
    slowest = (
        max(found.get("seconds", {}).get(w, [found[f"{w}_s"]])) for w in ("alone", "observed")
    )
    axes.set_xlim(0, 1.1 * max(slowest))
    axes.set_xlabel("seconds (dots: runs, line: median)")
    axes.set_title("Progress, checkpoints, results")


PANELS = {
    "scaling": (draw_time, draw_memory),
    "start": (draw_start,),
    "observing": (draw_observing,),
}
FIGURES = {"": draw, "runs": draw_runs}


if __name__ == "__main__":
    command.main(__doc__, FIGURES, PARTS)
