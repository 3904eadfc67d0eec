"""Patterns of errors compared: the arms, the analysis on runs that are known, the figure."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from avax import plotting
from avax.analysis import patterns
from avax.fields import ConfigError
from avax.sweeps import needs
from avax.sweeps.validate import validate
from avax.types import MISTAKES
from configs import noise_patterns as config
from paper_figures import fig_noise_patterns as figure
from paper_figures import noise_patterns as findings

ROUNDS, SEEDS = 6, 3
FPR = (0.0, 0.05, 0.2, 1.0)
SHARES = np.array([0.5, 0.25, 0.0, 0.25])  # of each kind among all mistakes
PROVENANCE = {"config": {"base": {"curriculum": {"type": "Fixed"}}}, "provenance": {}}


def runs(axes: dict, gain, fpr=0.0, fnr=0.0, breeds: float = 0.0) -> xr.Dataset:
    """Runs that gain `gain` in all, with the verifier's rates; arrays over the axes.

    A third of the completions is wrong; `breeds` is what dropped carries gain on long answers.
    """
    sizes = (*(len(v) for v in axes.values()), SEEDS, ROUNDS)
    rounds = np.arange(ROUNDS)

    def full(values):
        values = np.asarray(values, float)
        return np.broadcast_to(
            values.reshape(*values.shape, *[1] * (len(sizes) - values.ndim)), sizes
        )

    accuracy = 0.5 + 0.01 * np.arange(SEEDS)[:, None] + full(gain) * rounds / (ROUNDS - 1)
    share = SHARES + np.multiply.outer((rounds - 1) / (ROUNDS - 2) * breeds, [1, 0, 0, -1])
    first = np.where(rounds == 0, np.nan, 1.0)
    dims = (*axes, "seed", "round")
    arrays = {
        "accuracy": accuracy,
        "sampled_accuracy": first * 2 / 3,
        "verifier_fpr": full(fpr) * first,
        "verifier_fnr": full(fnr) * first,
        "diverged": np.zeros(sizes),
    }
    data = {name: (dims, np.broadcast_to(x, sizes)) for name, x in arrays.items()}
    data["mistake_share"] = ((*dims, "mistake"), np.broadcast_to(share, (*sizes, len(MISTAKES))))
    coords = axes | {"seed": range(SEEDS), "round": rounds, "mistake": list(MISTAKES)}
    return xr.Dataset(data, coords, PROVENANCE)


def gain_of(fpr):
    """The law that only the rate decides: the gain is 0 at an FPR of 0.1."""
    return 0.2 * (1 - np.log1p(100 * np.asarray(fpr)) / np.log1p(10))


def all_runs(harm: float = 0.0, breeds: float = 0.0) -> dict[str, xr.Dataset]:
    """Every arm under that law, where blindness to a kind costs `harm` besides."""
    fpr, blind = np.array(FPR), np.array(FPR[1:])
    found = {name: runs({"fpr": fpr}, gain_of(fpr), fpr) for name in ("independent", "hashed")}
    for kind in figure.KINDS:
        rate = blind * SHARES[MISTAKES.index(kind)]
        found[kind] = runs({kind: blind}, gain_of(rate) - harm, rate, breeds=breeds)
    for name in ("independent", "hashed"):
        found[f"{name}_recurring"] = runs({"fpr": fpr}, gain_of(fpr), fpr)
    for name, fnr, share in (
        ("reject_at_random", [0.0, 0.3, 0.6], 1.0),
        ("reject_long_carry", [0.5, 1.0], 0.4),
    ):
        axes = {"fpr": [0.0, 0.05], "fnr": fnr}
        gain = np.broadcast_to(0.2 - 0.1 * share * np.array(fnr), (2, len(fnr)))
        found[name] = runs(axes, gain, fnr=np.broadcast_to(share * np.array(fnr), gain.shape))
    one = found["reject_long_carry"].isel(fnr=[-1])
    found["twice"] = one.expand_dims(replicate=[0, 1]).assign_attrs(one.attrs)
    for i, pattern in enumerate(figure.SPOILT):
        rates = [0.0, 0.2, 0.6] if pattern == "digit" else [0.2, 0.6]
        axes = {f"{pattern}_rate": rates, "label_noise.round": [1, 3]}
        dataset = runs(axes, np.full((len(rates), 2), gain_of(0.0)))
        since = dataset["round"] - dataset["label_noise.round"]
        cost = (i + 1) * dataset[f"{pattern}_rate"] * 0.5 ** since.clip(0) * (since >= 0)
        found[f"labels_{pattern}"] = dataset.assign(accuracy=dataset.accuracy - 0.1 * cost)
    return {name: found.get(name) for name in figure.PARTS}


def with_controls(harm: float) -> dict[str, xr.Dataset]:
    """The same beside controls: shuffles as good as no pattern, with dropped carries bred by 0.05,
    and a sham that loses 0.1.
    """
    found, clean = all_runs(harm, breeds=0.2), all_runs(breeds=0.05)
    found |= {shuffle: clean[arm] for arm, shuffle in findings.SHUFFLES.items()}
    return found | {findings.SHAM: runs({}, -0.1)}


def named_runs(**how) -> dict[str, xr.Dataset]:
    return findings.named(list(all_runs(**how).values()))


def test_arms_are_placed_at_their_rate_on_the_mistakes_of_the_base():
    arms = figure.arms_of(named_runs(breeds=0.2))
    np.testing.assert_allclose(arms["hashed"].base_fpr[:, 0], FPR)
    np.testing.assert_allclose(arms["dropped_carry"].base_fpr[:, 1], 0.5 * np.array(FPR))
    np.testing.assert_allclose(arms["dropped_carry"].gain[0, 0], gain_of(0.0))  # of other parts
    assert all(
        (arm.base_fpr[0] == 0).all() and (arm.run_fpr[0] == 0).all() for arm in arms.values()
    )


def test_pooled_rates_are_those_of_all_events():
    rate = xr.DataArray([[0.5, np.nan], [0.1, np.nan]], dims=("run", "seed"))
    count = xr.DataArray([[3.0, 0.0], [1.0, 0.0]], dims=("run", "seed"))
    np.testing.assert_allclose(patterns.pooled(rate, count, "run"), [1.6 / 4, np.nan])


@pytest.mark.parametrize("harm", [0.0, 0.15])
def test_a_difference_at_equal_rate_is_what_the_pattern_does(harm):
    """If only the rate decides it is 0, although the nominal rates differ."""
    arms = figure.arms_of(named_runs(harm=harm))
    for name in figure.KINDS:
        found = patterns.difference(arms[name], arms["independent"], arms[name].base_fpr)
        np.testing.assert_allclose(found, -harm, atol=0.04)  # between the settings it is linear
    found = patterns.difference(arms["hashed"], arms["independent"], arms["hashed"].base_fpr)
    np.testing.assert_allclose(found, 0, atol=1e-6)


def test_boundaries_are_where_the_gain_ends():
    arms = figure.arms_of(named_runs())
    assert (np.abs(patterns.boundaries(arms["independent"]) - 0.1) < 0.02).all()
    assert (np.abs(patterns.boundaries(arms["dropped_carry"]) - 0.1) < 0.03).all()
    mild = figure.arms_of(named_runs(harm=-0.5))["near_miss"]
    assert np.isinf(patterns.boundaries(mild)).all()
    assert np.isinf(patterns.boundary(mild).value)
    assert abs(patterns.boundary(arms["independent"]).value - 0.1) < 0.02


def test_intervals():
    assert patterns.interval(np.array([1.0, 1.0])) == (1, 1, 1)
    mean, low, high = patterns.interval(np.arange(5.0))
    assert mean == 2 and low == pytest.approx(2 - 2.776 * np.sqrt(0.5), abs=1e-3)
    assert high == pytest.approx(4 - low)


def test_excess_error_counts_from_the_round_of_the_noise():
    data = named_runs()
    lost = findings.excess(data, "uniform").sel(rate=0.6)
    for start in (1, 3):
        values = lost.sel({"label_noise.round": start}).dropna("since")
        assert values.sizes["since"] == ROUNDS - start
        expected = 0.1 * 2 * 0.6 * 0.5 ** np.arange(ROUNDS - start)
        np.testing.assert_allclose(values.transpose("seed", "since"), [expected] * SEEDS, atol=1e-9)


def test_selective_rejection_is_compared_at_equal_rate():
    lines = findings.rejections(named_runs())
    assert len(lines) == 7 and all("0.000 (" in line for line in lines[1:5])
    assert all(line.endswith("between two runs of one 0") for line in lines[5:])


def test_the_summary_says_what_was_found():
    text = figure.summary(*all_runs(harm=0.15, breeds=0.2).values())
    rows = {line.strip().partition(":")[0]: line for line in text.splitlines()}
    assert "-0.1" in rows["near_miss, equal FPR on the base's mistakes"]
    assert "inf" not in rows["hashed"] and "mean 0.09" in rows["hashed"]
    assert text.count("dropped_carry: +0.100") == 1  # what it bred
    assert "round 1: +0.060 (+0.060 to +0.060)" in rows["digit, rate 0.6"]


@pytest.mark.parametrize("which, panels", [("", 1), ("rounds", 4)])
def test_the_figure_is_labelled(which, panels, tmp_path):
    written = []
    for name in ("one", "two"):
        drawn = figure.FIGURES[which](*all_runs().values())
        drawn.draw_without_rendering()
        assert len(drawn.axes) == panels
        for axes in drawn.axes:
            assert axes.get_xlabel() and (axes.get_title() or axes.get_title("left"))
        written.append([p.read_bytes() for p in plotting.save(drawn, tmp_path / name)])
    same = written[0] == written[1]
    assert same  # a difference of bytes takes pytest minutes to print


def test_the_forest_shows_what_a_pattern_does():
    """All harm of blind verifiers lies left of 0, and nothing else does."""
    (axes,) = figure.draw(*all_runs(harm=0.15).values()).axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    points = {x.get_ydata()[0]: x.get_xdata()[0] for x in axes.lines if x.get_marker() == "o"}
    assert len(points) == 11
    for y, value in points.items():
        expected = -0.15 if "blind" in names[int(y)] else 0.0
        assert value == pytest.approx(expected, abs=0.04), names[int(y)]


def test_what_a_pattern_does_is_the_loop_minus_its_recipient_shuffle():
    """Base by base: all of the harm of blindness, and what it bred beyond; nothing where no shuffle
    was run.
    """
    both, alone = ([*x.values()] for x in (with_controls(harm=0.15), all_runs(harm=0.15)))
    found = findings.structure(findings.named(both))
    assert set(found) == set(findings.SHUFFLES) and findings.structure(findings.named(alone)) == {}
    for arm, values in found.items():
        np.testing.assert_allclose(values, -0.15 if arm in figure.KINDS else 0, atol=1e-9)
    bred = findings.bred(findings.named(both), "dropped_carry", is_shuffled=True)
    np.testing.assert_allclose(bred, (0.2 - 0.05) * np.mean([0, 1, 2, 3, 4]) / 4, atol=1e-9)
    effects = [x for c in figure.CLAIMS for n, x in c.effects.items() if n.endswith("less shuffle")]
    assert len(effects) == 7
    assert all(np.isnan(effect(*alone).value) for effect in effects)
    assert not any(np.isnan(effect(*both).value) for effect in effects)
    lines = findings.control_lines(findings.named(both))
    assert "accuracy gained by the sham (untouched base: 0): -0.100" in lines[0]
    assert any(line.startswith("  dropped_carry: -0.150 (") for line in lines)
    assert findings.control_lines(findings.named(alone)) == []


def test_controls_are_drawn_where_they_were_run():
    forest, gains = figure.draw(*with_controls(harm=0.15).values()).axes
    names = [label.get_text() for label in forest.get_yticklabels()]
    at = names.index("less a recipient shuffle")
    points = {x.get_ydata()[0]: x.get_xdata()[0] for x in forest.lines if x.get_marker() == "o"}
    assert [points[at + i] for i in (1, 2, 3, 4)] == pytest.approx([-0.15] * 3 + [0], abs=1e-9)
    named = gains.get_legend_handles_labels()[1]
    assert named.count("its recipient shuffle") == 3 and named[-2:] == ["sham", "untouched base"]


def test_of_runs_without_errors_one_that_two_parts_have_counts_once():
    """Part `independent` and the first of the spoilt labels: one run, as it has one key."""
    data = {name: dataset.copy(deep=True) for name, dataset in named_runs().items()}
    for dataset in data.values():
        dataset["accuracy"] = dataset.accuracy.copy(data=np.array(dataset.accuracy))
    one = data["independent"].accuracy.sel(fpr=0.0).values.copy()
    for name, shift in (("independent", 0.0), ("hashed", 0.03)):
        data[name].accuracy.loc[{"fpr": 0.0}] = one
        data[name].accuracy.loc[{"fpr": 0.0, "round": ROUNDS - 1}] += shift
    spoilt = data["labels_digit"].accuracy
    for i, start in enumerate((1, 3)):
        spoilt.loc[{"rate": 0.0, "label_noise.round": start}] = one
        spoilt.loc[{"rate": 0.0, "label_noise.round": start, "round": ROUNDS - 1}] += 0.09 * i
    arm = findings.arms_of(data)["independent"]
    assert arm.weights[0] == 3  # of four
    gain = one[:, -1] - one[:, 0]
    np.testing.assert_allclose(arm.gain[0], gain + (0.03 + 0.09) / 3, atol=1e-9)


@pytest.mark.parametrize("curriculum", config.CHOICES["curriculum"])
@pytest.mark.parametrize("preset", config.CHOICES["preset"])
def test_every_arm_is_valid_and_differs_from_the_others(preset, curriculum):
    sweep = config.build(preset, curriculum)
    parts = config.parts(sweep)
    assert tuple(needs.parts(config, sweep, config.CONTROLS)) == figure.PARTS
    for sweep in parts.values():
        validate(sweep)
    assert len({sweep.digest() for sweep in parts.values()}) == len(parts)
    assert preset == "smoke" or parts["hashed"].num_seeds >= 5


@pytest.mark.parametrize(
    "change, expected",
    [
        ({"axes": {"verifier.fnr": (0.0, 0.1)}}, "axes: are verifier.fnr, must be verifier.fpr"),
        ({"axes": {"verifier.fpr": (0.1, 0.2, 0.5)}}, "must begin with 0"),
        ({"num_rounds": 1}, "must be at least 2"),
    ],
)
def test_mistakes_are_named(change, expected):
    sweep = config.build("smoke", "fixed")
    if "num_rounds" in change:
        object.__setattr__(sweep, "base", sweep.base.replace(**change))
    else:
        object.__setattr__(sweep, "axes", change["axes"])
    with pytest.raises(ConfigError, match=expected):
        needs.parts(config, sweep)
