"""Redraws figures from the shipped results, all of them or those that are named, and writes the
pages on claims in docs/claims; or makes what is shipped from a folder of results.

python -m paper_figures                     # all
python -m paper_figures gap steps           # two
python -m paper_figures reduce RESULTS gap  # from results, at most 1 MB
"""

from __future__ import annotations

import argparse
import difflib
import sys
from types import ModuleType

from avax import plotting, results
from avax.cli import terminal
from paper_figures import command, pages, shrink


def main() -> None:
    terminal.print_anything()
    scripts = command.figures()
    figures = {name: figure for figure in scripts.values() for name in figure.SHIPPED}
    parser = terminal.Parser(
        prog="python -m paper_figures",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    if sys.argv[1:2] == ["reduce"]:
        parser.add_argument("reduce", choices=["reduce"])
        parser.add_argument("results", metavar="RESULTS", type=terminal.path)
        parser.add_argument("name", metavar="NAME", help="what they are shipped as")
        args = parser.parse_args()
        figure = _of(figures, args.name, parser)
        try:
            print(*shrink.shrink(args.results, figure, command.DATA / args.name), sep="\n")
        except (results.ResultsError, OSError) as error:
            terminal.fail(str(error))
        return
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(figures)}")
    names = parser.parse_args().names
    for name in names:
        _of(figures, name, parser)
    for name in names or figures:
        figure = figures[name]
        draw = plotting.drawings(figure)
        command.redraw_or_fail(draw, figure.PARTS, command.DATA / name)
    for figure in scripts.values():
        if hasattr(figure, "ACROSS") and set(figure.SHIPPED) & set(names or figures):
            draw_across(figure)
    write_pages(list(scripts.values()))


def draw_across(figure: ModuleType) -> None:
    """Draws the figures that are of all shipped folders of a script into the first of them."""
    try:
        datasets = [x for parts in pages.shipped(figure).values() for x in parts.values()]
        for name, draw in figure.ACROSS.items():
            stem = command.DATA / figure.SHIPPED[0] / plotting.stem_of(name)
            print(*plotting.save(draw(*datasets), stem), sep="\n")
    except (results.ResultsError, OSError) as error:
        terminal.fail(str(error))


def _of(figures: dict[str, ModuleType], name: str, parser: terminal.Parser) -> ModuleType:
    if name not in figures:
        near = difflib.get_close_matches(name, figures, 1, 0.5)
        hint = f"did you mean {near[0]}?" if near else "see --help"
        parser.error(f"{name}: there is no such figure; {hint}")
    return figures[name]


def write_pages(scripts: list[ModuleType]) -> None:
    """Writes all pages on claims and prints the paths of those that changed."""
    pages.FOLDER.mkdir(exist_ok=True)
    for name, text in pages.texts(scripts).items():
        path = pages.FOLDER / name
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            print(path)


if __name__ == "__main__":
    main()
