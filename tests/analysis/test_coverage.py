"""How often 95 % intervals hold what they are of, in simulations: at least 0.92 of the time.

`python tests/analysis/test_coverage.py` prints the table of docs/intervals.md.
"""

from __future__ import annotations

import pathlib
import sys

import numpy as np
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from made_designs import FNR, FPR, MAIN_JOB, design

from avax.analysis import intervals, numbers, phase, surface
from avax.analysis.censored import geometric
from avax.analysis.variance import variance_components

LEAST = 0.92
SIZES = (5, 12, 32)

MAP = {"rates": MAIN_JOB, "noise": 0.1, "level": 0.1}  # bases and runs differ as they do there


def holds(estimate, truth) -> np.ndarray:
    return (estimate.low <= truth) & (truth <= estimate.high)


def of_means(num: int, times: int = 4000) -> float:
    rng = np.random.default_rng(0)
    return holds(intervals.mean(rng.normal(size=(times, num))), 0).mean()


def of_differences(num: int, times: int = 4000) -> float:
    """Of twice as many units that differ three times as much."""
    rng = np.random.default_rng(0)
    sides = rng.normal(size=(times, num)), 3 * rng.normal(size=(times, 2 * num))
    return holds(intervals.unpaired(*sides), 0).mean()


def of_censored(num: int, beyond: float, below: float = 0.0, times: int = 1500) -> float:
    """Log-normal places of which these shares lie beyond and below what was run."""
    from scipy.special import ndtri

    logs = np.random.default_rng(0).normal(size=(times, num))
    low, high = ndtri(below), -ndtri(beyond)
    side = np.where(logs > high, 1, np.where(logs < low, -1, 0))
    return holds(geometric(np.exp(np.clip(logs, low, high)), side), 1).mean()


def of_slopes(num: int, times: int = 400) -> float:
    """A slope that all bases share: they differ in level, dose and slope."""
    rng, hits = np.random.default_rng(0), 0
    for _ in range(times):
        wrong = np.linspace(0, 0.5, 6) * rng.uniform(0.7, 1.3, size=(num, 1))
        level, slope = 0.3 * rng.normal(size=(num, 1)), 1 + 0.5 * rng.normal(size=(num, 1))
        error = level + slope * wrong + 0.1 * rng.normal(size=wrong.shape)
        dx, dy = (x - x.mean(1, keepdims=True) for x in (wrong, error))
        found = intervals.jackknife(
            np.arange(num), lambda i, dx=dx, dy=dy: (dx[i] * dy[i]).sum() / (dx[i] ** 2).sum()
        )
        hits += found.low <= 1 <= found.high
    return hits / times


def of_variances(num: int, spread: float, times: int = 1500) -> tuple[float, float]:
    """Between bases and between runs, of which half of the bases have two and the others three."""
    rng, hits = np.random.default_rng(0), np.zeros(2)
    for _ in range(times):
        values = spread * rng.normal(size=(num, 1)) + rng.normal(size=(num, 3))
        values[::2, 2] = np.nan
        found = variance_components(values)
        hits += holds(found.between, spread**2), holds(found.within, 1)
    return tuple((hits / times).round(3).tolist())


def of_boundaries(num: int, times: int = 250, **options) -> tuple[float, float]:
    """Of each FNR, and of the ratio; complete designs, or settings with bases of their own."""
    truth = np.exp(options.get("centre", np.log(0.1)))
    hits = np.zeros(2)
    for seed in range(times):
        found = phase.boundary(design(num, seed=seed, **options))
        inside = (found.low <= truth * (1 - FNR)) & (truth * (1 - FNR) <= found.high)
        hits += inside.mean(), holds(found.ratio, truth)
    return tuple((hits / times).round(3).tolist())


def of_surfaces(
    num: int, times: int = 200, k: float = 0.6, rates=(FPR, FNR), **options
) -> tuple[float, float]:
    """The boundaries of each FNR by the surface, and its exponent k."""
    truth, hits = 0.1 * (1 - rates[1]) ** k, np.zeros(2)
    for seed in range(times):
        order = design(num, seed=seed, k=k, rates=rates, **options)
        lines, _ = surface.boundaries(order)
        inside = (lines[:, 1] <= truth) & (truth <= lines[:, 2])
        hits += inside.mean(), holds(surface.exponent(order), k)
    return tuple((hits / times).round(3).tolist())


