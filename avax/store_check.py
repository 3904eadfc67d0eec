"""A zarr store that somebody else may have made, looked through before it is opened: it is as avax
writes it, and takes no more memory than it says. Imports no JAX.
"""

from __future__ import annotations

import math
import pathlib
import re
import struct
from typing import Any

from avax.untrusted import ResultsError, is_name, read_dict, read_file, read_json, regular_files

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


def check_store(store: pathlib.Path, most: int = 0) -> None:
    """Looks through a zarr store before it is opened.

    Args:
      most: bytes that its arrays may have together, if they are more than MAX_BYTES.

    Raises:
      ResultsError: naming the file, if anything in it is not as avax writes it.
      OSError: if a file can't be opened.
    """
    files = dict(regular_files(store))
    # What is on disk bounds what may be in memory, in blocks: a file can be nearly all holes.
    most = max(most, MAX_BYTES, MAX_RATIO * sum(512 * about.st_blocks for about in files.values()))
    if read_json(store / "zarr.json") != GROUP:
        raise ResultsError(f"{store / 'zarr.json'}: can't be read: is not as avax writes it")
    total = num_chunks = largest = 0
    for path in sorted(p for p in store.iterdir() if p.is_dir()):
        try:
            if not is_name(path.name):
                raise ValueError("can't be a name")
            num_bytes, chunk_bytes, of_array = _check_array(read_dict(path / "zarr.json"))
        except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
            if isinstance(error, ResultsError):
                raise
            why = "is not as avax writes it"
            raise ResultsError(f"{path}: can't be read: {why} ({error})") from error
        total, num_chunks = total + num_bytes, num_chunks + of_array
        largest = max(largest, chunk_bytes)
        if total + largest > most or num_chunks > MAX_CHUNKS:
            raise ResultsError(
                f"{path}: can't be read: the arrays take more than {most:,} bytes or "
                f"{MAX_CHUNKS:,} chunks; results.load can be told that they may"
            )
    for path in files:
        _check_file(store, path)


def _check_array(about: dict[str, Any]) -> tuple[int, int, int]:
    """Bytes of an array and of a chunk, and chunks, by its metadata; ValueError and others if it
    is not as avax writes it.
    """
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
    item = ITEM_BYTES[kind]
    num_chunks = math.prod(-(-n // size) for n, size in zip(shape, chunk, strict=True))
    return item * math.prod(shape), item * math.prod(chunk), num_chunks


def _check_file(store: pathlib.Path, path: pathlib.Path) -> None:
    name, _, below = path.relative_to(store).as_posix().partition("/")
    if path.name == "zarr.json" and below in ("", "zarr.json"):
        return
    if not is_chunk(below):
        raise ResultsError(f"{path}: can't be read: avax writes no such file")
    about = read_dict(store / name / "zarr.json")
    size = math.prod(about["chunk_grid"]["configuration"]["chunk_shape"])
    check_chunk(path, about["data_type"], size)


def is_chunk(path: str) -> bool:
    """Whether a path below the folder of an array is that of a chunk."""
    return bool(re.fullmatch(r"c(/[0-9]{1,6})+", path))


def check_chunk(path: pathlib.Path, kind: str, size: int) -> None:
    """Raises ResultsError unless a chunk's file decompresses to `size` items, and no more."""
    expected = MAX_TEXT if kind == "string" else size * ITEM_BYTES[kind]
    content = read_file(path, expected + expected // 100 + 1000)
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
