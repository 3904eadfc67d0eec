"""Tiles as tasks of a Ray cluster have the bits of the local engine, whatever dies meanwhile."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import os
import pathlib
import pickle
import random
import re
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import types
from functools import partial

import jax
import numpy as np
import pytest
from small_sweeps import SMALL
from tiny_runs import SEED, bits, finish, start
from toys import UNITS, toy_members

from avax.cli import cli
from avax.engine import tiles
from avax.engine.cluster import worker
from avax.engine.cluster.ray import Cluster, ClusterError, check_port
from avax.engine.durable.survival import Stopped
from avax.engine.segments import Run
from avax.fields import ConfigError
from avax.results import progress_file
from avax.sweeps.validate import validate
from configs import noise_phase_diagram as noise

ROOT = pathlib.Path(__file__).parents[3]
has_ray = importlib.util.find_spec("ray") is not None


# What a worker does, in this process.


@pytest.fixture
def as_worker(monkeypatch):
    monkeypatch.setattr(worker, "configure", lambda *_: None)
    monkeypatch.setattr(worker, "_runs", {})


def some(packed, indices):
    """A tile as it arrives at a worker."""
    return pickle.loads(pickle.dumps(jax.tree.map(lambda x: x[indices], packed)))


def test_a_worker_compiles_a_structure_once_and_has_the_bits_of_the_engine(toy, as_worker):
    members = toy_members(SMALL)
    packed, setup = worker.pack(members), worker.setup_here(4, 0)
    experiments, bases, *keys = some(packed, np.arange(4, 8))
    tile = experiments, bases, *map(jax.random.wrap_key_data, keys)
    expected = Run(members, 4)(UNITS[0], tile)
    traced = len(toy)
    for indices in tiles.tile_indices(12, 4):
        found = worker.run_tile(setup, some(packed, indices))
        if indices[0] == 4:
            assert all((found.metrics[name] == expected[name]).all() for name in expected)
    assert len(toy) == traced + 1


@pytest.mark.parametrize("name", ["device", "code", "versions.jax"])
def test_a_worker_that_would_give_other_bits_refuses(as_worker, name):
    setup = worker.setup_here(4, 0)
    facts = dict(setup.facts, versions=dict(setup.facts["versions"]))
    parent = facts if "." not in name else facts["versions"]
    parent[name.rpartition(".")[2]] = "other"
    with pytest.raises(ConfigError, match=rf'differs: {name}: "other" -> '):
        worker.run_tile(setup._replace(facts=facts), ())


# What the driver does with a stand-in for Ray.


class Pretended:
    """Ray in this process: a task is run when it is waited for, the last one first."""

    class exceptions:
        class RayError(Exception):
            pass

        class RayTaskError(RayError):
            cause = ValueError("the tile is broken\nwith a trace")

    def __init__(self, places):
        self.places, self.tasks, self.cancelled = places, [], []

    def remote(self, **how):
        assert how == {"num_cpus": 1, "num_gpus": 0, "max_retries": 3}
        return lambda function: types.SimpleNamespace(
            options=lambda name: types.SimpleNamespace(remote=partial(self.send, function))
        )

    def send(self, function, setup, tile):
        self.tasks.append((function, setup, tile))
        return len(self.tasks) - 1

    def put(self, x):
        return x

    def cluster_resources(self):
        return {"CPU": self.places}

    def wait(self, refs, num_returns, timeout):
        return sorted(refs, reverse=True)[:num_returns], []

    def get(self, ref):
        function, setup, tile = self.tasks[ref]
        return function(setup, tile)

    def cancel(self, ref, force):
        self.cancelled.append(ref)


def collect(monkeypatch, size, places=2, width=4, before=lambda first: None, then=lambda n: None):
    """Doubles numbers on a pretended cluster: what arrived, and the cluster."""
    ray, stop, found = Pretended(places), threading.Event(), np.full(size, -1)
    monkeypatch.setattr("avax.engine.cluster.ray.connect", lambda address: ray)

    def double(setup, tile):
        assert len(tile[0]) == setup.width == width
        before(tile[0][0])
        return {"x": 2 * tile[0]}

    monkeypatch.setattr(worker, "run_tile", double)

    def on_tile(indices, metrics):
        assert (found[indices] == -1).all() and len(metrics["x"]) == len(indices)
        found[indices] = metrics["x"]
        then(stop)

    members = np.arange(size), {}, jax.random.split(jax.random.key(0), size)
    todo = tiles.tile_indices(size, width)
    try:
        Cluster("local", width, 0, stop).run_tiles(members, on_tile, todo)
        return ray, found, None
    except (Stopped, ClusterError, KeyError) as error:
        return ray, found, error


@pytest.mark.parametrize("size, places", [(25, 2), (4, 1), (1, 4), (25, 0), (25, 100)])
def test_every_member_is_run_once_and_padding_is_dropped(monkeypatch, size, places):
    ray, found, error = collect(monkeypatch, size, places)
    assert error is None and found.tolist() == [2 * i for i in range(size)]
    assert len(ray.tasks) == -(-size // 4) and ray.cancelled == []


def test_a_stop_hands_on_what_has_arrived_and_gives_up_the_rest(monkeypatch, capsys):
    """With two places four tiles are in flight; here all of them have arrived."""
    ray, found, error = collect(monkeypatch, 100, then=lambda stop: stop.set())
    assert isinstance(error, Stopped)
    assert (found >= 0).sum() == 16 and len(ray.tasks) == 4 and ray.cancelled == []
    monkeypatch.setattr(
        Pretended,
        "wait",
        lambda self, refs, num_returns, timeout: (
            sorted(refs)[:num_returns] if timeout else [],
            [],
        ),
    )
    ray, found, error = collect(monkeypatch, 100, then=lambda stop: stop.set())
    assert isinstance(error, Stopped)
    assert (found >= 0).sum() == 4 and ray.cancelled == [1, 2, 3]
    assert "3 tiles in flight are given up" in capsys.readouterr().err


def test_a_failure_is_one_line_and_ends_the_other_tiles(monkeypatch):
    def fail(first):
        if first == 8:
            raise Pretended.exceptions.RayTaskError

    ray, found, error = collect(monkeypatch, 100, before=fail)
    assert str(error) == "a tile failed: the tile is broken"
    assert isinstance(error, ClusterError) and ray.cancelled == [0, 1]  # all others had arrived

    def disk_is_full(stop):
        raise KeyError

    ray, found, error = collect(monkeypatch, 100, then=disk_is_full)
    assert isinstance(error, KeyError) and len(ray.cancelled) == 3


def test_ray_that_is_not_installed_is_named_before_anything_is_done(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=re.escape("pip install -e '.[ray]'")):
        validate(dataclasses.replace(SMALL, engine="ray"))


def test_an_address_where_nobody_listens_is_refused():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        check_port(f"127.0.0.1:{port}")
    with pytest.raises(ClusterError, match=f"ray_address: 127.0.0.1:{port}: can't be reached"):
        check_port(f"127.0.0.1:{port}")
    check_port("local")
    check_port("auto")


def test_the_commands_of_the_documentation_are_valid(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    text = (ROOT / "docs" / "clusters.md").read_text().replace("\\\n", "")
    commands = re.findall(r"python experiments/noise_phase_diagram.py (.*)", text)
    assert len(commands) == 6
    values = {"head": "head", "address": "head", "AVAX_COORDINATOR": "head:1", "SLURM_NTASKS": "4"}
    for command in commands:
        command = command.split("  #")[0]
        if (
            command[-1] in "\"'" and command.count(command[-1]) % 2
        ):  # a quote that was opened before the command
            command = command[:-1]
        command = re.sub(r"\\?\$\{?(\w+)\}?", lambda found: values.get(found[1], "3"), command)
        argv = shlex.split(command)
        if "--coordinator" in argv and "--process-id" not in argv:
            argv += ["--process-id", "0"]  # as on the line below it
        asked = cli.parse("x", "", noise.CHOICES, noise.build, argv)
        on_ray = (asked.sweep.engine, asked.sweep.placement) == ("ray", "tiles")
        assert on_ray or asked.place or asked.sweep.seed == 3


# A real cluster, all of it on this machine.

SIX = "--tile-width", "1", "--base.num-rounds", "40", "--segment", "10"  # six tiles

on_ray = [
    pytest.mark.slow,
    pytest.mark.skipif(not has_ray, reason="ray is not installed: pip install -e '.[ray]'"),
]


def slow(test):
    for mark in on_ray:
        test = mark(test)
    return test


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("ray")


@pytest.fixture(scope="module")
def alone(folder):
    """The bits of the local engine."""
    status, err = finish(start(folder, "alone", *SIX))
    assert status == 0, err
    return bits(folder, "alone")


@pytest.fixture(scope="module")
def nodes(folder):
    """The commands that hold a cluster of two nodes with one CPU each; the second is no head."""
    with pytest.MonkeyPatch.context() as patch, socket.create_server(("127.0.0.1", 0)) as free:
        patch.setenv("PYTHONPATH", str(ROOT))
        (folder / "link").symlink_to(folder / "cache")
        patch.setenv("AVAX_CACHE_DIR", str(folder / "link"))
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        address = f"127.0.0.1:{free.getsockname()[1]}"
        free.close()
        short = tempfile.mkdtemp(prefix="avax")  # names of sockets are short
        head = start_node("--head", f"--port={address[10:]}", f"--temp-dir={short}")
        found = types.SimpleNamespace(address=address, head=head)
        try:
            wait_for(lambda: is_open(address))
            found.other = start_node(f"--address={address}")
            yield found
        finally:
            for node in (p for name, p in vars(found).items() if name != "address"):
                kill(node)
            shutil.rmtree(short, ignore_errors=True)


def start_node(*flags) -> subprocess.Popen:
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--num-cpus=1", "--block"]
    none = subprocess.DEVNULL
    return subprocess.Popen([*command, *flags], stdin=none, stdout=none, stderr=none)


def kill(node: subprocess.Popen) -> None:
    """kill -9 of all processes of a node, its workers too."""
    services = children(node.pid)
    for pid in (node.pid, *services, *(pid for service in services for pid in children(service))):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    node.wait(60)


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def is_open(address) -> bool:
    try:
        check_port(address)
        return True
    except ClusterError:
        return False


def on(nodes) -> tuple[str, ...]:
    return *SIX, "--engine", "ray", "--ray-address", nodes.address


def children(pid: int) -> dict[int, str]:
    """The processes that a process has started, and what they call themselves."""
    found = {}
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            parent = (process / "stat").read_text().rpartition(")")[2].split()[1]
            if int(parent) == pid:
                found[int(process.name)] = (process / "cmdline").read_text().replace("\0", " ")
        except OSError:  # it has ended
            continue
    return found


def tiles_of(node) -> dict[int, int]:
    """The processes that work on tiles on a node, and the tiles' first members."""
    raylets = [pid for pid, name in children(node.pid).items() if "raylet/raylet" in name]
    workers = {pid: name for raylet in raylets for pid, name in children(raylet).items()}
    tiles = {pid: re.search(r"avax tile (\d+)", name) for pid, name in workers.items()}
    return {pid: int(tile[1]) for pid, tile in tiles.items() if tile}


