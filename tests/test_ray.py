"""Tiles as tasks of a Ray cluster have the bits of the local engine, whatever dies meanwhile."""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import pathlib
import pickle
import random
import re
import shutil
import signal
import socket
import tempfile
import threading
import time
import types

import jax
import numpy as np
import pytest
from test_killed import SEED, bits, finish, start, wait_for_tiles
from toys import SMALL, UNITS, toy_members

from avax.engine import cluster, tiles, worker
from avax.engine.cluster import Cluster, ClusterError
from avax.engine.segments import Run
from avax.engine.survival import Stopped
from avax.engine.validate import ConfigError, validate

ROOT = pathlib.Path(__file__).parents[1]
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
    expected = Run(members, 4)(UNITS[0], jax.tree.map(lambda x: x[4:8], members))
    packed, setup = worker.pack(members), worker.setup_here(4, 0)
    traced = len(toy)
    for indices in tiles.tile_indices(12, 4):
        found = worker.run_tile(setup, some(packed, indices))
        if indices[0] == 4:
            assert all((found[name] == expected[name]).all() for name in expected)
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
        self.places, self.tasks, self.cancelled, self.most = places, [], [], 0

    def remote(self, function):
        def send(setup, tile):
            self.tasks.append((function, setup, tile))
            self.most = max(self.most, len(self.tasks))
            return len(self.tasks) - 1

        task = types.SimpleNamespace(remote=send)
        task.options = lambda **how: task
        return task

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
    monkeypatch.setattr(cluster, "connect", lambda address: ray)

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
    assert isinstance(error, ClusterError) and len(ray.cancelled) == 3

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
        cluster.check_port(f"127.0.0.1:{port}")
    with pytest.raises(ClusterError, match=f"ray_address: 127.0.0.1:{port}: can't be reached"):
        cluster.check_port(f"127.0.0.1:{port}")
    cluster.check_port("local")
    cluster.check_port("auto")


# Real clusters, all on this machine.

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
    status, err = finish(start(folder, "alone"))
    assert status == 0, err
    return bits(folder, "alone")


@pytest.fixture(scope="module")
def nodes(folder):
    """A cluster of two nodes with one CPU each."""
    from ray.cluster_utils import Cluster

    short = tempfile.mkdtemp(prefix="avax")  # names of sockets are short
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("AVAX_CACHE_DIR", str(folder / "cache"))
        found = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "temp_dir": short})
        found.add_node(num_cpus=1)
        yield found
        found.shutdown()
    shutil.rmtree(short, ignore_errors=True)


def on(nodes) -> tuple[str, ...]:
    return "--engine", "ray", "--ray-address", nodes.address


def tiles_of(node) -> dict[int, int]:
    """The processes that work on tiles on a node, and the tiles' first members."""
    raylet, found = str(node.all_processes["raylet"][0].process.pid), {}
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            parent = (process / "stat").read_text().rpartition(")")[2].split()[1]
            tile = re.search(rb"avax tile (\d+)", (process / "cmdline").read_bytes())
        except OSError:  # it has ended
            continue
        if parent == raylet and tile:
            found[int(process.name)] = int(tile[1])
    return found


@slow
def test_a_cluster_has_the_bits_of_the_local_engine(folder, alone, nodes):
    status, err = finish(start(folder, "cluster", *on(nodes)))
    assert status == 0 and "Traceback" not in err, err
    assert bits(folder, "cluster") == alone


@slow
def test_a_failure_on_a_node_ends_in_one_line(folder, alone, nodes):
    node = nodes.add_node(num_cpus=1, env_vars={"AVAX_CACHE_DIR": "/dev/null/nothing"})
    try:
        status, err = finish(start(folder, "failed", *on(nodes)))
    finally:
        nodes.remove_node(node)
    assert status == 2 and "Traceback" not in err, err
    assert re.fullmatch(r"error: a tile failed: .*/dev/null.*", err.splitlines()[-1]), err


@slow
@pytest.mark.parametrize("first, then", [("ray", "local"), ("local", "ray")])
def test_either_engine_goes_on_with_what_the_other_began(folder, alone, nodes, first, then):
    out, flags = f"first-{first}", {"ray": on(nodes), "local": ()}
    process = start(folder, out, *flags[first])
    wait_for_tiles(process, folder / out) if first == "local" else wait_for_tasks(process, nodes)
    process.send_signal(signal.SIGTERM)
    asked = time.monotonic()
    status, err = finish(process)
    print(f"ended after {time.monotonic() - asked:.2f} s")
    assert status == 143 and "stopped by SIGTERM" in err and "Traceback" not in err, err
    status, err = finish(start(folder, out, *flags[then], "--resume", "must"))
    assert status == 0 and bits(folder, out) == alone, err


def wait_for_tasks(process, nodes):
    while process.poll() is None and not any(tiles_of(node) for node in nodes.list_all_nodes()):
        time.sleep(0.01)


@slow
def test_a_node_that_is_killed_costs_only_its_tile(folder, alone, nodes):
    """kill -9 of its raylet and of the worker, while that works on a tile."""
    (node,) = nodes.worker_nodes
    process = start(folder, "killed", *on(nodes))
    while process.poll() is None and not tiles_of(node):
        time.sleep(0.01)
    time.sleep(random.Random(SEED).uniform(0, 0.5))
    assert (killed := tiles_of(node))
    raylet = node.all_processes["raylet"][0].process
    for pid in (raylet.pid, *killed):
        os.kill(pid, signal.SIGKILL)
    status, err = finish(process)
    assert status == 0 and "Traceback" not in err, err
    assert bits(folder, "killed") == alone
