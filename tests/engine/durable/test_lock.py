"""Locks between processes: one at a time, whoever dies lets go."""

from __future__ import annotations

import errno
import os
import pathlib
import subprocess
import sys

import pytest

from avax.engine.durable import lock
from avax.results import ResultsError

ROOT = pathlib.Path(__file__).parents[3]
COUNT = """
import pathlib, sys
from avax.engine.durable import lock

folder, counter = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[1]) / "counter"
print("ready", flush=True)
sys.stdin.readline()
for _ in range(50):
    with lock.hold(folder, "one.lock", on_wait=lambda owner: None):
        number = int(counter.read_text())
        counter.write_text("")  # whoever comes in now fails
        counter.write_text(str(number + 1))
"""
HOLD = """
import pathlib, sys
from avax.engine.durable import lock

with lock.hold(pathlib.Path(sys.argv[1])):
    print("ready", flush=True)
    sys.stdin.readline()
"""


def start(script: str, folder: pathlib.Path) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", script, folder],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_of_many_processes_one_at_a_time_holds_it(tmp_path):
    (tmp_path / "counter").write_text("0")
    processes = [start(COUNT, tmp_path) for _ in range(4)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=120)
    assert [process.returncode for process in processes] == [0] * 4
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"counter": "200"}


def test_a_process_that_is_killed_lets_go(tmp_path):
    process = start(HOLD, tmp_path)
    assert process.stdout.readline() == "ready\n"
    with pytest.raises(ResultsError, match=f"in use by process {process.pid} on "):
        lock.hold(tmp_path).__enter__()
    process.kill()
    process.communicate()
    with lock.hold(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_disk_without_locks_is_refused(tmp_path, monkeypatch):
    """A file that stands for a lock would outlive a process that is killed."""

    def refuse(file, how):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(pytest.importorskip("fcntl"), "flock", refuse)
    with pytest.raises(ResultsError, match="can't be written to: Function not implemented"):
        lock.hold(tmp_path).__enter__()
