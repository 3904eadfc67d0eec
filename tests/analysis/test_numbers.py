"""Which number explains the outcomes: outcomes made by one number are explained by that one."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from avax.analysis import numbers

FPR, FNR = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0), (0.0, 0.3, 0.6, 0.8)


def outcomes(function, noise=0.0, num_seeds=4) -> xr.DataArray:
    """f(fpr, fnr) at all settings, with noise of each run."""
    fpr, fnr = np.meshgrid(FPR, FNR, indexing="ij")
    rng = np.random.default_rng(0)
    values = function(fpr, fnr)[..., None] + noise * rng.normal(size=(*fpr.shape, num_seeds))
    coords = {"fpr": list(FPR), "fnr": list(FNR), "seed": range(num_seeds)}
    return xr.DataArray(values, coords, ("fpr", "fnr", "seed"))


@pytest.mark.parametrize("number", numbers.NUMBERS)
def test_the_number_that_decides_explains_all(number):
    order = outcomes(lambda fpr, fnr: np.exp(-3 * numbers.NUMBERS[number](fpr, fnr)))
    for other in numbers.NUMBERS:
        value, low, high = numbers.explained(order, other, num_bootstrap=5)
        assert low - 1e-9 <= value <= high + 1e-9
        assert value == pytest.approx(1) if other == number else value < 0.97


def test_noise_is_not_explained():
    order = outcomes(lambda fpr, fnr: 0 * fpr, noise=1.0)
    assert all(numbers.explained(order, n, num_bootstrap=2)[0] < 0.6 for n in numbers.NUMBERS)


def test_of_equal_outcomes_there_is_nothing_to_explain():
    order = outcomes(lambda fpr, fnr: 0 * fpr)
    assert np.isnan(numbers.explained(order, "FPR", 2)).all()


def test_an_outcome_that_grows_is_not_explained():
    order = outcomes(lambda fpr, fnr: fpr / (1 - fnr))
    assert numbers.explained(order, "FPR / (1 - FNR)", 2)[0] == pytest.approx(0)


def test_diverged_settings_are_left_out():
    order = outcomes(lambda fpr, fnr: -fpr)
    order[3, 2, 1] = np.nan
    x, values = numbers.by_setting(order, "FPR")
    assert len(x) == len(values) == len(FPR) * len(FNR) - 1
    assert numbers.explained(order, "FPR", 3)[0] == pytest.approx(1)


def test_monotone_by_hand():
    x, y = np.array([2.0, 1, 1, 3, 4]), np.array([0.0, 2, 4, 1, -1])
    # At 1 the mean of 2 and 4; 2 and 3 are in the wrong order and averaged.
    np.testing.assert_allclose(numbers.monotone(x, y), [0.5, 3, 3, 0.5, -1])


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0])
def test_the_exponent_of_iso_lines_is_found(exponent):
    def function(fpr, fnr):
        return -np.log(np.maximum(fpr, 0.005) / (1 - fnr) ** exponent)

    value, low, high = numbers.isoline_exponent(outcomes(function), (0.5, 1.0, 1.5), 5)
    assert low <= value <= high and value == pytest.approx(exponent, abs=0.02)
