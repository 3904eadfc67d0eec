"""The experiment error_floor: its parts, and what its figure finds in made-up data."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import xarray as xr

from avax import plotting
from avax.fields import ConfigError
from avax.sweeps import needs
from avax.sweeps.validate import validate
from avax.verifiers import Oracle
from configs import error_floor as config
from paper_figures import error_floor as numbers
from paper_figures import fig_error_floor as figure
from paper_figures import pages

PRESETS = config.CHOICES["preset"]


@pytest.mark.parametrize("preset", PRESETS)
def test_parts_are_those_of_the_figure_and_can_be_run(preset):
    sweep = config.build(preset)
    parts = config.parts(sweep)
    assert tuple(needs.parts(config, sweep, config.CONTROLS)) == figure.PARTS
    for part in parts.values():
        validate(part)
    assert len({part.digest() for part in parts.values()}) == len(parts)


def test_parts_differ_in_what_their_names_say():
    parts = config.parts(config.build("laptop"))
    base = parts["width_32"]
    assert base == config.build("laptop")
    for width in config.WIDTHS:
        assert parts[f"width_{width}"].pretraining.model.width == width
        labels = parts[f"labels_{width}"]
        assert labels.pretraining == parts[f"width_{width}"].pretraining
        assert labels.base.base_difficulty == labels.base.curriculum.highest
        assert labels.base.learner == base.base.learner.replace(base_rate=1.0)
    for fnr in config.FNRS:
        part = parts[f"fnr_{fnr:g}"]
        assert part.base == base.base.replace(verifier=Oracle(fnr=fnr))
        ratios = np.array(part.axes[config.AXIS]) / (1 - fnr)
        np.testing.assert_allclose(ratios, base.axes[config.AXIS], rtol=1e-3)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"axes": {}}, "axes: .*verifier.fpr"),
        ({"axes": {config.AXIS: (0.0,), "verifier.fnr": (0.0,)}}, "axes: .*verifier.fpr"),
        ({"base": config.build("laptop").base.replace(verifier=Oracle(fnr=0.1))}, "fnr: is 0.1"),
    ],
)
def test_what_does_not_fit_is_refused(change, words):
    with pytest.raises(ConfigError, match=words):
        needs.parts(config, dataclasses.replace(config.build("laptop"), **change))


RATIOS, NUM_ROUNDS = (0.0, 0.01, 0.1, 1.0), 12


def dataset(width, fnr=0.0, ratios=RATIOS, num_seeds=5, floor=lambda ratio: 0.0):
    """Errors that have fallen to `floor` by round 6, each seed a little beside it."""
    rounds = np.arange(NUM_ROUNDS + 1)
    beside = 0.002 * (np.arange(num_seeds) - (num_seeds - 1) / 2)
    floors = np.array([floor(ratio) for ratio in ratios])
    error = floors[:, None, None] + beside[:, None] + 0.05 * np.maximum(0, 6 - rounds)
    coords = {"fpr": [r * (1 - fnr) for r in ratios], "seed": range(num_seeds), "round": rounds}
    attrs = {
        "config": {
            "pretraining": {"model": {"width": width}},
            "base": {"verifier": {"fnr": fnr}},
        }
    }
    dims = ("fpr", "seed", "round")
    arrays = {"accuracy": (dims, 1 - error), "diverged": (dims, np.zeros(error.shape))}
    arrays["num_accepted"] = dims, np.full(error.shape, 100.0)
    return xr.Dataset(arrays, coords, attrs)


def made_up(by_ratio=0.3, by_width=0.0, **kwargs):
    """All parts: a floor of 0.1 + `by_ratio` x ratio + `by_width` x the width's place."""

    def floor(width):
        return lambda ratio: 0.1 + by_ratio * ratio + by_width * numbers.WIDTHS.index(width)

    parts = [dataset(w, floor=floor(w), **kwargs) for w in numbers.WIDTHS]
    parts += [dataset(32, fnr, floor=floor(32), **kwargs) for fnr in numbers.FNRS]
    return parts + [dataset(w, ratios=(0.0,), floor=lambda r: 0.05) for w in numbers.WIDTHS]


