"""What outcomes and steps as a verifier's level lead to, in words."""

from __future__ import annotations

import numpy as np
import xarray as xr

from avax.analysis import intervals
from avax.analysis.intervals import Estimate
from paper_figures import beside
from paper_figures.pages import text
from paper_figures.steps import (
    NAMES,
    SEEING_ALL,
    and_mean,
    apart,
    as_false_positives,
    beyond,
    cancelled,
    clean,
    collapse,
    controls_of,
    frozen_of,
    gained,
    let_through,
    name_of,
    named,
    over_moduli,
    pooled,
)


def summary(*datasets: xr.Dataset | None) -> str:
    """Additions gained, errors that cancel and wrong chains let through, by modulus; and gains of
    verifiers that err.
    """
    data = named(datasets)
    gains = {name: gained(clean(data[name])) for name in NAMES}
    moduli = data["none"].modulus.values.tolist()
    number = intervals.mean(over_moduli(gains["none"])).num
    lines = [f"means over {number} bases with 95 % t intervals, by modulus"]
    found = {name: and_mean(gain) for name, gain in gains.items()}
    lines += table("additions gained", [*moduli, "mean"], found)
    found = {name: pooled(cancelled(data[name])) for name in SEEING_ALL}
    found |= {name_of(*of): pooled(cancelled(x)) for of, x in frozen_of(data).items()}
    lines += table("P(last sum right | a step is wrong)", moduli, found)
    found = {name: pooled(let_through(data[name])) for name in NAMES}
    lines += table("P(a step is wrong | accepted)", moduli, found)
    found = {n: and_mean(apart(gains["steps"], gains[n])) for n in ("outcome", "exact_outcome")}
    lines += table("gained more by steps than by", [*moduli, "mean"], found)
    alike = {"outcome": and_mean(as_false_positives(data))}
    lines += table("more than with as many false positives", [*moduli, "mean"], alike)
    return "\n".join([*lines, *fpr_lines(data), *spread_lines(data), *control_lines(data)])


def fpr_lines(data: dict[str, xr.Dataset]) -> list[str]:
    """What verifiers of outcomes gain that accept wrong chains at a rate."""
    runs = data["exact_outcome"]
    each = [(x, over_moduli(gained(runs.sel(fpr=x)))) for x in runs.fpr.values]
    cells = (f"FPR {x:g}: {text(intervals.mean(values))}" for x, values in each)
    return [f"additions gained where none cancels, mean over moduli, {', '.join(cells)}"]


def spread_lines(data: dict[str, xr.Dataset]) -> list[str]:
    """How much gains by outcomes differ between bases and between two runs of one."""
    runs = np.stack([gained(data[name]) for name in ("outcome", "again")], -1)
    told = {m: beside.spread_text(runs[:, i]) for i, m in enumerate(data["none"].modulus.values)}
    return [f"gained by outcomes, m = {m}: {words}" for m, words in told.items() if words]


def control_lines(data: dict[str, xr.Dataset]) -> list[str]:
    """What controls gained, how far their loops are from them, and whether loops collapsed."""
    controls = controls_of(data)
    if not controls:
        return []
    columns = [*data["none"].modulus.values.tolist(), "mean"]
    gains = {name_of(*of): and_mean(gained(x)) for of, x in controls.items()}
    lines = table("additions gained by controls", columns, gains)
    pairs = [(part, of) for of in controls for part in dict.fromkeys((of[0], *also(of[1])))]
    found = {
        f"{NAMES[part]}, less {of[1]}": and_mean(beyond(data[part], controls[of]))
        for part, of in pairs
    }
    lines += table("additions gained more than a control", columns, found)
    last = int(data["none"]["round"][-1])
    for part in ("outcome", "none"):
        if (judged := collapse(data, part, last)) is not None:
            verdict = "yes" if bool(judged.collapsed) else "not shown"
            lines.append(f"{NAMES[part]}: collapse (below base and sham, mean over m): {verdict}")
    return lines


def also(role: str) -> tuple[str, ...]:
    """Other parts that a control of one is compared with."""
    return ("none", "steps") if role == "sham" else ()


def table(title: str, columns: list, rows: dict[str, list[Estimate]]) -> list[str]:
    """Lines of text: a row for each part, or for what has a name of its own."""
    lines = [f"{title:44}" + "".join(f"{c:^26}" for c in columns)]
    for name, cells in rows.items():
        lines.append(f"{NAMES.get(name, name):44}" + "".join(f"{text(cell):^26}" for cell in cells))
    return lines
