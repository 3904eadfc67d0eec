"""What the phase diagram and its controls found, in words."""

from __future__ import annotations

import numpy as np
import xarray as xr

from avax.analysis import phase
from avax.analysis.intervals import Estimate
from paper_figures.noise_phase_diagram import (
    Data,
    Findings,
    analyse,
    collapse,
    controls_of,
    is_run,
    line_fprs,
    mean_at,
    mean_of,
    named,
    order_of,
    ratios,
    spreads,
    unit,
)


def summary(*datasets: xr.Dataset | None) -> str:
    """The diagram in characters, the measured and the predicted boundary, and the controls."""
    data, found = named(datasets), analyse(*datasets)
    lines, run = [phase.text_diagram(mean_of(found.order))], is_run(found.order)
    if not run.all():
        words = "settings were run; beyond them the measured boundary is open"
        lines.append(f"{run.sum().item()} of {run.size} {words}")
    told = horizon_lines(data), spread_lines(data), control_lines(data)
    return "\n".join([*lines, compared(found), *(line for each in told for line in each)])


def compared(found: Findings) -> str:
    """The measured and the predicted boundary, as far as there are any, and how far apart."""
    why = phase.uncrossed(found.order, found.measured)
    ratio, low, high, num = found.measured.ratio
    measured = f"measured boundary: FPR / (1 - FNR) = {ratio:.3g}"
    measured += "" if np.isnan(low) else f" ({low:.3g} to {high:.3g})"
    how = "of the mean outcome" if phase.is_dealt(found.order) else "geometric mean of bases"
    how += f"; 95 % t interval over {num} bases"
    if num == 1:
        how = "one base, so there is no interval"
    lines = [f"no boundary was measured: {why}" if why else f"{measured}, {how}"]
    if np.isfinite(found.exponent.value):
        lines.append(f"outcomes are equal along FPR ~ (1 - FNR)^k: k = {shown(found.exponent)}")
    predicted, low, high, _ = found.predicted
    if np.isnan(predicted):
        return "\n".join([*lines, "no prediction: it needs runs at FPR 0 and at FPR 1 - FNR"])
    ends = "" if np.isnan(low) else f" ({low:.3g} to {high:.3g})"
    lines.append(f"predicted boundary, from both ends of the line: {predicted:.3g}{ends}")
    if not why:
        apart = f"{predicted / ratio:.2g} times the measured one" if ratio > 0 else "above 0"
        lines.append(f"the predicted ratio is {apart}")
    return "\n".join(lines)


def horizon_lines(data: Data) -> list[str]:
    """The boundary ratio at both horizons, against the base and, if it is there, the sham."""
    lines = (f"  {name}: {shown(ratio)}" for name, ratio in ratios(data))
    return ["boundary ratios, by what a run is compared with:", *lines]


def spread_lines(data: Data) -> list[str]:
    """Standard deviations between bases and between two runs of one."""
    lines = []
    for fpr, parts in spreads(data):
        each = (np.sqrt(np.array(x[:3])) for x in (parts.between, parts.within))
        told = ("{:.2g} ({:.2g} to {:.2g})".format(*x) for x in each)
        lines.append("  FPR {:g}: between bases {}, between runs {}".format(fpr, *told))
    if data["twice"].sizes["seed"] < 2:
        return []
    return ["standard deviations of the gain, of bases that were run twice:", *lines]


def control_lines(data: Data) -> list[str]:
    """What loop and controls gain on the line, and whether no filter means collapse."""
    last, what = unit(data[""])
    fprs = line_fprs(data)
    loops = {"loop": data["line"], **controls_of(data)}
    lines = [f"{what} after {last} rounds on the line (untouched base: 0):"]
    for name, runs in loops.items():
        order = order_of(runs)
        for fpr in dict.fromkeys(fprs[[0, -1]]) if "fpr" in order.dims else (None,):
            where = "" if fpr is None else f", FPR {fpr:g}"
            lines.append(f"  {name}{where}: {shown(mean_at(order, fpr))}")
    for against in ("sham", "length-matched sham"):
        judged = collapse(data, last, against)
        verdict = "unknown, as it was not run"
        if judged is not None:
            verdict = "yes" if bool(judged.collapsed) else "not shown"
        lines.append(f"collapse without a filter, below the base and a {against}: {verdict}")
    return lines


def shown(estimate: Estimate) -> str:
    value, low, high, num = estimate
    if np.isnan(value):
        return "not measured"
    if np.isnan(low):
        return f"{value:.3g} ({num} base{'s' * (num != 1)}: no interval)"
    return f"{value:.3g} ({low:.3g} to {high:.3g}; {num} bases)"
