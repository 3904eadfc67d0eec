"""Claims: verdicts follow from data, what data lack is said, and the pages hold what data say."""

from __future__ import annotations

import dataclasses
import math
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from avax.analysis import intervals
from avax.analysis.intervals import Estimate
from paper_figures import command, pages
from paper_figures.claims import UNKNOWN, Certainty, Claim, Condition, Rule, Verdict, judge
from paper_figures.pages import Question
from paper_figures.standards import CONTROLS, Needs, controls_in

INF, NAN = math.inf, math.nan
FIGURES = [figure for figure in command.figures().values() if hasattr(figure, "CLAIMS")]


@pytest.mark.parametrize(
    "rule, low, high, expected",
    [
        (Rule.above(0), 0.1, 0.2, "supports"),
        (Rule.above(0), -0.1, 0.2, "undecided"),
        (Rule.above(0), -0.2, -0.1, "contradicts"),
        (Rule.above(0), 0.1, INF, "undecided"),
        (Rule.below(1), -INF, 0.5, "supports"),
        (Rule.below(1), 2, 3, "contradicts"),
        (Rule.within(-1, 1), -0.5, 0.5, "supports"),
        (Rule.within(-1, 1), -0.5, 1.5, "undecided"),
        (Rule.within(-1, 1), -3, -2, "contradicts"),
        (Rule.within(-1, 1), NAN, NAN, "undecided"),
        (Rule.within(-1, 1), -INF, INF, "undecided"),
    ],
)
def test_a_verdict_is_where_the_interval_lies(rule, low, high, expected):
    value = low if math.isfinite(low) else high
    if expected == "undecided" and math.isinf(high):
        rule = Rule.within(0, 1) if rule == Rule.above(0) else rule
    assert rule.verdict(Estimate(value, low, high, 20)) == expected


def data(num_bases: int = 20, mean: float = 1.0, **config) -> xr.Dataset:
    values = mean + 0.1 * np.cos(np.arange(num_bases))
    base = {"learner": {"type": "FilteredSFT", "learning_rate": 0.001, "base_rate": 0.25}} | config
    attrs = {
        "config": {"base": base, "axes": {}},
        "provenance": {"seconds": {"running": 90}, "device": "2 x cpu"},
    }
    return xr.Dataset({"gain": ("seed", values)}, {"seed": np.arange(num_bases)}, attrs)


def effect(*datasets: xr.Dataset, sign: float = 1.0) -> Estimate:
    return intervals.mean(sign * datasets[0].gain.values)


def claim(**fields) -> Claim:
    fields = {"needs": Needs(), "effect": effect, "rule": Rule.above(0)} | fields
    words = {"name": "it gains", "statement": "It gains.", "measures": "gain", "changes_mind": "A."}
    return Claim(source="avax", certainty=Certainty.OURS, **words, **fields)


def test_a_claim_whose_data_have_all_is_decided_by_the_rule():
    assert judge(claim(), {"": data()}).verdict == Verdict.SUPPORTS
    found = judge(claim(), {"": data(mean=-1.0)})
    assert (
        found.verdict == Verdict.CONTRADICTS and "none of the interval is above 0" in found.reason
    )
    open_ = judge(claim(), {"": data(mean=0.0)})
    assert open_.verdict == Verdict.UNDECIDED and "only a part" in open_.reason


def test_what_data_lack_leaves_a_claim_undecided_and_is_said():
    needs = Needs(32, ("sham", "untouched base"), learning_rates=2, horizons=2, replicates=True)
    found = judge(claim(needs=needs), {"": data(5)})
    assert found.verdict == Verdict.UNDECIDED
    assert found.reason == (
        "5 bases of at least 32; no sham; no untouched base; 1 learning rate of at least 2; "
        "1 horizon of at least 2; one run of each base (by the interval alone: supports)"
    )
    learner = {"type": "FilteredSFT", "learning_rate": 0.003, "base_rate": 1.0}
    whole = data(32).assign(base_accuracy=("seed", np.ones(32)))
    whole.attrs["config"]["axes"]["replicate"] = [0, 1]
    parts = {"": whole, "controls": data(32, learner=learner)}
    assert judge(claim(needs=needs, horizons=(5, 10)), parts).verdict == Verdict.SUPPORTS
    parts["grpo"] = data(32, learner={"type": "GRPO", "learning_rate": 0.1})  # its only one
    found = judge(claim(needs=needs, horizons=(5, 10)), parts)
    assert found.reason.startswith("1 learning rate of at least 2 (by")


