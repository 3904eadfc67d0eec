"""How long self-training lasts: numbers by hand, the arms of the experiment, its figure."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest
import xarray as xr

from avax import struct
from avax.analysis import runway
from avax.analysis.intervals import Estimate
from avax.fields import ConfigError
from avax.learners import FilteredSFT, SimplifyThenGuess
from avax.sweeps import needs
from avax.sweeps.validate import validate
from avax.verifiers import Oracle
from configs import avalanche as config
from paper_figures import avalanche as findings
from paper_figures import avalanche_effects as effects
from paper_figures import avalanche_fixed as fixed
from paper_figures import fig_avalanche as figure
from paper_figures.claims import UNKNOWN

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
    curriculum = {"type": "Frontier", "start": START, "step": 1}
    base = {"learner": learner, "curriculum": curriculum, "base_difficulty": START - 1}
    return xr.Dataset(
        {
            "label_precision": (dims, 1 - error),
            "accept_rate": (dims, np.where(rounds, 0.9, nan)),
            "wrong_way_share": (dims, error / 10),
            "step_precision": (dims, 1 - error / 2),
            "num_accepted": (dims, np.where(rounds, 100.0, nan)),
            "diverged": (dims, np.zeros(error.shape)),
            "accuracy_by_difficulty": ((*dims, "difficulty"), np.nan_to_num(accuracy, nan=0.9)),
        },
        {"seed": range(NUM_SEEDS), "round": range(NUM_ROUNDS + 1), "difficulty": difficulty},
        {"config": {"base": base}, "provenance": {}},
    )


def arms(silent: bool = False, with_controls: bool = False) -> list[xr.Dataset | None]:
    firsts, factors = (0.1, 0.03, 0.02, 0.01, 0.008, 0.0, 0.0), (3, 2.5, 2, 2, 2, 1, 1)
    samples = (1, 1, 3, 5, 5, 5, 1)
    runs = [arm(*x, silent) for x in zip(firsts, factors, samples, strict=True)]
    controls = [None] * len(findings.CONTROLS)
    if with_controls:
        controls = [arm(0.2, 2, 5) for _ in controls]
        for run in runs:
            run["base_accuracy"] = xr.where(run["round"] > 0, 0.75, nan) + 0 * run.diverged
    twice = xr.concat([runs[0]] * 2, xr.IndexVariable("replicate", [0, 1]))
    return [*runs, *[on_base(run) for run in runs[:5]], twice, *controls]


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
    assert np.exp(findings.pace(error, 0.01)) == pytest.approx(expected)
    assert np.isnan(findings.pace(np.array([[nan, 0.1]]), 0.01)).all()


def test_growth_from_errors_that_vanish():
    found = np.exp(runway.growth(np.array([[0.04, 0.0, 0.0]]), 0.01))
    np.testing.assert_allclose(found, [[0.25, nan]])


def test_what_is_read_from_results():
    data = arm(0.1, 2, 1)
    assert runway.posed(data).tolist() == list(range(START, START + NUM_ROUNDS))
    np.testing.assert_allclose(runway.label_error(data)[0], [0.1, 0.2, 0.4, 0.8, 1, 1])


def test_compounding_is_loop_minus_frozen_generator():
    """Without one: minus the base's labels, at the lengths at which there are some."""
    bump = 1 + 0.01 * np.arange(NUM_SEEDS)[:, None]
    without = findings.split(*arms())
    np.testing.assert_allclose(
        findings.compounding(without, "direct"), bump * [[0, 0.3 - 0.2, *[nan] * 4]], atol=1e-12
    )
    np.testing.assert_allclose(findings.compounded(without, "direct", 2), 0.1 * bump[:, 0])
    frozen = findings.split(*arms(with_controls=True))
    found = findings.compounding(frozen, "direct")[0]
    np.testing.assert_allclose(found, [-0.1, -0.1, 0.1, 0, 0, 0], atol=1e-12)
    only_of_base = findings.compounding(frozen, "simplify")[0]
    np.testing.assert_allclose(only_of_base, [0, 0.015, *[nan] * 4], atol=1e-12)
    np.testing.assert_allclose(findings.untouched(frozen), np.full((NUM_SEEDS, NUM_ROUNDS), 0.25))
    np.testing.assert_allclose(findings.untouched(without)[0], [0.1, 0.2, *[nan] * 4])


