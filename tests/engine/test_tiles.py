"""Tiles: every member is run once, wherever, and compiled once."""

from __future__ import annotations

import dataclasses
import signal
import threading
import time
from functools import partial

import jax
import numpy as np
import pytest
from small_sweeps import BASE, GRID, PRETRAINING, SMALL
from toys import BOTH, UNITS, toy_members

from avax import struct
from avax.engine import bases as engine_bases
from avax.engine import tiles
from avax.engine.program import Program
from avax.engine.run import Engine
from avax.engine.segments import Run
from avax.engine.width import AUTO_WIDTHS, choose_width, known_width, measured_width
from avax.policies.pretrain import pretrain
from avax.results import folders


def test_units_of_both_placements():
    assert tiles.make_units("spmd", jax.devices(), 9) == BOTH
    assert tiles.make_units("tiles", jax.devices(), 9) == UNITS
    for placement in ("spmd", "tiles"):
        assert tiles.make_units(placement, jax.devices(), 1) == UNITS[:1]


def test_a_tile_of_a_unit_holds_a_tile_of_each_device():
    program = Double(4)
    assert collect(program, 25, BOTH).tolist() == [2 * i for i in range(25)]
    assert [len(values) for _, _, values in program.calls] == [8, 8, 8, 8]


def test_an_argument_without_effect_is_spread_over_devices_too():
    """The compiler removes it and forgets where it was."""
    pair = np.arange(4, dtype=np.float32), np.ones(4, np.float32)

    def function(x, y):
        return jax.lax.scan(lambda total, _: (total + (y > 1) * 0, None), x, length=3)[0]

    program = Program(function, pair, 2)
    assert program(BOTH[0], pair).tolist() == [0.0, 1.0, 2.0, 3.0]


@pytest.mark.parametrize("size, width", [(25, 4), (24, 4), (1, 4), (3, 1), (5, 5)])
def test_tiles_hold_every_member_once(size, width):
    found = tiles.tile_indices(size, width)
    assert np.concatenate(found).tolist() == list(range(size))
    assert all(len(indices) == width for indices in found[:-1])
    assert 1 <= len(found[-1]) <= width


class Double:
    """A program that doubles numbers, and notes who called it with what."""

    def __init__(self, width, before=lambda values: None):
        self.width, self.before, self.calls = width, before, []

    def __call__(self, unit, members):
        (values,) = members
        self.calls.append((unit, threading.current_thread(), values.tolist()))
        self.before(values)
        return {"x": 2 * values}


def collect(program, size, units) -> np.ndarray:
    found = np.full(size, -1)

    def on_tile(indices, metrics):
        assert (found[indices] == -1).all() and len(metrics["x"]) == len(indices)
        found[indices] = metrics["x"]

    tiles.run_tiles(program, (np.arange(size),), units, on_tile)
    return found


