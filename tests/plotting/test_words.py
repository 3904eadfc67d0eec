"""What any sweep came to, in words: the numbers are those worked out by hand."""

from __future__ import annotations

import numpy as np
from hand_made import NAMES, SPREAD, SWEEPS, grid, made, nan
from scipy import stats

from avax.analysis import lengths, phase
from avax.metrics import METRICS
from avax.plotting import overview, words


def test_the_numbers_of_every_run_are_known():
    """What stands here imports no JAX, so they are named twice."""
    assert words.STANDARD == set(METRICS)


def test_the_summary_has_the_numbers():
    lines = overview.summary(SWEEPS["names"]).splitlines()
    half = stats.t.ppf(0.975, 2) * SPREAD / np.sqrt(3)
    assert lines[:3] == [
        "3 settings (3 of verifier), 3 seeds each, 4 rounds",
        "diverged: 0 of 9 runs",
        "in brackets: 95 % t intervals over seeds",
    ]
    assert "accuracy 0.6, 0.9 at the lengths that it was trained on, 1 to 2" in lines[3]
    assert "solved length 2.40 (2.40 to 2.40) of 4 digits" in lines[3]
    assert lines[4] == "final gain: solved length after round 4 minus the base's, digits"
    gain = f"{-0.3:+.2f} ({-0.3 - half:+.2f} to {-0.3 + half:+.2f})"
    assert lines[5] == f"  none: {gain}; retention 0.9 -> 0.85"
    assert "  oracle: FPR 0.25 -> 0.25, FNR 0.5 -> 0.5, label precision 0.75 -> 0.75" in lines
    text = "\n".join(lines)
    assert "control: the base is the same policy before training" in text
    assert "there is no sham here" in text and "no frozen generator here" in text
    assert "collapse" not in text and "compound" not in text


def test_the_summary_says_what_was_not_run_or_diverged_or_measured():
    text = overview.summary(SWEEPS["spoilt line"])
    assert "run: 2 of 3 settings" in text and "diverged: 1 of 6 runs" in text
    assert "fpr 0.1: 1 of 3 runs diverged; retention 0.9 -> 0.85 of the runs that did not" in text
    assert "one seed: no interval" in overview.summary(SWEEPS["one seed"])
    assert "no setting was run" in overview.summary(SWEEPS["not run"])
    silent = SWEEPS["names"].copy(deep=True)
    silent.label_precision[:] = nan
    assert "label precision - -> -" in overview.summary(silent)


def test_the_summary_of_many_settings_names_the_best_and_the_worst():
    text = overview.summary(SWEEPS["many numbers"])
    assert f"{(grid(20) > 0).sum()} of 20 settings have a mean above 0" in text
    assert "rate 1: +0.40" in text and "rate 0.001: -0.30" in text and "picked by outcome" in text


def test_the_summary_of_two_axes_has_a_picture_or_a_table():
    text = overview.summary(SWEEPS["FPR and FNR"])
    assert phase.text_diagram(lengths.final_gain(SWEEPS["FPR and FNR"])) in text
    table = overview.summary(SWEEPS["names twice"]).splitlines()
    head = table.index("mean final gain, learner downwards, verifier to the right")
    assert [row.split() for row in table[head + 1 : head + 4]] == [
        NAMES,
        ["a", *(f"{x:+.2f}" for x in grid(3, 2)[:, 0])],
        ["b", *(f"{x:+.2f}" for x in grid(3, 2)[:, 1])],
    ]


def test_controls_that_are_there_are_not_missed():
    text = overview.summary(made({"learner": ["loop", "sham", "frozen"]}, grid(3)))
    assert "control: the base" in text and "there is no" not in text
    assert "no sham" not in overview.summary(made({"base_rate": [0.2, 1.0]}, [0, 0]))
    assert "no frozen" not in overview.summary(made({"frozen_generator": [0, 1]}, [0, 0]))