def test_paces_of_the_loop_and_of_the_base():
    loop, base = findings.paces(findings.split(*arms()), "direct")
    np.testing.assert_allclose(np.exp(loop), 3)
    np.testing.assert_allclose(np.exp(base), 2)
    assert effects.faster("1e-3", *arms()).value == pytest.approx(1.5)
    assert np.isnan(effects.collapsed("1e-3", 2, *arms()).value)  # no sham


def test_effects_at_two_rates_are_of_two_folders():
    other = [x and x.assign(label_precision=1 + 0 * x.label_precision) for x in arms()]
    found = effects.prepared(*arms(), *other)
    assert list(found) == ["1e-3", "3e-3"]
    assert effects.stopped("1e-3", "direct", *arms(), *other).value == 1
    assert effects.stopped("3e-3", "direct", *arms(), *other).value == 0
    assert effects.cut(START, *arms()) == effects.cut(START, *arms(), *other)


def test_errors_on_fixed_lengths_by_hand():
    """All lengths have one accuracy: direct answers 0.1, 0.3, 0.9, 1 wrong; a frozen generator's
    policy 0.2, 0.4, 0.8, 1; and 1 where a run has diverged.
    """
    runs = findings.split(*arms(with_controls=True))
    assert fixed.fixed_lengths(runs.arms["direct"]).tolist() == [5, 6, 7, 8]
    found = fixed.errors(runs.arms["direct"])[0]
    np.testing.assert_allclose(found, [0.1, 0.1, 0.3, 0.9, 1, 1, 1], atol=1e-12)
    bump = 1 + 0.01 * np.arange(NUM_SEEDS)
    found = [fixed.worse(runs, "direct", x, 2) for x in ("sham", fixed.BASE)]
    np.testing.assert_allclose(found, [(0.3 - 0.4) * bump, 0.3 * bump - 0.1])
    assert fixed.worse(findings.split(*arms()), "direct", "sham", 2) is None
    assert np.isnan(effects.worse("1e-3", "sham", 2, *arms()).value)
    lost = runs.arms["direct"].assign(diverged=1 + 0 * runs.arms["direct"].diverged)
    assert (fixed.errors(lost) == 1).all()


def test_decay_over_growth_by_hand():
    """11 lengths: one loop falls from 0.9 to 0.7 right in two rounds, the other comes to 1."""
    runs = findings.split(*arms())
    np.testing.assert_allclose(fixed.pace(runs.arms["direct_oracle"], 2), 11 * 0.1 / 2)
    loss = 0.9 - (1 - 0.3 * (1 + 0.01 * np.arange(NUM_SEEDS)))
    np.testing.assert_allclose(fixed.pace(runs.arms["direct"], 2), -11 * loss / 2)
    decay, growth = fixed.paces(runs, 2)
    np.testing.assert_allclose(decay, 11 * loss / 2)
    np.testing.assert_allclose(growth, 11 * 0.1 / 2)
    half = effects.loses_half("1e-3", 2, *arms()).value
    assert half == pytest.approx((decay - growth / 2).mean())


def test_gains_compound_beyond_the_labels_of_the_base():
    """The sham on the base's own right answers falls from 0.9 to 0.6 right in two rounds."""
    runs = findings.split(*arms(with_controls=True))
    found = fixed.compounded(runs, "direct_oracle", "matched_sham", 2)
    np.testing.assert_allclose(found, 11 * (0.1 + 0.4 * (1 + 0.01 * np.arange(NUM_SEEDS)) - 0.1))
    of = "direct_oracle", "matched_sham", 2
    assert np.isnan(effects.solved_beyond("1e-3", *of, *arms()).value)


