"""Outcomes of designs in which each setting has bases of its own: one curve through all of them.

outcome = curve(log FPR - k log TPR) + base + run, TPR = 1 - FNR. The curve is a natural cubic
spline of few pieces, bases differ by a random intercept (its variance by restricted maximum
likelihood), and every interval is that of leaving out each base once: it holds if bases also differ
in where their boundary lies, and so in how much. Lines of equal outcome are FPR ~ TPR^k.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr

from avax.analysis.intervals import Estimate, jackknife_error, quantile_of_t
from avax.analysis.monotone import crossings_of_band

NUM_KNOTS = 5
EXPONENTS = np.linspace(-1.5, 3.5, 31)  # in which k is looked for
GRID = 150  # places between the lowest and the highest FPR at which the curve is read


UNKNOWN = (float("nan"),) * 3


class Points(NamedTuple):
    """All runs that tell something, one beside another; ordered by base."""

    log_fpr: np.ndarray  # f[N]
    log_tpr: np.ndarray  # f[N]
    outcome: np.ndarray  # f[N]
    base: np.ndarray  # i[N], from 0 on


def points(order: xr.DataArray) -> Points:
    """The runs with FPR above 0 and FNR below 1: others have no logarithm. One that diverged counts
    as the lowest of all.

    Args:
      order: order parameter with the dimensions fpr, fnr, seed (the bases), and maybe others; NaN
        where a base was not run.
    """
    order = order.transpose("seed", "fpr", "fnr", ...)
    outcome = order.values
    finite = np.isfinite(outcome)
    outcome = np.where(np.isneginf(outcome), outcome[finite].min(initial=0.0), outcome)
    shape = (1, -1, 1, *[1] * (outcome.ndim - 3)), (1, 1, -1, *[1] * (outcome.ndim - 3))
    fpr, tpr = order.fpr.values.reshape(shape[0]), 1 - order.fnr.values.reshape(shape[1])
    used = ~np.isnan(outcome) & (fpr > 0) & (tpr > 1e-9)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = [np.broadcast_to(np.log(x), used.shape)[used] for x in (fpr, tpr)]
    base = np.unique(np.nonzero(used)[0], return_inverse=True)[1]
    return Points(*logs, outcome[used], base)


def exponent(order: xr.DataArray) -> Estimate:
    """k of FPR / (1 - FNR)^k, which the outcome depends on: 1 if the ratio decides, 0 if FPR alone.

    NaN if there is one FNR, or too little to fit; an end is infinite where it lies beyond -1.5 or
    3.5.
    """
    found = points(order)
    num = int(found.base.max(initial=-1)) + 1
    if not _is_enough(found) or np.ptp(found.log_tpr) == 0:
        return Estimate(*UNKNOWN, num)
    value, without = _exponents(found, _spread_of_bases(found))
    half = float(quantile_of_t(num) * jackknife_error(without))
    low, high = value - half, value + half
    low = low if low > EXPONENTS[0] else -np.inf
    return Estimate(value, low, high if high < EXPONENTS[-1] else np.inf, num)


def boundaries(order: xr.DataArray, level: float = 0.0) -> tuple[np.ndarray, Estimate]:
    """Where the mean outcome falls to a level: at each FNR, f[F, 3] (value and ends), and as one
    ratio FPR / (1 - FNR), for all FNRs.

    Ends are 0 or inf where what was run doesn't bound them; NaN if there is too little to fit. The
    boundaries by FNR follow the exponent that fits best, the ratio takes it as 1.
    """
    found = points(order)
    num = int(found.base.max(initial=-1)) + 1
    fnr = order.fnr.values
    if not _is_enough(found):
        return np.full((len(fnr), 3), np.nan), Estimate(*UNKNOWN, num)
    spread = _spread_of_bases(found)
    ks = np.zeros(num + 1)
    if np.ptp(found.log_tpr) > 0:
        ks = np.array([(both := _exponents(found, spread))[0], *both[1]])
    curves, ends = _fit(found, spread, ks), _ends(found.log_fpr)
    tpr = np.maximum(1 - fnr, 1e-9)
    lines = [_crossing(curves, ends, np.log(t), level) if t > 1e-9 else UNKNOWN for t in tpr]
    return np.array(lines, float), Estimate(*_ratio(found, spread, level), num)


def boundary_ratio(order: xr.DataArray, level: float = 0.0) -> Estimate:
    """The ratio of `boundaries` alone, in a third of the time."""
    found = points(order)
    num = int(found.base.max(initial=-1)) + 1
    if not _is_enough(found):
        return Estimate(*UNKNOWN, num)
    return Estimate(*_ratio(found, _spread_of_bases(found), level), num)


def _ratio(found: Points, spread: float, level: float) -> tuple[float, float, float]:
    """Where the curve of log FPR - log TPR falls to a level, and its interval."""
    curves = _fit(found, spread, np.ones(found.base.max() + 2))
    return _crossing(curves, _ends(_place(found, 1.0)), 0.0, level)


def _ends(values: np.ndarray) -> tuple[float, float]:
    return float(values.min()), float(values.max())


def _is_enough(found: Points) -> bool:
    num_bases = len(np.unique(found.base))
    return num_bases > 1 and len(np.unique(found.log_fpr)) > 2 and len(found.base) > NUM_KNOTS + 2


def _basis(x: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """f[N, P]: a natural cubic spline, linear beyond its knots; in truncated powers."""
    first, *inner, before, last = knots

    def cube(knot):
        return np.maximum(x - knot, 0) ** 3

    def bend(knot):
        one = cube(before) * (last - knot) / (last - before)
        other = cube(last) * (before - knot) / (last - before)
        return (cube(knot) - one + other) / (last - first) ** 2

    return np.stack([np.ones_like(x), x, *(bend(k) for k in (first, *inner))], -1)


def _knots(x: np.ndarray) -> np.ndarray:
    """At most five, at quantiles of the places that were run."""
    ticks = np.unique(np.round(x, 6))
    num = min(NUM_KNOTS, max(3, len(ticks) // 2))
    return np.quantile(ticks, np.linspace(0.05, 0.95, num))


def _place(found: Points, k) -> np.ndarray:
    return found.log_fpr - k * found.log_tpr


def _swept(values: np.ndarray, base: np.ndarray, spread: float) -> np.ndarray:
    """Values [N, P] less what generalized least squares leaves of the means of bases, so that
    ordinary least squares does the rest.
    """
    count = np.bincount(base)
    mean = np.stack([np.bincount(base, weights=v) for v in values.T], -1) / count[:, None]
    share = 1 - 1 / np.sqrt(1 + count * spread)
    return values - (share[:, None] * mean)[base]


def _products(basis: np.ndarray, found: Points, spread: float) -> np.ndarray:
    """f[B, P + 1, P + 1]: products of all columns, the outcome last, within each base."""
    swept = _swept(np.column_stack([basis, found.outcome]), found.base, spread)
    starts = np.flatnonzero(np.diff(found.base, prepend=-1))
    return np.add.reduceat(swept[:, :, None] * swept[:, None], starts)


def _solve(products: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients f[..., P] and squares left f[...] of sums of products."""
    left, right = products[..., :-1, :-1], products[..., :-1, -1:]
    try:
        coefficients = np.linalg.solve(left, right)[..., 0]
    except np.linalg.LinAlgError:  # a base held all there is of some piece
        coefficients = (np.linalg.pinv(left, hermitian=True) @ right)[..., 0]
    return coefficients, products[..., -1, -1] - (coefficients * right[..., 0]).sum(-1)


