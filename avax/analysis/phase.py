"""The phase diagram: an order parameter and the boundary between gain and collapse."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr

from avax.analysis import seeds


class Boundary(NamedTuple):
    """Where the order parameter crosses its critical level, for each FNR, and one number for all.

    A crossing is NaN where the whole range improves, the lowest FPR where none of it does; also
    where all that was run improves, or none: that end of an interval is open, not guessed.
    """

    fnr: np.ndarray  # f[F]
    fpr: np.ndarray  # f[F], from the mean over seeds
    low: np.ndarray  # f[F], bootstrap interval over seeds
    high: np.ndarray  # f[F]
    ratio: tuple[float, float, float]  # median over FNR of FPR / (1 - FNR), and its interval


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
    """What self-training gained, by run: above 0 it improved on the base, below it collapsed.

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
    order: xr.DataArray, level: float = 0.0, num_bootstrap: int = 1000, coverage: float = 0.95
) -> Boundary:
    """The boundary FPR of each FNR, and the median ratio, with bootstrap intervals over seeds.

    Settings that were not run are passed over.

    Args:
      order: order parameter with the dimensions fpr, fnr and seed.
      level: value that separates the phases.
      num_bootstrap: resamples of the seeds. With one seed the interval is the crossing itself.
      coverage: of the percentile interval.
    """
    order = order.sortby("fpr").transpose("seed", "fnr", "fpr")
    fnr, fpr, values = order.fnr.values, order.fpr.values, order.values
    run = measured(order).values
    picks = np.random.default_rng(0).integers(len(values), size=(num_bootstrap, len(values)))
    # Few seeds have few different resamples.
    picks, which = np.unique(np.sort(picks, axis=1), axis=0, return_inverse=True)
    means = [seeds.mean(each) for each in (values, *values[picks])]  # of a setting's own seeds
    crossings = np.array(
        [
            [ray_crossing(fpr, *ray, level) for ray in zip(m, run & ~np.isnan(m), strict=True)]
            for m in means
        ]
    )
    ratios = np.median(np.nan_to_num(crossings, nan=1.0) / np.maximum(1 - fnr, 1e-9), axis=1)
    ends = (1 - coverage) / 2, (1 + coverage) / 2

    def interval(samples):
        # Beyond the last FPR counts as infinite, so that quantiles stay ordered.
        samples = np.where(np.isnan(samples), np.inf, samples)[1:][which.reshape(-1)]
        found = np.quantile(samples, ends, axis=0, method="inverted_cdf")
        return np.where(np.isinf(found), np.nan, found)

    low, high = interval(crossings)
    ratio = ratios[0], *interval(ratios)
    return Boundary(fnr, crossings[0], low, high, tuple(float(r) for r in ratio))


def uncrossed(order: xr.DataArray, found: Boundary) -> str | None:
    """Why a boundary that was looked for in an order parameter was not measured; None if it was,
    so that the median ratio is that of a crossing.
    """
    run = order.sel(fpr=order.fpr[measured(order).any("fnr")])
    fpr = np.sort(run.fpr.values)
    if len(fpr) < 2:
        return f"{len(fpr) or 'no'} FPR was run"
    if (run.fillna(0) == 0).all():
        return "no run changed"
    none, every = np.sum(found.fpr <= fpr[0]), np.isnan(found.fpr).sum()
    if 2 * every >= len(found.fpr):
        return f"up to FPR {fpr[-1]:g} all gain at {every} of {len(found.fpr)} FNRs"
    if 2 * none >= len(found.fpr):
        return f"down to FPR {fpr[0]:g} none gains at {none} of {len(found.fpr)} FNRs"
    return None


def ray_crossing(fpr: np.ndarray, y: np.ndarray, run: np.ndarray, level: float) -> float:
    """The boundary on one ray, from the settings that were run: see `Boundary`."""
    if not run.any():
        return float("nan")
    fit = decreasing(y[run], level)
    return crossing(fpr[run], fit, level) if fit[0] > level else float(fpr[0])


def decreasing(y: np.ndarray, level: float, weight: np.ndarray | None = None) -> np.ndarray:
    """The nearest sequence that never grows, by least squares: neighbours in the wrong order are
    averaged (isotonic regression). Each value is a run with noise of its own; a larger FPR is never
    better. -inf, a run that diverged, counts as the lowest other, and as no more than `level`.

    Args:
      weight: f[N], how much each value counts; all the same by default.
    """
    finite = np.isfinite(y)
    y = np.where(finite, y, y[finite].min(initial=level))
    blocks: list[tuple[float, float, int]] = []  # mean, weight, length
    for value, w in zip(y, np.ones(len(y)) if weight is None else weight, strict=True):
        blocks.append((float(value), float(w), 1))
        while len(blocks) > 1 and blocks[-2][0] < blocks[-1][0]:
            (right, v, m), (left, u, n) = blocks.pop(), blocks.pop()
            blocks.append(((left * u + right * v) / (u + v), u + v, n + m))
    return np.concatenate([np.full(size, mean) for mean, _, size in blocks])


def crossing(x: np.ndarray, y: np.ndarray, level: float) -> float:
    """The smallest x at which y, seen from the left, falls to `level`; x grows and may start at 0.

    Between two points y is taken as linear in log x, in x where one of them is 0. NaN if y stays
    above; the first x if it starts below.
    """
    below = np.flatnonzero(~(y > level))
    if len(below) == 0:
        return float("nan")
    i = below[0]
    if i == 0:
        return float(x[0])
    weight = (y[i - 1] - level) / (y[i - 1] - y[i])
    if x[i - 1] <= 0:
        return float(x[i - 1] + weight * (x[i] - x[i - 1]))
    return float(np.exp(np.log(x[i - 1]) + weight * np.log(x[i] / x[i - 1])))


def counts(order: np.ndarray) -> tuple[int, int]:
    """How many runs improved and how many collapsed so far; those not done are NaN."""
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
