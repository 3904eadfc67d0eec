"""Tiles: a fixed number of runs that one device advances together.

A program runs on a unit: a tuple of devices, each with a tile of its own. Placement `tiles` makes
every device a unit: it compiles for each, none waits for another, and the bits are the same on any
number of devices. Placement `spmd` makes one unit of all devices and compiles once; its results
differ by rounding.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import numpy as np

from avax.engine.program import Program, Unit

POLL = 0.2  # seconds between two looks at whether a signal came


def make_units(placement: str, devices: Sequence[jax.Device], num_tiles: int) -> list[Unit]:
    """One unit of all devices (`spmd`) or one of each (`tiles`); no device without a tile, unless
    the devices are those of several processes, which all take part in each tile.
    """
    if len({device.process_index for device in devices}) > 1:
        return [tuple(devices)]
    devices = devices[: max(1, num_tiles)]
    return [tuple(devices)] if placement == "spmd" else [(device,) for device in devices]


def run_tiles(
    program: Any,
    members: Any,
    units: Sequence[Unit],
    on_tile: Callable[[np.ndarray, Any], None],
    todo: Sequence[np.ndarray] | None = None,
) -> None:
    """Runs a program on tiles, each on whichever unit is free.

    A unit begins a tile only when its last one was handed on: what isn't kept yet is one of each.

    Args:
      program: is called with a unit and a tile of `width` members for each device of it.
      members: the program's arguments, stacked, on the host or the first device.
      on_tile: called in the thread of the unit, never twice at a time, in the order in which tiles
        end, with the indices of the members and the program's arrays for them (the last tile's
        padding removed).
      todo: the members of each tile; all members by default.

    Raises:
      What a tile or `on_tile` raised first; no other tile is begun, those that end are handed on.
    """
    waiting: queue.SimpleQueue = queue.SimpleQueue()
    errors: list[BaseException] = []
    if todo is None:
        size = jax.tree.leaves(members)[0].shape[0]
        todo = tile_indices(size, program.width * len(units[0]))
    for indices in todo:
        waiting.put(indices)
    one_at_a_time = threading.Lock()

    def work(unit):
        try:
            for indices in iter_queue(waiting):
                found = _run_tile(program, unit, members, indices)
                with one_at_a_time:
                    on_tile(indices, found)
        except BaseException as error:  # for the caller's thread to raise it
            errors.append(error)
            list(iter_queue(waiting))

    units = units[: len(todo)]
    threads = [threading.Thread(target=work, args=(u,), daemon=True) for u in units]
    for thread in threads:
        thread.start()
    try:
        _join(threads)
    finally:  # a signal's handler may raise
        list(iter_queue(waiting))
        _join(threads)
    if errors:
        raise errors[0]


def _join(threads):
    """Waits for all; a signal that another thread is given is handled when this one wakes."""
    for thread in threads:
        while thread.is_alive():
            thread.join(POLL)


def _run_tile(program, unit, members, indices) -> Any:
    """The program's arrays for some members, which are repeated up to the width of a tile."""
    padded = np.resize(indices, program.width * len(unit))
    found = program(unit, jax.tree.map(lambda x: x[padded], members))
    return jax.tree.map(lambda x: x[: len(indices)], found)


def run_all(program: Program, members: tuple, units: Sequence[Unit]) -> Any:
    """The function's arrays for all members, stacked in their order, on the host."""
    found: dict[int, Any] = {}
    program.compile_all(units)
    run_tiles(program, members, units, lambda indices, x: found.update({indices[0]: x}))
    return jax.tree.map(lambda *x: np.concatenate(x), *[found[i] for i in sorted(found)])


def iter_queue(items: queue.SimpleQueue) -> Iterator[Any]:
    """Takes items until the queue is empty."""
    while True:
        try:
            yield items.get_nowait()
        except queue.Empty:
            return


def tile_indices(size: int, width: int) -> list[np.ndarray]:
    """The members of each tile; the last may be shorter."""
    return [np.arange(i, min(i + width, size)) for i in range(0, size, width)]
