"""Good results, and the tools to make them harm: arrays, metadata, chunks of any content."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import struct

import numpy as np
import xarray as xr
from google_crc32c import value as crc32c

from avax import results
from avax.results import folders, store

COORDS = {
    **{"fpr": (0.0, 0.1, 1.0), "fnr": (0.0, 0.5), "seed": (3, 4), "round": (0, 1, 2)},
    "mistake": ("long", "near_miss"),
}
FREE = ["p", "q", "r", "s"]  # dimensions that no other array has
DIMS = ("fpr", "fnr", "seed", "round")
CONFIG = {"type": "Sweep", "base": {"curriculum": {"type": "Fixed"}}}
GB, LARGE = 2**30, 10**5


def registry():
    """A dict of attacks by name, and the decorator that puts them there.

    An attack is something done to what is good; it takes its folder and one outside of it.
    """
    attacks = {}

    def attack(function):
        attacks[function.__name__] = function
        return function

    return attacks, attack


class Payload:
    """What a pickle runs when it is loaded."""

    def __init__(self, outside: pathlib.Path):
        self.path = str(outside / "executed")

    def __reduce__(self):
        return os.mkdir, (self.path,)


def empty() -> xr.Dataset:
    shapes = {"accuracy": DIMS, "diverged": DIMS, "mistake_share": (*DIMS, "mistake")}
    return results.template(COORDS, shapes, {})


def write(folder: pathlib.Path) -> None:
    """Complete results, and their part `label_noise`."""
    for out in (folder, folder / "label_noise"):
        folders.claim(out, CONFIG, "digest")
        writer = store.Writer(out, empty())
        values = {name: np.zeros((12, *a.shape[3:])) for name, a in writer.dataset.items()}
        writer.put(np.arange(12), values)
        writer.flush()
        results.finish(out, {"digest": "digest", **CONFIG}, writer.dataset, {})


def change(path: pathlib.Path, **fields) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def frame(size: int, says: int | None = None) -> bytes:
    """A zstd frame of `size` zeros, in blocks that repeat one byte, and its checksum."""
    block, blocks = 2**17, b""
    for start in range(0, size, block):
        length = min(block, size - start)
        blocks += struct.pack("<I", length << 3 | 2 | (start + length >= size))[:3] + b"\0"
    return struct.pack("<IBQ", 0xFD2FB528, 0b11100000, size if says is None else says) + blocks


def chunk_of(folder: pathlib.Path, name: str) -> pathlib.Path:
    return next(p for p in (folder / results.STORE / name / "c").rglob("*") if p.is_file())


def put_chunk(folder: pathlib.Path, name: str, content: bytes) -> None:
    chunk_of(folder, name).write_bytes(content + struct.pack("<I", crc32c(content)))


def put_bomb(folder: pathlib.Path, content: bytes) -> None:
    """For the only chunk of an array that is large enough to have such a file."""
    shape = [LARGE, *(len(COORDS[name]) for name in DIMS[1:])]
    grid = {"name": "regular", "configuration": {"chunk_shape": shape}}
    change(meta(folder), shape=shape, chunk_grid=grid, dimension_names=FREE)
    for i in range(1, len(COORDS["fpr"])):
        shutil.rmtree(meta(folder).with_name("c") / str(i))
    put_chunk(folder, "accuracy", content)


def meta(folder: pathlib.Path, name: str = "accuracy") -> pathlib.Path:
    return folder / results.STORE / name / "zarr.json"
