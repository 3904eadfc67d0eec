"""A zarr store that somebody else may have made, looked through before it is decoded: its arrays
are as avax writes them, and take no more memory than they say. Imports no JAX.
"""

from __future__ import annotations

import itertools
import json
import math
import os
import pathlib
import struct
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

from avax.results.untrusted import (
    ResultsError,
    is_name,
    read_dict,
    read_file,
    read_json,
    regular_files,
)

MAX_CHUNKS = 5_000  # of all arrays of a store
MAX_BYTES = 2**25  # of all arrays of a store that doesn't have MAX_RATIO-th of that on disk
MAX_RATIO = 16
MAX_TEXT = 2**14  # bytes of a coordinate of names
MAX_NAMES = 1000  # in it

ITEM_BYTES = {"float32": 4, "float64": 8, "int32": 4, "int64": 8, "bool": 1, "string": 8}
GROUP = {"zarr_format": 3, "node_type": "group", "attributes": {}}
ARRAY = {
    "zarr_format": 3,
    "node_type": "array",
    "storage_transformers": [],
    "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
}
ARRAY_OWN = {"shape", "data_type", "chunk_grid", "fill_value", "codecs", "attributes"}


class Array(NamedTuple):
    """What the metadata of an array says.

    Attributes:
      about: the metadata.
      size: bytes of the array.
      items: of a chunk.
      chunk_size: bytes of a chunk.
      grid: number of chunks along each axis.
    """

    about: dict[str, Any]
    size: int
    items: int
    chunk_size: int
    grid: tuple[int, ...]

    def chunks(self) -> Iterator[str]:
        """The paths of all chunks below the folder of the array."""
        for index in itertools.product(*map(range, self.grid)):
            yield "/".join(["c", *map(str, index)])


def read_store(
    store: pathlib.Path, names: Sequence[str] | None = None, most: int = 0
) -> dict[str, bytes]:
    """The files of a zarr store that hold its arrays, by their path below it, looked through; what
    else lies there is passed over.

    Args:
      names: of the arrays; None for all that are there.
      most: bytes that they may have together, if they are more than MAX_BYTES.

    Raises:
      ResultsError: naming the file, if one of them is not as avax writes it, or anything in the
        folder is a link, a pipe or a device.
      OSError: if a file can't be opened.
    """
    files = dict(regular_files(store))
    if read_json(store / "zarr.json") != GROUP:
        raise ResultsError(f"{store / 'zarr.json'}: can't be read: is not as avax writes it")
    if names is None:
        found = {path.parent for path in files if path.name == "zarr.json"}
        names = [x.name for x in found if x.parent == store and is_name(x.name)]
    arrays = {name: _read_array(store, name) for name in sorted(names)}
    if sum(math.prod(array.grid) for array in arrays.values()) > MAX_CHUNKS:
        raise ResultsError(f"{store}: can't be read: has more than {MAX_CHUNKS:,} chunks")
    paths = {f"{n}/{path}": n for n, array in arrays.items() for path in array.chunks()}
    paths = {path: name for path, name in paths.items() if store / path in files}
    # What is on disk bounds what may be in memory, in blocks: a file can be nearly all holes.
    on_disk = sum(512 * files[store / path].st_blocks for path in paths)
    check_size(store, arrays.values(), max(most, MAX_BYTES, MAX_RATIO * on_disk))
    metadata = {"zarr.json": GROUP, **{f"{n}/zarr.json": x.about for n, x in arrays.items()}}
    return {path: json.dumps(about).encode() for path, about in metadata.items()} | {
        path: read_chunk(store / path, arrays[name].about["data_type"], arrays[name].items)
        for path, name in paths.items()
    }


def check_size(store: os.PathLike | str, arrays: Collection[Array], most: int) -> None:
    """Raises ResultsError if arrays take more than `most` bytes in memory."""
    total, largest = sum(x.size for x in arrays), max((x.chunk_size for x in arrays), default=0)
    if total + largest > most:
        raise ResultsError(
            f"{store}: can't be read: the arrays take more than {most:,} bytes; results.load can "
            "be told that they may"
        )