def test_wrong_steps_compound_beyond_a_frozen_generators():
    """Half of label errors: 0.01, 0.02 in rounds 2 and 3 of the vote, against 0.2, 0.4."""
    runs = findings.split(*arms(with_controls=True))
    bump = 1 + 0.01 * np.arange(NUM_SEEDS)
    found = fixed.steps_compounded(runs, "vote", 3)
    np.testing.assert_allclose(found, bump * (0.01 + 0.02 - 0.2 - 0.4) / 2)
    assert fixed.steps_compounded(findings.split(*arms()), "vote", 3) is None
    found = effects.wrong_ways("1e-3", "vote", 3, *arms()).value
    assert found == pytest.approx((0.01 + 0.02 + 0.04) / 30 * bump.mean())


def test_a_loop_is_compared_with_controls_that_train():
    runs = findings.split(*arms(with_controls=True))
    bump = 1 + 0.01 * np.arange(NUM_SEEDS)
    found = findings.beyond(runs, "direct", "sham", 3)
    np.testing.assert_allclose(found, (np.minimum(0.9 * bump, 1) + 0.3 * bump - 1.2 * bump) / 2)
    assert findings.beyond(findings.split(*arms()), "direct", "sham", 3) is None


def test_of_several_differences_the_least_counts():
    low, high = Estimate(1, -1, 3, 9), Estimate(2, 1, 2.5, 8)
    assert effects.lowest(low, high) == (1, -1, 2.5, 8)
    assert np.isnan(effects.lowest(low, UNKNOWN).value)
    data = arms(with_controls=True)
    each = [effects.compounded("1e-3", "direct", 2, *data)]
    each.append(effects.beyond("1e-3", "direct", "sham", 2, *data))
    assert effects.beyond_all("1e-3", 2, *data).value == min(x.value for x in each)
    found = effects.worse_than_all("1e-3", 2, *data)
    assert found.value == effects.worse("1e-3", "sham", 2, *data).value < 0


def test_bases_that_were_left_out_are_no_rows():
    data = arms(with_controls=True)
    out = [x.assign_coords(admitted=("seed", [1, 0, 1, 1])) for x in data]
    runs = findings.split(*out)
    assert runs.arms["direct"].seed.values.tolist() == [0, 2, 3]
    assert len(findings.longer(runs, "vote", 0.1)) == 3


def test_rounds_are_compared_base_by_base():
    """Direct labels: 0.1, 0.3, ...; after one step: 0.03, 0.075, 0.19."""
    runs = findings.split(*arms())
    assert findings.rounds_until(runs, "direct", 0.1).tolist() == [1, 0, 0, 0]
    assert findings.longer(runs, "simplify", 0.1).tolist() == [1, 2, 2, 2]
    assert findings.longer(runs, "oracle", 0.5).tolist() == [NUM_ROUNDS - 2] * NUM_SEEDS
    # Of two rounds, 0.1 and 0.3 against 0.1 and 0.2.
    assert findings.outlasted(runs, "direct", 0.25).tolist() == [-1] * NUM_SEEDS


def test_a_cut_is_of_all_bases_together():
    data = arms()
    runs = findings.split(*data)
    assert findings.cut(runs, START).value == pytest.approx(0.1 / 0.008)
    assert findings.cut(runs, START + 1).value == pytest.approx(0.2 / 0.016)
    with_both = next(i for i, name in enumerate(findings.PARTS) if name == "base/vote_commutative")
    data[with_both] = data[with_both].assign(label_precision=1 + 0 * data[with_both].diverged)
    none = findings.cut(findings.split(*data), START)
    assert none.value == np.inf and none.low == 0  # no wrong label says how few there are


def test_a_loop_ends_where_hardly_anything_is_accepted():
    data = arms()
    few = data[4].accept_rate.where(data[4]["round"] != 3, 0.04)
    data[4] = data[4].assign(accept_rate=few)
    runs = findings.split(*data)
    assert (findings.rounds_until(runs, "vote_commutative", 0.5) == 2).all()
    assert (findings.stopped(runs, "vote_commutative") == 1).all()


