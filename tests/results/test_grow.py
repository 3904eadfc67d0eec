"""Files of results that grow: whenever the process is killed, they are the old ones or the new."""

from __future__ import annotations

import itertools
import pathlib
import shutil
import threading

import numpy as np
import pytest
import xarray as xr

from avax import results
from avax.results import ResultsError, folders, grow, progress_file, roots, store

FACTS = {"digest": "small"}


def dataset(seeds: range) -> xr.Dataset:
    shapes = {"loss": ("seed", "round"), "accuracy": ("seed", "round")}
    return results.template({"seed": seeds, "round": (0, 1)}, shapes, {})


def metrics(runs) -> dict[str, np.ndarray]:
    values = np.asarray(runs, np.float32)[:, None] + np.zeros((1, 2), np.float32)
    return {"loss": values, "accuracy": -values}


def write(folder: pathlib.Path, name: str, seeds: range, is_finished: bool = True) -> None:
    """Results of a configuration of that name, whose metrics are the seeds."""
    folders.claim(folder, {"type": "Sweep"}, name)
    writer = store.Writer(folder, dataset(seeds), {"digest": name})
    writer.put(np.arange(len(seeds)), metrics(seeds))
    writer.close()
    if is_finished:
        results.finish(folder, {"digest": name}, writer.dataset, {})


def grown(folder: pathlib.Path, about: dict | None = None) -> None:
    """Two more seeds, of which the old ones are the middle two."""
    now = {"digest": "large"}
    grow.grow(folder, now, dataset(range(4)), now, np.array([1, 2]), metrics([1, 2]), about)


def files(folder: pathlib.Path) -> dict[str, bytes]:
    found = (p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): p.read_bytes() for p in found}


@pytest.fixture
def small(tmp_path) -> pathlib.Path:
    folder = tmp_path / "small"
    write(folder, "small", range(1, 3))
    for name in ("checkpoints", "policies"):
        (folder / name).mkdir()
        (folder / name / "one").write_text("kept")
    return folder


def test_what_grows_has_the_old_runs_and_room_for_more(small):
    before = progress_file.read(small)["runs"]
    grown(small)
    names = {path.name for path in small.iterdir()}
    assert names == {results.STORE, results.CONFIG, results.PROGRESS, "policies"}
    after = progress_file.read(small)
    assert after["facts"] == {"digest": "large"}
    assert after["runs"] == {"1": before["0"], "2": before["1"]}
    writer = store.Writer(small, dataset(range(4)), after["facts"], after)
    assert writer.kept.tolist() == [False, True, True, False]
    runs, kept = writer.kept_metrics()
    assert runs.tolist() == [1, 2]
    assert {name: x.tolist() for name, x in kept.items()} == {
        name: x.tolist() for name, x in metrics([1, 2]).items()
    }
    with pytest.raises(ResultsError, match="is not finished: 2 runs are done"):
        results.load(small)


class Killed(BaseException):
    """Stands for the end of the process."""


def kill_at(monkeypatch, number: int) -> None:
    """Ends the process before it comes to change files for the `number`-th time.

    Not in the thread of zarr, which would not survive it; what that writes is not complete then.
    """
    done, thread = itertools.count(), threading.current_thread()

    def killing(function):
        def called(*args, **how):
            if threading.current_thread() is thread and next(done) == number:
                raise Killed
            return function(*args, **how)

        return called

    for name in ("replace", "unlink", "mkdir"):
        monkeypatch.setattr(pathlib.Path, name, killing(getattr(pathlib.Path, name)))
    monkeypatch.setattr(shutil, "rmtree", killing(shutil.rmtree))


def is_killed(monkeypatch, number: int, function, *args) -> bool:
    """Whether a function has so many steps that it was killed before this one."""
    with monkeypatch.context() as patch:
        kill_at(patch, number)
        try:
            function(*args)
        except Killed:
            return True
    return False


@pytest.mark.parametrize("about", [None, {"device": "one"}], ids=["unfinished", "finished"])
def test_a_kill_at_any_step_loses_nothing(small, tmp_path, monkeypatch, about):
    """Once or twice; as long as it isn't whole, it is the old one, and loads."""
    shutil.copytree(small, tmp_path / "whole")
    grown(tmp_path / "whole", about)
    old, new, seen = files(small), files(tmp_path / "whole"), []
    for number in itertools.count():
        for again in range(4):
            out = tmp_path / f"{number}-{again}"
            shutil.copytree(small, out)
            if not is_killed(monkeypatch, number, grown, out, about):
                assert number > 15 and {*seen} == {"old", "new"}
                assert seen == sorted(seen, reverse=True)  # from some step on it is the new one
                return
            is_killed(monkeypatch, again, grow.settle, out)
            grow.settle(out)
            found = files(out)
            assert found in (old, new), (number, again)
            seen.append("old" if found == old else "new")
            if found == old:
                assert results.load(out).seed.values.tolist() == [1, 2]


def test_results_that_are_built_are_no_place_of_their_own(small):
    for name in (grow.GROWN, grow.GROWING):
        shutil.copytree(small / results.STORE, small / name / results.STORE)
    assert roots.places(small) == [""]


@pytest.mark.parametrize("name", [grow.GROWN, grow.GROWING])
def test_what_is_in_the_way_is_removed(small, name):
    """A file, or a folder that holds no results: nobody else has anything of that name."""
    before = files(small)
    (small / name).write_text("text")
    grow.settle(small)
    (small / name / "more").mkdir(parents=True)
    grow.settle(small)
    assert files(small) == before
    grown(small)
    assert progress_file.read(small)["runs"].keys() == {"1", "2"}


def test_a_full_disk_is_one_line(small, monkeypatch):
    def refuse(*args):
        raise OSError(28, "No space left on device")

    before = files(small)
    monkeypatch.setattr(grow, "write_json", refuse)
    with pytest.raises(ResultsError, match=f"^{small}: can't be written to: No space left"):
        grown(small)
    grow.settle(small)
    assert files(small) == before