def test_floors_and_drifts_are_found():
    found = numbers.analyse(*made_up())
    for each in (*found.widths.values(), *found.fnrs.values()):
        floors = each[numbers.END]
        np.testing.assert_allclose(floors.ratio, RATIOS)
        np.testing.assert_allclose(floors.mean("seed"), 0.1 + 0.3 * np.array(RATIOS))
        # Rounds 5 to 8, of which one is before the fall has ended.
        np.testing.assert_allclose(each[numbers.MIDDLE] - floors, 0.05 / 4)
    assert tuple(found.fnrs) == (0.0, *numbers.FNRS) and tuple(found.widths) == numbers.WIDTHS
    assert all(float(x.mean()) == pytest.approx(0.05) for x in found.labels.values())
    assert all(np.abs(x[numbers.END]).max() < 1e-12 for x in found.drifts.values())
    assert all(float(x.mean()) == pytest.approx(0.1 + 0.3 * np.mean(RATIOS) + 0.3)
               for x in found.bases.values())  # fmt: skip


def test_a_drift_is_the_rise_over_the_last_third():
    rising = dataset(32)
    rising["accuracy"] = 0.9 - 0.01 * rising["round"] + 0 * rising.accuracy
    np.testing.assert_allclose(numbers.drift_of(rising), 0.03)  # 4 rounds: 3 steps


@pytest.mark.parametrize("by_ratio, by_width, place", [(0.3, 0.0, 0), (0.0, 0.2, 1)])
def test_the_variance_goes_to_what_makes_it(by_ratio, by_width, place):
    found = numbers.analyse(*made_up(by_ratio, by_width))
    shares = numbers.variance_shares(
        np.stack([x[numbers.END].values for x in found.widths.values()])
    )
    assert shares.sum() == pytest.approx(1) and shares[place] > 0.99


def test_both_together_are_told_from_their_sum():
    ratio, width = np.meshgrid([0.0, 1.0], [0.0, 1.0])
    seeds = np.zeros(3)
    added, both = ((ratio + width)[..., None] + seeds, (ratio * width)[..., None] + seeds)
    np.testing.assert_allclose(numbers.variance_shares(added), [0.5, 0.5, 0, 0], atol=1e-12)
    np.testing.assert_allclose(numbers.variance_shares(both), [1 / 3, 1 / 3, 1 / 3, 0], atol=1e-12)


def test_effects_are_differences_between_the_same_bases():
    """Of floors 0.1 + 0.3 x ratio + 0.2 x the width's place, where true labels leave 0.05."""
    found = numbers.effects(*made_up(0.3, 0.2))
    expected = {
        numbers.FLOOR: {f"width {w}": 0.03 for w in numbers.WIDTHS},
        numbers.SIZE: {"FPR 0": -0.4, "FPR 0.1": -0.4},
        numbers.SELECTIVITY: {f"FNR {x:g}": 0 for x in numbers.FNRS},
        numbers.RATIO: {f"FNR {x:g}": 0 for x in numbers.FNRS},
        numbers.DRIFT: {f"width {w}": 0 for w in numbers.WIDTHS},
    }
    for heading, each in expected.items():
        for name, value in each.items():
            of_seeds = found[heading][f"{name}, {numbers.END}"]
            np.testing.assert_allclose(of_seeds, np.full(5, value), atol=1e-9)
    labels = found[numbers.LABELS]
    assert [x.mean() for x in labels.values()] == pytest.approx([0.05, 0.25, 0.45])
    assert numbers.NO_FILTER not in found  # needs accuracies by length


def test_no_filter_is_compared_with_its_base_by_length():
    """A base of 1 of 3 digits, which gets 0.5 of the longer ones right, forgets and learns."""
    parts = made_up()
    each = np.array([1, 0.5, 0.5]) + np.linspace(0, 1, NUM_ROUNDS + 1)[:, None] * [-1, 0.5, 0]
    for part in parts:
        shape = *part.accuracy.shape, 3
        part["accuracy_by_difficulty"] = (*part.accuracy.dims, "difficulty"), np.zeros(shape) + each
        part.coords["difficulty"] = [1, 2, 3]
        part.attrs["config"]["base"]["base_difficulty"] = 1
    found = numbers.effects(*parts)[numbers.NO_FILTER]
    end = np.mean([9, 10, 11, 12]) / 12
    np.testing.assert_allclose(found[f"known lengths, {numbers.END}"], end)
    np.testing.assert_allclose(found[f"longer ones, {numbers.END}"], -end / 4)


