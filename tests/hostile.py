"""Results that were made to harm, each opened in a process of its own that tells how it went.

python tests/hostile.py FOLDER            # one line of JSON for each attack and way of opening
"""

from __future__ import annotations

import json
import os
import pathlib
import pickle
import resource
import shutil
import signal
import struct
import sys
import time
import zipfile
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
os.environ.setdefault("MPLBACKEND", "agg")

import numpy as np
import xarray as xr
from google_crc32c import value as crc32c

from avax import folders, progress_file, results, store
from avax.results import ResultsError
from paper_figures import command
from paper_figures import fig_noise_phase_diagram as figure

COORDS = {
    **{"fpr": (0.0, 0.1, 1.0), "fnr": (0.0, 0.5), "seed": (3, 4), "round": (0, 1, 2)},
    "mistake": ("long", "near_miss"),
}
FREE = ["p", "q", "r", "s"]  # dimensions that no other array has
DIMS = ("fpr", "fnr", "seed", "round")
CONFIG = {"type": "Sweep", "base": {"curriculum": {"type": "Fixed"}}}
MOST = 10 * 2**30  # bytes of address space: what would take more fails
GB, LARGE = 2**30, 10**5
ESCAPE = "\x1b]0;owned\x07<script>alert(1)</script>$\\input{x}$"
ATTACKS = {}


def attack(function):
    """Something done to good results; takes their folder and one outside of it."""
    ATTACKS[function.__name__] = function
    return function


class Payload:
    """What a pickle runs when it is loaded."""

    def __init__(self, outside: pathlib.Path):
        self.path = str(outside / "executed")

    def __reduce__(self):
        return os.mkdir, (self.path,)


def empty() -> xr.Dataset:
    shapes = {"accuracy": DIMS, "diverged": DIMS, "mistake_share": (*DIMS, "mistake")}
    return results.template(COORDS, shapes, {})


def write(folder: pathlib.Path) -> None:
    """Complete results, and their part `label_noise`."""
    for out in (folder, folder / "label_noise"):
        folders.claim(out, CONFIG, "digest")
        writer = store.Writer(out, empty())
        values = {name: np.zeros((12, *a.shape[3:])) for name, a in writer.dataset.items()}
        writer.put(np.arange(12), values)
        writer.flush()
        results.finish(out, writer.dataset, {})


def change(path: pathlib.Path, **fields) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def frame(size: int, says: int | None = None) -> bytes:
    """A zstd frame of `size` zeros, in blocks that repeat one byte, and its checksum."""
    block, blocks = 2**17, b""
    for start in range(0, size, block):
        length = min(block, size - start)
        blocks += struct.pack("<I", length << 3 | 2 | (start + length >= size))[:3] + b"\0"
    return struct.pack("<IBQ", 0xFD2FB528, 0b11100000, size if says is None else says) + blocks


def chunk_of(folder: pathlib.Path, name: str) -> pathlib.Path:
    return next(p for p in (folder / results.STORE / name / "c").rglob("*") if p.is_file())


def put_chunk(folder: pathlib.Path, name: str, content: bytes) -> None:
    chunk_of(folder, name).write_bytes(content + struct.pack("<I", crc32c(content)))


def put_bomb(folder: pathlib.Path, content: bytes) -> None:
    """For the only chunk of an array that is large enough to have such a file."""
    shape = [LARGE, *(len(COORDS[name]) for name in DIMS[1:])]
    grid = {"name": "regular", "configuration": {"chunk_shape": shape}}
    change(meta(folder), shape=shape, chunk_grid=grid, dimension_names=FREE)
    for i in range(1, len(COORDS["fpr"])):
        shutil.rmtree(meta(folder).with_name("c") / str(i))
    put_chunk(folder, "accuracy", content)


def meta(folder: pathlib.Path, name: str = "accuracy") -> pathlib.Path:
    return folder / results.STORE / name / "zarr.json"


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
def bomb(folder, outside):
    put_bomb(folder, frame(8 * GB))


@attack
def bomb_that_lies(folder, outside):
    put_bomb(folder, frame(8 * GB, says=48 * LARGE))


@attack
def bomb_behind_a_good_frame(folder, outside):
    put_bomb(folder, frame(48 * LARGE) + frame(8 * GB))


@attack
def bomb_that_does_not_say_its_size(folder, outside):
    content = frame(8 * GB)
    put_bomb(folder, content[:4] + b"\0\x58" + content[13:])


