"""How much better than its policy a verifier is: numbers for the figures, and words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import xarray as xr

from avax.analysis import intervals, lengths, phase
from avax.analysis.intervals import Estimate
from paper_figures import beside
from paper_figures.pages import text

WIDTHS, WIDTH = (16, 32, 64), 32  # of bases, and of the one that loops
ALIKE, UPDATES = 19, 1000  # the snapshot at which all widths had as many updates
HALF, SKILLS = 0.5, (0.25, 0.5, 0.75)  # shares right at which sizes are compared
WIDEST = 0.3  # of two snapshots between which a skill is passed
LOOPS = {
    "oracle": "the truth",
    "majority": "a majority of 8",
    "learned": "a learned verifier",
}
FAST = "rate_3e-3"  # behind the vote at a higher learning rate
BASES = {width: f"bases_{width}" for width in WIDTHS}
CONTROLS = {  # of the loop behind the vote, by the roles that they have in figures
    "sham": "control/majority_sham",
    "placebo": "control/majority_placebo",
}
FAST_SHAM = "control/rate_3e-3_sham"
PARTS = (
    *(*LOOPS, "again", "fresh", FAST, "untouched"),
    *BASES.values(),
    *(*CONTROLS.values(), FAST_SHAM),
)
JUDGES = {
    "MajorityVote": "majority of 8",
    "Likelihood": "likelihood",
    "Comparison": "comparison",
    "CommitFirst": "commit first",
    "Commutative": "b + a",
}
FIXED, MOVING = 0, 1  # steps of the curriculum
NEAR, FAR = 0, 1  # its starts, in their order; of bases what they know, and beyond
WHERE = {FIXED: "fixed prompts", MOVING: "a frontier"}
FIRST = 1  # the round in which the policy is still the base
VOTE = {"sham": "MajorityVote", "placebo": "MajorityVote"}  # where a run's own is no vote


def named(datasets: Sequence[xr.Dataset | None]) -> dict[str, xr.Dataset]:
    """The parts by name, runs until they diverged; without the controls that there are not."""
    found = zip(PARTS, datasets, strict=False)
    return {name: phase.until_diverged(data) for name, data in found if data is not None}


def controls_of(data: dict[str, xr.Dataset]) -> dict[str, xr.Dataset]:
    """The controls that there are, by role."""
    return {role: data[part] for role, part in CONTROLS.items() if part in data}


def vote_gap(run: xr.Dataset, role: str = "") -> xr.DataArray:
    """The vote's gap in the loop behind it, or in one of its controls; NaN where that was not asked
    for it.
    """
    return run.gap.reindex(judge=[VOTE.get(role, "own")]).isel(judge=0, drop=True)


def of(dataset: xr.Dataset, start: int, step: int = FIXED) -> xr.Dataset:
    """Loops that begin with the nearer or the farther length, on fixed prompts or moving on."""
    found = dataset.isel(start=start)
    return found.sel(step=step) if "step" in dataset.dims else found


def judges(dataset: xr.Dataset) -> dict[str, str]:
    """Titles of the judges that were asked beside a loop's own verifier."""
    return {name: title for name, title in JUDGES.items() if name in dataset.judge.values}


def of_own(values: xr.DataArray) -> xr.DataArray:
    """The mean over the judges that are the policy itself; unknown if one of them is."""
    return values.sel(judge=list(judges(values))).mean("judge", skipna=False)


def learning(data: dict[str, xr.Dataset], name: str, width: int, start: int = NEAR) -> xr.DataArray:
    """A variable of the bases of a width by snapshot and seed, at the length that they are taught
    or beyond.
    """
    values = of(data[BASES[width]], start)[name].sel(round=FIRST, drop=True)
    return values.transpose("snapshot", "seed", ...)