def test_a_control_that_was_not_run_is_none():
    needed = claim(needs=Needs(1, ("sham",)), effect=lambda loop, _: effect(loop))
    parts = {"": data(), "control/sham": None}
    assert judge(needed, parts).reason.startswith("no sham (by the interval alone")
    assert judge(needed, parts | {"control/sham": data()}).verdict == Verdict.SUPPORTS
    both = {"base": needed.effect, "sham": lambda *_: UNKNOWN}
    found = judge(dataclasses.replace(needed, effect=both), parts)
    assert found.reason == "no sham (holds for base, not all is measured)"  # of 20 bases, not of 0


def test_a_control_of_another_arm_is_none_of_a_claims_own():
    everywhere = claim(needs=Needs(1, ("sham",)), effect=lambda loop, *_: effect(loop))
    own = dataclasses.replace(everywhere, reads=("vote", "control/vote_*"))
    parts = {"vote": data(), "control/direct_sham": data()}
    assert judge(everywhere, parts).verdict == Verdict.SUPPORTS
    assert judge(own, parts).reason.startswith("no sham")
    assert judge(own, parts | {"control/vote_sham": data()}).verdict == Verdict.SUPPORTS


def test_controls_are_found_by_name_by_configuration_and_in_axes():
    assert controls_in({"": data()}) == set()
    named = {f"controls/{name.replace(' ', '_').replace('-', '_')}": data() for name in CONTROLS}
    assert controls_in(named) == set(CONTROLS)
    assert controls_in({"control/vote_matched_sham": data()}) == {"length-matched sham"}
    assert controls_in({"control/vote_sham": data(), "shampoo": data()}) == {"sham"}
    axis = data().expand_dims(control=["none", "frozen_generator", "matched_sham"])
    assert controls_in({"": axis}) == {"frozen generator", "length-matched sham"}
    wrapped = {"type": "Placebo", "inner": {"type": "RecipientShuffle", "inner": {}}}
    assert controls_in({"": data(verifier=wrapped)}) == {"placebo", "recipient shuffle"}
    true = {"type": "FilteredSFT", "learning_rate": 0.003, "base_rate": 1.0}
    loop, sham = data(base_difficulty=5), data(learner=true, base_difficulty=5)
    assert controls_in({"": loop, "labels": data(learner=true, base_difficulty=8)}) == set()
    assert controls_in({"": loop, "labels": sham}) == {"sham"}
    with pytest.raises(ValueError, match="no such control: shame"):
        Needs(controls=("shame",))


def test_several_effects_have_to_agree():
    down = partial(effect, sign=-1)
    both = {"one": effect, "other": effect}
    assert judge(claim(effect=both), {"": data()}).verdict == Verdict.SUPPORTS
    found = judge(claim(effect={"one": effect, "other": down}), {"": data()})
    assert (
        found.verdict == Verdict.QUALIFIES
        and found.reason == "holds for one, does not hold for other"
    )
    # Alone it is just below 0; as one of four, after Holm, its P is above 0.05.
    barely = {str(i): effect for i in range(3)} | {
        "other": lambda x: Estimate(-1, -1.95, -0.05, 20)
    }
    found = judge(claim(effect=barely), {"": data()})
    assert found.verdict == Verdict.QUALIFIES  # the others are far above, and need no part of 0.05
    unsure = {str(i): lambda x: Estimate(1, 0.05, 1.95, 20) for i in range(3)}
    found = judge(claim(effect=unsure | {"other": barely["other"]}), {"": data()})
    assert found.verdict == Verdict.UNDECIDED and "not beyond doubt as one of 4" in found.reason
    open_ = {"one": effect, "other": lambda x: intervals.mean(x.gain.values - 1)}
    found = judge(claim(effect=open_), {"": data()})
    assert found.verdict == Verdict.UNDECIDED and found.reason.endswith("for other")


