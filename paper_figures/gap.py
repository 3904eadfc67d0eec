"""How much better than its policy a verifier is: numbers for the figures, and words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import xarray as xr

from avax.analysis import intervals, phase
from paper_figures.pages import text

WIDTHS, GATES = (16, 32, 64), ("oracle", "majority")
CONTROLS = {  # of the loop behind the vote at width 32, by the roles that they have in figures
    "frozen generator": "control/majority_32_frozen_generator",
    "sham": "control/majority_32_sham",
}
OWN = (*(f"{gate}_{width}" for gate in GATES for width in WIDTHS), "learned")
PARTS = (*OWN, *CONTROLS.values())
LOOPS = {
    "oracle_32": "the truth",
    "majority_32": "a majority of 8",
    "learned": "a learned verifier",
}
JUDGES = {
    "MajorityVote": "majority of 8",
    "Likelihood": "likelihood",
    "Comparison": "comparison",
    "CommitFirst": "commit first",
    "Commutative": "b + a",
    "CrossModel": "another policy",
}
OTHER = "CrossModel"  # no verifier of the policy's own
FIXED, MOVING = 0, 1  # steps of the curriculum
KNOWN, BEYOND = 0, 1  # its starts, in their order
FIRST = 1  # the round in which the policy is still the base
VOTE = {"frozen generator": "own", "sham": "MajorityVote"}  # a sham's own verifier accepts all


def named(datasets: Sequence[xr.Dataset | None]) -> dict[str, xr.Dataset]:
    """The parts by name, runs until they diverged; without the controls that there are not."""
    found = zip(PARTS, datasets, strict=False)
    return {name: phase.until_diverged(data) for name, data in found if data is not None}


def controls_of(data: dict[str, xr.Dataset]) -> dict[str, xr.Dataset]:
    """The controls that there are, by role."""
    return {role: data[part] for role, part in CONTROLS.items() if part in data}


def vote_gap(run: xr.Dataset, role: str = "") -> xr.DataArray:
    """The vote's gap in the loop behind it, or in one of its controls; NaN where the sham was not
    asked for it.
    """
    return run.gap.reindex(judge=[VOTE.get(role, "own")]).isel(judge=0, drop=True)


def of(dataset: xr.Dataset, start: int, step: int = FIXED) -> xr.Dataset:
    """Loops that begin with lengths known or beyond, on fixed prompts or moving on."""
    return dataset.isel(start=start).sel(step=step)


def judges(dataset: xr.Dataset) -> dict[str, str]:
    """Titles of the judges that were asked beside a loop's own verifier."""
    return {name: title for name, title in JUDGES.items() if name in dataset.judge.values}


def by_width(data: dict[str, xr.Dataset], name: str, start: int) -> xr.DataArray:
    """A variable of the bases, with a first dimension `width`."""
    bases = [of(data[f"oracle_{width}"], start)[name].sel(round=FIRST) for width in WIDTHS]
    return xr.concat([x.reset_coords(drop=True) for x in bases], "width").assign_coords(
        width=list(WIDTHS)
    )


def of_own(values: xr.DataArray) -> xr.DataArray:
    """The mean over the judges that are the policy itself; unknown if one of them is."""
    names = [name for name in judges(values) if name != OTHER]
    return values.sel(judge=names).mean("judge", skipna=False)


def grown(data: dict[str, xr.Dataset], name: str, start: int, widths: tuple) -> np.ndarray:
    """f[S]: mean gap over the policy's own judges, of the wider bases minus the narrower ones."""
    narrow, wide = (of_own(by_width(data, name, start)).sel(width=w) for w in widths)
    return (wide - narrow).values


def posed(run: xr.Dataset) -> xr.DataArray:
    """i[R]: the newest length of each round from the first on."""
    rounds = run["round"].isel(round=slice(1, None))
    return run.start + run.step * (rounds - 1)


