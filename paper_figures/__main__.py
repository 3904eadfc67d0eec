"""Redraws figures from the shipped results, all of them or those that are named.

python -m paper_figures            # all
python -m paper_figures gap steps  # two
"""

from __future__ import annotations

import argparse
import difflib

from avax.cli import terminal
from paper_figures import command


def main() -> None:
    terminal.print_anything()
    figures = {name: figure for figure in command.figures().values() for name in figure.SHIPPED}
    parser = terminal.Parser(
        prog="python -m paper_figures",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(figures)}")
    names = parser.parse_args().names
    for name in names:
        if name not in figures:
            near = difflib.get_close_matches(name, figures, 1, 0.5)
            hint = f"did you mean {near[0]}?" if near else "see --help"
            parser.error(f"{name}: there is no such figure; {hint}")
    for name in names or figures:
        command.redraw_or_fail(figures[name].draw, figures[name].PARTS, command.DATA / name)


if __name__ == "__main__":
    main()
