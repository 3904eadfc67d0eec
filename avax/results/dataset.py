"""Labelled results on disk: an xarray Dataset in a zarr store with checksums. Imports no JAX."""

from __future__ import annotations

import functools
import hashlib
import math
import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from zarr.buffer import default_buffer_prototype
from zarr.codecs import Crc32cCodec, ZstdCodec
from zarr.storage import MemoryStore

from avax.results import archive, progress_file, provenance, store_check, untrusted
from avax.results.progress_file import PROGRESS
from avax.results.provenance import CONFIG, PROVENANCE
from avax.results.untrusted import ResultsError, is_label

STORE = "metrics.zarr"
OF_BASES = ("worst_base_accuracy", "admitted")  # coordinates along `seed`; see `analysis.pool`


def load(folder: str | os.PathLike, most: int = 0) -> xr.Dataset:
    """The results in a folder, in memory; `attrs` holds the configuration and the provenance.

    The folder may also be, or lie below, one that holds a reduced table of an experiment: see
    `archive`.

    The folder may come from anybody: it is looked through first, and nothing in it is run. What is
    in the store beside the arrays that were written is passed over.

    Args:
      most: bytes that the arrays may take, beyond what is usual for the size of their files.

    Raises:
      ResultsError: naming the path, if there are none, a checksum does not match, or something is
        not as avax writes it.
    """
    folder = pathlib.Path(folder)
    store = folder / STORE
    try:
        reduced = archive.locate(folder)
        why = "" if reduced else _why_none(folder)
    except OSError as error:  # a name that is too long, a folder that may not be looked into
        why = f"can't be read: {error.strerror}"
    if why:
        raise ResultsError(f"{folder}: {why}")
    if reduced:
        store, (files, facts) = reduced[0], archive.read(*reduced, most)
        read = functools.partial(_opened, files)
    else:
        facts = provenance.read_both(folder)
        read = functools.partial(_read_store, store, provenance.arrays_of(facts)[0], most)
    arrays_sum = provenance.arrays_of(facts)[1]
    try:
        dataset = read()
        matches = arrays_sum == fingerprint(dataset)
    except ResultsError:
        raise
    except Exception as error:  # zarr raises many kinds for a damaged store
        raise ResultsError(f"{store}: can't be read: {one_line(error)}") from error
    if not matches:
        raise ResultsError(f"{store}: is damaged: its arrays are not those that were written")
    if strange := _strange_texts(dataset):
        raise ResultsError(f"{store}: can't be read: {strange[0]!r} is no name")
    return dataset.assign_attrs(facts)


def _why_none(folder: pathlib.Path) -> str:
    """Why a folder holds no results that are finished; nothing if it does."""
    if not folder.is_dir():
        return "is a file, no folder of results" if folder.exists() else "there is no such folder"
    is_begun = any((folder / name).exists() for name in (CONFIG, PROGRESS))
    if is_begun and not (folder / PROVENANCE).exists():
        return f"is not finished: {_runs_done(folder)} done; the same command goes on"
    return "" if (folder / STORE).is_dir() else f"holds no results (there is no {STORE})"


def _runs_done(folder: pathlib.Path) -> str:
    """`3 of 12 runs are`, as far as the files of a folder tell."""
    done = len((progress_file.read(folder) or {"runs": ()})["runs"])
    try:
        config = untrusted.read_dict(folder / CONFIG)
        each = config["num_runs" if config.get("design") == "balanced" else "num_seeds"]
        total = each * math.prod(map(len, config["axes"].values()))
        may_be_fewer = config["trace"] or config.get("base_criterion")
        return f"{done} of {'at most ' if may_be_fewer else ''}{total:,} runs are"
    except (OSError, ResultsError, KeyError, TypeError, AttributeError, ValueError):
        return f"{done} runs are"


def _read_store(store: pathlib.Path, names: Sequence[str] | None, most: int) -> xr.Dataset:
    return _opened(store_check.read_store(store, names, most))


def _opened(files: Mapping[str, bytes]) -> xr.Dataset:
    """The arrays of a store whose files were looked through."""
    to_buffer = default_buffer_prototype().buffer.from_bytes
    held = MemoryStore({path: to_buffer(content) for path, content in files.items()})
    dataset = xr.open_zarr(held, consolidated=False, zarr_format=3).load()
    dataset = dataset.set_coords([name for name in OF_BASES if name in dataset])
    # As they come, variables have another order each time.
    values, coords = ({n: x[n].variable for n in sorted(x)} for x in (dataset, dataset.coords))
    return xr.Dataset(values, coords, dataset.attrs)


