"""What laws say of a configuration and what its runs say, on runs whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from avax.analysis import law, lengths
from avax.sweeps import needs
from configs import law as config
from paper_figures import fig_law as figure
from paper_figures import law as law_runs
from paper_figures import law_across as across
from paper_figures import law_effects as effects
from paper_figures import law_errors as scores
from paper_figures import law_frontiers as frontiers
from paper_figures import law_paths as paths
from paper_figures import law_places as places
from paper_figures import pages
from paper_figures.law import (
    ALL,
    BY_BASE,
    ENDS,
    EVEN,
    FROZEN,
    LINEAR,
    MAP,
    OF_MEAN,
    QUARTER,
    SHAM,
    UNFILTERED,
    Runs,
)

BASE, NUM_SEEDS = 0.6, 4


def runs(configuration: str = "reference", crossing: float = 0.3, lost: float = 0.1) -> Runs:
    """Gains that fall with the logarithm of the ratio and are 0 at `crossing`, from round 1 on; the
    sham loses a share of the base's accuracy, the frozen generator half of it.
    """
    parts = needs.parts(config, config.build("laptop", configuration))
    sham, frozen, line = (
        needs.made_up(part).isel(seed=slice(NUM_SEEDS)) for part in parts.values()
    )
    trained = line["round"] > 0
    fnr = line.attrs["config"]["base"]["verifier"]["fnr"]
    ratio = np.maximum(line.fpr / (1 - fnr), 1e-3)
    line["accuracy"] = (BASE - 0.05 * np.log(ratio / crossing) * trained) + 0 * line.accuracy
    for data, share in ((sham, lost), (frozen, lost / 2)):
        data["accuracy"] = BASE * (1 - share * trained) + 0 * data.accuracy
        data["accuracy_by_difficulty"] = data.accuracy + 0 * data.accuracy_by_difficulty
    return Runs(sham, frozen, line)


THREE = ("law", "law_rate_1e-3", "law_fnr_0.5")


@pytest.mark.parametrize("configuration", ["reference", "fnr_0.5", "updates_8"])
@pytest.mark.parametrize("crossing", [0.1, 0.3, 0.6])
def test_the_boundary_is_where_gains_cross_zero(configuration, crossing):
    for how in (BY_BASE, OF_MEAN):
        found = law_runs.measured(runs(configuration, crossing), ALL, how)
        assert found.value == pytest.approx(crossing, rel=0.1) and found.num == NUM_SEEDS


def test_the_settled_law_reads_the_controls():
    found = runs(lost=0.1)
    assert law_runs.predicted(law_runs.read(found), SHAM, ALL) == pytest.approx(
        law.settled(BASE, 0.1)
    )
    assert law_runs.predicted(law_runs.read(found), FROZEN, ALL) == pytest.approx(
        law.settled(BASE, 0.05)
    )


def test_the_unfiltered_law_reads_the_line_and_one_horizon():
    found = runs(crossing=0.3)
    lost = -0.05 * np.log(1 / 0.3)
    said = law_runs.predicted(law_runs.read(found), UNFILTERED, ALL)
    assert said == pytest.approx(float(law.unfiltered(BASE, -lost)), rel=0.05)
    assert np.isnan(law_runs.predicted(law_runs.read(found), UNFILTERED, QUARTER))


def test_horizons_are_last_quarters():
    found = runs()
    assert found.num_rounds == 40
    assert law_runs.window(found, QUARTER) == slice(8, 11)
    assert law_runs.window(found, ALL) == slice(31, 41)
    assert law_runs.settling(found) == slice(11, 21)


def test_the_pace_of_a_round():
    assert runs().pace == pytest.approx(1)
    assert runs("rate_1e-3").pace == pytest.approx(1 / 3)
    assert runs("updates_8").pace == pytest.approx(1 / 4)
    assert np.isnan(runs("grpo").pace)
    assert np.isnan(law_runs.predicted(law_runs.read(runs("grpo")), MAP, ALL))


def logs(rule: str, *each: Runs) -> scores.Logs:
    families = [f"family {i}" for i in range(len(each))]
    return scores.logs(rule, ALL, [law_runs.read(x) for x in each], families)


def test_errors_are_of_boundaries_that_were_reached():
    found = runs(crossing=0.3, lost=0.4 * 0.7)  # predicted: 0.3
    assert law_runs.predicted(law_runs.read(found), SHAM, ALL) == pytest.approx(0.3)
    beyond = runs(crossing=5.0, lost=-0.1)
    assert law_runs.is_open(law_runs.read(beyond), ALL)
    told = logs(SHAM, beyond, found)
    assert told.families.tolist() == ["family 1"]
    np.testing.assert_allclose(told.off, 0, atol=0.1)


def test_errors_in_what_is_missing_to_1():
    found = law_runs.read(runs(crossing=0.3, lost=0.4 * 0.4))  # predicted: 0.6
    told = scores.logs(SHAM, ALL, [found], ["one"], law_runs.missing)
    assert told.said[0, 0] == pytest.approx(np.log(0.4))
    assert told.found[0, 0] == pytest.approx(np.log(0.7), abs=0.05)
    assert law_runs.missing(found, 1.5) == law_runs.missing(found, 1.0) == np.log(0.05)
    assert law_runs.missing(found, 0.0) == 0


def test_the_law_from_both_ends_reads_them():
    found = law_runs.read(runs(crossing=0.3))
    best, lost = -0.05 * np.log(1e-3 / 0.3), -0.05 * np.log(1 / 0.3)
    for horizon, odds in zip(law_runs.HORIZONS, law.ODDS, strict=True):
        for rule, k in ((ENDS, odds), (EVEN, 1.0), (LINEAR, 0.0)):
            said = best / (best - (1 + k) * lost)
            assert law_runs.predicted(found, rule, horizon) == pytest.approx(said, rel=0.1)


@pytest.mark.parametrize("horizon", law_runs.HORIZONS)
def test_on_its_own_curve_the_law_from_both_ends_has_no_error(horizon):
    """What is predicted is read as what is measured, between the ratios that were run."""
    found = law_runs.read(curved(law_runs.ODDS[horizon]))
    said = law_runs.predicted(found, ENDS, horizon)
    assert said == pytest.approx(law_runs.crossing(found, horizon), rel=1e-3)
    assert said == pytest.approx(float(law.between(0.3, 0.1, law_runs.ODDS[horizon])), rel=0.1)


@pytest.mark.parametrize("change", ["no filter is missing", "no errors is missing", "no learning"])
def test_without_both_ends_it_says_nothing(change):
    """Where all is accepted a group-relative learner learns nothing, which tells of no loss."""
    found = runs(crossing=0.3)
    line = found.line
    if change == "no learning":
        base = line.accuracy.isel(round=0)
        accuracy = line.accuracy.where(line.fpr < 1, base)
        found = found._replace(line=line.assign(accuracy=accuracy))
    else:
        kept = slice(0, -1) if change.startswith("no filter") else slice(1, None)
        found = found._replace(line=line.isel(fpr=kept))
    read = law_runs.read(found)
    assert all(np.isnan(law_runs.predicted(read, x, ALL)) for x in (ENDS, UNFILTERED))
    assert np.isfinite(law_runs.predicted(read, SHAM, ALL))


def test_of_a_frontier_only_the_law_from_both_ends_says_something():
    found = runs("frontier_2")
    for data in found:  # whose progress is the solved length
        data["accuracy_by_difficulty"] = data.accuracy + 0 * data.accuracy_by_difficulty
    read = law_runs.read(found)
    assert law_runs.crossing(read, ALL) == pytest.approx(0.3, rel=0.1)
    said = {rule: law_runs.predicted(read, rule, ALL) for rule in law_runs.LAWS}
    assert [rule for rule, x in said.items() if not np.isnan(x)] == [ENDS]
    assert "digits gained" in {axes.get_ylabel() for axes in figure.draw(*found).axes}


def test_bases_of_which_a_run_diverged_are_left_out():
    found = runs()
    accuracy = found.line.accuracy.copy()
    accuracy.loc[{"fpr": 1.0, "seed": 2, "round": slice(5, None)}] = np.nan
    read = law_runs.read(found._replace(line=found.line.assign(accuracy=accuracy)))
    assert read.seeds.tolist() == [0, 1, 3] and np.isfinite(read.gained).all()
    told = figure.summary(*found._replace(line=found.line.assign(accuracy=accuracy)))
    assert "laws are of 3: runs of 1 diverged" in told.splitlines()[0]


def test_bases_are_paired_by_their_seeds():
    """A configuration that lacks the first base: leaving that one out changes the other alone."""
    moved = np.linspace(-0.1, 0.1, NUM_SEEDS)
    one, two = runs(), runs()
    for each in (one, two):
        rising = each.line["round"] > 0
        each.line["accuracy"] = each.line.accuracy + xr.DataArray(moved, dims="seed") * rising
    two = Runs(*(data.isel(seed=slice(1, None)) for data in two))
    found = logs(SHAM, one, two).found
    assert found.shape == (1 + NUM_SEEDS, 2)
    assert found[1, 1] == found[0, 1] and found[1, 0] != found[0, 0]
    both = [law_runs.read(x) for x in (one, two)]
    each = effects.against("two", "one", ALL, ("one", "two"), *one, *two)
    assert each.value == pytest.approx(1) and each.num == NUM_SEEDS - 1
    assert both[1].seeds.tolist() == [1, 2, 3]


def test_a_law_that_is_right_beats_a_constant():
    each = (0.15, 0.3, 0.6)
    found = logs(SHAM, *(runs(crossing=x, lost=(1 - x) * (1 - BASE)) for x in each))
    constant = found._replace(said=found.found.mean(1, keepdims=True) + 0 * found.found)
    told = scores.beyond(found, constant)
    assert told.value < -0.3 and told.num == NUM_SEEDS


def curved(odds: float) -> Runs:
    """Gains of 0.3 at no errors, -0.1 at no filter; between them as the law from both ends says."""
    found = runs()
    trained = found.line["round"] > 0
    gains = xr.DataArray(law.gained_at(found.line.fpr, 0.3, 0.1, odds), dims="fpr")
    found.line["accuracy"] = BASE + gains * trained + 0 * found.line.accuracy
    return found


def test_gains_between_the_ends_are_told_from_a_straight_line():
    folders = THREE
    on_curve = [data for _ in folders for data in curved(law.ODDS[-1])]
    found = effects.error_between(ALL, folders, folders, *on_curve)
    ratios = np.array(config.RATIOS)
    apart = (law.gained_at(ratios, 0.3, 0.1, 0.0) - law.gained_at(ratios, 0.3, 0.1, 0.7))[1:-1]
    assert found.value == pytest.approx(-np.sqrt((apart**2).mean()), rel=1e-3)
    straight = [data for _ in folders for data in curved(0.0)]
    assert effects.error_between(ALL, folders, folders, *straight).value == pytest.approx(
        -found.value, rel=1e-3
    )


def test_a_law_beside_the_boundaries_that_were_known():
    """It is right on three of three; the mean of the old ones, which are all at 0.3, is not."""
    old = {name: data for name in places.FITTED_ON for data in [runs(crossing=0.3)]}
    new = {f"law_rate_{x}": runs(crossing=x, lost=(1 - x) * (1 - BASE)) for x in (0.1, 0.2, 0.6)}
    folders = (*old, *new)
    datasets = [data for each in (old | new).values() for data in each]
    on = law_runs.bounded, ALL, tuple(new), folders
    told = effects.beyond(SHAM, effects.CONSTANT, *on, *datasets)
    off = np.log([0.1 / 0.3, 0.2 / 0.3, 0.6 / 0.3])
    assert told.value == pytest.approx(-(off**2).mean(), abs=0.1)
    assert effects.own(SHAM, *on, *datasets).num == NUM_SEEDS


def test_one_law_of_one_configuration():
    found = runs(crossing=0.3, lost=0.4 * 0.4)
    told = effects.factor("law", SHAM, ALL, ("law",), *found)
    assert told.value == pytest.approx(0.6 / 0.3, rel=0.1)
    gain = effects.gained("law", 1.0, ALL, ("law",), *found)
    assert gain.value == pytest.approx(0.05 * np.log(0.3))


def test_trajectories_beside_what_a_law_says():
    """The line rests at its base without errors, which the settled law does not say."""
    found = runs(lost=0.1)
    found.line["accuracy"] = BASE + 0 * found.line.accuracy
    told = paths.off(SHAM, 0, ("law",), *found)
    said = law.trajectory(BASE, 0.1, 0.0, found.num_rounds)[1:]
    assert told.value == pytest.approx(np.sqrt(((said - BASE) ** 2).mean()))


def test_half_of_a_gain_by_hand():
    curve = np.array([0.5, 0.4, 0.5, 0.6, 0.9, 0.9])  # 0.4 gained in the end, 0.2 between 3 and 4
    assert paths.half_time(curve, slice(4, 6)) == pytest.approx(3 + 1 / 3)
    curve = np.array([0.5, 0.6, 0.8, 0.6, 0.9, 0.9])  # 0.7 in rounds 2 and 3 of the monotone fit
    assert paths.half_time(curve, slice(4, 6)) == pytest.approx(2)
    assert np.isnan(paths.half_time(1 - curve, slice(4, 6)))  # nothing is gained
    assert paths.half_time(np.array([0.5, 0.9, 0.9]), slice(1, 3)) == pytest.approx(0.5)


def test_a_law_that_moves_as_the_loop_does_relaxes_as_fast():
    found = runs(lost=0.1)
    said = xr.DataArray(law.trajectory(BASE, 0.1, 0.0, found.num_rounds), dims="round")
    found.line["accuracy"] = said + 0 * found.line.accuracy
    assert paths.relaxation(SHAM, THREE, *found, *found, *found).value == 0
    found = runs(lost=0.1)
    found.line["accuracy"] = BASE + 0.01 * found.line["round"] + 0 * found.line.accuracy
    slow, last = 0.01 * np.arange(31, 41).mean() / 2, slice(31, 41)
    expected = np.log(paths.half_time(said.values, last) / (slow / 0.01))
    told = paths.relaxation(SHAM, THREE, *found, *found, *found)
    assert told.value == pytest.approx(abs(expected)) and told.num == NUM_SEEDS


def test_known_lengths_and_longer_ones_of_a_frontier():
    """Known lengths lose 0.1, where a sham loses 0.02; longer ones gain as the law says."""
    found = runs("frontier_1")
    longest = found.line.attrs["config"]["base"]["base_difficulty"]
    known = found.line.difficulty <= longest
    gains = xr.DataArray(law.gained_at(found.line.fpr, 0.3, 0.1, law.ODDS[-1]), dims="fpr")
    for data, lost, gained in ((found.line, 0.1, gains), (found.sham, 0.02, 0.0)):
        change = xr.where(known, -lost, gained) * (data["round"] > 0)
        data["accuracy_by_difficulty"] = BASE + change + 0 * data.accuracy_by_difficulty
    name, folders = "law_frontier_1", ("law_frontier_1",)
    told = frontiers.beyond_sham(name, lengths.retention, 0.05, folders, *found)
    assert told[:3] == pytest.approx((-0.08,) * 3)
    told = frontiers.reached(name, ALL, folders, *found)
    assert told.value == pytest.approx(1, rel=0.01)


def test_a_rise_is_after_all_rounds_less_after_a_quarter():
    found = runs()
    found.line["accuracy"] = BASE + 0.001 * found.line["round"] + 0 * found.line.accuracy
    told = effects.risen("law", 0.2, ("law",), *found)
    assert told.value == pytest.approx(0.001 * (np.arange(31, 41).mean() - np.arange(8, 11).mean()))


def test_bases_that_know_more_may_have_higher_boundaries():
    found = runs()
    skill = xr.DataArray(np.linspace(-0.1, 0.1, NUM_SEEDS), {"seed": range(NUM_SEEDS)})
    slope = 4  # of the logarithm of the boundary with accuracy
    rising = found.line["round"] > 0
    found.line["accuracy"] = found.line.accuracy + skill + 0.05 * slope * skill * rising
    found.sham["accuracy"] = found.sham.accuracy + skill
    told = effects.by_skill(ALL, ("law",), *found)
    assert told.value == pytest.approx(0.1 * slope, rel=0.25) and told.num == NUM_SEEDS


def test_a_boundary_beside_another():
    found = [data for x in (0.2, 0.4) for data in runs(crossing=x)]
    told = effects.against("two", "one", ALL, ("one", "two"), *found)
    assert told.value == pytest.approx(2, rel=0.1)


@pytest.mark.parametrize("configuration", ["reference", "grpo", "updates_8"])
def test_it_is_drawn_and_told(configuration):
    found = runs(configuration)
    drawn = figure.draw(*found)
    titles = [axes.get_title("left") for axes in drawn.axes]
    assert "By FPR / (1 - FNR)" in titles[0] and "At three horizons" in titles[1]
    named = {text.get_text() for legend in drawn.legends for text in legend.get_texts()}
    assert {"sham", "placebo"} & named == {"placebo" if configuration == "grpo" else "sham"}
    told = figure.summary(*found)
    assert f"  {found.num_rounds} rounds:" in told and told.count(OF_MEAN) == 3


@pytest.mark.parametrize("name", across.ACROSS)
def test_all_configurations_are_drawn_beside_each_other(name):
    drawn = across.ACROSS[name](*runs(), *runs("rate_1e-3", 0.5))
    titles = [axes.get_title("left") for axes in drawn.axes]
    words = across.COMPARED if name in ("across", "errors") else law_runs.HORIZONS
    words = words[:2] if name == "horizons" else words
    assert all(word in title for title, word in zip(titles, words, strict=True))


def test_every_configuration_has_a_family_and_a_colour():
    assert places.family("law") == "reference"
    families = {places.family(f"law_{x}") for x in config.CONFIGURATIONS if x != "reference"}
    assert families | {"reference"} == set(across.COLOURS)
    assert len(set(across.COLOURS.values())) == len(across.COLOURS)


def test_the_page_begins_with_the_figure_of_all():
    text = pages.page(figure, [], pages.shipped(figure))
    pictures = [line for line in text.splitlines() if line.startswith("![")]
    assert pictures[0].endswith("law/figure_across.png)")
    assert len(pictures) == 1 + len(across.ACROSS)
