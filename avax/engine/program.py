"""A program: `jit(vmap(function))` at one tile width, compiled for each unit of devices."""

from __future__ import annotations

import concurrent.futures
import contextlib
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import jax
import numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from avax.engine import platform
from avax.fields import ConfigError

Unit = tuple[jax.Device, ...]  # devices that work in step, each on a tile of its own
# How XLA and NumPy say that something has too many elements, or bytes.
TOO_LARGE = re.compile(
    r"RESOURCE_EXHAUSTED|out of memory|214748364[78]|overflow|too (large|big)|"
    r"maximum allowed dimension",
    re.IGNORECASE,
)


class Program:
    """`jit(vmap(function))` at one tile width, compiled once for each unit."""

    def __init__(
        self,
        function: Callable,
        members: tuple,
        width: int,
        optimization: int = 2,
        num_shared: int = 0,
        donate: tuple[int, ...] = (),
        what: str | None = None,
    ):
        """A function of one member; all members, stacked, are taken only for their shapes.

        Args:
          num_shared: the function's last arguments, numbers i32[] that all members share.
          donate: arguments that the program may overwrite with its results.
          what: field, number of members and their sizes, for the line that says they're too large.
        """
        self.width, self._what = width, what or f"sizes: {width} members at a time"
        self._options = platform.compiler_options(optimization)
        axes = (0,) * len(members) + (None,) * num_shared
        self._function = for_members(function, axes, width)
        self._members = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape[1:], x.dtype), members)
        self._num_shared, self._donate = num_shared, donate
        self._compiled: dict[Unit, Any] = {}
        self._tracing = threading.Lock()
        self._traced: dict[int, Any] = {}  # by the devices of a unit

    def is_compiled(self, unit: Unit) -> bool:
        """Whether there is an executable for a unit."""
        return unit in self._compiled

    def compile(self, unit: Unit) -> Any:
        """The executable for one unit; ConfigError if it is too large to be compiled."""
        if unit not in self._compiled:
            with jax.default_device(own_device(unit)), sized(self._what):
                lowered = self._trace(unit).lower()
                self._compiled[unit] = lowered.compile(self._options)
        return self._compiled[unit]

    def _trace(self, unit):
        with self._tracing:
            if len(unit) not in self._traced:
                function, size = self._function, self.width * len(unit)
                shardings = {}
                if len(unit) > 1:
                    one, all_ = PartitionSpec("members"), PartitionSpec()
                    specs = (one,) * len(self._members) + (all_,) * self._num_shared
                    function = jax.shard_map(
                        function, mesh=mesh(unit), in_specs=specs, out_specs=one, check_vma=False
                    )
                    # Said here, because the compiler forgets it for arguments without effect.
                    placed = tuple(NamedSharding(mesh(unit), spec) for spec in specs)
                    shardings = {"in_shardings": placed}
                like = jax.tree.map(
                    lambda x: jax.ShapeDtypeStruct((size, *x.shape), x.dtype), self._members
                )
                shared = (jax.ShapeDtypeStruct((), np.int32),) * self._num_shared
                jitted = jax.jit(function, donate_argnums=self._donate, **shardings)
                self._traced[len(unit)] = jitted.trace(*like, *shared)
            return self._traced[len(unit)]

    def compile_all(self, units: Sequence[Unit]) -> None:
        """Compiles for several units at the same time."""
        compile_all([(self, unit) for unit in units])

    def __call__(self, unit: Unit, members: tuple) -> Any:
        """The function's arrays for `width` members a device of the unit, stacked, on the host."""
        with sized(self._what):
            # Without the wait, an array that there was no memory for would abort the process.
            return jax.device_get(jax.block_until_ready(self.launch(unit, members)))

    def launch(self, unit: Unit, members: tuple, shared: tuple[int, ...] = ()) -> Any:
        """The same, left on the devices of the unit; ConfigError if they have no memory for it."""
        shared = tuple(np.int32(x) for x in shared)
        with sized(self._what):
            return self.compile(unit)(*place(unit, members), *shared)


@contextlib.contextmanager
def sized(what: str) -> Iterator[None]:
    """Raises ConfigError, which names `what`, for any error in the block that is about sizes."""
    try:
        yield
    except (OverflowError, MemoryError, ValueError, jax.errors.JaxRuntimeError) as error:
        text = str(error) or "no memory is left"
        is_size = isinstance(error, (OverflowError, MemoryError)) or TOO_LARGE.search(text)
        if isinstance(error, ConfigError) or not is_size:
            raise
        reason = text.splitlines()[0][:200]
        raise ConfigError(f"{what} are too large, lower number or sizes: {reason}") from error


def for_members(function: Callable, axes: tuple[int | None, ...], width: int) -> Callable:
    """`vmap`, but of a single member without it.

    An axis of one member keeps XLA on a CPU from writing caches in place: generation of 100 digits
    would take 1.5 times as long.
    """
    if width > 1:
        return jax.vmap(function, axes)

    def alone(*arguments):
        own = [
            x if axis is None else jax.tree.map(lambda x: x[0], x)
            for x, axis in zip(arguments, axes, strict=True)
        ]
        return jax.tree.map(lambda x: x[None], function(*own))

    return alone


def place(unit: Unit, members: Any) -> Any:
    """Arrays with a leading axis of members, on the devices of a unit."""
    where = unit[0] if len(unit) == 1 else NamedSharding(mesh(unit), PartitionSpec("members"))
    if len(unit) == 1 or where.is_fully_addressable:
        return jax.device_put(members, where)

    def spread(x):
        if isinstance(x, jax.Array) and not x.is_fully_addressable:
            return x  # it is there
        return jax.make_array_from_callback(x.shape, where, lambda index: x[index])

    return jax.tree.map(spread, members)


def own_device(unit: Unit) -> jax.Device:
    """The first device of a unit that belongs to this process."""
    return next(d for d in unit if d.process_index == jax.process_index())


def compile_all(
    pairs: Iterable[tuple[Program, Unit]], on_each: Callable[[], None] = lambda: None
) -> None:
    """Compiles several programs, each for a unit, as many at the same time as there are cores.

    `on_each` is called when one is compiled, in any thread.
    """

    def work(pair):
        pair[0].compile(pair[1])
        on_each()

    with concurrent.futures.ThreadPoolExecutor(platform.num_cores()) as pool:
        list(pool.map(work, pairs))


def mesh(unit: Unit) -> jax.sharding.Mesh:
    """The devices of a unit in a row, along the axis `members`."""
    return jax.make_mesh((len(unit),), ("members",), (AxisType.Auto,), devices=unit)
