"""What processes tell each other, with stand-ins for the others, and the flags that name them."""

from __future__ import annotations

import dataclasses
import socket

import numpy as np
import pytest
import tiny_sweep

from avax.cli import cli
from avax.engine.cluster import hosts, processes
from avax.fields import ConfigError
from avax.sweeps.sweep import Sweep

PLACE = "--coordinator 10.0.0.1:1234 --num-processes 2"
TWO = f"{PLACE} --process-id 1"
SPMD = "--placement spmd"


def parse(words: str) -> cli.Command:
    return cli.parse("tiny", "", tiny_sweep.config.CHOICES, tiny_sweep.build, words.split())


def test_the_flags_say_where_a_process_stands():
    assert parse(f"{TWO} {SPMD}").place == processes.Place("10.0.0.1:1234", 2, 1)
    assert parse(SPMD).place is None
    named = "--coordinator node-3.cluster:65535 --num-processes 2 --process-id=0"
    assert parse(f"{named} {SPMD}").place.coordinator == "node-3.cluster:65535"
    assert parse(f"{TWO} {SPMD}".replace("10.0.0.1", "[::1]")).place.coordinator == "[::1]:1234"


@pytest.mark.parametrize(
    "words, named",
    [
        (TWO, "--placement spmd"),
        (f"{TWO} {SPMD} --tile-width auto", "tile_width: is 'auto'"),
        (f"{TWO} {SPMD} --tile-width all", "tile_width: is 'all'"),
        (f"--coordinator 10.0.0.1:1234 {SPMD}", "num_processes: is missing"),
        (f"--num-processes 2 --process-id 0 {SPMD}", "coordinator: is missing"),
        (f"{PLACE} --process-id 2 {SPMD}", "process_id: is 2, must lie in [0, 1]"),
        (f"{PLACE} --process-id -1 {SPMD}", "process_id: is -1"),
        (f"{PLACE} --process-id one {SPMD}", "--process-id"),
        (
            f"{TWO} {SPMD}".replace("processes 2", "processes 1"),
            "num_processes: is 1, must be at least 2",
        ),
        *(
            (f"{TWO} {SPMD}".replace("10.0.0.1:1234", address), "coordinator: is")
            for address in ("10.0.0.1", ":1234", "host:", "host:0", "host:65536", "a/b:1", "é:1")
        ),
    ],
)
def test_flags_that_make_no_sense_end_in_one_line(words, named, capsys):
    with pytest.raises(SystemExit) as raised:
        parse(words)
    out, err = capsys.readouterr()
    assert raised.value.code == 2 and out == "" and len(err.splitlines()) == 1
    assert named in err


def test_parts_that_several_processes_can_not_run_are_refused():
    two = parse(f"{TWO} {SPMD}")
    processes.check(two.place, two.sweep)
    with pytest.raises(ConfigError, match="--placement spmd"):
        processes.check(two.place, dataclasses.replace(two.sweep, placement="tiles"))
    processes.check(None, Sweep(two.sweep.base))


def test_a_port_that_is_taken_is_refused():
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(hosts.Lost, match=f"can't listen at port {port}"):
            processes.check_port(port)
    processes.check_port(port)


@pytest.fixture
def of_three(monkeypatch):
    """Makes this the second of three processes; `told` holds what the others tell in turn."""
    told = []
    monkeypatch.setattr(hosts, "_place", (1, 3))
    monkeypatch.setattr(hosts.jax.distributed, "shutdown", lambda: told.append("shutdown"))

    def gather(own):
        first, last = told.pop(0)
        return np.stack([np.int32(first), own, np.int32(last)])

    monkeypatch.setattr(hosts.multihost_utils, "process_allgather", gather)
    monkeypatch.setattr(
        hosts.multihost_utils, "broadcast_one_to_all", lambda words, is_source: words
    )
    return told


ON = hosts.GOES_ON


def test_a_flag_of_any_process_is_everyone_s(of_three):
    for first, own, last in np.ndindex(2, 2, 2):
        of_three.append(([ON, first], [ON, last]))
        assert hosts.any_of(bool(own)) == bool(first or own or last)


def test_a_number_that_differs_is_seen(of_three):
    of_three += [([ON, 7], [ON, 7]), ([ON, 7], [ON, 8])]
    assert hosts.is_same(7) and not hosts.is_same(7)


@pytest.mark.parametrize(
    "own, others, status, line",
    [
        ((143, "own"), ([2, 0], [143, 0]), 2, "process 0: "),
        ((130, "own"), ([143, 0], [143, 0]), 130, "own"),
        ((143, "own"), ([143, 0], [143, 0]), 143, "process 0: "),
        ((0, ""), ([0, 0], [2, 0]), 2, "process 2: "),
        ((0, ""), ([ON, 5], [1, 0]), 1, "process 2: "),
        ((0, ""), ([0, 0], [0, 0]), 0, ""),
    ],
)
def test_all_end_with_one_status_and_its_line(of_three, own, others, status, line):
    of_three.append(others)
    assert hosts.part(*own) == (status, line)
    assert of_three == ["shutdown"]


def test_who_goes_on_is_told_of_who_ends(of_three):
    of_three.append(([2, 0], [ON, 0]))
    with pytest.raises(hosts.Parted, match="process 0: ") as raised:
        hosts.any_of(False)
    assert raised.value.status == 2


def test_nobody_waits_for_what_is_lost(of_three, monkeypatch):
    def gather(own):
        raise hosts.jax.errors.JaxRuntimeError("UNKNOWN: Connection closed\nat length")

    monkeypatch.setattr(hosts.multihost_utils, "process_allgather", gather)
    with pytest.raises(hosts.Lost, match="can't be reached.*Connection closed.$"):
        hosts.any_of(False)
    with pytest.raises(hosts.Lost):
        hosts.part(143, "own")


@pytest.mark.parametrize("size", [0, 1, 4, 63, 64, 65, 1000])
def test_bytes_arrive_as_they_were(of_three, monkeypatch, size):
    """In pieces of at most 64 bytes."""
    monkeypatch.setattr(hosts, "WORDS", 16)
    data = np.random.default_rng(size).bytes(size)
    assert hosts._send(data, size, 1) == data