def test_leads_end_where_a_run_has_fallen_by_a_digit():
    """11 lengths, all of one accuracy: 9.9 with 0.1 wrong labels, and less than 8.9 with 0.3."""
    found = findings.leads(findings.split(*arms()))
    assert found[0] == 0 and found[1] == 1  # label errors of 0.1 and 0.101 in round 1
    silent = [run and run.assign(label_precision=1 + 0 * run.label_precision) for run in arms()]
    late = findings.leads(findings.split(*silent))
    assert (late[:NUM_SEEDS] == 1 - NUM_ROUNDS).all()


def test_arms_of_fewer_bases_are_compared_with_the_same_bases():
    data = arms()
    some = [x.isel(seed=[0, 2]) if i in (1, 2, 3, 4, 5) else x for i, x in enumerate(data)]
    runs, all_runs = findings.split(*some), findings.split(*data)
    found = findings.longer(runs, "simplify", 0.1)
    assert found.tolist() == findings.longer(all_runs, "simplify", 0.1)[[0, 2]].tolist()


@pytest.mark.parametrize("kind", ["plain", "silent", "with controls"])
def test_the_figures_are_labelled(kind):
    data = arms(kind == "silent", kind == "with controls")
    for draw in figure.FIGURES.values():
        drawn = draw(*data)
        drawn.draw_without_rendering()
        assert all(axes.get_xlabel() and axes.get_title(loc="left") for axes in drawn.axes)
    words = [text.get_text() for text in figure.draw(*data).legends[0].get_texts()]
    assert {"direct", "vote of 3", "vote of 5", "truth", "untouched base"} <= set(words)
    across = figure.ACROSS["rates"](*data, *data)
    across.draw_without_rendering()
    names = [text.get_text() for text in across.axes[0].get_yticklabels()]
    assert names[0].startswith("rate 1e-3") and len(names) == 2 * 6
    assert (set(figure.WORDS.values()) <= set(words)) == (kind == "with controls")


def test_the_summary_gives_runways_and_growth():
    text = figure.summary(*arms())
    assert "4 bases, 6 rounds" in text and "from 5 digits on" in text
    assert re.search(r"times 3[.0]* \(3.* a round; of the untouched base times 2[.0]* \(2", text)
    # 0.03, 0.075, 0.1875 against 0.1 in one seed and a bit more in three.
    assert "until label error above 10 %: 2 (2 to 2), 1.75" in text
    assert "standard deviation between bases" in text and text.endswith("between two runs of one 0")
    assert "at 5 to 8 digits" in text
    assert "at 5, 6 digits" in text and "majority vote: 0.0203, 0.0406" in text


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
    assert (*parts, *findings.CONTROLS) == figure.PARTS
    assert set(needs.parts(config, sweep, config.CONTROLS)) == set(figure.PARTS)
    validate(sweep)
    for name, part in parts.items():
        validate(part)
        if name.startswith("base/"):
            part = back_to_rounds(sweep, part)
        if name == "twice":
            assert part.axes == {"replicate": (0, 1)}
            part = dataclasses.replace(part, axes={})
        most = sweep.num_seeds if "direct" in name else config.MOST_BASES
        assert part.num_seeds == min(sweep.num_seeds, most)
        part = dataclasses.replace(part, num_seeds=sweep.num_seeds)
        plain = part.base.replace(learner=sweep.base.learner, verifier=sweep.base.verifier)
        assert dataclasses.replace(part, base=plain) == sweep
    most = 3 if preset == "smoke" else 5  # where both votes are the same
    same = 2 if preset == "smoke" else 0
    assert len({part.digest() for part in parts.values()}) == len(parts) - same
    numbers = [1, 1, 3, most, most]
    found = [part.base.learner.num_samples for part in parts.values()]
    assert found == [*numbers, most, 1, *numbers, 1]


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