def by_width(data: dict[str, xr.Dataset], name: str, start: int) -> xr.DataArray:
    """A variable of bases that were trained alike, with a first dimension `width`."""
    each = [learning(data, name, w, start).sel(snapshot=ALIKE, drop=True) for w in WIDTHS]
    each = [x.drop_vars(["start", "step"], errors="ignore") for x in each]
    return xr.concat(each, "width").assign_coords(width=list(WIDTHS))


def share_removed(data: dict[str, xr.Dataset], start: int, widths: Sequence[int]) -> Estimate:
    """The relative gap after equal training, the mean gap over the mean share wrong: of a width, or
    of the second of two widths minus that of the first.
    """
    each = (of_own(by_width(data, "gap", start)), by_width(data, "sampled_accuracy", start))
    pairs = np.stack([x.sel(width=list(widths)).transpose("seed", "width") for x in each], -1)

    def statistic(some: np.ndarray) -> float:
        gap, right = np.moveaxis(some.mean(0), -1, 0)
        relative = gap / (1 - right)
        return relative[-1] - (relative[0] if len(widths) > 1 else 0)

    return intervals.jackknife(pairs, statistic)


def skill_of(data: dict[str, xr.Dataset], width: int, is_greedy: bool = False) -> np.ndarray:
    """f[P, S]: share of a base's answers right at the length that it is taught, by snapshot and
    seed: as sampled in the round, or greedy.
    """
    if not is_greedy:
        return learning(data, "sampled_accuracy", width).values
    run = of(data[BASES[width]], NEAR)
    right = run.accuracy_by_difficulty.sel(round=0, difficulty=lengths.base_length(run))
    return right.transpose("snapshot", "seed").values


def at_skill(
    data: dict[str, xr.Dataset], width: int, skill: float, is_greedy: bool = False
) -> np.ndarray:
    """f[S]: mean gap over the policy's own judges where a share of a base's answers at its longest
    known length is right; NaN if it never is.
    """
    right = skill_of(data, width, is_greedy)
    gaps = of_own(learning(data, "gap", width)).values
    return np.array([crossing(*x, skill) for x in zip(right.T, gaps.T, strict=True)])


def crossing(x: np.ndarray, y: np.ndarray, at: float) -> float:
    """The mean of y where x f[N] passes `at`, up or down, on the lines between neighbours that are
    not far apart; NaN if it never does.
    """
    pairs = zip(zip(x, y, strict=True), zip(x[1:], y[1:], strict=True), strict=False)
    found = [
        y0 + (at - x0) / (x1 - x0) * (y1 - y0)
        for (x0, y0), (x1, y1) in pairs
        if (x0 <= at) != (x1 <= at) and abs(x1 - x0) <= WIDEST
    ]
    return float(np.mean(found)) if found else np.nan


def posed(run: xr.Dataset) -> xr.DataArray:
    """i[R]: the newest length of each round from the first on."""
    rounds = run["round"].isel(round=slice(1, None))
    return run.start + run.step * (rounds - 1)


def untouched_gap(data: dict[str, xr.Dataset], run: xr.Dataset) -> xr.DataArray:
    """The vote's gap of the untouched base on the lengths of a frontier, by seed and round."""
    gaps = vote_gap(data["untouched"].sel(round=FIRST, drop=True))
    return gaps.sel(start=posed(run).drop_vars(["start", "step"])).drop_vars("start")


def reached(run: xr.Dataset) -> xr.DataArray:
    """Greedy accuracy summed over the lengths beyond what the base knows, less the untouched
    base's, by seed and round.
    """
    found = lengths.reach(run, lengths.base_length(run))
    return found - found.isel(round=0, drop=True)


def passed(dataset: xr.Dataset) -> tuple[xr.DataArray, xr.DataArray]:
    """Pass@k of the base and in the last round, on the longer fixed prompts."""
    found = of(dataset, FAR).pass_at
    return found.sel(round=FIRST), found.isel(round=-1)


def shown(values: xr.DataArray) -> str:
    return text(intervals.mean(values.values))


