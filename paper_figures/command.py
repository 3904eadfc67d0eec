"""The command line of every figure script."""

from __future__ import annotations

import argparse
import json
import pathlib
import sys
from collections.abc import Callable, Sequence
from typing import Any

from matplotlib.figure import Figure

from avax import plotting, results

DATA = pathlib.Path(__file__).parent / "data"


def main(doc: str, draw: Callable[..., Figure], parts: Sequence[str]) -> None:
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
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


def redraw(
    draw: Callable[..., Figure],
    parts: Sequence[str],
    folder: pathlib.Path,
    stem: pathlib.Path | None = None,
) -> None:
    """Draws what lies in a folder, by default into it, and prints the paths.

    Args:
      parts: folders of results below `folder`, or JSON files.
    """
    figure = draw(*(_load(folder / part) for part in parts))
    for path in plotting.save(figure, stem or folder / "figure"):
        print(path)


def _load(path: pathlib.Path) -> Any:
    if path.suffix != ".json":
        return results.load(path)
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise results.ResultsError(f"{path}: can't be read: {error}") from error
