"""The phase diagram: an order parameter and the boundary between gain and loss."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr

from avax.analysis import censored, monotone, surface
from avax.analysis.intervals import Estimate


class Boundary(NamedTuple):
    """Where the order parameter falls to its critical level, for each FNR, and one ratio for all.

    0 stands for "below the lowest FPR above 0 that was run", inf for "beyond the highest": of a
    boundary, or of an end of an interval. NaN is what nothing tells, as an interval from one base.
    """

    fnr: np.ndarray  # f[F]
    fpr: np.ndarray  # f[F], geometric mean over bases
    low: np.ndarray  # f[F], 95 % interval over bases
    high: np.ndarray  # f[F]
    ratio: Estimate  # FPR / (1 - FNR)
    by_base: np.ndarray  # f[F, S], of each base alone; NaN where it was not run


def is_frontier(dataset: xr.Dataset) -> bool:
    """Whether the run posed ever harder problems rather than a fixed range."""
    return dataset.attrs["config"]["base"]["curriculum"]["type"] != "Fixed"


def solved_length(dataset: xr.Dataset) -> xr.DataArray:
    """Digits solved: greedy accuracy summed over difficulties, by run and round.

    A policy that is perfect up to n digits and fails beyond has n.
    """
    return dataset.accuracy_by_difficulty.sum("difficulty", skipna=False)


def progress(dataset: xr.Dataset) -> xr.DataArray:
    """How far self-training has come, by run and round: the solved length in digits on a frontier,
    the accuracy on a fixed range.
    """
    return solved_length(dataset) if is_frontier(dataset) else dataset.accuracy


def until_diverged(dataset: xr.Dataset) -> xr.Dataset:
    """The same runs, NaN in every metric from the round on in which a run diverged: its policy
    still has an accuracy, of answers that mean nothing.
    """
    known = dataset.diverged != 1
    if known.all():
        return dataset
    by_round = {n: x for n, x in dataset.items() if "round" in x.dims and n != "diverged"}
    return dataset.assign({n: x.where(known) for n, x in by_round.items()})


def gain(dataset: xr.Dataset) -> xr.DataArray:
    """Progress since the base, by run and round: -inf from the round on in which a run diverged,
    NaN for a run that was not done.
    """
    return since_base(progress(dataset), dataset)


def since_base(reached: xr.DataArray, dataset: xr.Dataset) -> xr.DataArray:
    """`gain` of what runs have reached, by any measure."""
    gained = reached - reached.isel(round=0)
    diverged = dataset.diverged
    return gained.where(diverged == 0).fillna(-np.inf).where(diverged.notnull())


def order_parameter(dataset: xr.Dataset) -> xr.DataArray:
    """What self-training gained, by run: above 0 it is better than its base, below 0 worse.

    On a frontier: solved length after the last round minus the base's, in digits per round. On a
    fixed range: accuracy after the last round minus the base's. -inf for a run that diverged, NaN
    for one that was not done.
    """
    gained = gain(dataset).isel(round=-1)
    return gained / (dataset.sizes["round"] - 1) if is_frontier(dataset) else gained


def measured(order: xr.DataArray) -> xr.DataArray:
    """Which settings were run, with some seeds: those that the design has, and whose bases were
    admitted.
    """
    return order.notnull().any("seed")


def boundary(
    order: xr.DataArray, level: float = 0.0, reference: xr.DataArray | None = None
) -> Boundary:
    """The boundary FPR of each FNR and the boundary ratio FPR / (1 - FNR), means over bases.

    Each base's boundary is where the monotone fit of its gain falls to the level: along the FPRs of
    one FNR, or over all its settings ordered by their ratio. Boundaries are averaged as logarithms,
    those beyond what was run as censored (`censored.geometric`). If bases were dealt out, so that
    most have few of the settings, they have no boundary of their own: it is that of the mean
    outcome, by `surface.boundaries`. Settings that were not run are passed over.

    Args:
      order: order parameter with the dimensions fpr, fnr and seed (the bases), and maybe replicate,
        over which it is averaged first.
      level: value that separates the phases.
      reference: what each base would come to otherwise, as with a sham: the boundary is where the
        order parameter is `level` above it. Dimension seed, and maybe fnr; bases without one are
        left out.
    """
    if reference is not None:
        order, reference = xr.align(order, reference, join="inner", exclude=("fpr", "replicate"))
        order = order - reference
    if "replicate" in order.dims:
        order = order.mean("replicate")
    order = order.sortby("fpr").transpose("fnr", "seed", "fpr")
    if is_dealt(order):
        lines, ratio = surface.boundaries(order, level)
        return Boundary(order.fnr.values, *lines.T, ratio, np.full(order.shape[:2], np.nan))
    fpr, values = order.fpr.values, order.values
    found = [[monotone.located(fpr, y, level) for y in rows] for rows in values]
    place, side = np.array(found, float).reshape(*order.shape[:2], 2).transpose(2, 0, 1)
    lines = _opened(censored.geometric(place, side), _run(fpr, values))
    by_base = np.select([side > 0, side < 0], [np.inf, 0.0], place)
    return Boundary(order.fnr.values, *lines[:3], boundary_ratio(order, level), by_base)


def boundary_ratio(order: xr.DataArray, level: float = 0.0) -> Estimate:
    """The FPR / (1 - FNR) at which the gain falls to a level, each base's from all its settings."""
    order = order.transpose("seed", "fpr", "fnr")
    tpr = np.maximum(1 - order.fnr.values, 0)
    used = tpr > 1e-9  # where no right answer is accepted there is no ratio
    ratio = (order.fpr.values[:, None] / tpr[used]).ravel()
    values = order.values[..., used].reshape(order.sizes["seed"], -1)
    lowest = np.array([v[np.isfinite(v)].min(initial=level) for v in values])
    values = np.where(np.isneginf(values), lowest[:, None], values)
    found = (monotone.merged(ratio, v) for v in values)
    place, side = np.array([monotone.located(x, y, level, n) for x, y, n in found], float).T
    estimate = _opened(censored.geometric(place, side), _run(ratio, values))
    return Estimate(*(x.item() for x in estimate))


