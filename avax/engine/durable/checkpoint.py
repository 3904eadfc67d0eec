"""Arrays on disk, to go on from: base policies and tiles. The only file that imports orbax."""

from __future__ import annotations

import contextlib
import logging
import os
import pathlib
import re
import shutil
import threading
import zlib
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from avax.engine.cluster import hosts
from avax.engine.progress import say
from avax.results import ResultsError, one_line, write_json
from avax.results.untrusted import read_dict, regular_files

NUM_KEPT = 2  # checkpoints of a tile; if the newest is damaged, the other one serves
DATA = "data"  # the one array that orbax sees: the bytes of all, in their order
METADATA = "_CHECKPOINT_METADATA"
ABOUT = {METADATA, "_METADATA", "orbax.checkpoint", "commit_success.txt"}
MAX_ABOUT = 2**21  # bytes of what is in a checkpoint beside the data
_one_at_a_time = threading.Lock()
# It warns of every checkpoint in plain files that there is nothing to merge.
logging.getLogger("absl").addFilter(lambda record: "Skipping merge" not in str(record.msg))


def save(folder: pathlib.Path, tree: Any, facts: dict[str, Any]) -> None:
    """Writes the arrays of a pytree and JSON-like facts, with a checksum of every array.

    Checksums of the files, written last and beside the folder, show that it is complete.

    Raises:
      ResultsError: naming the path and the bytes needed.
    """
    from orbax.checkpoint import v1 as ocp

    parts = [_bytes_of(x) for x in jax.tree.leaves(tree)]
    data = np.concatenate([*parts, np.zeros(1, np.uint8)])  # it refuses an array of no bytes
    about = {"crc32": [zlib.crc32(part) for part in parts], "facts": facts}
    try:
        with _one_at_a_time, _orbax_alone():
            # orbax refuses relative paths.
            ocp.save(folder.absolute(), {DATA: data}, overwrite=True, custom_metadata=about)
        write_json(_manifest(folder), _checksums(folder))
    except Exception as error:  # it has many kinds for a disk that is full
        needed, why = data.nbytes, one_line(error)
        raise ResultsError(f"{folder}: can't be written, needs {needed:,} bytes: {why}") from error


def save_newest(folder: pathlib.Path, number: int, tree: Any, facts: dict[str, Any]) -> None:
    """Saves what a folder's tile has come to after `number` rounds; older ones but one are removed.

    Raises:
      ResultsError: naming the path and the bytes needed.
    """
    save(folder / f"{number:06}", tree, facts | {"round": number})
    for old in _newest(folder)[NUM_KEPT:]:
        shutil.rmtree(old, ignore_errors=True)
        _manifest(old).unlink(missing_ok=True)


def load_newest(folder: pathlib.Path, like: Any, facts: dict[str, Any]) -> tuple[int, Any] | None:
    """The newest number of rounds and tree that `save_newest` saved with these facts, undamaged."""
    for path in _newest(folder):
        tree = load(path, like, facts | {"round": int(path.name)})
        if tree is not None:
            return int(path.name), tree
    return None


def forget(folder: pathlib.Path) -> None:
    """Removes a tile's checkpoints, if there are any."""
    shutil.rmtree(folder, ignore_errors=True)


def _newest(folder: pathlib.Path) -> list[pathlib.Path]:
    if not folder.is_dir():
        return []
    found = (p for p in folder.iterdir() if re.fullmatch("[0-9]{6,9}", p.name))
    return sorted(found, key=lambda p: int(p.name), reverse=True)


