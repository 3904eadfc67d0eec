"""Labelled results on disk: an xarray Dataset in a zarr store with checksums. Imports no JAX."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from zarr.buffer import default_buffer_prototype
from zarr.codecs import Crc32cCodec, ZstdCodec
from zarr.storage import MemoryStore

from avax import store_check, untrusted
from avax.untrusted import ResultsError, is_label

STORE = "metrics.zarr"
CONFIG = "config.json"
PROVENANCE = "provenance.json"
PROGRESS = "progress.json"


def load(folder: str | os.PathLike, most: int = 0) -> xr.Dataset:
    """The results in a folder, in memory; `attrs` holds the configuration and the provenance.

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
    if not store.is_dir():
        raise ResultsError(f"{folder}: holds no results (there is no {STORE})")
    facts = read_facts(folder)
    provenance = facts["provenance"]
    try:
        dataset = _read_store(store, provenance.get(_NAMES), most)
        matches = provenance.get(_ARRAYS_SUM, provenance.get(_OLD_SUM)) == fingerprint(dataset)
    except ResultsError:
        raise
    except Exception as error:  # zarr raises many kinds for a damaged store
        raise ResultsError(f"{store}: can't be read: {one_line(error)}") from error
    if not matches:
        raise ResultsError(f"{store}: is damaged: its arrays are not those that were written")
    if strange := _strange_texts(dataset):
        raise ResultsError(f"{store}: can't be read: {strange[0]!r} is no name")
    return dataset.assign_attrs(facts)


def _read_store(store: pathlib.Path, names: Sequence[str] | None, most: int) -> xr.Dataset:
    files = store_check.read_store(store, names, most)
    to_buffer = default_buffer_prototype().buffer.from_bytes
    held = MemoryStore({path: to_buffer(content) for path, content in files.items()})
    return xr.open_zarr(held, consolidated=False, zarr_format=3).load()


def is_whole(folder: pathlib.Path, most: int = 0) -> bool:
    """Whether a folder holds results that can be loaded, with every checksum there is."""
    try:
        found = load(folder, most)
        return bool(found.sizes) and is_sealed(found.attrs)
    except ResultsError:
        return False


def read_facts(folder: pathlib.Path) -> dict[str, dict[str, Any]]:
    """`config` and `provenance` of finished results, as they were written.

    Those of results that are older than the checksums of both are what the files say.

    Raises:
      ResultsError: naming the file, if one is missing, can't be read, or is damaged.
    """
    provenance, config = read_provenance(folder), _read_fact(folder / CONFIG)
    if _OLD_SUM not in provenance and provenance.get(_CONFIG_SUM) != _sum(config):
        raise ResultsError(f"{folder / CONFIG}: {_DAMAGED}")
    return {"config": config, "provenance": provenance}


def read_provenance(folder: pathlib.Path) -> dict[str, Any]:
    """The `provenance` alone, on the same terms."""
    found = _read_fact(folder / PROVENANCE)
    if _OLD_SUM not in found and found.get(_OWN_SUM) != _own_sum(found):
        raise ResultsError(f"{folder / PROVENANCE}: {_DAMAGED}")
    return found


def is_sealed(facts: Mapping[str, Any]) -> bool:
    """Whether what `read_facts` returned had checksums."""
    return _OWN_SUM in facts["provenance"]


def _read_fact(path: pathlib.Path) -> dict[str, Any]:
    try:
        return untrusted.read_dict(path)
    except OSError as error:
        raise ResultsError(f"{path}: can't be read: {error.strerror}; {_REPAIR}") from error


def finish(
    folder: pathlib.Path,
    config: Mapping[str, Any],
    dataset: xr.Dataset,
    provenance: Mapping[str, Any],
) -> None:
    """Writes the configuration and what is known about how the results came about, with checksums
    of both and of the arrays.

    Raises:
      ResultsError: if they can't be written.
    """
    sums = {_NAMES, _ARRAYS_SUM, _CONFIG_SUM, _OWN_SUM, _OLD_SUM}
    content = {name: x for name, x in provenance.items() if name not in sums}
    content[_NAMES] = sorted(map(str, dataset.variables))
    content[_ARRAYS_SUM], content[_CONFIG_SUM] = fingerprint(dataset), _sum(config)
    content[_OWN_SUM] = _own_sum(content)
    try:
        (folder / PROVENANCE).unlink(missing_ok=True)  # at no moment that of another configuration
        write_json(folder / CONFIG, config)
        write_json(folder / PROVENANCE, content)
    except OSError as error:
        raise ResultsError(f"{folder}: can't be written to: {error.strerror}") from error


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


def _sum(content: Any) -> str:
    """64 hexadecimal digits that name what a JSON file holds."""
    content = json.loads(json.dumps(content))  # with lists for tuples, and texts for keys
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _own_sum(provenance: Mapping[str, Any]) -> str:
    return _sum({name: x for name, x in provenance.items() if name != _OWN_SUM})


_REPAIR = "the same command repairs it"
_DAMAGED = f"is damaged: it is not what was written; {_REPAIR}"
# Of the provenance: the names of all arrays and coordinates, and checksums of these, of the
# configuration, and of the provenance without the last.
_NAMES, _ARRAYS_SUM, _CONFIG_SUM, _OWN_SUM = "arrays", "arrays_sha256", "config_sha256", "sha256"
# Of results that are older than the others: no damage to one of these names makes it this one.
_OLD_SUM = "data_sha256"


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
    compressors = [ZstdCodec(), Crc32cCodec()]
    arrays = {name: {"chunks": c, "compressors": compressors} for name, c in chunks.items()}
    coords = {name: {"compressors": compressors} for name in dataset.coords}
    dataset.drop_attrs(deep=False).to_zarr(
        path, mode="w", zarr_format=3, consolidated=False, encoding=arrays | coords
    )


def _strange_texts(dataset: xr.Dataset) -> list[str]:
    found = [str(name) for name in dataset.variables if not untrusted.is_name(name)]
    texts = (x.values for x in dataset.coords.values() if x.dtype.kind in "OTU")
    return found + [str(text) for values in texts for text in values if not is_label(text)]


def write_json(path: pathlib.Path, content: Any) -> None:
    """Writes JSON; the file appears complete or not at all, and never where a link leads."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    with part.open("x") as file:
        file.write(json.dumps(content, indent=1) + "\n")
    part.replace(path)


def one_line(error: BaseException) -> str:
    """The first line of an error's message, its name if it has none."""
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
