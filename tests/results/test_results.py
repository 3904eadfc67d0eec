"""The results on disk: what was written is what is read, or an error names the path."""

from __future__ import annotations

import json
import os
import pathlib
import shutil

import numpy as np
import pytest
import xarray as xr

from avax import results
from avax.results import ResultsError, folders, progress_file, provenance, store

COORDS = {"fpr": (0.0, 0.1, 1.0), "fnr": (0.0, 0.5), "seed": (3, 4), "round": (0, 1, 2)}
RUNS = ("fpr", "fnr", "seed")
SHAPES = {"loss": (*RUNS, "round"), "by_difficulty": (*RUNS, "round", "difficulty")}
CONFIG = {"type": "Sweep", "num_seeds": 2}
STORED = {"digest": "digest", **CONFIG}


def empty() -> xr.Dataset:
    coords = COORDS | {"difficulty": (1, 2)}
    return results.template(coords, SHAPES, {"loss": "training loss"})


def metrics(runs) -> dict[str, np.ndarray]:
    """Numbers that tell run, round and difficulty apart."""
    loss = np.add.outer(np.asarray(runs), [0.0, 0.1, 0.2]).astype(np.float32)
    return {"loss": loss, "by_difficulty": loss[..., None] + np.float32([0.01, 0.02])}


def write(folder: pathlib.Path, tiles) -> store.Writer:
    folders.claim(folder, CONFIG, "digest")
    writer = store.Writer(folder, empty())
    for runs in tiles:
        writer.put(np.array(runs), metrics(runs))
    writer.flush()
    results.finish(folder, STORED, writer.dataset, {"git_commit": "abc"})
    return writer


@pytest.fixture
def folder(tmp_path) -> pathlib.Path:
    """Complete results."""
    write(tmp_path / "out", [range(0, 5), range(5, 10), range(10, 12)])
    return tmp_path / "out"


def test_template_is_full_of_nan():
    dataset = empty()
    assert {name: a.dims for name, a in dataset.data_vars.items()} == SHAPES
    assert all(np.isnan(a.values).all() and a.dtype == np.float32 for a in dataset.values())
    assert dataset.fpr.values.tolist() == [0.0, 0.1, 1.0]
    assert dataset.loss.attrs == {"description": "training loss"}
    assert dataset.by_difficulty.attrs == {}


def test_every_run_lands_in_its_cell(folder):
    loaded = results.load(folder)
    for run in range(12):
        i, j, k = np.unravel_index(run, (3, 2, 2))
        cell = loaded.isel(fpr=i, fnr=j, seed=k)
        np.testing.assert_array_equal(cell.loss, metrics([run])["loss"][0])
        np.testing.assert_array_equal(cell.by_difficulty, metrics([run])["by_difficulty"][0])


def test_load_gives_back_what_was_in_memory(tmp_path):
    writer = write(tmp_path, [range(12)])
    loaded = results.load(tmp_path)
    about = loaded.attrs["provenance"]
    assert loaded.attrs == {"config": STORED, "provenance": about}
    assert about["git_commit"] == "abc"
    assert about["arrays"] == sorted([*SHAPES, *COORDS, "difficulty"])
    assert about["arrays_sha256"] == results.fingerprint(writer.dataset)
    xr.testing.assert_identical(loaded.drop_attrs(deep=False), writer.dataset)


def test_what_was_not_run_is_nan(tmp_path):
    write(tmp_path, [[0, 1], [7]])
    loss = results.load(tmp_path).loss.stack(run=RUNS).transpose("run", "round").values
    assert np.isfinite(loss[[0, 1, 7]]).all()
    assert np.isnan(np.delete(loss, [0, 1, 7], axis=0)).all()


def test_the_store_is_up_to_date_only_after_a_flush(tmp_path):
    folders.claim(tmp_path, CONFIG, "digest")

    def stored():
        with xr.open_zarr(tmp_path / results.STORE, consolidated=False) as opened:
            return opened.loss.load()

    writer = store.Writer(tmp_path, empty(), every=1e9)
    writer.put(np.arange(12), metrics(range(12)))
    assert np.isnan(stored()).all()
    writer.flush()
    assert np.isfinite(stored()).all()
    eager = store.Writer(tmp_path, empty(), every=-1.0)
    eager.put(np.arange(12), metrics(range(12)))
    assert np.isfinite(stored()).all()


def test_more_rows_than_files(tmp_path):
    """A first axis longer than MAX_BLOCKS shares files, and a flush rewrites only whole ones."""
    rows = 2 * store.MAX_BLOCKS + 3
    folders.claim(tmp_path, CONFIG, "digest")
    dataset = results.template({"fpr": range(rows), "round": [0]}, {"x": ("fpr", "round")}, {})
    writer = store.Writer(tmp_path, dataset)
    for run in (rows - 1, 0, 4):
        writer.put(np.array([run]), {"x": np.array([[run]], np.float32)})
        writer.flush()
    results.finish(tmp_path, STORED, writer.dataset, {})
    loaded = results.load(tmp_path).x.values[:, 0]
    assert loaded[[0, 4, rows - 1]].tolist() == [0, 4, rows - 1]
    assert np.isnan(loaded).sum() == rows - 3