@attack
def bomb_of_an_honest_size(folder, outside):
    shape = [8 * GB // 48, 2, 2, 3]
    grid = {"name": "regular", "configuration": {"chunk_shape": shape}}
    change(meta(folder), shape=shape, chunk_grid=grid, dimension_names=FREE)
    put_chunk(folder, "accuracy", frame(8 * GB))


@attack
def bomb_of_names(folder, outside):
    put_chunk(folder, "mistake", frame(8 * GB))


@attack
def billions_of_names(folder, outside):
    import numcodecs

    put_chunk(folder, "mistake", numcodecs.Zstd().encode(b"\xff\xff\xff\xff" + bytes(100)))


@attack
def one_long_name(folder, outside):
    change(meta(folder, "mistake"), fill_value="x" * 2**23, shape=[1000], dimension_names=FREE[:1])
    shutil.rmtree(meta(folder, "mistake").parent / "c")


@attack
def shape_of_a_trillion(folder, outside):
    change(meta(folder), shape=[10**12, 2, 2, 3], dimension_names=FREE)


@attack
def chunk_of_a_trillion(folder, outside):
    grid = {"name": "regular", "configuration": {"chunk_shape": [10**12, 2, 2, 3]}}
    change(meta(folder), chunk_grid=grid)


@attack
def huge_coordinate(folder, outside):
    change(meta(folder, "seed"), shape=[10**9], dimension_names=FREE[:1])


@attack
def millions_of_chunks(folder, outside):
    grid = {"name": "regular", "configuration": {"chunk_shape": [1]}}
    change(meta(folder, "seed"), shape=[4 * 10**6], chunk_grid=grid, dimension_names=FREE[:1])


@attack
def file_full_of_holes(folder, outside):
    grid = {"name": "regular", "configuration": {"chunk_shape": [GB, 2, 2, 3]}}
    change(meta(folder), shape=[GB, 2, 2, 3], chunk_grid=grid, dimension_names=FREE)
    with chunk_of(folder, "accuracy").open("r+b") as file:
        file.truncate(40 * GB)


@attack
def deep_metadata(folder, outside):
    meta(folder).write_text('{"a":' * 10**5 + "1" + "}" * 10**5)


@attack
def deep_config(folder, outside):
    (folder / results.CONFIG).write_text("[" * 10**6 + "]" * 10**6)


@attack
def deep_provenance(folder, outside):
    (folder / results.PROVENANCE).write_text('{"a":' * 900 + "1" + "}" * 900)


@attack
def huge_provenance(folder, outside):
    (folder / results.PROVENANCE).write_text(f"[{'[],' * 2**24}[]]")


@attack
def huge_config(folder, outside):
    (folder / results.CONFIG).write_text(f"[{'[],' * 2**21}[]]")


@attack
def provenance_of_another_kind(folder, outside):
    (folder / results.PROVENANCE).write_text('["data_sha256"]')


@attack
def escape_in_a_folder_name(folder, outside):
    shutil.copytree(meta(folder).parent, meta(folder).parent.with_name("\x1b]0;owned\x07<b>"))


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
    results.is_label = lambda text: True  # in this process
    dataset = empty().fillna(0).assign_coords(mistake=np.array([ESCAPE, "b"], object))
    dataset = dataset.assign_attrs(config=CONFIG, provenance={})
    shutil.rmtree(folder / results.STORE)
    results.save(dataset, folder)


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


def load(folder: pathlib.Path) -> None:
    results.load(folder)


def resume(folder: pathlib.Path) -> None:
    """As the engine does; it may repair what it knows."""
    folders.claim(folder, CONFIG, "digest")
    before = progress_file.read(folder, lambda line: None)
    store.Writer(folder, empty(), None, before)


def draw(folder: pathlib.Path) -> None:
    sys.argv = ["fig_noise_phase_diagram.py", str(folder)]
    command.main(figure.__doc__, figure.draw, figure.PARTS)


WAYS = {"load": load, "resume": resume, "draw": draw}


def opened(way: str, folder: pathlib.Path, answer: int) -> None:
    """What a process that opens a folder says about it: the line, its peak memory, its time."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST, MOST))
    before, start = peak(), time.monotonic()
    line, status = None, 0
    os.dup2(answer + 1, 2)
    try:
        WAYS[way](folder)
    except ResultsError as error:
        line = str(error)
    except SystemExit as ended:
        status = ended.code
    except BaseException as error:
        line, status = f"{type(error)}: {error}", "raised"
    found = {"line": line, "status": status, "bytes": peak() - before}
    os.write(answer, json.dumps(found | {"seconds": time.monotonic() - start}).encode())


def peak() -> int:
    """The most memory that this process has had, bytes."""
    text = pathlib.Path("/proc/self/status").read_text()
    return int(text.split("VmHWM:")[1].split()[0]) * 1024


def in_a_process(way: str, folder: pathlib.Path, seconds: float = 30) -> dict:
    """What `opened` says from a process that is killed if it hangs."""
    answer, err = (folder.parent / f"{way}.{name}" for name in ("json", "err"))
    pid = os.fork()
    if pid == 0:
        signal.alarm(int(seconds))
        files = [os.open(p, os.O_CREAT | os.O_WRONLY | os.O_TRUNC) for p in (answer, err)]
        assert files[1] == files[0] + 1
        try:
            opened(way, folder, files[0])
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    found = json.loads(answer.read_text() or '{"line": "killed", "status": "killed"}')
    return found | {"err": err.read_text(errors="surrogateescape")}


def main(root: pathlib.Path) -> None:
    good = root / "good"
    if os.fork() == 0:
        write(good)
        os._exit(0)
    assert os.wait()[1] == 0
    for name, function in ATTACKS.items():
        for way in WAYS:
            folder, outside = (root / name / way / part for part in ("out", "outside"))
            shutil.copytree(good, folder)
            outside.mkdir()
            if os.fork() == 0:
                function(folder, outside)
                os._exit(0)
            assert os.wait()[1] == 0, name
            before = sorted(map(str, outside.rglob("*")))
            found = in_a_process(way, folder)
            found["escaped"] = sorted(map(str, outside.rglob("*"))) != before
            print(json.dumps({"attack": name, "way": way, **found}), flush=True)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
