"""The command line of every figure script."""

from __future__ import annotations

import argparse
import pathlib
import sys
from collections.abc import Callable, Sequence
from typing import Any

from avax import plotting, results, untrusted

DATA = pathlib.Path(__file__).parent / "data"


def main(doc: str, draw: Callable[..., plotting.Figure], parts: Sequence[str]) -> None:
    """Loads results, draws them and says what was written; ends in one line if there are none.

    Args:
      draw: takes one dataset for each of `parts`, the folders below the results folder.
    """
    name = pathlib.Path(sys.argv[0]).stem.removeprefix("fig_")
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "results",
        nargs="?",
        type=pathlib.Path,
        default=DATA / name,
        help="folder of an experiment's results; the shipped ones by default",
    )
    parser.add_argument("--out", type=pathlib.Path, help="path of the figure without extension")
    args = parser.parse_args()
    try:
        redraw(draw, parts, args.results, args.out)
    except (results.ResultsError, OSError) as error:
        print(f"error: {untrusted.printable(str(error))}", file=sys.stderr)
        sys.exit(2)


def redraw(
    draw: Callable[..., plotting.Figure],
    parts: Sequence[str],
    folder: pathlib.Path,
    stem: pathlib.Path | None = None,
) -> None:
    """Draws what lies in a folder, by default into it, and prints the paths.

    Args:
      parts: folders of results below `folder`, or JSON files.

    Raises:
      ResultsError: if they can't be read, or are not those that the figure is of.
      OSError: if the figure can't be written.
    """
    untrusted.check_no_links(folder, filter(None, parts))
    found = [_load(folder / part) for part in parts]
    try:
        figure = draw(*found)
        paths = plotting.save(figure, stem or folder / "figure")
    except OSError:
        raise
    except Exception as error:  # results of something else lack any of many things
        why = f"{type(error).__name__}: {results.one_line(error)}"
        raise results.ResultsError(f"{folder}: can't be drawn: {why}") from error
    for path in paths:
        print(path)


def _load(path: pathlib.Path) -> Any:
    if path.suffix != ".json":
        return results.load(path)
    return untrusted.read_json(path)
