"""Every figure draws from small data, is labelled, and is the same file every time."""

from __future__ import annotations

import importlib
import pathlib
import subprocess
import sys
import types

import numpy as np
import pytest
import xarray as xr

from avax import plotting, results
from avax.analysis import phase
from avax.analysis.numbers import NUMBERS
from avax.results import archive, folders, provenance, roots
from paper_figures import __main__ as everything
from paper_figures import command, shrink
from paper_figures import fig_noise_phase_diagram as noise
from paper_figures import fig_theory as theory

ROOT = pathlib.Path(__file__).parents[2]
FPR, FNR = (0.0, 0.01, 0.1, 1.0), (0.0, 0.3, 0.6)
nan = float("nan")


def sweep(curriculum: str, num_seeds: int, spoilt: str = "nothing") -> xr.Dataset:
    """A sweep over fpr and fnr that gains below the ray FPR / (1 - FNR) = 1/8 and loses above."""
    rng = np.random.default_rng(0)
    grid = np.meshgrid(FPR, FNR, range(num_seeds), range(4), range(1, 5), indexing="ij")
    fpr, fnr, _, rounds, difficulty = grid
    gain = 0.1 * np.tanh(1 - 8 * fpr / (1 - fnr))
    accuracy = np.clip(1.2 - 0.2 * difficulty + gain * rounds, 0, 1)
    accuracy = (accuracy - 0.02 * rng.uniform(size=accuracy.shape)).astype(np.float32)
    if spoilt == "one seed":
        accuracy[1, 1, -1, 2:] = nan
    if spoilt in ("one setting", "first setting"):
        accuracy[(1, 1) if spoilt == "one setting" else (0, 0)][:, 1:] = nan
    dims = ("fpr", "fnr", "seed", "round", "difficulty")
    return xr.Dataset(
        {
            "accuracy_by_difficulty": (dims, accuracy),
            "accuracy": (dims[:-1], accuracy.mean(-1)),
            "diverged": (dims[:-1], np.isnan(accuracy).any(-1).astype(np.float32)),
        },
        {"fpr": list(FPR), "fnr": list(FNR), "seed": range(num_seeds), "round": range(4)},
        {
            "config": {"base": {"curriculum": {"type": curriculum, "start": 3, "step": 1}}},
            "provenance": {},
        },
    )


def test_theory_is_drawn_from_the_settings_beside_the_boundary():
    """Of what is shipped, without the settings that gain or lose most, as tracing leaves them."""
    datasets = list(command.load_parts(command.DATA / "theory", theory).values())
    whole, traced = theory.summary(*datasets), list(datasets)
    for i, data in enumerate(datasets[:3]):  # the maps
        gain = abs(phase.order_parameter(data).mean("seed"))
        kept = data[["accuracy", "diverged"]].where(gain < gain.quantile(0.6))
        traced[i] = data.assign(kept)
    text = theory.summary(*traced)
    assert text.count("of 28, beside the boundary") == 3 and "beside" not in whole
    theory.draw(*traced).draw_without_rendering()


def parts(data: xr.Dataset) -> list[xr.Dataset]:
    """A map, its line at FNR 0, and the same twice; no controls."""
    line = data.isel(fnr=0, drop=True)
    twice = line.expand_dims(replicate=[0, 1]).assign_attrs(data.attrs)
    return [data, line, twice]


@pytest.mark.parametrize("spoilt", ["nothing", "one seed", "one setting", "first setting"])
@pytest.mark.parametrize("num_seeds", [1, 3])
@pytest.mark.parametrize("curriculum", ["Frontier", "Fixed"])
def test_noise_phase_diagram_is_labelled(curriculum, num_seeds, spoilt):
    data = sweep(curriculum, num_seeds, spoilt)
    figure = noise.draw(*parts(data))
    figure.draw_without_rendering()
    diagram, beside, colours = figure.axes
    for axes in (diagram, beside):
        assert axes.get_xlabel() and axes.get_ylabel() and axes.get_title(loc="left")
        assert "FPR" in axes.get_xlabel()
    assert "FNR" in diagram.get_ylabel()
    unit = "digits" if curriculum == "Frontier" else "accuracy"
    assert unit in colours.get_ylabel() and unit in beside.get_ylabel()
    named = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    assert ("a run diverged" in named) == (spoilt != "nothing")
    lines, drawn = (
        [x.get_label() for x in a.lines if x.get_label()[0] != "_"] for a in figure.axes[:2]
    )
    assert set(named) - {"a run diverged"} == {*lines, *drawn}
    assert drawn == ["loop", "untouched base"]  # no control was run
    no_ends = spoilt == "first setting"  # all that accepts nothing wrong has diverged
    assert len(lines) == 3 - no_ends and "measured boundary" in lines[0]
    assert lines[1].startswith("law") != no_ends