def _and_without(products: np.ndarray) -> np.ndarray:
    """f[1 + B, ...]: the sum over bases, and without each of them."""
    total = products.sum(0)
    return np.concatenate([total[None], total - products])


def _spread_of_bases(found: Points) -> float:
    """Variance of the bases' intercepts over that of runs, at k = 1."""
    from scipy.optimize import minimize_scalar

    x = _place(found, 1.0)
    basis, count = _basis(x, _knots(x)), np.bincount(found.base)

    def loss(log_spread):
        total = _products(basis, found, np.exp(log_spread)).sum(0)
        squares = max(float(_solve(total)[1]), 1e-300)
        inner = np.linalg.slogdet(total[:-1, :-1])[1]
        free = len(x) - basis.shape[1]
        return free * np.log(squares) + np.log1p(count * np.exp(log_spread)).sum() + inner

    return float(np.exp(minimize_scalar(loss, bounds=(-8, 5), method="bounded").x))


def _exponents(found: Points, spread: float) -> tuple[float, np.ndarray]:
    """k by least squares, and f[B] without each of the bases."""
    squares = []
    for k in EXPONENTS:
        x = _place(found, k)
        products = _products(_basis(x, _knots(x)), found, spread)
        squares.append(_solve(_and_without(products))[1])
    ks = _lowest(np.array(squares))
    return float(ks[0]), ks[1:]


def _lowest(squares: np.ndarray) -> np.ndarray:
    """Where the parabola through the lowest of f[K, B] and its neighbours is lowest."""
    best = np.clip(squares.argmin(0), 1, len(EXPONENTS) - 2)
    left, middle, right = (np.take_along_axis(squares, (best + i)[None], 0)[0] for i in (-1, 0, 1))
    bend = left - 2 * middle + right
    shift = np.where(bend > 0, (left - right) / np.where(bend > 0, 2 * bend, 1), 0)
    return EXPONENTS[best] + np.clip(shift, -1, 1) * (EXPONENTS[1] - EXPONENTS[0])


class _Curves(NamedTuple):
    """The curve fitted to all bases, and without each of them."""

    exponents: np.ndarray  # f[1 + B]
    coefficients: np.ndarray  # f[1 + B, P]
    knots: np.ndarray


def _fit(found: Points, spread: float, exponents: np.ndarray) -> _Curves:
    knots = _knots(_place(found, exponents[0]))
    coefficients = np.empty((len(exponents), len(knots)))
    for k in np.unique(exponents):  # one in all if the exponent is given
        fits = _solve(_and_without(_products(_basis(_place(found, k), knots), found, spread)))[0]
        coefficients[exponents == k] = fits[exponents == k]
    return _Curves(exponents, coefficients, knots)


def _crossing(
    curves: _Curves, ends: tuple[float, float], log_tpr: float, level: float
) -> tuple[float, float, float]:
    """The FPR at which the curve falls to a level at one TPR, and its interval.

    Args:
      ends: the lowest and the highest logarithm of FPR that are looked at.
    """
    grid = np.linspace(*ends, GRID)
    places = grid - curves.exponents[:, None] * log_tpr
    outcome = np.einsum("bgp,bp->bg", _basis(places, curves.knots), curves.coefficients)
    half = quantile_of_t(len(outcome) - 1) * jackknife_error(outcome[1:])
    return crossings_of_band(np.exp(grid), outcome[0], half, level)