def isoline(order: xr.DataArray, level: float) -> np.ndarray:
    """f[F]: for each FNR the FPR at which the mean over bases falls to a level, for a picture; NaN
    where it does nowhere in what all bases were run at.
    """
    mean = order.mean("seed", skipna=False).sortby("fpr").transpose("fnr", "fpr")
    found = [monotone.located(mean.fpr.values, y, level) for y in mean.values]
    return np.array([np.nan if side else place for place, side in found])


def _run(x: np.ndarray, values: np.ndarray) -> np.ndarray:
    """x f[N] where any base f[..., S, N] was run, if it has a logarithm; else NaN."""
    return np.where((~np.isnan(values)).any(-2) & (x > 0), x, np.nan)


def _opened(estimate: Estimate, run: np.ndarray) -> Estimate:
    """An estimate whose numbers beyond what was `run`, f[..., N] or NaN, are 0 or infinite."""
    none = np.isnan(run).all(-1)
    run = np.where(none[..., None], 1.0, run)
    lowest, highest = np.nanmin(run, -1) * (1 - 1e-9), np.nanmax(run, -1) * (1 + 1e-9)
    numbers = (np.select([x > highest, x < lowest], [np.inf, 0.0], x) for x in estimate[:3])
    return Estimate(*numbers, np.asarray(estimate.num))


def is_dealt(order: xr.DataArray) -> bool:
    """Whether each setting has bases of its own: most bases lack most of the settings."""
    known = order.notnull()
    settings, bases = known.any("seed"), known.any([d for d in order.dims if d != "seed"])
    return bool(known.sum() < 0.5 * settings.sum() * bases.sum())


def uncrossed(order: xr.DataArray, found: Boundary) -> str | None:
    """Why a boundary that was looked for in an order parameter was not measured; None if it was,
    so that there is a ratio.
    """
    run = order.sel(fpr=order.fpr[order.notnull().any([d for d in order.dims if d != "fpr"])])
    fpr = np.sort(run.fpr.values)
    if len(fpr) < 2:
        return f"{len(fpr) or 'no'} FPR was run"
    if (run.fillna(0) == 0).all():
        return "no run changed"
    none, every = (found.fpr == 0).sum(), np.isinf(found.fpr).sum()
    if 2 * every >= len(found.fpr) or np.isinf(found.ratio.value):
        return f"up to FPR {fpr[-1]:g} all gain at {every} of {len(found.fpr)} FNRs"
    if 2 * none >= len(found.fpr) or found.ratio.value == 0:
        return f"down to FPR {fpr[fpr > 0][0]:g} none gains at {none} of {len(found.fpr)} FNRs"
    return None if found.ratio.value > 0 else "too little was run"


def counts(order: np.ndarray) -> tuple[int, int]:
    """How many runs gained and how many lost so far; those not done are NaN."""
    return int((order > 0).sum()), int((order < 0).sum())


def text_diagram(order: xr.DataArray) -> str:
    """The phase diagram in characters: FNR downwards, FPR to the right, `+` where it improves,
    blank where nothing was run.
    """
    mean = order.mean("seed").transpose("fnr", "fpr").values
    scale = np.abs(mean[np.isfinite(mean)]).max(initial=1e-9)
    marks = [(0.25, "#"), (0.05, "+"), (-0.05, "."), (-0.25, "-"), (-np.inf, "=")]

    def mark(value):
        return next(m for low, m in marks if value / scale >= low) if value == value else " "

    rows = [
        f"{fnr:6.2f}  " + " ".join(mark(v) for v in row)
        for fnr, row in zip(order.fnr.values, mean, strict=True)
    ]
    fpr = order.fpr.values
    shown = [f"{v:.2g}" for v in fpr]
    shown[2:-1] = ["..."] if len(fpr) > 3 else shown[2:-1]
    scale_line = f"   FNR  FPR from left to right: {', '.join(shown)}"
    legend = f"   # + gain    . no change    - = loss    (full scale {scale:.2f})"
    return "\n".join([scale_line, *rows, legend])