def test_plain_xarray_opens_it(folder):
    with xr.open_zarr(folder / results.STORE, consolidated=False) as opened:
        xr.testing.assert_equal(opened.load(), results.load(folder))


def test_save_then_load(folder, tmp_path):
    loaded = results.load(folder)
    results.save(loaded, tmp_path / "shipped" / "data")
    xr.testing.assert_identical(results.load(tmp_path / "shipped" / "data"), loaded)


@pytest.mark.parametrize("spoil", ["folder", "store", "config", "provenance"])
def test_missing_parts_name_the_path(folder, spoil):
    if spoil == "folder":
        folder = folder / "missing"
    elif spoil == "store":
        (folder / results.STORE).rename(folder / "elsewhere")
    else:
        (folder / f"{spoil}.json").unlink()
    with pytest.raises(ResultsError, match=str(folder)) as raised:
        results.load(folder)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", ["loss", "fpr"])
def test_a_lost_file_is_not_read_as_nan(folder, name):
    (lost, *_) = (p for p in (folder / results.STORE / name).rglob("*") if p.name == "0")
    lost.unlink() if lost.is_file() else shutil.rmtree(lost)
    with pytest.raises(ResultsError, match=str(folder)):
        results.load(folder)


def test_damaged_metadata_is_never_read_as_data(folder):
    """Every byte of the metadata of one array, one bit each: refused, or of no consequence."""
    good, path = results.load(folder), folder / results.STORE / "loss" / "zarr.json"
    content, num_detected = path.read_bytes(), 0
    for at in range(0, len(content), 3):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1 << at % 7]) + content[at + 1 :])
        try:
            xr.testing.assert_equal(results.load(folder), good)
        except ResultsError:
            num_detected += 1
    assert num_detected > 50


