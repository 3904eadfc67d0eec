"""The experiment on policies that judge themselves: its parts, and what its figures find."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from avax.analysis import intervals
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
    """And in what has to be so: another policy judges, or the rate is another one."""
    sweep = config.build("laptop")
    parts = config.parts(sweep)
    assert all(judge in config.GATES.values() for judge in config.UNGATED)
    for name in (*config.GATES, *numbers.FAST.values()):
        base, gate = parts[name].base, name.removeprefix("fast_")
        assert base.verifier == config.GATES[gate]
        assert (base.learner.learning_rate == config.FAST) == (name != gate)
        assert base.num_bases == (2 if name == "cross_model" else 1)
        changed = {"verifier": Oracle(), "learner": sweep.base.learner, "num_bases": 1}
        assert base.replace(**changed) == sweep.base
    assert parts["again"].base == parts["likelihood"].base.replace(replicate=1)


def test_the_untouched_base_is_asked_by_all_judges_at_each_length_of_the_loops():
    sweep = config.build("laptop")
    part = config.parts(sweep)["base"]
    curriculum = sweep.base.curriculum
    assert part.axes == {
        "curriculum.start": tuple(range(curriculum.lowest, curriculum.highest + 1))
    }
    assert part.base.num_rounds == 1 and part.base.num_bases == 2
    metrics = part.base.probe.metrics(part.base.task)
    for name in ("trust_fpr", "auroc", "gap"):
        assert metrics[name].dims["judge"] == tuple(numbers.JUDGES)
    matched = numbers.LEAST_MATCHED * part.base.probe.first.num_problems
    assert 7 < matched < 8  # so that 8 problems are the least


def test_self_trust_is_what_neither_author_nor_reader_explains():
    """A hard author, a lenient reader, and 0.3 of self-trust on top."""
    author, reader = {"own": 0.1, "other": 0.25}, {"own": 0.2, "other": 0.05}
    values = xr.DataArray(
        [[reader[r] + author[a] + 0.3 * (r == a == "own") for a in author] for r in reader],
        coords={"reader": list(reader), "author": list(author)},
        dims=("reader", "author"),
    )
    assert float(numbers.self_trust(values)) == pytest.approx(0.3)


def run(right=0.5, fpr=0.2, accuracy=(1.0, 1.0, 0.0), loose=0.1) -> xr.Dataset:
    """Loops of bases that are alike, of 2 digits: after round 0 they have `accuracy` by length."""
    axes = {"seed": range(SEEDS), "round": np.arange(ROUNDS)}
    each = xr.DataArray(np.zeros((SEEDS, ROUNDS)), axes, ("seed", "round"))
    lengths = xr.DataArray(list(accuracy), {"difficulty": [1, 2, 3]}, "difficulty")
    base = xr.DataArray([1.0, 1.0, 0.5], {"difficulty": [1, 2, 3]}, "difficulty")
    now = lengths.where(each["round"] > 0, base) + each
    judges = xr.DataArray([loose] * 2, {"judge": list(numbers.UNGATED.values())}, "judge")
    return xr.Dataset(
        {
            "sampled_accuracy": each + right,
            "accept_rate": each + 0.5,
            "verifier_fpr": each + fpr,
            "judge_fpr": judges + each,
            "diverged": each,
            "accuracy_by_difficulty": now,
            "accuracy": now.mean("difficulty"),
        },
        attrs={"config": {"base": {"base_difficulty": 2, "curriculum": {"highest": 3}}}},
    )


def asked(trust: dict[str, float], matched=(0.5, 0.5, 0.01), seeds=(0, 1, 2, 4)) -> xr.Dataset:
    """The untouched base at three lengths, at the last of which hardly anything is matched: own
    mistakes are accepted by their author more often by `trust`, and by 0.1 with each seed.
    """
    axes = {
        "judge": list(numbers.JUDGES),
        "start": [9, 10, 11],
        "seed": list(seeds),
        "round": [0, 1],
        "reader": ["own", "other"],
        "author": ["own", "other"],
    }
    each = xr.DataArray(np.zeros([len(x) for x in axes.values()]), axes, list(axes))
    own = xr.DataArray(
        [[1.0, 0.0], [0.0, 0.0]], {x: axes[x] for x in ("reader", "author")}, ("reader", "author")
    )
    more = xr.DataArray([trust.get(x, 0.0) for x in numbers.JUDGES], {"judge": axes["judge"]})
    found = each + own * (more + 0.1 * each.seed) + 9 * (each.start == 11)
    few = found.isel(reader=0, author=0, drop=True) * 0
    rate = xr.DataArray(list(matched), {"start": axes["start"]}, "start")
    arrays = {"trust_fpr": found, "auroc": found, "gap": few + more, "judge_fpr": few}
    arrays |= {"judge_fnr": few, "matched_rate": few.isel(judge=0, drop=True) + rate}
    arrays |= {"same_wrong": arrays["matched_rate"], "sampled_accuracy": arrays["matched_rate"]}
    return xr.Dataset(arrays | {"diverged": 0 * arrays["matched_rate"]})


def given(**parts) -> list[xr.Dataset | None]:
    return [parts.get(part.replace("control/", "control_")) for part in numbers.PARTS]


def test_readings_are_of_lengths_at_which_both_err_often_enough():
    parts = given(base=asked({"own": 0.3, "CommitFirst": 0.1}))
    by_seed = np.array([0.0, 0.1, 0.2, 0.4])
    assert numbers.trust("own", *parts).value == pytest.approx((0.3 + by_seed).mean())
    less = numbers.than("CommitFirst", "own", "trust_fpr", *parts)
    assert less.value == pytest.approx(0.1 - 0.3) and less.num == 4
    never = given(base=asked({}, matched=(0.0, 0.01, 0.02)))
    assert np.isnan(numbers.trust("own", *never).value)
    assert numbers.gap("own", *parts).value == pytest.approx(0.3)
    assert numbers.gap_beyond("CommitFirst", "own", *parts).value == pytest.approx(-0.2)


def test_intervals_of_pairs_know_that_neighbours_share_a_base():
    """Pairs 0-1, 1-2, 2-3 and 4-5: left out is a base with all its pairs."""
    values = xr.DataArray([1.0, 2, 4, 8], {"seed": [0, 1, 2, 4]}, "seed")
    found = numbers.of_pairs(values)
    assert found.value == pytest.approx(15 / 4) and found.num == 4
    without = np.array([14 / 3, 12 / 2, 9 / 2, 11 / 3, 7 / 3, 7 / 3])
    error = np.sqrt(5 / 6 * ((without - without.mean()) ** 2).sum())
    half = intervals.quantile_of_t(6) * error
    assert found.high - found.value == pytest.approx(half)
    assert numbers.of_pairs(values.where(values < 8)).num == 3


def test_intervals_of_pairs_hold():
    rng, hits = np.random.default_rng(0), 0
    for _ in range(400):
        bases = rng.normal(size=15)
        values = bases[:-1] + bases[1:] + rng.normal(size=14)
        found = numbers.of_pairs(xr.DataArray(values, {"seed": range(14)}, "seed"))
        hits += found.low <= 0 <= found.high
    assert hits / 400 >= 0.92


def test_a_gate_is_compared_with_the_untouched_base_that_judges_itself():
    frozen = {"control_likelihood_frozen_generator": run(fpr=0.1)}
    parts = given(likelihood=run(fpr=0.4), none=run(loose=0.25), **frozen)
    assert numbers.passed_more("likelihood", *parts).value == pytest.approx(0.3)
    assert numbers.passed_ungated("likelihood", *parts).value == pytest.approx(0.15)
    assert numbers.passed_more("likelihood", *given(likelihood=run())).num == 0
    unknown = run(fpr=0.4)
    unknown["verifier_fpr"] = unknown.verifier_fpr.where(unknown["round"] != 2)
    found = numbers.passed_more("likelihood", *given(likelihood=unknown, **frozen))
    assert found.value == pytest.approx(0.3)  # of the rounds that both know


@pytest.mark.parametrize("start", numbers.RATES.values())
def test_a_loop_ends_below_base_and_sham(start):
    """It keeps 1.5 of 2 known digits and none of the 0.5 beyond, a sham 2 and 0.25."""
    loop = {f"{start}likelihood": run(accuracy=(1.0, 0.5, 0.0))}
    sham = {f"control_{start}none_sham": run(accuracy=(1.0, 1.0, 0.25))}
    assert numbers.ended(f"{start}likelihood", 3, *given(**loop, **sham)).value == -0.5
    assert numbers.ended(f"{start}likelihood", 3, *given(**loop)).num == 0
    held = {f"{start}likelihood": run(accuracy=(1.0, 1.0, 0.5))}
    assert numbers.ended(f"{start}likelihood", 3, *given(**held, **sham)).value >= 0


def test_what_a_gate_is_worth_is_beyond_its_placebo():
    placebo = {"control_likelihood_placebo": run(accuracy=(1, 0.5, 0))}
    parts = given(likelihood=run(accuracy=(1, 1, 0.75)), **placebo)
    assert numbers.worth("likelihood", *parts).value == pytest.approx(1.25)
    assert numbers.worth("likelihood", *given(likelihood=run())).num == 0
