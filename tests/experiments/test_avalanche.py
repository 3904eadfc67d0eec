"""How long self-training lasts: numbers by hand, the arms of the experiment, its figure."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import xarray as xr

from avax import plotting, struct
from avax.analysis import runway, seeds
from avax.fields import ConfigError
from avax.learners import FilteredSFT, SimplifyThenGuess
from avax.sweeps import needs
from avax.sweeps.validate import validate
from avax.verifiers import Oracle
from configs import avalanche as config
from paper_figures import avalanche as findings
from paper_figures import fig_avalanche as figure

START, NUM_ROUNDS, NUM_SEEDS = 5, 6, 4
nan = float("nan")


def arm(first: float, factor: float, num_samples: int, silent: bool = False) -> xr.Dataset:
    """Label errors that begin at `first` and grow by a factor each round, a bit more each seed."""
    seed, rounds = np.meshgrid(range(NUM_SEEDS), range(NUM_ROUNDS + 1), indexing="ij")
    error = np.minimum(first * factor ** (rounds - 1.0) * (1 + 0.01 * seed), 1.0)
    error[:, 0] = nan
    if silent:
        error[0, 3:] = nan  # nothing was accepted
    difficulty = np.arange(1, START + NUM_ROUNDS + 1)
    accuracy = np.broadcast_to(1 - error[..., None], (*error.shape, len(difficulty)))
    dims = ("seed", "round")
    learner = {"num_samples": num_samples, "num_problems": 100}
    base = {"learner": learner, "curriculum": {"type": "Frontier", "start": START, "step": 1}}
    return xr.Dataset(
        {
            "label_precision": (dims, 1 - error),
            "sampled_accuracy": (dims, 1 - np.minimum(2 * error, 1)),
            "accept_rate": (dims, np.where(rounds, 0.9, nan)),
            "diverged": (dims, np.zeros(error.shape)),
            "accuracy_by_difficulty": ((*dims, "difficulty"), accuracy),
        },
        {"seed": range(NUM_SEEDS), "round": range(NUM_ROUNDS + 1), "difficulty": difficulty},
        {"config": {"base": base}, "provenance": {}},
    )


def arms(silent: bool = False) -> list[xr.Dataset]:
    firsts, factors, samples = (0.1, 0.03, 0.02, 0.01, 0.008, 0.0), (3, 2.5, 2, 2, 2, 1), (1, 1, 3)
    samples = (*samples, 5, 5, 5)
    runs = [arm(*x, silent) for x in zip(firsts, factors, samples, strict=True)]
    return [*runs, *[on_base(run) for run in runs[:-1]]]


def on_base(run: xr.Dataset) -> xr.Dataset:
    """One round at two lengths; the second has twice the errors."""
    first = run.isel(round=slice(0, 2))
    both = [first, first.assign(label_precision=2 * first.label_precision - 1)]
    return xr.concat(both, xr.IndexVariable("start", [START, START + 1]))


def test_a_runway_ends_before_the_first_event():
    event = np.array([[0, 0, 1, 0], [1, 1, 1, 1], [0, 0, 0, 0]], bool)
    assert runway.runway(event).tolist() == [2, 0, 4]


def test_growth_by_hand():
    """From 0.01 to 0.03 to 0.09 to 0.6; then it is above one half, and before too small to tell."""
    error = np.array([[0.001, 0.01, 0.03, 0.09, 0.6, 0.9, nan]])
    found = np.exp(runway.growth(error, 0.01))
    np.testing.assert_allclose(found, [[nan, 3, 3, 0.6 / 0.09, nan, nan]])
    expected = (9 * 0.6 / 0.09) ** (1 / 3)
    assert runway.growth_factor(np.log(found)) == pytest.approx(expected)
    assert np.isnan(runway.growth_factor(np.array([nan])))


def test_growth_from_errors_that_vanish():
    found = np.exp(runway.growth(np.array([[0.04, 0.0, 0.0]]), 0.01))
    np.testing.assert_allclose(found, [[0.25, nan]])


def test_intervals_are_of_the_seeds():
    assert runway.interval(np.full(5, 3.0)) == (3.0, 3.0, 3.0)
    mean, low, high = runway.interval(np.arange(100.0))
    assert mean == 49.5 and 49.5 - 6.5 < low < 44.5 and 54.5 < high < 49.5 + 6.5
    assert np.isnan(runway.interval(np.full((3, 1), nan), lambda x: seeds.mean(x)[0])).all()


def test_what_is_read_from_results():
    data = arm(0.1, 2, 1)
    assert runway.posed(data).tolist() == list(range(START, START + NUM_ROUNDS))
    np.testing.assert_allclose(runway.label_error(data)[0], [0.1, 0.2, 0.4, 0.8, 1, 1])
    np.testing.assert_allclose(runway.guess_error(data)[0], [0.2, 0.4, 0.8, 1, 1, 1])
    data["accuracy_by_difficulty"] = 100.0 * data["round"] + data.difficulty
    data["accuracy_by_difficulty"] = data.accuracy_by_difficulty.expand_dims(seed=data.seed)
    assert runway.learned(data)[0].tolist() == [100.0 * r + START + r - 1 for r in range(1, 7)]


@pytest.mark.parametrize("silent", [False, True])
def test_the_figure_is_labelled(silent, tmp_path):
    drawn = figure.draw(*arms(silent))
    drawn.draw_without_rendering()
    assert len(drawn.axes) == 6
    for axes in drawn.axes[:5]:
        assert axes.get_xlabel() and axes.get_title()
    named = [text.get_text() for text in drawn.axes[5].get_legend().get_texts()]
    assert len(named) == len(findings.ARMS) + 4
    assert any("1 to 3" in name for name in named) and any("1 to 5" in name for name in named)
    first = plotting.save(drawn, tmp_path / "a")
    again = plotting.save(figure.draw(*arms(silent)), tmp_path / "b")
    same = [p.read_bytes() for p in first] == [p.read_bytes() for p in again]
    assert same  # a difference of bytes takes pytest minutes to print


def test_the_summary_gives_runways_and_growth():
    text = figure.summary(*arms())
    assert "4 seeds, 6 rounds" in text and "from 5 digits on" in text
    assert "times 3.00 (3.00 to 3.00)" in text and "times 2.00 (2.00 to 2.00)" in text
    # 0.03, 0.075, 0.1875 against 0.1 in one seed and a bit more in three.
    assert "until label error above 10 %: 2.00 (2.00 to 2.00), 1.75" in text
    assert "at 5, 6 digits" in text and "majority vote: 0.0203, 0.0406" in text
    # Three arms reach one half, all of them through one tenth.
    assert "of 12 runs without the truth that failed" in text and "12 had label errors" in text


def back_to_rounds(sweep, part):
    """A part that looks at the base as it would be with the sweep's own rounds."""
    assert part.base.num_rounds == 1 and min(part.axes["curriculum.start"]) == 1 + (
        sweep.base.base_difficulty
    )
    rounds = {name: getattr(sweep.base, name) for name in ("num_rounds", "num_eval")}
    return dataclasses.replace(part, base=part.base.replace(**rounds), axes={})