@pytest.mark.parametrize("num_devices", [1, 2])
@pytest.mark.parametrize("size, width", [(25, 4), (4, 4), (1, 4), (2, 1)])
def test_every_member_is_run_once_and_padding_is_dropped(size, width, num_devices):
    program = Double(width)
    found = collect(program, size, UNITS[:num_devices])
    assert found.tolist() == [2 * i for i in range(size)]
    assert len(program.calls) == -(-size // width)
    assert all(len(values) == width for _, _, values in program.calls)


def test_devices_work_at_the_same_time():
    barrier = threading.Barrier(2, timeout=60)
    program = Double(1, before=lambda values: barrier.wait())
    collect(program, 2, UNITS)
    assert {unit for unit, _, _ in program.calls} == set(UNITS)


def test_no_device_begins_a_tile_before_its_last_one_was_handed_on():
    """Or a process that is killed could lose two tiles of a device."""
    in_flight, handing_on = {}, []

    def on_tile(indices, metrics):
        handing_on.append(indices)
        time.sleep(0.001)  # for others to run into it
        assert len(handing_on) == 1
        del in_flight[threading.current_thread()], handing_on[0]

    def begin(values):
        assert in_flight.setdefault(threading.current_thread(), values) is values

    tiles.run_tiles(Double(1, before=begin), (np.arange(40),), UNITS, on_tile)
    assert not in_flight


@pytest.mark.parametrize("devices", [slice(0, 1), slice(0, 2)])
def test_an_error_in_a_tile_is_raised_in_the_caller(devices):
    def fail(values):
        if 5 in values:
            raise RuntimeError("tile 1 is broken")

    program = Double(4, before=fail)
    with pytest.raises(RuntimeError, match="tile 1 is broken"):
        collect(program, 400, UNITS[devices])
    assert not any(thread.is_alive() for _, thread, _ in program.calls)


def test_an_error_of_the_caller_stops_the_devices():
    program = Double(1)

    def on_tile(indices, metrics):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tiles.run_tiles(program, (np.arange(100_000),), UNITS, on_tile)
    assert len(program.calls) < 100_000
    assert not any(thread.is_alive() for _, thread, _ in program.calls)


def test_a_signal_is_handled_while_tiles_run_whichever_thread_is_given_it():
    handled = threading.Event()
    before = signal.signal(signal.SIGUSR1, lambda *_: handled.set())

    def begin(values):
        time.sleep(0.2)  # until the caller waits
        signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
        assert handled.wait(20)

    try:
        assert collect(Double(1, before=begin), 1, UNITS).tolist() == [0]
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_a_sweep_over_leaves_is_traced_once(toy):
    members = toy_members(GRID)
    program = Run(members, 4)
    program.compile_all(UNITS)
    for _ in range(2):
        tiles.run_tiles(program, members, UNITS, lambda indices, metrics: None)
    assert len(toy) == 1


def test_prepared_programs_are_those_that_run(toy, tmp_path):
    """One trace for each structure, of the shapes that the bases have; nothing is trained yet."""
    others = [
        dataclasses.replace(SMALL, optimization=0),
        struct.replace(SMALL, "base.num_rounds", 3),
    ]
    auto = dataclasses.replace(SMALL, tile_width="auto", seed=5)
    engine = Engine(tmp_path / "bases")
    engine.prepare([SMALL, *others, dataclasses.replace(SMALL, seed=3), auto])
    assert len(toy) == 3 and not (tmp_path / "bases").exists()
    for i, config in enumerate([SMALL, *others]):
        out = tmp_path / str(i)
        folders.claim(out, struct.to_dict(config), config.digest())
        engine.execute(config, out)
    assert len(toy) == 3


def test_shapes_of_bases_are_those_of_pretraining():
    config = dataclasses.replace(SMALL, pretraining=PRETRAINING.replace(num_snapshots=3))
    experiment = BASE.replace(num_bases=2)
    train = partial(pretrain, config.pretraining, BASE.task, 2)
    found = engine_bases.base_shapes(config, experiment)
    expected = jax.eval_shape(train, jax.random.key(0))[0]
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    lead = (config.num_seeds + 1,)
    shapes = jax.tree.map(
        lambda f, e: f.shape == lead + e.shape and f.dtype == e.dtype, found, expected
    )
    assert all(jax.tree.leaves(shapes))


@pytest.mark.parametrize("num_devices, widths", [(1, {1, 2}), (2, {1})])
def test_auto_width_is_one_that_was_measured(toy, capsys, num_devices, widths):
    config = dataclasses.replace(SMALL, axes={"verifier.fpr": (0.0, 1.0)}, num_seeds=1)
    width, line = choose_width(toy_members(config), 2, jax.devices()[:num_devices])
    assert width in widths and line.startswith(f"auto: {width} ")
    assert len(toy) == len(widths)
    assert all(f"{w}: " in line for w in widths)


def test_tile_width_settings(toy, capsys):
    assert [known_width(w, 12) for w in ("all", "5", "500", "auto")] == [12, 5, 12, None]
    assert measured_width(toy_members(SMALL), 12, jax.devices()) in AUTO_WIDTHS
    assert capsys.readouterr().err.startswith("tile width auto: ")
