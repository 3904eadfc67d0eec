"""Pretraining in segments: the bits of one program, and an end at once when it is asked for."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import time

import jax
import numpy as np
import pytest
from small_sweeps import BASE, PRETRAINING

from avax.engine import pretraining
from avax.policies import pretrain

TESTS = pathlib.Path(__file__).parents[1]
TRAINED = PRETRAINING.replace(num_updates=13, num_snapshots=3)  # 15 updates, in fact


def trained(monkeypatch, first, seconds):
    """Snapshots and losses of three policies, and what was shown; segments as they are told."""
    monkeypatch.setattr(pretraining, "FIRST", first)
    monkeypatch.setattr(pretraining, "SECONDS", seconds)
    keys = jax.random.split(jax.random.key(5), 3)
    return pretraining.train(TRAINED, BASE.task, 2, keys, 2)


def test_the_length_of_segments_changes_no_bit(monkeypatch, capsys):
    whole = trained(monkeypatch, 15, 1e9)
    assert whole[1].shape == (3, 3) and jax.tree.leaves(whole[0])[0].shape[:2] == (3, 3)
    done = capsys.readouterr().err.splitlines()
    assert done[-1].startswith("15/15 updates, ") and done[-1].endswith("base policies")
    jax.tree.map(np.testing.assert_array_equal, trained(monkeypatch, 2, 0), whole)


def test_each_of_its_programs_is_traced_once(monkeypatch):
    traces = []
    advance = pretrain.advance
    monkeypatch.setattr(pretrain, "advance", lambda *a: traces.append(1) or advance(*a))
    trained(monkeypatch, 1, 0)
    assert len(traces) == 1


AS_USERS_COMPILE_IT = """
import sys
from functools import partial
from avax.engine import platform
platform.configure(cache=False)
import jax, numpy as np
from small_sweeps import BASE, PRETRAINING
from avax.policies import pretrain
from avax.engine import pretraining, tiles
from avax.engine.program import Program

keys = jax.random.split(jax.random.key(5), 2)
for num_snapshots in (1, 4):
    config = PRETRAINING.replace(num_snapshots=num_snapshots)
    whole = partial(pretrain.pretrain, config, BASE.task, 2)
    whole = tiles.run_all(Program(whole, (keys,), 2, 2), (keys,), [(jax.devices()[0],)])
    pretraining.FIRST, pretraining.SECONDS = 7, 0.1
    found = pretraining.train(config, BASE.task, 2, keys, 2)
    jax.tree.map(np.testing.assert_array_equal, found, whole)
"""


@pytest.mark.slow
def test_segments_have_the_bits_of_one_program():
    environment = os.environ | {"PYTHONPATH": f"{TESTS.parent}{os.pathsep}{TESTS}"}
    environment.pop("XLA_FLAGS", None)
    ended = subprocess.run(
        [sys.executable, "-c", AS_USERS_COMPILE_IT],
        env=environment, capture_output=True, text=True, timeout=500,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr


@pytest.mark.slow
def test_an_interrupt_of_pretraining_ends_at_once_and_leaves_the_terminal_as_it_was(tmp_path):
    terminal, inner = pytest.importorskip("pty").openpty()
    process = subprocess.Popen(
        [sys.executable, TESTS / "tiny_sweep.py", "--pretraining.num-updates", "3000000"],
        cwd=tmp_path,
        env=os.environ | {"AVAX_CACHE_DIR": str(tmp_path / "cache"), "TERM": "xterm"},
        stdin=inner, stdout=inner, stderr=inner,
    )  # fmt: skip
    os.close(inner)
    shown, asked = b"", None
    with contextlib.suppress(OSError):  # at its end
        while more := os.read(terminal, 2**16):
            shown += more
            if asked is None and b"/3000000 updates, " in shown:
                process.send_signal(signal.SIGINT)
                asked = time.monotonic()
    os.close(terminal)
    assert process.wait(timeout=10) == 130 and time.monotonic() - asked < 5
    assert b"stopped by SIGINT; the same command goes on" in shown
    assert b"\x1b[?25l" not in shown  # the cursor is never hidden
