"""Segments, checkpoints, resuming and locks, in this process and with a toy instead of the loop."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import random
import resource
import shutil

import jax
import numpy as np
import pytest
import xarray as xr
from small_sweeps import SMALL
from toys import execute, toy_members

from avax import results, struct
from avax.engine import platform as avax_platform
from avax.engine import width
from avax.engine.durable import checkpoint, lock, resume, survival
from avax.engine.durable.signals import Stop
from avax.engine.durable.survival import Stopped
from avax.engine.progress import Meter
from avax.engine.run import Engine
from avax.engine.segments import Run
from avax.fields import ConfigError
from avax.results import ResultsError, folders, store
from avax.sweeps.tables import empty_dataset

# After damage, threads of orbax may end with errors of their own, at any later time.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

TINY = dataclasses.replace(SMALL, tile_width="4", segment="1", placement="spmd")  # two tiles of 8


class Interrupted(Stop):
    """Asks to stop in the `after`-th segment; notes the rounds of every segment."""

    def __init__(self, monkeypatch, after=10**9):
        super().__init__()
        self.segments = []
        advance = Run.advance

        def noted(run, unit, experiments, progress, start, stop):
            self.segments.append((start, stop))
            if len(self.segments) == after:
                self.asked.set()
            return advance(run, unit, experiments, progress, start, stop)

        monkeypatch.setattr(Run, "advance", noted)


def same(one: xr.Dataset, other: xr.Dataset) -> bool:
    return results.fingerprint(one) == results.fingerprint(other)


def out_of(config, folder) -> pathlib.Path:
    return folder / config.digest()


def go(config, folder, monkeypatch, after=10**9):
    """The segments that a process ran, and the results if it came to the end."""
    with monkeypatch.context() as patch:
        stop = Interrupted(patch, after)
        try:
            data = execute(config, folder, Engine(folder / "bases", stop))
        except Stopped:
            data = None
        return stop.segments, data


@pytest.fixture
def whole(toy, tmp_path):
    return execute(TINY, tmp_path / "whole")


def test_segments_have_the_length_that_was_asked_for(whole, tmp_path, monkeypatch):
    for segment, lengths in (("2", [2, 1]), ("9", [3])):
        config = dataclasses.replace(TINY, segment=segment)
        segments, data = go(config, tmp_path / segment, monkeypatch)
        assert [stop - start for start, stop in segments] == lengths * 2
        assert same(data, whole)


def test_automatic_segments_take_some_seconds(toy, tmp_path, monkeypatch):
    """Two rounds show how long one takes, here a second; nothing short is saved."""
    now = [0.0]
    monkeypatch.setattr(survival.time, "monotonic", lambda: now[0])
    advance = Run.advance

    def slow(run, unit, experiments, progress, start, stop):
        now[0] += stop - max(start, 1)
        return advance(run, unit, experiments, progress, start, stop)

    monkeypatch.setattr(Run, "advance", slow)
    saved = []
    monkeypatch.setattr(checkpoint, "save_newest", lambda folder, number, *_: saved.append(number))
    config = struct.replace(TINY, "base.num_rounds", 12)
    segments, _ = go(dataclasses.replace(config, segment="auto"), tmp_path, monkeypatch)
    assert segments == [(0, 2), (2, 7), (7, 12), (12, 13), (0, 5), (5, 10), (10, 13)]
    assert saved == [7, 12, 5, 10]


def test_a_stopped_sweep_goes_on_where_it_was(whole, tmp_path, monkeypatch):
    """After any number of segments: none is lost, none is run twice."""
    for after in (1, 5):
        folder = tmp_path / str(after)
        first, data = go(TINY, folder, monkeypatch, after)
        assert data is None and len(first) == after
        second, data = go(TINY, folder, monkeypatch)
        assert first + second == [(0, 1), (1, 2), (2, 3)] * 2
        assert same(data, whole) and not (out_of(TINY, folder) / "checkpoints").exists()


def test_progress_counts_the_rounds_of_tiles_in_flight(whole, tmp_path, monkeypatch):
    """Two tiles of 8 and 4 runs, three rounds, in the first of which nothing is trained."""
    told = []
    monkeypatch.setattr(Meter, "part", lambda meter, key, *of: told.append(of))
    go(TINY, tmp_path, monkeypatch, 2)
    assert told == [(0.0, False), (4.0, False)]
    go(TINY, tmp_path, monkeypatch)
    assert told[2:] == [(4.0, True), (8.0, False), (0.0, False), (2.0, False), (4.0, False)]


def test_finished_runs_are_not_run_again(toy, tmp_path, monkeypatch):
    _, first = go(TINY, tmp_path, monkeypatch)
    before = (out_of(TINY, tmp_path) / "provenance.json").read_bytes()
    traced = len(toy)
    segments, again = go(TINY, tmp_path, monkeypatch)
    assert segments == [] and len(toy) == traced and same(again, first)
    assert (out_of(TINY, tmp_path) / "provenance.json").read_bytes() == before


def test_two_checkpoints_are_kept_and_the_older_serves(toy, tmp_path, monkeypatch, capsys):
    config = struct.replace(TINY, "base.num_rounds", 4)
    go(config, tmp_path, monkeypatch, 4)
    (tile,) = (out_of(config, tmp_path) / "checkpoints").iterdir()
    assert sorted(p.name for p in tile.iterdir() if p.is_dir()) == ["000003", "000004"]
    for path in (tile / "000004").rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[:-1])
    segments, _ = go(config, tmp_path, monkeypatch)
    assert segments[:2] == [(3, 4), (4, 5)]
    (line,) = (ln for ln in capsys.readouterr().err.splitlines() if "damaged" in ln)
    assert str(tile / "000004") in line


def test_a_tile_of_another_set_up_is_not_resumed(toy, tmp_path, monkeypatch):
    """Nor is anything of it changed, or trained, before that is said."""
    go(TINY, tmp_path, monkeypatch, 2)
    shutil.rmtree(tmp_path / "bases")
    kept = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    other = dataclasses.replace(TINY, tile_width="3")
    with pytest.raises(ResultsError, match=r"tile_width: \[4\] -> \[3\]; --resume never"):
        execute(other, tmp_path)
    monkeypatch.setattr(avax_platform, "versions", lambda: {"jax": "0"})
    with pytest.raises(ResultsError, match=r'versions.jax: "[\d.]+" -> "0"'):
        execute(TINY, tmp_path)
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == kept


def test_results_of_other_code_are_kept_and_said_to_be(whole, tmp_path, monkeypatch, capsys):
    """A tile, though, is not run by two codes."""
    go(TINY, tmp_path, monkeypatch, 5)
    monkeypatch.setattr(avax_platform, "git_commit", lambda: "another")
    capsys.readouterr()
    segments, data = go(TINY, tmp_path, monkeypatch)
    assert segments == [(0, 1), (1, 2), (2, 3)] and same(data, whole)
    (line,) = (ln for ln in capsys.readouterr().err.splitlines() if "commit" in ln)
    assert str(out_of(TINY, tmp_path)) in line and "this is another" in line


def test_how_to_resume(whole, tmp_path, monkeypatch):
    out = {out_of(TINY, tmp_path): TINY}
    with pytest.raises(ResultsError, match="nothing to continue"):
        resume.claim(out, "must")
    go(TINY, tmp_path, monkeypatch, 4)
    resume.claim(out, "must").close()
    resume.claim(out, "never").close()
    segments, data = go(TINY, tmp_path, monkeypatch)
    assert segments[0] == (0, 1) and len(segments) == 6 and same(data, whole)


def test_a_changed_field_is_named(tmp_path):
    folders.claim(tmp_path, struct.to_dict(TINY), TINY.digest())
    (tmp_path / results.STORE).mkdir()
    other = struct.replace(TINY, "base.learner.learning_rate", 0.5)
    other = dataclasses.replace(other, tile_width="2", num_seeds=3)
    with pytest.raises(ResultsError) as raised:
        resume.claim({tmp_path: other})
    line = str(raised.value)
    rate = TINY.base.learner.learning_rate
    assert f"; base.learner.learning_rate: {rate} -> 0.5; num_seeds: 2 -> 3)" in line
    assert "tile_width" not in line


def test_one_process_at_a_time(tmp_path):
    folder = tmp_path / "new"
    (tmp_path / "new").mkdir()
    (folder / ".lock").write_text("")  # of a process that is gone: holds nothing
    (folder / ".lock.json").write_text('{"process": 1, "host": "a machine that is gone"}')
    with lock.hold(folder):
        with pytest.raises(ResultsError, match=f"in use by process {os.getpid()} on "):
            lock.hold(folder).__enter__()
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "how", ["cut", *(pytest.param(how, marks=pytest.mark.slow) for how in ("empty", "delete"))]
)
def test_damaged_results_are_run_again(toy, tmp_path, monkeypatch, capsys, how):
    """Every file in its turn; a line names it, and the others' runs are kept."""
    config = dataclasses.replace(TINY, tile_width="1")
    _, good = go(config, tmp_path, monkeypatch)
    out = out_of(config, tmp_path)
    files = [p for p in sorted(out.rglob("*")) if p.is_file() and p.name != "config.json"]
    loss, coordinate = (out / results.STORE / name / "c" for name in ("loss", "fpr"))
    chunks = [p for p in files if loss in p.parents]
    others = [p for p in files if p == coordinate / "0" or p.parent in (loss.parent, out)]
    assert len(chunks) == 3 and len(others) == 4
    for path in [chunks[1], *others]:
        content = path.read_bytes()
        if how == "delete":
            path.unlink()
        else:
            path.write_bytes(content[: len(content) // 2] if how == "cut" else b"")
        capsys.readouterr()
        segments, data = go(config, tmp_path, monkeypatch)
        assert same(data, good), path
        err = capsys.readouterr().err
        if path in chunks:
            assert 0 < len(segments) < 18 and str(path if how != "delete" else out) in err
        elif path.name == results.PROGRESS:
            assert len(segments) == 18 and (str(path) in err or how == "delete")
        else:
            assert segments == [] and (str(path) in err or path.name == results.PROVENANCE)


@pytest.mark.slow
def test_of_100_flipped_bits_none_is_read_as_data(whole, tmp_path, monkeypatch):
    """Over checkpoints and results of a sweep that was stopped in its second tile."""
    seed = int(os.environ.get("AVAX_TEST_SEED", random.randrange(10**6)))
    print(f"AVAX_TEST_SEED={seed}")
    chance, out = random.Random(seed), out_of(TINY, tmp_path)
    go(TINY, tmp_path, monkeypatch, 5)
    shutil.copytree(out, tmp_path / "kept")
    for _ in range(100):
        shutil.rmtree(out)
        shutil.copytree(tmp_path / "kept", out)
        path = chance.choice([p for p in sorted(out.rglob("*")) if p.is_file()])
        content = bytearray(path.read_bytes())
        at = chance.randrange(8 * len(content)) if content else 0
        content[at // 8 : at // 8 + 1] = bytes([content[at // 8] ^ 1 << at % 8]) if content else b""
        path.write_bytes(content)
        segments, data = go(TINY, tmp_path, monkeypatch)
        assert same(data, whole), path
        assert 1 <= len(segments) <= 6


def test_a_store_that_can_not_grow_is_gone_on_with(whole, tmp_path, monkeypatch):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    go(TINY, tmp_path, monkeypatch, 4)  # the first tile is done
    resource.setrlimit(resource.RLIMIT_FSIZE, (60, limits[1]))
    try:
        with pytest.raises(ResultsError, match=r"can't be written, needs [\d,]+ bytes"):
            store.Writer(out_of(TINY, tmp_path), empty_dataset(TINY))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    _, data = go(TINY, tmp_path, monkeypatch)
    assert same(data, whole)


def test_a_tile_that_does_not_fit_is_refused(toy, monkeypatch):
    run = Run(toy_members(SMALL), 4)
    unit = (jax.devices()[0],)
    width.check_memory(run, unit)
    needed = width.memory_needed(run.programs()[0].compile(unit))
    monkeypatch.setattr(avax_platform, "host_memory", lambda: needed + 8)  # for two devices
    with pytest.raises(ConfigError, match="tile_width: 4 runs.*--tile-width 2 fits"):
        width.check_memory(run, unit)
    monkeypatch.setattr(avax_platform, "host_memory", lambda: 8)
    with pytest.raises(ConfigError, match="not even one run fits"):
        width.check_memory(run, unit)


def test_the_runs_of_a_tile_are_those_that_are_not_padding():
    assert survival.unique(np.array([5, 6, 9, 5])) == [5, 6, 9]
