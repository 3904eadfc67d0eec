"""One program in two processes, one of which may be stopped, killed or mistaken."""

from __future__ import annotations

import json
import os
import pathlib
import resource
import signal
import socket
import subprocess
import sys
import time

import pytest
from test_killed import bits, finish, rounds_done, wait_for_tiles

CORES = sorted(os.sched_getaffinity(0))[:2] if hasattr(os, "sched_getaffinity") else []
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(len(CORES) < 2, reason="needs two cores that processes can be bound to"),
]
SCRIPT = pathlib.Path(__file__).with_name("tiny_sweep.py")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Has a folder for each process: what is written in it, the other does not see."""
    folder = tmp_path_factory.mktemp("distributed")
    (folder / "0").mkdir()
    (folder / "1").mkdir()
    return folder


def start(folder, out, cores, process=0, argv=(), before=lambda: None) -> subprocess.Popen:
    """The tiny sweep with an XLA device for each of some cores."""

    def bind():
        os.sched_setaffinity(0, cores)
        before()

    words = ["--out", out, "--bases", "bases", "--placement", "spmd", *argv]
    return subprocess.Popen(
        [sys.executable, SCRIPT, *words],
        cwd=folder / str(process),
        env=os.environ | {"AVAX_CACHE_DIR": str(folder / "cache")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=bind,
    )


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def start_two(folder, out, *argv, before=lambda: None, also=()) -> list[subprocess.Popen]:
    """Both processes; `before` happens in the first, `also` are flags of the second."""
    address = f"127.0.0.1:{free_port()}"
    words = ["--coordinator", address, "--num-processes", "2", *argv, "--process-id"]
    return [
        start(folder, out, CORES[:1], 0, [*words, "0"], before),
        start(folder, out, CORES[1:], 1, [*words, "1", *also]),
    ]


@pytest.fixture(scope="module")
def alone(folder):
    """The bits of one process with two devices."""
    status, err = finish(start(folder, "alone", CORES))
    assert status == 0, err
    return bits(folder / "0", "alone")


def go_on(folder, out, alone):
    """The same commands come to the end with the bits of one process."""
    for process in start_two(folder, out, "--resume", "must"):
        status, err = finish(process)
        assert status == 0, err
    assert bits(folder / "0", out) == alone


def test_two_processes_have_the_bits_of_one(folder, alone):
    first, second = start_two(folder, "two")
    (out, err), (nothing, said) = (process.communicate(timeout=180) for process in (first, second))
    assert (first.returncode, second.returncode) == (0, 0), err + said
    assert bits(folder / "0", "two") == alone
    provenance = json.loads((folder / "0" / "two" / "provenance.json").read_text())
    assert provenance["device"].startswith("2 x ") and "done" in out
    # The other has written and said nothing, its library for collectives has.
    assert list((folder / "1").iterdir()) == [] and said == ""
    assert all(line.startswith("[Gloo]") for line in nothing.splitlines())


@pytest.mark.parametrize("which", [0, 1])
def test_a_signal_to_one_stops_both_after_the_same_segment(folder, alone, which):
    out = f"signal-{which}"
    both = start_two(folder, out)
    wait_for_tiles(both[0], folder / "0" / out)
    both[which].send_signal(signal.SIGTERM)
    for process in both:
        status, err = finish(process)
        assert status == 143 and "stopped by SIGTERM; all is saved" in err, err
        assert "Traceback" not in err
    assert rounds_done(folder / "0" / out) >= 1
    if which:
        go_on(folder, out, alone)
    else:  # one process goes on with what two have begun
        status, err = finish(start(folder, out, CORES, 0, ["--resume", "must"]))
        assert status == 0 and bits(folder / "0", out) == alone, err


@pytest.mark.parametrize("which", [0, 1])
def test_the_other_ends_when_one_is_killed(folder, alone, which):
    out = f"killed-{which}"
    both = start_two(folder, out)
    wait_for_tiles(both[0], folder / "0" / out)
    both[which].kill()
    killed = time.monotonic()
    status, err = finish(both[1 - which])
    print(f"ended after {time.monotonic() - killed:.2f} s, status {status}: {err}")
    assert status != 0 and err and time.monotonic() - killed < 60
    finish(both[which])
    go_on(folder, out, alone)


def test_an_error_of_the_first_ends_both_in_a_line(folder, alone):
    """No file may grow beyond some thousand bytes: checkpoints don't fit."""

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))

    (status, err), (other, said) = map(finish, start_two(folder, "full", before=limit))
    assert (status, other) == (2, 2), err + said
    line = err.splitlines()[-1]
    assert line.startswith("error: full") and "can't be written" in line
    assert said.splitlines() == [f"process 0: {line}"]


def test_different_flags_are_refused(folder):
    for process in start_two(folder, "different", also=["--axes.fpr", "0,0.5"]):
        status, err = finish(process)
        assert status == 2 and "different flags" in err and len(err.splitlines()) == 1, err


def test_others_that_do_not_come_are_not_waited_for(folder):
    for process in "0", "1":
        code = (
            "from avax.engine import cluster; cluster.JOIN_SECONDS = 2\n"
            f"cluster.join(cluster.Cluster('127.0.0.1:{free_port()}', 2, {process}), [])"
        )
        began = time.monotonic()
        ended = subprocess.run(
            [sys.executable, "-c", code],
            cwd=SCRIPT.parents[1],
            capture_output=True,
            text=True,
            timeout=100,
        )
        print(f"process {process} ended after {time.monotonic() - began:.1f} s: {ended.stderr}")
        assert "did not meet the others" in ended.stderr
