"""Monotone fits and where they cross, against numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from avax.analysis import monotone

nan, inf = float("nan"), float("inf")


@pytest.mark.parametrize(
    "x, y, level, expected",
    [
        ((1, 2, 4), (3, 1, -1), 0, math.sqrt(8)),  # log-linear: half way from 2 to 4
        ((0.01, 1), (1, -3), 0, 0.01 * 100**0.25),
        ((0.01, 0.1, 1), (3, 2, 0), 1, 10**-0.5),
        ((0, 0.2, 1), (1, -1, -1), 0, 0.1),  # linear next to 0
        ((0, 0.2, 1), (1, -3, -1), 0, 0.05),
        ((0.1, 0.2, 0.4), (1, 0, -1), 0, 0.2),  # exactly at a point
        ((0.1, 0.2, 0.4, 0.8), (1, -1, 1, -1), 0, 0.1 * math.sqrt(2)),  # the first of several
        ((0, 0.2, 1), (3, 2, 1), 0, nan),
        ((0, 0.2, 1), (1, 1, 1), 1, 0),  # at the level is not above it
        ((0, 0.2, 1), (-1, -2, 3), 0, 0),
        ((0.1, 0.2), (-1, 1), 0, 0.1),
    ],
)
def test_crossing_by_hand(x, y, level, expected):
    found = monotone.crossing(np.array(x, float), np.array(y, float), level)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_crossing_does_not_depend_on_the_units():
    x, y = np.geomspace(0.001, 1, 12), np.linspace(2, -1, 12)
    found = monotone.crossing(x, y, 0.0)
    assert x[0] < found < x[-1]
    assert monotone.crossing(7 * x, y, 0.0) == pytest.approx(7 * found)
    assert monotone.crossing(x, 7 * y, 0.0) == pytest.approx(found)
    assert monotone.crossing(x, y + 5, 5.0) == pytest.approx(found)


@pytest.mark.parametrize(
    "y, expected",
    [
        ((3, 2, 1), (3, 2, 1)),
        ((1, 3, 0), (2, 2, 0)),
        ((4, 1, 2, 3), (4, 2, 2, 2)),
        ((1, 2, 3), (2, 2, 2)),
        ((3, -inf, 1, -2), (3, -0.5, -0.5, -2)),  # counts as the lowest
        ((-inf, -inf), (0, 0)),
        ((2,), (2,)),
    ],
)
def test_decreasing_by_hand(y, expected):
    np.testing.assert_allclose(monotone.decreasing(np.array(y, float), 0.0), expected)


def test_decreasing_is_the_nearest_sequence_that_never_grows():
    rng = np.random.default_rng(0)
    y = rng.normal(size=6) + np.linspace(2, -2, 6)
    fit = monotone.decreasing(y, -10.0)
    assert (np.diff(fit) <= 1e-12).all() and not np.allclose(fit, y)
    others = -np.sort(-(fit + rng.normal(scale=0.3, size=(20_000, 6))), axis=1)
    assert ((others - y) ** 2).sum(1).min() >= ((fit - y) ** 2).sum()


@pytest.mark.parametrize(
    "x, y, expected",
    [
        ((0.01, 0.1, 1), (1, 1, -1), (math.sqrt(0.1), 0)),
        ((0.01, 0.1, 1), (3, 2, 1), (1, 1)),  # beyond
        ((0.01, 0.1, 1), (0, 2, -3), (0.1 * 10**0.25, 0)),  # 0 and 2 are averaged
        ((0.01, 0.1, 1), (-1, -2, -3), (0.01, -1)),  # below
        ((0, 0.1, 1), (1, -1, -3), (0.1, -1)),  # 0 has no logarithm: it lies below 0.1
        ((0, 0.1, 1), (-1, -1, -3), (0.1, -1)),
        ((0, 0.1, 1), (nan, 1, nan), (0.1, 1)),
        ((0, 0.1, 1), (1, nan, nan), (nan, 0)),
        ((0.01, 0.1), (1, -inf), (0.1, 0)),
    ],
)
def test_located_by_hand(x, y, expected):
    found = monotone.located(np.array(x, float), np.array(y, float), 0.0)
    np.testing.assert_allclose(found, expected)


def test_merged_by_hand():
    x, y = np.array([2.0, 1, 1, 3]), np.array([0.0, 2, 4, nan])
    assert [v.tolist() for v in monotone.merged(x, y)] == [[1, 2], [3, 0], [2, 1]]


def test_a_band_that_crosses_is_an_interval_and_one_that_does_not_is_open():
    x, y = np.array([1.0, 2, 4, 8]), np.array([2.0, 1, -1, -2])
    found = monotone.crossings_of_band(x, y, np.ones(4))
    np.testing.assert_allclose(found, (math.sqrt(8), 2, 4))
    assert monotone.crossings_of_band(x, y, np.full(4, 3.0))[1:] == (0, inf)
    assert monotone.crossings_of_band(x, y + 5, np.ones(4)) == (inf, inf, inf)
    assert monotone.crossings_of_band(x, y - 5, np.ones(4)) == (0, 0, 0)
    assert np.isnan(monotone.crossings_of_band(x, nan * y, np.ones(4))).all()
