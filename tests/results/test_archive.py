"""Reduced tables: every number as it was, in one file that anybody may have made."""

from __future__ import annotations

import json
import zipfile

import numpy as np
import pytest
import xarray as xr
import zarr

from avax import results
from avax.results import ResultsError, archive, reduce, roots


def dataset(seed: int = 0) -> xr.Dataset:
    rng = np.random.default_rng(seed)
    accuracy = rng.random((2, 3)).astype(np.float32)
    accuracy[1, 1] = np.nan
    arrays = {
        "accuracy": (("kind", "round"), accuracy),
        "loss": (("kind", "round"), accuracy),
        "by_length": (("kind", "length"), rng.random((2, 4)).astype(np.float32)),
    }
    coords = {"kind": np.array(["a", "b"], object), "round": [0, 1, 2], "length": [1, 2, 3, 4]}
    attrs = {"config": {"type": "Sweep", "axes": {"x": [0.1]}}, "provenance": {"device": "cpu"}}
    return xr.Dataset(arrays, coords, attrs)


@pytest.fixture
def folder(tmp_path):
    tables = {name: reduce.reduced(dataset(i)) for i, name in enumerate(("", "one", "two/three"))}
    assert reduce.write(tmp_path, tables) == tmp_path / results.TABLES
    return tmp_path


def test_every_number_label_and_fact_is_kept(folder):
    for i, part in enumerate(("", "one", "two/three")):
        found, expected = results.load(folder / part), dataset(i)
        assert found.drop_attrs().identical(expected.drop_vars("loss").drop_attrs())
        assert found.accuracy.dtype == np.float32
        assert found.attrs["config"] == expected.attrs["config"]
        assert found.attrs["provenance"]["device"] == "cpu"
    assert archive.parts(folder / results.TABLES) == ["", "one", "two/three"]
    assert roots.places(folder) == ["", "one", "two/three"]
    with pytest.raises(ResultsError, match="tables.zarr.zip/two: there is no such part"):
        results.load(folder / "two")


def test_other_tools_open_it(folder):
    store = zarr.storage.ZipStore(folder / results.TABLES, mode="r")
    found = xr.open_zarr(store, group="two/three", consolidated=False).load()
    store.close()
    assert found.accuracy.identical(dataset(2).accuracy)
    assert found.attrs["config"]["axes"] == {"x": [0.1]}


def test_what_nothing_reads_is_left_out_and_once_is_enough():
    found = reduce.reduced(dataset(), ["accuracy", "base_accuracy"])
    assert set(found.variables) == {"accuracy", "kind", "round"}
    assert reduce.reduced(found, ["accuracy"]).identical(found)


def test_what_is_known_of_the_bases_is_kept(tmp_path):
    """Coordinates without an axis of their own."""
    pool = dataset().rename(kind="seed").assign_coords(seed=[0, 1])
    pool = pool.assign_coords({name: ("seed", [0.5, 1.0]) for name in results.OF_BASES})
    reduce.write(tmp_path, {"": reduce.reduced(pool)})
    found = results.load(tmp_path)
    assert found.drop_attrs(deep=False).identical(reduce.reduced(pool).drop_attrs(deep=False))
    assert set(results.OF_BASES) <= set(found.coords)


def test_equal_results_are_equal_bytes(folder, tmp_path):
    again = reduce.write(tmp_path / "again", {p: results.load(folder / p) for p in ("", "one")})
    other = reduce.write(tmp_path / "other", {p: results.load(folder / p) for p in ("one", "")})
    assert again.read_bytes() == other.read_bytes()


def test_results_of_a_folder_go_before_a_table_above_it(folder):
    results.save(dataset(7), folder / "one")
    assert results.load(folder / "one").accuracy.identical(dataset(7).accuracy)