@slow
def test_a_cluster_has_the_bits_of_the_local_engine(folder, alone, nodes):
    status, err = finish(start(folder, "cluster", *on(nodes)))
    assert status == 0 and "Traceback" not in err, err
    assert bits(folder, "cluster") == alone


@slow
def test_a_failure_of_a_worker_ends_in_one_line(folder, alone, nodes):
    """Workers find a file where compiled programs are to be kept."""
    (folder / "link").unlink()
    (folder / "link").touch()
    try:
        status, err = finish(start(folder, "failed", *on(nodes)))
    finally:
        (folder / "link").unlink()
        (folder / "link").symlink_to(folder / "cache")
    assert status == 2 and "Traceback" not in err, err
    expected = r"error: a tile failed: Not a directory: .*/link.*"
    assert re.fullmatch(expected, err.splitlines()[-1]), err


@slow
@pytest.mark.parametrize("first, then", [("ray", "local"), ("local", "ray")])
def test_either_engine_goes_on_with_what_the_other_began(folder, alone, nodes, first, then):
    out, flags = f"first-{first}", {"ray": on(nodes), "local": SIX}
    process = start(folder, out, *flags[first])
    wait_for(lambda: is_half_done(first, folder / out, nodes))
    process.send_signal(signal.SIGTERM)
    asked = time.monotonic()
    status, err = finish(process)
    print(f"ended after {time.monotonic() - asked:.2f} s")
    assert status == 143 and "stopped by SIGTERM" in err and "Traceback" not in err, err
    assert len(progress_file.read(folder / out)["runs"]) < 6
    status, err = finish(start(folder, out, *flags[then], "--resume", "must"))
    assert status == 0 and bits(folder, out) == alone, err


def is_half_done(engine, out, nodes) -> bool:
    """Whether a tile is saved; on a cluster, whether the third is begun, so that one is done."""
    if engine == "local":
        return (out / "checkpoints").is_dir()
    return any(tile > 1 for node in (nodes.head, nodes.other) for tile in tiles_of(node).values())


@slow
def test_a_node_that_is_killed_costs_only_its_tile(folder, alone, nodes):
    """kill -9 of its raylet and of the worker, while that works on a tile."""
    process = start(folder, "killed", *on(nodes))
    wait_for(lambda: tiles_of(nodes.other))
    time.sleep(random.Random(SEED).uniform(0, 0.5))
    assert len(tiles_of(nodes.other)) == 1
    kill(nodes.other)
    status, err = finish(process)
    assert status == 0 and "Traceback" not in err, err
    assert bits(folder, "killed") == alone
