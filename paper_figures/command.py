"""The command line of every figure script."""

from __future__ import annotations

import argparse
import importlib
import pathlib
import sys
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

from avax import plotting, results
from avax.cli import terminal
from avax.results import folders, roots, untrusted

DATA = pathlib.Path(__file__).parent / "data"


Draw = Callable[..., Any]  # datasets in the order of the parts; a figure


def main(doc: str, draw: Draw | Mapping[str, Draw], parts: Sequence[str]) -> None:
    """Loads results, draws them and says what was written; ends in one line if there are none.

    Args:
      draw: takes one dataset for each of `parts`, the folders below the results folder; several
        by name if there are several figures.
    """
    terminal.print_anything()
    name = pathlib.Path(sys.argv[0]).stem.removeprefix("fig_")
    parser = terminal.Parser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "results",
        nargs="?",
        type=terminal.path,
        default=DATA / name,
        help="folder of an experiment's results; the shipped ones by default",
    )
    parser.add_argument("--out", type=terminal.path, help="path of the figure without extension")
    args = parser.parse_args()
    if args.out is not None and not args.out.name:
        parser.error(f"--out: {args.out}: must end in the name of the figure")
    redraw_or_fail(draw, parts, args.results, args.out)


def redraw_or_fail(*args: Any) -> None:
    """`redraw`; if it can't be done, ends the program in one line and with status 2."""
    try:
        redraw(*args)
    except results.ResultsError as error:
        terminal.fail(str(error))
    except OSError as error:
        why = f"{error.filename}: can't be written: {error.strerror}"
        terminal.fail(f"{why}; --out draws the figure elsewhere")


def redraw(
    draw: Draw | Mapping[str, Draw],
    parts: Sequence[str],
    folder: pathlib.Path,
    stem: pathlib.Path | None = None,
) -> None:
    """Draws what lies in a folder, by default into it, and prints the paths.

    Args:
      parts: folders of results below `folder`, or JSON files; of a control that is not there `draw`
        takes None.

    Raises:
      ResultsError: if they can't be read, or are not those that the figure is of.
      OSError: if the figure can't be written.
    """
    check_whose(folder, parts)
    stem = stem or folder / "figure"
    folders.check_writable(stem.parent)
    found = [_load(folder, part) for part in parts]
    paths = []
    try:
        for name, each in (draw if isinstance(draw, Mapping) else {"": draw}).items():
            paths += plotting.save(each(*found), stem.with_name(plotting.stem_of(name, stem.name)))
    except OSError:
        raise
    except Exception as error:  # results of something else lack any of many things
        why = f"{type(error).__name__}: {results.one_line(error)}"
        raise results.ResultsError(f"{folder}: can't be drawn: {why}") from error
    for path in paths:
        print(path)


def load_parts(folder: pathlib.Path, figure: ModuleType) -> dict[str, Any]:
    """What a figure is of, by part; ResultsError if it can't be read."""
    return {part: _load(folder, part) for part in figure.PARTS}


def check_whose(folder: pathlib.Path, parts: Sequence[str]) -> None:
    """Raises ResultsError if a folder has none of the results that a figure is of, or those of
    another experiment.
    """
    try:
        if not folder.is_dir():
            why = (
                "is a file, no folder of results" if folder.exists() else "there is no such folder"
            )
            raise results.ResultsError(f"{folder}: {why}")
        untrusted.check_no_links(folder, {part.split("/")[0] for part in parts if part})
        own = [part for part in parts if not roots.is_control(part)]
        known = roots.read(folder)
        if known and {part for part in known["parts"] if not roots.is_control(part)} == set(own):
            return
        missing = [part for part in own if not _is_there(folder / part)]
    except OSError as error:
        raise results.ResultsError(f"{folder}: can't be read: {error.strerror}") from error
    if not (known or missing):
        return
    all_parts = {name: figure.PARTS for name, figure in figures().items()}
    owners = (
        name
        for name, each in all_parts.items()
        if all(_is_there(folder / part) for part in each if not roots.is_control(part))
    )
    owner = known["experiment"] if known else next(owners, None)
    if owner and all_parts.get(owner) != tuple(parts):
        raise results.ResultsError(f"{folder}: holds results of {owner}: fig_{owner}.py draws them")


def _is_there(path: pathlib.Path) -> bool:
    return path.is_file() if path.suffix == ".json" else results.is_there(path)


def figures() -> dict[str, ModuleType]:
    """The modules that draw, by the experiment that each is of."""
    paths = sorted(pathlib.Path(__file__).parent.glob("fig_*.py"))
    names = [path.stem.removeprefix("fig_") for path in paths]
    return {name: importlib.import_module(f"paper_figures.fig_{name}") for name in names}


def _load(folder: pathlib.Path, part: str) -> Any:
    path = folder / part
    if roots.is_control(part) and not _is_there(path):
        return None
    if path.suffix != ".json":
        return results.load(path)
    try:
        return untrusted.read_json(path)
    except OSError as error:
        raise results.ResultsError(f"{path}: can't be read: {error.strerror}") from error
