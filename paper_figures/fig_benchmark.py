"""How fast is avax? Training and generation against the machine's limit and PyTorch; whole runs.

These are measurements of one machine and claim nothing: two figures, and a table in words.

python paper_figures/fig_benchmark.py [RESULTS] [--out STEM]
"""

from __future__ import annotations

import json
import pathlib
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))  # a fresh clone is not installed

from avax import plotting
from paper_figures import command

SHIPPED = ("benchmark",)
PARTS = ("benchmark.json",)
CLAIMS = ()
WORKS = {"train": "an update", "generate": "a completion"}
TITLES = {"train": "Training", "generate": "Generation"}
CONTESTANTS = (
    *("avax", "avax, one at a time", "PyTorch"),
    *("products alone, padded", "products alone, unpadded"),
)
COLOURS = plotting.arms(CONTESTANTS)
MARKERS = dict(zip(CONTESTANTS, "os^vD", strict=True))


def rows_of(found: dict[str, Any], **facts: Any) -> list[dict[str, Any]]:
    """The rows of the part `steps` that have all these facts."""
    rows = found["steps"]["rows"]
    return [row for row in rows if all(row.get(name) == value for name, value in facts.items())]


def best(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The row with the least median."""
    return min(rows, key=lambda row: row["median_s"]) if rows else None


def contestants(found: dict[str, Any], size: int, work: str) -> dict[str, dict[str, Any] | None]:
    """The best row of each contestant."""
    avax = rows_of(found, size=size, work=work, by="avax")
    chain = partial(rows_of, found, size=size, work=work, by="chain")
    return {
        "avax": best(avax),
        "avax, one at a time": best([row for row in avax if row["width"] == 1]),
        "PyTorch": best(rows_of(found, size=size, work=work, by="torch")),
        "products alone, padded": best(chain(padded=True)),
        "products alone, unpadded": best(chain(padded=False)),
    }


def nominal_share(found: dict[str, Any], size: int, seconds: float) -> float:
    """Nominal FLOPs of an update over the machine's peak."""
    peak = 1 / best(rows_of(found, size=size, by="gemm"))["median_s"]
    return found["steps"]["nominal_flops"][str(size)] / seconds / peak


def sizes(found: dict[str, Any]) -> list[int]:
    return [int(size) for size in found["steps"]["nominal_flops"]]


def table(found: dict[str, Any]) -> str:
    """All findings as lines of text."""
    lines = [", ".join(f"{name} {value}" for name, value in found["machine"].items())]
    if "steps" in found:
        found = json.loads(json.dumps(found))  # keys as they are read from a file
        for size in sizes(found):
            for work in WORKS:
                lines += step_lines(found, size, work)
    lines += [main_job_line(row) for row in found.get("main_job", ())]
    lines += boundary_lines(found.get("boundary", ()))
    for row in found.get("scaling", ()):
        lines.append(
            f"{row['settings']:5} settings: {row['s_a_setting']:.3f} s each, "
            f"peak memory {row['peak_memory_bytes'] / 1e9:.2f} GB"
        )
    for name, seconds in found.get("start", {}).items():
        parts = ", ".join(f"{part} {seconds[part]:.1f} s" for part in ("import", "compilation"))
        lines.append(f"{name} start: {parts}")
    if "observing" in found:
        alone, observed = (found["observing"][f"{who}_s"] for who in ("alone", "observed"))
        lines.append(
            f"progress, checkpoints and results: {observed / alone - 1:+.1%} "
            f"({observed:.1f} s instead of {alone:.1f} s)"
        )
    return "\n".join(lines)


def main_job_line(row: dict[str, Any]) -> str:
    """An update or a run of the main job; of an update, how near real tokens come to the peak."""
    seconds = row["median_s"]
    if row["what"] == "run":
        return f"main job, {row['of']}: a run of {row['rounds']} rounds {seconds:.2f} s"
    share, what = row["flops"] / seconds / row["peak"], "an update"
    if row["what"] == "products":
        what = "its products alone, without padding"
    return (
        f"main job, {row['of']} to {row['longest']:2} digits: {what} {1e3 * seconds:.2f} ms, "
        f"{share:.2f} of the peak by real tokens"
    )


def boundary_lines(rows: Sequence[dict[str, Any]]) -> list[str]:
    """What designs took or would take until a boundary is known within a factor of 1.25."""
    return [
        f"boundary within a factor of 1.25 (95 %), {row['design']}: {row['seconds']:,.0f} s, "
        f"{row['needed']:,} runs ({row['runs']:,} gave {row['low']:.3g} to {row['high']:.3g}), "
        f"{rows[0]['seconds'] / row['seconds']:,.0f} x as fast"
        for row in rows
    ]


def step_lines(found: dict[str, Any], size: int, work: str) -> list[str]:
    """One line for each contestant at one size."""
    lines, reference = [], contestants(found, size, work)["avax"]["median_s"]
    for name, row in contestants(found, size, work).items():
        if row is None:
            continue
        how = ", ".join(
            f"{fact} {row[fact]}" for fact in ("width", "devices", "processes") if fact in row
        )
        line = (
            f"width {size:3}, {work:8}  {name:26} {1e3 * row['median_s']:9.4f} ms "
            f"({1e3 * row['least_s']:.4f} to {1e3 * row['most_s']:.4f})  "
            f"{row['median_s'] / reference:5.2f} x  [{how}]"
        )
        if work == "train" and name == "avax":
            line += f"  {nominal_share(found, size, row['median_s']):.2f} of the peak, nominally"
        lines.append(line)
    return lines


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
