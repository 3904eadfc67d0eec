"""Results as a table: every number in its row and column, in a file that appears whole."""

from __future__ import annotations

import importlib.util
import os
import pathlib
import sys

import numpy as np
import pandas as pd
import pytest
from stored import PROBED, store

from avax import __main__ as command
from avax import results
from avax.cli.commands import export
from avax.types import MISTAKES

DATA = pathlib.Path(__file__).parents[2] / "paper_figures" / "data"
RUNS = ["fpr", "fnr", "seed", "round"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("stored")
    store(PROBED, path)
    return path


def check_is(frame, dataset) -> None:
    """Every number of the dataset stands in its row and column, and nothing else does."""
    sizes, wide = dataset.sizes, {}
    for name, array in dataset.data_vars.items():
        (more,) = [dim for dim in array.dims if dim not in RUNS] or [None]
        if more is None:
            wide[name] = array
        else:
            wide |= {f"{name}_{v}": array.sel({more: v}) for v in dataset[more].values.tolist()}
    assert list(frame.columns[:5]) == [*RUNS, "accuracy"]
    assert set(frame.columns) == {*RUNS, *wide} and len(wide) + 4 == len(frame.columns)
    assert len(frame) == np.prod([sizes[dim] for dim in RUNS])
    assert not frame.duplicated(RUNS).any()
    indexed = frame.set_index(RUNS)
    rng = np.random.default_rng(1)
    for column, array in wide.items():
        for _ in range(5):
            at = {dim: int(rng.integers(sizes[dim])) for dim in RUNS}
            cell = array.isel(at)
            found = indexed.loc[tuple(cell[dim].item() for dim in RUNS), column]
            np.testing.assert_array_equal(np.float32(found), cell.values)
    total = sum(float(np.nansum(array.values, dtype=np.float64)) for array in wide.values())
    columns = indexed.to_numpy(np.float64)
    assert np.nansum(columns) == pytest.approx(total, rel=1e-6)


def test_a_table_is_the_dataset(folder):
    dataset = results.load(folder)
    frame = export.table(dataset)
    check_is(frame, dataset)
    assert {"pass_at_1", "pass_at_2", *(f"mistake_share_{kind}" for kind in MISTAKES)} < set(frame)


def test_a_file_of_text_holds_every_bit(folder, tmp_path, capsys):
    path = tmp_path / "table.csv"
    path.write_text("old")
    command.main(["export", str(folder), "--csv", str(path)])
    assert capsys.readouterr().out == f"{path}: 36 rows, 26 columns\n"
    check_is(pd.read_csv(path), results.load(folder))
    assert os.listdir(tmp_path) == ["table.csv"] and b"\r" not in path.read_bytes()


def test_shipped_results_are_tables():
    dataset = results.load(DATA / "noise_phase_diagram")
    frame = export.table(dataset)
    rows = frame[(frame.fpr == 0.1389) & (frame.fnr == 0.3)]
    seeds = rows.seed.unique()
    assert len(seeds) == 2  # bases that this setting has
    line = dataset.accuracy.sel(fpr=0.1389, fnr=0.3, seed=seeds[1])
    row = rows[rows.seed == seeds[1]]
    assert row.accuracy.tolist() == line.values.tolist() and len(row) == 11


def test_runs_that_were_not_begun_have_no_row():
    dataset = results.load(DATA / "noise_phase_diagram")
    begun = dataset.where(dataset.fpr != 0.0)
    frame = export.table(begun.assign_attrs(dataset.attrs))
    assert 0.0 not in set(frame.fpr) and len(frame) == 15 * 16 * 2 * 11


def test_a_link_leads_to_the_table(folder, tmp_path):
    (tmp_path / "link.csv").symlink_to(tmp_path / "table.csv")
    command.main(["export", str(folder), "--csv", str(tmp_path / "link.csv")])
    assert (tmp_path / "link.csv").is_symlink() and (tmp_path / "table.csv").stat().st_size > 999


@pytest.mark.parametrize(
    "argv, words",
    [
        (["{stored}"], "add --csv FILE or --parquet FILE"),
        (["{stored}", "--csv", "no/table.csv"], "no/table.csv: can't be written: No such file"),
        (["{stored}", "--csv", "."], ".: can't be written: is no regular file"),
        (["{stored}", "--csv", "circle"], "circle: can't be written"),
        (["{stored}", "--csv", ""], "must name a file"),
        (["nothing", "--csv", "table.csv"], "nothing: there is no such folder"),
        (["parts", "--csv", "table.csv"], "parts: holds no results itself; its parts do: a, b/c"),
        (["strange", "--csv", "table.csv"], "strange: holds no accuracy by seed and round"),
        (["--csv", "table.csv"], "RESULTS"),
    ],
)
def test_a_mistake_ends_in_one_line(folder, argv, words, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    pathlib.Path("circle").symlink_to("circle")
    for part in ("a", "b/c"):
        store(PROBED, pathlib.Path("parts") / part)
    if "strange" in argv:
        strange = results.load(folder)[["accuracy"]].rename(accuracy="other")
        results.save(strange.assign_attrs(results.load(folder).attrs), "strange")
    before = sorted(os.listdir())
    with pytest.raises(SystemExit) as raised:
        command.main(["export", *(word.format(stored=folder) for word in argv)])
    (line,) = capsys.readouterr().err.splitlines()
    assert raised.value.code == 2 and line.startswith("error: ") and words in line
    assert sorted(os.listdir()) == before  # nothing is left behind


def test_what_fails_halfway_leaves_the_old_file(folder, tmp_path, monkeypatch):
    path = tmp_path / "table.csv"
    path.write_text("old")

    def full(file):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(results.ResultsError, match="can't be written: No space left"):
        export.write(path, full)
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["table.csv"]


def test_parquet_says_what_it_needs(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit) as raised:
        command.main(["export", str(folder), "--parquet", str(tmp_path / "table")])
    line = "error: --parquet needs pyarrow: pip install pyarrow\n"
    assert raised.value.code == 2 and capsys.readouterr().err == line


@pytest.mark.skipif(importlib.util.find_spec("pyarrow") is None, reason="needs pyarrow")
def test_parquet_holds_every_bit(folder, tmp_path):
    command.main(["export", str(folder), "--parquet", str(tmp_path / "table")])
    check_is(pd.read_parquet(tmp_path / "table"), results.load(folder))


def test_no_jax_is_imported(folder, tmp_path):
    import subprocess

    code = "import sys; from avax.__main__ import main; main(sys.argv[1:])\n"
    code += "sys.exit('jax' in sys.modules)"
    argv = ["export", str(folder), "--csv", str(tmp_path / "table.csv")]
    root = pathlib.Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", code, *argv], cwd=root, check=True, timeout=300)
