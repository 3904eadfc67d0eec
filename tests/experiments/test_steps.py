"""The experiment steps: its parts, and what its figure finds in made-up data."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import xarray as xr

from avax.analysis import intervals
from avax.fields import ConfigError
from avax.sweeps import needs
from avax.tasks import Chain
from avax.verifiers import AcceptAll, Learned, Oracle, StepOracle
from configs import steps as config
from paper_figures import fig_steps as figure
from paper_figures import steps as findings
from paper_figures import steps_claims as claims

PRESETS = config.CHOICES["preset"]


@pytest.mark.parametrize("preset", PRESETS)
def test_parts_differ_in_what_their_names_say(preset):
    sweep = config.build(preset)
    parts = config.parts(sweep)
    assert set(needs.parts(config, sweep, config.CONTROLS)) == set(figure.PARTS)
    verifiers = {"none": AcceptAll(), "outcome": Oracle(), "steps": StepOracle()}
    for level in config.LEVELS:
        verifiers[f"learned_{level}"] = Learned(level=level, label_rate=config.LABEL_RATE)
    for name, part in parts.items():
        is_exact = name.startswith("exact_")
        assert part.base.task == sweep.base.task.replace(outcome_only=not is_exact)
        assert part.base.verifier == verifiers[name.removeprefix("exact_")]
        assert part.pretraining == sweep.pretraining
        assert dataclasses.replace(part, base=sweep.base, axes={}).digest() == (
            dataclasses.replace(sweep, axes={}).digest()
        )
        has_rates = isinstance(part.base.verifier, (Oracle, StepOracle))
        assert part.axes == (
            sweep.axes if has_rates else {config.MODULUS: sweep.axes[config.MODULUS]}
        )
    assert len({part.digest() for part in parts.values()}) == len(parts)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"axes": {config.MODULUS: (2, 3)}}, "axes: .*verifier.fpr"),
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


MODULI, NUM_ROUNDS, LENGTHS = (2, 5), 4, 6
RATES = {"fpr": (0.0, 0.1), "fnr": (0.0, 0.2)}


def dataset(gain, right, right_sum, accept, *, rates=False, num_seeds=5):
    """Runs that gain a length a round times `gain`, each seed beside it; shares of a round.

    Args:
      right, right_sum, accept: P(no step is wrong), P(the last sum is right) and P(accepted), by
        modulus; whoever is accepted is right with P = right / accept.
    """
    axes = {"modulus": MODULI} | (RATES if rates else {})
    axes |= {"seed": range(num_seeds), "round": range(NUM_ROUNDS + 1)}
    coords = {name: list(values) for name, values in axes.items()}
    template = xr.DataArray(np.zeros([len(v) for v in coords.values()]), coords, list(coords))
    beside = 0.01 * (template.seed - (num_seeds - 1) / 2)
    length = 1 + gain * template["round"] / NUM_ROUNDS + beside + template
    if rates:
        length = length - 10 * template["round"] * (template.fpr + template.fnr) / NUM_ROUNDS
    by_modulus = {"modulus": coords["modulus"]}
    shares = (template + xr.DataArray(list(x), by_modulus) for x in (right, right_sum, accept))
    right, right_sum, accept = (x.where(x["round"] > 0) for x in shares)
    by_difficulty = (length / LENGTHS).expand_dims(difficulty=range(1, LENGTHS + 1), axis=-1)
    metrics = {
        "accuracy_by_difficulty": by_difficulty,
        "diverged": template,
        "sampled_accuracy": right_sum,
        "accept_rate": accept,
        "trace_precision": (right / accept).where(accept > 0),
    }
    attrs = {"config": {"base": {"curriculum": {"type": "Frontier"}}}}
    return xr.Dataset(metrics, attrs=attrs)


def made_up(**kwargs):
    """Half of the wrong chains have the right last sum modulo 2, a tenth modulo 5."""
    right, right_sum, nothing = (0.4, 0.5), (0.7, 0.55), (0.0, 0.0)
    learned = [dataset(1.0, (0.3, 0.3), right_sum, (0.4, 0.6), **kwargs) for _ in range(3)]
    return [
        dataset(-1.0, right, right_sum, (1.0, 1.0), **kwargs),
        dataset(2.0, right, right_sum, right_sum, rates=True, **kwargs),
        dataset(3.0, right, right_sum, right, rates=True, **kwargs),
        *learned,
        dataset(3.0, right, right, right, rates=True, **kwargs),
        dataset(0.0, nothing, right, nothing, **kwargs),
    ]


def test_shares_and_gains_are_found():
    data = findings.named(made_up())
    for name in findings.SEEING_ALL:
        found = findings.by_modulus(findings.share(findings.cancelled(data[name])))
        np.testing.assert_allclose(found, [[0.5] * 3 + [5], [0.1] * 3 + [5]])
    through = {"none": (0.6, 0.5), "outcome": (3 / 7, 1 / 11), "learned_product": (0.25, 0.5)}
    for name, expected in (
        through | {"steps": (0, 0), "exact_learned_outcome": (np.nan,) * 2}
    ).items():
        found = findings.by_modulus(findings.share(findings.let_through(data[name])))
        np.testing.assert_allclose([cell.value for cell in found], expected, atol=1e-12)
    for name, expected in (("none", -1.0), ("outcome", 2.0), ("steps", 3.0)):
        np.testing.assert_allclose(findings.gained(findings.clean(data[name])), expected)
    found = findings.with_errors(data["outcome"])
    expected = {(0.0, 0.0): 2, (0.0, 0.2): 0, (0.1, 0.0): 1, (0.1, 0.2): -1}
    assert {rates: pytest.approx(gain.mean()) for rates, gain in found.items()} == expected


def test_every_base_counts_once_in_a_share():
    """An event that can't happen has no share, and its base is left out."""
    found = findings.share(np.array([[[1.0, 1.0]], [[0.0, 3.0]], [[0.0, 0.0]]]))
    np.testing.assert_array_equal(found, [[1.0], [0.0], [np.nan]])
    assert findings.by_modulus(found)[0][::3] == (0.5, 2)


