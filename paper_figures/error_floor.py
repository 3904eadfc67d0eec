"""What is known of where self-training comes to rest: numbers for the figures, and words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr

from avax.analysis import lengths

WIDTHS, FNRS = (16, 32, 48), (0.5, 0.8)
CONTROLS = {  # of the width that ran at several FNRs, by the roles that they have in figures
    "frozen generator": "control/frozen_generator",
    "sham": "control/sham",
}
PARTS = (
    *(f"width_{width}" for width in WIDTHS),
    *(f"fnr_{fnr:g}" for fnr in FNRS),
    *(f"labels_{width}" for width in WIDTHS),
    *CONTROLS.values(),
)
MIDDLE, END = "middle", "end"  # thirds of the rounds at which errors are read
FPRS = (0.1, 0.3)  # at which floors are compared
FLOOR, SIZE = "FPR 0.1 less FPR 0", "width 16 less width 48"
SELECTIVITY, RATIO = "less FNR 0, at FPR 0", "less FNR 0, at equal FPR / (1 - FNR)"
DRIFT, NO_FILTER = "change over these rounds, FPR 0.01 to 0.3", "no filter less untouched base"
LABELS = "FPR 0 less true labels"
BEYOND = {role: f"loop less {role}" for role in CONTROLS}
DRIFT_BEYOND = "change over these rounds, less the sham's"
Effects = dict[str, dict[str, np.ndarray]]  # f[S] by heading and name


class Findings(NamedTuple):
    """Errors in the middle and in the end, dimensions fpr (or ratio) and seed."""

    widths: dict[int, dict[str, xr.DataArray]]  # by width and third
    fnrs: dict[float, dict[str, xr.DataArray]]  # of `fnr_width`, FNR 0 included
    fnr_width: int
    labels: dict[int, xr.DataArray]  # in the end
    drifts: dict[int, dict[str, xr.DataArray]]  # change of the error over a third, by width
    bases: dict[int, xr.DataArray]  # error of the untouched base on the same lengths
    controls: dict[str, dict[str, xr.DataArray]]  # of those that were run, by role and third
    sham_drifts: dict[str, xr.DataArray]  # by third; nothing without a sham


def named(datasets: Sequence[xr.Dataset | None]) -> dict[str, xr.Dataset]:
    """The parts by name, without the controls that there are not."""
    found = dict(zip(PARTS, datasets, strict=False))
    return {name: data for name, data in found.items() if data is not None}


def controls_of(parts: dict[str, xr.Dataset]) -> dict[str, xr.Dataset]:
    """The controls that there are, by role."""
    return {role: parts[part] for role, part in CONTROLS.items() if part in parts}


def config_of(dataset: xr.Dataset) -> tuple[int, float]:
    """Width and FNR of a part; of what accepts everything 0."""
    config = dataset.attrs["config"]
    return config["pretraining"]["model"]["width"], config["base"]["verifier"].get("fnr", 0.0)


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


def in_thirds(measure: Callable, dataset: xr.Dataset) -> dict[str, xr.DataArray]:
    """A measure in both thirds of the rounds, by ratio and seed; of what has no FPR by seed."""
    if "fpr" in dataset.dims:
        return {name: measure(dataset, name) for name in (MIDDLE, END)}
    alone = dataset.expand_dims(fpr=[0.0])
    return {n: x.isel(ratio=0, drop=True) for n, x in in_thirds(measure, alone).items()}


def analyse(*datasets: xr.Dataset | None) -> Findings:
    """Errors in the end and what else is drawn, of the parts in their order; None for a control
    that was not run.
    """
    parts = named(datasets)
    widths = {config_of(parts[f"width_{w}"])[0]: parts[f"width_{w}"] for w in WIDTHS}
    fnrs = [parts[f"fnr_{fnr:g}"] for fnr in FNRS]
    controls = controls_of(parts)
    fnr_width = config_of(fnrs[0])[0]
    return Findings(
        {w: in_thirds(floor_of, x) for w, x in widths.items()},
        {config_of(x)[1]: in_thirds(floor_of, x) for x in (widths[fnr_width], *fnrs)},
        fnr_width,
        {w: floor_of(parts[f"labels_{w}"]).isel(ratio=0, drop=True) for w in WIDTHS},
        {w: in_thirds(drift_of, x) for w, x in widths.items()},
        {w: base_error(x) for w, x in widths.items()},
        {role: in_thirds(floor_of, x) for role, x in controls.items()},
        in_thirds(drift_of, controls["sham"]) if "sham" in controls else {},
    )


def effects(*datasets: xr.Dataset | None) -> Effects:
    """All that is compared, f[S] by what is compared and where; settings that were not run are left
    out. All are differences between shares of wrong answers.
    """
    found = analyse(*datasets)
    compared: Effects = {}
    for heading, name, values in (*differences(found), *from_controls(found)):
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
            if (between := over_imperfect(drifts)) is not None:
                yield DRIFT, f"width {width}, {name}", between
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


def over_imperfect(drifts: xr.DataArray) -> xr.DataArray | None:
    """The mean over verifiers that err and are no mere pass, by seed; None if none were run."""
    between = drifts.sel(ratio=(drifts.ratio > 0) & (drifts.ratio < 1))
    return between.mean("ratio", skipna=False) if between.size else None


def from_controls(found: Findings) -> Iterator[tuple[str, str, xr.DataArray]]:
    """The same of differences from the controls that were run, base by base, at both ends of the
    line that they are of.
    """
    for name in (MIDDLE, END):
        loop = found.widths[found.fnr_width][name]
        for role, control in found.controls.items():
            for fpr in (x for x in (0.0, 1.0) if x in loop.ratio):
                floors = control[name]
                other = floors.sel(ratio=fpr) if "ratio" in floors.dims else floors
                yield (
                    BEYOND[role],
                    f"width {found.fnr_width}, FPR {fpr:g}, {name}",
                    loop.sel(ratio=fpr) - other,
                )
        drift = over_imperfect(found.drifts[found.fnr_width][name])
        if name in found.sham_drifts and drift is not None:
            more = drift - found.sham_drifts[name]
            yield DRIFT_BEYOND, f"width {found.fnr_width}, {name}", more


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
