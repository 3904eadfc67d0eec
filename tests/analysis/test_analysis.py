"""Order parameters, boundaries and the mean-field theory, against numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr

from avax.analysis import phase, theory

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
    found = phase.crossing(np.array(x, float), np.array(y, float), level)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_crossing_does_not_depend_on_the_units():
    x, y = np.geomspace(0.001, 1, 12), np.linspace(2, -1, 12)
    found = phase.crossing(x, y, 0.0)
    assert x[0] < found < x[-1]
    assert phase.crossing(7 * x, y, 0.0) == pytest.approx(7 * found)
    assert phase.crossing(x, 7 * y, 0.0) == pytest.approx(found)
    assert phase.crossing(x, y + 5, 5.0) == pytest.approx(found)


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
    np.testing.assert_allclose(phase.decreasing(np.array(y, float), 0.0), expected)


def test_decreasing_is_the_nearest_sequence_that_never_grows():
    rng = np.random.default_rng(0)
    y = rng.normal(size=6) + np.linspace(2, -2, 6)
    fit = phase.decreasing(y, -10.0)
    assert (np.diff(fit) <= 1e-12).all() and not np.allclose(fit, y)
    others = -np.sort(-(fit + rng.normal(scale=0.3, size=(20_000, 6))), axis=1)
    assert ((others - y) ** 2).sum(1).min() >= ((fit - y) ** 2).sum()


def test_a_noisy_run_moves_no_boundary():
    order = ray_diagram([8.0])
    noisy = order.copy()
    noisy[4, 0, 0] = -0.05  # one run in 48 fails far inside the region that improves
    found, clean = phase.boundary(noisy), phase.boundary(order)
    np.testing.assert_allclose(found.fpr, clean.fpr)


def test_the_ratio_of_a_ray():
    found = phase.boundary(ray_diagram(noisy_kappas(16)), num_bootstrap=300)
    ratio, low, high = found.ratio
    assert ratio == pytest.approx(1 / 8, rel=2e-3) and low < ratio < high
    assert phase.boundary(ray_diagram([8.0])).ratio == pytest.approx([1 / 8] * 3, rel=2e-3)


def ray_diagram(kappas, num_fpr=48) -> xr.DataArray:
    """An order parameter that is 0 where FPR / (1 - FNR) = 1 / kappa, for each seed's kappa."""
    fpr = xr.DataArray(np.geomspace(0.005, 1, num_fpr), dims="fpr")
    fnr = xr.DataArray([0.0, 0.3, 0.6], dims="fnr")
    kappa = xr.DataArray(np.asarray(kappas, float), dims="seed")
    order = 1 - kappa * fpr / (1 - fnr)
    return order.assign_coords(fpr=fpr, fnr=fnr).transpose("fpr", "fnr", "seed")


def noisy_kappas(num_seeds: int, mean: float = 8.0) -> np.ndarray:
    draws = np.random.default_rng(1).normal(size=num_seeds)
    return mean + (draws - draws.mean()) / draws.std()


@pytest.mark.parametrize("kappa", [2.0, 8.0, 30.0])
def test_boundary_recovers_a_ray(kappa):
    found = phase.boundary(ray_diagram([kappa]), num_bootstrap=10)
    assert found.fnr.tolist() == [0.0, 0.3, 0.6]
    np.testing.assert_allclose(found.fpr, (1 - found.fnr) / kappa, rtol=2e-3)
    np.testing.assert_array_equal(found.low, found.fpr)  # one seed: the crossing itself
    np.testing.assert_array_equal(found.high, found.fpr)


def test_boundary_of_a_uniform_diagram():
    improves = phase.boundary(ray_diagram([0.1, 0.2]), num_bootstrap=10)
    assert all(np.isnan(x).all() for x in (improves.fpr, improves.low, improves.high))
    collapses = phase.boundary(ray_diagram([1e6, 1e6]), num_bootstrap=10)
    assert all((x == 0.005).all() for x in (collapses.fpr, collapses.low, collapses.high))


