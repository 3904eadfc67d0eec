"""What the comparison of patterns of errors found: numbers for the figure, and words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from avax.analysis import intervals, patterns, phase
from paper_figures import beside

KINDS = ("dropped_carry", "near_miss", "long")
SPOILT = ("digit", "uniform", "drop", "perturb")
SHAM = "control/sham"
SHUFFLES = {arm: f"control/{arm}_recipient_shuffle" for arm in (*KINDS, "hashed_recurring")}
PARTS = (
    *("independent", "hashed", *KINDS),
    *("independent_recurring", "hashed_recurring"),
    *("reject_at_random", "reject_long_carry"),
    *(f"labels_{pattern}" for pattern in SPOILT),
    "twice",
    *(SHAM, *SHUFFLES.values()),
)
NAMES = {
    "independent": "independent",
    "hashed": "hashed: the same each time",
    "dropped_carry": "blind to dropped carries",
    "near_miss": "blind to near misses (one digit)",
    "long": "blind to answers that are too long",
}


def named(datasets: Sequence[xr.Dataset | None]) -> dict[str, xr.Dataset]:
    """The parts by name, without the controls that there are not; the rate of errors is `fpr` in
    all, and that of spoilt labels `rate`.
    """
    axes = {kind: "fpr" for kind in KINDS} | {f"{pattern}_rate": "rate" for pattern in SPOILT}
    return {
        name: phase.until_diverged(data).rename(
            {old: new for old, new in axes.items() if old in data.dims}
        )
        for name, data in zip(PARTS, datasets, strict=False)
        if data is not None
    }


def arms_of(data: dict[str, xr.Dataset]) -> dict[str, patterns.Arm]:
    """The arms; runs without errors are those of three parts, which are the same experiment. What
    two parts have of one run, as it has one key, counts once.
    """
    spoilt = phase.order_parameter(data["labels_digit"]).sel(rate=0.0)
    plain = [phase.order_parameter(data[n]).sel(fpr=0.0) for n in ("independent", "hashed")]
    clean = [*plain, *(spoilt.isel({"label_noise.round": i}) for i in range(len(spoilt)))]
    clean = different([x.reset_coords(drop=True) for x in clean])
    return patterns.arms({name: data[name] for name in NAMES}, xr.concat(clean, "run"))


def different(runs: Sequence[xr.DataArray]) -> list[xr.DataArray]:
    """The arrays without those that equal an earlier one in every bit."""
    found: list[xr.DataArray] = []
    for each in runs:
        if not any(np.array_equal(each.values, x.values, equal_nan=True) for x in found):
            found.append(each)
    return found


def gained(dataset: xr.Dataset) -> str:
    return "digits gained a round" if phase.is_frontier(dataset) else "accuracy gained"


def differences(arms, data) -> dict[str, np.ndarray]:
    """f[S] for each comparison: gain minus that with independent errors at equal rate."""
    independent = arms["independent"]
    found = {
        (name, rate): patterns.difference(arm, independent, getattr(arm, rate))
        for name, arm in arms.items()
        for rate in ("base_fpr", "run_fpr")
        if name != "independent"
    }
    gains = [phase.order_parameter(data[f"{n}_recurring"]) for n in ("hashed", "independent")]
    recurring = (gains[0] - gains[1]).sel(fpr=gains[0].fpr > 0).mean("fpr", skipna=False)
    return found | {("recurring", "base_fpr"): recurring.values}


def structure(data) -> dict[str, np.ndarray]:
    """f[S] by arm: what it gains more than where as many false accepts go to random wrong answers,
    mean over settings; of the arms whose recipient shuffle was run.

    Of hashed errors it is over FPRs below 1, where all is accepted either way.
    """
    found = {}
    for arm, shuffle in SHUFFLES.items():
        if shuffle in data:
            more = phase.order_parameter(data[arm]) - phase.order_parameter(data[shuffle])
            matters = (more.fpr > 0) & ((more.fpr < 1) | (arm in KINDS))
            found[arm] = more.sel(fpr=matters).mean("fpr", skipna=False).values
    return found


def own_share(dataset: xr.Dataset, kind: str, fpr: float) -> tuple[xr.DataArray, xr.DataArray]:
    """Share of a kind among the mistakes by seed and round, and the share of mistakes."""
    chosen = dataset.sel(fpr=fpr, mistake=kind).isel(round=slice(1, None))
    return chosen.mistake_share, 1 - chosen.sampled_accuracy


def excess(data, pattern: str) -> xr.DataArray:
    clean = data["labels_digit"].sel(rate=0.0)
    dataset = data[f"labels_{pattern}"]
    return patterns.excess_error(dataset.sel(rate=dataset.rate > 0), clean)


def excess_lost(data, pattern: str) -> xr.DataArray:
    """Where a seed's `excess` is not known because one of the runs that it compares diverged."""
    clean = data["labels_digit"].sel(rate=0.0).diverged.max("label_noise.round")
    dataset = data[f"labels_{pattern}"]
    return patterns.by_since(dataset.sel(rate=dataset.rate > 0).diverged + clean) > 0


