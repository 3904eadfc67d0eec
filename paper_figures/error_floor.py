"""What is known of where self-training comes to rest: numbers for the figures, and words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import xarray as xr

from avax.analysis import intervals, lengths

WIDTHS, FNRS = (16, 32, 48), (0.5, 0.8)
PARTS = (
    *(f"width_{width}" for width in WIDTHS),
    *(f"fnr_{fnr:g}" for fnr in FNRS),
    *(f"labels_{width}" for width in WIDTHS),
)
MIDDLE, END = "middle", "end"  # thirds of the rounds at which errors are read
FPRS = (0.1, 0.3)  # at which floors are compared
FLOOR, SIZE = "FPR 0.1 less FPR 0", "width 16 less width 48"
SELECTIVITY, RATIO = "less FNR 0, at FPR 0", "less FNR 0, at equal FPR / (1 - FNR)"
DRIFT, NO_FILTER = "change over these rounds, FPR 0.01 to 0.3", "no filter less untouched base"
LABELS = "FPR 0 less true labels"
Effects = dict[str, dict[str, np.ndarray]]  # f[S] by heading and name


class Findings(NamedTuple):
    """Errors in the middle and in the end, dimensions fpr (or ratio) and seed."""

    widths: dict[int, dict[str, xr.DataArray]]  # by width and third
    fnrs: dict[float, dict[str, xr.DataArray]]  # of `fnr_width`, FNR 0 included
    fnr_width: int
    labels: dict[int, xr.DataArray]  # in the end
    drifts: dict[int, dict[str, xr.DataArray]]  # change of the error over a third, by width
    bases: dict[int, xr.DataArray]  # error of the untouched base on the same lengths


def config_of(dataset: xr.Dataset) -> tuple[int, float]:
    """Width and FNR of a part."""
    config = dataset.attrs["config"]
    return config["pretraining"]["model"]["width"], config["base"]["verifier"]["fnr"]


def error_of(dataset: xr.Dataset) -> xr.DataArray:
    """Greedy error on the whole range, by ratio FPR / (1 - FNR), seed and round."""
    return by_ratio(1 - dataset.accuracy, dataset)


def by_ratio(values: xr.DataArray, dataset: xr.Dataset) -> xr.DataArray:
    """Values by FPR, seed and maybe round, by FPR / (1 - FNR) instead of FPR."""
    values = values.rename(fpr="ratio").transpose("ratio", "seed", ...)
    return values.assign_coords(
        ratio=np.round(values.ratio.values / (1 - config_of(dataset)[1]), 6)
    )


def unless_diverged(values: xr.DataArray, dataset: xr.Dataset) -> xr.DataArray:
    """What runs came to, by ratio and seed; NaN if they diverged, as their coordinate says."""
    diverged = by_ratio(dataset.diverged.isel(round=-1, drop=True) == 1, dataset)
    return values.where(~diverged).assign_coords(diverged=diverged)


def third(values: xr.DataArray, name: str = END) -> xr.DataArray:
    """The last third of the rounds, or that before it."""
    size = max(2, values.sizes["round"] // 3)
    end = values.sizes["round"] - (0 if name == END else size)
    return values.isel(round=slice(max(0, end - size), end))


def floor_of(dataset: xr.Dataset, name: str = END) -> xr.DataArray:
    """Error, the mean over a third of the rounds, by ratio and seed."""
    return unless_diverged(third(error_of(dataset), name).mean("round"), dataset)


def drift_of(dataset: xr.Dataset, name: str = END) -> xr.DataArray:
    """How much the error rises over a third of the rounds, along the line through it."""
    end = third(error_of(dataset), name)
    slope = end.polyfit("round", 1).polyfit_coefficients.sel(degree=1, drop=True)
    return unless_diverged(slope * float(end["round"][-1] - end["round"][0]), dataset)


def base_error(dataset: xr.Dataset) -> xr.DataArray:
    """Error of the untouched base on the same lengths, by seed: that of round 0, which all settings
    measure on problems of their own.
    """
    return error_of(dataset).isel(round=0, drop=True).mean("ratio")


def analyse(*datasets: xr.Dataset) -> Findings:
    """Errors in the end and what else is drawn, of the parts in their order."""
    named = dict(zip(PARTS, datasets, strict=True))
    widths = {config_of(named[f"width_{w}"])[0]: named[f"width_{w}"] for w in WIDTHS}
    fnrs = [named[f"fnr_{fnr:g}"] for fnr in FNRS]
    fnr_width = config_of(fnrs[0])[0]
    both = (MIDDLE, END)
    return Findings(
        {w: {name: floor_of(x, name) for name in both} for w, x in widths.items()},
        {
            config_of(x)[1]: {name: floor_of(x, name) for name in both}
            for x in (widths[fnr_width], *fnrs)
        },
        fnr_width,
        {w: floor_of(named[f"labels_{w}"]).isel(ratio=0, drop=True) for w in WIDTHS},
        {w: {name: drift_of(x, name) for name in both} for w, x in widths.items()},
        {w: base_error(x) for w, x in widths.items()},
    )


def effects(*datasets: xr.Dataset) -> Effects:
    """All that is compared, f[S] by what is compared and where; settings that were not run are left
    out. All are differences between shares of wrong answers.
    """
    found = analyse(*datasets)
    compared: Effects = {}
    for heading, name, values in differences(found):
        compared.setdefault(heading, {})[name] = np.asarray(values, float)
    for name, values in lost_of(datasets[: len(WIDTHS)]):
        compared.setdefault(NO_FILTER, {})[name] = values
    for width, labels in found.labels.items():
        floors = found.widths[width][END]
        if 0 in floors.ratio:
            more = floors.sel(ratio=0) - labels  # of the seeds that both have
            compared.setdefault(LABELS, {})[f"width {width}"] = more.values
    return compared


def differences(found: Findings) -> Iterator[tuple[str, str, xr.DataArray]]:
    """Heading, name and differences between floors by seed, in both thirds of the rounds."""
    small, *_, large = found.widths
    for name in (MIDDLE, END):
        for width, each in found.widths.items():
            floors, drifts = each[name], found.drifts[width][name]
            if {0.0, FPRS[0]} <= set(floors.ratio.values):
                more = floors.sel(ratio=FPRS[0]) - floors.sel(ratio=0)
                yield FLOOR, f"width {width}, {name}", more
            between = drifts.sel(ratio=(drifts.ratio > 0) & (drifts.ratio < 1))
            if between.size:
                yield DRIFT, f"width {width}, {name}", between.mean("ratio", skipna=False)
        apart = found.widths[small][name] - found.widths[large][name]
        for fpr in (x for x in (0.0, *FPRS) if x in apart.ratio):
            yield SIZE, f"FPR {fpr:g}, {name}", apart.sel(ratio=fpr)
        for fnr in (x for x in found.fnrs if x):
            apart = found.fnrs[fnr][name] - found.fnrs[0.0][name]
            if 0 in apart.ratio:
                yield SELECTIVITY, f"FNR {fnr:g}, {name}", apart.sel(ratio=0)
            if (apart.ratio > 0).any():
                positive = apart.sel(ratio=apart.ratio > 0).mean("ratio", skipna=False)
                yield RATIO, f"FNR {fnr:g}, {name}", positive


def lost_of(datasets: tuple[xr.Dataset, ...]) -> Iterator[tuple[str, np.ndarray]]:
    """What no filter (FPR 1) adds to the base's error at lengths it knows, and at longer ones:
    f[S], each the mean over the widths, as a unit of one base of each.
    """
    if any(1 not in x.fpr or "accuracy_by_difficulty" not in x for x in datasets):
        return
    for words, is_known in (("known lengths", True), ("longer ones", False)):
        for name in (MIDDLE, END):
            each = []
            for dataset in datasets:
                longest = lengths.base_length(dataset)
                error = 1 - accuracy(dataset.sel(fpr=[1.0]), longest, is_known)
                error = by_ratio(error, dataset)
                more = third(error, name).mean("round") - error.isel(round=0)
                each.append(unless_diverged(more, dataset.sel(fpr=[1.0])).values[0])
            yield f"{words}, {name}", np.mean(each, axis=0)


def accuracy(dataset: xr.Dataset, longest: int, is_known: bool) -> xr.DataArray:
    """Greedy accuracy, mean over the lengths up to `longest` or over those beyond."""
    if is_known:
        return lengths.retention(dataset, longest)
    return lengths.reach(dataset, longest) / max(1, dataset.sizes["difficulty"] - longest)


def variance_shares(floors: np.ndarray) -> np.ndarray:
    """Shares of the variance of floors [W, F, S]: FPR, width, both together, and seeds."""
    cells, total = floors.mean(-1), floors.var()
    by_fpr, by_width = cells.mean(0).var(), cells.mean(1).var()
    parts = [by_fpr, by_width, cells.var() - by_fpr - by_width, total - cells.var()]
    return np.array(parts) / (total if total > 0 else np.nan)


def summary(*datasets: xr.Dataset) -> str:
    """Floors by width and FPR, all comparisons, and what explains the error in the end."""
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
