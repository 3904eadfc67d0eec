"""Errors of laws over configurations: by hand, and how often their intervals hold."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from paper_figures import law_errors as scores

LEAST = 0.92  # coverage that is asked of an interval of 95 %
SIZES = [2, 1, 1, 1, 2, 2]  # configurations of each family, as those that are scored
NUM_BASES, NUM_SIMULATED = 32, 500


def test_errors_by_hand():
    said, measured = (np.log(np.array([x] * 3)) for x in ([0.2, 0.4], [0.1, 0.8]))
    found = scores.Logs(said, measured, np.array(["one", "two"]), 2, ())
    exact = found._replace(said=measured)
    assert scores.beyond(found, exact).value == pytest.approx(np.log(2) ** 2)
    assert scores.beyond(found, exact).high == np.inf  # of two families
    assert np.isnan(scores.own_error(found).value)  # of two configurations


def test_the_noise_is_the_covariance_over_bases():
    """Of means over bases, it is that of one base over their number."""
    values = np.random.default_rng(0).normal(size=(NUM_BASES, 3)) @ np.array(
        [[1.0, 0.5, 0.0], [0.0, 1.0, 0.2], [0.0, 0.0, 2.0]]
    )
    without = (values.sum(0) - values) / (NUM_BASES - 1)
    logs = np.concatenate([values.mean(0)[None], without])
    found = scores.Logs(logs, 0 * logs, np.arange(3), NUM_BASES, ())
    np.testing.assert_allclose(scores.noise(found), np.cov(values.T) / NUM_BASES)


def test_without_noise_an_own_error_is_the_typical_one():
    off = np.array([0.1, -0.2, 0.3, 0.05, -0.1])
    said = np.repeat(off[None], 1 + NUM_BASES, axis=0)
    found = scores.own_error(scores.Logs(said, 0 * said, np.arange(5), NUM_BASES, ()))
    assert found.value == pytest.approx(np.sqrt((off**2).mean()), rel=1e-4)
    low, high = stats.chi2.ppf([0.025, 0.975], 5)
    assert found.high == pytest.approx(np.sqrt((off**2).sum() / low), rel=1e-4)
    assert 0 < found.low <= np.sqrt((off**2).sum() / high)


def simulated(key, spread: float, noise: float, shared: float, alike: float) -> scores.Logs:
    """A law whose errors have a standard deviation of `spread` over configurations, a share of it
    common to a family, measured with `noise`, of whose variance a share is common to all as they
    have the same bases.
    """
    num, families = sum(SIZES), np.repeat(np.arange(len(SIZES)), SIZES)
    common, each = key.normal(size=(NUM_BASES, 1)), key.normal(size=(NUM_BASES, num))
    values = np.sqrt(NUM_BASES) * noise * (np.sqrt(shared) * common + np.sqrt(1 - shared) * each)
    without = (values.sum(0) - values) / (NUM_BASES - 1)
    own = np.sqrt(alike) * key.normal(size=len(SIZES))[families]
    own = spread * (own + np.sqrt(1 - alike) * key.normal(size=num))
    off = np.concatenate([values.mean(0)[None], without]) + own
    measured = key.normal(0, 0.3, num) + 0 * off
    return scores.Logs(measured + off, measured, families, NUM_BASES, ())


def test_a_law_without_errors_is_covered_as_often_as_an_interval_holds():
    key = np.random.default_rng(5)
    each = [scores.covered(simulated(key, 0.0, 0.1, 0.3, 0.0)) for _ in range(NUM_SIMULATED)]
    assert np.mean(each, axis=0)[0] / sum(SIZES) == pytest.approx(0.95, abs=0.02)
    assert scores.covered(simulated(key, 1e4, 0.1, 0.3, 0.0)) == (0, sum(SIZES))


@pytest.mark.parametrize(
    "spread, noise, shared, alike",
    [(0.1, 0.1, 0.5, 0.5), (0.2, 0.1, 0.0, 0.0), (0.05, 0.12, 0.5, 0.0), (0.0, 0.15, 0.5, 0.0)],
)
def test_the_interval_of_an_own_error_holds(spread, noise, shared, alike):
    key = np.random.default_rng(1)
    held = 0
    for _ in range(NUM_SIMULATED):
        _, low, high, _ = scores.own_error(simulated(key, spread, noise, shared, alike))
        held += low <= spread <= high
    assert LEAST <= held / NUM_SIMULATED < 1


def test_laws_without_an_error_and_with_a_large_one_are_told_from_one_of_a_quarter():
    key = np.random.default_rng(2)
    ends = [scores.own_error(simulated(key, 0.0, 0.1, 0.3, 0.0)).high for _ in range(200)]
    assert np.mean(np.array(ends) < np.log(1.25)) > 0.8
    ends = [scores.own_error(simulated(key, 0.6, 0.1, 0.3, 0.0)).low for _ in range(200)]
    assert np.mean(np.array(ends) > np.log(1.25)) > 0.8


@pytest.mark.parametrize("apart", [0.0, 0.3])
def test_the_interval_of_a_difference_holds(apart):
    """Of two laws, one of which is off by `apart` more in all configurations."""
    key = np.random.default_rng(3)
    held = 0
    for _ in range(200):
        found = simulated(key, 0.1, 0.1, 0.5, 0.0)
        other = found._replace(said=found.said + apart)
        _, low, high, _ = scores.beyond(found, other)
        held += low <= -(apart**2) <= high
    assert held / 200 >= LEAST
