"""One process at a time in a folder of results, and at a base policy."""

from __future__ import annotations

import contextlib
import os
import pathlib
import socket
from collections.abc import Callable, Iterator

import filelock

from avax.results import ResultsError, write_json
from avax.results.untrusted import read_dict

LOCK = ".lock"


@contextlib.contextmanager
def hold(
    folder: pathlib.Path, name: str = LOCK, on_wait: Callable[[str], None] | None = None
) -> Iterator[None]:
    """Holds a lock, a file in a folder, which is made if there is none, until the block or the
    process ends.

    The system lets go of the lock of a process that dies, however it dies.

    Args:
      on_wait: called with the process and the host that hold it, if others do, before they are
        waited for. Without, that is an error.

    Raises:
      ResultsError: naming the process and the host that hold it, or why it can't be written.
    """
    path, owner = folder / name, folder / f"{name}.json"  # some systems let nobody read the first
    # Not the kind of lock that outlives its process.
    lock = filelock.FileLock(path, fallback_to_soft=False)
    with contextlib.ExitStack() as held:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _acquire(lock, folder, owner, on_wait)
            held.callback(_release, lock, path, owner)
            write_json(owner, {"process": os.getpid(), "host": socket.gethostname()})
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise ResultsError(f"{folder}: can't be written to: {why}") from error
        yield


def _acquire(lock, folder, owner, on_wait) -> None:
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout as error:
        if on_wait is None:
            raise ResultsError(f"{folder}: is in use by {_named(owner)}") from error
        on_wait(_named(owner))
        lock.acquire()


def _release(lock, path, owner) -> None:
    # As long as it is held: the files of the next process are its own.
    for file in (owner, path):
        with contextlib.suppress(OSError):  # where an open file can't be removed, `lock` does it
            file.unlink()
    lock.release()


def _named(owner: pathlib.Path) -> str:
    try:
        about = read_dict(owner)
        return f"process {about['process']} on {about['host']}"
    except (OSError, ResultsError, KeyError):  # it has not come to write it
        return "another process"
