"""`avax show FOLDER`: what a folder of results holds."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator, Sequence

from avax import results
from avax.analysis import pool
from avax.cli import terminal
from avax.results import roots

ABOUT = "say what a folder of results holds"
SHOWN = ("accuracy", "verifier_fpr", "verifier_fnr", "label_precision")


def main(argv: Sequence[str]) -> None:
    """Does what the arguments ask for."""
    parser = terminal.Parser(prog="avax show", description=f"{ABOUT}.")
    parser.add_argument("folder", type=terminal.path, help="what --out named")
    args = parser.parse_args(argv)
    try:
        for line in described(args.folder):
            print(line)
    except results.ResultsError as error:
        terminal.fail(str(error))


def described(folder: pathlib.Path) -> Iterator[str]:
    """Lines on the experiment and on each of its parts.

    Raises:
      ResultsError: if the folder holds no results.
    """
    root = roots.read(folder)
    if root:
        choices = ", ".join(f"{name} {value}" for name, value in root["choices"].items())
        yield f"{root['experiment']} ({choices})" if choices else root["experiment"]
    for part in root["parts"] if root else roots.places(folder) or [""]:
        try:
            yield from _described_part(folder / part)
        except results.ResultsError as error:
            if not root:
                raise
            yield str(error)


def _described_part(folder: pathlib.Path) -> Iterator[str]:
    dataset = results.load(folder)
    about = dataset.attrs["provenance"]
    sizes = ", ".join(f"{size} {name}" for name, size in dataset.sizes.items())
    yield f"{folder}: {sizes}"
    seconds = about["seconds"]["running"]
    yield f"  {about['device']}, jax {about['versions']['jax']}, {seconds:.0f} s of running"
    yield from (f"  {line}" for line in pool.left_out(dataset))
    for name in SHOWN:
        first, last = (_number(dataset[name].isel(round=i).mean().item()) for i in (1, -1))
        yield f"  {name}: {first} in round 1, {last} in the last (mean of all runs)"


def _number(value: float) -> str:
    return "unknown" if value != value else f"{value:.3g}"
