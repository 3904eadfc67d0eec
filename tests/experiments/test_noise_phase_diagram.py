"""The phase diagram beside its controls: effects that are known, with and without them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import xarray as xr

from avax import plotting
from avax.analysis import law, lengths
from configs import noise_phase_diagram as config
from paper_figures import beside, command
from paper_figures import fig_noise_phase_diagram as figure
from paper_figures import noise_phase_diagram as found
from paper_figures import noise_phase_diagram_effects as effects
from paper_figures.claims import Verdict, judge

FPR, FNR = (0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0), (0.0, 0.3, 0.6)
ROUNDS, LONGEST, KNOWN = 4, 12, 6
SPOILT = 0.5  # digits that a sham loses
CENTRE = 0.1  # geometric mean of the bases' boundary ratios
LEARNER = {"type": "FilteredSFT", "learning_rate": 0.003, "base_rate": 0.25}


def dataset(gain: xr.DataArray, curriculum: str, dealt: bool = False, **axes) -> xr.Dataset:
    """Runs that gain so many digits in the end, spread evenly over rounds and lengths."""
    rounds = xr.DataArray(np.arange(ROUNDS + 1), dims="round", name="round")
    difficulty = xr.DataArray(np.arange(1, LONGEST + 1), dims="difficulty")
    share = gain * rounds / ROUNDS / LONGEST
    solved = (0.9 - 0.05 * difficulty + 0.01 * gain.seed + share).transpose(*share.dims, ...)
    if dealt:  # two bases for each setting
        number = np.arange(gain.isel(seed=0).size).reshape(gain.isel(seed=0).shape)
        first = xr.DataArray(number, dims=[d for d in gain.dims if d != "seed"])
        known = (gain.seed - 2 * first) % gain.sizes["seed"] < 2
        solved = solved.where(known)
    config = {
        "base": {
            "curriculum": {"type": curriculum, "start": 7, "step": 1},
            "task": {"type": "Addition"},
            "base_difficulty": KNOWN,
            "learner": LEARNER,
        },
        "axes": axes,
    }
    accuracy = solved.mean("difficulty", skipna=False)
    metrics = {
        "accuracy_by_difficulty": solved,
        "accuracy": accuracy,
        "diverged": xr.zeros_like(accuracy).where(accuracy.notnull()),
        "base_accuracy": accuracy.isel(round=0, drop=True) + 0 * accuracy,
    }
    coords = {"difficulty": difficulty.values, "round": rounds.values}
    return xr.Dataset(metrics, coords, {"config": config, "provenance": {}})


def gains(num_bases: int, fnr=FNR) -> xr.DataArray:
    """f[fpr, fnr, seed]: 0 where FPR / (1 - FNR) is each base's own boundary."""
    grid = np.meshgrid(FPR, fnr, indexing="ij")
    ratio = np.maximum(grid[0], 1e-9) / (1 - grid[1])
    own = np.log(CENTRE) + 0.3 * (np.arange(num_bases) - (num_bases - 1) / 2) / num_bases
    values = -np.tanh(np.log(ratio)[..., None] - own)
    coords = {"fpr": list(FPR), "fnr": list(fnr), "seed": range(num_bases)}
    return xr.DataArray(values, coords, ("fpr", "fnr", "seed"))


def parts(
    num_bases: int = 6, curriculum: str = "Frontier", controls: bool = True, dealt: bool = False
) -> list[xr.Dataset | None]:
    """All parts in order: the frozen generator gains half of the loop, the placebo nothing."""
    line = gains(num_bases).isel(fnr=0, drop=True)
    again = xr.concat([line, line + 0.1 * (line.seed % 2)], "replicate").transpose("fpr", ...)
    again = again.isel(fpr=[0, 3, 7]).assign_coords(replicate=[0, 1])
    loops = [
        dataset(gains(num_bases), curriculum, dealt),
        *(dataset(x, curriculum) for x in (line, again)),
    ]
    if not controls:
        return [*loops, *[None] * len(found.CONTROLS)]
    spoilt = xr.full_like(line.isel(fpr=0, drop=True), -SPOILT)
    made = (line / 2, spoilt, 0.5 * spoilt, 0 * line)
    return [*loops, *(dataset(x, curriculum) for x in made)]


