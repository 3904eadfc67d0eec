"""Tiles: a fixed number of runs that one device advances together.

A program runs on a unit: a tuple of devices, each with a tile of its own. Placement `tiles` makes
every device a unit: it compiles for each, none waits for another, and the bits are the same on any
number of devices. Placement `spmd` makes one unit of all devices and compiles once; its results
differ by rounding.
"""

from __future__ import annotations

import concurrent.futures
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import jax
import numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from avax.engine import platform
from avax.loop import Experiment, run
from avax.types import Policy

AUTO_WIDTHS = (1, 2, 4, 8)
Unit = tuple[jax.Device, ...]


class Program:
    """`jit(vmap(function))` at one tile width, compiled once for each unit."""

    def __init__(self, function: Callable, members: tuple, width: int, optimization: int = 2):
        """A function of one member; all members, stacked, are taken only for their shapes."""
        self.width = width
        self._options = platform.compiler_options(optimization)
        self._function = jax.vmap(function)
        self._members = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape[1:], x.dtype), members)
        self._compiled: dict[Unit, Any] = {}
        self._tracing = threading.Lock()
        self._traced: dict[int, Any] = {}  # by the devices of a unit

    def compile(self, unit: Unit) -> Any:
        """The executable for one unit."""
        if unit not in self._compiled:
            with jax.default_device(unit[0]):
                lowered = self._trace(unit).lower()
                self._compiled[unit] = lowered.compile(self._options)
        return self._compiled[unit]

    def _trace(self, unit):
        with self._tracing:
            if len(unit) not in self._traced:
                function, size = self._function, self.width * len(unit)
                shardings = {}
                if len(unit) > 1:
                    one = PartitionSpec("members")
                    function = jax.shard_map(
                        function, mesh=mesh(unit), in_specs=one, out_specs=one, check_vma=False
                    )
                    # Said here, because the compiler forgets it for arguments without effect.
                    shardings = {"in_shardings": NamedSharding(mesh(unit), one)}
                like = jax.tree.map(
                    lambda x: jax.ShapeDtypeStruct((size, *x.shape), x.dtype), self._members
                )
                self._traced[len(unit)] = jax.jit(function, **shardings).trace(*like)
            return self._traced[len(unit)]

    def compile_all(self, units: Sequence[Unit]) -> None:
        """Compiles for several units at the same time."""
        compile_all([(self, unit) for unit in units])

    def __call__(self, unit: Unit, members: tuple) -> Any:
        """The function's arrays for `width` members a device of the unit, stacked, on the host."""
        where = unit[0] if len(unit) == 1 else NamedSharding(mesh(unit), PartitionSpec("members"))
        return jax.device_get(self.compile(unit)(*jax.device_put(members, where)))


def compile_all(pairs: Iterable[tuple[Program, Unit]]) -> None:
    """Compiles several programs, each for a unit, as many at the same time as there are cores."""
    with concurrent.futures.ThreadPoolExecutor(platform.num_cores()) as pool:
        list(pool.map(lambda pair: pair[0].compile(pair[1]), pairs))


def mesh(unit: Unit) -> jax.sharding.Mesh:
    """The devices of a unit in a row, along the axis `members`."""
    return jax.make_mesh((len(unit),), ("members",), (AxisType.Auto,), devices=unit)


def make_units(placement: str, devices: Sequence[jax.Device], num_tiles: int) -> list[Unit]:
    """One unit of all devices (`spmd`) or one of each (`tiles`); no device without a tile."""
    devices = devices[: max(1, num_tiles)]
    return [tuple(devices)] if placement == "spmd" else [(device,) for device in devices]


def metrics(experiment: Experiment, bases: Policy, key: jax.Array) -> dict[str, jax.Array]:
    """What a sweep keeps of one `run`."""
    return run(experiment, bases, key)[1]


def run_tiles(
    program: Program,
    members: tuple,
    units: Sequence[Unit],
    on_tile: Callable[[np.ndarray, Any], None],
) -> None:
    """Runs a program on all members, tile by tile, on whichever unit is free.

    Args:
      members: the function's arguments, stacked, on the host or the first device.
      on_tile: called in this thread, in the order in which tiles end, with the indices of the
        members and the function's arrays for them (the last tile's padding removed).

    Raises:
      Whatever a tile or `on_tile` raised; the other units stop after their tile.
    """
    num_members = jax.tree.leaves(members)[0].shape[0]
    todo: queue.SimpleQueue = queue.SimpleQueue()
    done: queue.SimpleQueue = queue.SimpleQueue()
    width = program.width * len(units[0])
    for indices in tile_indices(num_members, width):
        todo.put(indices)
    num_tiles = todo.qsize()

    def work(unit):
        try:
            for indices in iter_queue(todo):
                padded = np.resize(indices, width)
                tile = jax.tree.map(lambda x, rows=padded: x[rows], members)
                found, size = program(unit, tile), len(indices)
                done.put((indices, jax.tree.map(lambda x, size=size: x[:size], found)))
        except BaseException as error:  # handed to the caller's thread, which raises it
            done.put(error)

    threads = [threading.Thread(target=work, args=(u,), daemon=True) for u in units[:num_tiles]]
    for thread in threads:
        thread.start()
    try:
        for _ in range(num_tiles):
            result = done.get()
            if isinstance(result, BaseException):
                raise result
            on_tile(*result)
    finally:
        for _ in iter_queue(todo):
            pass
        for thread in threads:
            thread.join()


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


def choose_width(
    experiments: Experiment, bases: Policy, keys: jax.Array, size: int, devices: list[jax.Device]
) -> tuple[int, str]:
    """The tile width with the least time a run, of a few tried, and a line that says why.

    Some of the runs are given, stacked; `size` is the most that are run at a time.

    Measures one round of the real program on one device. Where the compiler's estimate of memory
    is known, widths that do not fit are left out. On an accelerator everything goes at once if it
    fits, else the half, and so on.
    """
    device = devices[0]
    is_cpu = device.platform == "cpu"
    if is_cpu:
        widths = [w for w in AUTO_WIDTHS if w <= max(1, -(-size // len(devices)))]
    else:
        widths = [-(-size // 2**i) for i in range(size.bit_length())]
    short = experiments.replace(num_rounds=1)
    measured: dict[int, float] = {}
    for width in widths:
        program = Program(metrics, (short, bases, keys), width)
        unit = (device,)
        if not fits(program.compile(unit), device):
            continue
        tile = jax.tree.map(lambda x, w=width: x[np.arange(w) % len(x)], (short, bases, keys))
        program(unit, tile)
        start = time.perf_counter()
        program(unit, tile)
        measured[width] = (time.perf_counter() - start) / width
        if not is_cpu:
            break
    if not measured:
        return 1, "auto: no tile width was found to fit in memory, trying 1"
    best = min(measured, key=measured.__getitem__)
    listed = ", ".join(f"{w}: {1e3 * s:.1f}" for w, s in measured.items())
    return best, f"auto: {best} (milliseconds a run and round at each width: {listed})"


def fits(compiled: Any, device: jax.Device) -> bool:
    """Whether the compiler's estimate fits in the memory that the device says it has."""
    analysis = compiled.memory_analysis()
    limit = (device.memory_stats() or {}).get("bytes_limit")
    if analysis is None or limit is None:
        return True
    needed = analysis.temp_size_in_bytes + analysis.argument_size_in_bytes
    return needed + analysis.output_size_in_bytes < 0.9 * limit