def crosses(axes) -> list[list[float]]:
    """Where runs that diverged are marked; they are named once, beside the panels."""
    found = [line for line in axes.lines if line.get_marker() == "x"]
    named = [text.get_text() for legend in axes.figure.legends for text in legend.get_texts()]
    assert named.count(plotting.DIVERGED) == min(1, len(found))
    return [line.get_xdata().tolist() for line in found]


@pytest.mark.parametrize("spoilt", ["nothing", "one seed", "one setting"])
def test_points_of_settings_with_diverged_runs_are_crosses(spoilt):
    """In every plot against a number: here what a verifier's FPR / (1 - FNR) explains."""
    order = phase.order_parameter(sweep("Fixed", 3, spoilt))
    axes = plotting.new_figure(4, 4).subplots()
    theory.draw_collapse(axes, order, "a learner")
    axes.figure.draw_without_rendering()
    ((x,),) = crosses(axes) or (([nan],),)
    assert np.isnan(x) if spoilt == "nothing" else x in {f(0.01, 0.3) for f in NUMBERS.values()}


def test_runs_that_diverged_are_named_once():
    order = phase.order_parameter(sweep("Fixed", 3, "one seed"))
    axes = plotting.new_figure(4, 4).subplots()
    for fnr in FNR:
        gain = order.sel(fnr=fnr)
        plotting.mark_diverged(axes, gain.fpr, gain)
        plotting.mark_diverged(axes, gain.fpr, gain)
    assert crosses(axes) == [[0.01], [0.01]]


def traced(data: xr.Dataset) -> xr.Dataset:
    """The same sweep with only the settings beside the boundary."""
    return data.where((data.fpr == 0.01) | (data.fpr == 0.1))


def test_a_traced_diagram_says_what_was_run():
    data = traced(sweep("Frontier", 3))
    data.diverged[1, 1, 0] = 1
    figure = noise.draw(*parts(data))
    diagram, beside, _ = figure.axes
    named = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    assert "not run (6 of 12 settings were)" in named and "a run diverged" in named
    assert "measured boundary" in named and not diagram.collections  # no interval
    shown = diagram.images[0].get_array()
    assert shown.mask[:, [0, 3]].all() and not shown.mask[:, 1:3].any()
    colours = diagram.images[0].to_rgba(shown)
    (grey,) = {tuple(c) for c in colours[shown.mask]}
    assert grey[0] == grey[1] == grey[2] == float(plotting.NOT_RUN)
    assert colours[1, 1].tolist() == [1, 1, 1, 1]  # diverged: white, with a cross
    assert ([1], [1]) in [tuple(map(list, line.get_data())) for line in diagram.lines]
    (loop,) = (line for line in beside.lines if line.get_label() == "loop")
    assert loop.get_xdata().tolist() == [1, 2]
    text = noise.summary(*parts(data))
    assert "6 of 12 settings were run" in text
    assert "settings were run" not in noise.summary(*parts(sweep("Frontier", 3)))


def test_the_summary_gives_both_boundaries():
    findings = noise.analyse(*parts(sweep("Frontier", 3)))
    ratio, low, high, num = findings.measured.ratio
    assert num == 3
    assert low <= ratio <= high and 0.05 < ratio < 0.25
    lines = noise.compared(findings).splitlines()
    assert len(lines) == 4
    assert "FPR / (1 - FNR)" in lines[0] and "(1 - FNR)^k: k = " in lines[1]
    assert f"from both ends of the line: {findings.predicted.value:.3g}" in lines[2]


