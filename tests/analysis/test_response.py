"""The linear response, against loops that are exactly linear and whose response is known."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from avax.analysis import response, theory

NUM_ROUNDS, SEEDS, RATES = 6, 4, (0.0, 0.5, 1.0)
ERROR_BY_LAG = np.array([0.0, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02])
PROGRESS_BY_LAG = np.array([-0.4, -0.3, -0.25, -0.1, -0.05, -0.02, -0.01])
CLEAN_ERROR = np.linspace(0.4, 0.2, NUM_ROUNDS + 1)
CLEAN_PROGRESS = np.linspace(0.6, 0.8, NUM_ROUNDS + 1)


def lapse(start: int = 1, error_by_lag=ERROR_BY_LAG, progress_by_lag=PROGRESS_BY_LAG) -> xr.Dataset:
    """Runs of a linear loop with wrong labels in round `start`; seeds differ in level and dose."""
    wrong = np.array(RATES)[None] * np.linspace(0.1, 0.2, SEEDS)[:, None]
    error = np.full((SEEDS, len(RATES), NUM_ROUNDS + 1), np.nan)
    progress = np.empty_like(error)
    level = 0.05 * np.arange(SEEDS)[:, None]
    for t in range(NUM_ROUNDS + 1):
        late = t - start
        error[..., t] = CLEAN_ERROR[t] + level + (late >= 1) * error_by_lag[late] * wrong
        progress[..., t] = CLEAN_PROGRESS[t] - level + (late >= 0) * progress_by_lag[late] * wrong
    precision = np.ones_like(error)
    precision[..., start] = 1 - wrong
    dims = ("seed", "rate", "round")
    arrays = {"label_precision": precision, "sampled_accuracy": 1 - error, "accuracy": progress}
    arrays["diverged"] = np.zeros(error.shape)
    config = {
        "base": {"curriculum": {"type": "Fixed"}, "lapse": {"round": start}},
        "axes": {"lapse.rate": list(RATES)},
    }
    return xr.Dataset({n: (dims, a) for n, a in arrays.items()}, attrs={"config": config})


@pytest.mark.parametrize("start", [1, 2])
def test_a_known_response_is_found(start):
    found = response.predict(lapse(start)).response
    known = NUM_ROUNDS + 1 - start
    np.testing.assert_allclose(found.error_by_lag[1:known], ERROR_BY_LAG[1:known], atol=1e-9)
    np.testing.assert_allclose(found.progress_by_lag[:known], PROGRESS_BY_LAG[:known], atol=1e-9)
    assert (found.progress_by_lag[known:] == found.progress_by_lag[known - 1]).all()
    level = 0.05 * np.arange(SEEDS).mean()
    np.testing.assert_allclose(found.error[1:], CLEAN_ERROR[1:] + level, atol=1e-9)
    np.testing.assert_allclose(found.progress, CLEAN_PROGRESS - level, atol=1e-9)


def test_kappas_are_the_first_and_all_lags_with_intervals():
    found = response.predict(lapse())
    np.testing.assert_allclose(found.kappa, 3 * [ERROR_BY_LAG[1]], atol=1e-9)
    np.testing.assert_allclose(found.kappa_total, 3 * [ERROR_BY_LAG[1:-1].sum()], atol=1e-9)
    value, low, high = found.critical_ratio
    assert 0 < low <= value <= high < 10


def simulated(ratio: float) -> np.ndarray:
    """Progress of the linear loop under a verifier that always errs, wrong label by wrong label."""
    progress, wrong = CLEAN_PROGRESS.copy(), []
    for t in range(1, NUM_ROUNDS + 1):
        error = min(CLEAN_ERROR[t] + sum(ERROR_BY_LAG[t - s] * q for s, q in wrong), 1.0)
        wrong.append((t, theory.filtered_error(error, ratio, 0.0)))
        progress[t] += sum(PROGRESS_BY_LAG[t - s] * q for s, q in wrong)
    return progress


KNOWN = response.Response(CLEAN_ERROR, CLEAN_PROGRESS, ERROR_BY_LAG, PROGRESS_BY_LAG)


@pytest.mark.parametrize("ratio", [0.0, 0.05, 0.3, 1.0])
def test_the_trajectory_of_a_linear_loop_is_predicted(ratio):
    np.testing.assert_allclose(response.trajectory(KNOWN, ratio)[1], simulated(ratio), atol=1e-12)


def test_with_a_memory_of_one_round_it_is_the_mean_field():
    floor, kappa, ratio = 0.1, 0.8, 0.5
    short = KNOWN._replace(
        error=np.full(NUM_ROUNDS + 1, floor), error_by_lag=np.eye(NUM_ROUNDS + 1)[1] * kappa
    )
    expected = theory.trajectory(floor, ratio, 0.0, kappa, floor, NUM_ROUNDS)
    np.testing.assert_allclose(response.trajectory(short, ratio)[0][1:], expected, atol=1e-12)


def test_nothing_is_gained_at_the_critical_ratio():
    ratio = response.critical_ratio(KNOWN)
    assert 0 < ratio < 10
    assert simulated(ratio)[-1] == pytest.approx(CLEAN_PROGRESS[0], abs=2e-3)
    assert simulated(0.9 * ratio)[-1] > CLEAN_PROGRESS[0] > simulated(1.1 * ratio)[-1]


def test_without_a_response_no_verifier_is_too_bad_and_without_a_gain_all_are():
    deaf = KNOWN._replace(progress_by_lag=0 * PROGRESS_BY_LAG)
    assert response.critical_ratio(deaf) == float("inf")
    assert response.critical_ratio(KNOWN._replace(progress=CLEAN_PROGRESS[::-1])) == 0


def test_no_mistakes_no_response():
    data = lapse()
    data["label_precision"] = xr.ones_like(data.label_precision)
    found = response.predict(data)
    assert found.kappa == (0, 0, 0) and found.critical_ratio[0] == float("inf")


def test_a_seed_with_a_run_that_diverged_is_left_out():
    """Though its policy, which is not finite, has an accuracy like any other."""
    data = lapse()
    data.accuracy[1, 2, 3:] = data.sampled_accuracy[1, 2, 3:] = 0.0
    data.diverged[1, 2, 3:] = 1
    found = response.predict(data)
    expected = response.predict(data.drop_isel(seed=1))
    for one, other in zip(found.response, expected.response, strict=True):
        np.testing.assert_array_equal(one, other)
    assert found.critical_ratio[0] == expected.critical_ratio[0]


def test_without_a_seed_that_accepts_anything_nothing_is_known():
    data = lapse()
    data["label_precision"] = data.label_precision.where(data["round"] > 1)
    found = response.predict(data)
    assert np.isnan([*found.critical_ratio, *found.kappa, *found.response.error]).all()
