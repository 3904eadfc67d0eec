"""What laws say of a configuration and what its runs say, on runs whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from avax.analysis import law
from avax.sweeps import needs
from configs import law as config
from paper_figures import fig_law as figure
from paper_figures import law as law_runs
from paper_figures import law_across as across
from paper_figures import law_effects as effects
from paper_figures import law_scores as scores
from paper_figures import pages
from paper_figures.law import (
    ALL,
    BY_BASE,
    ENDS,
    FROZEN,
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
    assert law_runs.predicted(law_runs.read(found), UNFILTERED, ALL) == pytest.approx(
        law.unfiltered(BASE, -lost)
    )
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


def off(rule: str, *each: Runs) -> scores.Places:
    return scores.places(rule, ALL, tuple(map(law_runs.read, each)))


def test_errors_are_of_what_was_run():
    found = runs(crossing=0.3, lost=0.4 * 0.7)  # predicted: 0.3
    assert law_runs.predicted(law_runs.read(found), SHAM, ALL) == pytest.approx(0.3)
    beyond = runs(crossing=5.0, lost=-0.1)  # both above all that was run
    np.testing.assert_allclose(off(SHAM, found, beyond).off, 0, atol=0.1)
    assert (off(SHAM, beyond).off == 0).all()


def test_the_law_from_both_ends_reads_them():
    found = runs(crossing=0.3)
    best, lost = -0.05 * np.log(1e-3 / 0.3), -0.05 * np.log(1 / 0.3)
    for horizon, odds in zip(law_runs.HORIZONS, law.ODDS, strict=True):
        told = law_runs.predicted(law_runs.read(found), ENDS, horizon)
        assert told == pytest.approx(best / (best - (1 + odds) * lost))


def test_of_a_frontier_only_the_law_from_both_ends_says_something():
    read = law_runs.read(runs())._replace(is_fixed=False)
    said = {rule: law_runs.predicted(read, rule, ALL) for rule in law_runs.LAWS}
    assert [rule for rule, x in said.items() if not np.isnan(x)] == [ENDS]


def test_a_law_that_is_right_beats_a_constant():
    places = (0.15, 0.3, 0.6)
    found = off(SHAM, *(runs(crossing=x, lost=(1 - x) * (1 - BASE)) for x in places))
    told = scores.of_all(found, scores.over_constant)
    assert told.value < -0.3 and told.num == NUM_SEEDS
    assert scores.covered(found) == 0  # bases that are all alike tell the boundary exactly


def test_bases_that_know_more_may_have_higher_boundaries():
    found = runs()
    skill = xr.DataArray(np.linspace(-0.1, 0.1, NUM_SEEDS), dims="seed")
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
    told = figure.summary(*found)
    assert f"  {found.num_rounds} rounds:" in told and told.count(OF_MEAN) == 3


@pytest.mark.parametrize("name", across.ACROSS)
def test_all_configurations_are_drawn_beside_each_other(name):
    drawn = across.ACROSS[name](*runs(), *runs("rate_1e-3", 0.5))
    titles = [axes.get_title("left") for axes in drawn.axes]
    words = across.COMPARED if name in ("across", "errors") else law_runs.HORIZONS
    assert all(title.endswith(word) for title, word in zip(titles, words, strict=True))


def test_every_configuration_has_a_colour():
    assert across.group("law") == "reference"
    others = {name for name in config.CONFIGURATIONS if name != "reference"}
    assert {across.group(f"law_{x}") for x in others} | {"reference"} == set(across.GROUPS)
    assert len(set(across.COLOURS.values())) == len(across.GROUPS)


def test_the_page_begins_with_the_figure_of_all():
    paths = pages._all_figures(figure)
    assert paths[0].endswith("law/figure_across.png") and len(paths) == 1 + len(across.ACROSS)
