"""Estimates and their intervals: against SciPy, by hand, and by their laws."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy import optimize, stats

from avax.analysis import intervals
from avax.analysis.censored import geometric
from avax.analysis.intervals import Estimate, holm, jackknife, mean, p_value, paired, unpaired
from avax.analysis.variance import variance_components

nan, inf = float("nan"), float("inf")


def test_the_mean_is_scipys_t_interval_and_what_is_not_known_is_left_out():
    values = xr.DataArray([[1.0, 2, 4], [1, nan, 3], [1, nan, nan], [nan] * 3], dims=("x", "seed"))
    found = mean(values)
    assert found.num.tolist() == [3, 2, 1, 0]
    assert found.value[:3].tolist() == pytest.approx([7 / 3, 2, 1])
    for i, known in enumerate(([1, 2, 4], [1, 3])):
        ends = stats.t.interval(0.95, len(known) - 1, np.mean(known), stats.sem(known))
        assert (found.low[i], found.high[i]) == pytest.approx(ends)
    assert np.isnan([found.value[3], *found.low[2:], *found.high[2:]]).all()
    again = mean(values.values), mean(values.values.T, axis=0), mean(values.T, axis="seed")
    for other in again:
        np.testing.assert_array_equal(other, found)


def test_an_infinite_unit_is_the_limit_of_a_large_one():
    far = mean(np.array([0.0, 1, 2, -1e12]))
    assert far.low < -1e11 and far.high > 1e11
    assert mean(np.array([0.0, 1, 2, -inf])) == (-inf, -inf, inf, 4)


def test_paired_takes_the_units_that_both_have():
    a = xr.DataArray([1.0, 5.0, 2.0], {"seed": [0, 1, 2]}, ("seed",))
    b = xr.DataArray([0.0, 9.0, 1.5, 4.0], {"seed": [2, 3, 0, 1]}, ("seed",))
    assert paired(a, b) == mean(np.array([-0.5, 1.0, 2.0]))
    assert paired(np.array([1.0, nan]), np.array([0.0, 3.0])).num == 1


def test_unpaired_is_welchs_interval_of_the_units_that_are_known():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=7), 1 + 3 * rng.normal(size=20)
    expected = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    found = unpaired(np.append(a, np.nan), b)
    assert found.num == 7
    np.testing.assert_allclose(found[1:3], expected)
    assert unpaired(np.ones(3), np.zeros(4)) == (1, 1, 1, 3)
    alone = unpaired(np.ones(1), b)
    assert alone.num == 1 and np.isnan(alone.low)


def test_the_jackknife_of_a_mean_is_the_mean_and_of_a_factor_its_logarithm():
    values = np.random.default_rng(0).gamma(2, size=7)
    assert jackknife(values, np.mean) == pytest.approx(mean(values))
    with_gap = jackknife(np.append(values, nan), np.mean)
    assert with_gap == pytest.approx(mean(values))
    factor = jackknife(values, lambda v: np.exp(np.log(v).mean()), log=True)
    assert factor == pytest.approx(geometric(values))
    both = jackknife(np.stack([values, 3 * values], 1), lambda v: v.mean(0))
    np.testing.assert_allclose(both.high, [mean(values).high, 3 * mean(values).high])


def test_the_jackknife_of_what_is_not_known():
    assert jackknife(np.array([1.0]), np.mean)[0] == 1
    assert np.isnan(jackknife(np.array([1.0]), np.mean)[1:3]).all()
    assert np.isnan(jackknife(np.full(4, nan), np.mean)[:3]).all()
    assert jackknife(np.array([1.0, 2, -inf]), np.mean) == (-inf, -inf, inf, 3)


def test_p_values_are_those_of_the_t_test_and_agree_with_the_interval():
    rng = np.random.default_rng(0)
    for shift in (0.0, 0.5, 1.0):
        values = rng.normal(size=8) + shift
        found = mean(values)
        assert p_value(found) == pytest.approx(stats.ttest_1samp(values, 0).pvalue)
        assert (p_value(found) < 0.05) == found.excludes(0)
    places = np.exp(rng.normal(size=8))
    expected = stats.ttest_1samp(np.log(places), np.log(3)).pvalue
    assert p_value(geometric(places), 3, log=True) == pytest.approx(expected)
    lopsided = Estimate(2.0, 0.5, inf, 6)
    assert p_value(lopsided) < 0.05 and p_value(lopsided, 9) == 1 and not lopsided.excludes(9)
    assert p_value(Estimate(inf, 1.0, inf, 9), 0.5) == pytest.approx(0.05)
    assert p_value(mean(np.array([3.0]))) == 1


def test_holm_by_hand():
    adjusted = holm([0.01, 0.04, nan, 0.03, 0.9])
    np.testing.assert_allclose(adjusted, [0.04, 0.09, nan, 0.09, 0.9])
    assert holm([0.2]).tolist() == [0.2] and holm([0.8, 0.9]).tolist() == [1, 1]


def test_without_censored_units_it_is_the_t_interval_of_logarithms():
    places = np.array([0.01, 0.1, 0.2, 0.5])
    logs = np.log(places)
    ends = stats.t.interval(0.95, 3, logs.mean(), stats.sem(logs))
    assert geometric(places)[:3] == pytest.approx(np.exp([logs.mean(), *ends]))


def test_the_censored_mean_is_the_maximum_of_the_likelihood():
    """Against a general optimizer, and its ends against the likelihood ratio there."""
    x = np.log([0.02, 0.1, 0.05, 0.3, 1.0, 1.0, 0.01])
    side = np.array([0, 0, 0, 0, 1, 1, -1])

    def loss(mu, log_sigma):
        z = (x - mu) / np.exp(log_sigma)
        seen = (stats.norm.logpdf(z) - log_sigma)[side == 0].sum()
        return -seen - stats.norm.logsf(z[side == 1]).sum() - stats.norm.logcdf(z[side == -1]).sum()

    best = optimize.minimize(lambda v: loss(*v), (-2, 0), tol=1e-9)
    found = geometric(np.exp(x), side)
    assert np.log(found.value) == pytest.approx(best.x[0], abs=1e-4)
    allowed = 7 / 2 * np.log1p(stats.t.ppf(0.975, 3) ** 2 / 3)  # as if four were all
    for end in np.log([found.low, found.high]):
        there = optimize.minimize_scalar(lambda s, mu=end: loss(mu, s)).fun
        assert there - best.fun == pytest.approx(allowed, rel=1e-4)


def test_with_too_few_seen_it_is_between_order_statistics():
    two = geometric(np.array([0.1, 0.2, 1, 1, 1, 1]), np.array([0, 0, 1, 1, 1, 1]))
    assert two == pytest.approx((inf, 0.1, inf, 6))
    assert geometric(np.ones(8), np.ones(8)) == (inf, 1, inf, 8)
    assert geometric(np.full(8, 0.5), -np.ones(8)) == (0, 0, 0.5, 8)
    assert geometric(np.array([0.1, 0.2, 1, 1]), np.array([0, 0, 1, 1]))[1:] == (0, inf, 4)
    assert geometric(np.array([0.3]), np.array([1]))[0] == inf
    assert np.isnan(geometric(np.array([nan, nan]))[:3]).all()


def some_places(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    logs = rng.normal(rng.uniform(-2, 1), rng.uniform(0.3, 2), size=rng.integers(3, 15))
    side = np.where(logs > 0, 1, np.where(logs < -3, -1, 0))
    return np.exp(np.clip(logs, -3, 0)), side


@pytest.mark.parametrize("seed", range(25))
def test_laws_of_the_censored_mean(seed):
    place, side = some_places(seed)
    found = geometric(place, side)
    order = np.random.default_rng(seed).permutation(len(place))
    np.testing.assert_allclose(geometric(place[order], side[order]), found, rtol=1e-5)
    np.testing.assert_allclose(geometric(7 * place, side)[:3], 7 * np.array(found[:3]), rtol=1e-5)
    flipped = np.array(geometric(1 / place, -side)[:3])
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(1 / flipped[[0, 2, 1]], found[:3], rtol=1e-4)
    rows = geometric(np.stack([place, np.full(len(place), nan)]), np.stack([side, side]))
    np.testing.assert_allclose([x[0] for x in rows], found, rtol=1e-6)


@pytest.mark.parametrize("seed", range(25))
def test_a_base_that_never_crosses_lowers_no_upper_end(seed):
    place, side = some_places(seed)
    before = geometric(place, side)
    after = geometric(np.append(place, 1.0), np.append(side, 1))
    assert after.high >= before.high * (1 - 1e-6) or np.isnan(before.high)


def test_variance_components_by_hand():
    found = variance_components(np.array([[1.0, 3.0], [6.0, 8.0], [2.0, 4.0]]))
    means, within = np.array([2.0, 7.0, 3.0]), 2.0
    assert found.within.value == pytest.approx(within)
    assert found.raw_between == found.between.value == pytest.approx(means.var(ddof=1) - within / 2)
    ends = 3 * within / stats.chi2.ppf([0.975, 0.025], 3)
    assert found.within[1:3] == pytest.approx(tuple(ends))
    assert found.between.low <= found.between.value <= found.between.high
    equal = variance_components(np.array([[1.0, 3.0], [3.0, 1.0], [2.0, 2.5]]))
    assert equal.raw_between < 0 == equal.between.value == equal.between.low
    unbalanced = variance_components(np.array([[1.0, 3.0], [6.0, nan], [nan, nan]]))
    assert unbalanced.within.value == 2 and unbalanced.between.num == 2
    assert unbalanced.raw_between == pytest.approx(8 - 2 * (1 / 2 + 1) / 2)
    assert np.isnan(variance_components(np.array([[1.0], [2.0]])).between[:3]).all()


def test_an_estimate_says_what_it_excludes():
    assert Estimate(1.0, 0.5, 1.5, 5).excludes(0) and not Estimate(1.0, -0.5, 1.5, 5).excludes(0)
    assert not Estimate(1.0, nan, nan, 1).excludes(0)
    assert intervals.quantile_of_t(5) == pytest.approx(stats.t.ppf(0.975, 4))
