"""What the figures and claims on the gap find in made-up data; which parts there are."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from avax.fields import ConfigError
from avax.probes import PassAt
from avax.sweeps import needs
from avax.sweeps.validate import validate
from avax.verifiers import MajorityVote
from configs import gap as config
from paper_figures import fig_gap as figure
from paper_figures import gap as findings
from paper_figures import gap_claims as claims

SEEDS, ROUNDS, LENGTHS, KS = 3, 5, np.arange(1, 20), (1, 16)
JUDGES = ("own", *findings.JUDGES)
SIZES = {16: 0.0, 32: 0.3, 64: 0.1}  # gap at 8 digits, by width; a third of it at 10
RIGHT = np.arange(40) / 40  # of the answers of bases, by snapshot
STARTS = {"10 digits": 1, "12 digits": 1 / 3}  # of loops, and how large their gaps are


@pytest.mark.parametrize("preset", config.CHOICES["preset"])
def test_parts_are_those_of_the_figure_and_can_be_run(preset):
    parts = needs.parts(config, config.build(preset), config.CONTROLS)
    assert tuple(parts) == findings.PARTS
    for part in parts.values():
        validate(part)


def test_parts_differ_in_what_their_names_say():
    sweep = config.build("laptop")
    parts = config.parts(sweep)
    vote = sweep.base.replace(verifier=MajorityVote())
    assert parts["oracle"] == sweep and parts["majority"].base == vote
    assert parts["again"].base == vote.replace(replicate=1)
    assert parts["rate_3e-3"].base == vote.replace(learner=vote.learner.replace(learning_rate=3e-3))
    fresh = vote.replace(num_distinct=0, curriculum=vote.curriculum.replace(step=0))
    assert parts["fresh"].base == fresh
    last = max(sweep.axes[config.START]) + sweep.base.num_rounds - 1
    assert parts["untouched"].axes == {config.START: tuple(range(10, last + 1))}
    for width in config.WIDTHS:
        bases = parts[f"bases_{width}"]
        assert bases.pretraining.model.width == width
        assert bases.axes[config.START] == (8, 10) and len(bases.axes["snapshot"]) == 40
        # The snapshot after 1000 updates.
        each = bases.pretraining.num_updates / bases.pretraining.num_snapshots
        assert (findings.ALIKE + 1) * each == findings.UPDATES


def test_bases_of_a_smaller_sweep_have_one_width_so_that_few_programs_are_compiled():
    parts = config.parts(config.build("smoke"))
    assert len({parts[f"bases_{width}"].digest() for width in config.WIDTHS}) == 1


def test_a_probe_that_asks_no_judge_is_refused():
    sweep = config.with_base(config.build("laptop"), probe=PassAt())
    with pytest.raises(ConfigError, match="probe"):
        needs.parts(config, sweep, ())


def zeros(**axes) -> xr.DataArray:
    return xr.DataArray(np.zeros([len(x) for x in axes.values()]), axes, list(axes))


def dataset(gap, each, **arrays) -> xr.Dataset:
    """A gap of every judge, 0.01 more or less by seed; unknown before the first round."""
    by_judge = xr.DataArray(np.ones(len(JUDGES)), {"judge": list(JUDGES)}, "judge")
    gaps = ((gap + 0.01 * (each.seed - 1) + each) * by_judge).where(each["round"] > 0)
    attrs = {"config": {"base": {"base_difficulty": 8}}}
    return xr.Dataset({"gap": gaps, "diverged": each, **arrays}, attrs=attrs)


def knows(length) -> xr.DataArray:
    """Which lengths are solved if those up to `length` are."""
    return (xr.DataArray(LENGTHS, {"difficulty": LENGTHS}, "difficulty") <= length).astype(float)


def loop(gap: float, skill: float, narrows: float) -> xr.Dataset:
    """Loops whose gap halves every round, from 12 digits a third as large; the base knows 8 digits,
    and `skill` more a round; of pass@k `narrows` is lost at k = 16 and gained at k = 1.
    """
    each = zeros(step=[0, 1], start=[10, 12], seed=range(SEEDS), round=range(ROUNDS))
    size = xr.DataArray(list(STARTS.values()), {"start": [10, 12]}, "start")
    sign = xr.DataArray([1.0, -1.0], {"k": list(KS)}, "k")
    pass_at = 0.5 + sign * narrows * (each["round"] == ROUNDS - 1) + 0.01 * (each.seed - 1) + each
    return dataset(
        gap * size * 0.5 ** (each["round"] - 1),
        each,
        pass_at=pass_at,
        accuracy_by_difficulty=knows(8 + skill * each["round"] + each),
        sampled_accuracy=each + 0.5,
    )


def bases(gap: float) -> xr.Dataset:
    """Bases that learn ever more of their longest length, and whose gap grows as much."""
    each = zeros(start=[8, 10], snapshot=range(len(RIGHT)), seed=range(SEEDS), round=range(2))
    size = xr.DataArray([1, 1 / 3], {"start": [8, 10]}, "start")
    right = xr.DataArray(RIGHT, {"snapshot": range(len(RIGHT))}, "snapshot")
    greedy = (right + 0.05) * knows(8) + each
    return dataset(
        gap * size + right, each, accuracy_by_difficulty=greedy, sampled_accuracy=right + each
    ).drop_sel(judge="own")


def untouched(gap: float) -> xr.Dataset:
    each = zeros(start=range(10, 20), seed=range(SEEDS), round=range(2))
    return dataset(gap, each, sampled_accuracy=each + 0.25)


def made_up(has_controls: bool = True) -> list[xr.Dataset]:
    """Behind the truth a length is learned each round; behind a vote none, and it narrows."""
    truth, vote = loop(0.3, 1.0, -0.1), loop(0.3, 0.0, 0.2)
    fresh = loop(0.4, 0.0, 0.0).sel(step=0, drop=True)
    loops = [truth, vote, loop(0.0, 0.0, 0.0), vote, fresh, vote, untouched(0.05)]
    sham = loop(0.2, 0.5, 0.1)
    sham["gap"] = sham.gap.where(sham.judge != "own", 0.0)  # what it accepts is no vote's
    controls = [sham, sham, sham] if has_controls else []
    return loops + [bases(gap) for gap in SIZES.values()] + controls


def effects(parts) -> dict:
    """Values of all effects by claim and name."""
    return {
        claim.name: {name: effect(*parts) for name, effect in claim.effects.items()}
        for claim in claims.CLAIMS
    }


def test_gaps_after_equal_training():
    """After 1000 updates 0.475 is right, and all gaps are so much larger."""
    found = effects(made_up())
    for name, share in (("8 digits", 1), ("10 digits", 1 / 3)):
        falls = found["The gap itself does not"][name]
        assert falls.value == pytest.approx((0.1 - 0.3) * share)
        assert found["Small policies have no gap"][name].value == pytest.approx(0.475)
        removed = found["The relative gap grows with size"][name]
        assert removed.value == pytest.approx(0.1 * share / 0.525)


def test_gaps_at_equal_skill_are_between_the_snapshots_about_it():
    data = findings.named(made_up())
    beside = 0.01 * (np.arange(SEEDS) - 1)
    for width, gap in SIZES.items():
        for skill in (0.25, 0.5, 0.75):
            found = findings.at_skill(data, width, skill)
            np.testing.assert_allclose(found, gap + beside + skill)
            greedy = findings.at_skill(data, width, skill, is_greedy=True)
            np.testing.assert_allclose(greedy, found - 0.05)
    assert np.isnan(findings.at_skill(data, 16, 0.99)).all()
    (claim,) = (x for x in claims.CLAIMS if x.name == "Size itself")
    assert claim.effect(*made_up()).value == pytest.approx(0.1 / 0.5)
    assert claim.qualified_by.effect(*made_up()).value == pytest.approx(0.1)


@pytest.mark.parametrize(
    "right, expected",
    [
        ((0.3, 0.4, 0.6, 0.7), 1.5),
        ((0.4, 0.6, 0.4, 0.4), 1.0),  # the mean of up and down
        ((0.5, 0.6, 0.7, 0.8), 0.0),
        ((0.1, 0.2, 0.3, 0.4), np.nan),
        ((0.0, 0.1, 0.9, 1.0), np.nan),  # it jumps past
        ((0.4, np.nan, 0.4, 0.6), 2.5),
    ],
)
def test_a_crossing_lies_between_neighbours(right, expected):
    found = findings.crossing(np.array(right), np.arange(4.0), 0.5)
    assert found == pytest.approx(expected, nan_ok=True)


def test_loops_by_hand():
    """Three bases, whose t interval has 4.303 standard errors of 0.01 / sqrt 3 on each side."""
    found = effects(made_up())
    left = found["The gap is gone in three rounds"]
    assert left["10 digits"].high - left["10 digits"].value == pytest.approx(0.0248, abs=1e-4)
    for start, share in STARTS.items():
        for rate in ("", ", rate 3e-3"):
            assert left[f"{start}{rate}"].value == pytest.approx(0.3 / 8 * share)
            fell = found["The gap falls"][f"{start}{rate}"].value
            assert fell == pytest.approx(-0.3 * 7 / 8 * share)
            fell = found["The gap falls for the vote"][f"{start}{rate}"].value
            assert fell == pytest.approx(-0.1 * 7 / 8 * share)
        kept = found["New prompts keep the gap open"][start].value
        assert kept == pytest.approx(0.1 / 8 * share)
        new = found["The gap of new lengths"][start].value
        assert new == pytest.approx(0.3 / 8 * share - 0.05)
    taught = {n: x.value for n, x in found["The truth teaches new lengths"].items()}
    assert taught == dict.fromkeys((n for n in taught if "base" in n), 4) | dict.fromkeys(
        (n for n in taught if "sham" in n), 2
    )
    taught = {n: x.value for n, x in found["A vote teaches new lengths"].items()}
    assert taught == dict.fromkeys((n for n in taught if "base" in n), 0) | dict.fromkeys(
        (n for n in taught if "placebo" in n), -2
    )
    assert found["What is found narrows"][""].value == pytest.approx(-0.2)
    assert found["What is found narrows for the vote"][""].value == pytest.approx(-0.2 + 0.1)
    narrows = {n: x.value for n, x in found["True labels narrow nothing"].items()}
    assert narrows == pytest.approx({"k = 1": -0.1, "k = 16": 0.1})
    assert found["A trickle of true labels"]["10 digits"].value == pytest.approx(0, abs=1e-9)


def test_without_controls_what_is_beside_them_is_not_known():
    for name, each in effects(made_up(has_controls=False)).items():
        for effect, found in each.items():
            is_beside = name.endswith("for the vote") or "sham" in effect or "placebo" in effect
            assert np.isnan(found.value) == is_beside and (found.num == 0) == is_beside


def test_a_gap_of_which_a_judge_says_nothing_is_not_known():
    gaps = loop(0.3, 0.0, 0.0).gap.sel(step=0, start=10, round=1).transpose("seed", "judge").copy()
    gaps[0, JUDGES.index("Likelihood")] = np.nan
    gaps[1, JUDGES.index("own")] = np.nan  # no judge that was asked beside the loop's own
    assert findings.of_own(gaps).notnull().values.tolist() == [False, True, True]


def test_all_figures_are_drawn_from_few_judges_and_one_seed():
    few = ["own", "MajorityVote", "Likelihood"]
    parts = [x.isel(seed=[0]).sel(judge=[n for n in few if n in x.judge]) for x in made_up()]
    for some in (parts, parts[: -len(findings.CONTROLS) - 1]):
        for draw in figure.FIGURES.values():
            drawn = draw(*some)
            drawn.draw_without_rendering()
            assert len(drawn.axes) == 4
            assert all(axes.get_xlabel() and axes.get_ylabel() for axes in drawn.axes)
    names = {x.get_text() for x in figure.draw(*parts).legends[0].get_texts()}
    assert {"sham of the vote", "placebo of the vote", "untouched base, vote"} < names
    assert "pass@k of the sham" in figure.summary(*parts)
    assert "sham" not in figure.summary(*parts[: -len(findings.CONTROLS) - 1])
