"""Where self-training came to rest, in words."""

from __future__ import annotations

import numpy as np
import xarray as xr

from avax.analysis import intervals
from paper_figures.error_floor import END, analyse, effects, variance_shares


def summary(*datasets: xr.Dataset | None) -> str:
    """Floors by width and FPR and of controls, all comparisons, and what explains the end."""
    found = analyse(*datasets)
    rows = {f"width {w}": x[END] for w, x in found.widths.items()}
    rows |= {f"FNR {fnr:g}": x[END] for fnr, x in found.fnrs.items() if fnr}
    ratios = next(iter(rows.values())).ratio.values
    lines = ["means over bases with 95 % t intervals, by FPR / (1 - FNR)"]
    lines.append(f"{'error in the end':22}" + "".join(f"{x:^24.3g}" for x in ratios))
    for name, floors in rows.items():
        cells = (shown(each) for each in floors.values)
        lines.append(f"{name:22}" + "".join(f"{cell:^24}" for cell in cells))
    for width, labels in found.labels.items():
        base = shown(found.bases[width].values)
        lines.append(f"width {width}: untouched base {base}, true labels {shown(labels.values)}")
    for role, each in found.controls.items():
        cells = (shown(x) for x in np.atleast_2d(each[END].values))
        lines.append(f"width {found.fnr_width}, {role}, by FPR: {', '.join(cells)}")
    for heading, each in effects(*datasets).items():
        lines.append(heading)
        lines += [f"  {name}: {shown(values)}" for name, values in each.items()]
    stacked = np.stack([each[END].values for each in found.widths.values()])
    names = ("FPR", "width", "FPR x width", "bases")
    shares = zip(names, variance_shares(stacked), strict=True)
    listed = ", ".join(f"{name} {share:.2f}" for name, share in shares)
    return "\n".join([*lines, f"shares of the variance of the error in the end: {listed}"])


def shown(values: np.ndarray) -> str:
    value, low, high, _ = intervals.mean(values)
    value, low, high = (round(float(x), 3) + 0.0 for x in (value, low, high))  # no -0.000
    return f"{value:.3f} ({low:.3f}, {high:.3f})"
