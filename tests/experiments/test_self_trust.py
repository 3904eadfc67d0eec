"""The experiment on policies that judge themselves: its parts, and what its figures find."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from avax.sweeps import needs
from avax.sweeps.validate import validate
from avax.verifiers import Oracle
from configs import self_trust as config
from paper_figures import fig_self_trust as figure
from paper_figures import self_trust as numbers

SEEDS, ROUNDS = 2, 4


@pytest.mark.parametrize("preset", config.CHOICES["preset"])
def test_parts_are_those_of_the_figure_and_can_be_run(preset):
    parts = needs.parts(config, config.build(preset), config.CONTROLS)
    assert tuple(parts) == figure.PARTS
    for part in parts.values():
        validate(part)


def test_loops_differ_in_their_gate_alone():
    """Self-trust is measured where a policy is asked, at the first learning rate."""
    sweep = config.build("laptop")
    parts = config.parts(sweep)
    assert set(figure.JUDGES) == set(config.SELF_JUDGES)
    for name, part in parts.items():
        measured = set(part.base.probe.metrics(part.base.task))
        assert ("trust_fpr" in measured) == (name in (*config.SELF_JUDGES, "again"))
        assert "same_wrong" in measured
        gate = name.removeprefix("fast_")
        changed = {"verifier": Oracle(), "probe": sweep.base.probe}
        if name == gate:
            changed |= {"replicate": 0}
        else:
            rate = part.base.learner.learning_rate
            assert rate == config.FAST and parts[gate].base.verifier == part.base.verifier
            changed |= {"learner": sweep.base.learner}
        assert part.base.replace(**changed) == sweep.base
    assert parts["again"].base == parts["likelihood"].base.replace(replicate=1)


def test_self_trust_is_what_neither_author_nor_reader_explains():
    """A hard author, a lenient reader, and 0.3 of self-trust on top."""
    author, reader = {"own": 0.1, "other": 0.25}, {"own": 0.2, "other": 0.05}
    values = xr.DataArray(
        [[reader[r] + author[a] + 0.3 * (r == a == "own") for a in author] for r in reader],
        coords={"reader": list(reader), "author": list(author)},
        dims=("reader", "author"),
    )
    assert float(numbers.self_trust(values)) == pytest.approx(0.3)


def run(right=0.5, fpr=0.2, trust=0.3, accuracy=(1.0, 1.0, 0.0)) -> xr.Dataset:
    """Bases that are alike, of 2 digits: after round 0 they have `accuracy` by length."""
    rounds = np.arange(ROUNDS)
    each = xr.DataArray(np.zeros((SEEDS, ROUNDS)), {"seed": range(SEEDS), "round": rounds},
                        ("seed", "round"))  # fmt: skip
    by_pair = xr.DataArray([[trust, 0.0], [0.0, 0.0]], {"reader": ["own", "other"],
                           "author": ["own", "other"]}, ("reader", "author"))  # fmt: skip
    lengths = xr.DataArray(list(accuracy), {"difficulty": [1, 2, 3]}, "difficulty")
    base = xr.DataArray([1.0, 1.0, 0.5], {"difficulty": [1, 2, 3]}, "difficulty")
    trusted = (by_pair + each).expand_dims(judge=["own"])
    return xr.Dataset(
        {
            "sampled_accuracy": each + right,
            "label_precision": each + right + 0.1,
            "verifier_fpr": each + fpr,
            "trust_fpr": trusted,
            "auroc": trusted + 0.5,
            "diverged": each,
            "accuracy_by_difficulty": lengths.where(each["round"] > 0, base) + each,
            "accuracy": (lengths.where(each["round"] > 0, base) + each).mean("difficulty"),
        },
        attrs={"config": {"base": {"base_difficulty": 2, "curriculum": {"start": 3, "step": 1}}}},
    )


def given(**parts) -> list[xr.Dataset | None]:
    return [parts.get(part.replace("control/", "control_")) for part in numbers.PARTS]


def test_readings_of_the_base_and_of_early_rounds():
    """Of the judge that was run twice it is the mean of both."""
    parts = given(likelihood=run(trust=0.3), again=run(trust=0.5), comparison=run(trust=0.1))
    for when in numbers.WHEN:
        assert numbers.trust("likelihood", when, *parts).value == pytest.approx(0.4)
        assert numbers.trust("comparison", when, *parts).value == pytest.approx(0.1)
        more = numbers.than_likelihood("comparison", "trust_fpr", when, *parts)
        assert more.value == pytest.approx(0.1 - 0.3)


def test_a_gate_is_compared_with_the_untouched_base_that_judges_itself():
    frozen = {"control_likelihood_frozen_generator": run(fpr=0.1)}
    parts = given(likelihood=run(fpr=0.4), **frozen)
    assert numbers.passed_more("likelihood", *parts).value == pytest.approx(0.3)
    assert numbers.passed_more("likelihood", *given(likelihood=run())).num == 0


@pytest.mark.parametrize("start", numbers.RATES.values())
def test_a_loop_ends_below_base_and_sham(start):
    """It keeps 1.5 of 2 known digits and none of the 0.5 beyond, a sham 2 and 0.25."""
    loop = {f"{start}likelihood": run(accuracy=(1.0, 0.5, 0.0))}
    sham = {f"control_{start}none_sham": run(accuracy=(1.0, 1.0, 0.25))}
    assert numbers.ended(f"{start}likelihood", 3, *given(**loop, **sham)).value == -0.5
    assert numbers.ended(f"{start}likelihood", 3, *given(**loop)).num == 0
    held = {f"{start}likelihood": run(accuracy=(1.0, 1.0, 0.5))}
    assert numbers.ended(f"{start}likelihood", 3, *given(**held, **sham)).value >= 0


def test_what_a_gate_is_worth_is_beyond_no_filter():
    parts = given(likelihood=run(accuracy=(1, 1, 0.75)), none=run(accuracy=(1, 0.5, 0)))
    assert numbers.worth("likelihood", *parts).value == pytest.approx(1.25)
    gap = numbers.gap(numbers.EARLY, *given(self_evaluation=run()))
    assert gap.value == pytest.approx(0.1)
