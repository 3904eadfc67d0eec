"""What is known of where self-training comes to rest: numbers for the figures, and words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr

SIZES = {  # in words, by part
    "width_16": "width 16",
    "width_24": "width 24",
    "width_40": "width 40",
    "layers_4": "4 layers",  # of width 16; the others have 2
}
FAST = {"rate_3e-3": "width 24, rate 3e-3"}
LINES = SIZES | FAST
CENTRE, FASTER = SIZES["width_24"], *FAST.values()  # which have controls
BESIDE = {  # of width 24, at equal FPR / (1 - FNR)
    "width_24": "FNR 0",
    "fnr_0.5": "FNR 0.5",
    "problems_64": "64 problems",
}
FROZEN, SHAM = "frozen generator", "sham"
CONTROLS = {  # by line and the role that they have in figures
    (CENTRE, FROZEN): "control/frozen_generator",
    (CENTRE, SHAM): "control/sham",
    (FASTER, FROZEN): "control/rate_3e-3_frozen_generator",
    (FASTER, SHAM): "control/rate_3e-3_sham",
}
PARTS = (
    *LINES,
    *("fnr_0.5", "problems_64", "again"),
    *(f"labels_{size}" for size in SIZES),
    *CONTROLS.values(),
)
MIDDLE, END = THIRDS = ("middle", "end")  # thirds of the rounds at which errors are read
FPRS = (0.1, 0.3)  # at which floors are compared
FLOOR = "less FPR 0"
SIZE, DEPTH, LAYERS = "width 16 less width 40", "width 16 less 4 layers", "4 layers less width 24"
FNR, RATIO = "FNR 0.5 less 64 problems", "FNR 0.5 less FNR 0, at equal FPR / (1 - FNR)"
DRIFT, RISE = "change over these rounds", "rise from the lowest, less FPR 0's"
LABELS = "FPR 0 less true labels"
BEYOND = {role: f"loop less {role}" for role in (FROZEN, SHAM)}
Effects = dict[str, dict[str, np.ndarray]]  # f[S] by heading and name


class Findings(NamedTuple):
    """Errors in the middle and in the end, dimensions fpr (or ratio) and seed."""

    lines: dict[str, dict[str, xr.DataArray]]  # by line and third
    beside: dict[str, dict[str, xr.DataArray]]  # of the size in the centre, with others beside it
    labels: dict[str, xr.DataArray]  # in the end, by size
    drifts: dict[str, dict[str, xr.DataArray]]  # change of the error over a third, by line
    rises: dict[str, xr.DataArray]  # from the lowest earlier error to the end, by line
    bases: dict[str, xr.DataArray]  # error of the untouched base on the same lengths
    controls: dict[tuple[str, str], dict[str, xr.DataArray]]  # that were run; by third


def named(datasets: Sequence[xr.Dataset | None]) -> dict[str, xr.Dataset]:
    """The parts by name, without the controls that there are not."""
    found = dict(zip(PARTS, datasets, strict=False))
    return {name: data for name, data in found.items() if data is not None}


def controls_of(parts: dict[str, xr.Dataset]) -> dict[tuple[str, str], xr.Dataset]:
    """The controls that there are, by line and role."""
    return {of: parts[part] for of, part in CONTROLS.items() if part in parts}


def fnr_of(dataset: xr.Dataset) -> float:
    """FNR of a part; of what accepts everything 0."""
    return dataset.attrs["config"]["base"]["verifier"].get("fnr", 0.0)


def error_of(dataset: xr.Dataset) -> xr.DataArray:
    """Greedy error on the whole range, by ratio FPR / (1 - FNR), seed and round."""
    return by_ratio(1 - dataset.accuracy, dataset)


def by_ratio(values: xr.DataArray, dataset: xr.Dataset) -> xr.DataArray:
    """Values by FPR, seed and maybe round, by FPR / (1 - FNR) instead of FPR."""
    values = values.rename(fpr="ratio").transpose("ratio", "seed", ...)
    return values.assign_coords(ratio=np.round(values.ratio.values / (1 - fnr_of(dataset)), 6))


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


def rise_of(dataset: xr.Dataset) -> xr.DataArray:
    """How far the error in the end lies above the lowest that it was before, by ratio and seed:
    means over a third of the rounds, of which the earlier ones may begin in any round.
    """
    error, size = error_of(dataset), third(dataset["round"]).size
    means = error.isel(round=slice(1, None)).rolling(round=size).mean()
    return unless_diverged(means.isel(round=-1) - means.min("round"), dataset)


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
    lines = {words: parts[part] for part, words in LINES.items()}
    controls = controls_of(parts)
    return Findings(
        {line: in_thirds(floor_of, x) for line, x in lines.items()},
        {words: in_thirds(floor_of, parts[part]) for part, words in BESIDE.items()},
        {w: floor_of(parts[f"labels_{p}"]).isel(ratio=0, drop=True) for p, w in SIZES.items()},
        {line: in_thirds(drift_of, x) for line, x in lines.items()},
        {line: rise_of(x) for line, x in lines.items()},
        {line: base_error(x) for line, x in lines.items()},
        {of: in_thirds(floor_of, x) for of, x in controls.items()},
    )


def effects(*datasets: xr.Dataset | None) -> Effects:
    """All that is compared, f[S] by what is compared and where; settings that were not run are left
    out. All are differences between shares of wrong answers.
    """
    found = analyse(*datasets)
    compared: Effects = {}
    for heading, name, values in (
        *(x for when in THIRDS for x in between_lines(found, when)),
        *(x for when in THIRDS for x in from_controls(found, when)),
        *in_the_end(found),
    ):
        compared.setdefault(heading, {})[name] = np.asarray(values, float)
    return compared


Compared = Iterator[tuple[str, str, xr.DataArray]]  # heading, name, differences by seed


def between_lines(found: Findings, when: str) -> Compared:
    """How errors depend on the FPR, change, and depend on the size and on what else was varied."""
    for line, each in found.lines.items():
        for fpr in (x for x in FPRS if {0.0, x} <= set(each[when].ratio.values)):
            more = each[when].sel(ratio=fpr) - each[when].sel(ratio=0)
            yield FLOOR, f"{line}, FPR {fpr:g}, {when}", more
            yield DRIFT, f"{line}, FPR {fpr:g}, {when}", found.drifts[line][when].sel(ratio=fpr)
    for heading, lines, one, other in (
        (SIZE, found.lines, "width 16", "width 40"),
        (DEPTH, found.lines, "width 16", "4 layers"),
        (LAYERS, found.lines, "4 layers", CENTRE),
        (FNR, found.beside, "FNR 0.5", "64 problems"),
        (RATIO, found.beside, "FNR 0.5", "FNR 0"),
    ):
        apart = lines[one][when] - lines[other][when]
        for fpr in (x for x in (0.0, *FPRS) if x in apart.ratio):
            yield heading, f"FPR {fpr:g}, {when}", apart.sel(ratio=fpr)


def from_controls(found: Findings, when: str) -> Compared:
    """Differences from the controls that were run, base by base."""
    for (line, role), control in found.controls.items():
        loop, floors = found.lines[line][when], control[when]
        for fpr in (x for x in (0.0, *FPRS, 1.0) if x in loop.ratio):
            other = floors.sel(ratio=fpr) if "ratio" in floors.dims else floors
            yield BEYOND[role], f"{line}, FPR {fpr:g}, {when}", loop.sel(ratio=fpr) - other


def in_the_end(found: Findings) -> Compared:
    """What errors rose again behind verifiers that err, and what true labels would have left."""
    for line, rises in found.rises.items():
        for fpr in (x for x in FPRS if {0.0, x} <= set(rises.ratio.values)):
            yield RISE, f"{line}, FPR {fpr:g}", rises.sel(ratio=fpr) - rises.sel(ratio=0)
    for size, labels in found.labels.items():
        floors = found.lines[size][END]
        if 0 in floors.ratio:
            yield LABELS, size, floors.sel(ratio=0) - labels  # of the seeds that both have


def worse(found: Findings, line: str) -> xr.DataArray:
    """Share of the bases that end with more errors than they began with, by ratio."""
    floors, base = found.lines[line][END], found.bases[line]
    return (floors > base).where(np.isfinite(floors)).mean("seed")


def variance_shares(floors: np.ndarray) -> np.ndarray:
    """Shares of the variance of floors [W, F, S]: FPR, size, both together, and seeds; of the seeds
    that all have.
    """
    floors = floors[..., np.isfinite(floors).all((0, 1))]
    cells, total = floors.mean(-1), floors.var()
    by_fpr, by_width = cells.mean(0).var(), cells.mean(1).var()
    parts = [by_fpr, by_width, cells.var() - by_fpr - by_width, total - cells.var()]
    return np.array(parts) / (total if total > 0 else np.nan)
