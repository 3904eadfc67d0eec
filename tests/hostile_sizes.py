"""Results that would take more memory or time than anybody has."""

from __future__ import annotations

import shutil

from crafted import (
    FREE,
    GB,
    LARGE,
    change,
    chunk_of,
    frame,
    meta,
    put_bomb,
    put_chunk,
    registry,
)

from avax import results

ATTACKS, attack = registry()


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
