"""What the processes of one program tell each other, so that all of them do the same.

All call the functions below in the same order, each from one thread at a time. The first process
alone reads and writes files, and decides. With one process they return what they are given.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

import jax
import numpy as np
from jax.experimental import multihost_utils

T = TypeVar("T")

GOES_ON = -1  # the status of a process that does not end
WORDS = 1 << 22  # that are sent at a time, of 4 bytes
_place = (0, 1)  # this process, of how many


class Parted(Exception):
    """A process has ended, and said why; all end with its status.

    Attributes:
      status: of the exit.
    """

    def __init__(self, status: int, line: str):
        super().__init__(line)
        self.status = status


class Lost(Exception):
    """A process can't be reached. The message is one line for a user."""


def enter(process: int, num_processes: int) -> None:
    """Makes this process one of several, which `jax.distributed` has connected."""
    global _place
    _place = process, num_processes


def is_first() -> bool:
    """Whether this process is the one that reads, writes and decides."""
    return _place[0] == 0


def are_many() -> bool:
    """Whether there are other processes."""
    return _place[1] > 1


def any_of(flag: bool) -> bool:
    """Whether a flag is set on any process."""
    return bool(_exchange(int(flag)).any()) if are_many() else flag


def is_same(number: int) -> bool:
    """Whether all processes have the same number, i32."""
    return not are_many() or len(set(_exchange(number).tolist())) == 1


def share(make: Callable[[], T]) -> T:
    """What `make` returns on the first process, ready for JSON; elsewhere it is not called."""
    if not are_many():
        return make()
    data = json.dumps(make()).encode() if is_first() else b""
    size = int(_exchange(len(data))[0])
    return json.loads(_send(data, size, 0))


def share_arrays(make: Callable[[], Any], like: Callable[[], Any]) -> Any:
    """The same for a pytree of arrays on the host; `like` returns its structure and shapes."""
    if not are_many():
        return make()
    shapes, structure = jax.tree.flatten(like())
    own = jax.tree.leaves(make()) if is_first() else [None] * len(shapes)
    _exchange(0)  # the first process may have ended instead of making the arrays
    found = []
    for array, shape in zip(own, shapes, strict=True):
        data = np.asarray(array).tobytes() if is_first() else b""
        size = int(np.prod(shape.shape)) * shape.dtype.itemsize
        found.append(np.frombuffer(_send(data, size, 0), shape.dtype).reshape(shape.shape))
    return jax.tree.unflatten(structure, found)


def gather(tree: Any) -> Any:
    """Arrays that may lie on the devices of all processes, whole and on the host."""
    if not are_many():
        return jax.device_get(tree)
    return _together(multihost_utils.process_allgather, tree, tiled=True)


def part(status: int = 0, line: str = "") -> tuple[int, str]:
    """Ends the connection, once all processes have come here or have been told of it elsewhere.

    Returns:
      The status that all end with, the lowest that is not 0, and the line of its process.

    Raises:
      Lost: if another process can't be reached.
    """
    if are_many():
        try:
            _exchange(len(line.encode()), status, line.encode())
        except Parted as parted:
            return parted.status, str(parted)
    return status, line


def finish() -> None:
    """Parts in peace; Parted if a process ends with another status than 0."""
    status, line = part()
    if status:
        raise Parted(status, line)


def _exchange(number: int, status: int = GOES_ON, line: bytes = b"") -> np.ndarray:
    """The numbers i32[N] of all processes.

    Raises:
      Parted: if a process ends; the number of one that does is the length of its line.
    """
    told = np.array([status, number], np.int32)
    told = _together(multihost_utils.process_allgather, told).reshape(-1, 2)
    if (told[:, 0] == GOES_ON).all():
        return told[:, 1]
    ends = {int(status): i for i, status in reversed(list(enumerate(told[:, 0]))) if status > 0}
    if ends:
        source = ends[min(ends)]
        line = _send(line, int(told[source, 1]), source)
    jax.distributed.shutdown()
    if not ends:
        raise Parted(0, "")
    own = "" if source == _place[0] else f"process {source}: "
    raise Parted(min(ends), own + line.decode())


def _send(data: bytes, size: int, source: int) -> bytes:
    """The data of one process, of a size that all know."""
    found = bytearray()
    while len(found) < size:
        now = min(size - len(found), 4 * WORDS)
        # Of few lengths, each of which compiles; as integers, whose sum with zeros is exact.
        words = np.zeros(1 << max(4, (-(-now // 4) - 1).bit_length()), np.int32)
        if _place[0] == source:
            piece = data[len(found) : len(found) + now]
            words.view(np.uint8)[:now] = np.frombuffer(piece, np.uint8)
        words = _together(
            multihost_utils.broadcast_one_to_all, words, is_source=_place[0] == source
        )
        found += np.asarray(words).tobytes()[:now]
    return bytes(found)


def _together(function: Callable[..., T], *args: Any, **how: Any) -> T:
    try:
        return function(*args, **how)
    except (ValueError, jax.errors.JaxRuntimeError) as error:  # as it is met in time, or late
        why = str(error).splitlines()[0]
        raise Lost(f"a process can't be reached; the same commands go on ({why})") from error