def of_shares(num: int, times: int = 300) -> float:
    """What is to be hit is the mean share that is explained in very many other bases."""

    def found(seed):
        return numbers.explained(design(num, seed=seed, noise=0.1), "FPR / (1 - FNR)")

    def sums(seed):
        order = design(num + 200, seed=seed, noise=0.1)
        x, values = numbers.by_setting(order, "FPR / (1 - FNR)")
        fitted = numbers.fitted(x, values[:, : num - 1].mean(1))
        fitted, own = fitted - fitted.mean(), values[:, num:] - values[:, num:].mean(0)
        return ((own - fitted[:, None]) ** 2).sum(), (own**2).sum()

    left, total = np.sum([sums(10_000 + seed) for seed in range(40)], 0)
    return np.mean([holds(found(seed), 1 - left / total) for seed in range(times)])


@pytest.mark.parametrize("num", SIZES)
def test_quick(num):
    assert of_means(num) >= LEAST
    assert of_differences(num) >= LEAST
    for beyond, below in ((0.1, 0.0), (0.3, 0.15), (0.5, 0.0), (0.7, 0.0), (0.4, 0.4)):
        assert of_censored(num, beyond, below, 800) >= LEAST
    assert min(of_variances(num, 0.3, 400)) >= LEAST and min(of_variances(num, 2.0, 400)) >= LEAST


@pytest.mark.slow
@pytest.mark.parametrize("num, spread, centre", [(5, 1.6, 0.1), (12, 1.0, 0.5), (32, 0.7, 0.1)])
def test_boundaries_of_complete_designs(num, spread, centre):
    assert min(of_boundaries(num, 150, spread=spread, centre=np.log(centre))) >= LEAST


@pytest.mark.slow
def test_boundaries_and_exponents_of_dealt_designs():
    assert min(of_surfaces(12, 100, per_setting=2, level=0.05)) >= LEAST
    assert min(of_surfaces(32, 60, per_setting=2, **MAP)) >= LEAST


@pytest.mark.slow
@pytest.mark.parametrize("num", SIZES)
def test_slopes(num):
    assert of_slopes(num, 1000 if num < 32 else 400) >= LEAST


@pytest.mark.slow
@pytest.mark.parametrize("num", [5, 12])
def test_shares_of_variance(num):
    assert of_shares(num, 300) >= LEAST


def main() -> None:
    for num in SIZES:
        print(
            f"{num} bases: mean {of_means(num):.3f}, unpaired {of_differences(num):.3f}, "
            f"slope {of_slopes(num, 2000):.3f}",
            flush=True,
        )
        for case in ((0.1, 0.0), (0.3, 0.15), (0.5, 0.0), (0.7, 0.0), (0.4, 0.4)):
            print(f"  censored, beyond and below {case}: {of_censored(num, *case):.3f}", flush=True)
        for spread in (0.3, 2.0):
            between, within = of_variances(num, spread)
            print(f"  variances, spread {spread}: {between:.3f} {within:.3f}", flush=True)
        for spread, centre in ((0.7, 0.1), (1.6, 0.1), (1.0, 0.5)):
            found = of_boundaries(num, 500, spread=spread, centre=np.log(centre))
            print(f"  boundary, ratio at {centre}, spread {spread}: {found}", flush=True)
        print(f"  surface, exponent {of_surfaces(num, 400)}", flush=True)
        print(f"  share {of_shares(num, 400):.3f}", flush=True)
    for num, per_setting in ((12, 2), (32, 4), (32, 8)):
        options = {"per_setting": per_setting, "level": 0.05}
        found, ratio = of_surfaces(num, 400, **options), of_boundaries(num, 400, **options)[1]
        print(f"{num} bases, {per_setting} a setting: {found}, ratio {ratio}", flush=True)
    for k in (1.0, 2.0):
        found = of_surfaces(32, 250, k, per_setting=2, **MAP)
        print(f"the main job's map, k {k}: {found}", flush=True)


if __name__ == "__main__":
    main()