def test_where_nothing_was_crossed_no_boundary_is_claimed():
    data = sweep("Fixed", 3)
    data["accuracy"] = data.accuracy.isel(fpr=0) + xr.zeros_like(data.accuracy)
    text = noise.summary(*parts(data))
    assert "no boundary was measured: up to FPR 1 all gain" in text
    assert "measured boundary" not in text and "times the measured" not in text
    figure = noise.draw(*parts(data))
    named = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    assert any(name.startswith("no boundary was measured") for name in named)
    assert not figure.axes[0].collections  # no interval of what there is not


def test_boundaries_are_drawn_where_they_are():
    figure = noise.draw(*parts(sweep("Frontier", 3)))
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    (predicted,) = (line for name, line in lines.items() if name.startswith("law"))
    x, y = predicted.get_data()
    assert y[0] == 0 and y[-1] == len(FNR) - 1
    ratio = noise.analyse(*parts(sweep("Frontier", 3))).predicted.value
    assert 0.01 < ratio < 1 and x[0] == pytest.approx(1 + np.log10(ratio / 0.01))
    assert (np.diff(x) < 0).all()  # less is tolerated where more is rejected


def test_without_both_ends_no_boundary_is_predicted():
    """The line stops short of no filter at all."""
    data = parts(sweep("Frontier", 3))
    data[1] = data[1].isel(fpr=slice(0, -1))
    figure = noise.draw(*data)
    assert not [line for line in figure.axes[0].lines if line.get_label().startswith("law")]
    assert "no prediction" in noise.summary(*data)


def test_a_boundary_is_broken_where_it_leaves_the_map():
    data = sweep("Frontier", 1)
    axes = plotting.new_figure(3, 3).subplots()
    plotting.boundary_line(axes, data.isel(fpr=slice(0, 3)), [0.01, 0.5, 2.0], [0.0, 0.0, 0.0])
    x = axes.lines[0].get_xdata()
    assert x[0] == 1 and np.isnan(x[1:]).all()


def test_a_stem_keeps_its_dots(tmp_path):
    paths = plotting.save(noise.draw(*parts(sweep("Fixed", 1))), tmp_path / "fpr-0.5")
    assert [p.name for p in paths] == ["fpr-0.5.png", "fpr-0.5.pdf"]


def test_saving_twice_gives_identical_bytes(tmp_path):
    written = []
    for name in ("first", "second"):
        figure = noise.draw(*parts(sweep("Frontier", 3, "one setting")))
        paths = plotting.save(figure, tmp_path / name / "figure")
        assert [p.name for p in paths] == ["figure.png", "figure.pdf"]
        written.append([p.read_bytes() for p in paths])
    same = written[0] == written[1]
    assert same  # a difference of bytes takes pytest minutes to print
    assert written[0][0].startswith(b"\x89PNG") and written[0][1].startswith(b"%PDF")


@pytest.mark.parametrize(
    "axis",
    [
        (0.0, 0.1, 0.2, 0.3),
        (0.1, 0.2),
        (0.0, 1.0),
        (0.0, 0.001, 0.01, 0.1, 1.0),
        (0.001, 0.01, 0.1, 1.0),
        (0.0, 0.01, 1.0),
    ],
)
def test_to_position_is_the_index_of_an_axis_value(axis):
    np.testing.assert_allclose(plotting.to_position(axis, axis), range(len(axis)), atol=1e-12)
    between = np.linspace(axis[0], axis[-1], 1001)
    found = plotting.to_position(axis, between)
    assert (np.diff(found) > 0).all() and found[0] == 0 and found[-1] == len(axis) - 1
    assert np.isnan(plotting.to_position(axis, [nan, axis[0]])).tolist() == [True, False]


def test_to_position_is_linear_in_the_logarithm():
    axis = (0.0, 0.001, 0.01, 0.1, 1.0)
    found = plotting.to_position(axis, [0.0005, 0.002, 10**-1.5])
    np.testing.assert_allclose(found, [0.5, 1 + np.log10(2), 2.5])


