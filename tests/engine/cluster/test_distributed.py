"""One program in two processes, one of which may be stopped, killed or mistaken."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest
from tiny_runs import SCRIPT, bits, finish, rounds_done

from avax.results import progress_file

CORES = sorted(os.sched_getaffinity(0))[:2] if hasattr(os, "sched_getaffinity") else []
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(len(CORES) < 2, reason="needs two cores that processes can be bound to"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Has a folder for each process: what is written in it, the other does not see."""
    folder = tmp_path_factory.mktemp("distributed")
    (folder / "0").mkdir()
    (folder / "1").mkdir()
    return folder


def start(folder, out, cores, process=0, argv=(), **environment) -> subprocess.Popen:
    """The tiny sweep with an XLA device for each of some cores."""
    words = ["--out", out, "--bases", "bases", "--placement", "spmd", *argv]
    return subprocess.Popen(
        [sys.executable, SCRIPT, *words],
        cwd=folder / str(process),
        env=os.environ
        | {"AVAX_CACHE_DIR": str(folder / "cache"), "TINY_CORES": " ".join(map(str, cores))}
        | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def start_two(folder, out, *argv, also=(), **environment) -> list[subprocess.Popen]:
    """Both processes; `also` are flags of the second, the environment is the first one's."""
    address = f"127.0.0.1:{free_port()}"
    words = ["--coordinator", address, "--num-processes", "2", *argv, "--process-id"]
    return [
        start(folder, out, CORES[:1], 0, [*words, "0"], **environment),
        start(folder, out, CORES[1:], 1, [*words, "1", *also]),
    ]


@pytest.fixture(scope="module")
def alone(folder):
    """The bits of one process with two devices."""
    status, err = finish(start(folder, "alone", CORES))
    assert status == 0, err
    return bits(folder / "0", "alone")


def test_two_processes_have_the_bits_of_one(folder, alone):
    first, second = start_two(folder, "two")
    (out, err), (nothing, said) = (process.communicate(timeout=180) for process in (first, second))
    assert (first.returncode, second.returncode) == (0, 0), err + said
    assert bits(folder / "0", "two") == alone
    provenance = json.loads((folder / "0" / "two" / "provenance.json").read_text())
    assert provenance["device"].startswith("2 x ") and "done" in out
    # Either may go on with what the other began.
    facts = [progress_file.read(folder / "0" / name)["facts"] for name in ("two", "alone")]
    assert facts[0] == facts[1] and facts[0]["num_devices"] == 2
    # The other has written and said nothing, its library for collectives has.
    assert list((folder / "1").iterdir()) == [] and said == ""
    assert all(line.startswith("[Gloo]") for line in nothing.splitlines())


def test_stopped_and_killed_they_go_on(folder, alone):
    """Whichever it happens to, the other ends as well, and the same commands go on."""
    out = folder / "0" / "again"
    for which, number in ((1, signal.SIGTERM), (0, signal.SIGKILL), (1, signal.SIGKILL), (0, 0)):
        both, before = start_two(folder, "again"), rounds_done(out)
        while number and both[0].poll() is None and rounds_done(out) <= before:
            time.sleep(0.005)
        both[which].send_signal(number)
        sent = time.monotonic()
        ended = [finish(process) for process in both]
        print(f"process {which} was sent {number}, after {time.monotonic() - sent:.1f} s: {ended}")
        assert rounds_done(out) > before
        if number == signal.SIGTERM:
            assert [status for status, _ in ended] == [143, 143]
            assert all("stopped by SIGTERM; " in err for _, err in ended)
        elif number:
            status, err = ended[1 - which]
            assert status not in (0, -number) and err and time.monotonic() - sent < 60
        assert not any("Traceback" in err for _, err in ended)
    assert [status for status, _ in ended] == [0, 0]
    assert bits(folder / "0", "again") == alone


def test_what_two_processes_have_done_grows(folder, alone):
    """The first alone has files; tiles are on all devices, and hold other runs than at once."""
    flags = ("--num-seeds", "3")
    assert finish(start(folder, "more", CORES))[0] == 0
    (status, err), (other, _) = map(finish, start_two(folder, "more", *flags))
    assert (
        status == other == 0 and "more: 6 of 18 runs are there, grows from 1 to 3 num_seeds" in err
    ), err
    status, err = finish(start(folder, "at-once", CORES, argv=flags))
    assert status == 0 and bits(folder / "0", "more") == bits(folder / "0", "at-once"), err


def test_an_error_of_the_first_ends_both_in_a_line(folder, alone):
    """No file may grow beyond some thousand bytes: checkpoints don't fit."""
    both = start_two(folder, "full", TINY_FILE_BYTES="6000")
    (status, err), (other, said) = map(finish, both)
    assert (status, other) == (2, 2), err + said
    line = err.splitlines()[-1]
    assert line.startswith("error: full") and "can't be written" in line
    assert said.splitlines() == [f"process 0: {line}"]


def test_different_flags_are_refused(folder):
    for process in start_two(folder, "different", also=["--axes.fpr", "0,0.5"]):
        status, err = finish(process)
        assert status == 2 and "different flags" in err and len(err.splitlines()) == 1, err


def test_others_that_do_not_come_are_not_waited_for():
    code = (
        "from avax.engine.cluster import processes; processes.JOIN_SECONDS = 2\n"
        "processes.join(processes.Place('127.0.0.1:{}', 2, {}), [])"
    )
    began, where = time.monotonic(), SCRIPT.parents[1]
    ended = [
        subprocess.Popen(
            [sys.executable, "-c", code.format(free_port(), process)],
            cwd=where,
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for process in (0, 1)
    ]
    for process, (status, err) in enumerate(map(finish, ended)):
        (line,) = err.splitlines()
        assert status == 2 and line.startswith(f"error: process {process} did not meet the 1 other")
    assert time.monotonic() - began < 60
