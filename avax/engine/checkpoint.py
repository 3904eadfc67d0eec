"""Base policies on disk. The only file that imports orbax."""

from __future__ import annotations

import pathlib
import shutil
import zlib
from typing import Any

import jax
import numpy as np


def save(folder: pathlib.Path, tree: Any, facts: dict[str, Any]) -> None:
    """Writes the arrays of a pytree and JSON-like facts, with a checksum of every array.

    The folder appears complete or not at all.
    """
    from orbax.checkpoint import v1 as ocp

    arrays = {str(i): np.asarray(x) for i, x in enumerate(jax.tree.leaves(tree))}
    checksums = {name: zlib.crc32(x.tobytes()) for name, x in arrays.items()}
    # orbax refuses relative paths.
    ocp.save(
        folder.absolute(),
        arrays,
        overwrite=True,
        custom_metadata={"crc32": checksums, "facts": facts},
    )


def load(folder: pathlib.Path, like: Any, facts: dict[str, Any]) -> Any | None:
    """The pytree saved there, in the structure of `like` (arrays or their shapes).

    None if there is none, if its facts differ, or if an array is not what was saved: a damaged
    checkpoint is never read as data, it is moved aside.
    """
    from orbax.checkpoint import v1 as ocp

    folder = folder.absolute()
    if not folder.is_dir():
        return None
    leaves, structure = jax.tree.flatten(like)
    template = {
        str(i): jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=_on_one_device())
        for i, x in enumerate(leaves)
    }
    try:
        metadata = ocp.metadata(folder).custom_metadata
        if metadata["facts"] != facts:
            return None
        arrays = jax.device_get(ocp.load(folder, template))
        for name, array in arrays.items():
            if zlib.crc32(np.asarray(array).tobytes()) != metadata["crc32"][name]:
                raise ValueError(f"array {name} is not what was saved")
    except Exception:  # whatever a damaged folder makes the reader raise
        aside = folder.with_name(f"{folder.name}.damaged")
        shutil.rmtree(aside, ignore_errors=True)
        shutil.move(folder, aside)
        return None
    return jax.tree.unflatten(structure, [arrays[str(i)] for i in range(len(leaves))])


def _on_one_device() -> jax.sharding.Sharding:
    return jax.sharding.SingleDeviceSharding(jax.devices()[0])
