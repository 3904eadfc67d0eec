"""Tiles as tasks of a Ray cluster. The only file that imports ray, and only when it is asked for.

Ray decides where a tile runs, and begins it again elsewhere if its worker or its node dies. What
travels is pickled on the way: a cluster is for those alone who may run code on its machines.
"""

from __future__ import annotations

import collections
import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from avax.engine import platform
from avax.engine.cluster import worker
from avax.engine.durable.signals import leave
from avax.engine.durable.survival import Stopped
from avax.engine.progress import say
from avax.results import one_line

RETRIES = 3  # a tile that ends four workers is at fault itself
AHEAD = 2  # tiles sent for each that can run, so that no worker waits for the next
PATIENCE = 10.0  # seconds in which a port has to open
LIMIT = 60.0  # seconds in which a cluster has to answer
POLL = 0.2  # seconds between two looks at whether to stop


class ClusterError(Exception):
    """Tiles can't be run on a cluster. The message is one line for a user."""


class Cluster:
    """Where the tiles of one structure are run.

    Attributes:
      setup: how its workers run them, so that they have the bits of this process.
    """

    def __init__(
        self,
        address: str,
        width: int,
        optimization: int,
        stop: threading.Event,
        keep: str = "none",
    ):
        """Once `stop` is set, tiles in flight are given up; `address` is as for `connect`."""
        self.setup = worker.setup_here(width, optimization, keep)
        self._address, self._stop = address, stop

    def run_tiles(
        self,
        members: tuple,
        on_tile: Callable[[np.ndarray, Any], None],
        todo: Sequence[np.ndarray],
    ) -> None:
        """Runs tiles on whichever workers are free.

        Args:
          members: (experiments, bases, keys, eval_keys), stacked.
          on_tile: called in this thread, in the order in which tiles arrive, with the indices of
            the members and their Outcome (the last tile's padding removed).
          todo: the members of each tile.

        Raises:
          Stopped: tiles that have arrived were handed on.
          ClusterError: if a tile fails, or ends its worker again and again.
        """
        ray = connect(self._address)
        kind = "CPU" if self.setup.backend == "cpu" else "GPU"
        needs = {"num_cpus": 1, "num_gpus": int(kind == "GPU")}
        task = ray.remote(max_retries=RETRIES, **needs)(worker.run_tile)
        packed, waiting = worker.pack(members), collections.deque(todo)
        setup, flying = ray.put(self.setup), {}
        if not num_places(ray, kind):
            say(f"the cluster has no {kind} yet, waiting for a node that has")
        try:
            while (waiting or flying) and not self._stop.is_set():
                while waiting and len(flying) < AHEAD * max(1, num_places(ray, kind)):
                    indices = waiting.popleft()
                    padded = np.resize(indices, self.setup.width)
                    tile = jax.tree.map(lambda x, rows=padded: x[rows], packed)
                    named = task.options(name=f"avax tile {indices[0]}")
                    flying[named.remote(setup, tile)] = indices
                hand_on(ray, flying, on_tile, 1, POLL)
            if waiting or flying:
                hand_on(ray, flying, on_tile, len(flying), 0.0)
                raise Stopped
        except ray.exceptions.RayTaskError as error:
            raise ClusterError(f"a tile failed: {one_line(error.cause)}") from error
        except ray.exceptions.RayError as error:
            raise ClusterError(f"a tile was lost: {one_line(error)}") from error
        finally:
            give_up(ray, flying)


def connect(address: str) -> Any:
    """The package ray, connected from now until the process ends.

    Args:
      address: `local` starts a cluster of this machine, `auto` finds the one that this machine is
        part of, HOST:PORT names it.

    Raises:
      ClusterError: if it can't be had. If something answers that is no cluster, ray would try for
        long and can't be interrupted: the process ends with status 2 after a minute.
    """
    try:
        import ray
    except ImportError as error:
        raise ClusterError(f"engine: ray can't be imported: {one_line(error)}") from error
    if ray.is_initialized():
        return ray
    check_port(address)
    here = {"num_cpus": platform.num_cores(), "include_dashboard": False}
    more = here if address == "local" else {}
    handler, was_asked = signal.getsignal(signal.SIGTERM), False
    clock = threading.Timer(LIMIT, out_of_time, [address])
    clock.daemon = True
    clock.start()
    try:
        ray.init(address, logging_level="ERROR", log_to_driver=False, **more)
    except SystemExit:  # ray handles SIGTERM in its own way
        was_asked = True
    except Exception as error:
        raise ClusterError(
            f"ray_address: {address}: {one_line(error)} (is RAY_AUTH_MODE that of the head?)"
        ) from error
    finally:
        clock.cancel()
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)
    if was_asked:
        signal.raise_signal(signal.SIGTERM)
    return ray


def out_of_time(address: str) -> None:
    """Ends the process."""
    say(f"error: ray_address: {address}: no cluster has answered in {LIMIT:.0f} seconds")
    leave(2)


def check_port(address: str) -> None:
    """Raises ClusterError if nobody listens at HOST:PORT: ray itself would try for long."""
    host, _, port = address.rpartition(":")
    if not host:
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), PATIENCE).close()
    except OSError as error:
        raise ClusterError(f"ray_address: {address}: can't be reached: {error}") from error


def num_places(ray: Any, kind: str) -> int:
    """Tiles that the cluster, as it is now, can run at the same time."""
    return int(ray.cluster_resources().get(kind, 0))


def hand_on(ray: Any, flying: dict, on_tile: Callable, num: int, timeout: float) -> None:
    """Hands on tiles that have arrived; waits for the first `num`, at most `timeout` seconds."""
    if not flying:
        return
    for ref in ray.wait(list(flying), num_returns=num, timeout=timeout)[0]:
        indices = flying.pop(ref)
        found, size = ray.get(ref), len(indices)
        on_tile(indices, jax.tree.map(lambda x, size=size: x[:size], found))


def give_up(ray: Any, flying: dict) -> None:
    """Ends tiles in flight by ending their workers: a compiled program can't be interrupted."""
    if flying:
        say(f"{len(flying)} tiles in flight are given up; the same command runs them again")
    for ref in flying:
        with contextlib.suppress(ray.exceptions.RayError):
            ray.cancel(ref, force=True)
