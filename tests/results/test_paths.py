"""Strings that become paths: none leads out of the folders of results and base policies."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import sys
import zlib

import numpy as np
import pytest
import xarray as xr
from small_sweeps import BASE, PRETRAINING

from avax import plotting, results
from avax.cli import cli
from avax.engine.durable import checkpoint, lock
from avax.fields import ConfigError
from avax.results import ResultsError, folders, progress_file, store
from avax.sweeps.sweep import Sweep
from avax.sweeps.validate import validate
from configs import noise_phase_diagram as config

STRINGS = [
    *("..", "../secret", "../../secret", "../../../outside/secret", "../../../../outside/secret"),
    *("{outside}", "{outside}/secret", "/{outside}/secret", "./../../../outside", "c/../../secret"),
    *(".", "./", "/", "//", "...", "....//secret", "..;/secret", "../", "a/b", "a/../../secret"),
    *("..\\secret", "C:\\secret", "\\\\host\\share", "CON", "a:b", "~", "~/secret", "~root/secret"),
    *("file://{outside}/secret", "http://localhost/x", "s3://bucket/x", "memory://x", "zip::x"),
    *("%2e%2e%2fsecret", "..%c0%afsecret", "\u2025/secret", "\uff0e\uff0e/secret", "\u2024\u2024"),
    *("\u202e../secret", "a\nb", "a\tb", "\x1b]0;x\x07", "a\0b", "\udc80", "x" * 256, "x" * 5000),
    *("-rf", "--out", "$HOME", "${{HOME}}", "`x`", "$(x)", "*", "?", "[a]", "|x", ">x", ";x"),
    *("", " ", "zarr.json", "c/0", ".zarray", ".lock", "metrics.zarr", "checkpoints", "figure.png"),
]
TREE = {"w": np.arange(6, dtype=np.float32)}
FACTS = {"round": 1}
CONFIG = {"type": "Sweep"}
watched: list[str] = []  # folders that nothing may touch
touched: list[tuple] = []


def audit(event: str, args: tuple) -> None:
    if not watched or not event.startswith(("open", "os.", "shutil.")):
        return
    paths = [os.fsdecode(a) for a in args if isinstance(a, (str, bytes, os.PathLike))]
    if any(os.path.realpath(p.replace("\0", "")).startswith(w) for p in paths for w in watched):
        touched.append((event, args))


sys.addaudithook(audit)


def dataset(name: str = "loss", dim: str = "fpr", label: str = "a") -> xr.Dataset:
    coords = {dim: np.arange(3.0), "kind": np.array([label, "b"], object)}
    found = xr.Dataset({name: ((dim, "kind"), np.zeros((3, 2), np.float32))}, coords)
    return found.assign_attrs(config=CONFIG, provenance={})


def name_of_an_array(text, folder):
    results.save(dataset(name=text), folder / "new")


def name_of_a_dimension(text, folder):
    results.save(dataset(dim=text), folder / "new")


def name_in_a_coordinate(text, folder):
    results.save(dataset(label=text), folder / "new")
    results.load(folder / "new")


def dimension_in_the_metadata(text, folder):
    path = folder / "good" / results.STORE / "loss" / "zarr.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "dimension_names": [text, "kind"]}))
    results.load(folder / "good")


def folder_in_the_store(text, folder):
    if "/" not in text and "\0" not in text and 0 < len(text) < 256 and text not in (".", ".."):
        path = folder / "good" / results.STORE / text
        if not path.exists():
            path.mkdir()
            shutil.copy(folder / "good" / results.STORE / "zarr.json", path / "zarr.json")
    results.load(folder / "good")


def digest_in_the_configuration(text, folder):
    path = folder / "good" / results.CONFIG
    path.write_text(json.dumps({"digest": text}))
    folders.claim(folder / "good", CONFIG, "digest")


def runs_of_the_progress(text, folder):
    content = {"facts": {"digest": text, text: text}, "runs": {text: 1}}
    crc = zlib.crc32(json.dumps(content, sort_keys=True).encode())
    path = folder / "good" / results.PROGRESS
    path.write_text(json.dumps({**content, "crc32": crc}))
    before = progress_file.read(folder / "good")
    template = results.template({"fpr": (0.0,), "round": (0,)}, {"loss": ("fpr", "round")}, {})
    store.Writer(folder / "good", template, None, before)


def files_of_a_checkpoint(text, folder):
    """In the list of its files, and among them."""
    tile = folder / "tile"
    manifest = tile / "000001.json"
    content = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**content, text: 0}))
    assert checkpoint.load_newest(tile, TREE, {}) is None
    assert sorted(p.name for p in tile.iterdir()) == ["000001.damaged"]


def name_of_a_checkpoint(text, folder):
    if "/" not in text and "\0" not in text and 0 < len(text) < 250 and text not in (".", ".."):
        (folder / "tile" / "000001").rename(folder / "tile" / text)
        (folder / "tile" / "000001.json").rename(folder / "tile" / f"{text}.json")
        assert checkpoint.load_newest(folder / "tile", TREE, {}) is None


def axis_of_a_sweep(text, folder):
    validate(Sweep(BASE, PRETRAINING, {text: (0.0, 1.0)}))


def command_line(text, folder):
    for flag in ("--preset", "--base.verifier", "--base.task", "--tile-width", "--axes.fpr"):
        cli.parse("x", config.__doc__, config.CHOICES, config.build, [f"{flag}={text}"])


PLACES = [
    *(name_of_an_array, name_of_a_dimension, name_in_a_coordinate, dimension_in_the_metadata),
    *(folder_in_the_store, digest_in_the_configuration, runs_of_the_progress),
    *(files_of_a_checkpoint, name_of_a_checkpoint, axis_of_a_sweep, command_line),
]


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """Results and a checkpoint that nothing is wrong with."""
    folder = tmp_path_factory.mktemp("good")
    results.save(dataset(), folder / "good")
    checkpoint.save_newest(folder / "tile", 1, TREE, {})
    assert checkpoint.load_newest(folder / "tile", TREE, {}) is not None
    return folder


SOME = [x if i % 8 == 2 else pytest.param(x, marks=pytest.mark.slow) for i, x in enumerate(STRINGS)]


@pytest.mark.parametrize("text", SOME)
def test_no_string_leads_out_of_its_folder(text, good, tmp_path, monkeypatch, capsys):
    outside = tmp_path / "outside"
    (outside / "secret").mkdir(parents=True)
    (outside / "secret" / "zarr.json").write_text("{}")
    text = text.format(outside=outside)
    monkeypatch.setenv("HOME", str(outside))
    touched.clear()
    for place in PLACES:
        folder = tmp_path / "root" / place.__name__
        shutil.copytree(good, folder)
        monkeypatch.chdir(folder)
        before = {p for p in tmp_path.rglob("*") if folder not in p.parents}
        watched.append(str(outside))
        try:
            place(text, folder)
        except (ResultsError, ConfigError, SystemExit) as error:
            line = capsys.readouterr().err.removesuffix("\n") or str(error)
            assert line.isprintable() or isinstance(error, ConfigError), (place, line)
        finally:
            watched.clear()
        assert {p for p in tmp_path.rglob("*") if folder not in p.parents} == before, place
        assert not touched, place


LINKS = [
    *folders.WRITTEN,
    *(f"checkpoints/{x}" for x in ("3-2-2", "3-2-2/000001", "3-2-2/000001.json")),
]


@pytest.mark.parametrize("name", LINKS)
@pytest.mark.parametrize("to", ["file", "folder", "nothing"])
def test_a_link_where_results_are_written_is_refused(tmp_path, name, to):
    out, outside = tmp_path / "out", tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("kept")
    (outside / "folder").mkdir()
    (out / name).parent.mkdir(parents=True)
    (out / name).symlink_to(outside / to)
    before = {p: p.is_file() and p.read_text() for p in tmp_path.rglob("*")}
    with pytest.raises(ResultsError, match=f"{name}: can't be used: is a link"):
        folders.claim(out, CONFIG, "digest")
    assert {p: p.is_file() and p.read_text() for p in tmp_path.rglob("*")} == before


def test_writing_never_follows_a_link(tmp_path):
    """Should one be there after all."""
    (tmp_path / "kept").write_text("kept")
    for name in ("x.json", "x.json.part", "x.png", "x.pdf", lock.LOCK, f"{lock.LOCK}.json"):
        (tmp_path / name).symlink_to(tmp_path / "kept")
    results.write_json(tmp_path / "x.json", {"a": 1})
    plotting.save(plotting.new_figure(1, 1), tmp_path / "x")
    with pytest.raises(ResultsError, match="can't be written to"):
        lock.hold(tmp_path).__enter__()
    assert (tmp_path / "kept").read_text() == "kept"
    assert json.loads((tmp_path / "x.json").read_text()) == {"a": 1}


@pytest.mark.parametrize("damaged", ["link", "file"])
def test_a_damaged_checkpoint_stays_in_its_folder(good, tmp_path, damaged):
    shutil.copytree(good / "tile", tmp_path / "tile")
    (tmp_path / "outside").mkdir()
    aside = tmp_path / "tile" / "000001.damaged"
    aside.symlink_to(tmp_path / "outside") if damaged == "link" else aside.write_text("")
    (tmp_path / "tile" / "000001.json").write_text("{}")
    assert checkpoint.load_newest(tmp_path / "tile", TREE, {}) is None
    assert not list((tmp_path / "outside").iterdir())
    assert (aside / "_CHECKPOINT_METADATA").exists()


def test_links_between_parts_are_refused(tmp_path):
    """A part of the results that lies elsewhere would be written there."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "label_noise").symlink_to(pathlib.Path("..", "outside"))
    from avax.results.untrusted import check_no_links

    with pytest.raises(ResultsError, match="label_noise: can't be used: is a link"):
        check_no_links(tmp_path / "out", ["label_noise"])