def bred(data, kind: str, is_shuffled: bool = False) -> np.ndarray | None:
    """f[S]: share of a kind among the mistakes of the last 5 rounds where the verifier is blind to
    it, minus that with a perfect verifier; or, None if that was not run, with a recipient shuffle.
    """
    if is_shuffled and SHUFFLES[kind] not in data:
        return None
    rate = data[kind].fpr.values[-1]
    other = (data[SHUFFLES[kind]], rate) if is_shuffled else (data["independent"], 0.0)
    pairs = (data[kind], rate), other
    last = (x.isel(round=slice(-5, None)) for d, r in pairs for x in own_share(d, kind, r))
    own, count, other, other_count = last
    found = patterns.pooled(own, count, "round") - patterns.pooled(other, other_count, "round")
    return found.values


def summary(*datasets: xr.Dataset | None) -> str:
    """Every comparison in numbers, with 95 % t intervals over bases."""
    data = named(datasets)
    arms = arms_of(data)
    shares = patterns.base_shares([data[name] for name in NAMES])
    lines = ["share of each kind among the base's mistakes, by seed:"]
    for kind in shares.mistake.values.tolist():
        lines.append(f"  {kind}: {listed(shares.sel(mistake=kind).values)}")
    lines.append("FPR on the base's mistakes from which on nothing is gained, by seed (inf: none):")
    for name, arm in arms.items():
        values = patterns.boundaries(arm)
        middle = patterns.boundary(arm).value
        reached = listed(arm.base_fpr.values[-1])
        lines.append(
            f"  {name}: {listed(values)}; geometric mean {middle:.3g}; FPR reached {reached}"
        )
    where = {"base_fpr": "on the base's mistakes", "run_fpr": "over the run"}
    lines.append(f"{gained(data['independent'])} minus that with independent errors:")
    for (name, rate), values in differences(arms, data).items():
        lines.append(f"  {name}, equal FPR {where[rate]}: {shown(values)}; {listed(values)}")
    lines.append(
        "share of a kind in the last 5 rounds: blind to it (FPR 1), minus perfect verifier:"
    )
    for kind in KINDS:
        lines.append(f"  {kind}: {shown(bred(data, kind))}")
    return "\n".join([*lines, *control_lines(data), *rejections(data), *label_lines(data)])


def control_lines(data) -> list[str]:
    """What the sham gained, and what blind verifiers do beyond their recipient shuffles; nothing of
    controls that were not run.
    """
    lines = []
    if SHAM in data:
        gain = shown(phase.order_parameter(data[SHAM]).values)
        lines.append(f"{gained(data[SHAM])} by the sham (untouched base: 0): {gain}")
    if found := structure(data):
        lines.append(f"{gained(data['independent'])} minus that with its recipient shuffle:")
        lines += [f"  {arm}: {shown(values)}; {listed(values)}" for arm, values in found.items()]
    kinds = [kind for kind in KINDS if kind in found]
    if kinds:
        lines.append("share of a kind in the last 5 rounds: blind to it, minus recipient shuffle:")
        lines += [f"  {kind}: {shown(bred(data, kind, is_shuffled=True))}" for kind in kinds]
    return lines


def rejections(data) -> list[str]:
    """Selective minus random rejection at equal FNR on the base's right answers."""
    lines = ["gain with rejected long carries minus that with random rejection, at equal FNR:"]
    selective = data["reject_long_carry"]
    found = patterns.selective_difference(selective, data["reject_at_random"])
    measured = patterns.measured_fnr(selective).mean("seed")
    for fpr in found.fpr.values:
        for fnr in found.fnr.values:
            values = found.sel(fpr=fpr, fnr=fnr).values
            at = measured.sel(fnr=fnr).item()
            lines.append(f"  FPR {fpr:g}, nominal FNR {fnr:g} ({at:.2g}): {shown(values)}")
    twice = phase.order_parameter(data["twice"]).isel(fnr=-1).transpose("fpr", "seed", "replicate")
    for fpr, values in zip(twice.fpr.values, twice.values, strict=True):
        if told := beside.spread_text(values):
            lines.append(f"  run twice, FPR {fpr:g}: {told}")
    return lines


def label_lines(data) -> list[str]:
    """Excess error right after the injection and three rounds later, or at the end."""
    lines = ["excess error right after labels were spoilt, and three rounds later:"]
    for pattern in SPOILT:
        lost = excess(data, pattern)
        for rate in lost.rate.values:
            cells = []
            for start in lost["label_noise.round"].values:
                one = lost.sel({"rate": rate, "label_noise.round": start})
                one = one.isel(since=slice(data["labels_digit"].sizes["round"] - start))
                later = one.isel(since=min(3, one.sizes["since"] - 1))
                cells.append(
                    f"round {start}: {shown(one.isel(since=0).values)}, {shown(later.values)}"
                )
            lines.append(f"  {pattern}, rate {rate:g}: " + "; ".join(cells))
            first = lost.sel(rate=rate).isel(since=0).transpose("label_noise.round", "seed").values
            lines.append(
                f"    right after, last round of them minus first: {shown(first[-1] - first[0])}"
            )
    return lines


def shown(values: np.ndarray) -> str:
    mean, low, high, _ = intervals.mean(values)
    return f"{mean:+.3f} ({low:+.3f} to {high:+.3f})"


def listed(values: np.ndarray) -> str:
    return " ".join(f"{x:.3g}" for x in np.where(np.isnan(values), np.inf, values))
