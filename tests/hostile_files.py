"""Results that would run code, lead out of their folder, or write on a terminal."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import zipfile
import zlib

import numpy as np
from crafted import CONFIG, DIMS, Payload, change, chunk_of, empty, meta, registry

from avax import results
from avax.results import dataset, provenance

ATTACKS, attack = registry()
# Beside the arrays that the provenance names: passed over, as what a file manager leaves is.
BESIDE = {"pickled_npz", "escape_in_a_folder_name", "group_in_the_store"}
ESCAPE = "\x1b]0;owned\x07<script>alert(1)</script>$\\input{x}$"


@attack
def pickled_codec(folder, outside):
    codecs = [{"name": "numcodecs.pickle", "configuration": {"protocol": 5}}]
    change(meta(folder), data_type="variable_length_bytes", codecs=codecs)
    chunk_of(folder, "accuracy").write_bytes(pickle.dumps(Payload(outside)))


@attack
def object_array_of_zarr_2(folder, outside):
    shutil.rmtree(meta(folder).parent)
    meta(folder).parent.mkdir()
    about = {"zarr_format": 2, "shape": [1], "chunks": [1], "dtype": "|O", "order": "C"}
    about |= {"compressor": None, "filters": [{"id": "pickle", "protocol": 5}], "fill_value": 0}
    (meta(folder).parent / ".zarray").write_text(json.dumps(about))
    (meta(folder).parent / "0").write_bytes(pickle.dumps(Payload(outside)))


@attack
def pickled_npz(folder, outside):
    np.savez(folder / results.STORE / "accuracy.npz", x=np.array([Payload(outside)], object))


@attack
def pickle_for_a_chunk(folder, outside):
    chunk_of(folder, "accuracy").write_bytes(pickle.dumps(Payload(outside)))


@attack
def pickle_for_json(folder, outside):
    (folder / results.CONFIG).write_bytes(pickle.dumps(Payload(outside)))


@attack
def yaml_for_json(folder, outside):
    text = f"!!python/object/apply:os.mkdir ['{outside / 'executed'}']"
    (folder / results.CONFIG).write_text(text)


@attack
def unknown_codec(folder, outside):
    change(meta(folder), codecs=[{"name": "\x1b[31mcode", "configuration": {"run": "x"}}])


@attack
def unknown_transformer(folder, outside):
    change(meta(folder), storage_transformers=[{"name": "os.system", "configuration": {}}])


@attack
def provenance_of_another_kind(folder, outside):
    (folder / results.PROVENANCE).write_text('["sha256"]')


@attack
def escape_in_a_folder_name(folder, outside):
    shutil.copytree(meta(folder).parent, meta(folder).parent.with_name("\x1b]0;owned\x07<b>"))


@attack
def name_of_an_array_elsewhere(folder, outside):
    """With a checksum that fits."""
    about = json.loads((folder / results.PROVENANCE).read_text())
    shutil.copytree(meta(folder).parent, outside / "array")
    about["arrays"].append("../../outside/array")
    about["sha256"] = provenance._own_sum(about)
    (folder / results.PROVENANCE).write_text(json.dumps(about))


@attack
def escape_in_a_dimension(folder, outside):
    change(meta(folder), dimension_names=[ESCAPE, *DIMS[1:]])


@attack
def escape_in_an_attribute(folder, outside):
    change(meta(folder), attributes={"description": ESCAPE, ESCAPE: ESCAPE})


@attack
def escape_in_the_config(folder, outside):
    change(folder / results.CONFIG, base={"curriculum": {"type": ESCAPE}})


@attack
def escape_in_a_coordinate(folder, outside):
    """With a fingerprint that fits."""
    dataset.is_label = lambda text: True  # in this process
    strange = empty().fillna(0).assign_coords(mistake=np.array([ESCAPE, "b"], object))
    strange = strange.assign_attrs(config=CONFIG, provenance={})
    shutil.rmtree(folder / results.STORE)
    results.save(strange, folder)


@attack
def link_for_a_chunk(folder, outside):
    path = chunk_of(folder, "accuracy")
    path.rename(outside / "chunk")
    path.symlink_to(outside / "chunk")


@attack
def link_for_the_store(folder, outside):
    (folder / results.STORE).rename(outside / "store")
    (folder / results.STORE).symlink_to(outside / "store")


@attack
def link_for_a_json_file(folder, outside):
    path = folder / results.PROVENANCE
    path.rename(outside / "provenance.json")
    path.symlink_to(outside / "provenance.json")


@attack
def link_to_endless_zeros(folder, outside):
    for path in (folder / results.CONFIG, folder / results.PROGRESS, meta(folder)):
        path.unlink()
        path.symlink_to("/dev/zero")


@attack
def link_in_a_circle(folder, outside):
    (folder / results.STORE / "more").symlink_to(folder / results.STORE)


@attack
def pipe_for_a_chunk(folder, outside):
    path = chunk_of(folder, "accuracy")
    path.unlink()
    os.mkfifo(path)


@attack
def pipe_for_json(folder, outside):
    for path in (folder / results.CONFIG, folder / results.PROGRESS):
        path.unlink()
        os.mkfifo(path)


@attack
def pipe_for_metadata(folder, outside):
    meta(folder).unlink()
    os.mkfifo(meta(folder))


@attack
def file_for_the_folder(folder, outside):
    shutil.rmtree(folder)
    folder.write_text("text")


@attack
def zip_for_the_store(folder, outside):
    shutil.rmtree(folder / results.STORE)
    with zipfile.ZipFile(folder / results.STORE, "w") as file:
        file.writestr("../../escaped", "text")
        file.writestr("zarr.json", "{}")


@attack
def consolidated_metadata(folder, outside):
    other = {**json.loads(meta(folder).read_text()), "shape": [10**12]}
    consolidated = {"kind": "inline", "must_understand": False, "metadata": {"accuracy": other}}
    change(folder / results.STORE / "zarr.json", consolidated_metadata=consolidated)


@attack
def group_in_the_store(folder, outside):
    (folder / results.STORE / "group").mkdir()
    about = {"zarr_format": 3, "node_type": "group", "attributes": {"_ARRAY_DIMENSIONS": ["x"]}}
    (folder / results.STORE / "group" / "zarr.json").write_text(json.dumps(about))


@attack
def progress_of_other_kinds(folder, outside):
    """With a checksum that fits."""
    content = {"facts": [1], "runs": {"-1": 1, "1e9": {}, "../../x": 3}}
    crc = zlib.crc32(json.dumps(content, sort_keys=True).encode())
    (folder / results.PROGRESS).write_text(json.dumps({**content, "crc32": crc}))
    (folder / results.PROVENANCE).unlink()