@pytest.mark.parametrize("values", [np.linspace(0, 1, 16), np.r_[0, np.geomspace(0.001, 1, 16)]])
def test_ticks_stand_where_their_values_are(values):
    axes = plotting.new_figure(3, 3).subplots()
    plotting.tick_values(axes.xaxis, values)
    ticks = axes.get_xticks()
    assert ticks[0] == 0 and ticks[-1] == len(values) - 1 and 3 <= len(ticks) <= 6
    for at, text in zip(ticks, axes.get_xticklabels(), strict=True):
        value = np.interp(at, range(len(values)), values)
        assert float(text.get_text()) == pytest.approx(value, abs=0.005, rel=0.1)


def test_the_script_draws_what_lies_in_a_folder(tmp_path, monkeypatch, capsys):
    for part, data in zip(noise.PARTS, parts(sweep("Fixed", 1)), strict=False):
        results.save(data, tmp_path / part)
    for arguments, stem in [([], tmp_path / "figure"), (["--out", "x/y"], pathlib.Path("x/y"))]:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["fig_noise_phase_diagram.py", str(tmp_path), *arguments])
        command.main(noise.__doc__, noise.draw, noise.PARTS)
        paths = [stem.with_suffix(".png"), stem.with_suffix(".pdf")]
        assert capsys.readouterr().out.splitlines() == [str(p) for p in paths]
        assert all(p.stat().st_size > 1000 for p in paths)


SCRIPTS = sorted(p.stem for p in (ROOT / "paper_figures").glob("fig_*.py"))


def test_every_shipped_folder_belongs_to_one_figure():
    shipped = [n for s in SCRIPTS for n in importlib.import_module(f"paper_figures.{s}").SHIPPED]
    assert sorted(shipped) == sorted(p.name for p in command.DATA.iterdir() if p.is_dir())
    drawn = {p.parent.name for p in command.DATA.glob("*/figure.png")}
    assert drawn == {p.parent.name for p in command.DATA.glob("*/figure.pdf")} == set(shipped)


def test_all_that_is_shipped_has_checksums_and_is_small():
    tables = list(command.DATA.rglob(results.TABLES))
    parts = [path.parent / part for path in tables for part in archive.parts(path)]
    assert len(parts) > 80 and not list(command.DATA.rglob(results.STORE))
    assert all(provenance.is_sealed(results.load(part).attrs) for part in parts)
    for folder in command.DATA.iterdir():
        size = sum(path.stat().st_size for path in folder.rglob("*"))
        assert size < shrink.MOST, folder


def test_what_is_shipped_of_a_part_is_what_is_read_of_it():
    some = types.SimpleNamespace(READS={"accuracy": ("*",), "num_accepted": ("a", "control/*")})
    found = {part: shrink.read_of(part, some) for part in ("a", "ab", "control/sham")}
    both = ("accuracy", "num_accepted")
    assert found == {"a": both, "ab": ("accuracy",), "control/sham": both}
    assert shrink.read_of("a", types.SimpleNamespace(READS=both)) == both
    assert shrink.read_of("a", types.SimpleNamespace()) is None


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS)
def test_shipped_results_are_drawn(script, tmp_path):
    figure = importlib.import_module(f"paper_figures.{script}")
    for name in figure.SHIPPED:
        draw = plotting.drawings(figure)
        command.redraw(draw, figure.PARTS, command.DATA / name, tmp_path / name)
        assert {f"{name}.png", f"{name}.pdf"} <= {p.name for p in tmp_path.iterdir()}


def refusal(folder: pathlib.Path, name: str) -> str:
    """The line that a figure script ends with instead of drawing."""
    figure = importlib.import_module(f"paper_figures.fig_{name}")
    with pytest.raises(results.ResultsError) as raised:
        command.redraw(figure.draw, figure.PARTS, folder, folder / "drawn")
    assert not list(folder.glob("drawn*"))
    line = str(raised.value)
    assert line.startswith(str(folder)) and line.isprintable()
    return line


PAIRS = [("gap", "theory"), ("gap", "benchmark"), ("benchmark", "gap"), ("theory", "self_trust")]