def test_what_diverged_is_not_compared():
    one, other = np.array([[1.0, -np.inf]]), np.array([[-np.inf, -np.inf]])
    np.testing.assert_array_equal(findings.apart(one, other), [[np.inf, np.nan]])


def test_effects_by_hand(monkeypatch):
    """Gains of 2 by outcomes and 3 by steps, less 10 for each unit of FPR or FNR."""
    monkeypatch.setattr(claims, "MODULI", MODULI)
    parts = made_up()
    found = {
        claim.name: {name: effect(*parts).value for name, effect in claim.effects.items()}
        for claim in claims.CLAIMS
        if claim.name not in ("Errors cancel as often as chance has it", *collapses())
    }
    for name, expected in {
        "Steps gain more": {"": 1},
        "The smaller m, the larger the difference": {"": 0},
        "Without cancelling outcomes do as well": {"": 0},
        "Learned verifiers of steps are better": {"product": 0, "minimum": 0},
        "Learned verifiers are worth having": {"outcome": 2, "product": 2, "minimum": 2},
    }.items():
        assert found[name] == pytest.approx(expected, abs=1e-9), name
    assert claims.times_m(0, *parts).value == pytest.approx(0.5 * 2)
    assert claims.times_m(1, *parts).value == pytest.approx(0.1 * 5)
    assert claims.gained_by("outcome", 4, *parts).value == pytest.approx(2)
    assert claims.gained_by("none", 2, *parts).value == pytest.approx(-0.5)
    assert claims.collapsed("none", 4, *parts).num == 0  # no sham
    for rates in ((0.1, 0.0), (0.0, 0.2)):
        assert claims.stood(rates, *parts).value == pytest.approx(0)


def collapses() -> list[str]:
    """Claims that are read at two rounds, more than are made up, or at other rates."""
    return [x.name for x in claims.CLAIMS if x.horizons or "errors better" in x.name]


def with_controls(parts, sham: float = -0.5):
    """A sham that loses, a frozen generator of outcomes that gains half of what the loop does, and
    one of no filter that loses half.
    """
    of_outcome = dataset(1.0, (0.4, 0.5), (0.7, 0.55), (0.7, 0.55), rates=True)
    controls = [dataset(x, (0.4, 0.5), (0.7, 0.55), (1.0, 1.0)) for x in (sham, -0.5)]
    found = [*parts, of_outcome, *controls]
    assert len(found) == len(findings.PARTS)
    for data in found:
        data.attrs["config"]["base"]["base_difficulty"] = 2
    return found


def test_collapse_is_below_the_base_and_below_the_sham():
    """All of 6 lengths lose 1 / 6 without a filter, so that known ones lose 2 / 6 of an addition
    and the longer 4 / 6; a sham half of that, or as much.
    """
    parts = with_controls(made_up())
    assert claims.collapsed("none", 4, *parts).value == pytest.approx(-4 / 6 + 2 / 6)
    assert claims.collapsed("none", 2, *parts).value == pytest.approx(-1 / 6)
    assert claims.collapsed("outcome", 4, *parts).value > 0
    alike = with_controls(made_up(), sham=-1.0)
    assert claims.collapsed("none", 4, *alike).value == pytest.approx(0)
    frozen = findings.controls_of(findings.named(parts))["outcome", "frozen generator"]
    found = findings.beyond(findings.named(parts), "outcome", frozen)
    np.testing.assert_allclose(found, 2.0 - 1.0)
    drawn = figure.draw(*(data.isel(modulus=[0]) for data in parts))
    words = {text.get_text() for text in drawn.legends[0].get_texts()}
    roles = {"frozen generator, outcome", "frozen generator, no filter", "sham", "untouched base"}
    assert roles < words
    text = figure.summary(*parts)
    assert "no filter: collapse (below base and sham, mean over m): yes" in text
    assert "outcome, perfect: collapse (below base and sham, mean over m): not shown" in text


def test_a_mean_over_moduli_has_the_seeds_as_units():
    found = intervals.mean(findings.over_moduli(np.array([[1.0, 3.0], [2.0, 6.0]])))
    assert (found.value, found.num) == (3.0, 2)


@pytest.mark.parametrize("num_seeds", [1, 5])
def test_the_figures_are_labelled_and_the_summary_has_numbers(num_seeds):
    parts = made_up(num_seeds=num_seeds)
    for draw, number in zip(figure.FIGURES.values(), (len(MODULI), 3, 2), strict=True):
        drawn = draw(*parts)
        drawn.draw_without_rendering()
        assert len(drawn.axes) == number
        for axes in drawn.axes:
            assert axes.get_xlabel() and axes.get_title(loc="left")
    legend = figure.draw(*parts).axes[0].get_legend()
    names = [text.get_text() for text in legend.get_texts()]
    assert names == [*(findings.NAMES[name] for name in figure.DRAWN), "untouched base"]
    lines = [" ".join(line.split()) for line in figure.summary(*parts).splitlines()]
    assert "additions gained 2 5 mean" in lines
    assert not any("control" in line for line in lines)  # none was run
    cell = "3.0000 (3.0000 to 3.0000)" if num_seeds > 1 else "3"
    assert any(line == f"every step, perfect {' '.join([cell] * 3)}" for line in lines), lines
    (noisy,) = (line for line in lines if line.startswith("every step, perfect, FPR / FNR"))
    assert "0 / 0: 3" in noisy and "0.1 / 0: 2" in noisy
