"""Configuration and provenance of results: what is read is what was written, or it is refused."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import random
import shutil

import pytest
from small_sweeps import SMALL
from toys import execute

from avax import results
from avax.results import CONFIG, PROVENANCE, ResultsError, provenance

SEED = 0


@pytest.fixture
def folder(toy, tmp_path) -> pathlib.Path:
    """Finished results of SMALL."""
    execute(SMALL, tmp_path)
    return tmp_path / SMALL.digest()


def flipped(content: bytes, bit: int) -> bytes:
    changed = content[bit // 8] ^ 1 << bit % 8
    return content[: bit // 8] + bytes([changed]) + content[bit // 8 + 1 :]


def files_of(folder: pathlib.Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("name", [CONFIG, PROVENANCE])
def test_a_flipped_bit_is_refused_or_changes_nothing(folder, name):
    """One bit of every byte, each of the eight in turn."""
    good, path = provenance.read_both(folder), folder / name
    content, num_accepted = path.read_bytes(), 0
    for bit in range(0, 8 * len(content), 9):
        path.write_bytes(flipped(content, bit))
        try:
            assert provenance.read_both(folder) == good
            num_accepted += 1  # another way to write the same number
        except ResultsError as error:
            line = str(error)
            assert str(folder / name) in line and line.isprintable()
    assert num_accepted <= 12  # of three times in seconds, with up to 17 digits each


@pytest.mark.parametrize("name", [CONFIG, PROVENANCE])
def test_load_tells_a_changed_word(folder, name):
    path = folder / name
    text = path.read_text()
    for old, new in (("seed", "sead"), ("1", "2"), ("_sha256", "_sha257"), ("sha256", "")):
        if old in text:
            path.write_text(text.replace(old, new, 1))
            with pytest.raises(ResultsError, match=f"{path}: is damaged.*same command repairs it"):
                results.load(folder)
    path.write_text(json.dumps(json.loads(text)))  # with other white space
    assert results.load(folder).attrs["config"] == json.loads((folder / CONFIG).read_text())


@pytest.mark.parametrize("name", [CONFIG, PROVENANCE])
def test_the_same_command_repairs_what_is_damaged(folder, name, capsys):
    """What earlier processes took is lost with a damaged provenance, which is said."""
    before, path = files_of(folder), folder / name
    chance, wrong = random.Random(SEED), []
    for bit in chance.sample(range(8 * len(before[name])), 8):
        wrong.append(flipped(before[name], bit))
    for content in [*wrong, b"", before[name][:100], None]:
        path.unlink() if content is None else path.write_bytes(content)
        capsys.readouterr()
        execute(SMALL, folder.parent)
        after, err = files_of(folder), capsys.readouterr().err
        results.load(folder)
        if name == CONFIG:
            assert after == before and "damaged" not in err
            continue
        old, new = (json.loads(files[PROVENANCE]) for files in (before, after))
        assert {n for n in old if old[n] != new[n]} <= {"seconds", "num_kept", "sha256"}
        assert {n: x for n, x in after.items() if n != PROVENANCE} == {
            n: x for n, x in before.items() if n != PROVENANCE
        }
        is_said = f"{path}: is damaged, written anew without what it said" in err
        assert is_said == (content is not None)
        path.write_bytes(before[PROVENANCE])


def test_how_a_finished_sweep_is_run_again_changes_nothing(folder):
    """Nor does it make the configuration another one than was vouched for."""
    before = files_of(folder)
    other = dataclasses.replace(SMALL, segment="1")
    execute(other, folder.parent)
    assert files_of(folder) == before
    (folder / CONFIG).unlink()
    execute(other, folder.parent)
    after = results.load(folder).attrs
    assert after["config"]["segment"] == "1"
    assert after["provenance"]["seconds"] == json.loads(before[PROVENANCE])["seconds"]


def make_old(folder: pathlib.Path) -> dict:
    """Results as they were before configuration and provenance had checksums."""
    old = json.loads((folder / PROVENANCE).read_text())
    old = {n: x for n, x in old.items() if n not in ("arrays", "config_sha256", "sha256")}
    old["data_sha256"] = old.pop("arrays_sha256")
    (folder / PROVENANCE).write_text(json.dumps(old, indent=1) + "\n")
    return old


def test_results_that_are_older_load_and_get_their_checksums(folder):
    """Their arrays are checked; nothing vouches for the rest until the same command has run."""
    whole = files_of(folder)
    old = make_old(folder)
    loaded = results.load(folder)
    assert loaded.attrs["provenance"] == old and not provenance.is_sealed(loaded.attrs)
    results.save(loaded, folder / "copy")
    assert provenance.is_sealed(provenance.read_both(folder / "copy"))
    shutil.rmtree(folder / "copy")
    (chunk, *_) = (folder / results.STORE / "loss" / "c").rglob("0")
    shutil.move(chunk, folder / "chunk")
    with pytest.raises(ResultsError, match="is damaged"):
        results.load(folder)
    shutil.move(folder / "chunk", chunk)
    execute(SMALL, folder.parent)
    assert files_of(folder) == whole