def test_an_interval_can_reach_beyond_the_map():
    """Half of the seeds never cross: the upper end is unknown, the lower end is not."""
    found = phase.boundary(ray_diagram([8.0, 8.0, 0.1, 0.1]), num_bootstrap=200)
    np.testing.assert_allclose(found.low, (1 - found.fnr) / 8, rtol=2e-3)
    assert np.isnan(found.high).all()


def test_interval_contains_the_boundary_and_shrinks_with_seeds():
    widths = []
    for num_seeds in (4, 16, 64):
        found = phase.boundary(ray_diagram(noisy_kappas(num_seeds)), num_bootstrap=300)
        np.testing.assert_allclose(found.fpr, (1 - found.fnr) / 8, rtol=2e-3)
        assert (found.low < found.fpr).all() and (found.fpr < found.high).all()
        widths.append(np.log(found.high / found.low).mean())
    assert widths[0] > 1.5 * widths[1] > 1.5**2 * widths[2] > 0


def test_a_wider_coverage_is_a_wider_interval():
    order = ray_diagram(noisy_kappas(16))
    narrow, wide = (phase.boundary(order, num_bootstrap=300, coverage=c) for c in (0.5, 0.99))
    assert (wide.low < narrow.low).all() and (narrow.high < wide.high).all()


def test_order_of_seeds_and_dimensions_is_irrelevant():
    order = ray_diagram(noisy_kappas(16))
    found = phase.boundary(order)
    for other in (order.isel(seed=slice(None, None, -1)), order.transpose("fnr", "seed", "fpr")):
        again = phase.boundary(other)
        np.testing.assert_allclose(again.fpr, found.fpr, rtol=1e-12)
        np.testing.assert_allclose(again.low, found.low, rtol=0.02)
        np.testing.assert_allclose(again.high, found.high, rtol=0.02)


def test_order_of_axis_values_is_irrelevant():
    order = ray_diagram([8.0])
    backwards = phase.boundary(order.isel(fpr=slice(None, None, -1)), num_bootstrap=10)
    np.testing.assert_allclose(backwards.fpr, phase.boundary(order, num_bootstrap=10).fpr)


