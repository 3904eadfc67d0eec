"""Maps of dealt bases and lines beside their controls: effects that are known."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from avax import plotting
from avax.analysis import intervals
from avax.sweeps import design
from configs import theory as config
from paper_figures import beside
from paper_figures import fig_theory as figure
from paper_figures import theory as found
from paper_figures import theory_effects as effects
from paper_figures.claims import Verdict, judge
from paper_figures.standards import CONTROLS

FPR, FNR, ON_LINE = config.FPR, config.FNR, (0.0, 0.06, 0.35, 1.0)
POOL, DEALT, ROUNDS, LONGEST = 32, config.NUM_RUNS, 4, 8
GAINS = {  # of each control at all FPRs; the loop gains 0.2 less its FPR
    "frozen generator": 0.1,
    "sham": -0.05,
    "length-matched sham": 0.1,
    "placebo": 0.0,
}
nan = float("nan")


def dataset(gain: xr.DataArray, learner: str) -> xr.Dataset:
    """Runs that gain so much in the end, spread evenly over rounds and lengths."""
    rounds = xr.DataArray(np.arange(ROUNDS + 1), dims="round")
    solved = (0.5 + 0.01 * gain.seed + gain * rounds / ROUNDS).expand_dims(
        difficulty=LONGEST, axis=-1
    )
    accuracy = solved.isel(difficulty=0)
    base = {
        "curriculum": {"type": "Fixed"},
        "task": {"type": "Addition"},
        "base_difficulty": LONGEST // 2,
        "learner": {"type": learner, "learning_rate": 0.003},
        "verifier": {"type": "Oracle", "fnr": 0.0},
    }
    return xr.Dataset(
        {
            "accuracy_by_difficulty": solved,
            "accuracy": accuracy,
            "base_accuracy": accuracy.isel(round=0, drop=True) + 0 * accuracy,
            "diverged": xr.zeros_like(accuracy).where(accuracy.notnull()),
        },
        {"round": rounds.values, "difficulty": np.arange(1, LONGEST + 1)},
        {"config": {"base": base, "axes": {}}, "provenance": {}},
    )


def dealt(gain: xr.DataArray, num_runs: int = DEALT) -> xr.DataArray:
    """A map f[..., seed] of which each setting has a few bases, as the experiment deals them."""
    bases = design.balanced(gain.shape[:-1], gain.shape[-1], num_runs)
    kept = np.zeros((len(bases), gain.shape[-1]), bool)
    np.put_along_axis(kept, bases, True, 1)
    return gain.where(xr.DataArray(kept.reshape(gain.shape), dims=gain.dims))


def on_map(values: np.ndarray, **coords) -> xr.DataArray:
    coords = coords or {"fpr": list(FPR), "fnr": list(FNR)}
    return xr.DataArray(values, coords | {"seed": range(values.shape[-1])}, [*coords, "seed"])


def by_ratio(num_bases: int = POOL) -> xr.DataArray:
    """Gains that fall through 0 where FPR / (1 - FNR) is 0.1."""
    fpr, fnr = np.meshgrid(FPR, FNR, indexing="ij")
    gain = -0.2 * np.tanh(np.log(np.maximum(fpr, 1e-3) / (1 - fnr) / 0.1))
    return on_map(gain[..., None] + 0.001 * np.arange(num_bases))


def line(gain: float, slope: float = 0.0, num_bases: int = 12) -> xr.DataArray:
    values = gain - slope * np.array(ON_LINE)[:, None] + 1e-3 * np.arange(num_bases)
    return on_map(values, fpr=list(ON_LINE))


def parts(controls: bool = True) -> dict[str, xr.Dataset | None]:
    """All parts; what has no verifier to vary has no FPR."""
    skill = on_map(np.ones((4, len(FPR), POOL)), snapshot=range(4), fpr=list(FPR))
    made = {name: dealt(by_ratio()) for name in found.LEARNERS} | {"skill": dealt(skill)}
    made |= {name: line(0.2, 1.0) for name in found.LINES}
    for roles in found.CONTROLS.values():
        for role, part in roles.items():
            values = line(GAINS[role])
            made[part] = values.isel(fpr=0, drop=True) if "sham" in role else values
    return {
        part: dataset(made[part], "GRPO" if "grpo" in part else "FilteredSFT")
        if controls or not part.startswith("control/")
        else None
        for part in found.PARTS
    }


def at_both_rates(runs: dict[str, xr.Dataset | None]) -> dict[str, xr.Dataset | None]:
    """What both folders hold: the same runs at both learning rates, GRPO's at a tenth of them."""
    found = {}
    for folder, rate in effects.PLACES.items():
        for part, data in runs.items():
            if data is not None:
                base = data.attrs["config"]["base"]
                scale = 0.1 if base["learner"]["type"] == "GRPO" else 1
                learner = base["learner"] | {"learning_rate": scale * float(rate)}
                config = data.attrs["config"] | {"base": base | {"learner": learner}}
                data = data.assign_attrs(config=config)
            found[f"{folder}/{part}"] = data
    return found


