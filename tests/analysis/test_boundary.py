"""Boundaries of bases and over bases: laws, and diagrams whose boundary is known."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from avax.analysis import phase

nan, inf = float("nan"), float("inf")


def ray_diagram(kappas, num_fpr=48) -> xr.DataArray:
    """An order parameter that is 0 where FPR / (1 - FNR) = 1 / kappa, for each seed's kappa."""
    fpr = xr.DataArray(np.geomspace(0.005, 1, num_fpr), dims="fpr")
    fnr = xr.DataArray([0.0, 0.3, 0.6], dims="fnr")
    kappa = xr.DataArray(np.asarray(kappas, float), dims="seed")
    order = 1 - kappa * fpr / (1 - fnr)
    coords = {"fpr": fpr, "fnr": fnr, "seed": range(len(kappas))}
    return order.assign_coords(coords).transpose("fpr", "fnr", "seed")


def kappas_of(num_seeds: int, mean: float = 8.0, spread: float = 0.3) -> np.ndarray:
    draws = np.random.default_rng(1).normal(size=num_seeds)
    return mean * np.exp(spread * (draws - draws.mean()))


def test_a_noisy_run_moves_no_boundary():
    order = ray_diagram([8.0])
    noisy = order.copy()
    noisy[4, 0, 0] = -0.05  # one run in 48 fails far inside the region that improves
    np.testing.assert_allclose(phase.boundary(noisy).fpr, phase.boundary(order).fpr)


@pytest.mark.parametrize("kappa", [2.0, 8.0, 30.0])
def test_boundary_recovers_a_ray(kappa):
    found = phase.boundary(ray_diagram([kappa]))
    assert found.fnr.tolist() == [0.0, 0.3, 0.6]
    np.testing.assert_allclose(found.fpr, (1 - found.fnr) / kappa, rtol=3e-3)
    assert found.ratio.value == pytest.approx(1 / kappa, rel=3e-3) and found.ratio.num == 1
    # One base has no interval.
    assert np.isnan([found.low, found.high]).all() and np.isnan(found.ratio[1:3]).all()


def test_over_bases_it_is_the_t_interval_of_logarithms():
    kappas = kappas_of(6)
    found = phase.boundary(ray_diagram(kappas))
    low, high = stats.t.interval(0.95, 5, -np.log(kappas).mean(), stats.sem(np.log(kappas)))
    np.testing.assert_allclose(
        found.ratio[:3], np.exp([-np.log(kappas).mean(), low, high]), rtol=5e-3
    )
    np.testing.assert_allclose(found.by_base[1], 0.7 / kappas, rtol=5e-3)
    np.testing.assert_allclose(found.high, (1 - found.fnr) * np.exp(high), rtol=5e-3)


def test_beyond_what_was_run_a_boundary_is_open_and_no_ratio():
    improves = phase.boundary(ray_diagram([0.1, 0.2]))
    assert np.isinf([*improves.fpr, *improves.high, improves.ratio.value]).all()
    assert np.isinf(improves.by_base).all()
    collapses = phase.boundary(ray_diagram([1e6, 1e6]))
    assert not np.any([*collapses.fpr, *collapses.low, collapses.ratio.value])
    assert not collapses.by_base.any()
    # Six bases that never cross say that the median lies beyond what was run, five that it may.
    for num, low in ((6, 1.0), (4, 0.0)):
        found = phase.boundary(ray_diagram(np.full(num, 0.1)))
        np.testing.assert_allclose(found.low, low) and np.isinf(found.high).all()


def test_an_interval_can_reach_beyond_the_map():
    """Some of the bases never cross: the upper end is not known, the lower one is."""
    found = phase.boundary(ray_diagram([4.0, 9.0, 2.0, 6.0, 3.0, 0.1, 0.1, 0.1]))
    assert np.isinf(found.high).all() and (found.low > 0.005).all()
    assert (found.by_base[:, :5] < 1).all() and np.isinf(found.by_base[:, 5:]).all()


def test_the_interval_shrinks_with_bases():
    widths = []
    for num_seeds in (4, 16, 64):
        found = phase.boundary(ray_diagram(kappas_of(num_seeds)))
        np.testing.assert_allclose(found.fpr, (1 - found.fnr) / 8, rtol=5e-3)
        assert (found.low < found.fpr).all() and (found.fpr < found.high).all()
        widths.append(np.log(found.high / found.low).mean())
    assert widths[0] > 1.5 * widths[1] > 1.5**2 * widths[2] > 0


