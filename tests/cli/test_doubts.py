"""Reasons to doubt results: found where they are, and nowhere else."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from small_sweeps import BASE, PRETRAINING

from avax import plotting
from avax.cli import doubts
from avax.faults.label_noise import LabelNoise
from avax.faults.lapse import Lapse
from avax.learners import FilteredSFT, Population
from avax.sweeps.needs import made_up
from avax.sweeps.sweep import Sweep
from avax.verifiers import AcceptAll, Noisy, Systematic

FPR, FNR = (0.0, 0.3), (0.1,)
BIG = FilteredSFT(num_problems=1000, num_samples=2)


def sweep(**fields) -> Sweep:
    base = BASE.replace(**{"learner": BIG, "num_rounds": 4} | fields)
    return Sweep(base, PRETRAINING, {"verifier.fpr": FPR, "verifier.fnr": FNR}, num_seeds=3)


def results(config: Sweep):
    """Runs that go well, with rates as promised and the sampling error that they then have."""
    data, rng = made_up(config), np.random.default_rng(1)
    data.accuracy_by_difficulty.values[...] = 0.9
    data.sampled_accuracy.values[...] = 0.8
    for name, count in (("fpr", 400), ("fnr", 1600)):
        promised = data[name] + 0 * data[f"verifier_{name}"]
        found = rng.binomial(count, promised.values) / count
        data[f"verifier_{name}"] = promised.copy(data=found)
    return data


def lines_of(config: Sweep, data) -> list[str]:
    return doubts.doubts({"": config}, [data], is_smoke=False)


def test_there_is_nothing_to_say_of_runs_that_went_well():
    assert lines_of(sweep(), results(sweep())) == []


@pytest.mark.parametrize("name, promised, found", [("fpr", "0.3", 0.25), ("fnr", "0.1", 0.15)])
def test_rates_that_are_not_those_of_the_verifier(name, promised, found):
    data = results(sweep())
    data[f"verifier_{name}"].loc[{"fpr": 0.3}] = found
    (line,) = lines_of(sweep(), data)
    assert f"in 1 of 2 settings the measured {name.upper()}" in line
    assert line.endswith(f"{found} instead of {promised}")


def test_a_rate_that_is_not_known_in_a_round_is_none():
    data = results(sweep())
    data.verifier_fpr.values[0] = np.nan  # nothing was wrong
    data.verifier_fpr.values[1, 0, 0, 2:] = np.nan
    assert lines_of(sweep(), data) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"verifier": Systematic()},  # its rates are of kinds of mistakes
        {"lapse": Lapse(rate=0.5)},
        {"label_noise": LabelNoise(drop_rate=0.1)},
    ],
)
def test_rates_that_are_promised_by_nobody(fields):
    data = results(sweep())
    data.verifier_fpr.values[...] = 0.9
    assert lines_of(sweep(**fields), data) == []
    assert lines_of(sweep(), data) != []


def test_completions_are_counted_within_a_population():
    config = sweep(learner=Population(BIG), num_bases=2)
    assert doubts._num_completions(config.base) == 2000
    assert lines_of(config, results(config)) == []


def test_bases_that_know_nothing_are_named_by_seed():
    data = results(sweep())
    data.accuracy_by_difficulty.values[:, :, 1, 0, 0] = 0.06  # of seed 1, as long as it was trained
    (line,) = lines_of(sweep(), data)
    assert "of seeds 1:" in line and "--pretraining.num-updates" in line


def test_runs_that_diverged_and_runs_that_were_never_trained():
    data = results(sweep())
    data.diverged.values[0, 0, :2, 3:] = 1
    data.grad_norm.values[1, 0, 2, 1:] = 0
    diverged, idle = lines_of(sweep(), data)
    assert diverged.startswith("2 of 6 runs diverged")
    assert idle.startswith("1 of 6 runs were never trained")


def test_settings_that_were_not_run_give_no_reason():
    data = results(sweep())
    missing = data.where(data.fpr > 0)
    assert lines_of(sweep(), missing) == []


def test_a_line_says_which_parts_it_is_of():
    good, bad = results(sweep()), results(sweep())
    bad.diverged.values[0, 0, 0, 3:] = 1
    parts = {"": sweep(), "grpo": sweep()}
    (line,) = doubts.doubts(parts, [good, bad], is_smoke=False)
    assert line.endswith("(in grpo)")
    (line,) = doubts.doubts(parts, [bad, bad], is_smoke=False)
    assert "(in" not in line


def test_smoke_says_that_it_says_nothing():
    data = results(sweep())
    data.accuracy_by_difficulty.values[...] = 0.0  # weak by design
    assert doubts.doubts({"": sweep()}, [data], is_smoke=True) == [doubts.SMOKE]


def test_snapshots_count_by_their_best():
    config = dataclasses.replace(sweep(), axes={"snapshot": (0, 1)})
    data = results(sweep()).isel(fnr=0).rename(fpr="snapshot")
    data.accuracy_by_difficulty.values[0] = 0.0
    assert not list(doubts._weak_bases(config, data))


def test_doubts_are_drawn_above_the_panels():
    figure = plotting.new_figure(6, 3)
    axes = figure.subplots()
    assert plotting.with_doubts(figure, []) is figure and figure.get_suptitle() == ""
    plotting.with_doubts(figure, [doubts.SMOKE, "3 of 4 runs diverged"])
    figure.draw_without_rendering()
    assert "smoke" in figure.get_suptitle() and "diverged" in figure.get_suptitle()
    box, panel = figure._suptitle.get_window_extent(), axes.get_tightbbox()
    assert box.x1 <= figure.bbox.x1 and box.y0 >= panel.y1


def test_noise_on_what_errs_itself_has_other_rates_than_it_is_called_by():
    """The flips of a verifier that accepts all: nothing that it rejects is there to be accepted."""
    config = sweep(verifier=Noisy(AcceptAll()))
    data = results(config)
    assert lines_of(config, data) == []
    data.verifier_fpr.values[...] = 0.9
    (line,) = lines_of(config, data)
    assert (
        "in 2 of 2 settings the measured FPR is not that of the verifier, 0.9 instead of 0" in line
    )
