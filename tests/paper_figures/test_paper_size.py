"""Figures at the size at which they are printed: type, panels, lines, and nothing overlaps."""

from __future__ import annotations

import itertools
import string

import numpy as np
import pytest
from matplotlib.text import Text

from avax import plotting
from avax.plotting import lines, palette
from paper_figures import command


@pytest.fixture(scope="module", params=sorted(command.figures()))
def drawn(request):
    """All figures of a script, laid out."""
    script = command.figures()[request.param]
    datasets = command.load_parts(command.DATA / script.SHIPPED[0], script).values()
    figures = [draw(*datasets) for draw in plotting.drawings(script).values()]
    for figure in figures:
        figure.draw_without_rendering()
    return figures


def panels(figure) -> list:
    return [axes for axes in figure.axes if axes.get_label() != "<colorbar>"]


def texts(figure) -> list[tuple]:
    """All words that are seen, with the panel that they are of; ticks out of view are not."""
    found = []
    for axes in figure.axes:
        hidden = set()
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
            out = [x for x in ticks if not low - 1e-9 <= x.get_loc() <= high + 1e-9]
            hidden |= {id(label) for tick in out for label in (tick.label1, tick.label2)}
        each = axes.findobj(lambda x: isinstance(x, Text) and x.get_visible())
        found += [(axes, x) for x in each if x.get_text().strip() and id(x) not in hidden]
    return found


def test_each_is_as_wide_as_the_text_of_a_paper(drawn):
    assert all(figure.get_figwidth() in plotting.WIDTHS for figure in drawn)
    assert all(figure.get_figheight() <= 8 for figure in drawn)


def test_type_can_be_read(drawn):
    for figure in drawn:
        small = {x.get_text() for _, x in texts(figure) if x.get_fontsize() < plotting.LEAST_TYPE}
        assert small == set()


def test_panels_are_few_and_lettered(drawn):
    for figure in drawn:
        number = len(panels(figure))
        assert number <= plotting.MOST_PANELS
        expected = list(string.ascii_lowercase[:number]) if number > 1 else []
        assert plotting.letters(figure) == expected


def test_no_panel_has_more_lines_than_can_be_told_apart(drawn):
    for axes in itertools.chain.from_iterable(map(panels, drawn)):
        curves = [x for x in axes.lines if len(x.get_xdata()) > 2 and x.get_linestyle() != "None"]
        assert len(curves) <= plotting.MOST_LINES, axes.get_title(loc="left")


def test_nothing_overlaps_and_nothing_is_cut_off(drawn):
    """Words of different panels, and all of them within the page."""
    for figure in drawn:
        edge = figure.bbox.padded(1)
        each = texts(figure)
        for _, x in each:
            at = x.get_window_extent()
            assert edge.containsx(at.x0) and edge.containsx(at.x1), x.get_text()
            assert edge.containsy(at.y0) and edge.containsy(at.y1), x.get_text()
        boxes = [(axes, x.get_text(), x.get_window_extent().padded(-1.5)) for axes, x in each]
        for (a, one, first), (b, other, second) in itertools.combinations(boxes, 2):
            assert a is b or not first.overlaps(second), (one, other)


def test_every_script_states_its_claims():
    assert all(hasattr(script, "CLAIMS") for script in command.figures().values())


def test_a_colour_has_one_meaning():
    roles = {style["color"] for style in palette.ROLES.values()}
    assert not roles & set(palette.ARMS) and len(set(palette.ARMS)) == len(palette.ARMS)
    looks = [(x["color"], str(x["linestyle"])) for x in palette.ROLES.values()]
    assert len(set(looks)) == len(looks)
    with pytest.raises(ValueError, match="9 arms, of at most 8"):
        palette.arms("abcdefghi")


def test_names_at_the_ends_of_lines_stand_apart():
    assert lines.spread([0, 1, 30], 8) == [-3.5, 4.5, 30]
    assert lines.spread([0, 9, 9], 8) == pytest.approx([-2, 6, 14])
    rng = np.random.default_rng(0)
    places = np.sort(rng.uniform(0, 50, 7))
    assert (np.diff(lines.spread(places, 8)) > 8 - 1e-9).all()
    assert np.mean(lines.spread(places, 8)) == pytest.approx(places.mean())
    axes = plotting.paper_figure(2).subplots()
    ends = [(1, 0.5, "one", "k"), (1, 0.51, "other", "k"), (1, np.nan, "none", "k")]
    plotting.label_ends(axes, ends)
    axes.figure.draw_without_rendering()
    one, other = (x.get_window_extent() for x in axes.texts)
    assert not one.overlaps(other) and len(axes.texts) == 2


def test_letters_stand_before_titles():
    figure = plotting.paper_figure(2)
    for axes, title in zip(figure.subplots(1, 2), ("One", "Two"), strict=True):
        axes.set_title(title)
    plotting.letter(figure.axes)
    assert plotting.letters(figure) == ["a", "b"]
    assert [axes.get_title() for axes in figure.axes] == ["", ""]
    assert figure.axes[1].get_title(loc="left").endswith("  Two")