def skill(run: xr.Dataset) -> tuple[xr.DataArray, xr.DataArray]:
    """Greedy accuracy after each round on that round's newest length, and that of the untouched
    base on the same lengths.
    """
    lengths = posed(run).drop_vars(["start", "step"], errors="ignore")
    after = run.accuracy_by_difficulty.isel(round=slice(1, None)).sel(difficulty=lengths)
    base = run.accuracy_by_difficulty.isel(round=0, drop=True).sel(difficulty=lengths)
    return after, base


def passed(dataset: xr.Dataset) -> tuple[xr.DataArray, xr.DataArray]:
    """Pass@k of the base and in the last round, on fixed prompts beyond what the base knows."""
    found = of(dataset, BEYOND).pass_at
    return found.sel(round=FIRST), found.isel(round=-1)


def shown(values: xr.DataArray) -> str:
    return text(intervals.mean(values.values))


def summary(*datasets: xr.Dataset | None) -> str:
    """Gaps of the base by size, how they change over the rounds, and pass@k."""
    data = named(datasets)
    digits = data["learned"].start.values
    lines = [f"means over {data['learned'].sizes['seed']} bases with 95 % t intervals"]
    for start in (KNOWN, BEYOND):
        cells = [shown(x) for x in by_width(data, "sampled_accuracy", start)]
        lines.append(f"{digits[start]} digits, the base, by width: right {', '.join(cells)}")
        gap, relative = (by_width(data, name, start) for name in ("gap", "relative_gap"))
        for judge in judges(gap):
            pairs = zip(gap.sel(judge=judge), relative.sel(judge=judge), strict=True)
            cells = [f"{shown(a)} / {shown(b)}" for a, b in pairs]
            lines.append(f"  gap / relative gap of {judge:13} " + ", ".join(cells))
    for part in ("oracle_32", "majority_16", "majority_32", "majority_64", "learned"):
        for start in (KNOWN, BEYOND):
            lines += [round_line(data, part, start, step) for step in (FIXED, MOVING)]
    for gate in GATES:
        lines.append(f"pass@k behind {gate}, {found_line(data[f'{gate}_32'])}")
    return "\n".join([*lines, *control_lines(data)])


def found_line(dataset: xr.Dataset) -> str:
    before, after = passed(dataset)
    cells = [f"{k}: {shown((after - before).sel(k=k))}" for k in before.k.values]
    return f"beyond, fixed, last less first: {', '.join(cells)}"


def control_lines(data: dict[str, xr.Dataset]) -> Iterator[str]:
    """What the controls of the vote at width 32 came to, and how far the loop is from them."""
    for role, control in controls_of(data).items():
        for start in (KNOWN, BEYOND):
            for step, where in ((FIXED, "fixed"), (MOVING, "frontier")):
                loop, run = (of(x, start, step) for x in (data["majority_32"], control))
                gap, by_loop = vote_gap(run, role), vote_gap(loop)
                cells = [
                    f"vote's gap {shown(gap.sel(round=FIRST))} -> {shown(gap.isel(round=-1))}",
                    f"right {shown(run.sampled_accuracy.isel(round=-1))} in the end",
                    f"loop's gap less its {paired_text(by_loop, gap)}",
                    f"right {paired_text(loop.sampled_accuracy, run.sampled_accuracy)} more",
                ]
                digits = control.start.values[start]
                yield f"{role} of the vote, from {digits} digits, {where}: {'; '.join(cells)}"
        yield f"pass@k of the {role}, {found_line(control)}"


def paired_text(loop: xr.DataArray, control: xr.DataArray) -> str:
    """How far loop and control are apart in the last round, base by base."""
    return text(intervals.paired(*(x.isel(round=-1, drop=True) for x in (loop, control))))


def round_line(data: dict[str, xr.Dataset], part: str, start: int, step: int) -> str:
    """A loop's own gap, and how often it is right, in the first and the last round."""
    run = of(data[part], start, step)
    change = (
        f"{shown(x.sel(round=FIRST))} -> {shown(x.isel(round=-1))}"
        for x in (run.gap.sel(judge="own"), run.sampled_accuracy)
    )
    where = "frontier" if step == MOVING else "fixed"
    start = data["learned"].start.values[start]
    return f"{part}, from {start} digits, {where}: own gap, right: " + "; ".join(change)
