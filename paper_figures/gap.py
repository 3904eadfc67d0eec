"""How much better than its policy a verifier is: numbers for the figures, and words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import xarray as xr

from avax.analysis import intervals, phase
from paper_figures.pages import text

WIDTHS, WIDTH = (16, 32, 64), 32  # of bases, and of the one that loops
FACTORS = {16: (1, 2, 4, 8), 32: (0.5, 1, 2, 4), 64: (0.25, 0.5, 1, 2)}  # of a base's updates
ALIKE = 1  # the factor that all widths have
HALF, SKILLS = 0.5, (0.25, 0.5, 0.75)  # shares right at which sizes are compared
BASES = {w: [f"bases_{w}_x{factor:g}" for factor in FACTORS[w]] for w in WIDTHS}
CONTROLS = {  # of the loop behind the vote, by the roles that they have in figures
    "frozen generator": "control/majority_frozen_generator",
    "sham": "control/majority_sham",
}
FAST, FAST_SHAM = "rate_3e-3", "control/rate_3e-3_sham"  # behind the vote at a higher learning rate
LOOPS = {
    "oracle": "the truth",
    "majority": "a majority of 8",
    "learned": "a learned verifier",
}
GATES = ("oracle", "majority")
PARTS = (
    *(*LOOPS, "again", FAST),
    *(part for parts in BASES.values() for part in parts),
    *(*CONTROLS.values(), FAST_SHAM),
)
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
    """Loops that begin with lengths known or beyond, on fixed prompts or moving on; of bases, which
    write answers once, those to such lengths.
    """
    found = dataset.isel(start=start)
    return found.sel(step=step) if "step" in dataset.dims else found


def judges(dataset: xr.Dataset) -> dict[str, str]:
    """Titles of the judges that were asked beside a loop's own verifier."""
    return {name: title for name, title in JUDGES.items() if name in dataset.judge.values}


def by_training(data: dict[str, xr.Dataset], name: str, width: int, start: int) -> xr.DataArray:
    """A variable of the bases of a width, with a first dimension `factor` of their updates."""
    bases = [of(data[part], start)[name].sel(round=FIRST) for part in BASES[width]]
    stacked = xr.concat([x.reset_coords(drop=True) for x in bases], "factor")
    return stacked.assign_coords(factor=list(FACTORS[width]))


def by_width(data: dict[str, xr.Dataset], name: str, start: int) -> xr.DataArray:
    """A variable of bases that were trained alike, with a first dimension `width`."""
    bases = [by_training(data, name, w, start).sel(factor=ALIKE, drop=True) for w in WIDTHS]
    return xr.concat(bases, "width").assign_coords(width=list(WIDTHS))


def at_skill(data: dict[str, xr.Dataset], name: str, width: int, skill: float) -> np.ndarray:
    """f[S]: mean gap over the policy's own judges where a share of a base's answers at its longest
    known length is right: on the line between the two trainings about it, the first such pair of
    each seed; NaN if there is none.
    """
    right = by_training(data, "sampled_accuracy", width, KNOWN).transpose("factor", "seed")
    gaps = of_own(by_training(data, name, width, KNOWN)).transpose("factor", "seed")
    return np.array([crossing(*x, skill) for x in zip(right.values.T, gaps.values.T, strict=True)])


def crossing(x: np.ndarray, y: np.ndarray, at: float) -> float:
    """Where x f[N] first rises past `at`, y there; NaN if it does not."""
    for i in range(len(x) - 1):
        if x[i] <= at < x[i + 1]:
            return float(np.interp(at, x[i : i + 2], y[i : i + 2]))
    return np.nan


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
    lines += skill_lines(data)
    for start in (KNOWN, BEYOND):
        cells = [shown(x) for x in by_width(data, "sampled_accuracy", start)]
        lines.append(
            f"{digits[start]} digits, bases trained alike, by width: right {', '.join(cells)}"
        )
        gap, relative = (by_width(data, name, start) for name in ("gap", "relative_gap"))
        for judge in judges(gap):
            pairs = zip(gap.sel(judge=judge), relative.sel(judge=judge), strict=True)
            cells = [f"{shown(a)} / {shown(b)}" for a, b in pairs]
            lines.append(f"  gap / relative gap of {judge:13} " + ", ".join(cells))
    for part in (*LOOPS, FAST):
        for start in (KNOWN, BEYOND):
            lines += [round_line(data, part, start, step) for step in (FIXED, MOVING)]
    for gate in GATES:
        lines.append(f"pass@k behind {gate}, {found_line(data[gate])}")
    return "\n".join([*lines, *control_lines(data)])


def skill_lines(data: dict[str, xr.Dataset]) -> Iterator[str]:
    """How right bases are by training, and their gaps where they are equally right."""
    for width in WIDTHS:
        right = by_training(data, "sampled_accuracy", width, KNOWN)
        cells = [f"x{f:g}: {shown(right.sel(factor=f))}" for f in FACTORS[width]]
        yield f"width {width}, right at the known length by updates: {', '.join(cells)}"
    for name in ("gap", "relative_gap"):
        for skill in SKILLS:
            each = {w: at_skill(data, name, w, skill) for w in WIDTHS}
            cells = [
                f"{w}: {text(intervals.mean(x))} ({np.isfinite(x).sum()})" for w, x in each.items()
            ]
            yield f"{name} where {skill:g} is right, by width (bases): {', '.join(cells)}"


def found_line(dataset: xr.Dataset) -> str:
    before, after = passed(dataset)
    cells = [f"{k}: {shown((after - before).sel(k=k))}" for k in before.k.values]
    return f"beyond, fixed, last less first: {', '.join(cells)}"


def control_lines(data: dict[str, xr.Dataset]) -> Iterator[str]:
    """What the controls of the vote came to, and how far the loop is from them."""
    for role, control in controls_of(data).items():
        for start in (KNOWN, BEYOND):
            for step, where in ((FIXED, "fixed"), (MOVING, "frontier")):
                loop, run = (of(x, start, step) for x in (data["majority"], control))
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
