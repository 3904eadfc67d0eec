"""How fast is avax? Training and generation against the machine's limit and PyTorch; scaling.

python paper_figures/fig_benchmark.py [RESULTS] [--out STEM]
"""

from __future__ import annotations

import json
import pathlib
import sys
from functools import partial
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))  # a fresh clone is not installed

from avax import plotting
from paper_figures import command

SHIPPED = ("benchmark",)
PARTS = ("benchmark.json",)
WORKS = {"train": "an update", "generate": "a completion"}


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
    """Bars of training and generation against the limit, and the scaling curves, as measured."""
    found = json.loads(json.dumps(found))
    parts = [*(WORKS if "steps" in found else ()), *(p for p in PANELS if p in found)]
    figure = plotting.new_figure(3.8 * len(parts), 3.6)
    for axes, part in zip(figure.subplots(1, len(parts), squeeze=False)[0], parts, strict=True):
        PANELS[part](axes, found[part]) if part in PANELS else draw_steps(axes, found, part)
    return figure


def draw_steps(axes, found: dict[str, Any], work: str) -> None:
    """Time of a unit of work by size, one bar for each contestant; whiskers: least and most."""
    names = [n for n, row in contestants(found, sizes(found)[0], work).items() if row]
    for i, name in enumerate(names):
        rows = [contestants(found, size, work)[name] for size in sizes(found)]
        at = [j + (i - (len(names) - 1) / 2) * 0.8 / len(names) for j in range(len(rows))]
        height = [1e3 * row["median_s"] for row in rows]
        spread = [
            [1e3 * (row["median_s"] - row["least_s"]) for row in rows],
            [1e3 * (row["most_s"] - row["median_s"]) for row in rows],
        ]
        axes.bar(at, height, 0.8 / len(names), yerr=spread, label=name, error_kw={"lw": 0.8})
    axes.set_yscale("log")
    axes.set_xticks(range(len(sizes(found))), [f"width {size}" for size in sizes(found)])
    axes.set_ylabel(f"milliseconds {WORKS[work]}, all cores")
    axes.set_title({"train": "Training", "generate": "Generation"}[work])
    axes.legend()
    low, high = axes.get_ylim()
    axes.set_ylim(low, high * 6)  # room for the legend


def draw_scaling(axes, rows: list[dict[str, Any]]) -> None:
    """Seconds a setting (left) and peak memory (right) by the number of settings."""
    settings = [row["settings"] for row in rows]
    memory = [row["peak_memory_bytes"] / 1e9 for row in rows]
    right = axes.twinx()
    lines = axes.plot(settings, [row["s_a_setting"] for row in rows], "o-", label="seconds")
    lines += right.plot(settings, memory, "s--", color="C1", label="memory")
    axes.set_xscale("log", base=2)
    axes.set_xticks(settings, [str(s) for s in settings])
    axes.set_xlabel("settings (2 rounds each)")
    axes.set_ylabel("seconds a setting")
    right.set_ylabel("peak memory in GB")
    for one in (axes, right):
        one.set_ylim(0, 1.4 * one.get_ylim()[1])
    axes.set_title("Scaling")
    axes.legend(handles=lines)


def draw_start(axes, seconds: dict[str, dict[str, float]]) -> None:
    """Import and compilation, stacked, with an empty compile cache and with a full one."""
    below = [0.0] * len(seconds)
    for part in ("import", "compilation"):
        height = [one[part] for one in seconds.values()]
        axes.bar(list(seconds), height, 0.5, bottom=below, label=part)
        below = [b + h for b, h in zip(below, height, strict=True)]
    axes.set_ylabel("seconds")
    axes.set_title("Start of the main job")
    axes.legend()


def draw_observing(axes, seconds: dict[str, float]) -> None:
    """The same runs by themselves, and as an experiment watches and saves them."""
    axes.bar(["alone", "observed"], [seconds["alone_s"], seconds["observed_s"]], 0.5)
    axes.set_ylabel("seconds")
    axes.set_title("Progress, checkpoints, results")


PANELS = {"scaling": draw_scaling, "start": draw_start, "observing": draw_observing}


if __name__ == "__main__":
    command.main(__doc__, draw, PARTS)
