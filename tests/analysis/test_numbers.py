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
    order = order + 0.3 * order.seed  # levels of bases are their own
    for other in numbers.NUMBERS:
        value, low, high, num = numbers.explained(order, other)
        assert low - 1e-9 <= value <= high + 1e-9 and num == 4
        assert value == pytest.approx(1) if other == number else value < 0.97
    assert numbers.ceiling(order).value == pytest.approx(1)


def test_by_hand():
    """Two bases, three settings in a row; each is predicted by the other."""
    values = np.array([[3.0, 5.0], [2.0, 0.0], [1.0, 1.0]])
    coords = {"fpr": [0.1, 0.2, 0.3], "fnr": [0.0], "seed": [0, 1]}
    order = xr.DataArray(values[:, None], coords, ("fpr", "fnr", "seed"))
    # The second is fitted by 5, 0.5, 0.5; from their means: 1, 0, -1 by 3, -1.5, -1.5.
    left = 2**2 + 1.5**2 + 0.5**2 + (3 - 1) ** 2 + 2**2 + 0
    total = 1 + 0 + 1 + 3**2 + 2**2 + 1
    found = numbers.explained(order, "FPR")
    assert found.value == pytest.approx(1 - left / total)
    # Of one setting's value the other base's is twice as far as the mean of very many would be.
    apart = 2**2 + 2**2 + 0
    assert numbers.ceiling(order).value == pytest.approx(1 - 2 * apart / 2 / total)


def test_noise_is_not_explained():
    order = outcomes(lambda fpr, fnr: 0 * fpr, noise=1.0)
    assert all(numbers.explained(order, n).value < 0.1 for n in numbers.NUMBERS)
    assert numbers.ceiling(order).value < 0.2


def test_the_ceiling_is_the_share_that_is_not_noise():
    """Whatever the number of bases: what their means add to the error is taken off."""
    for num in (3, 40):
        order = outcomes(lambda fpr, fnr: -fpr, noise=0.3, num_seeds=num)
        settings = float((-order.fpr + 0 * order.fnr).var())
        share = settings / (settings + 0.09)
        assert numbers.ceiling(order).value == pytest.approx(share, abs=0.12 if num < 9 else 0.04)


def test_of_equal_outcomes_there_is_nothing_to_explain_and_of_one_base_nothing_is_known():
    order = outcomes(lambda fpr, fnr: 0 * fpr)
    assert np.isnan(numbers.explained(order, "FPR")[:3]).all()
    order = outcomes(lambda fpr, fnr: -fpr, num_seeds=1)
    assert np.isnan(numbers.explained(order, "FPR")[:3]).all()


def test_an_outcome_that_grows_is_not_explained():
    order = outcomes(lambda fpr, fnr: fpr / (1 - fnr))
    assert numbers.explained(order, "FPR / (1 - FNR)").value == pytest.approx(0)


def test_settings_that_diverged_are_left_out_and_bases_need_not_have_all():
    order = outcomes(lambda fpr, fnr: -fpr)
    order[3, 2, 1] = -np.inf
    x, values = numbers.by_setting(order, "FPR")
    assert len(x) == len(values) == len(FPR) * len(FNR) - 1
    assert numbers.explained(order, "FPR").value == pytest.approx(1)
    dealt = order.where(np.add.outer(np.arange(32).reshape(8, 4), np.arange(4)) % 3 > 0)
    assert numbers.explained(dealt, "FPR").value == pytest.approx(1)


def test_monotone_by_hand():
    x, y = np.array([2.0, 1, 1, 3, 4]), np.array([0.0, 2, 4, 1, -1])
    # At 1 the mean of 2 and 4; 2 and 3 are in the wrong order and averaged.
    np.testing.assert_allclose(numbers.fitted(x, y), [0.5, 3, 3, 0.5, -1])