@pytest.mark.parametrize("name, other", [*PAIRS, ("noise_phase_diagram", "theory")])
def test_results_of_another_experiment_are_said_to_be_its(name, other):
    line = refusal(command.DATA / other, name)
    assert f"holds results of {other}: fig_{other}.py draws them" in line


def test_an_experiment_that_says_what_it_is(tmp_path):
    """Though it holds what would be drawn, or nothing yet; parts that are begun are named."""
    gap = importlib.import_module("paper_figures.fig_gap")
    roots.claim(roots.Root(tmp_path, "gap", {}, gap.PARTS))
    assert "holds results of gap" in refusal(tmp_path, "noise_phase_diagram")
    assert "oracle: there is no such folder" in refusal(tmp_path, "gap")
    folders.claim(tmp_path / "oracle", {"num_seeds": 2, "axes": {"x": [1, 2, 3]}}, "digest")
    assert "oracle: is not finished" in refusal(tmp_path, "gap")
    results.save(sweep("Fixed", 1), tmp_path)
    results.save(sweep("Fixed", 1), tmp_path / "line")
    assert "holds results of gap" in refusal(tmp_path, "noise_phase_diagram")


def test_a_control_is_drawn_if_it_is_there(tmp_path):
    """And where the experiment has more of them than its figure shows."""
    seen, parts = [], ("", "line", "control/sham")
    for part in ("", "line"):
        results.save(sweep("Fixed", 1), tmp_path / part)

    def draw(*datasets):
        seen.append([data is not None for data in datasets])
        drawn = plotting.new_figure(2, 2)
        drawn.subplots()
        return drawn

    for listed in (parts[:2], parts, (*parts, "control/placebo")):
        (tmp_path / roots.EXPERIMENT).unlink(missing_ok=True)
        roots.claim(roots.Root(tmp_path, "noise_phase_diagram", {}, listed))
        command.redraw(draw, parts, tmp_path, tmp_path / "drawn")
        command.check_whose(tmp_path, noise.PARTS)
    results.save(sweep("Fixed", 1), tmp_path / "control" / "sham")
    command.redraw(draw, parts, tmp_path, tmp_path / "drawn")
    assert seen == [[True, True, False]] * 3 + [[True, True, True]]


def redrawn(monkeypatch, *argv: str) -> list[str]:
    """What `python -m paper_figures` draws."""
    drawn: list[str] = []
    monkeypatch.setattr(command, "redraw", lambda draw, parts, folder: drawn.append(folder.name))
    monkeypatch.setattr(everything, "write_pages", lambda scripts: None)
    monkeypatch.setattr(everything, "draw_across", lambda figure: None)
    monkeypatch.setattr(sys, "argv", ["paper_figures", *argv])
    everything.main()
    return drawn


def test_all_figures_are_redrawn_or_those_that_are_named(monkeypatch, capsys):
    assert sorted(redrawn(monkeypatch)) == sorted(p.name for p in command.DATA.iterdir())
    assert redrawn(monkeypatch, "theory", "noise_phase_diagram_fixed") == [
        *("theory", "noise_phase_diagram_fixed"),
    ]
    for argv, status, words in (
        (["--help"], 0, "noise_phase_diagram_fixed"),
        (["theory", "gep"], 2, "error: gep: there is no such figure; did you mean gap?\n"),
        (["\x1b[31m"], 2, "there is no such figure; see --help\n"),
        (["--al"], 2, "error: unrecognized arguments: --al\n"),
    ):
        with pytest.raises(SystemExit) as raised:
            redrawn(monkeypatch, *argv)
        out, err = capsys.readouterr()
        assert raised.value.code == status and words in out + err
        assert status == 0 or (out == "" and err.removesuffix("\n").isprintable())


def test_the_script_without_results_ends_in_one_line(tmp_path):
    script = ROOT / "paper_figures" / "fig_noise_phase_diagram.py"
    ended = subprocess.run(
        [sys.executable, script, tmp_path / "none"],
        cwd=tmp_path, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert ended.returncode == 2 and ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert line.startswith("error: ") and str(tmp_path / "none") in line
    assert list(tmp_path.iterdir()) == []
