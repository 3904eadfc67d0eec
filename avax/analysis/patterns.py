"""Verifiers whose errors have a pattern, compared at equal error rates. NumPy only."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr

from avax.analysis import censored, intervals, monotone, phase


class Arm(NamedTuple):
    """What became of the runs with one pattern of false positives; dimensions fpr and seed.

    The first entry has no errors: the mean of all runs of a seed without any, for all arms.
    """

    base_fpr: xr.DataArray  # on the mistakes of the base policy
    run_fpr: xr.DataArray  # on those of all rounds
    gain: xr.DataArray  # order parameter
    weights: np.ndarray  # f[F], runs of a seed behind each entry


def pooled(rate: xr.DataArray, count: xr.DataArray, dims) -> xr.DataArray:
    """A rate over several runs or rounds, each with its count; NaN if all counts are 0."""
    total = count.sum(dims)
    return (rate.fillna(0) * count).sum(dims) / total.where(total > 0)


def wrong(dataset: xr.Dataset) -> xr.DataArray:
    """Share of wrong completions, from round 1 on."""
    return 1 - dataset.sampled_accuracy.isel(round=slice(1, None))


def measured_fpr(dataset: xr.Dataset) -> xr.DataArray:
    """The FPR of each run over all its rounds."""
    return pooled(dataset.verifier_fpr.isel(round=slice(1, None)), wrong(dataset), "round")


def measured_fnr(dataset: xr.Dataset) -> xr.DataArray:
    """The FNR on the base's right answers: in round 1, pooled over the settings of the same FNR."""
    first = dataset.isel(round=1)
    return pooled(first.verifier_fnr, first.sampled_accuracy, "fpr")


def base_shares(datasets: list[xr.Dataset]) -> xr.DataArray:
    """Share of each kind among the base's mistakes, by mistake and seed, over a seed's runs."""
    firsts = [dataset[["mistake_share", "sampled_accuracy"]].isel(round=1) for dataset in datasets]
    runs = xr.concat(firsts, "fpr")
    return pooled(runs.mistake_share, 1 - runs.sampled_accuracy, "fpr").transpose("mistake", "seed")


def arms(datasets: dict[str, xr.Dataset], clean: xr.DataArray) -> dict[str, Arm]:
    """Each pattern's arm; those named after a kind of mistakes err on that kind only.

    Args:
      clean: order parameter of runs without any errors, dimensions run and seed.
    """
    shares = base_shares(list(datasets.values()))
    kinds = set(shares.mistake.values.tolist())
    first = clean.mean("run").expand_dims(fpr=[0.0])
    found = {}
    for name, dataset in datasets.items():
        dataset = dataset.sel(fpr=dataset.fpr > 0)
        share = shares.sel(mistake=name, drop=True) if name in kinds else xr.ones_like(first[0])
        values = (
            (xr.zeros_like(first), dataset.fpr * share),
            (xr.zeros_like(first), measured_fpr(dataset)),
            (first, phase.order_parameter(dataset)),
        )
        arrays = (xr.concat(v, "fpr").transpose("fpr", "seed") for v in values)
        weights = np.array([clean.sizes["run"]] + [1] * dataset.sizes["fpr"])
        found[name] = Arm(*arrays, weights)
    return found


def difference(arm: Arm, independent: Arm, fpr: xr.DataArray) -> np.ndarray:
    """f[S]: gain of an arm minus that of independent errors of the same `fpr`, mean over settings.

    Seeds are compared with themselves. Between its settings the gain with independent errors is
    taken as linear in log(0.01 + FPR), after isotonic regression: each point is one run.
    """
    found = []
    for seed in range(arm.gain.sizes["seed"]):
        known = monotone.decreasing(independent.gain.values[:, seed], 0.0, independent.weights)
        x, at = (np.log(0.01 + v[:, seed]) for v in (independent.base_fpr.values, fpr.values))
        found.append(np.nanmean((arm.gain.values[:, seed] - np.interp(at, x, known))[1:]))
    return np.array(found)


def selective_difference(selective: xr.Dataset, random: xr.Dataset) -> xr.DataArray:
    """Gain with selective false negatives minus that with random ones of the same FNR on the base's
    right answers; dimensions fpr, fnr and seed. Linear between the settings of the random ones.
    """
    gain, known = (
        phase.order_parameter(d).transpose("fpr", "fnr", "seed") for d in (selective, random)
    )
    at, x = (measured_fnr(d).transpose("fnr", "seed").values for d in (selective, random))
    expected = [
        [np.interp(at[:, s], x[:, s], row[:, s]) for s in range(at.shape[1])]
        for row in known.values
    ]
    return gain - np.array(expected).transpose(0, 2, 1)


def boundaries(arm: Arm) -> np.ndarray:
    """f[S]: the smallest FPR on the base's mistakes with no gain; inf where all that is reached
    gains, 0 where nothing gains above FPR 0.
    """
    place, side = located(arm)
    return np.select([side > 0, side < 0], [np.inf, 0.0], place)


def boundary(arm: Arm) -> intervals.Estimate:
    """Geometric mean over bases of the smallest FPR with no gain, those beyond what a base's runs
    reach censored there.
    """
    return censored.geometric(*located(arm))


def located(arm: Arm) -> tuple[np.ndarray, np.ndarray]:
    """f[S] and i[S]: the boundary of each base, and whether it lies there, below or above."""
    pairs = zip(arm.base_fpr.values.T, arm.gain.values.T, strict=True)
    return np.array([monotone.located(x, y, 0.0, arm.weights) for x, y in pairs]).T


def interval(values: np.ndarray) -> tuple[float, float, float]:
    """The mean over bases of what is known, and its 95 % t interval."""
    return intervals.mean(values)[:3]


def excess_error(dataset: xr.Dataset, clean: xr.Dataset) -> xr.DataArray:
    """What spoilt labels cost in accuracy, by rounds since they were put in.

    Args:
      dataset: runs with the dimensions rate, label_noise.round, seed and round.
      clean: runs without spoilt labels, with dimensions label_noise.round, seed and round; their
        mean by seed is what is compared with.

    Returns:
      Dimensions rate, label_noise.round, seed and since: 0 is right after the training on them.
    """
    return by_since(clean.accuracy.mean("label_noise.round", skipna=False) - dataset.accuracy)


def by_since(values: xr.DataArray) -> xr.DataArray:
    """By rounds since labels were spoilt, instead of by round; NaN after the last."""
    starts = values["label_noise.round"].values.tolist()
    shifted = [
        values.sel({"label_noise.round": start}).isel(round=slice(start, None)) for start in starts
    ]
    shifted = [
        x.assign_coords(round=np.arange(x.sizes["round"])).rename(round="since") for x in shifted
    ]
    return xr.concat(shifted, "label_noise.round", join="outer")