def changed(folder, name: str, content: bytes | None, new: str | None = None, **how) -> None:
    """The file with one member replaced, removed or added."""
    path = folder / results.TABLES
    with zipfile.ZipFile(path) as file:
        members = {x: file.read(x) for x in file.namelist()}
    members.pop(name, None)
    if content is not None:
        members[new or name] = content
    with zipfile.ZipFile(path, "w", **how) as file:
        for each, text in members.items():
            file.writestr(each, text)


def metadata(folder, name: str = "one/accuracy/zarr.json") -> dict:
    with zipfile.ZipFile(folder / results.TABLES) as file:
        return json.loads(file.read(name))


def a_bomb(folder):
    changed(folder, "one/accuracy/c/0/0", b"\0" * 10**7, compression=zipfile.ZIP_DEFLATED)


def another_codec(folder):
    about = metadata(folder) | {"codecs": [{"name": "numcodecs.pickle"}]}
    changed(folder, "one/accuracy/zarr.json", json.dumps(about).encode())


def a_huge_array(folder):
    about = metadata(folder) | {"shape": [10**6, 10**6]}
    about["chunk_grid"]["configuration"]["chunk_shape"] = [10**6, 10**6]
    changed(folder, "one/accuracy/zarr.json", json.dumps(about).encode())


def other_facts(folder):
    about = metadata(folder, "one/zarr.json")
    about["attributes"]["config"]["type"] = "Other"
    changed(folder, "one/zarr.json", json.dumps(about).encode())


def no_facts(folder):
    about = metadata(folder, "one/zarr.json") | {"attributes": {}}
    changed(folder, "one/zarr.json", json.dumps(about).encode())


def a_missing_chunk(folder):
    changed(folder, "one/accuracy/c/0/0", None)


def a_missing_array(folder):
    changed(folder, "one/accuracy/zarr.json", None)


def another_compression(folder):
    content = json.dumps(metadata(folder)).encode()
    how = {"compression": zipfile.ZIP_LZMA}
    changed(folder, "one/accuracy/zarr.json", content, **how)


def no_zip(folder):
    (folder / results.TABLES).write_bytes(b"PK" + bytes(1000))


def cut_off(folder):
    path = folder / results.TABLES
    path.write_bytes(path.read_bytes()[:-30])


def a_link(folder):
    path = folder / results.TABLES
    path.rename(folder / "elsewhere")
    path.symlink_to(folder / "elsewhere")


def names_twice(folder):
    with zipfile.ZipFile(folder / results.TABLES, "a") as file, pytest.warns(UserWarning):
        file.writestr("one/zarr.json", "{}")


ATTACKS = [a_bomb, another_codec, a_huge_array, other_facts, no_facts, a_missing_chunk, cut_off]
ATTACKS += [a_missing_array, another_compression, no_zip, a_link, names_twice]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_what_is_not_as_it_was_written_is_refused_in_one_line(folder, attack):
    attack(folder)
    with pytest.raises(ResultsError) as raised:
        results.load(folder / "one")
    assert str(folder) in str(raised.value) and str(raised.value).isprintable()


def test_what_lies_beside_is_passed_over_and_nothing_leads_out(folder, tmp_path):
    changed(folder, "", b"secret", new="../../outside")
    changed(folder, "", b"secret", new="/outside")
    assert results.load(folder / "one").accuracy.identical(dataset(1).accuracy)
    assert sorted(path.name for path in tmp_path.iterdir()) == [results.TABLES]


def test_each_bit_counts(folder):
    """A flipped bit anywhere is refused, or changes nothing."""
    path = folder / results.TABLES
    content, rng = path.read_bytes(), np.random.default_rng(0)
    expected = results.load(folder / "one")
    for at in rng.integers(len(content) * 8, size=60):
        spoilt = bytearray(content)
        spoilt[at // 8] ^= 1 << at % 8
        path.write_bytes(spoilt)
        try:
            assert results.load(folder / "one").identical(expected)
        except ResultsError as error:
            assert str(error).isprintable()
