"""Checkpoints that were made to harm, loaded one after the other.

python tests/hostile_checkpoints.py FOLDER            # one line of JSON for each
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import pathlib
import pickle
import resource
import shutil
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

import jax
import numpy as np
from crafted import GB, Payload, change, frame, registry

from avax.engine.durable import checkpoint

TREE = {"w": np.arange(3000, dtype=np.float32), "b": np.array([True, False])}
SIZE = 3000 * 4 + 2 + 1
FACTS = {"task": "addition"}
STATE = pathlib.Path("state", checkpoint.DATA)
MOST = 60 * GB  # bytes of address space; JAX reserves many
ATTACKS, attack = registry()  # a checkpoint's list of files is made to fit afterwards


def array(folder: pathlib.Path, **fields) -> None:
    change(folder / STATE / ".zarray", **fields)


@attack
def nothing(folder, outside):
    """The only one that loads."""


@attack
def shape_of_a_trillion(folder, outside):
    array(folder, shape=[10**12], chunks=[10**12])


@attack
def shape_of_a_trillion_in_small_chunks(folder, outside):
    array(folder, shape=[10**12])


@attack
def bomb(folder, outside):
    array(folder, compressor={"id": "zstd", "level": 1})
    content = frame(8 * GB)[:SIZE]
    (folder / STATE / "0").write_bytes(content + bytes(SIZE - len(content)))


@attack
def bomb_of_its_own_size(folder, outside):
    array(folder, compressor={"id": "zstd", "level": 1})
    (folder / STATE / "0").write_bytes(frame(8 * GB))


@attack
def array_of_zarr_3_beside_it(folder, outside):
    (folder / STATE / "zarr.json").write_text("{}")
    change(folder / "state" / "_METADATA", use_zarr3=True)


@attack
def database_beside_it(folder, outside):
    (folder / "state" / "manifest.ocdbt").write_bytes(b"\x0c\xdb\x3d\x2a" + bytes(100))
    change(folder / "state" / "_METADATA", use_ocdbt=True)


@attack
def file_full_of_holes(folder, outside):
    with (folder / STATE / "0").open("r+b") as file:
        file.truncate(40 * GB)


@attack
def pickle_for_the_array(folder, outside):
    array(folder, dtype="|O", filters=[{"id": "pickle", "protocol": 5}])
    content = pickle.dumps(Payload(outside))
    (folder / STATE / "0").write_bytes(content + bytes(SIZE - len(content)))


@attack
def class_of_a_handler(folder, outside):
    change(
        folder / checkpoint.METADATA, item_handlers={"state": "os.system", "x": "subprocess.run"}
    )


@attack
def facts_that_lie(folder, outside):
    custom = {"facts": FACTS, "crc32": {"../../x": "y"}}
    change(folder / checkpoint.METADATA, custom_metadata=custom)


@attack
def deep_metadata(folder, outside):
    (folder / "state" / "_METADATA").write_text('{"a":' * 10**5 + "1" + "}" * 10**5)


@attack
def huge_metadata(folder, outside):
    (folder / "state" / "_METADATA").write_text(f"[{'[],' * 2**24}[]]")


@attack
def deep_facts(folder, outside):
    (folder / checkpoint.METADATA).write_text("[" * 10**6 + "]" * 10**6)


@attack
def names_of_the_tree(folder, outside):
    text = (folder / "state" / "_METADATA").read_text()
    (folder / "state" / "_METADATA").write_text(text.replace("data", str(outside)))


@attack
def link_for_the_array(folder, outside):
    (folder / STATE / "0").rename(outside / "0")
    (folder / STATE / "0").symlink_to(outside / "0")


@attack
def link_for_the_checkpoint(folder, outside):
    folder.rename(outside / "kept")
    folder.symlink_to(outside / "kept")


@attack
def link_to_endless_zeros(folder, outside):
    (folder / checkpoint.METADATA).unlink()
    (folder / checkpoint.METADATA).symlink_to("/dev/zero")


@attack
def pipe_for_the_array(folder, outside):
    (folder / STATE / "0").unlink()
    os.mkfifo(folder / STATE / "0")


@attack
def pipe_for_the_metadata(folder, outside):
    (folder / checkpoint.METADATA).unlink()
    os.mkfifo(folder / checkpoint.METADATA)


@attack
def pipe_for_the_list_of_files(folder, outside):
    os.mkfifo(folder.with_name("kept.json"))


@attack
def names_in_the_list_of_files(folder, outside):
    names = {"../../outside/secret": 0, "/etc/passwd": 0, "\x1b[31m": 0}
    folder.with_name("kept.json").write_text(json.dumps(names))


def load(folder: pathlib.Path) -> dict:
    """Whether it was read as data, the line that was said, peak memory and time."""
    pathlib.Path("/proc/self/clear_refs").write_text("5")  # the peak from here on
    err, before, start = io.StringIO(), memory("VmHWM"), time.monotonic()
    with contextlib.redirect_stderr(err):
        found = checkpoint.load(folder, TREE, FACTS)
    is_same = found is not None and all(
        np.array_equal(a, b)
        for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(TREE), strict=True)
    )
    about = {"loaded": found is not None, "same": is_same, "line": err.getvalue()}
    return about | {"bytes": memory("VmHWM") - before, "seconds": time.monotonic() - start}


def memory(name: str) -> int:
    text = pathlib.Path("/proc/self/status").read_text()
    return int(text.split(f"{name}:")[1].split()[0]) * 1024


def main(root: pathlib.Path) -> None:
    checkpoint.save(root / "kept", TREE, FACTS)
    assert load(root / "kept")["same"]
    resource.setrlimit(resource.RLIMIT_AS, (MOST, MOST))
    for name, function in ATTACKS.items():
        folder, outside = root / name / "in" / "kept", root / name / "outside"
        shutil.copytree(root / "kept", folder)
        outside.mkdir()
        function(folder, outside)
        manifest = folder.with_name("kept.json")
        if not os.path.lexists(manifest):
            can_be_read = name != "file_full_of_holes"
            manifest.write_text(json.dumps(checkpoint._checksums(folder) if can_be_read else {}))
        before = sorted(map(str, outside.rglob("*")))
        found = load(folder)
        found["escaped"] = sorted(map(str, outside.rglob("*"))) != before
        left = sorted(p.name for p in folder.parent.iterdir())
        print(json.dumps({"attack": name, "left": left, **found}), flush=True)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