def test_the_figure_takes_the_parts_and_controls_of_the_experiment():
    sweep = config.build("laptop")
    own = [*config.parts(sweep), *(f"control/{x.replace('/', '_')}" for x in config.CONTROLS)]
    assert tuple(own) == figure.PARTS
    tuning, grpo = (config.parts(sweep)[x].base.num_rounds for x in found.LINES)
    horizons = {(tuning // 2, tuning), (grpo // 2, grpo)}
    assert {claim.horizons for claim in figure.CLAIMS} == horizons


def test_a_mean_over_settings_is_not_one_over_whom_they_were_dealt_to():
    order = on_map(np.array([[[1, 1, nan, nan]], [[nan, 0, 0, 0]]]), fpr=[0.0, 1.0], fnr=[0.0])
    assert found.mean_of_settings(order).value == 0.5
    assert intervals.mean(order.mean(("fpr", "fnr"))).value == 0.375
    whole = by_ratio(6) + 0.3 * np.random.default_rng(0).normal(size=6)
    assert found.mean_of_settings(whole) == pytest.approx(
        intervals.mean(whole.mean(("fpr", "fnr")))
    )
    assert found.mean_of_settings(whole.where(whole.fnr < 0)).num == 0


def test_of_a_setting_with_one_base_nothing_bounds_the_mean():
    order = on_map(np.array([[[1.0, 2, 3]], [[nan, nan, 0.5]]]), fpr=[0.0, 1.0], fnr=[0.0])
    value, low, high, num = found.mean_of_settings(order)
    assert (value, low, high, num) == (1.25, -np.inf, np.inf, 3)


@pytest.mark.parametrize("sign", [1, -1])
def test_its_interval_holds_for_dealt_bases(sign):
    """Bases differ in level and in where their boundary lies."""
    rng = np.random.default_rng(3)
    fpr, fnr = np.meshgrid(np.maximum(FPR, 1e-3), FNR, indexing="ij")
    chosen = (np.sign(1 - np.array(FPR)[:, None] - FNR).round(6) == sign)[..., None]

    def gain(num):
        at = np.log(fpr / (1 - fnr))[..., None] - np.log(0.1) - rng.normal(size=num)
        return np.where(chosen, 0.1 * rng.normal(size=num) - 0.2 * np.tanh(at), nan)

    truth, num, inside = np.nanmean(gain(20000)), 200, 0
    for _ in range(num):
        values = gain(POOL)
        drawn = dealt(on_map(values + 0.07 * rng.normal(size=values.shape)))
        _, low, high, _ = found.mean_of_settings(drawn)
        inside += low <= truth <= high
    assert 0.92 <= inside / num <= 0.995


def test_lines_of_equal_outcome_of_dealt_bases_are_where_they_were_put():
    order = dealt(by_ratio() + 0.1 * np.random.default_rng(0).normal(size=POOL))
    drawn = np.array(list(found.isolines(order))) / (1 - np.array(FNR))
    known = drawn[np.isfinite(drawn).all(1)]
    assert len(known) > 2 and (known.max(1) < 1.3 * known.min(1)).all()
    assert not np.isinf(drawn).any() and not (drawn == 0).any()


def test_effects_are_differences_from_the_controls_at_both_horizons():
    data = list(at_both_rates(parts()).values())
    for horizon, share in ((beside.HALF, 0.5), (beside.ALL, 1.0)):
        for role, gain in GAINS.items():
            for end, loop in ((min, 0.2), (max, -0.8)):
                got = effects.beyond("1e-3", "line", role, end, horizon, *data)
                assert got.value == pytest.approx(share * (loop - gain)) and got.num == 12
        level = share * np.mean(1e-3 * np.arange(12))
        for is_mean in (False, True):
            got = effects.placebo_gains("1e-3", "grpo_line", is_mean, horizon, *data)
            assert got.value == pytest.approx(level) and got.num == 12


def test_bases_that_one_of_both_lacks_are_left_out():
    data = parts()
    data["control/line_sham"] = data["control/line_sham"].isel(seed=slice(4, None))
    got = effects.beyond("3e-3", "line", "sham", min, beside.ALL, *data.values())
    assert got.value == pytest.approx(0.25) and got.num == 8


def test_claims_on_lines_are_decided_by_their_own_controls():
    of_lines = [c for c in figure.CLAIMS if c.needs.bases == 12 and c.needs.learning_rates == 1]
    assert len(of_lines) == 5
    data = at_both_rates(parts())
    others = at_both_rates(parts() | {"control/grpo_line_placebo": None})
    assert {judge(claim, data).verdict for claim in of_lines} == {Verdict.SUPPORTS}
    for claim in of_lines:
        is_open = judge(claim, others).verdict == Verdict.UNDECIDED
        assert is_open == ("group-relative" in claim.name)
    (of_map,) = (c for c in figure.CLAIMS if c.name == "J = 0, for group-relative learners")
    assert "no placebo" in judge(of_map, others).reason
    assert "no placebo" not in judge(of_map, data).reason


def test_what_was_not_run_is_not_measured():
    data = at_both_rates(parts(controls=False))
    for claim in figure.CLAIMS:
        judged = judge(claim, data)
        needed = set(claim.needs.controls) - {"untouched base"}
        assert (judged.verdict == Verdict.UNDECIDED) == bool(needed) and needed <= set(CONTROLS)
        assert all(f"no {name}" in judged.reason for name in needed)


@pytest.mark.parametrize("controls", [True, False])
def test_controls_are_drawn_and_told_where_they_were_run(controls):
    data = parts(controls)
    for name in ("controls", "maps", "bases") if controls else ("controls",):
        drawn = figure.FIGURES[name](*data.values())
        drawn.draw_without_rendering()
        assert len(plotting.letters(drawn)) == (3 if name == "maps" else 2)
    drawn = figure.draw_controls(*data.values())
    named = {text.get_text() for legend in drawn.legends for text in legend.get_texts()}
    assert {"loop", "untouched base"} <= named
    text = "\n".join(
        x for part in found.LINES for x in found.control_lines(found.named([*data.values()]), part)
    )
    assert "GRPO at FNR 0, gain after 4 rounds (untouched base: 0):" in text
    for role in GAINS:
        assert (role in named) == (f"loop minus {role}: " in text) == controls


def test_a_run_that_diverged_is_a_cross_and_no_mean():
    data = parts()
    data["line"].diverged[{"fpr": 1, "seed": 0, "round": -1}] = 1
    data["control/line_sham"].diverged[{"seed": 0, "round": -1}] = 1
    axes = figure.draw_controls(*data.values()).axes[0]
    (loop,) = (x for x in axes.lines if x.get_label() == "loop")
    assert np.isfinite(loop.get_ydata()).tolist() == [True, False, True, True]
    assert [x.get_xdata().tolist() for x in axes.lines if x.get_gid() == plotting.DIVERGED] == [[1]]
    assert "sham" not in {x.get_label() for x in axes.lines}