def words(drawn) -> set[str]:
    legends = [*drawn.legends, *(axes.get_legend() for axes in drawn.axes)]
    found = {text.get_text() for legend in legends if legend for text in legend.get_texts()}
    return found | {text.get_text() for axes in drawn.axes for text in axes.texts}


@pytest.mark.parametrize("controls", [True, False])
@pytest.mark.parametrize("dealt, num_bases", [(False, 4), (True, 12), (False, 1)])
def test_controls_are_drawn_where_they_were_run(controls, dealt, num_bases):
    curriculum = "Fixed" if dealt else "Frontier"
    data = parts(num_bases, curriculum, controls, dealt)
    main, rounds = (draw(*data) for draw in figure.FIGURES.values())
    for drawn in (main, rounds):
        drawn.draw_without_rendering()
    assert plotting.letters(main) == ["a", "b"] and len(plotting.letters(rounds)) == 3
    named, beside = words(main), words(rounds)
    assert {"loop", "untouched base"} <= named and "untouched base" in beside
    assert {name in named for name in found.CONTROLS} == {controls}
    assert {name in beside for name in ("sham", "frozen generator, FPR 1")} == {controls}
    assert not any("not run" in name for name in named)  # all settings have some base
    assert {"FPR 0", "FPR 1"} <= beside
    text = figure.summary(*data)
    assert ("a sham: unknown, as it was not run" in text) == (not controls)
    assert ("  sham:" in text) == controls
    assert ("of the mean outcome" in text) == dealt


def test_boundaries_are_where_they_were_put():
    """Against the sham at ratio * exp(atanh(what it loses)), at both horizons."""
    for curriculum in ("Frontier", "Fixed"):
        rows = dict(found.ratios(found.named(parts(6, curriculum))))
        compared = {"untouched base": 0, "sham": SPOILT, "length-matched sham": SPOILT / 2}
        assert list(rows) == [f"{x}, round {r}" for x in compared for r in (2, 4)]
        for name, ratio in rows.items():
            moved = np.exp(np.arctanh(compared[name.split(",")[0]]))
            assert ratio.value == pytest.approx(CENTRE * moved, rel=0.12) and ratio.num == 6
            assert ratio.low < ratio.value < ratio.high


def test_without_both_ends_nothing_is_predicted():
    data = parts()
    assert "not measured" not in words(figure.draw_rounds(*data))
    data[found.PARTS.index("line")] = data[found.PARTS.index("line")].isel(fpr=slice(0, -1))
    assert "not measured" in words(figure.draw_rounds(*data))


def test_a_dealt_design_has_a_boundary_and_a_whole_map():
    data = parts(12, dealt=True)
    findings = figure.analyse(*data)
    assert found.is_run(findings.order).all()
    assert findings.measured.ratio.value == pytest.approx(CENTRE, rel=0.3)
    assert "of the mean outcome" in figure.compared(findings)
    shown = figure.draw(*data).axes[0].images[0].get_array()
    assert not np.ma.getmaskarray(shown).any()


NUM_PARTS = len(found.PARTS)


def everywhere(**how) -> list[xr.Dataset | None]:
    """All parts of each place: curricula in turn, at one learning rate."""
    each = (
        parts(curriculum=("Frontier", "Fixed")[i % 2], **how) for i in range(len(figure.SHIPPED))
    )
    return [data for place in each for data in place]


def test_effects_are_differences_from_the_controls():
    data = everywhere()
    loop = gains(6).isel(fnr=0).mean("seed")
    for place in effects.PLACES.values():
        for horizon, part in ((beside.HALF, 0.5), (beside.ALL, 1.0)):
            for clean, fpr in ((True, 0.0), (False, 1.0)):
                gained = part * loop.sel(fpr=fpr).item()
                for control, rest in (("frozen generator", 0.5), ("placebo", 1.0)):
                    got = effects.beyond(place, horizon, control, clean, *data)
                    assert got.value == pytest.approx(rest * gained) and got.num == 6
            lost = effects.lost(place, horizon, lengths.reach, *data)
            assert lost.value == pytest.approx(part * loop.sel(fpr=1.0).item() / 2)
            best, lost = (part * loop.sel(fpr=fpr).item() for fpr in (0.0, 1.0))
            odds = law.odds_after(int(part * ROUNDS)), 0.0
            said, straight = (law.between(best, -lost, k) / CENTRE for k in odds)
            factor = effects.predicted_over_measured(place, horizon, *data)
            assert factor.value == pytest.approx(said, rel=0.12)
            assert factor.low < factor.value < factor.high
            apart = abs(np.log(said)) - abs(np.log(straight))
            assert effects.nearer(place, horizon, *data).value == pytest.approx(apart, abs=0.12)