def _read_array(store: pathlib.Path, name: str) -> Array:
    path = store / str(name)
    if not is_name(name):
        raise ResultsError(f"{path}: can't be read: can't be a name")
    return array_of(path, read_dict(path / "zarr.json"))


def array_of(path: os.PathLike | str, about: dict[str, Any]) -> Array:
    """What the metadata of an array says; ResultsError if it is not as avax writes it."""
    try:
        return _array(about)
    except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        if isinstance(error, ResultsError):
            raise
        why = "is not as avax writes it"
        raise ResultsError(f"{path}: can't be read: {why} ({error})") from error


def _array(about: dict[str, Any]) -> Array:
    """What metadata says; ValueError and others if it is not as avax writes it."""
    if {n: x for n, x in about.items() if n not in ARRAY_OWN | {"dimension_names"}} != ARRAY:
        raise ValueError("metadata")
    kind, names, shape = about["data_type"], about["dimension_names"], about["shape"]
    chunk = about["chunk_grid"]["configuration"]["chunk_shape"]
    first = "vlen-utf8" if kind == "string" else "bytes"
    if [codec["name"] for codec in about["codecs"]] != [first, "zstd", "crc32c"]:
        raise ValueError("codecs")
    if about["fill_value"] not in ("", "NaN", 0, False):
        raise ValueError("fill value")
    if not all(type(n) is int and n >= 1 for n in [*shape, *chunk]) or len(shape) != len(chunk):
        raise ValueError("shape")
    if not all(map(is_name, names)) or len(names) != len(shape) or len(set(names)) < len(names):
        raise ValueError("dimensions")
    if not about["attributes"].keys() <= {"description", "_FillValue"}:
        raise ValueError("attributes")
    if kind == "string" and math.prod(shape) > MAX_NAMES:
        raise ValueError("number of names")
    item, items = ITEM_BYTES[kind], math.prod(chunk)
    grid = tuple(-(-n // size) for n, size in zip(shape, chunk, strict=True))
    return Array(about, item * math.prod(shape), items, item * items, grid)


def read_chunk(path: pathlib.Path, kind: str, size: int) -> bytes:
    """A chunk's file; ResultsError unless it decompresses to `size` items, and no more."""
    content = read_file(path, most_of(kind, size))
    check_chunk(path, content, kind, size)
    return content


def most_of(kind: str, size: int) -> int:
    """Bytes that the file of a chunk of `size` items has at most."""
    expected = MAX_TEXT if kind == "string" else size * ITEM_BYTES[kind]
    return expected + expected // 100 + 1000


def check_chunk(path: os.PathLike | str, content: bytes, kind: str, size: int) -> None:
    """Raises ResultsError unless a chunk decompresses to `size` items, and no more."""
    expected = MAX_TEXT if kind == "string" else size * ITEM_BYTES[kind]
    try:
        found, end = zstd_frame(content)
    except (ValueError, struct.error) as error:
        raise ResultsError(f"{path}: can't be read: {error}") from error
    # The checksum of the store follows.
    if end + 4 != len(content) or found > expected or (kind != "string" and found < expected):
        raise ResultsError(f"{path}: can't be read: is not {size:,} items")


def zstd_frame(content: bytes) -> tuple[int, int]:
    """Bytes that a zstd frame decompresses to by its header, and its own bytes (RFC 8878); the
    decompressor holds it to the first.

    Raises:
      ValueError, struct.error: if it is none, is cut off, or does not say.
    """
    magic, flags = struct.unpack_from("<IB", content)
    is_single = flags >> 5 & 1
    width = (is_single, 2, 4, 8)[flags >> 6]
    if magic != 0xFD2FB528 or not width:
        raise ValueError("no zstd frame that says its size")
    at = 5 + (1 - is_single) + (0, 1, 2, 4)[flags & 3]
    size = int.from_bytes(content[at : at + width], "little") + (256 if width == 2 else 0)
    at, is_last = at + width, False
    while not is_last:
        (header,) = struct.unpack("<I", content[at : at + 3] + b"\0")
        is_last, is_repeat = header & 1, header >> 1 & 3 == 1
        at += 3 + (1 if is_repeat else header >> 3)
    return size, at + (4 if flags >> 2 & 1 else 0)
