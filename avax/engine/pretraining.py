"""Pretraining in segments: some updates at a time, so that it shows how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

import jax
import numpy as np

from avax.engine import program, tiles
from avax.engine.program import Program, Unit, sized
from avax.engine.progress import Meter
from avax.engine.segments import largest_sizes
from avax.policies import pretrain
from avax.policies.pretrain import Pretraining
from avax.types import Policy, Task

FIRST = 10  # updates of the first segment
SECONDS = 1.0  # that a segment should take


def train(
    pretraining: Pretraining, task: Task, base_difficulty: int, keys: jax.Array, optimization: int
) -> tuple[Policy, np.ndarray]:
    """What `pretrain.pretrain` makes of each of keys [N], stacked, on the host."""
    # The same width for any number of seeds and devices, so that a base has the same bits.
    width = 2 if jax.default_backend() == "cpu" else keys.size
    num_tiles = -(-keys.size // width)
    units = tiles.make_units("tiles", jax.local_devices(), num_tiles)
    num_updates = pretrain.num_updates_of(pretraining)
    # Of all policies on average.
    with Meter(num_updates, "updates", lambda: "base policies", per=num_tiles) as meter:
        training = Training(
            pretraining, task, base_difficulty, keys, width, optimization, meter.add
        )
        training.compile_all(units)
        with meter.running():
            return tiles.run_all(training, (keys,), units)


class Training:
    """The two programs of pretraining at one tile width: one begins it, one advances it.

    Attributes:
      width: policies of a tile.
    """

    def __init__(
        self,
        pretraining: Pretraining,
        task: Task,
        base_difficulty: int,
        keys: jax.Array,
        width: int,
        optimization: int,
        on_updates: Callable[[int], None],
    ):
        """Keys [N] are taken only for their shape.

        Args:
          on_updates: called by the threads of all units with the number of updates of a segment.
        """
        self.width, self._pretraining, self._on_updates = width, pretraining, on_updates
        start = partial(pretrain.begin, pretraining)
        further = partial(pretrain.advance, pretraining, task, base_difficulty)
        sizes = largest_sizes("pretraining", pretraining)
        self._what = f"pretraining: {width} policies at a time ({sizes})"
        with sized(self._what):
            like = jax.eval_shape(jax.vmap(start), keys)
        about = {"optimization": optimization, "what": self._what}
        self._begin = Program(start, (keys,), width, **about)
        self._advance = Program(further, (like,), width, num_shared=2, donate=(0,), **about)

    def compile_all(self, units: Sequence[Unit]) -> None:
        """Compiles for several units at the same time."""
        program.compile_all([(p, unit) for p in (self._advance, self._begin) for unit in units])

    def __call__(self, unit: Unit, members: tuple) -> tuple[Policy, np.ndarray]:
        """Snapshots [width, S] and losses f32[width, S] of the policies of a tile, on the host."""
        progress = self._begin.launch(unit, members)
        length, snapshots = FIRST, []
        num_updates = pretrain.updates_per_snapshot(self._pretraining)
        for i in range(self._pretraining.num_snapshots):
            start, end = i * num_updates, (i + 1) * num_updates
            while start < end:
                stop, began = min(end, start + length), time.monotonic()
                with sized(self._what):
                    progress = self._advance.launch(unit, (progress,), (start, stop))
                    jax.block_until_ready(progress)
                self._on_updates(stop - start)
                rate = (stop - start) / max(time.monotonic() - began, 1e-9)
                start, length = stop, max(1, round(SECONDS * rate))
            snapshots.append(jax.device_get((progress.policy, progress.loss)))
        return jax.tree.map(lambda *each: np.stack(each, axis=1), *snapshots)
