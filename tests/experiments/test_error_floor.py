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

PRESETS = config.CHOICES["preset"]


@pytest.mark.parametrize("preset", PRESETS)
def test_parts_are_those_of_the_figure_and_can_be_run(preset):
    sweep = config.build(preset)
    parts = config.parts(sweep)
    assert set(needs.parts(config, sweep, config.CONTROLS)) == set(figure.PARTS)
    for part in parts.values():
        validate(part)
    assert len({part.digest() for part in parts.values()}) == len(parts)


def test_parts_differ_in_what_their_names_say():
    parts = config.parts(config.build("laptop"))
    base = parts["width_24"]
    assert base == config.build("laptop")
    for size, (width, num_layers) in config.SIZES.items():
        model = parts[size].pretraining.model
        assert (model.width, model.num_layers) == (width, num_layers)
        labels = parts[f"labels_{size}"]
        assert labels.pretraining == parts[size].pretraining and labels.base_criterion == 0.95
        assert labels.base.base_difficulty == labels.base.curriculum.highest
        assert labels.base.learner == base.base.learner.replace(base_rate=1.0)
    fast = parts[config.FAST_PART].base.learner
    assert fast == base.base.learner.replace(learning_rate=config.FAST)
    assert parts["again"].base == base.base.replace(replicate=1)
    part = parts["fnr_0.5"]
    assert part.base == base.base.replace(verifier=Oracle(fnr=0.5))
    ratios = np.array(part.axes[config.AXIS]) / 0.5
    np.testing.assert_allclose(ratios, base.axes[config.AXIS], rtol=1e-3)
    fewer = base.base.learner.replace(num_problems=base.base.learner.num_problems // 2)
    assert parts["problems_64"].base.learner == fewer


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


RATIOS, NUM_ROUNDS = (0.0, 0.1, 0.3, 1.0), 12
CENTRE, FASTER, END = numbers.CENTRE, numbers.FASTER, numbers.END


def dataset(fnr=0.0, ratios=RATIOS, num_seeds=5, floor=lambda ratio: 0.0):
    """Errors that have fallen to `floor` by round 6, each seed a little beside it."""
    rounds = np.arange(NUM_ROUNDS + 1)
    beside = 0.002 * (np.arange(num_seeds) - (num_seeds - 1) / 2)
    floors = np.array([floor(ratio) for ratio in ratios])
    error = floors[:, None, None] + beside[:, None] + 0.05 * np.maximum(0, 6 - rounds)
    coords = {"fpr": [r * (1 - fnr) for r in ratios], "seed": range(num_seeds), "round": rounds}
    attrs = {"config": {"base": {"verifier": {"fnr": fnr}}}}
    dims = ("fpr", "seed", "round")
    arrays = {"accuracy": (dims, 1 - error), "diverged": (dims, np.zeros(error.shape))}
    arrays["num_accepted"] = dims, np.full(error.shape, 100.0)
    return xr.Dataset(arrays, coords, attrs)


def made_up(by_ratio=0.3, by_size=0.0, **kwargs) -> dict[str, xr.Dataset]:
    """All parts but controls: a floor of 0.1 + `by_ratio` x ratio + `by_size` x the line's place;
    0.01 more where it was run again.
    """

    def floor(place, more=0.0):
        return lambda ratio: 0.1 + by_ratio * ratio + by_size * place + more

    parts = {x: dataset(floor=floor(i), **kwargs) for i, x in enumerate(numbers.LINES)}
    parts["fnr_0.5"] = dataset(0.5, floor=floor(1), **kwargs)
    parts["problems_64"] = dataset(floor=floor(1, -0.02), **kwargs)
    parts["again"] = dataset(ratios=(0.1,), floor=floor(1, 0.01), **kwargs)
    labels = {f"labels_{x}" for x in numbers.SIZES}
    return parts | {
        x: dataset(ratios=(0.0,), floor=lambda r: 0.05) for x in numbers.PARTS if x in labels
    }


def test_floors_and_drifts_are_found():
    found = numbers.analyse(*made_up().values())
    for each in (*found.lines.values(), found.beside["FNR 0.5"]):
        floors = each[END]
        np.testing.assert_allclose(floors.ratio, RATIOS)
        np.testing.assert_allclose(floors.mean("seed"), 0.1 + 0.3 * np.array(RATIOS))
        # Rounds 5 to 8, of which one is before the fall has ended.
        np.testing.assert_allclose(each[numbers.MIDDLE] - floors, 0.05 / 4)
    assert all(float(x.mean()) == pytest.approx(0.05) for x in found.labels.values())
    assert all(np.abs(x[END]).max() < 1e-12 for x in found.drifts.values())
    assert all(float(x.mean()) == pytest.approx(0.1 + 0.3 * np.mean(RATIOS) + 0.3)
               for x in found.bases.values())  # fmt: skip


def test_a_drift_is_the_rise_over_the_last_third():
    rising = dataset()
    rising["accuracy"] = 0.9 - 0.01 * rising["round"] + 0 * rising.accuracy
    np.testing.assert_allclose(numbers.drift_of(rising), 0.03)  # 4 rounds: 3 steps


def test_a_rise_is_from_the_lowest_earlier_mean():
    """Of four rounds each: errors that fall to 0.1 and rise again to 0.3."""
    run = dataset(num_seeds=1)
    error = np.array([0.9, *[0.5, 0.3, 0.1, 0.1, 0.1, 0.1, 0.2, 0.2], *[0.3] * 4])
    run["accuracy"] = 1 - xr.DataArray(error, dims="round") + 0 * run.accuracy
    np.testing.assert_allclose(numbers.rise_of(run), 0.3 - 0.1)
    falling = numbers.rise_of(dataset(num_seeds=1))
    np.testing.assert_allclose(falling, 0, atol=1e-9)


def test_bases_that_end_worse_than_they_began_are_counted():
    """Two of five end with more errors than the half that they began with."""
    parts = made_up()
    run = parts["width_16"]
    end = 0.5 + 0.1 * np.array([-1, -1, -1, 1, 1])
    error = xr.where(run["round"] == 0, 0.5, xr.DataArray(end, dims="seed"))
    run["accuracy"] = 1 - error + 0 * run.accuracy
    found = numbers.worse(numbers.analyse(*parts.values()), "width 16")
    np.testing.assert_allclose(found, 2 / 5)


@pytest.mark.parametrize("by_ratio, by_size, place", [(0.3, 0.0, 0), (0.0, 0.2, 1)])
def test_the_variance_goes_to_what_makes_it(by_ratio, by_size, place):
    found = numbers.analyse(*made_up(by_ratio, by_size).values())
    sizes = (found.lines[x][END].values for x in numbers.SIZES.values())
    shares = numbers.variance_shares(np.stack(list(sizes)))
    assert shares.sum() == pytest.approx(1) and shares[place] > 0.99


def test_both_together_are_told_from_their_sum():
    ratio, width = np.meshgrid([0.0, 1.0], [0.0, 1.0])
    seeds = np.zeros(3)
    added, both = ((ratio + width)[..., None] + seeds, (ratio * width)[..., None] + seeds)
    np.testing.assert_allclose(numbers.variance_shares(added), [0.5, 0.5, 0, 0], atol=1e-12)
    np.testing.assert_allclose(numbers.variance_shares(both), [1 / 3, 1 / 3, 1 / 3, 0], atol=1e-12)


def test_effects_are_differences_between_the_same_bases():
    """Of floors 0.1 + 0.3 x ratio + 0.2 x the line's place, where true labels leave 0.05."""
    found = numbers.effects(*made_up(0.3, 0.2).values())
    fprs = ("FPR 0", "FPR 0.1", "FPR 0.3")
    expected = {
        numbers.FLOOR: {
            f"{x}, FPR {fpr:g}": 0.3 * fpr for x in numbers.LINES.values() for fpr in numbers.FPRS
        },
        numbers.SIZE: dict.fromkeys(fprs, -0.4),
        numbers.DEPTH: dict.fromkeys(fprs, -0.6),
        numbers.LAYERS: dict.fromkeys(fprs, 0.4),
        numbers.FNR: dict.fromkeys(fprs, 0.02),
        numbers.RATIO: dict.fromkeys(fprs, 0),
        numbers.DRIFT: dict.fromkeys(
            (f"{x}, FPR {fpr:g}" for x in numbers.LINES.values() for fpr in numbers.FPRS), 0
        ),
    }
    for heading, each in expected.items():
        assert len(found[heading]) == 2 * len(each)
        for name, value in each.items():
            of_seeds = found[heading][f"{name}, {END}"]
            np.testing.assert_allclose(of_seeds, np.full(5, value), atol=1e-9)
    labels = found[numbers.LABELS]
    assert [x.mean() for x in labels.values()] == pytest.approx([0.05, 0.25, 0.45, 0.65])


def with_controls(parts) -> dict[str, xr.Dataset]:
    """Of both learning rates: a frozen generator leaves 0.15 + 0.1 x FPR, the sham 0.3."""
    frozen = dataset(floor=lambda ratio: 0.15 + 0.1 * ratio)
    sham = dataset(ratios=(0.0,), floor=lambda ratio: 0.3).isel(fpr=0, drop=True)
    of_roles = {numbers.FROZEN: frozen, numbers.SHAM: sham}
    found = parts | {part: of_roles[role] for (_, role), part in numbers.CONTROLS.items()}
    assert tuple(found) == numbers.PARTS
    return found


def test_controls_are_compared_base_by_base_and_drawn_where_they_were_run():
    parts = list(with_controls(made_up()).values())
    found = numbers.analyse(*parts)
    effects = {(h, n): x.values for h, n, x in numbers.from_controls(found, END)}
    for line in (CENTRE, FASTER):
        for role, fpr, less in (("frozen generator", 0, -0.05), ("frozen generator", 1, 0.15),
                                ("frozen generator", 0.3, 0.01), ("sham", 0, -0.2),
                                ("sham", 1, 0.1)):  # fmt: skip
            name = f"{line}, FPR {fpr}, {END}"
            got = effects[numbers.BEYOND[role], name]
            np.testing.assert_allclose(got, np.full(5, less), atol=1e-9)
    (claim,) = (x for x in figure.CLAIMS if x.name == "Losses compound")
    at_end = claim.effects[f"{FASTER}, FPR 1, {END}"]
    assert at_end(*parts).value == pytest.approx(0.15)
    assert np.isnan(at_end(*parts[:-2], None, parts[-1]).value)
    for findings in (found, found._replace(controls={})):
        axes = plotting.paper_figure(2).subplots()
        figure.draw_controls(axes, findings, FASTER)
        assert axes.get_legend_handles_labels()[1] == [
            r for x, r in findings.controls if x == FASTER
        ]
    assert f"{CENTRE}, sham, by FPR: 0.300 (" in figure.summary(*parts)


def test_a_collapse_is_below_the_base_and_the_sham():
    """The size in the centre forgets all of its 1 digit without a filter, its sham a half."""
    parts = with_controls(made_up())
    for name, lost in (("width_24", 1.0), ("control/sham", 0.5)):
        part = parts[name]
        kept = 1 - lost * part["round"] / NUM_ROUNDS + 0 * part.accuracy
        part["accuracy_by_difficulty"] = kept.expand_dims(difficulty=[1], axis=-1)
        part.attrs["config"]["base"]["base_difficulty"] = 1
    (claim,) = (x for x in figure.CLAIMS if x.name == "Collapse without a filter")
    middle, end = (claim.effects[f"{CENTRE}, {x}"] for x in numbers.THIRDS)
    assert middle(*parts.values()).value == pytest.approx(-0.5 * 8 / NUM_ROUNDS)
    assert end(*parts.values()).value == pytest.approx(-0.5)
    parts["control/sham"] = None
    assert all(np.isnan(effect(*parts.values()).value) for effect in (middle, end))


@pytest.mark.parametrize("num_seeds", [1, 5])
def test_figures_are_labelled_and_the_summary_has_numbers(num_seeds):
    parts = list(made_up(num_seeds=num_seeds).values())
    for draw, number in zip(figure.FIGURES.values(), (4, 1, 1, 4, 2), strict=True):
        drawn = draw(*parts)
        drawn.draw_without_rendering()
        assert len(drawn.axes) == number
        assert all(
            axes.get_xlabel() and axes.get_title("left") for axes in drawn.axes if number > 1
        )
    lines = [" ".join(line.split()) for line in figure.summary(*parts).splitlines()]
    assert "error in the end 0 0.1 0.3 1" in lines
    (first,) = (line for line in lines if line.startswith("width 16 0.1"))
    assert "0.130 (" in first and "0.400 (" in first
    at = lines.index(numbers.SIZE)
    assert all(line.split(": ")[1].startswith("0.000 (") for line in lines[at + 1 : at + 5])
    (shares,) = (line for line in lines if line.startswith("shares of the variance"))
    assert "FPR 0.9" in shares or "FPR 1.0" in shares
    told = [line for line in lines if line.endswith("between two runs of one 0.0071")]
    assert len(told) == (num_seeds > 1)
