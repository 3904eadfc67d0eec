"""A folder of results is one configuration's, and nothing of another's is touched."""

from __future__ import annotations

import json
import pathlib

import pytest

from avax import results
from avax.results import ResultsError, folders

CONFIG = {"type": "Sweep", "num_seeds": 2}


@pytest.fixture
def folder(tmp_path) -> pathlib.Path:
    """Results of CONFIG."""
    folder = tmp_path / "out"
    folders.claim(folder, CONFIG, "digest")
    dataset = results.template({"round": (0, 1)}, {"loss": ("round",)}, {}).fillna(0)
    results.write_store(dataset, folder / results.STORE, {"loss": (2,)})
    results.finish(folder, {"digest": "digest", **CONFIG}, dataset, {})
    return folder


def snapshot(folder: pathlib.Path) -> dict[str, bytes | None]:
    return {
        str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None
        for p in sorted(folder.rglob("*"))
    }


def test_claim_makes_the_folder_and_writes_the_configuration(tmp_path):
    folder = tmp_path / "a" / "b"
    folders.check_free(folder, CONFIG, "digest")
    assert not (tmp_path / "a").exists()
    folders.claim(folder, CONFIG, "digest")
    assert json.loads((folder / results.CONFIG).read_text()) == {"digest": "digest", **CONFIG}
    assert [p.name for p in folder.iterdir()] == [results.CONFIG]


def test_the_same_configuration_may_run_again(folder):
    folders.check_free(folder, CONFIG, "digest")
    folders.claim(folder, CONFIG, "digest")
    assert results.load(folder).loss.notnull().all()


@pytest.mark.parametrize("config", ["its own", "missing", "{", "[]", '"text"', "{}", "\udcff"])
def test_other_results_are_left_alone(folder, config):
    path = folder / results.CONFIG
    if config == "missing":
        path.unlink()
    elif config != "its own":
        path.write_bytes(config.encode(errors="surrogateescape"))
    before = snapshot(folder)
    found = "digest" if config == "its own" else "unknown"
    for refuse in (folders.check_free, folders.claim):
        with pytest.raises(ResultsError) as raised:
            refuse(folder, CONFIG, "0123abcd")
        line = str(raised.value)
        assert str(folder) in line and f"({found}, this one is 0123abcd)" in line
        assert "\n" not in line and "--out" in line
    assert snapshot(folder) == before


def test_a_folder_below_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("text")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ResultsError, match=str(folder)):
            folders.claim(folder, CONFIG, "digest")
    assert snapshot(tmp_path) == {"file": b"text"}


def test_a_read_only_folder_is_refused(tmp_path, monkeypatch):
    def refuse(dir):
        raise PermissionError(13, "Permission denied", dir)

    monkeypatch.setattr(folders.tempfile, "TemporaryFile", refuse)
    for folder in (tmp_path, tmp_path / "new"):
        with pytest.raises(ResultsError, match="can't be written to"):
            folders.claim(folder, CONFIG, "digest")
    assert snapshot(tmp_path) == {}


def test_an_error_while_writing_names_the_folder(tmp_path, monkeypatch):
    def refuse(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folders, "write_json", refuse)
    with pytest.raises(ResultsError, match=f"{tmp_path}.*No space left"):
        folders.claim(tmp_path, CONFIG, "digest")


def test_a_folder_in_which_nothing_was_run_is_free(tmp_path):
    """As after base policies that diverged: the next try has another configuration."""
    folders.claim(tmp_path, CONFIG, "digest")
    folders.claim(tmp_path, CONFIG | {"num_seeds": 3}, "another")
    found = json.loads((tmp_path / results.CONFIG).read_text())
    assert found == {"digest": "another", **CONFIG, "num_seeds": 3}
    (tmp_path / results.STORE).mkdir()
    with pytest.raises(results.ResultsError, match="another configuration"):
        folders.claim(tmp_path, CONFIG, "digest")