def test_a_flipped_bit_is_never_read_as_data(folder):
    good = results.load(folder)
    store = folder / results.STORE
    files = [p for p in store.rglob("*") if p.is_file() and p.name != "zarr.json"]
    names = {p.relative_to(store).parts[0] for p in files}
    assert names == {*good.data_vars, *good.coords}
    num_detected = 0
    for path in files:
        content = path.read_bytes()
        for at in {0, len(content) // 2, len(content) - 1}:
            flipped = bytearray(content)
            flipped[at] ^= 1 << at % 8
            path.write_bytes(flipped)
            try:
                xr.testing.assert_identical(results.load(folder), good)
            except ResultsError as error:
                assert str(folder) in str(error)
                num_detected += 1
        path.write_bytes(content)
    assert num_detected >= 2 * len(files)
    xr.testing.assert_identical(results.load(folder), good)


def test_truncated_and_empty_chunks_are_detected(folder):
    path = next(p for p in (folder / results.STORE / "loss").rglob("*") if p.name != "zarr.json")
    path = path if path.is_file() else next(p for p in path.rglob("*") if p.is_file())
    content = path.read_bytes()
    for part in (b"", content[: len(content) // 2]):
        path.write_bytes(part)
        with pytest.raises(ResultsError, match="can't be read"):
            results.load(folder)


def test_names_of_a_dimension_are_kept_as_text(tmp_path):
    def named(*kinds):
        dataset = results.template({"kind": kinds}, {"share": ("kind",)}, {})
        return dataset.assign_attrs(config={}, provenance={})

    results.save(named("long", "near_miss"), tmp_path)
    assert results.load(tmp_path).sel(kind="near_miss").share.isnull()
    assert results.load(tmp_path).kind.values.tolist() == ["long", "near_miss"]
    found = {results.fingerprint(named(*kinds)) for kinds in ("ab", "ba", "ab")}
    assert len(found) == 2


def strays(folder: pathlib.Path) -> list[str]:
    """Puts into the store what others leave there; paths below it."""
    store = folder / results.STORE
    for inner in (store, store / "loss", store / "loss" / "c"):
        (inner / ".ipynb_checkpoints").mkdir()
        (inner / ".ipynb_checkpoints" / "zarr-checkpoint.json").write_text("{")
    (store / ".DS_Store").write_bytes(b"\0" * 100)
    (store / "loss" / "zarr (copy).json").write_text("text")
    (store / "loss" / "c" / "99").mkdir()  # a chunk that no array has
    (store / "loss" / "c" / "99" / "0").write_text("text")
    shutil.copytree(store / "loss", store / "loss_of_tomorrow")  # a newer version's metric
    (store / "kappa").mkdir()
    (store / "kappa" / "zarr.json").write_text('{"zarr_format": 4}')
    shutil.copytree(store / "fpr", store / "epoch")
    return sorted(str(p.relative_to(store)) for p in store.rglob("*"))


def test_what_else_lies_in_the_store_is_passed_over(folder):
    good = results.load(folder)
    strays(folder)
    xr.testing.assert_identical(results.load(folder), good)


def test_a_writer_leaves_what_it_does_not_know_and_says_so(folder):
    """In one line, once in a process."""
    good, before = results.load(folder), strays(folder)
    lines: list[str] = []
    runs = progress_file.read(folder)
    writer = store.Writer(folder, empty(), None, runs, lines.append)
    assert writer.kept.all()
    (line,) = lines
    assert line.startswith(
        f"{folder / results.STORE}: holds .DS_Store, .ipynb_checkpoints, epoch, "
    )
    writer.put_kept(np.arange(12))
    writer.close()
    after = (folder / results.STORE).rglob("*")
    assert sorted(str(p.relative_to(folder / results.STORE)) for p in after) == before
    xr.testing.assert_identical(results.load(folder), good)


@pytest.mark.parametrize(
    "path",
    ["zarr.json", "loss", "loss/zarr.json", "loss/c", "loss/c/1", "loss/c/1/0/0/0", "fpr/c/0"],
)
def test_what_is_in_the_way_of_a_file_is_removed(folder, path):
    """A file where a folder was, and a folder where a file was."""
    good, there = results.load(folder), folder / results.STORE / path
    if there.is_file():
        there.unlink()
        (there / "more").mkdir(parents=True)
        (there / "more" / "0").write_text("text")
    else:
        shutil.rmtree(there)
        there.write_text("text")
    with pytest.raises(ResultsError, match=str(folder)):
        results.load(folder)
    lines: list[str] = []
    writer = store.Writer(folder, empty(), None, progress_file.read(folder), lines.append)
    lost = np.flatnonzero(~writer.kept)
    writer.put_kept(np.flatnonzero(writer.kept))
    writer.put(lost, metrics(lost))
    writer.close()
    assert lines and (len(lost) > 0) == ("loss" in path and path != "loss/zarr.json")
    xr.testing.assert_identical(results.load(folder), good)


@pytest.mark.parametrize("where", [".", "loss", "stray"])
def test_a_link_or_a_pipe_in_the_store_is_refused_wherever_it_is(folder, where):
    inner = folder / results.STORE / where
    inner.mkdir(exist_ok=True)
    for make in (lambda path: path.symlink_to(folder), os.mkfifo):
        make(inner / "x")
        with pytest.raises(ResultsError, match=f"{inner / 'x'}: can't be used"):
            results.load(folder)
        (inner / "x").unlink()


@pytest.mark.parametrize(
    "names", [["../../x"], ["loss", "zarr.json"], "loss", 3, [["loss"]], [None]]
)
def test_names_of_arrays_that_are_none_are_refused(folder, names):
    """Though the checksum of the provenance fits."""
    about = json.loads((folder / results.PROVENANCE).read_text())
    about["arrays"] = names
    about["sha256"] = provenance._own_sum(about)
    (folder / results.PROVENANCE).write_text(json.dumps(about))
    with pytest.raises(ResultsError, match=str(folder)):
        results.load(folder)


def test_results_that_are_not_finished_say_how_far_they_are(tmp_path):
    config = {"num_seeds": 2, "trace": False, "axes": {"fpr": [0.0, 0.1, 1.0], "fnr": [0.0, 0.5]}}

    def line() -> str:
        with pytest.raises(ResultsError) as raised:
            results.load(tmp_path / "out")
        return str(raised.value)

    assert line() == f"{tmp_path / 'out'}: there is no such folder"
    (tmp_path / "out").mkdir()
    assert line() == f"{tmp_path / 'out'}: holds no results (there is no {results.STORE})"
    for trace, words in ((False, "of"), (True, "of at most")):
        folders.claim(tmp_path / "out", config | {"trace": trace}, "digest")
        done = f"is not finished: 0 {words} 12 runs are done; the same command goes on"
        assert line() == f"{tmp_path / 'out'}: {done}"
    writer = store.Writer(tmp_path / "out", empty())
    writer.put(np.arange(5), metrics(range(5)))
    writer.flush()
    assert ": is not finished: 5 of at most 12 runs are done; the same" in line()
    (tmp_path / "out" / results.CONFIG).write_text("{")
    assert ": is not finished: 5 runs are done; the same" in line()
    shutil.rmtree(tmp_path / "out")
    (tmp_path / "out").write_text("text")
    assert line() == f"{tmp_path / 'out'}: is a file, no folder of results"