@pytest.mark.parametrize("kappas", [[8.0], [6.0, 8.0, 10.0]])
def test_settings_that_were_not_run_are_passed_over(kappas):
    """A boundary is where it is, as long as the settings around it were run."""
    order = ray_diagram(kappas)
    near = abs(np.log(order.fpr * 8 / (1 - order.fnr))) < 0.7
    full, partial = phase.boundary(order), phase.boundary(order.where(near))
    assert 0.1 < near.mean() < 0.35
    for found, expected in zip(partial, full, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    one_seed_missing = order.where(near | (order.seed > 0))
    assert phase.measured(one_seed_missing).equals(near | (len(kappas) > 1))


def test_the_boundary_is_that_of_each_settings_own_seeds():
    """As in a balanced design: of three equal seeds each setting was run with another one."""
    order = ray_diagram([8.0, 8.0, 8.0])
    place = np.add.outer(np.arange(order.sizes["fpr"]), np.arange(order.sizes["fnr"]))
    own = order.where(xr.DataArray(place % 3, dims=("fpr", "fnr")) == order.seed)
    assert phase.measured(own).all() and not own.notnull().all()
    np.testing.assert_allclose(phase.boundary(own).fpr, phase.boundary(order).fpr, rtol=1e-6)
    assert phase.text_diagram(own) == phase.text_diagram(order)


def test_a_crossing_that_was_not_run_is_not_guessed():
    """Some seeds cross outside of what was run: the interval is open on that side."""
    order = ray_diagram([2.0, 8.0, 8.0, 8.0, 32.0]).sel(fnr=[0.0])
    full = phase.boundary(order)
    ends = float(full.low[0]), float(full.high[0])
    above, below = order.where(order.fpr > 0.11), order.where(order.fpr < 0.13)
    assert 0.005 < ends[0] < 0.11 and 0.13 < ends[1] < 1
    found = phase.boundary(above)
    assert found.low == 0.005 and found.high == pytest.approx(ends[1])
    found = phase.boundary(below)
    assert found.low == pytest.approx(ends[0]) and np.isnan(found.high)
    nothing = phase.boundary(order.where(False))
    assert np.isnan(nothing.fpr) and np.isnan(nothing.high)


def test_a_diverged_run_moves_the_boundary_and_one_not_done_does_not():
    order = ray_diagram([8.0])
    before = phase.boundary(order)
    with_gap = order.copy()
    with_gap[20, 0, 0] = nan
    assert float(order.fpr[20]) < before.fpr[0]
    assert phase.boundary(with_gap).fpr[0] == pytest.approx(before.fpr[0])
    with_gap[20:30, 0, 0] = -inf
    assert phase.boundary(with_gap).fpr[0] < order.fpr[20]


def dataset(curriculum: str, by_difficulty) -> xr.Dataset:
    """One setting, one seed; accuracies [round, difficulty]."""
    values = np.asarray(by_difficulty, float)[None, None, None]
    dims = ("fpr", "fnr", "seed", "round", "difficulty")
    arrays = {
        "accuracy_by_difficulty": (dims, values),
        "accuracy": (dims[:-1], values.mean(-1)),
        "diverged": (dims[:-1], np.zeros(values.shape[:-1])),
    }
    config = {"base": {"curriculum": {"type": curriculum}}}
    return xr.Dataset(arrays, attrs={"config": config})


# 2 digits solved before, 3.5 after two rounds.
HISTORY = [[1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 0.5]]


@pytest.mark.parametrize("curriculum", ["Frontier", "Accelerated"])
def test_order_parameter_on_a_frontier(curriculum):
    data = dataset(curriculum, HISTORY)
    assert phase.is_frontier(data)
    np.testing.assert_allclose(phase.solved_length(data).values.ravel(), [2, 3, 3.5])
    assert phase.order_parameter(data).dims == ("fpr", "fnr", "seed")
    np.testing.assert_allclose(phase.order_parameter(data), 0.75)  # digits a round


def test_order_parameter_on_a_fixed_range():
    data = dataset("Fixed", HISTORY)
    assert not phase.is_frontier(data)
    np.testing.assert_allclose(phase.order_parameter(data), 3.5 / 4 - 2 / 4)


@pytest.mark.parametrize("curriculum", ["Frontier", "Fixed"])
def test_order_parameter_of_no_change_and_of_loss(curriculum):
    same, worse = [HISTORY[0]] * 3, HISTORY[::-1]
    same, worse = (phase.order_parameter(dataset(curriculum, h)).item() for h in (same, worse))
    assert same == 0 and worse < 0
    assert phase.counts(np.array([same, worse, nan, -inf, 0.1, 0.2])) == (2, 2)


@pytest.mark.parametrize("curriculum", ["Frontier", "Fixed"])
def test_a_diverged_run_is_below_every_other_and_one_not_done_is_unknown(curriculum):
    data = dataset(curriculum, HISTORY)
    data.diverged[..., -1] = 1
    assert phase.order_parameter(data).item() == -inf
    spoilt = dataset(curriculum, [*HISTORY[:2], [nan] * 4])  # it ran, and there is no number
    assert phase.order_parameter(spoilt).item() == -inf
    assert math.isnan(phase.order_parameter(data.where(False)).item())


def test_the_gain_of_a_run_ends_where_it_diverges():
    data = dataset("Frontier", HISTORY)
    np.testing.assert_allclose(phase.gain(data).values.ravel(), [0, 1, 1.5])
    data.diverged[..., 1:] = 1
    assert phase.gain(data).values.ravel().tolist() == [0, -inf, -inf]


def test_text_diagram():
    order = ray_diagram([1.0], num_fpr=5)
    order[0, 0], order[4, 1] = nan, -inf
    lines = phase.text_diagram(order).splitlines()
    rows = [line[8::2] for line in lines[1:-1]]
    assert len(lines) == 1 + 3 + 1
    assert [float(line[:8]) for line in lines[1:-1]] == [0.0, 0.3, 0.6]
    assert all(len(row) == 5 for row in rows)
    assert rows[0][0] == " " and rows[1][0] == "#"
    assert rows[0][-1] == "." and rows[1][-1] == rows[2][-1] == "="
    assert "0.005" in lines[0] and "full scale 1.50" in lines[-1]


def test_text_diagram_of_one_column():
    lines = phase.text_diagram(ray_diagram([1.0], num_fpr=1)).splitlines()
    assert len(lines) == 1 + 3 + 1 and "0.005" in lines[0]


@pytest.mark.parametrize(
    "error, fpr, fnr, expected",
    [
        (0.5, 0.2, 0.5, 0.1 / 0.35),
        (0.2, 0.5, 0.0, 0.1 / 0.9),
        (0.3, 0.0, 0.9, 0.0),
        (0.0, 1.0, 0.5, 0.0),
        (1.0, 0.1, 0.5, 1.0),
        (0.4, 0.3, 1.0, 1.0),  # only wrong ones come through
        (0.4, 0.0, 1.0, nan),  # nothing comes through
        (1.0, 0.0, 0.0, nan),
    ],
)
def test_filtered_error_by_hand(error, fpr, fnr, expected):
    found = theory.filtered_error(np.array(error), fpr, fnr)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("rate", [1.0, 0.4])
def test_a_filter_that_knows_nothing_keeps_the_error(rate):
    error = np.linspace(0, 1, 11)
    np.testing.assert_allclose(theory.filtered_error(error, rate, 1 - rate), error)


def test_next_error_is_at_most_one():
    found = theory.next_error(np.array([0.1, 0.9]), 1.0, 0.0, kappa=5.0, error_floor=0.02)
    np.testing.assert_allclose(found, [0.02 + 5 * 0.1, 1.0])


def test_trajectory_iterates_next_error():
    arguments = dict(fpr=0.1, fnr=0.2, kappa=3.0, error_floor=0.01)
    errors = theory.trajectory(0.05, num_rounds=4, **arguments)
    assert errors.shape == (4,) and errors[0] == 0.05
    for before, after in zip(errors, errors[1:], strict=False):
        assert after == theory.next_error(before, **arguments)


@pytest.mark.parametrize("fnr", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("kappa", [1.5, 5.0, 20.0])
def test_critical_fpr_separates_shrinking_from_growing(kappa, fnr):
    critical = float(theory.critical_fpr(fnr, kappa))
    assert critical / (1 - fnr) == pytest.approx(1 / kappa)

    def run(fpr, floor):
        return theory.trajectory(1e-6, fpr, fnr, kappa, floor, num_rounds=200)

    below, above = run(0.95 * critical, 0.0), run(1.05 * critical, 0.0)
    assert (np.diff(below) < 0).all() and below[-1] < 1e-9
    assert (np.diff(above) >= 0).all() and above[-1] > 0.01
    floor = run(0.5 * critical, 1e-4)[-1]
    assert floor == pytest.approx(2e-4, rel=0.02)  # 1e-4 / (1 - 1 / 2)


def test_critical_fpr_above_one_is_unknown():
    found = theory.critical_fpr(np.array([0.0, 0.5]), 0.8)
    assert np.isnan(found[0]) and found[1] == pytest.approx(0.625)


def injected(slope, num_seeds=4, noise=0.0):
    """Wrong labels and the error they lead to: a shared slope, a floor of each seed's own."""
    rng = np.random.default_rng(2)
    wrong = np.linspace(0, 0.5, 6) + 0.02 * rng.uniform(size=(num_seeds, 6))
    floors = 0.1 + 0.02 * np.arange(num_seeds)
    return wrong, floors[:, None] + slope * wrong + noise * rng.normal(size=wrong.shape)


@pytest.mark.parametrize("slope", [-0.3, 0.5, 1.7])
def test_amplification_is_exact_on_a_line(slope):
    found = theory.amplification(*injected(slope), num_bootstrap=20)
    for value in (found.kappa, found.low, found.high):
        assert value == pytest.approx(slope)
    assert found.error_floor == pytest.approx(0.13)


def test_amplification_interval_contains_the_slope_and_shrinks_with_seeds():
    few, many = (theory.amplification(*injected(1.2, n, noise=0.05), 300) for n in (5, 80))
    for found in (few, many):
        assert found.low < 1.2 < found.high
        assert found.low < found.kappa < found.high
    assert many.high - many.low < 0.5 * (few.high - few.low)


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
