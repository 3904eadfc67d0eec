"""Linear response: what one lapse of the verifier says about a verifier that always errs.

A lapse in one round lets some of the policy's own mistakes into the data. How much more the policy
errs in every round afterwards, for each unit of wrong labels, is the loop's impulse response. If
responses add up, they predict the whole trajectory under any verifier, and so the boundary: where
the gain of a clean run is used up. Summed over lags the response takes the place of kappa in the
one-round mean field of `theory`, which knows nothing of a policy's memory.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr

from avax.analysis import monotone, phase, theory
from avax.analysis.intervals import jackknife, jackknife_error, quantile_of_t

RATIOS = np.concatenate([[0.0], np.geomspace(1e-4, 10, 501)])  # that are looked through


class Response(NamedTuple):
    """A clean run, and how wrong labels change it, in units of the share of wrong labels."""

    error: np.ndarray  # f[R + 1], share of wrong completions in round t of a clean run
    progress: np.ndarray  # f[R + 1], accuracy or solved length after round t of a clean run
    error_by_lag: np.ndarray  # f[R + 1], change of the share of wrong completions t rounds later
    progress_by_lag: np.ndarray  # f[R + 1], change of progress after t more rounds


class Prediction(NamedTuple):
    """What is expected of verifiers that err in every round, with intervals over bases."""

    critical_ratio: tuple[float, float, float]  # FPR / (1 - FNR) and interval; inf: none
    kappa: tuple[float, float, float]  # change of the next round's error
    kappa_total: tuple[float, float, float]  # summed over the lags that were seen
    response: Response


def predict(dataset: xr.Dataset) -> Prediction:
    """From runs with wrong labels in one round alone: a sweep over the rate of a lapse or of noise.

    Intervals are of leaving out each base once. Lags that the runs are too short for keep the last
    value. Seeds with a run that diverged or accepted nothing are left out; NaN if none is left.
    """
    start, *data = injected(dataset)
    known = np.isfinite(data[0]).all(1) & np.isfinite(data[2]).all((1, 2))
    data = [x[known] for x in data]
    seen = [measure(*data, start)]
    num = int(known.sum())
    if num > 1:
        seen += [measure(*(np.delete(x, i, axis=0) for x in data), start) for i in range(num)]
    total = jackknife(
        np.arange(num),
        lambda i: (
            measure(*(x[i] for x in data), start).error_by_lag[1 : len(seen[0].error) - start].sum()
        ),
    )
    return Prediction(critical_ratios(seen), amplification(dataset)[:3], total[:3], seen[0])


def critical_ratios(seen: list[Response]) -> tuple[float, float, float]:
    """The critical ratio of the first response; and, as interval, the ratios at which the predicted
    gain can't be told from 0, the others being the responses without each of the bases.
    """
    value = critical_ratio(seen[0])
    if len(seen) < 2 or np.isnan(value):
        return value, float("nan"), float("nan")
    gains = np.array([final_gains(x) for x in seen])
    half = quantile_of_t(len(seen) - 1) * jackknife_error(gains[1:])
    return value, *monotone.crossings_of_band(RATIOS, gains[0], half)[1:]


def injected(dataset: xr.Dataset) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
    """The round with wrong labels, and what `measure` takes of runs with wrong labels in one round.

    Args:
      dataset: a sweep over one number of `lapse` or `label_noise`, whose rate it is.
    """
    dataset = phase.until_diverged(dataset)
    config = dataset.attrs["config"]
    (path,) = config["axes"]
    owner, _, rate = path.rpartition(".")
    start = int(config["base"][owner]["round"])
    wrong_labels = 1 - dataset.label_precision.isel(round=start)
    found = wrong_labels, 1 - dataset.sampled_accuracy, phase.progress(dataset)
    return start, *(x.transpose("seed", rate, ...).values for x in found)


def amplification(dataset: xr.Dataset) -> theory.Amplification:
    """kappa of mean field, from runs with wrong labels in one round: what the next round shows."""
    start, wrong_labels, error, _ = injected(dataset)
    return theory.amplification(wrong_labels, error[..., start + 1])


def measure(
    wrong_labels: np.ndarray, error: np.ndarray, progress: np.ndarray, start: int
) -> Response:
    """The response by least squares, with an intercept for each seed and round.

    Args:
      wrong_labels: f[S, N], share of wrong labels in the data of round `start`.
      error: f[S, N, R + 1], share of wrong completions in each round; round 0 is not used.
      progress: f[S, N, R + 1], after each round.
    """
    if len(wrong_labels) == 0:
        return Response(*np.full((len(Response._fields), error.shape[-1]), np.nan))

    def clean_and_slope(y):
        slope = theory.slope(wrong_labels, y)
        slope[:start] = 0.0  # before the lapse
        return y.mean((0, 1)) - slope * wrong_labels.mean(), slope

    def by_lag(slope):
        return np.concatenate([slope[start:], np.full(start, slope[-1])])

    clean_error, error_slope = clean_and_slope(error)
    clean_progress, progress_slope = clean_and_slope(progress)
    return Response(clean_error, clean_progress, by_lag(error_slope), by_lag(progress_slope))


def trajectory(response: Response, ratio: float | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Errors and progress f[R + 1, ...] under verifiers with FPR / (1 - FNR) = `ratio` f[...]."""
    ratio = np.asarray(ratio, float)
    error, progress = (
        np.tile(clean.reshape(-1, *[1] * ratio.ndim), (1, *ratio.shape))
        for clean in (response.error, response.progress)
    )
    wrong_labels = np.zeros_like(error)
    for t in range(1, len(error)):
        past = wrong_labels[1 : t + 1][::-1]  # of this round, still to come, and of those before
        error[t] = np.clip(error[t] + np.tensordot(response.error_by_lag[:t], past, 1), 0, 1)
        wrong_labels[t] = theory.filtered_error(error[t], ratio, 0.0)
        progress[t] += np.tensordot(response.progress_by_lag[:t], past, 1)
    return error, progress


def critical_ratio(response: Response, level: float = 0.0) -> float:
    """The smallest FPR / (1 - FNR) at which no more than a level is gained; infinite if there is
    none up to 10. By default nothing is gained there: runs end as good as the untouched base.

    0 if a clean run gains no more.
    """
    gains = final_gains(response)
    if np.isnan(gains).any() or np.isnan(level):
        return float("nan")
    found = monotone.crossing(RATIOS, gains, level)
    return float("inf") if np.isnan(found) else found


def final_gains(response: Response) -> np.ndarray:
    """f[502]: what is gained in the end at each of `RATIOS`."""
    return trajectory(response, RATIOS)[1][-1] - response.progress[0]