def load(
    folder: pathlib.Path, like: Any, facts: dict[str, Any], set_aside: bool = True
) -> Any | None:
    """The pytree saved there, in the structure of `like` (arrays or their shapes).

    None if there is none, if its facts differ, or if an array is not what was saved: a damaged
    checkpoint is never read as data. Nothing in it is run, and what it takes in memory is what
    `like` takes.

    Args:
      set_aside: a damaged one is moved aside and named in a line. False where another process may
        be writing it, or nothing can be written: then the folder is only read.

    Raises:
      ResultsError: if it can't be moved aside.
    """
    from orbax.checkpoint import v1 as ocp

    folder = folder.absolute()
    if not folder.is_dir():
        return None
    leaves, structure = jax.tree.flatten(like)
    ends = np.cumsum([x.dtype.itemsize * x.size for x in leaves])
    size = int(ends[-1]) + 1
    template = {DATA: jax.ShapeDtypeStruct((size,), np.uint8, sharding=_on_one_device())}
    try:
        metadata = read_dict(folder / METADATA)["custom_metadata"]
        if metadata["facts"] != facts:
            return None
        # First, because orbax says of damaged files the same in many lines, from its own threads.
        _check_files(folder, size)
        with _one_at_a_time, _orbax_alone():
            data = np.asarray(ocp.load(folder, template)[DATA])
        parts = np.split(data, ends)[:-1]
        if [zlib.crc32(part) for part in parts] != metadata["crc32"]:
            raise ValueError("an array is not what was saved")
    except Exception:  # whatever a damaged folder makes the reader raise
        if set_aside:
            _set_aside(folder, "damaged" if _manifest(folder).exists() else "incomplete")
        return None
    arrays = [p.copy().view(x.dtype).reshape(x.shape) for p, x in zip(parts, leaves, strict=True)]
    return jax.tree.unflatten(structure, arrays)


def facts_of(folder: pathlib.Path) -> dict[str, Any] | None:
    """The facts that were saved in a folder; None if they can't be read."""
    try:
        return read_dict(folder / METADATA)["custom_metadata"]["facts"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _bytes_of(array: Any) -> np.ndarray:
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8)


def _check_files(folder: pathlib.Path, size: int) -> None:
    """Raises an error unless a checkpoint has the files, and the array of so many bytes, that
    `save` writes, and they are those that it wrote.
    """
    data = folder / "state" / DATA
    found = {path: about.st_size for path, about in regular_files(folder)}
    others = {path: n for path, n in found.items() if path.parent != data}
    if found.keys() - others != {data / ".zarray", data / "0"} or found[data / "0"] != size:
        raise ValueError("has other arrays")
    if not {path.name for path in others} <= ABOUT or sum(others.values()) > MAX_ABOUT:
        raise ValueError("has other files")
    about = read_dict(data / ".zarray")
    plain = {"shape": [size], "chunks": [size], "compressor": None, "filters": None}
    if about | plain != about or about["dtype"] != "|u1":
        raise ValueError("has an array of another kind")
    if read_dict(_manifest(folder)) != _checksums(folder):
        raise ValueError("files are not those that were written")


def _set_aside(folder: pathlib.Path, what: str) -> None:
    aside = folder.with_name(f"{folder.name}.damaged")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        if os.path.lexists(aside):  # a link or a file
            aside.unlink()
        folder.rename(aside)
        _manifest(folder).unlink(missing_ok=True)
    except OSError as error:
        why = f"is {what}, and can't be moved aside: {error.strerror}"
        raise ResultsError(f"{folder}: {why}") from error
    say(f"{folder}: is {what}, not used and moved to {aside.name}")


def _manifest(folder: pathlib.Path) -> pathlib.Path:
    return folder.with_name(f"{folder.name}.json")


def _checksums(folder: pathlib.Path) -> dict[str, int]:
    files = [p for p in sorted(folder.rglob("*")) if p.is_file()]
    return {str(p.relative_to(folder)): zlib.crc32(p.read_bytes()) for p in files}


def _on_one_device() -> jax.sharding.Sharding:
    return jax.sharding.SingleDeviceSharding(jax.local_devices()[0])


@contextlib.contextmanager
def _orbax_alone() -> Iterator[None]:
    """Lets orbax write plain files, and wait for no other process: one alone reads and writes."""
    from orbax.checkpoint import v1 as ocp
    from orbax.checkpoint.experimental.v1._src.synchronization import multihost

    context, count = ocp.Context(), multihost.process_count
    # What such files take in memory is known before they are read.
    context.array.saving.use_ocdbt = context.array.saving.use_compression = False
    context.array.saving.use_zarr3 = False
    if hosts.are_many():
        own = jax.process_index()
        context.multiprocessing.primary_host = own
        context.multiprocessing.active_processes = {own}
        # Those that are not active it still asks, whether they save in the same folder.
        multihost.process_count = lambda: 1
    try:
        with context:
            yield
    finally:
        multihost.process_count = count
