"""What is known of policies that judge themselves, in words."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import xarray as xr

from avax.analysis import intervals, lengths
from paper_figures import beside
from paper_figures.pages import text
from paper_figures.self_trust import (
    FAST,
    FIRST,
    GATES,
    JUDGES,
    SHAM,
    WHEN,
    controls_of,
    loops,
    readings,
    self_trust,
)


def summary(*datasets: xr.Dataset | None) -> str:
    """What judges see of own and others' mistakes, and what the loops behind them come to."""
    named = loops(*datasets)
    lines = ["asked / whose mistakes: own/own, own/other, other/own, other/other"]
    for judge, name, when in itertools.product(JUDGES, ("auroc", "trust_fpr"), WHEN):
        values = readings(named[judge], name, WHEN[when])
        cells = [
            shown(values.sel(reader=r, author=a)) for r in values.reader for a in values.author
        ]
        trust = shown(self_trust(values))
        lines.append(f"{judge:15} {name:9} {when}: {', '.join(cells)}; self-trust {trust}")
    shared = [float(named[gate].same_wrong.mean("seed").max()) for gate in GATES]
    lines.append(f"P(both policies give the same wrong answer), largest of all: {max(shared):.4f}")
    lines += [loop_line(title_of(x), named[x]) for x in (*GATES, *FAST.values())]
    runs = (self_trust(readings(named[x], "trust_fpr")) for x in ("likelihood", "again"))
    both = np.stack([x.values for x in xr.align(*runs, join="inner")], axis=1)
    lines.append(f"self-trust by likelihood, rounds 2 and 3: {beside.spread_text(both)}")
    lines += control_lines(named)
    lines.append("generation-verification gap / errors there are, rounds 1 to 4")
    for gate in tuple(GATES)[2:]:
        data = named[gate].isel(round=slice(FIRST, FIRST + 4))
        each = (data.label_precision - data.sampled_accuracy, 1 - data.sampled_accuracy)
        cells = [[shown(x.isel(round=r)) for x in each] for r in range(data.sizes["round"])]
        lines.append(f"{GATES[gate]:15} {', '.join(' / '.join(cell) for cell in cells)}")
    return "\n".join(lines)


def loop_line(title: str, data: xr.Dataset) -> str:
    """What a loop comes to, and what its gate lets through."""
    first, last = data.sel(round=FIRST), data.isel(round=-1)
    pairs = {"accepted": "accept_rate", "right": "sampled_accuracy", "FPR": "verifier_fpr"}
    cells = [f"{n} {shown(first[x])} -> {shown(last[x])}" for n, x in pairs.items()]
    return f"{title:15} gains {shown(lengths.final_gain(data))} digits; {', '.join(cells)}"


def control_lines(named: dict[str, xr.Dataset]) -> Iterator[str]:
    """What controls come to, and how much more their loops gain; a sham is that of every gate."""
    for (part, role), control in controls_of(named).items():
        yield loop_line(name_of(part, role), control)
        same = [x for x in named if x.startswith("fast_")] if "fast" in part else [part, *JUDGES]
        for compared in same if role == SHAM else (part,):
            gains = (lengths.final_gain(x) for x in (named[compared], control))
            found = text(intervals.paired(*gains))
            yield f"  {title_of(compared)}, less {role}: {found} digits gained"


def title_of(part: str) -> str:
    """A loop in words."""
    gate = GATES[part.removeprefix("fast_")]
    return f"{gate}, rate 3e-3" if part.startswith("fast_") else gate


def name_of(part: str, role: str) -> str:
    """A control in words; a sham is that of every gate at its rate."""
    of = title_of(part)
    return role + (of.removeprefix(GATES["none"]) if role == SHAM else f", {of}")


def shown(values: xr.DataArray) -> str:
    return text(intervals.mean(values.values))
