"""Where self-training came to rest, in words."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr

from avax.analysis import intervals
from paper_figures import beside
from paper_figures.error_floor import (
    CENTRE,
    END,
    LINES,
    SIZES,
    analyse,
    effects,
    floor_of,
    named,
    variance_shares,
    worse,
)


def summary(*datasets: xr.Dataset | None) -> str:
    """Floors by size and FPR and of controls, all comparisons, and what explains the end."""
    found = analyse(*datasets)
    rows = {line: x[END] for line, x in found.lines.items()}
    rows |= {name: x[END] for name, x in found.beside.items() if name != "FNR 0"}
    ratios = next(iter(rows.values())).ratio.values
    lines = ["means over bases with 95 % t intervals, by FPR / (1 - FNR)"]
    lines.append(f"{'error in the end':22}" + "".join(f"{x:^24.3g}" for x in ratios))
    for name, floors in rows.items():
        cells = (shown(each) for each in floors.values)
        lines.append(f"{name:22}" + "".join(f"{cell:^24}" for cell in cells))
    for size, labels in found.labels.items():
        base = shown(found.bases[size].values)
        lines.append(f"{size}: untouched base {base}, true labels {shown(labels.values)}")
    for (line, role), each in found.controls.items():
        cells = (shown(x) for x in np.atleast_2d(each[END].values))
        lines.append(f"{line}, {role}, by FPR: {', '.join(cells)}")
    for line in found.lines:
        each = zip(ratios, worse(found, line).values, strict=True)
        shares = ", ".join(f"{x:g}: {share:.2f}" for x, share in each)
        lines.append(f"{line}, share of bases that end worse than they began, by FPR: {shares}")
    lines += spread_lines(named(datasets))
    for heading, each in effects(*datasets).items():
        lines.append(heading)
        lines += [f"  {name}: {shown(values)}" for name, values in each.items()]
    stacked = np.stack([found.lines[size][END].values for size in SIZES.values()])
    names = ("FPR", "size", "FPR x size", "bases")
    shares = zip(names, variance_shares(stacked), strict=True)
    listed = ", ".join(f"{name} {share:.2f}" for name, share in shares)
    return "\n".join([*lines, f"shares of the variance of the error in the end: {listed}"])


def spread_lines(parts: dict[str, xr.Dataset]) -> Iterator[str]:
    """How much errors in the end differ between bases and between two runs of one."""
    (part,) = (part for part, line in LINES.items() if line == CENTRE)
    once, again = floor_of(parts[part]), floor_of(parts["again"])
    for ratio in again.ratio.values:
        both = np.stack([once.sel(ratio=ratio).values, again.sel(ratio=ratio).values], -1)
        if told := beside.spread_text(both):
            yield f"{CENTRE}, FPR {ratio:g}, error in the end: {told}"


def shown(values: np.ndarray) -> str:
    value, low, high, _ = intervals.mean(values)
    value, low, high = (round(float(x), 3) + 0.0 for x in (value, low, high))  # no -0.000
    return f"{value:.3f} ({low:.3f}, {high:.3f})"
