"""A sweep that is killed, stopped or damaged ends with the bits of one that is left alone."""

from __future__ import annotations

import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import time

import pytest
from tiny_runs import SEED, bits, bits_of, finish, rounds_done, start

from avax import results
from avax.results import progress_file

pytestmark = pytest.mark.slow
FULL = "AVAX_TEST_FULL" in os.environ
NUM_KILLS, NUM_SIGNALS, NUM_RACES = (24, 10, 20) if FULL else (2, 1, 1)
NUM_DAMAGES = 8 if FULL else 2
HOWS = ("flip", "truncate", "empty", "delete")
NUM_SEGMENTS = 3 * 7  # of the tiny sweep: its tiles, its rounds
NUM_UNITS = len(os.sched_getaffinity(0))  # that run a tile each


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the runs are started; compiled programs and base policies are shared."""
    return tmp_path_factory.mktemp("killed")


@pytest.fixture(scope="module")
def alone(folder):
    """The bits of a run that nothing happens to, in one segment."""
    status, err = finish(start(folder, "alone", "--segment", "auto"))
    assert status == 0, err
    return bits(folder, "alone")


def num_segments(folder: pathlib.Path, out: str) -> int:
    """Segments that all processes together have begun."""
    return len((folder / f"{out}.segments").read_text().splitlines())


def wait_for_tiles(process: subprocess.Popen, out: pathlib.Path) -> None:
    """Until the first tile is saved or done."""
    while process.poll() is None and not (out / "checkpoints").is_dir():
        time.sleep(0.005)


@pytest.mark.parametrize("time_number", range(NUM_KILLS))
def test_killed_at_any_moment(folder, alone, time_number):
    """Before, between and in the middle of saves, once or twice. Nothing is cleaned up by hand."""
    print(f"AVAX_TEST_SEED={SEED}")
    out = f"killed-{time_number}"
    chance, before, num_kills = random.Random(f"{SEED} {out}"), 0, 1 + time_number % 2
    for _ in range(num_kills):
        process = start(folder, out)
        if time_number % 4:
            wait_for_tiles(process, folder / out)
            time.sleep(chance.uniform(0, 0.7))
        else:
            time.sleep(chance.uniform(0, 8.0))
        process.kill()
        finish(process)
        now = rounds_done(folder / out)
        assert now >= before
        before = now
    status, err = finish(start(folder, out))
    assert status == 0 and "is damaged" not in err, err  # incomplete it may be
    assert bits(folder, out) == alone
    lost = num_segments(folder, out) - NUM_SEGMENTS
    print(f"{before} of {NUM_SEGMENTS} rounds were done, {lost} lost")
    assert lost <= num_kills * NUM_UNITS  # the one in flight of each unit


@pytest.mark.parametrize("number, status", [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
@pytest.mark.parametrize("time_number", range(NUM_SIGNALS))
def test_a_signal_saves_and_the_same_command_goes_on(folder, alone, number, status, time_number):
    """Nothing is run twice."""
    out = f"signal-{status}-{time_number}"
    process = start(folder, out)
    wait_for_tiles(process, folder / out)
    time.sleep(random.Random(f"{SEED} {out}").uniform(0, 0.3))
    asked = time.monotonic()
    process.send_signal(number)
    ended, err = finish(process)
    print(f"ended after {time.monotonic() - asked:.2f} s")
    assert ended == status, err
    assert f"stopped by {number.name}" in err and "tiny_sweep.py" in err and "Traceback" not in err
    assert rounds_done(folder / out) >= 1 and not (folder / out / ".lock").exists()
    ended, err = finish(start(folder, out, "--resume", "must"))
    assert ended == 0 and bits(folder, out) == alone
    assert num_segments(folder, out) == NUM_SEGMENTS


def test_a_second_interrupt_ends_at_once(folder, alone):
    process = start(folder, "twice")
    wait_for_tiles(process, folder / "twice")
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    assert finish(process)[0] == 130
    assert finish(start(folder, "twice"))[0] == 0 and bits(folder, "twice") == alone


@pytest.mark.parametrize("time_number", range(NUM_RACES))
def test_two_processes_on_one_folder(folder, alone, time_number):
    """Exactly one proceeds; the other names it."""
    out = f"shared-{time_number}"
    one, other = start(folder, out), start(folder, out)
    ended = sorted((finish(process), process.pid) for process in (one, other))
    ((status, _), owner), ((refused, err), _) = ended
    assert (status, refused) == (0, 2)
    (line,) = err.splitlines()
    assert out in line and f"process {owner} on " in line
    assert bits(folder, out) == alone


@pytest.mark.parametrize("time_number", range(NUM_RACES))
def test_two_experiments_on_one_folder(folder, alone, time_number):
    """Exactly one proceeds, though no part of one is a part of the other; so it stays."""
    out = f"two-{time_number}"
    names = ("one", "other")
    processes = {name: start(folder, out, TINY_NAME=name) for name in names}
    ended = {name: finish(process) for name, process in processes.items()}
    assert sorted(status for status, _ in ended.values()) == [0, 2], ended
    first, second = sorted(names, key=lambda name: ended[name][0])
    (line,) = ended[second][1].splitlines()
    assert out in line and ("in use by" in line or f"is the folder of {first}" in line)
    left = {p.name for p in (folder / out).iterdir()}
    assert left == {first, "experiment.json", "figure.png", "figure.pdf"}
    status, err = finish(start(folder, out, TINY_NAME=second))
    assert (status, err.count("\n")) == (2, 1) and f"is the folder of {first}" in err
    assert bits_of(folder / out / first) == alone


def test_more_seeds_and_values_are_added_to_what_is_there(folder, alone):
    """Of one that was killed, and of one that is finished; they have the bits of one run."""
    process = start(folder, "more")
    wait_for_tiles(process, folder / "more")
    process.kill()
    finish(process)
    before = len((progress_file.read(folder / "more") or {"runs": ()})["runs"])
    flags = ("--num-seeds", "3", "--axes.fpr", "0,0.25,0.5,1")
    status, err = finish(start(folder, "more", *flags))
    words = "grows from 3 to 4 values of verifier.fpr and from 1 to 3 num_seeds"
    assert status == 0 and f"more: {before} of 24 runs are there, {words}" in err, err
    assert finish(start(folder, "at-once", *flags, "--segment", "auto"))[0] == 0
    assert bits(folder, "more") == bits(folder, "at-once")
    status, err = finish(start(folder, "more"))
    assert status == 2 and "num_seeds: 3 -> 1" in err and len(err.splitlines()) == 1
    shutil.copytree(folder / "alone", folder / "kept-alone")
    status, err = finish(start(folder, "alone", *flags, "--resume", "must"))
    assert status == 0 and "alone: 6 of 24 runs are there" in err
    assert bits(folder, "alone") == bits(folder, "at-once")
    assert finish(start(folder, "alone", "--resume", "never"))[0] == 2
    shutil.rmtree(folder / "alone")  # as it was, for the other tests
    (folder / "kept-alone").rename(folder / "alone")


def test_a_full_disk_ends_in_one_line_and_can_be_gone_on_from(folder, alone):
    """No file may grow beyond some thousand bytes: checkpoints don't fit."""
    bits(folder, "alone")
    process = start(folder, "full", TINY_FILE_BYTES="6000")
    status, err = finish(process)
    assert status == 2, err
    line = err.splitlines()[-1]
    assert re.search(r"error: \S*full\S*: can't be written.* needs [\d,]+ bytes", line), err
    assert finish(start(folder, "full"))[0] == 0 and bits(folder, "full") == alone


