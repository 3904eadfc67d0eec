"""`avax export RESULTS --csv FILE`: all numbers as one table. Imports no JAX.

A row for each run and round; a run that was never begun, in a sweep that is traced, has none. The
columns are the axes, seed and round, then every metric; one that has more dimensions has a column
for each of their values: `accuracy_by_difficulty_1`.
"""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import pathlib
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO

import xarray as xr

from avax import results
from avax.cli import terminal
from avax.cli.commands import whole
from avax.results import ResultsError

ABOUT = "write all numbers of a folder of results as one table"


def main(argv: Sequence[str]) -> None:
    """Does what the arguments ask for."""
    parser = terminal.Parser(prog="avax export", description=f"{ABOUT}, a row a run and round.")
    parser.add_argument("folder", metavar="RESULTS", type=terminal.path, help="what --out named")
    for kind in ("csv", "parquet"):
        text = f"file to write; replaced if it is there{' (needs pyarrow)' * (kind == 'parquet')}"
        parser.add_argument(f"--{kind}", metavar="FILE", type=terminal.path, help=text)
    args = parser.parse_args(argv)
    if args.csv is None and args.parquet is None:
        parser.error("names no file: add --csv FILE or --parquet FILE")
    if args.parquet is not None and importlib.util.find_spec("pyarrow") is None:
        parser.error("--parquet needs pyarrow: pip install pyarrow")
    try:
        frame = table(whole.load(args.folder))
        if args.csv is not None:
            write(args.csv, lambda file: frame.to_csv(file, index=False, lineterminator="\n"))
        if args.parquet is not None:
            write(args.parquet, lambda file: frame.to_parquet(file, index=False))
    except ResultsError as error:
        terminal.fail(str(error))
    for path in filter(None, (args.csv, args.parquet)):
        print(f"{path}: {len(frame):,} rows, {len(frame.columns)} columns")


def table(dataset: xr.Dataset):
    """A pandas DataFrame with a row for each run and round."""
    dims = whole.run_dims(dataset)
    columns = dict(_columns(dataset, dims))
    frame = xr.Dataset(columns).to_dataframe(dim_order=list(dims))
    frame = frame[list(columns)].dropna(how="all")
    return frame.reset_index()


def _columns(dataset: xr.Dataset, dims: Sequence[str]) -> Iterator[tuple[str, xr.DataArray]]:
    """Each column's name and numbers, of no other dimensions than `dims`."""

    def place(name):  # a store has no order
        return dataset[name].ndim, name != "accuracy", name

    for name in sorted(dataset.data_vars, key=place):
        array = dataset[name]
        more = [dim for dim in array.dims if dim not in dims]
        for at in itertools.product(*(range(array.sizes[dim]) for dim in more)):
            labels = [dataset[dim].values[i] for dim, i in zip(more, at, strict=True)]
            column = array.isel(dict(zip(more, at, strict=True)), drop=True)
            yield "_".join([str(name), *map(str, labels)]), column


def write(path: pathlib.Path, put: Callable[[BinaryIO], object]) -> None:
    """Writes a file by `put`; it appears whole or not at all.

    Raises:
      ResultsError: if it can't be written.
    """
    part = None
    try:
        target = path.resolve()  # a link stays one
        if target.is_symlink():  # Python 3.13 and later leave a circle as it is
            raise ResultsError(f"{path}: can't be written: is a link that leads in a circle")
        if target.exists() and not target.is_file():
            raise ResultsError(f"{path}: can't be written: is no regular file")
        part = target.with_name(f"{target.name}.part")
        part.unlink(missing_ok=True)
        with part.open("xb") as file:
            put(file)
        part.replace(target)
    except (OSError, RuntimeError) as error:  # a link in a circle is the latter
        if part is not None:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
        why = getattr(error, "strerror", None) or results.one_line(error)
        raise ResultsError(f"{path}: can't be written: {why}") from error