def is_whole(folder: pathlib.Path, most: int = 0) -> bool:
    """Whether a folder holds results that can be loaded, with every checksum there is."""
    try:
        found = load(folder, most)
        return bool(found.sizes) and provenance.is_sealed(found.attrs)
    except ResultsError:
        return False


def finish(
    folder: pathlib.Path,
    config: Mapping[str, Any],
    dataset: xr.Dataset,
    about: Mapping[str, Any],
) -> None:
    """Writes the configuration and what is known about how the results came about, with checksums
    of both and of the arrays; ResultsError if that can't be done.
    """
    names = sorted(map(str, dataset.variables))
    provenance.write(folder, config, about, names, fingerprint(dataset))


def fingerprint(dataset: xr.Dataset) -> str:
    """64 hexadecimal digits that name all arrays and coordinates: the store's own checksums don't
    cover its metadata, and a chunk that is missing reads as NaN.
    """
    found = hashlib.sha256()
    for name in sorted(map(str, dataset.variables)):
        array = np.ascontiguousarray(dataset[name].values)
        if array.dtype.kind == "f":
            array = np.where(np.isnan(array), array.dtype.type("nan"), array)  # of one bit pattern
        if array.dtype.kind in "OT":
            array = np.array(array.tolist())  # the text, not where it lies
        found.update(f"{name} {dataset[name].dims} {array.dtype.str} {array.shape}".encode())
        found.update(array.tobytes())
    return found.hexdigest()


def save(dataset: xr.Dataset, folder: str | os.PathLike) -> None:
    """Writes a dataset that `load` returned, each array in one file: small, to be shipped."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    chunks = {name: a.shape for name, a in dataset.data_vars.items()}
    write_store(dataset, folder / STORE, chunks)
    finish(folder, dataset.attrs["config"], dataset, dataset.attrs["provenance"])


def template(
    coords: Mapping[str, Sequence], shapes: Mapping[str, tuple[str, ...]], about: Mapping[str, str]
) -> xr.Dataset:
    """A dataset full of NaN, to be filled run by run.

    Args:
      coords: values of every dimension.
      shapes: names of the dimensions of each array.
      about: a line on each array, kept as its attribute `description`.
    """
    sizes = {name: len(values) for name, values in coords.items()}
    arrays = {
        name: (dims, np.full([sizes[d] for d in dims], np.nan, np.float32), _describe(name, about))
        for name, dims in shapes.items()
    }
    return xr.Dataset(arrays, {name: _coordinate(values) for name, values in coords.items()})


def _coordinate(values: Sequence) -> np.ndarray:
    """Names as objects: zarr v3 has no specification of text of a fixed length."""
    return np.asarray(values, object if isinstance(values[0], str) else None)


def _describe(name: str, about: Mapping[str, str]) -> dict[str, str]:
    return {"description": about[name]} if name in about else {}


def write_store(dataset: xr.Dataset, path: pathlib.Path, chunks: Mapping[str, tuple]) -> None:
    """Writes arrays and coordinates with checksums; what was there is removed first.

    Raises:
      ResultsError: for a name that can't be that of a folder, or stand in a figure.
    """
    if strange := _strange_texts(dataset):
        raise ResultsError(f"{path}: can't be written: {strange[0]!r} is no name")
    plain = dataset.reset_coords()  # else each array lists those without an axis of their own
    encoding = encoded(dataset, chunks, [ZstdCodec(), Crc32cCodec()])
    plain.drop_attrs(deep=False).to_zarr(
        path, mode="w", zarr_format=3, consolidated=False, encoding=encoding
    )


def encoded(
    dataset: xr.Dataset, chunks: Mapping[str, tuple], compressors: Sequence
) -> dict[str, dict]:
    """How arrays and coordinates are to be written."""
    arrays = {name: {"chunks": c, "compressors": compressors} for name, c in chunks.items()}
    return arrays | {str(name): {"compressors": compressors} for name in dataset.coords}


def _strange_texts(dataset: xr.Dataset) -> list[str]:
    found = [str(name) for name in dataset.variables if not untrusted.is_name(name)]
    texts = (x.values for x in dataset.coords.values() if x.dtype.kind in "OTU")
    return found + [str(text) for values in texts for text in values if not is_label(text)]


def one_line(error: BaseException) -> str:
    """The first line of an error's message, its name if it has none; of the system's, what it says
    without its number.
    """
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
