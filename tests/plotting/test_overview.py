"""The figure of any sweep: what is drawn is what can be worked out by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import xarray as xr
from hand_made import NAMES, SPREAD, SWEEPS, grid, made
from scipy import stats
from small_sweeps import GRID

from avax import plotting
from avax.plotting import overview, settings
from avax.sweeps.needs import made_up


def panels(figure) -> dict[str, plotting.Axes]:
    """Panels by their titles, up to a colon."""
    return {axes.get_title().split(":")[0]: axes for axes in figure.axes if axes.get_title()}


def lines(axes) -> dict[str, np.ndarray]:
    """What is drawn under each name."""
    named = {line.get_label(): np.ravel(line.get_ydata()) for line in axes.lines}
    return {name: y for name, y in named.items() if not name.startswith("_")}


@pytest.mark.parametrize("name", SWEEPS)
def test_any_sweep_is_drawn_labelled_and_summed_up(name):
    figure = overview.draw(SWEEPS[name])
    figure.draw_without_rendering()
    width, height = figure.get_size_inches()
    assert width <= 11 and height <= 11
    for axes in figure.axes:
        if axes.axison and axes.get_title():
            outer = axes.get_subplotspec().is_first_col() and axes.get_subplotspec().is_last_row()
            assert not outer or (axes.get_xlabel() and axes.get_ylabel())
            assert axes.get_ylabel() or axes.images  # a map beside another has the same axis
    text = overview.summary(SWEEPS[name])
    assert "nan" not in text and "inf" not in text.replace("infer", "") and text.isascii()
    assert all(len(line) < 250 for line in text.splitlines())


@pytest.mark.parametrize("name", ["names and numbers", "names, FPR and FNR", "spoilt"])
def test_files_are_the_same_every_time(tmp_path, name):
    written = [
        [p.read_bytes() for p in plotting.save(overview.draw(SWEEPS[name]), tmp_path / stem)]
        for stem in "ab"
    ]
    same = written[0] == written[1]
    assert same  # a difference of bytes takes pytest minutes to print


def test_nothing_overlaps():
    """Titles and labels of different panels, as they are laid out."""
    for name in ("many names", "names, FPR and FNR", "names and numbers", "spoilt"):
        figure = overview.draw(SWEEPS[name])
        figure.draw_without_rendering()
        parts = [
            (axes, x.get_window_extent())
            for axes in figure.axes
            for x in (axes.title, axes.xaxis.label, axes.yaxis.label)
            if axes.axison and x.get_text()
        ]
        for (a, first), (b, second) in itertools.combinations(parts, 2):
            assert a is b or not first.padded(-1.5).overlaps(second.padded(-1.5)), name


def test_without_axes_the_base_is_beside_what_was_run():
    figure = overview.draw(SWEEPS["no axis"])
    found = panels(figure)
    assert list(found) == ["Solved length", "Measured in the round's samples", "Retention", "Reach"]
    last = {"Solved length": 2.6, "Retention": 0.85, "Reach": 0.9}
    for name, base in {"Solved length": 2.4, "Retention": 0.9, "Reach": 0.6}.items():
        drawn = lines(found[name])
        assert np.allclose(drawn["untouched base (round 0)"], base)
        assert drawn["mean over seeds"][0] == pytest.approx(base)
        assert drawn["mean over seeds"][-1] == pytest.approx(last[name])
        assert len(found[name].lines) == 2 + 3  # each seed, too
    rates = lines(found["Measured in the round's samples"])
    assert [y.tolist() for y in rates.values()] == [[0.25] * 4, [0.5] * 4, [0.75] * 4]
    styles = {line.get_linestyle() for line in found["Measured in the round's samples"].lines}
    assert len(styles) == 3 and "base was trained on" in figure._supxlabel.get_text()
    assert "solved length = 2 x retention + reach" in figure._supxlabel.get_text()


def test_axes_of_one_value_are_named_but_not_drawn():
    figure = overview.draw(SWEEPS["axes of one value"])
    assert len(panels(figure)) == 4
    assert "verifier.fpr = 0.1; verifier = oracle" in figure._supxlabel.get_text()
    text = overview.summary(SWEEPS["axes of one value"])
    assert "in all of them: verifier.fpr = 0.1, verifier = oracle" in text


@pytest.mark.parametrize("name, values", [("numbers", ["0", "0.1", "1"]), ("names", NAMES)])
def test_one_axis_has_a_line_for_each_value(name, values):
    found = panels(overview.draw(SWEEPS[name]))
    solved = lines(found["Solved length"])
    assert list(solved) == [*values, "untouched base (round 0)"]
    assert [solved[v][-1] for v in values] == pytest.approx((2.4 + grid(3)).tolist())
    for rate in ("FPR", "FNR", "label precision"):
        assert list(lines(found[f"Measured {rate}"])) == values
    assert ticks(found["Final gain over the base"].xaxis) == values
    colours = [line.get_color() for line in found["Reach"].lines if line.get_label() in values]
    assert len(set(map(str, colours))) == 3


def ticks(axis) -> list[str]:
    return [text.get_text() for text in axis.get_ticklabels()]


def test_the_final_gain_has_a_t_interval():
    axes = panels(overview.draw(SWEEPS["numbers"]))["Final gain over the base"]
    bars = [c.get_segments()[0] for c in axes.collections]
    half = stats.t.ppf(0.975, 2) * SPREAD / np.sqrt(3)
    for bar, gain in zip(bars, grid(3), strict=True):
        assert bar[:, 1].tolist() == pytest.approx([gain - half, gain + half])
    single = panels(overview.draw(SWEEPS["one seed, names"]))["Final gain over the base"]
    assert all(np.ptp(c.get_segments()[0][:, 1]) == 0 for c in single.collections)


def test_of_many_values_some_are_drawn_by_round_and_all_at_the_end():
    for name, most, size in (("many numbers", 6, 20), ("many names", 8, 11)):
        figure = overview.draw(SWEEPS[name])
        found = panels(figure)
        assert len(lines(found["Solved length"])) == most + 1
        assert f"drawn: {most} of {size} values" in figure._supxlabel.get_text()
        x = [len(line.get_xdata()) for line in found["Final gain over the base"].lines]
        assert size in x


@pytest.mark.parametrize("name, rows", [("FPR and FNR", "fnr"), ("other numbers", "rate")])
def test_two_numbers_are_a_map_of_the_gain(name, rows):
    data = SWEEPS[name]
    figure = overview.draw(data)
    axes = panels(figure)["Final gain"]
    (columns,) = {"fpr", "fnr", "start", "rate"} & set(data.dims) - {rows}
    gains = grid(3, 2)[::-1] if name == "FPR and FNR" else grid(3, 3)
    mean = xr.DataArray(gains, data.accuracy[..., 0, 0].coords)
    expected = mean.sortby(columns).transpose(rows, columns).values
    image = axes.images[0]
    assert np.allclose(image.get_array(), expected)
    assert image.get_clim() == pytest.approx((-0.4, 0.4))
    assert ticks(axes.xaxis) == [f"{x:g}" for x in sorted(data[columns].values)]
    written = [text.get_text() for text in axes.texts]
    numbers = [float(x) for x in written if x not in "ABCDE"]
    assert numbers == pytest.approx(expected.ravel().tolist(), rel=0.06)
    assert {*"ABCD"} <= {*written}
    named = [text.get_text() for other in figure.axes for text in legend_texts(other)]
    assert any("boundary" in x for x in named)


def legend_texts(axes):
    return axes.get_legend().get_texts() if axes.get_legend() else []


def test_the_boundary_between_other_numbers_is_where_the_gain_is_zero():
    """The gain falls with the first index alone, from 0.1 to -0.1, so it is 0 in the middle."""
    gains = np.array([0.2, 0.1, -0.1])[:, None] + np.zeros(3)
    figure = overview.draw(made({"rate": [0.0, 0.5, 1.0], "start": [1, 2, 3]}, gains))
    axes = panels(figure)["Final gain"]
    (contour,) = axes.collections
    along = contour.get_paths()[0].vertices[:, 0 if "rate" in axes.get_xlabel() else 1]
    assert along == pytest.approx(1.5)


def test_names_and_numbers_are_a_line_for_each_name():
    found = panels(overview.draw(SWEEPS["names and numbers"]))
    gain = [line.get_ydata() for line in found["Final gain over the base"].lines]
    for row in grid(3, 3):
        assert any(len(y) == 3 and np.allclose(y, row) for y in gain)
    named = [f"{name}, fpr {x}" for name in NAMES for x in (0, 1)]
    assert list(lines(found["Reach"])) == [*named, "untouched base (round 0)"]
    assert lines(found["Reach"])["none, fpr 1"][-1] == pytest.approx(0.7 + grid(3, 3)[0, 2])


def test_maps_for_each_name_share_their_colours():
    figure = overview.draw(SWEEPS["names, FPR and FNR"])
    found = panels(figure)
    for i, name in enumerate(NAMES):
        (image,) = found[name].images
        assert np.allclose(image.get_array(), grid(3, 2, 3)[..., i].T)
        assert image.get_clim() == pytest.approx((-0.4, 0.4))
    drawn = list(lines(found["Reach"]))
    assert [name[:4] for name in drawn[:3]] == ["A: n", "B: m", "C: o"] and len(drawn) == 4
    assert "drawn:" not in figure._supxlabel.get_text()


def test_what_is_left_out_is_said():
    figure = overview.draw(SWEEPS["three numbers"])
    assert sum(bool(axes.images) for axes in figure.axes) == 8
    assert "drawn: 8 of 9 combinations of start" in figure._supxlabel.get_text()
    four = overview.draw(SWEEPS["four"])
    assert sum(bool(axes.images) for axes in four.axes) == len(NAMES) * 2
    assert "a oracle, d False" in panels(four) and "drawn:" not in four._supxlabel.get_text()


def test_names_twice_are_a_map_with_names():
    axes = panels(overview.draw(SWEEPS["names twice"]))["Final gain"]
    assert ticks(axes.xaxis) == NAMES and ticks(axes.yaxis) == ["a", "b"]
    assert np.allclose(axes.images[0].get_array(), grid(3, 2).T)


def test_names_of_several_axes_say_which_axis_they_are_of():
    """Two axes may have plug-ins of one kind, `verifier.first` and `verifier.second`."""
    names = ["length", "oracle"]
    data = made({"first": names, "second": names, "third": ["a", "b"]}, np.zeros((2, 2, 2)))
    titles = {axes.get_title() for axes in overview.draw(data).axes}
    assert {"third a", "third b"} <= titles
    assert "  first oracle, second length, third a: " in overview.summary(data)


def test_lines_end_where_a_run_diverged_and_unrun_settings_are_left_out():
    figure = overview.draw(SWEEPS["spoilt line"])
    found = panels(figure)
    solved = lines(found["Solved length"])
    assert list(solved) == ["0", "0.1", "untouched base (round 0)"]
    assert np.isnan(solved["0.1"]).tolist() == [False] * 3 + [True] * 2
    assert [t.get_text() for t in figure.legends[0].get_texts()] == [plotting.DIVERGED]
    (cross,) = [x for x in found["Final gain over the base"].lines if x.get_marker() == "x"]
    assert cross.get_xdata().tolist() == [1]
    plane = panels(overview.draw(SWEEPS["spoilt"]))["Final gain"]
    assert plane.images[0].get_array().mask.tolist() == [[False, False, True]] * 2
    assert plane.lines[0].get_xydata().tolist() == [[1, 1]]  # the cross


def test_bases_that_differ_are_drawn_for_each_setting():
    data = made({"snapshot": [0, 1]}, [0.1, 0.2])
    data["accuracy_by_difficulty"] = data.accuracy_by_difficulty - xr.DataArray(
        [0.0, 0.2], {"snapshot": [0, 1]}
    )
    reach = panels(overview.draw(data))["Reach"]
    dashed = [x.get_ydata()[0] for x in reach.lines if "of each" in x.get_label()]
    assert dashed == pytest.approx([0.6, 0.2])
    assert "bases that differ by setting" in overview.summary(data)


def test_what_a_sweep_leaves_can_be_drawn():
    """In the form in which the engine saves it, probe metrics and all."""
    data = made_up(GRID)
    overview.draw(data).draw_without_rendering()
    assert "25 settings (5 of verifier.fpr x 5 of verifier.fnr)" in overview.summary(data)
    probed = SWEEPS["names"].assign(gap=SWEEPS["names"].accuracy * 0 + 0.5)
    assert "besides, last round, mean of all runs: gap 0.5" in overview.summary(probed)


def test_a_configuration_that_tells_no_base_length():
    data = made({"verifier": NAMES}, grid(3))
    del data.attrs["config"]["base"]["base_difficulty"]
    figure = overview.draw(data)
    assert {"Retention", "Reach"} & set(panels(figure)) == set()
    assert "retention" not in figure._supxlabel.get_text() + overview.summary(data)


def test_settings_beside_those_that_were_not_run():
    data = made({"a": [1, 2, 3], "b": [1, 2, 3]}, grid(3, 3)).where(lambda x: x.a + x.b > 3)
    study = settings.study(data)
    assert {"a": 0, "b": 0} not in settings.corners(study)
    assert settings.corners(study)[1] == {"a": 0, "b": 2}
    assert settings.middle(study) == {"a": 1, "b": 1}


def test_a_notebook_shows_it_without_pyplot():
    figure = plotting.new_figure(2, 1)
    assert type(figure).__name__ == "Figure" and figure._repr_png_().startswith(b"\x89PNG")