def test_the_order_of_bases_axes_and_values_is_irrelevant():
    order = ray_diagram(kappas_of(7))
    found = phase.boundary(order)
    for other in (
        order.isel(seed=slice(None, None, -1)),
        order.transpose("fnr", "seed", "fpr"),
        order.isel(fpr=slice(None, None, -1)),
    ):
        again = phase.boundary(other)
        for one, two in zip(again[1:5], found[1:5], strict=True):
            np.testing.assert_allclose(one, two, rtol=1e-9)


def test_a_boundary_at_a_level_or_beyond_a_reference_is_that_of_the_difference():
    order = ray_diagram(kappas_of(5))
    sham = xr.DataArray(np.linspace(-0.3, -0.1, 5), {"seed": range(5)}, ("seed",))
    found, expected = phase.boundary(order, reference=sham), phase.boundary(order - sham)
    for one, two in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, two)
    assert found.ratio.value > phase.boundary(order).ratio.value
    np.testing.assert_allclose(phase.boundary(order + 2, level=2).fpr, phase.boundary(order).fpr)
    fewer = phase.boundary(order, reference=sham.isel(seed=[4, 1, 2]))
    assert fewer.ratio.num == 3 and fewer.by_base.shape == (3, 3)


def test_replicates_are_averaged_first():
    order = ray_diagram(kappas_of(4))
    noise = xr.DataArray([0.2, -0.2], dims="replicate")
    one, two = phase.boundary(order + noise), phase.boundary(order)
    np.testing.assert_allclose(one.by_base, two.by_base)


def test_settings_that_were_not_run_are_passed_over():
    """A boundary is where it is, as long as the settings around it were run."""
    order = ray_diagram([6.0, 8.0, 10.0])
    near = abs(np.log(order.fpr * 8 / (1 - order.fnr))) < 0.7
    assert 0.1 < near.mean() < 0.35
    found, full = phase.boundary(order.where(near)), phase.boundary(order)
    np.testing.assert_allclose(found.by_base, full.by_base)
    np.testing.assert_allclose(found.fpr, full.fpr)
    assert np.isnan(phase.boundary(order.where(False)).fpr).all()


def test_a_crossing_that_was_not_run_is_not_guessed():
    """Some bases cross outside of what was run: there the interval is no shorter, and open."""
    order = ray_diagram([3.0, 6.0, 8.0, 10.0, 32.0]).sel(fnr=[0.0])
    below = phase.boundary(order.where(order.fpr < 0.2))
    assert np.isinf(below.by_base[0, 0]) and np.isinf(below.high)
    above = phase.boundary(order.where(order.fpr > 0.05))
    assert above.by_base[0, 4] == 0 and above.low == 0


def test_a_diverged_run_moves_the_boundary_and_one_not_done_does_not():
    order = ray_diagram([8.0])
    before = phase.boundary(order)
    with_gap = order.copy()
    with_gap[20, 0, 0] = nan
    assert float(order.fpr[20]) < before.fpr[0]
    assert phase.boundary(with_gap).fpr[0] == pytest.approx(before.fpr[0])
    with_gap[20:30, 0, 0] = -inf
    assert phase.boundary(with_gap).fpr[0] < order.fpr[20]


def test_an_isoline_is_that_of_the_mean():
    order = ray_diagram([6.0, 10.0])
    np.testing.assert_allclose(phase.isoline(order, 0.0), [1 / 8, 0.7 / 8, 0.4 / 8], rtol=3e-3)
    assert np.isnan(phase.isoline(order, 2.0)).all() and np.isnan(phase.isoline(order, -99.0)).all()


@pytest.mark.parametrize(
    "table, words",
    [
        ([[1, -1], [1, -1], [1, -1]], None),
        ([[1, 1], [1, -1], [-1, -1]], None),  # the median crosses
        ([[1], [1], [-1]], "1 FPR was run"),
        ([[1, 1], [1, 1], [1, -1]], "up to FPR 1 all gain at 2 of 3 FNRs"),
        ([[-1, -1], [-1, 0], [1, -1]], "down to FPR 0.1 none gains at 2 of 3 FNRs"),
        ([[0, 0], [0, 0], [0, 0]], "no run changed"),
        ([[np.nan, np.nan]] * 3, "no FPR was run"),
        ([[1, np.nan], [1, np.nan], [-1, np.nan]], "1 FPR was run"),
        ([[-np.inf, -np.inf]] * 3, "down to FPR 0.1 none gains at 3 of 3 FNRs"),
    ],
)
def test_a_boundary_that_nothing_crosses_was_not_measured(table, words):
    values = np.array(table, float)[..., None]
    coords = {"fnr": [0.0, 0.3, 0.6], "fpr": [0.1, 1.0][: values.shape[1]], "seed": [0]}
    order = xr.DataArray(values, coords, ("fnr", "fpr", "seed"))
    assert phase.uncrossed(order, phase.boundary(order)) == words
