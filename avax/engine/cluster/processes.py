"""One program on the devices of several processes, on one machine or more.

Three flags tell each process where it stands, and nothing else does.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
import socket
import threading
import zlib
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import jax

from avax import struct
from avax.engine import platform
from avax.engine.cluster import hosts
from avax.engine.durable.signals import leave
from avax.engine.progress import say
from avax.fields import ConfigError
from avax.sweeps.sweep import Sweep

JOIN_SECONDS = 300  # that a process waits for the others to start
HEARTBEAT_SECONDS = 30  # without a sign of life, after which a process is taken for dead
SHUTDOWN_SECONDS = 30  # that processes wait for each other in the end
WAIT_SECONDS = 7 * 24 * 3600  # for a collective: others wait while the first trains base policies
XLA_FLAGS = {
    "xla_cpu_collective_timeout_seconds": WAIT_SECONDS,
    # A process that has a program in its compile cache would leave the others waiting for the part
    # of the tuning that is its.
    "xla_gpu_shard_autotuning": "false",
}
FLAGS = ("coordinator", "num_processes", "process_id")


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a process stands among those that run one program.

    Attributes:
      coordinator: address and port of process 0, `HOST:PORT`.
      num_processes: at least 2.
      process_id: from 0 to num_processes - 1.
    """

    coordinator: str
    num_processes: int
    process_id: int


def add_flags(parser: ArgumentParser) -> None:
    """The flags that `parse` takes."""
    parser.add_argument(
        "--coordinator",
        metavar="HOST:PORT",
        help="run one program on the devices of several processes: the address of process 0; "
        "needs --placement spmd",
    )
    parser.add_argument("--num-processes", type=int, metavar="INT", help="how many there are")
    parser.add_argument("--process-id", type=int, metavar="INT", help="which one this is, from 0")


def parse(args: Mapping[str, Any]) -> Place | None:
    """The place that flags name, None without them; ConfigError if they make no sense."""
    values = {name: args[name] for name in FLAGS}
    missing = [name for name, value in values.items() if value is None]
    if len(missing) == len(FLAGS):
        return None
    if missing:
        raise ConfigError(f"{missing[0]}: is missing; {', '.join(FLAGS)} are given together")
    place = Place(**values)
    port = re.fullmatch(r"(?:[\w.-]+|\[[0-9A-Fa-f:.]+\]):(\d{1,5})", place.coordinator, re.ASCII)
    if port is None or not 0 < int(port[1]) < 2**16:
        raise ConfigError(f"coordinator: is {place.coordinator!r}, must be HOST:PORT")
    if place.num_processes < 2:
        raise ConfigError(f"num_processes: is {place.num_processes}, must be at least 2")
    if not 0 <= place.process_id < place.num_processes:
        raise ConfigError(
            f"process_id: is {place.process_id}, must lie in [0, {place.num_processes - 1}]"
        )
    return place


def check(place: Place | None, sweep: Sweep) -> None:
    """Raises ConfigError if several processes can't run a sweep together."""
    if place is None:
        return
    if sweep.placement != "spmd":
        raise ConfigError(
            f"placement: is {sweep.placement!r}; several processes need --placement spmd"
        )
    if not sweep.tile_width.isdigit():
        raise ConfigError(
            f"tile_width: is {sweep.tile_width!r}; several processes need a number, the runs that "
            "each device advances together"
        )


def join(place: Place | None, sweeps: Iterable[Sweep]) -> None:
    """Connects the processes; to be called before JAX starts a backend.

    Ends the program, in one line and with status 2, if they don't meet in time.

    Raises:
      Lost: if the coordinator can't listen at its address.
      ConfigError: on all processes, if they don't run the same.
    """
    if place is None:
        return
    if place.process_id == 0:
        check_port(int(place.coordinator.rpartition(":")[2]))
    platform.add_xla_flags(XLA_FLAGS)
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    jax.config.update("jax_enable_preemption_service", False)  # it would handle SIGTERM
    try:
        with _patience(place):
            jax.distributed.initialize(
                place.coordinator,
                place.num_processes,
                place.process_id,
                cluster_detection_method="deactivate",
                initialization_timeout=JOIN_SECONDS + 60,
                heartbeat_timeout_seconds=HEARTBEAT_SECONDS,
                shutdown_timeout_seconds=SHUTDOWN_SECONDS,
            )
    except RuntimeError as error:
        raise hosts.Lost(f"{place.coordinator}: {str(error).splitlines()[0]}") from error
    found = Counter(device.process_index for device in jax.devices())
    if len(set(found.values())) > 1:  # all see it, and none can tell the others anything
        listed = ", ".join(f"{found[i]} on process {i}" for i in sorted(found))
        raise ConfigError(f"the processes have different numbers of devices: {listed}")
    hosts.enter(jax.process_index(), place.num_processes)  # which a TPU numbers by itself
    what = [struct.to_dict(sweep) for sweep in sweeps], platform.versions()
    if not hosts.is_same(zlib.crc32(json.dumps(what).encode()) & 0x7FFFFFFF):
        raise ConfigError("the processes were given different flags, or have different versions")


def check_port(port: int) -> None:
    """Raises Lost if no process can listen there; JAX would crash."""
    dual = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if dual else socket.AF_INET
    try:
        socket.create_server(("", port), family=family, dualstack_ipv6=dual).close()
    except OSError as error:
        raise hosts.Lost(f"coordinator: can't listen at port {port}: {error.strerror}") from error


@contextlib.contextmanager
def _patience(place: Place) -> Iterator[None]:
    """Ends the program in one line if the block takes long: JAX would abort it with many."""

    def give_up():
        say(
            f"error: process {place.process_id} did not meet the {place.num_processes - 1} "
            f"others at {place.coordinator} in {JOIN_SECONDS} s"
        )
        leave(2)

    timer = threading.Timer(JOIN_SECONDS, give_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
