"""What the figures and claims on the gap find in made-up data."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from paper_figures import fig_gap as figure
from paper_figures import gap as findings
from paper_figures import gap_claims as claims
from paper_figures import gap_loop_claims as loops

SEEDS, ROUNDS, LENGTHS, KS = 3, 5, np.arange(1, 14), (1, 16)
JUDGES = ("own", *findings.JUDGES)
SIZES = {16: 0.0, 32: 0.3, 64: 0.1}  # gap at 8 digits, by width; a third of it at 10
RIGHT = (0.1, 0.4, 0.6, 0.9)  # of the answers of a width's bases, by training


def part(gap: float, skill: float, narrows: float) -> xr.Dataset:
    """Loops whose gap halves every round; the base knows 8 digits, and `skill` more a round; of
    pass@k `narrows` is lost at k = 16 and gained at k = 1. Seeds differ by 0.01.
    """
    axes = {"step": [0, 1], "start": [8, 10], "seed": range(SEEDS), "round": range(ROUNDS)}
    each = xr.DataArray(np.zeros([len(x) for x in axes.values()]), axes, list(axes))
    beside = 0.01 * (each.seed - 1)
    size = xr.DataArray([1.0, 1 / 3], {"start": [8, 10]}, "start")
    by_judge = xr.DataArray([1.0] * 6 + [2.0], {"judge": list(JUDGES)}, "judge")
    found = (gap * size * 0.5 ** (each["round"] - 1) + beside + each) * by_judge
    found = found.where(each["round"] > 0)
    knows = xr.DataArray(LENGTHS, {"difficulty": LENGTHS}, "difficulty")
    right = (knows <= 8 + skill * each["round"] + each).astype(float)
    sign = xr.DataArray([1.0, -1.0], {"k": list(KS)}, "k")
    pass_at = 0.5 + sign * narrows * (each["round"] == ROUNDS - 1) + beside + each
    arrays = {"gap": found, "relative_gap": 2 * found, "pass_at": pass_at, "diverged": each}
    arrays |= {"accuracy_by_difficulty": right, "sampled_accuracy": each + 0.5}
    return xr.Dataset(arrays)


def bases(gap: float, right: float) -> xr.Dataset:
    """What bases of one width and training do: gaps that grow with the share right."""
    found = part(gap, 0.0, 0.0).sel(step=0, drop=True).isel(round=slice(2))
    found["sampled_accuracy"] = right + 0 * found.sampled_accuracy
    for name in ("gap", "relative_gap"):
        found[name] = found[name] + right
    return found.drop_sel(judge="CrossModel")


def made_up() -> list[xr.Dataset]:
    """Behind the truth a length is learned each round; behind a vote none, and it narrows."""
    truth, vote = part(0.3, 1.0, -0.1), part(0.3, 0.0, 0.2)
    loops = [truth, vote, part(0.0, 0.0, 0.0), vote, vote]
    return loops + [bases(gap, right) for gap in SIZES.values() for right in RIGHT]


def with_controls(frozen: xr.Dataset, sham: xr.Dataset) -> list[xr.Dataset]:
    return [*made_up(), frozen, sham, sham]


def test_gaps_are_compared_between_widths_by_the_judges_that_are_the_policy():
    """After 1000 updates 0.1, 0.4 and 0.6 are right, which all gaps have besides."""
    data = findings.named(made_up())
    for start, share in ((findings.KNOWN, 1), (findings.BEYOND, 1 / 3)):
        found = findings.grown(data, "gap", start, (32, 64))
        np.testing.assert_allclose(found, -0.2 * share + 0.2)
        found = findings.grown(data, "relative_gap", start, (16, 64))
        np.testing.assert_allclose(found, 0.2 * share + 0.5)


def test_gaps_at_equal_skill_are_between_the_trainings_about_it():
    data = findings.named(made_up())
    beside = 0.01 * (np.arange(SEEDS) - 1)
    for width, gap in SIZES.items():
        for skill in (0.25, 0.5, 0.75):
            found = findings.at_skill(data, "gap", width, skill)
            np.testing.assert_allclose(found, gap + beside + skill)
    assert np.isnan(findings.at_skill(data, "gap", 16, 0.95)).all()


@pytest.mark.parametrize(
    "right, expected",
    [
        ((0.0, 0.4, 0.6, 1.0), 1.5),
        ((0.0, 1.0, 0.0, 1.0), 0.5),  # the first time
        ((0.6, 0.7, 0.4, 0.6), 2.5),  # it has to rise past it
        ((0.0, 0.1, 0.2, 0.5), np.nan),
        ((0.0, np.nan, 0.2, 0.8), 2.5),
    ],
)
def test_a_crossing_is_where_a_line_first_rises_past(right, expected):
    found = findings.crossing(np.array(right), np.arange(4.0), 0.5)
    assert found == pytest.approx(expected, nan_ok=True)


def test_skill_is_compared_with_the_base_on_the_same_lengths():
    data = findings.named(made_up())
    truth, vote = (
        findings.of(data[name], findings.KNOWN, findings.MOVING) for name in ("oracle", "majority")
    )
    assert findings.posed(truth).values.tolist() == [8, 9, 10, 11]
    for run, expected in ((truth, [1, 1, 1, 1]), (vote, [1, 0, 0, 0])):
        after, base = findings.skill(run)
        assert after.mean("seed").values.tolist() == expected
        assert base.mean("seed").values.tolist() == [1, 0, 0, 0]
    fixed = findings.of(data["oracle"], findings.BEYOND)
    after, base = findings.skill(fixed)
    assert after.mean("seed").values.tolist() == [0, 1, 1, 1] and not base.any()


def effects(parts) -> dict:
    """Estimates of all claims by name and effect."""
    return {
        claim.name: {name: effect(*parts) for name, effect in claim.effects.items()}
        for claim in claims.CLAIMS
    }


def test_effects_by_hand():
    """Three bases, whose t interval has 4.303 standard errors of 0.01 / sqrt 3 on each side."""
    found = effects(made_up())
    left = found["The gap is gone in three rounds"]
    assert left["8 digits"].high - left["8 digits"].value == pytest.approx(0.0248, abs=1e-4)
    for start, share, learned in (("8 digits", 1, 0.75), ("10 digits", 1 / 3, 0)):
        for rate in ("", ", rate 3e-3"):
            assert left[f"{start}{rate}"].value == pytest.approx(0.3 / 8 * share)
            fell = found["The gap falls"][f"{start}{rate}, {loops.BASE}"]
            assert fell.value == pytest.approx(-0.3 * 7 / 8 * share)
        # Of 8, 9, 10, 11 the base knows the first, and a length is learned behind the truth in each
        # round, always one too few of 10, 11, 12, 13.
        taught = found["The truth teaches new lengths"][f"{start}, {loops.BASE}"]
        assert taught.value == pytest.approx(learned)
        assert found["A vote teaches new lengths"][f"{start}, {loops.BASE}"].value == 0
    for name, expected in (("Size itself", 0.2), ("Small policies have no gap", None)):
        for skill in (0.25, 0.5, 0.75):
            value = found[name][f"{skill:g} right"].value
            assert value == pytest.approx(skill if expected is None else expected)
    assert found["What is found narrows"][loops.BASE].value == pytest.approx(-0.2)
    kept = found["New prompts keep the gap open"]
    assert kept["8 digits, minus on fixed prompts"].value == pytest.approx(0, abs=1e-9)
    for each in found.values():
        for name, x in each.items():  # no control was run
            is_beside = loops.SHAM in name or (each is kept and loops.BASE in name)
            assert (x.num, np.isnan(x.value)) == ((0, True) if is_beside else (SEEDS, False))


def test_effects_beside_controls_by_hand():
    """Of 8 digits the vote's gap falls by 7/8 of 0.3 in the loop, and of 0.2 in the controls; of
    10 digits by a third of that. What a sham's own verifier does is no vote's gap.
    """
    sham = part(0.2, 0.0, 0.1)
    sham["gap"] = sham.gap.where(sham.judge != "own", 0.0)
    parts = with_controls(part(0.2, 0.0, 0.1), sham)
    found = {name: {n: x.value for n, x in each.items()} for name, each in effects(parts).items()}
    for start, share in (("8 digits", 1), ("10 digits", 1 / 3)):
        for rate in ("", ", rate 3e-3"):
            fell = found["The gap falls"][f"{start}{rate}, {loops.SHAM}"]
            assert fell == pytest.approx(-7 / 8 * 0.1 * share)
        kept = found["New prompts keep the gap open"][f"{start}, {loops.BASE}"]
        assert kept == pytest.approx(0.1 / 8 * share)  # in the last round an eighth is left
        taught = found["The truth teaches new lengths"][f"{start}, {loops.SHAM}"]
        assert taught == found["The truth teaches new lengths"][f"{start}, {loops.BASE}"]
    assert found["What is found narrows"][loops.SHAM] == pytest.approx(-0.2 + 0.1)
    narrows = found["True labels narrow nothing"]
    expected = {"k = 1": -0.1 - 0.1, "k = 16": 0.1 + 0.1}
    assert {n: narrows[f"{n}, {loops.SHAM}"] for n in expected} == pytest.approx(expected)
    words = {x.get_text() for x in figure.draw_skill(*parts).legends[0].get_texts()}
    assert {"sham of the vote", "frozen generator of the vote"} < words
    assert "pass@k of the sham" in figure.summary(*parts)


def test_a_gap_of_which_a_judge_says_nothing_is_not_known():
    data = findings.named(made_up())
    gap = findings.by_width(data, "gap", findings.KNOWN).copy()
    gap[0, 0, JUDGES.index("Likelihood")] = np.nan
    gap[1, 1, JUDGES.index("own")] = np.nan  # no judge that was asked beside the loop's own
    known = findings.of_own(gap).notnull().values
    assert not known[0, 0] and known.sum() == known.size - 1


def test_all_figures_are_drawn_from_few_judges_and_one_seed():
    parts = [x.isel(seed=[0], judge=[0, 1, 2]) for x in made_up()]
    for draw in figure.FIGURES.values():
        drawn = draw(*parts)
        drawn.draw_without_rendering()
        assert len(drawn.axes) == 4
        assert all(axes.get_xlabel() and axes.get_ylabel() for axes in drawn.axes)
    assert "likelihood" in {x.get_text() for x in drawn_legend(figure.draw_judges(*parts))}
    text = figure.summary(*parts)
    assert "right 0.1" in text and "sham" not in text


def drawn_legend(drawn):
    return drawn.axes[3].get_legend().get_texts()