def test_damage_to_any_file_is_repaired_or_refused(folder, alone):
    """Checkpoints and results of a stopped run: bits flipped, files truncated, emptied, deleted;
    in each start some in each way.
    """
    process = start(folder, "damaged")
    wait_for_tiles(process, folder / "damaged")
    while rounds_done(folder / "damaged") < 11 and process.poll() is None:
        time.sleep(0.01)
    process.kill()
    finish(process)
    chance, kept = random.Random(SEED), folder / "kept"
    shutil.copytree(folder / "damaged", kept)
    for number in range(NUM_DAMAGES):
        shutil.rmtree(folder / "damaged")
        shutil.copytree(kept, folder / "damaged")
        files = [p for p in sorted((folder / "damaged").rglob("*")) if p.is_file()]
        # Without both it is unknown whose results these are, and they are left alone.
        spared = chance.choice([results.CONFIG, results.PROGRESS])
        files = [p for p in files if p.name != spared]
        for i, path in enumerate(chance.sample(files, len(files) // 3)):
            damage(path, HOWS[(i + number) % len(HOWS)], chance)
        status, err = finish(start(folder, "damaged"))
        assert status == 0 and "Traceback" not in err, err
        assert bits(folder, "damaged") == alone, f"AVAX_TEST_SEED={SEED}"


def damage(path: pathlib.Path, how: str, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    if how == "flip" and content:
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content[: len(content) // 2] if how == "truncate" else content)
    if how == "empty":
        path.write_bytes(b"")
    if how == "delete":
        path.unlink()