def controls():
    """Of width 32: a frozen generator leaves 0.15 + 0.1 x FPR, the sham 0.3."""
    frozen = dataset(32, floor=lambda ratio: 0.15 + 0.1 * ratio)
    return frozen, dataset(32, ratios=(0.0,), floor=lambda ratio: 0.3).isel(fpr=0, drop=True)


def test_controls_are_compared_base_by_base_and_drawn_where_they_were_run():
    parts = [*made_up(), *controls()]
    found = numbers.analyse(*parts)
    found = found._replace(sham_drifts={numbers.END: found.bases[32] * 0 + 0.03})
    effects = {(h, n): x.values for h, n, x in numbers.from_controls(found)}
    for role, fpr, less in (("frozen generator", 0, -0.05), ("frozen generator", 1, 0.15),
                            ("sham", 0, -0.2), ("sham", 1, 0.1)):  # fmt: skip
        name = f"width 32, FPR {fpr}, {numbers.END}"
        np.testing.assert_allclose(effects[numbers.BEYOND[role], name], np.full(5, less), atol=1e-9)
    drift = effects[numbers.DRIFT_BEYOND, f"width 32, {numbers.END}"]
    np.testing.assert_allclose(drift, -0.03, atol=1e-9)
    (claim,) = (x for x in figure.CLAIMS if x.name == "Losses compound")
    (_, at_end) = claim.effects.values()
    assert at_end(*parts).value == pytest.approx(0.15)
    assert np.isnan(at_end(*parts[:-2], None, parts[-1]).value)
    for findings in (found, found._replace(controls={})):
        axes = plotting.paper_figure(2).subplots()
        figure.draw_controls(axes, findings, "then")
        assert axes.get_legend_handles_labels()[1] == list(findings.controls)
    assert "width 32, sham, by FPR: 0.300 (" in figure.summary(*parts)


def test_a_collapse_is_below_the_base_and_the_sham():
    """Width 32 forgets all of its 1 digit without a filter, its sham a half."""
    parts = [*made_up(), *controls()]
    for part, lost in ((parts[1], 1.0), (parts[-1], 0.5)):
        kept = 1 - lost * part["round"] / NUM_ROUNDS + 0 * part.accuracy
        part["accuracy_by_difficulty"] = kept.expand_dims(difficulty=[1], axis=-1)
        part.attrs["config"]["base"]["base_difficulty"] = 1
    (claim,) = (x for x in figure.CLAIMS if x.name == "Collapse without a filter")
    middle, end = (effect(*parts).value for effect in claim.effects.values())
    assert middle == pytest.approx(-0.5 * 8 / NUM_ROUNDS) and end == pytest.approx(-0.5)
    assert all(np.isnan(effect(*parts[:-1], None).value) for effect in claim.effects.values())


@pytest.mark.parametrize("num_seeds", [1, 5])
def test_figures_are_labelled_and_the_summary_has_numbers(num_seeds):
    parts = made_up(num_seeds=num_seeds)
    for draw, number in zip(figure.FIGURES.values(), (4, 1, 4), strict=True):
        drawn = draw(*parts)
        drawn.draw_without_rendering()
        assert len(drawn.axes) == number
        assert all(
            axes.get_xlabel() and axes.get_title("left") for axes in drawn.axes if number > 1
        )
    lines = [" ".join(line.split()) for line in figure.summary(*parts).splitlines()]
    assert "error in the end 0 0.01 0.1 1" in lines
    (first,) = (line for line in lines if line.startswith("width 16 0.1"))
    assert "0.130 (" in first and "0.400 (" in first
    at = lines.index(numbers.SIZE)
    assert all(line.split(": ")[1].startswith("0.000 (") for line in lines[at + 1 : at + 5])
    (shares,) = (line for line in lines if line.startswith("shares of the variance"))
    assert "FPR 0.9" in shares or "FPR 1.0" in shares


def test_every_claim_finds_its_effects_in_the_shipped_data():
    """And the verdict on no filter lacks a sham: true labels of another base are none."""
    ((_, found), *rest) = [
        (claim, x) for claim, x in pages.judged(figure, pages.shipped(figure))
        if claim.name == "No filter"
    ]  # fmt: skip
    assert not rest and found.reason.startswith("5 bases of at least 12; no sham")
    assert found.estimates[f"known lengths, {numbers.END}"].low > 0
