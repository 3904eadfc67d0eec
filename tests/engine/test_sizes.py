"""Sizes beyond what the machine, XLA or 32 bits can do: refused in one line that names them."""

from __future__ import annotations

import dataclasses
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_sweeps import SMALL
from toys import UNITS

from avax import struct
from avax.engine import program
from avax.engine.program import Program, sized
from avax.engine.run import Engine
from avax.engine.segments import largest_sizes
from avax.fields import ConfigError

LARGEST = 2**31 - 1
AXES = {
    "verifier.fpr": tuple(np.linspace(0, 1, 99).tolist()),
    "verifier.fnr": tuple(np.linspace(0, 1, 101).tolist()),
}
MANY = dataclasses.replace(SMALL, axes=AXES, num_seeds=1, tile_width="all")


def refused(config, tmp_path) -> str:
    with pytest.raises(ConfigError) as found:
        Engine(tmp_path).prepare([config])
    (line,) = str(found.value).splitlines()
    return line


@pytest.fixture
def nothing_compiles(monkeypatch):
    monkeypatch.setattr(program, "compile_all", lambda *_: pytest.fail("compiles"))


@pytest.mark.usefixtures("nothing_compiles")
def test_runs_that_no_memory_holds_are_refused_before_they_are_compiled(tmp_path):
    line = refused(struct.replace(MANY, "base.learner.num_problems", 4_000_000), tmp_path)
    assert line.startswith(
        "tile_width: 9999 runs at a time (base.learner.num_problems = 4000000) need at least "
    )
    assert "is the widest that can fit" in line
    one = dataclasses.replace(MANY, tile_width="1")
    line = refused(struct.replace(one, "base.learner.num_problems", LARGEST), tmp_path)
    assert line.startswith("tile_width: 1 runs at a time (base.learner.num_problems = 2147483647)")
    assert line.endswith("; not even one run fits")


@pytest.mark.parametrize(
    "path, value",
    [
        ("pretraining.model.width", 4096 * 64),
        ("pretraining.num_snapshots", LARGEST),
        ("base.num_bases", 10**8),
    ],
)
@pytest.mark.parametrize("width", ["all", "auto"])
@pytest.mark.usefixtures("nothing_compiles")
def test_policies_that_no_memory_holds_are_refused_before_they_are_trained(
    path, value, width, tmp_path
):
    config = dataclasses.replace(struct.replace(MANY, path, value), tile_width=width)
    line = refused(config, tmp_path)
    assert path in line.partition(":")[0] or path.startswith("pretraining.model")
    assert " GB, this machine has " in line and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "path, value, width, why",
    [
        ("base.learner.batch_size", LARGEST, "1", "out of bounds for int32"),
        # Later versions of XLA compile it: what it needs is known then.
        ("base.learner.batch_size", 400_000, "all", "2147483647 scatter indices|GB on each device"),
    ],
)
def test_what_jax_or_xla_gives_up_on_is_refused(path, value, width, why, tmp_path):
    """Where tracing and compilation end."""
    config = dataclasses.replace(struct.replace(MANY, path, value), tile_width=width)
    line = refused(config, tmp_path)
    number = {"1": 1, "all": 9999}[width]
    assert line.startswith(f"tile_width: {number} runs at a time ({path} = {value}) ")
    assert re.search(why, line)


def test_policies_that_jax_gives_up_on_are_refused(tmp_path):
    config = struct.replace(SMALL, "pretraining.batch_size", LARGEST)
    with pytest.raises(ConfigError, match="^pretraining: 2 policies at a time .pretrain"):
        Engine(tmp_path).bases(config, config.base)


def test_what_a_device_has_no_memory_for_is_refused_as_it_runs():
    """64 TB: the process is not aborted either."""

    def square(x):
        return jnp.outer(jnp.arange(2.0**22) + x, jnp.arange(2.0**22))

    member = (np.zeros(1, np.float32),)
    with pytest.raises(ConfigError, match="^sizes: 1 members at a time are too large.*memory"):
        Program(square, member, 1)(UNITS[0], member)


def test_other_errors_stay_what_they_are():
    for error in (ValueError("too many values to unpack"), KeyError("x"), TypeError("overflow")):
        with pytest.raises(type(error)) as found, sized("tile_width: 1"):
            raise error
        assert found.value is error
    with pytest.raises(jax.errors.JaxRuntimeError), sized("tile_width: 1"):
        raise jax.errors.JaxRuntimeError("INTERNAL: a bug")
    with pytest.raises(ConfigError, match="tile_width: 1 are too large.*no memory is left"):
        with sized("tile_width: 1"):
            raise MemoryError


def test_the_largest_sizes_are_named():
    base = struct.replace(SMALL.base, "num_eval", 1000)
    assert largest_sizes("base", base) == "base.num_eval = 1000"
    both = struct.replace(base, "learner.batch_size", 100)
    found = largest_sizes("base", both).split(", ")
    assert sorted(found) == ["base.learner.batch_size = 100", "base.num_eval = 1000"]
    assert largest_sizes("base", struct.replace(both, "num_eval", 10**6)) == (
        "base.num_eval = 1000000"
    )


def test_auto_leaves_out_widths_that_are_too_large(toy, monkeypatch, tmp_path, capsys):
    def too_large(run, unit):
        if run.width > 1:
            raise ConfigError("too large")

    monkeypatch.setattr("avax.engine.width.check_memory", too_large)
    config = dataclasses.replace(SMALL, tile_width="auto")
    engine = Engine(tmp_path)
    settings = config.settings()
    bases = {"w": np.zeros((2, 1), np.float32)}
    assert engine._plan(config, settings, list(range(6)), bases).run.width == 1