def summary(*datasets: xr.Dataset | None) -> str:
    """Gaps of bases by size and skill, how gaps change over the rounds of loops, and pass@k."""
    data = named(datasets)
    return "\n".join([*size_lines(data), *loop_lines(data), *control_lines(data)])


def size_lines(data: dict[str, xr.Dataset]) -> Iterator[str]:
    """Gaps of bases after equal training, and where they are equally right."""
    yield f"after {UPDATES} updates, by width {', '.join(map(str, WIDTHS))}"
    for start in (NEAR, FAR):
        digits = data[BASES[WIDTH]].start.values[start]
        cells = [shown(x) for x in by_width(data, "sampled_accuracy", start)]
        yield f"  {digits} digits, right: {', '.join(cells)}"
        gaps = by_width(data, "gap", start)
        for judge in judges(gaps):
            yield f"    gap of {judge:13} {', '.join(shown(x) for x in gaps.sel(judge=judge))}"
    for is_greedy in (False, True):
        for skill in SKILLS:
            each = [at_skill(data, width, skill, is_greedy) for width in WIDTHS]
            cells = [f"{text(intervals.mean(x))}, {np.isfinite(x).sum()} of {len(x)}" for x in each]
            kind = "greedy" if is_greedy else "sampled"
            yield f"gap where {skill:g} is right, {kind} (bases): {'; '.join(cells)}"


def loop_lines(data: dict[str, xr.Dataset]) -> Iterator[str]:
    """A loop's own gap, and how often it is right, in the first and the last round; what it has
    learned; and how much two runs of a base differ.
    """
    yield f"loops, {data['oracle'].sizes['seed']} bases"
    for part in (*LOOPS, "fresh", FAST):
        for start in (NEAR, FAR):
            for step in (FIXED, MOVING) if "step" in data[part].dims else (FIXED,):
                run = of(data[part], start, step)
                change = (
                    f"{shown(x.sel(round=FIRST))} -> {shown(x.isel(round=-1))}"
                    for x in (run.gap.sel(judge="own"), run.sampled_accuracy)
                )
                where = f"{part}, from {run.start.item()} digits, {WHERE[step]}"
                yield f"{where}: own gap, right: {'; '.join(change)}"
        if part in ("oracle", "majority", FAST):
            yield f"pass@k, {part}: {found_line(data[part])}"
    runs = [vote_gap(of(data[part], FAR)).isel(round=-1) for part in ("majority", "again")]
    both = np.stack([x.values for x in xr.align(*runs, join="inner")], axis=1)
    yield f"vote's gap in the last round, fixed prompts: {beside.spread_text(both)}"


def found_line(dataset: xr.Dataset) -> str:
    before, after = passed(dataset)
    cells = [f"{k}: {shown((after - before).sel(k=k))}" for k in before.k.values]
    return f"last less first, the longer fixed prompts: {', '.join(cells)}"


def control_lines(data: dict[str, xr.Dataset]) -> Iterator[str]:
    """What the controls of the vote came to, and how far the loop is from them."""
    for role, control in controls_of(data).items():
        for start in (NEAR, FAR):
            for step, where in WHERE.items():
                loop, run = (of(x, start, step) for x in (data["majority"], control))
                gap, by_loop = vote_gap(run, role), vote_gap(loop)
                cells = [
                    f"vote's gap {shown(gap.sel(round=FIRST))} -> {shown(gap.isel(round=-1))}",
                    f"loop's less its {paired_text(by_loop, gap)}",
                    f"reach {shown(reached(run).isel(round=-1))}",
                    f"loop's less its {paired_text(reached(loop), reached(run))}",
                ]
                digits = control.start.values[start]
                yield f"{role} of the vote, from {digits} digits, {where}: {'; '.join(cells)}"
        yield f"pass@k of the {role}: {found_line(control)}"


def paired_text(loop: xr.DataArray, control: xr.DataArray) -> str:
    """How far loop and control are apart in the last round, base by base."""
    return text(intervals.paired(*(x.isel(round=-1, drop=True) for x in (loop, control))))
