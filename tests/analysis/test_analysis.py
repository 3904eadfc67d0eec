"""Order parameters and the mean-field theory, against numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr

from avax.analysis import phase, theory

nan, inf = float("nan"), float("inf")


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


def diagram(kappas, num_fpr=48) -> xr.DataArray:
    """An order parameter that is 0 where FPR / (1 - FNR) = 1 / kappa, for each seed's kappa."""
    fpr = xr.DataArray(np.geomspace(0.005, 1, num_fpr), dims="fpr")
    fnr = xr.DataArray([0.0, 0.3, 0.6], dims="fnr")
    kappa = xr.DataArray(np.asarray(kappas, float), dims="seed")
    order = 1 - kappa * fpr / (1 - fnr)
    return order.assign_coords(fpr=fpr, fnr=fnr).transpose("fpr", "fnr", "seed")


def test_text_diagram():
    order = diagram([1.0], num_fpr=5)
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
    lines = phase.text_diagram(diagram([1.0], num_fpr=1)).splitlines()
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
def test_errors_shrink_below_one_over_kappa_and_grow_above(kappa, fnr):
    critical = (1 - fnr) / kappa

    def run(fpr, floor):
        return theory.trajectory(1e-6, fpr, fnr, kappa, floor, num_rounds=200)

    below, above = run(0.95 * critical, 0.0), run(1.05 * critical, 0.0)
    assert (np.diff(below) < 0).all() and below[-1] < 1e-9
    assert (np.diff(above) >= 0).all() and above[-1] > 0.01
    floor = run(0.5 * critical, 1e-4)[-1]
    assert floor == pytest.approx(2e-4, rel=0.02)  # 1e-4 / (1 - 1 / 2)
