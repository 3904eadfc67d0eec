"""What is known of how far clean verification carries, in words."""

from __future__ import annotations

import numpy as np
import xarray as xr

from avax.analysis import intervals, phase
from paper_figures import beside
from paper_figures.length_generalization import (
    ARMS,
    END,
    RATES,
    collapse,
    effects,
    gained,
    named,
    rounds_until,
    titles,
)

MARKS = (20, 40, 80)  # digits


def summary(*datasets: xr.Dataset | None) -> str:
    """How far every arm came, how fast, and all comparisons with 95 % t intervals over bases."""
    data = named(*datasets)
    lines = ["solved length in digits, mean (lowest, highest base)"]
    lines += [arm_line(title, data[part]) for part, title in titles(data).items()]
    lines.append(f"rounds until {', '.join(map(str, MARKS))} digits are solved (bases that did)")
    fast = phase.solved_length(phase.until_diverged(datasets[0]))
    speeds = {f"up to {r} a round": fast.sel(reach=r) for r in fast.reach.values}
    speeds["one a round"] = phase.solved_length(data["steady"])
    for title, solved in speeds.items():
        lines.append(f"  {title:18} {', '.join(speed_cell(solved, mark) for mark in MARKS)}")
    for heading, each in effects(*datasets).items():
        lines.append(heading)
        for name, values in each.items():
            value, low, high, num = intervals.mean(values)
            lines.append(f"  {name}: {value:.3g} ({low:.3g}, {high:.3g}), {num} bases")
    for arm in RATES:
        if (judged := collapse(data, arm, END)) is not None:
            verdict = "yes" if bool(judged.collapsed) else "not shown"
            lines.append(f"collapse, {ARMS[arm]} (below base and sham): {verdict}")
    both = np.stack(xr.align(*(gained(data[x]) for x in ("steady", "again")), join="inner"), 1)
    lines.append(f"digits gained, {ARMS['steady']}: {beside.spread_text(both)}")
    return "\n".join(lines)


def speed_cell(solved: xr.DataArray, mark: int) -> str:
    """Mean round, and how many seeds it is the mean of."""
    found = rounds_until(solved, mark).dropna("seed")
    return f"{found.mean():.1f} ({found.size})" if found.size else "-"


def arm_line(title: str, dataset: xr.Dataset) -> str:
    """Solved length of an arm before and after, and how right its last round's data are."""
    solved = phase.solved_length(dataset)
    last = dataset.sampled_accuracy.isel(round=-1)
    return (
        f"  {title:22} {shown(solved.isel(round=0))} -> {shown(solved.isel(round=-1))} "
        f"of {dataset.sizes['difficulty']}, right at the last frontier {shown(last)}"
    )


def shown(values: xr.DataArray) -> str:
    """Mean and range over seeds."""
    return f"{values.mean():.2f} ({values.min():.2f}, {values.max():.2f})"
