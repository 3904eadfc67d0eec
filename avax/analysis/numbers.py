"""Which one number of a verifier decides? Candidates, and how well each orders the outcomes."""

from __future__ import annotations

import numpy as np
import xarray as xr

from avax.analysis import phase

# All grow as the verifier gets worse, and so the outcome is expected to fall.
NUMBERS = {
    "FPR / (1 - FNR)": lambda fpr, fnr: fpr / np.maximum(1 - fnr, 1e-9),
    "1 - J": lambda fpr, fnr: fpr + fnr,  # Youden's J = TPR - FPR
    "FPR": lambda fpr, fnr: fpr + 0 * fnr,
    "FNR": lambda fpr, fnr: fnr + 0 * fpr,
}


def explained(
    order: xr.DataArray, number: str, num_bootstrap: int = 500
) -> tuple[float, float, float]:
    """Share of the variance between settings that a number explains, and its 95 % interval.

    R^2 of the best falling function of the number (isotonic regression, so that no shape is
    assumed), on means over seeds; seeds are resampled as a whole. NaN if outcomes are all the same.

    Args:
      order: order parameter with the dimensions fpr, fnr and seed.
    """
    x, values = by_setting(order, number)
    rng = np.random.default_rng(0)
    picks = rng.integers(values.shape[1], size=(num_bootstrap, values.shape[1]))
    found = [_r_squared(x, values[:, p].mean(1)) for p in (np.arange(values.shape[1]), *picks)]
    low, high = np.quantile(found[1:], [0.025, 0.975])
    return found[0], float(low), float(high)


def by_setting(order: xr.DataArray, number: str) -> tuple[np.ndarray, np.ndarray]:
    """A number f[N] of each setting, and the order parameter f[N, S], without diverged settings."""
    flat = order.transpose("fpr", "fnr", "seed")
    values = flat.values.reshape(-1, flat.sizes["seed"])
    x = NUMBERS[number](*np.meshgrid(flat.fpr.values, flat.fnr.values, indexing="ij")).reshape(-1)
    known = np.isfinite(values).all(1)
    return x[known], values[known]


def monotone(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The best falling function of x at each x, by least squares; equal x have one value."""
    ticks, which, count = np.unique(np.round(x, 9), return_inverse=True, return_counts=True)
    mean = np.bincount(which, weights=y) / count
    return phase.decreasing(mean, -np.inf, count)[which]


def isoline_exponent(
    order: xr.DataArray, levels: np.ndarray, num_bootstrap: int = 200
) -> tuple[float, float, float]:
    """How iso-lines of the outcome depend on FNR: FPR ~ (1 - FNR)^exponent, and its interval.

    1 if the ratio FPR / (1 - FNR) decides, 0 if FPR alone does. One slope for all levels, with an
    intercept of each; rays that an iso-line does not cross are left out; NaN if none is left.
    """
    rng = np.random.default_rng(0)
    seeds = order.sizes["seed"]
    picks = rng.integers(seeds, size=(num_bootstrap, seeds))
    found = [_slope(order.isel(seed=p).mean("seed"), levels) for p in (np.arange(seeds), *picks)]
    known = [x for x in found[1:] if np.isfinite(x)]
    low, high = np.quantile(known, [0.025, 0.975]) if known else (np.nan, np.nan)
    return found[0], float(low), float(high)


def _r_squared(x, y) -> float:
    total = ((y - y.mean()) ** 2).sum()
    return float(1 - ((y - monotone(x, y)) ** 2).sum() / total) if total > 0 else float("nan")


def _slope(mean, levels) -> float:
    mean = mean.sortby("fpr").transpose("fnr", "fpr")
    log_tpr, log_fpr = [], []
    for level in levels:
        rays = [
            phase.ray_crossing(mean.fpr.values, row, ~np.isnan(row), level) for row in mean.values
        ]
        inside = np.isfinite(rays) & (np.array(rays) > 0)
        x, y = np.log(1 - mean.fnr.values[inside]), np.log(np.array(rays)[inside])
        log_tpr.extend(x - x.mean() if len(x) else x)
        log_fpr.extend(y - y.mean() if len(y) else y)
    x, y = np.array(log_tpr), np.array(log_fpr)
    return float((x @ y) / (x @ x)) if (x**2).sum() > 0 else float("nan")
