"""Runs that diverged: marked in every figure, and what they went on to say is in none."""

from __future__ import annotations

import importlib
import io
import pathlib

import numpy as np
import pytest
import xarray as xr

from avax import plotting
from avax.analysis import phase
from paper_figures import command

SCRIPTS = sorted(p.stem for p in pathlib.Path(command.__file__).parent.glob("fig_*.py"))
FIGURES = [importlib.import_module(f"paper_figures.{script}") for script in SCRIPTS]
OF_RUNS = [figure for figure in FIGURES if not any(p.endswith(".json") for p in figure.PARTS)]


def broken(dataset: xr.Dataset | None, seed: int) -> xr.Dataset | None:
    """The last seed diverges at the first setting and at a middle one, in round 2 or, at the
    latest, the last; from then on its metrics are random numbers. None stays what it is.
    """
    if dataset is None:
        return None
    rng, dataset = np.random.default_rng(seed), dataset.copy(deep=True)
    rounds = {"seed": -1, "round": slice(min(2, dataset.sizes["round"] - 1), None)}
    settings = [dim for dim in dataset.diverged.dims if dim not in ("seed", "round")]
    for share in (0, 2):
        at = {dim: share * dataset.sizes[dim] // 4 for dim in settings} | rounds
        for values in dataset.data_vars.values():
            values[at] = rng.uniform(size=values[at].shape)
        dataset.diverged[at] = 1
    return dataset


def picture(figure) -> bytes:
    written = io.BytesIO()
    figure.savefig(written, format="rgba", dpi=40)
    return written.getvalue()


def named(figure) -> list[str]:
    """All that legends say, of the figure and of its panels."""
    legends = [*figure.legends, *(axes.get_legend() for axes in figure.axes)]
    return [text.get_text() for legend in legends if legend for text in legend.get_texts()]


def crosses(axes) -> list[tuple[float, float]]:
    """Where runs that diverged are marked."""
    lines = [line for line in axes.lines if line.get_gid() == plotting.DIVERGED]
    return [tuple(map(float, point)) for line in lines for point in line.get_xydata()]


@pytest.fixture(scope="module", params=OF_RUNS, ids=lambda figure: figure.SHIPPED[0])
def shipped(request):
    """A figure's module, and the data that it is of."""
    figure = request.param
    return figure, list(command.load_parts(command.DATA / figure.SHIPPED[0], figure).values())


def test_a_diverged_run_is_marked_and_what_it_went_on_to_say_is_not_drawn(shipped):
    """In every figure: a mean that it were part of would differ with its numbers."""
    figure, datasets = shipped
    one, other = (figure.draw(*(d and broken(d, seed) for d in datasets)) for seed in (0, 1))
    assert named(one).count(plotting.DIVERGED) == 1
    assert any(crosses(axes) for axes in one.axes)
    assert picture(one) == picture(other)


@pytest.mark.slow
def test_nor_is_it_in_any_other_figure(shipped):
    figure, datasets = shipped
    spoilt = [[broken(d, seed) for d in datasets] for seed in (0, 1)]
    for draw in list(plotting.drawings(figure).values())[1:]:
        one, other = (draw(*each) for each in spoilt)
        assert picture(one) == picture(other)


@pytest.mark.slow
def test_nor_is_it_in_words(shipped):
    figure, datasets = shipped
    one, other = (figure.summary(*(d and broken(d, seed) for d in datasets)) for seed in (0, 1))
    assert one == other


NAN = float("nan")


def test_a_line_ends_where_its_run_diverged():
    """Also where nothing was known before, or nothing is known anyway."""
    axes = plotting.new_figure(3, 3).subplots()
    y = np.array([[1.0, 1, 1, NAN], [2, NAN, 2, NAN], [3, 9, 3, 9], [4, 9, NAN, 9]])
    lost = np.zeros((4, 4), bool)
    lost[2:, 1] = lost[2:, 3] = True
    plotting.plot_until(axes, [10, 20, 30, 40], y, lost)
    expected = np.where(lost, NAN, y)
    np.testing.assert_array_equal(np.array([x.get_ydata() for x in axes.lines[:4]]).T, expected)
    assert crosses(axes) == [(30, 1), (30, 0.03)]  # of the axes' height
    plotting.plot_until(axes, [10, 20, 30, 40], y[:, 0], lost.any(1))
    assert crosses(axes)[2:] == [(30, 2)]
    assert named(axes.figure) == [plotting.DIVERGED]


def test_where_none_diverged_nothing_is_marked_or_named():
    axes = plotting.new_figure(3, 3).subplots()
    plotting.plot_until(axes, [1, 2], np.ones((2, 3)), False)
    estimate = np.ones((3, 2))
    plotting.plot_band(axes, [1, 2], estimate, np.zeros(2, bool), alpha=0.1, color="k")
    plotting.mark_lost(axes, np.arange(3), np.zeros(3, bool))
    assert len(axes.lines) == 4 and named(axes.figure) == [] == crosses(axes)


def test_a_band_ends_with_its_line():
    axes = plotting.new_figure(3, 3).subplots()
    estimate = np.array([[1.0, 2, 9], [0, 1, 9], [2, 3, 9]])
    plotting.plot_band(axes, [1, 2, 3], estimate, [False, False, True], alpha=0.1, color="k")
    (band,) = axes.collections
    assert band.get_datalim(axes.transData).max.tolist() == [2, 3]
    assert crosses(axes) == [(3, 2)]


def test_nothing_is_known_of_a_run_from_the_round_on_in_which_it_diverged():
    numbers = np.arange(24.0).reshape(2, 4, 3)
    dims = ("seed", "round", "difficulty")
    diverged = ("seed", "round"), [[0, 0, 1, 1], [0, 0, 0, 0]]
    data = xr.Dataset({"accuracy": (dims, numbers), "diverged": diverged, "size": ("seed", [1, 2])})
    found = phase.until_diverged(data)
    expected = numbers.copy()
    expected[0, 2:] = NAN
    np.testing.assert_array_equal(found.accuracy, expected)
    assert found.drop_vars("accuracy").identical(data.drop_vars("accuracy"))
    whole = data.isel(seed=[1])
    assert phase.until_diverged(whole).identical(whole)