@pytest.mark.parametrize("loses, expected", [(0.5, "collapse"), (0.98, "open"), (1.5, "none")])
def test_collapse_is_below_the_base_and_below_the_sham(loses, expected):
    """Known and longer lengths lose the same: half of it each."""
    data = everywhere()
    sham = found.PARTS.index(found.CONTROLS["sham"])
    for i in range(len(effects.PLACES)):
        gain = xr.full_like(gains(6).isel(fpr=0, fnr=0, drop=True), -loses)
        data[i * NUM_PARTS + sham] = dataset(gain, ("Frontier", "Fixed")[i % 2])
    loop = gains(6).isel(fnr=0).sel(fpr=1.0)
    for place in effects.PLACES.values():
        got = effects.collapse(place, beside.ALL, "sham", *data)
        collapsed = found.collapse(effects.prepared(*data)[place], ROUNDS, "sham").collapsed
        assert bool(collapsed) == (got.high < 0) == (expected == "collapse")
        assert (got.low > 0) == (expected == "none")
        assert got.value == pytest.approx(max(loop.mean().item(), (loop + loses).mean().item()) / 2)


def test_what_was_not_run_is_not_measured():
    data = everywhere(controls=False)
    places = range(len(figure.SHIPPED))
    names = (f"{i}/{part}" for i in places for part in found.PARTS)
    named = dict(zip(names, data, strict=True))
    for claim in figure.CLAIMS:
        judged = judge(claim, named)
        assert judged.verdict == Verdict.UNDECIDED
        assert judged.reason.startswith(("6 bases of at least", "0 bases of at least"))
        assert all(f"no {name}" in judged.reason for name in claim.needs.controls)


def test_two_runs_of_a_base_are_one_value():
    data = parts(4)
    data[0] = data[0].expand_dims(replicate=[0, 1], axis=2).copy()
    once = dict(found.ratios(found.named(parts(4))))
    twice = dict(found.ratios(found.named(data)))
    assert {n: x.num for n, x in twice.items()} == {n: x.num for n, x in once.items()}
    assert all(twice[n] == pytest.approx(x) for n, x in once.items())
    for draw in figure.FIGURES.values():
        draw(*data)


def test_what_differs_between_runs_is_told_from_what_differs_between_bases():
    """Every second base's second run gains 0.1 digits more than its first."""
    for fpr, spread in found.spreads(found.named(parts(8))):
        assert fpr in (0.0, 0.01, 1.0)
        assert spread.within.value == pytest.approx(4 * ((0.1 / ROUNDS) ** 2 / 2) / 8)
    assert "FPR 0.01: between bases" in figure.summary(*parts(8))
    assert "standard deviations" not in figure.summary(*parts(1))


def test_the_shipped_horizons_are_those_that_the_claims_name():
    for name in figure.SHIPPED:
        rounds = found.horizons(command.load_parts(command.DATA / name, figure)[""])
        either = (), tuple(rounds.values()), (rounds[beside.ALL],)
        assert all(claim.horizons in either for claim in figure.CLAIMS)


@pytest.mark.parametrize(
    "preset, argv, num_bases",
    [("laptop", {}, 4), ("laptop", {"num_runs": 2}, 8), ("shipped", {}, 32), ("smoke", {}, 1)],
)
def test_a_map_of_one_base_a_setting_is_a_first_look(preset, argv, num_bases):
    """Its other parts then have four bases; those of any other map the whole pool."""
    sweep = dataclasses.replace(config.build(preset, "frontier"), **argv)
    found = config.parts(sweep)
    assert {found[name].num_seeds for name in ("line", "twice")} == {num_bases}
    assert found[""].num_seeds == sweep.num_seeds
    whole = dataclasses.replace(sweep, design="all", num_runs=1)
    assert config.parts(whole)["line"].num_seeds == sweep.num_seeds