@pytest.mark.parametrize("sign, verdict", [(1, "supports"), (-1, "qualifies"), (0, "undecided")])
def test_a_second_condition_qualifies(sign, verdict):
    second = Condition("it lasts", partial(effect, sign=sign), Rule.above(0))
    if sign == 0:
        second = Condition("it lasts", lambda x: Estimate(0.0, -1.0, 1.0, 20), Rule.above(0))
    found = judge(claim(qualified_by=second), {"": data()})
    assert found.verdict == verdict and ("it lasts" in found.reason) == (sign != 1)
    assert judge(claim(qualified_by=second), {"": data(mean=-1)}).verdict == Verdict.CONTRADICTS


def test_the_source_of_others_has_a_number():
    with pytest.raises(ValueError, match="must have an arXiv number"):
        Claim(
            "x", "X.", "Somebody 2026", Certainty.READ, "x", effect, Rule.above(0), "A."
        )  # fmt: skip


@pytest.mark.parametrize(
    "estimate, expected",
    [
        ((0.12345, 0.1, 0.15), "0.123 (0.100 to 0.150)"),
        ((-0.0001, -0.2, 0.2), "0.00 (-0.20 to 0.20)"),
        ((12.3, 4, 20), "12.3 (4.0 to 20.0)"),
        ((0.5, 0.2, INF), "0.5 (0.2 to infinity)"),
        ((0.0125, 0.0125, 0.0125), "0.013 (0.013 to 0.013)"),
        ((1.0, 0.0123, 82), "1 (0.012 to 82)"),
        ((316, 2, INF), "320 (2 to infinity)"),
        ((0.0154, 0, 2.08), "0.015 (0 to 2.1)"),
        ((NAN, NAN, NAN), "not measured"),
    ],
)
def test_numbers_are_as_exact_as_their_interval_allows(estimate, expected):
    assert pages.text(Estimate(*estimate, 5)) == expected


def test_a_page_and_its_line_say_all_of_a_claim():
    question = Question("Does it gain?", ("One.", "Two.", "Three."), "python it.py")
    words = {"caveats": ("Small.",), "competing": ("Others 2026, arXiv 2601.00001.",)}
    figure = SimpleNamespace(
        SHIPPED=("it",), QUESTION=question, CLAIMS=(claim(**words),), draw=None, PARTS=("",)
    )
    found = pages.judged(figure, {"it": {"": data()}})
    text = pages.page(figure, found, {"it": {"": data()}})
    facts = ("`python it.py` took 2 minutes on 2 x cpu", "data/it/figure.png", "20 bases")
    for words in ("# Does it gain?", "One.", *facts, "Small.", "**supports**", "Others 2026"):
        assert words in text, words


def test_figures_of_another_run_stand_below_what_it_had_besides():
    question = Question("Does it gain?", ("One.", "Two.", "Three."), "python it.py", ("--fast",))
    figure = SimpleNamespace(
        SHIPPED=("it", "fast"), QUESTION=question, CLAIMS=(), draw=None, PARTS=("",)
    )
    lines = pages.page(figure, [], dict.fromkeys(figure.SHIPPED, {"": data()})).splitlines()
    assert lines[6:9] == ["![Does it gain?](../../paper_figures/data/it/figure.png)", "",
                          "With `--fast`:"]  # fmt: skip
    assert lines[10].endswith("data/fast/figure.png)")


@pytest.fixture(scope="module")
def written():
    return pages.texts(FIGURES)


def test_the_pages_are_what_the_shipped_data_say(written):
    """If not: `python -m paper_figures` writes them again."""
    there = {path.name: path.read_text() for path in pages.FOLDER.glob("*.md")}
    assert written == there
    rows = [line for line in written["index.md"].splitlines() if line.startswith("| [")]
    assert len(rows) == sum(len(figure.CLAIMS) for figure in FIGURES)
    assert all(row.count(" | ") == 4 for row in rows)


def test_a_changed_number_changes_the_page(written):
    figure = command.figures()["noise_patterns"]
    found = pages.shipped(figure)
    dataset = found["noise_patterns"]["hashed"].copy(deep=True)
    dataset.accuracy[-1, 0, -1] -= 0.2
    found["noise_patterns"]["hashed"] = dataset
    name = "noise_patterns.md"
    assert pages.texts([figure], lambda _: found)[name] != written[name]


def test_the_time_that_a_process_had_taken_at_its_last_part_is_what_all_took():
    first, last = data(), data()
    last.attrs["provenance"] = {"seconds": {"running": 200, "compilation": 40}, "device": "2 x cpu"}
    assert pages.took({"": first, "last": last}) == "4 minutes on 2 x cpu"
