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
    BASE,
    FAST,
    FIRST,
    GATES,
    JUDGES,
    SHAM,
    controls_of,
    loops,
    of_pairs,
    readings,
    self_trust,
)


def summary(*datasets: xr.Dataset | None) -> str:
    """What judges see of own and others' mistakes, and what the loops behind them come to."""
    named = loops(*datasets)
    lines = list(reading_lines(named))
    lines += [loop_line(title_of(x), named[x]) for x in (*GATES, *FAST.values())]
    runs = (lengths.final_gain(named[x]) for x in ("likelihood", "again"))
    both = np.stack([x.values for x in xr.align(*runs, join="inner")], axis=1)
    lines.append(f"digits gained behind likelihood: {beside.spread_text(both)}")
    return "\n".join([*lines, *control_lines(named)])


def reading_lines(named: dict[str, xr.Dataset]) -> Iterator[str]:
    """What the untouched base says of its own and of another's mistakes."""
    data = named[BASE].sel(round=FIRST, drop=True)
    for start in data.start.values:
        here = data.sel(start=start)
        cells = f"right {shown(here.sampled_accuracy)}, both err {shown(here.matched_rate)}"
        yield f"{start} digits: {cells}, the same mistake {shown(here.same_wrong)}"
    yield "asked / whose mistakes: own/own, own/other, other/own, other/other; self-trust"
    for judge, name in itertools.product(JUDGES, ("trust_fpr", "auroc")):
        values = readings(named, name, judge)
        cells = [
            text(of_pairs(values.sel(reader=r, author=a)))
            for r in values.reader.values
            for a in values.author.values
        ]
        trusted = text(of_pairs(self_trust(values)))
        yield f"{JUDGES[judge]:17} {name:9}: {', '.join(cells)}; {trusted}"
    for judge, title in JUDGES.items():
        at = data.sel(judge=judge).mean("start")
        cells = f"{shown(at.gap)}; accepts wrong {shown(at.judge_fpr)}"
        yield f"{title:17} gap {cells}, rejects right {shown(at.judge_fnr)}"


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
        same = FAST.values() if part.startswith("fast_") else GATES
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