@pytest.mark.parametrize("preset", config.CHOICES["preset"])
def test_arms_differ_in_learner_and_verifier_alone(preset):
    sweep = config.build(preset)
    parts = config.parts(sweep)
    assert tuple(parts) == figure.PARTS
    validate(sweep)
    for name, part in parts.items():
        validate(part)
        if name.startswith("base/"):
            part = back_to_rounds(sweep, part)
        plain = part.base.replace(learner=sweep.base.learner, verifier=sweep.base.verifier)
        assert dataclasses.replace(part, base=plain) == sweep
    most = 3 if preset == "smoke" else 5  # where both votes are the same
    same = 2 if preset == "smoke" else 0
    assert len({part.digest() for part in parts.values()}) == len(parts) - same
    numbers = [1, 1, 3, most, most]
    found = [part.base.learner.num_samples for part in parts.values()]
    assert found == [*numbers, most, *numbers]


def test_flags_reach_every_arm():
    sweep = struct.replace(config.build("laptop"), "base.learner.learning_rate", 1e-4)
    learners = [part.base.learner for part in config.parts(sweep).values()]
    assert all(learner.learning_rate == 1e-4 for learner in learners)
    assert isinstance(learners[0], FilteredSFT) and learners[0].temperature == 0.0
    assert all(isinstance(learner, SimplifyThenGuess) for learner in learners[1:6])


@pytest.mark.parametrize(
    "path, value",
    [("learner", FilteredSFT()), ("verifier", Oracle()), ("learner.num_samples", 2)],
)
def test_arms_need_their_learner_and_verifier(path, value):
    sweep = struct.replace(config.build("laptop"), f"base.{path}", value)
    with pytest.raises(ConfigError, match=f"base.{path}"):
        needs.parts(config, sweep)


def test_arms_have_no_axes():
    sweep = struct.replace(config.build("laptop"), "axes", {"learner.base_rate": (0.1, 0.2)})
    with pytest.raises(ConfigError, match="axes: are learner.base_rate, must be none"):
        needs.parts(config, sweep)
