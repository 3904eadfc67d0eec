"""Arrays on disk, to go on from: base policies and tiles. The only file that imports orbax."""

from __future__ import annotations

import contextlib
import json
import pathlib
import shutil
import threading
import zlib
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

from avax.engine import hosts
from avax.engine.progress import say
from avax.results import ResultsError, one_line, write_json

NUM_KEPT = 2  # checkpoints of a tile; if the newest is damaged, the other one serves
_one_at_a_time = threading.Lock()


def save(folder: pathlib.Path, tree: Any, facts: dict[str, Any]) -> None:
    """Writes the arrays of a pytree and JSON-like facts, with a checksum of every array.

    Checksums of the files, written last and beside the folder, show that it is complete.

    Raises:
      ResultsError: naming the path and the bytes needed.
    """
    from orbax.checkpoint import v1 as ocp

    arrays = {str(i): np.asarray(x) for i, x in enumerate(jax.tree.leaves(tree))}
    checksums = {name: zlib.crc32(x.tobytes()) for name, x in arrays.items()}
    about = {"crc32": checksums, "facts": facts}
    try:
        with _one_at_a_time, _without_others():
            # orbax refuses relative paths.
            ocp.save(folder.absolute(), arrays, overwrite=True, custom_metadata=about)
        write_json(_manifest(folder), _checksums(folder))
    except Exception as error:  # it has many kinds for a disk that is full
        needed = sum(x.nbytes for x in arrays.values())
        why = one_line(error)
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
    return sorted((p for p in folder.iterdir() if p.name.isdigit()), reverse=True)


def load(folder: pathlib.Path, like: Any, facts: dict[str, Any]) -> Any | None:
    """The pytree saved there, in the structure of `like` (arrays or their shapes).

    None if there is none, if its facts differ, or if an array is not what was saved: a damaged
    checkpoint is never read as data, it is moved aside and named in a line.
    """
    from orbax.checkpoint import v1 as ocp

    folder = folder.absolute()
    if not folder.is_dir():
        return None
    # First, because orbax says of damaged files the same in many lines, from threads of its own.
    if _read_json(_manifest(folder)) != _checksums(folder):
        _set_aside(folder, "damaged" if _manifest(folder).exists() else "incomplete")
        return None
    leaves, structure = jax.tree.flatten(like)
    template = {
        str(i): jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=_on_one_device())
        for i, x in enumerate(leaves)
    }
    try:
        with _one_at_a_time, _without_others():
            metadata = ocp.metadata(folder).custom_metadata
            if metadata["facts"] != facts:
                return None
            arrays = jax.device_get(ocp.load(folder, template))
        for name, array in arrays.items():
            if zlib.crc32(np.asarray(array).tobytes()) != metadata["crc32"][name]:
                raise ValueError(f"array {name} is not what was saved")
    except Exception:  # whatever a damaged folder makes the reader raise
        _set_aside(folder, "damaged")
        return None
    return jax.tree.unflatten(structure, [arrays[str(i)] for i in range(len(leaves))])


def _set_aside(folder: pathlib.Path, what: str) -> None:
    aside = folder.with_name(f"{folder.name}.damaged")
    shutil.rmtree(aside, ignore_errors=True)
    shutil.move(folder, aside)
    _manifest(folder).unlink(missing_ok=True)
    say(f"{folder}: is {what}, not used and moved to {aside.name}")


def _manifest(folder: pathlib.Path) -> pathlib.Path:
    return folder.with_name(f"{folder.name}.json")


def _checksums(folder: pathlib.Path) -> dict[str, int]:
    files = [p for p in sorted(folder.rglob("*")) if p.is_file()]
    return {str(p.relative_to(folder)): zlib.crc32(p.read_bytes()) for p in files}


def _read_json(path: pathlib.Path) -> Any:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None


def _on_one_device() -> jax.sharding.Sharding:
    return jax.sharding.SingleDeviceSharding(jax.local_devices()[0])


@contextlib.contextmanager
def _without_others() -> Iterator[None]:
    """Lets orbax wait for no other process: one alone reads and writes."""
    if not hosts.are_many():
        yield
        return
    from orbax.checkpoint import v1 as ocp
    from orbax.checkpoint.experimental.v1._src.synchronization import multihost

    context, own = ocp.Context(), jax.process_index()
    context.multiprocessing.primary_host = own
    context.multiprocessing.active_processes = {own}
    # Those that are not active it still asks, whether they save in the same folder.
    count, multihost.process_count = multihost.process_count, lambda: 1
    try:
        with context:
            yield
    finally:
        multihost.process_count = count
