"""Sizes, type and files: figures are made for the page of a paper. Matplotlib and Pillow only."""

from __future__ import annotations

import functools
import io
import pathlib
import string
import textwrap
from collections.abc import Callable, Iterable, Sequence
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # else where it is used: it would take a fifth of the time to start
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STYLE = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.labelsize": "medium",
    "xtick.labelsize": "medium",
    "ytick.labelsize": "medium",
    "lines.linewidth": 1.5,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "figure.dpi": 100,
    "savefig.dpi": 200,
    "svg.hashsalt": "avax",
    "pdf.fonttype": 42,
}
# Of figures at the size at which they are printed.
PAPER = STYLE | {
    "font.size": 7.5,
    "axes.titlesize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "lines.linewidth": 1.2,
    "axes.linewidth": 0.6,
}
WIDTHS = (5.5, 6.75)  # inches: of the text of one column, of two columns
LEAST_TYPE = 7  # points
MOST_PANELS = 4
MOST_LINES = 8  # in a panel
MOST_PIXELS = 1500  # of a PNG's width
MOST_DPI = 250


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, inches, laid out so that nothing overlaps; no display is needed."""
    return _figure(width, height, STYLE)


def paper_figure(height: float, is_wide: bool = True) -> Figure:
    """An empty figure as wide as the text of a paper, inches, with type of the size of a paper's.

    Args:
      is_wide: whether it is as wide as two columns rather than one.
    """
    return _figure(WIDTHS[is_wide], height, PAPER)


def _figure(width: float, height: float, style: dict) -> Figure:
    from matplotlib import rcParams

    rcParams.update(style)
    return _figure_class()(figsize=(width, height), layout="constrained")


def letter(panels: Iterable[Axes]) -> None:
    """Names panels a, b, c in the order given, before their titles, which move to the left."""
    for name, axes in zip(string.ascii_lowercase, panels, strict=False):
        title = axes.get_title()
        axes.set_title("")
        axes.set_title(f"$\\mathbf{{{name}}}$  {title}", loc="left")


def letters(figure: Figure) -> list[str]:
    """The letters of a figure's panels, in their order."""
    titles = (axes.get_title(loc="left") for axes in figure.axes)
    return [title[9] for title in titles if title.startswith("$\\mathbf{")]


@functools.cache
def _figure_class() -> type[Figure]:
    """Of figures that a notebook shows: of one made without pyplot it would print the name."""
    from matplotlib import figure

    class Figure(figure.Figure):
        def _repr_png_(self) -> bytes:
            file = io.BytesIO()
            self.savefig(file, format="png", dpi=self.dpi)
            return file.getvalue()

    return Figure


def colour_map(name: str):
    """Matplotlib's colour map of that name: numbers from 0 to 1 in, RGBA out."""
    from matplotlib import colormaps

    return colormaps[name]


def drawings(script: ModuleType) -> dict[str, Callable]:
    """What a figure script draws, by name: its FIGURES or, by "", what `draw` draws."""
    return dict(getattr(script, "FIGURES", {"": script.draw}))


def stem_of(name: str, stem: str = "figure") -> str:
    """What the files of one of `drawings` are called, without extension."""
    return f"{stem}_{name}" if name else stem


def save(figure: Figure, stem: pathlib.Path) -> list[pathlib.Path]:
    """Writes `stem`.png and `stem`.pdf, the same bytes for the same figure; returns the paths."""
    _fix_layout(figure)
    dpi = min(MOST_DPI, MOST_PIXELS / figure.get_figwidth())
    stem.parent.mkdir(parents=True, exist_ok=True)
    paths = []
    for kind, drawn in (("png", _png(figure, dpi)), ("pdf", _pdf(figure, dpi))):
        path = stem.with_name(f"{stem.name}.{kind}")
        path.unlink(missing_ok=True)  # a link would lead elsewhere
        with path.open("xb") as file:
            file.write(drawn)
        paths.append(path)
    return paths


def _png(figure: Figure, dpi: float) -> bytes:
    """Without transparency, which figures don't have, and in 256 colours where there is no colour
    map: a third to ship.
    """
    from PIL import Image

    drawn, file = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=dpi)
    image = Image.open(drawn).convert("RGB")
    if not any(axes.images or has_colour_map(axes) for axes in figure.axes):
        image = image.quantize(256, dither=Image.Dither.NONE)
    image.save(file, "png", optimize=True)
    return file.getvalue()


def has_colour_map(axes: Axes) -> bool:
    """Whether anything is coloured by its values."""
    return any(each.get_array() is not None for each in axes.collections)


def _pdf(figure: Figure, dpi: float) -> bytes:
    file = io.BytesIO()
    without = dict.fromkeys(["CreationDate", "Producer", "Creator"])
    figure.savefig(file, format="pdf", dpi=dpi, metadata=without)
    return file.getvalue()


def _fix_layout(figure: Figure) -> None:
    """Lays a figure out for good, rounded: the last bits of Matplotlib's solver differ by call."""
    if figure.axes and (engine := figure.get_layout_engine()) is not None:
        engine.execute(figure)
        figure.set_layout_engine("none")
        for axes in figure.axes:
            axes.set_position(np.round(axes.get_position(original=True).bounds, 6))


def with_doubts(figure: Figure, lines: Sequence[str]) -> Figure:
    """The figure with reasons to doubt it above its panels; the same if there are none."""
    if lines:
        text = "\n".join(textwrap.fill(line, int(14 * figure.get_figwidth())) for line in lines)
        figure.suptitle(text, fontsize=8, color="tab:red", x=0.01, ha="left")
    return figure


def whole_ticks(axes: Axes) -> None:
    """Ticks of the x axis at whole numbers."""
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
