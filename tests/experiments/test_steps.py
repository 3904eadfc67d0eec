"""The experiment steps: its parts, and what its figure finds in made-up data."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import xarray as xr

from avax import plotting
from avax.analysis import intervals
from avax.fields import ConfigError
from avax.sweeps import needs
from avax.tasks import Chain
from avax.verifiers import AcceptAll, Oracle, StepOracle
from configs import steps as config
from paper_figures import fig_steps as figure
from paper_figures import steps as findings
from paper_figures import steps_effects as effects
from paper_figures.claims import Verdict, judge
from paper_figures.steps import FROZEN

PRESETS = config.CHOICES["preset"]
RATE = effects.FIRST


@pytest.mark.parametrize("preset", PRESETS)
def test_parts_differ_in_what_their_names_say(preset):
    sweep = config.build(preset)
    parts = config.parts(sweep)
    assert tuple(needs.parts(config, sweep, config.CONTROLS)) == figure.PARTS
    verifiers = {"none": AcceptAll(), "steps": StepOracle()}
    for name, part in parts.items():
        is_exact = name == "exact_outcome"
        assert part.base.task == sweep.base.task.replace(outcome_only=not is_exact)
        assert part.base.verifier == verifiers.get(name, Oracle())
        assert part.base.replicate == (name == "again")
        assert part.pretraining == sweep.pretraining
        assert dataclasses.replace(part, base=sweep.base, axes={}).digest() == (
            dataclasses.replace(sweep, axes={}).digest()
        )
        assert part.axes == sweep.axes | ({config.FPR: config.FPRS} if is_exact else {})
    assert len({part.digest() for part in parts.values()}) == len(parts)


def test_what_is_shipped_is_of_bases_that_the_frontier_was_not_chosen_by():
    looked_at, shipped = config.build("laptop"), config.build("shipped")
    assert shipped.seed == looked_at.num_seeds and looked_at.seed == 0


@pytest.mark.parametrize(
    "change, words",
    [
        ({"axes": {}}, "axes: .*task.modulus"),
        ({"verifier": Oracle(fpr=0.1)}, "base.verifier: .*parts"),
        ({"task": Chain(max_difficulty=36)}, "base.task.outcome_only: is False"),
    ],
)
def test_what_does_not_fit_is_refused(change, words):
    sweep = config.build("laptop")
    if "axes" not in change:
        change = {"base": sweep.base.replace(**change)}
    with pytest.raises(ConfigError, match=words):
        needs.parts(config, dataclasses.replace(sweep, **change))


MODULI, NUM_ROUNDS, LENGTHS, FPRS = (2, 5), 8, 6, (0.0, 0.5)
CLEAN = "exact_outcome"


def dataset(gain, right, right_sum, accept, *, fprs=(), num_seeds=5, **experiment):
    """Runs that gain `gain` lengths in the end, by modulus, each seed beside it; 10 less for each
    unit of FPR; shares of a round.

    Args:
      right, right_sum, accept: P(no step is wrong), P(the last sum is right) and P(accepted), by
        modulus; whoever is accepted is right with P = right / accept.
    """
    axes = {"modulus": MODULI} | ({"fpr": fprs} if fprs else {})
    axes |= {"seed": range(num_seeds), "round": range(NUM_ROUNDS + 1)}
    coords = {name: list(values) for name, values in axes.items()}
    template = xr.DataArray(np.zeros([len(v) for v in coords.values()]), coords, list(coords))
    beside = 0.01 * (template.seed - (num_seeds - 1) / 2)
    by_modulus = {"modulus": coords["modulus"]}
    gain = xr.DataArray(np.broadcast_to(gain, len(MODULI)).astype(float), by_modulus)
    if fprs:
        gain = gain - 10 * template.fpr
    length = 1 + gain * template["round"] / NUM_ROUNDS + beside + template
    shares = (template + xr.DataArray(list(x), by_modulus) for x in (right, right_sum, accept))
    right, right_sum, accept = (x.where(x["round"] > 0) for x in shares)
    by_difficulty = (length / LENGTHS).expand_dims(difficulty=range(1, LENGTHS + 1), axis=-1)
    metrics = {
        "accuracy_by_difficulty": by_difficulty,
        "base_accuracy": length.isel(round=0, drop=True) / LENGTHS + template,
        "diverged": template,
        "sampled_accuracy": right_sum,
        "accept_rate": accept,
        "trace_precision": (right / accept).where(accept > 0),
    }
    base = {
        "curriculum": {"type": "Frontier"},
        "base_difficulty": 2,
        "replicate": 0,
        "learner": {"type": "FilteredSFT", "learning_rate": 3e-3, "base_rate": 0.25},
    }
    attrs = {"config": {"base": base | experiment, "axes": {}}, "provenance": {}}
    return xr.Dataset(metrics, attrs=attrs)


RIGHT, RIGHT_SUM, ALL = (0.4, 0.5), (0.7, 0.55), (1.0, 1.0)


def made_up(gains: dict | None = None, **kwargs) -> dict[str, xr.Dataset]:
    """Half of the wrong chains have the right last sum modulo 2, a tenth modulo 5."""
    gains = {"none": -1.0, "outcome": 2.0, "steps": 3.0, CLEAN: 3.0} | (gains or {})
    return {
        "none": dataset(gains["none"], RIGHT, RIGHT_SUM, ALL, **kwargs),
        "outcome": dataset(gains["outcome"], RIGHT, RIGHT_SUM, RIGHT_SUM, **kwargs),
        "steps": dataset(gains["steps"], RIGHT, RIGHT_SUM, RIGHT, **kwargs),
        CLEAN: dataset(gains[CLEAN], RIGHT, RIGHT, RIGHT, fprs=FPRS, **kwargs),
        "again": dataset(gains["outcome"] + 0.1, *[RIGHT_SUM] * 3, replicate=1, **kwargs),
    }


def with_controls(parts, sham: float = -0.5, **kwargs):
    """A sham that loses, and frozen generators: half of what the loops gain, or lose."""
    learner = {"type": "FilteredSFT", "learning_rate": 3e-3, "base_rate": 1.0}
    found = parts | {
        "control/sham": dataset(sham, RIGHT, RIGHT_SUM, ALL, learner=learner, **kwargs)
    }
    for part, name in (("outcome", ""), ("none", "none_"), ("steps", "steps_")):
        runs = parts[part].copy(deep=True)
        start = runs.accuracy_by_difficulty.isel(round=0)
        runs["accuracy_by_difficulty"] = (runs.accuracy_by_difficulty + start) / 2
        config = runs.attrs["config"]
        frozen = config | {"base": config["base"] | {"frozen_generator": 1}}
        found[f"control/{name}frozen_generator"] = runs.assign_attrs(config=frozen)
    assert set(found) == set(findings.PARTS)
    return found


def at_both_rates(parts) -> dict[str, xr.Dataset]:
    """What both folders hold: the same runs, as of both learning rates."""
    found = {}
    for folder, rate in effects.PLACES.items():
        for part, data in parts.items():
            base = data.attrs["config"]["base"]
            learner = base["learner"] | {"learning_rate": float(rate)}
            config = data.attrs["config"] | {"base": base | {"learner": learner}}
            found[f"{folder}/{part}"] = data.assign_attrs(config=config)
    return found


def test_shares_and_gains_are_found():
    data = findings.named(list(made_up().values()))
    for name in findings.SEEING_ALL:
        found = findings.by_modulus(findings.share(findings.cancelled(data[name])))
        np.testing.assert_allclose(found, [[0.5] * 3 + [5], [0.1] * 3 + [5]])
        np.testing.assert_allclose(findings.pooled(findings.cancelled(data[name])), found)
    for name, expected in {"none": (0.6, 0.5), "outcome": (3 / 7, 1 / 11), "steps": (0, 0)}.items():
        found = findings.pooled(findings.let_through(data[name]))
        np.testing.assert_allclose([cell.value for cell in found], expected, atol=1e-12)
    for name, expected in (("none", -1.0), ("outcome", 2.0), ("steps", 3.0), (CLEAN, 3.0)):
        np.testing.assert_allclose(findings.gained(findings.clean(data[name])), expected)


def test_a_pooled_share_is_of_all_bases_together():
    """A base that errs ten times as often counts ten times as much; one that diverged does not."""
    rows = np.array([[[1.0, 10.0]], [[1.0, 1.0]], [[np.nan, np.nan]]])
    (found,) = findings.pooled(rows)
    assert found.value == pytest.approx(2 / 11) and found.num == 2
    np.testing.assert_array_equal(findings.share(rows), [[0.1], [1.0], [np.nan]])


def test_outcomes_are_compared_with_as_many_false_positives():
    """Errors cancel at rates of 0.5 and 0.1, at which 5 and 1 less is gained than without."""
    data = findings.named(list(made_up().values()))
    found = findings.as_false_positives(data)
    np.testing.assert_allclose(found, np.tile([2 - (3 - 5), 2 - (3 - 1)], (5, 1)), atol=1e-9)
    half = findings.as_false_positives(data, 4)
    np.testing.assert_allclose(half, found / 2, atol=1e-9)


def test_where_no_chain_is_wrong_none_cancels():
    parts = made_up()
    parts["outcome"] = dataset(2.0, ALL, ALL, ALL)
    found = findings.as_false_positives(findings.named(list(parts.values())))
    np.testing.assert_allclose(found, 2 - 3, atol=1e-9)


def test_the_cost_of_outcomes_by_chance():
    """Of 5 lengths left they cost 2 where m = 2 and 0.5 where m = 5."""
    data = findings.named(list(made_up({"outcome": np.array([1.0, 2.5])}).values()))
    slope = (2 - 0.5) / 5 / (1 / 2 - 1 / 5)
    assert findings.cost_by_chance(data, 8).mean() == pytest.approx(slope, rel=1e-3)


def test_what_diverged_is_not_compared():
    one, other = np.array([[1.0, -np.inf]]), np.array([[-np.inf, -np.inf]])
    np.testing.assert_array_equal(findings.apart(one, other), [[np.inf, np.nan]])


def test_effects_by_hand():
    parts = list(with_controls(made_up()).values())
    of_parts = effects.gained_by, effects.beyond_frozen
    for part, gain in (("none", -1.0), ("outcome", 2.0), ("steps", 3.0)):
        for effect, share in zip(of_parts, (1, 0.5), strict=True):
            for after in (4, 8):
                got = effect(RATE, part, after, *parts)
                assert got.value == pytest.approx(gain * share * after / 8) and got.num == 5
    assert effects.more(RATE, "steps", "outcome", 8, *parts).value == pytest.approx(1)
    assert effects.more(RATE, "steps", CLEAN, 8, *parts).value == pytest.approx(0, abs=1e-9)
    assert effects.times_m(2, *parts).value == pytest.approx(0.5 * 2)
    assert effects.times_m(5, *parts).value == pytest.approx(0.1 * 5)


def test_what_was_not_run_is_not_measured():
    parts = list(made_up().values())
    for effect, *args in (
        (effects.collapsed, RATE, "none", 8),
        (effects.beyond_frozen, RATE, "none", 8),
        (effects.times_m, 2),
    ):
        assert effect(*args, *parts, *[None] * len(findings.CONTROLS)).num == 0


def test_collapse_is_below_the_base_and_below_the_sham():
    """All of 6 lengths lose 1 / 6 without a filter, so that known ones lose 2 / 6 of an addition
    and the longer 4 / 6; a sham half of that, or as much.
    """
    parts = with_controls(made_up())
    of = list(parts.values())
    assert effects.collapsed(RATE, "none", 8, *of).value == pytest.approx(-4 / 6 + 2 / 6)
    assert effects.collapsed(RATE, "none", 4, *of).value == pytest.approx(-1 / 6)
    assert effects.collapsed(RATE, "outcome", 8, *of).value > 0
    alike = with_controls(made_up(), sham=-1.0).values()
    assert effects.collapsed(RATE, "none", 8, *alike).value == pytest.approx(0)
    text = figure.summary(*of)
    assert "no filter: collapse (below base and sham, mean over m): yes" in text
    assert "outcome, perfect: collapse (below base and sham, mean over m): not shown" in text


def test_verdicts_follow_from_known_effects():
    """Steps gain more than outcomes, which do not collapse, and as much where none cancels."""
    gains = {"none": -4.0, "outcome": 2.0, "steps": 3.0}
    parts = at_both_rates(with_controls(made_up(gains, num_seeds=12), sham=0.0, num_seeds=12))
    expected = {
        "Outcomes alone collapse": Verdict.CONTRADICTS,
        "No filter collapses": Verdict.SUPPORTS,
        "Losses compound": Verdict.SUPPORTS,
        "Gains compound": Verdict.SUPPORTS,
        "Steps gain more": Verdict.SUPPORTS,
        "Without cancelling outcomes do as well": Verdict.SUPPORTS,
    }
    found = {x.name: judge(x, parts).verdict for x in figure.CLAIMS if x.name in expected}
    assert found == expected


def test_a_mean_over_moduli_has_the_seeds_as_units():
    found = intervals.mean(findings.over_moduli(np.array([[1.0, 3.0], [2.0, 6.0]])))
    assert (found.value, found.num) == (3.0, 2)


@pytest.mark.parametrize("num_seeds", [1, 5])
@pytest.mark.parametrize("controls", [True, False])
def test_the_figures_are_labelled_and_the_summary_has_numbers(num_seeds, controls):
    parts = made_up(num_seeds=num_seeds)
    parts = list((with_controls(parts, num_seeds=num_seeds) if controls else parts).values())
    for draw, number in zip(figure.FIGURES.values(), (len(MODULI), 3), strict=True):
        drawn = draw(*parts)
        drawn.draw_without_rendering()
        assert len(plotting.letters(drawn)) == len(drawn.axes) == number
        assert all(axes.get_xlabel() and axes.get_title(loc="left") for axes in drawn.axes)
    drawn = figure.draw(*parts)
    legend = drawn.legends[0] if controls else drawn.axes[0].get_legend()
    names = {text.get_text() for text in legend.get_texts()}
    loops = {*(findings.NAMES[name] for name in figure.DRAWN), "untouched base"}
    frozen = {f"{FROZEN}, {x}" for x in ("outcome", "no filter", "every step")}
    assert names == (loops | frozen | {"sham"} if controls else loops)
    lines = [" ".join(line.split()) for line in figure.summary(*parts).splitlines()]
    assert "additions gained 2 5 mean" in lines
    assert any("control" in line for line in lines) == controls
    cell = "3.0000 (3.0000 to 3.0000)" if num_seeds > 1 else "3"
    assert any(line == f"every step, perfect {' '.join([cell] * 3)}" for line in lines), lines
    (erring,) = (line for line in lines if line.startswith("additions gained where none cancels"))
    assert "FPR 0: 3" in erring and "FPR 0.5: -2" in erring
    told = [line for line in lines if line.endswith("between two runs of one 0.071")]
    assert len(told) == (len(MODULI) if num_seeds > 1 else 0)
