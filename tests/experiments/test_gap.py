"""What the figures and claims on the gap find in made-up data."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from paper_figures import fig_gap as figure
from paper_figures import gap as findings
from paper_figures import gap_claims as claims

SEEDS, ROUNDS, LENGTHS, KS = 3, 5, np.arange(1, 14), (1, 16)
JUDGES = ("own", *findings.JUDGES)
SIZES = {16: 0.0, 32: 0.3, 64: 0.1}  # gap at 8 digits, by width; a third of it at 10


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


def made_up() -> list[xr.Dataset]:
    """Behind the truth a length is learned each round; behind a vote none, and it narrows."""
    truth = [part(gap, 1.0, -0.1) for gap in SIZES.values()]
    vote = [part(gap, 0.0, 0.2) for gap in SIZES.values()]
    return [*truth, *vote, part(0.0, 0.0, 0.0)]


def test_gaps_are_compared_between_widths_by_the_judges_that_are_the_policy():
    data = findings.named(made_up())
    for start, share in ((findings.KNOWN, 1), (findings.BEYOND, 1 / 3)):
        found = findings.grown(data, "gap", start, (32, 64))
        np.testing.assert_allclose(found, -0.2 * share)
        found = findings.grown(data, "relative_gap", start, (16, 64))
        np.testing.assert_allclose(found, 0.2 * share)


def test_skill_is_compared_with_the_base_on_the_same_lengths():
    data = findings.named(made_up())
    truth, vote = (
        findings.of(data[name], findings.KNOWN, findings.MOVING)
        for name in ("oracle_32", "majority_32")
    )
    assert findings.posed(truth).values.tolist() == [8, 9, 10, 11]
    for run, expected in ((truth, [1, 1, 1, 1]), (vote, [1, 0, 0, 0])):
        after, base = findings.skill(run)
        assert after.mean("seed").values.tolist() == expected
        assert base.mean("seed").values.tolist() == [1, 0, 0, 0]
    fixed = findings.of(data["oracle_32"], findings.BEYOND)
    after, base = findings.skill(fixed)
    assert after.mean("seed").values.tolist() == [0, 1, 1, 1] and not base.any()


def test_effects_by_hand():
    """Three bases, whose t interval has 4.303 standard errors of 0.01 / sqrt 3 on each side."""
    parts = made_up()
    after = {"8 digits": 0.3 / 8, "10 digits": 0.1 / 8}
    for claim in claims.CLAIMS:
        found = {name: effect(*parts) for name, effect in claim.effects.items()}
        if claim.name == "The gap is gone in three rounds":
            assert {n: x.value for n, x in found.items()} == pytest.approx(after)
            assert found["8 digits"].high - found["8 digits"].value == pytest.approx(
                0.0248, abs=1e-4
            )
        if claim.name == "The gap falls":
            expected = {"8 digits": 0.3 / 8 - 0.3, "10 digits": 0.1 / 8 - 0.1}
            for name, value in expected.items():
                assert found[f"{name}, {claims.BASE}"].value == pytest.approx(value)
        if claim.name == "What is found narrows":
            assert found[claims.BASE].value == pytest.approx(-0.2)
            assert claim.qualified_by.effect(*parts).value == pytest.approx(0.2)
        if claim.name in ("New prompts keep the gap open", "A trickle of true labels"):
            assert all(x.value == pytest.approx(0, abs=1e-9) for x in found.values())
        of_sham = {name for name in found if name.endswith(claims.SHAM)}
        assert all(x.num == (0 if n in of_sham else SEEDS) for n, x in found.items())
        assert all(np.isnan(found[name].value) for name in of_sham)  # none was run


def test_effects_beside_controls_by_hand():
    """Of 8 digits the vote's gap falls by 7/8 of 0.3 in the loop, and of 0.2 in the controls; of
    10 digits by a third of that. What a sham's own verifier does is no vote's gap.
    """
    control = part(0.2, 0.0, 0.1)
    control["gap"] = control.gap.where(control.judge != "own", 0.0)
    frozen = part(0.2, 0.0, 0.1)
    parts = [*made_up(), frozen, control]
    found = {
        claim.name: {name: effect(*parts).value for name, effect in claim.effects.items()}
        for claim in claims.CLAIMS
    }
    fell = found["The gap falls"]
    assert fell[f"8 digits, {claims.SHAM}"] == pytest.approx(-7 / 8 * 0.1)
    assert fell[f"10 digits, {claims.SHAM}"] == pytest.approx(-7 / 8 * 0.1 / 3)
    assert found["What is found narrows"][claims.SHAM] == pytest.approx(-0.2 + 0.1)
    narrows = found["True labels narrow nothing"]
    expected = {"k = 1": -0.1 - 0.1, "k = 16": 0.1 + 0.1}
    assert {n: narrows[f"{n}, {claims.SHAM}"] for n in expected} == pytest.approx(expected)
    second = {x.name: x.qualified_by for x in claims.CLAIMS if x.qualified_by}
    for name in ("The gap is gone in three rounds", "New prompts keep the gap open"):
        # After three rounds, the last here, an eighth is left; mean of 1 and 1/3 of 0.3 less 0.2.
        assert second[name].effect(*parts).value == pytest.approx(0.1 / 8 * 2 / 3)
        assert second[name].effect(*made_up()).num == 0
    words = {x.get_text() for x in figure.draw_skill(*parts).legends[0].get_texts()}
    assert {"sham of the vote", "frozen generator of the vote"} < words
    assert "pass@k of the sham" in figure.summary(*parts)


def test_a_gap_of_which_a_judge_says_nothing_is_not_known():
    data = findings.named(made_up())
    gap = findings.by_width(data, "gap", findings.KNOWN).copy()
    gap[0, 0, JUDGES.index("Likelihood")] = np.nan
    gap[1, 1, JUDGES.index("CrossModel")] = np.nan  # no judge of its own
    known = findings.of_own(gap).notnull().values
    assert not known[0, 0] and known.sum() == known.size - 1


def test_all_figures_are_drawn_from_few_judges_and_one_seed():
    parts = [x.isel(seed=[0], judge=[0, 1, 2]) for x in made_up()]
    for draw in figure.FIGURES.values():
        drawn = draw(*parts)
        drawn.draw_without_rendering()
        assert len(drawn.axes) == 4
        assert all(axes.get_xlabel() and axes.get_ylabel() for axes in drawn.axes)
    assert "likelihood" in {x.get_text() for x in drawn_legend(figure.draw(*parts))}
    text = figure.summary(*parts)
    assert "right 0.5" in text and "sham" not in text


def drawn_legend(drawn):
    return drawn.axes[0].get_legend().get_texts()
