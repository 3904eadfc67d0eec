"""The command line of every figure script."""

from __future__ import annotations

import argparse
import pathlib
import sys
from collections.abc import Callable, Sequence

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
        figure = draw(*(results.load(args.results / part) for part in parts))
        stem = args.out or args.results / "figure"
        for path in plotting.save(figure, stem):
            print(path)
    except (results.ResultsError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
