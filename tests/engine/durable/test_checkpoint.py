"""Base policies on disk: what was saved comes back, or nothing."""

from __future__ import annotations

import json
import pathlib
import shutil
import zlib

import jax
import numpy as np
import pytest
from toys import damage

from avax.engine.durable import checkpoint

# After damage, threads of orbax may end with errors of their own, at any later time.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

TREE = {
    "w": np.random.default_rng(0).normal(size=(50, 40)).astype(np.float32),
    "b": (np.arange(3, dtype=np.int32), np.array([True, False])),
}
FACTS = {"task": {"type": "Addition", "max_difficulty": 2}, "rate": 0.1, "seeds": [1, 2]}


def same(tree) -> bool:
    return jax.tree.structure(tree) == jax.tree.structure(TREE) and all(
        np.array_equal(x, y) and x.dtype == y.dtype
        for x, y in zip(jax.tree.leaves(tree), jax.tree.leaves(TREE), strict=True)
    )


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoint") / "kept"
    checkpoint.save(folder, TREE, FACTS)
    return folder


def test_a_checkpoint_gives_back_what_was_saved(saved, tmp_path):
    assert same(checkpoint.load(saved, TREE, FACTS))
    shapes = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), TREE)
    assert same(checkpoint.load(saved, shapes, json.loads(json.dumps(FACTS))))
    assert checkpoint.load(tmp_path / "none", TREE, FACTS) is None


def test_a_checkpoint_that_is_not_whole_is_not_used(saved, tmp_path, capsys):
    """The process was killed before it wrote the checksums."""
    shutil.copytree(saved, tmp_path / "kept")
    assert checkpoint.load(tmp_path / "kept", TREE, FACTS) is None
    assert "kept: is incomplete" in capsys.readouterr().err


@pytest.mark.parametrize("other", [{"rate": 0.2}, {"seeds": [1]}, {"new": 1}])
def test_a_checkpoint_of_something_else_is_left_alone(saved, other):
    assert checkpoint.load(saved, TREE, FACTS | other) is None
    assert same(checkpoint.load(saved, TREE, FACTS))


def copy(saved, folder):
    """A checkpoint, with the checksums of its files beside it."""
    shutil.copytree(saved, folder)
    shutil.copy(saved.with_name("kept.json"), folder.with_name(f"{folder.name}.json"))


@pytest.mark.parametrize("layer", ["files", "arrays"])
def test_a_flipped_byte_is_never_read_as_data(saved, tmp_path, layer):
    """Not even if the checksums of the files were made to agree."""
    files = [p.relative_to(saved) for p in saved.rglob("*") if p.is_file() and p.stat().st_size]
    assert sum((saved / file).stat().st_size for file in files) > 50 * 40 * 3  # the data is in them
    detected = 0
    for i, file in enumerate(files):
        content = (saved / file).read_bytes()
        for at in {len(content) // 3, len(content) - 1}:
            folder = tmp_path / f"{i}-{at}"
            copy(saved, folder)
            flipped = bytearray(content)
            flipped[at] ^= 0x10
            (folder / file).write_bytes(flipped)
            if layer == "arrays":
                manifest = folder.with_name(f"{folder.name}.json")
                checksums = json.loads(manifest.read_text())
                checksums[str(file)] = zlib.crc32(flipped)
                manifest.write_text(json.dumps(checksums))
            loaded = checkpoint.load(folder, TREE, FACTS)
            assert loaded is None or (layer == "arrays" and same(loaded)), (file, at)
            detected += loaded is None
    assert detected >= 6


NEWER = jax.tree.map(lambda x: x[::-1].copy(), TREE)
WAYS = {
    "truncated": lambda content: content[: len(content) // 2],
    "emptied": lambda content: b"",
    "flipped": lambda content: bytes([content[0] ^ 1]) + content[1:],
}


def bits(tree) -> list[bytes]:
    return [np.asarray(x).tobytes() for x in jax.tree.leaves(tree)]


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """A tile's folder with two checkpoints."""
    folder = tmp_path_factory.mktemp("two") / "tile"
    checkpoint.save_newest(folder, 3, TREE, FACTS)
    checkpoint.save_newest(folder, 4, NEWER, FACTS)
    return folder


def spoil(path: pathlib.Path, how: str) -> None:
    content = path.read_bytes()
    path.unlink()
    if how != "deleted":
        path.write_bytes(WAYS[how](content))


@pytest.mark.parametrize("how", [*WAYS, "deleted"])
def test_after_damage_to_any_file_the_older_checkpoint_serves_or_none(two, tmp_path, capfd, how):
    """Every file in its turn, in the newer checkpoint alone and in both."""
    files = [p.relative_to(two) for p in sorted(two.rglob("000004*")) if p.is_file()]
    files += [p.relative_to(two) for p in sorted((two / "000004").rglob("*")) if p.is_file()]
    assert len(files) >= 6 and sum((two / file).stat().st_size for file in files) > 50 * 40 * 4
    for i, file in enumerate(files):
        if how != "deleted" and not (two / file).stat().st_size:
            continue  # of the empty file that orbax leaves
        other = pathlib.Path(str(file).replace("000004", "000003", 1))
        for damaged in ([file], [file, other]):
            folder = tmp_path / f"{i}-{len(damaged)}"
            shutil.copytree(two, folder)
            for path in damaged:
                spoil(folder / path, how)
            capfd.readouterr()
            found = checkpoint.load_newest(folder, TREE, FACTS)
            said = "".join(capfd.readouterr()).splitlines()
            assert len(said) == len(damaged) and "000004: is " in said[0], said
            if len(damaged) == 1:
                assert found[0] == 3 and same(found[1]) and bits(found[1]) == bits(TREE), file
            else:
                assert found is None, file


def test_damage_to_the_older_checkpoint_is_not_seen(two, tmp_path):
    folder = tmp_path / "tile"
    shutil.copytree(two, folder)
    damage(folder / "000003")
    number, tree = checkpoint.load_newest(folder, TREE, FACTS)
    assert number == 4 and bits(tree) == bits(NEWER) != bits(TREE)


def test_a_damaged_checkpoint_is_moved_aside(saved, tmp_path):
    folder = tmp_path / "kept"
    copy(saved, folder)
    damage(folder)
    assert checkpoint.load(folder, TREE, FACTS) is None
    assert [p.name for p in tmp_path.iterdir()] == ["kept.damaged"]
    checkpoint.save(folder, TREE, FACTS)
    assert same(checkpoint.load(folder, TREE, FACTS))


def test_a_checkpoint_may_be_damaged_again_and_again(saved, tmp_path):
    for _ in range(3):
        copy(saved, tmp_path / "kept")
        damage(tmp_path / "kept")
        assert checkpoint.load(tmp_path / "kept", TREE, FACTS) is None
