"""Runs in segments: a tile's rounds, some at a time, that can stop between any two."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from avax import metrics, struct
from avax.engine import program
from avax.engine.program import Program, Unit, sized
from avax.loop import Experiment, advance, init
from avax.types import Policy


class Progress(NamedTuple):
    """How far a tile has come; keys in it are raw data, so that all of it can be saved."""

    state: Any
    found: dict[str, jax.Array]  # metrics of all rounds, NaN where not measured yet


class Outcome(NamedTuple):
    """What is left of a tile's runs, on the host; leading axis: the runs."""

    metrics: dict[str, np.ndarray]
    policies: Any = None  # after each of the rounds that are kept, second axis; None if none are


def begin(experiment: Experiment, bases: Policy, key: jax.Array, eval_key: jax.Array) -> Progress:
    """A run of which nothing is done."""
    state = init(experiment, bases, key, eval_key)
    found = metrics.blank(experiment)
    return Progress(
        jax.tree.map(lambda x: jax.random.key_data(x) if _is_key(x) else x, state), found
    )


def go_on(
    like: Any, experiment: Experiment, progress: Progress, start: jax.Array, stop: jax.Array
) -> Progress:
    """The run after rounds `start` to `stop` - 1; `like` has the types of the loop's state."""

    def typed(x, like):
        return jax.random.wrap_key_data(x) if _is_key(like) else x

    state = jax.tree.map(typed, progress.state, like)
    state, found = advance(experiment, state, progress.found, start, stop)
    return Progress(
        jax.tree.map(lambda x: jax.random.key_data(x) if _is_key(x) else x, state), found
    )


def _is_key(x: Any) -> bool:
    return jnp.issubdtype(x.dtype, jax.dtypes.prng_key)


def largest_sizes(name: str, config: Any) -> str:
    """The largest static size of what has this name, `base.num_eval = 16`, and others above a tenth
    of it.
    """
    sizes = {
        f"{name}.{path}": value
        for path, field, value in struct.walk(config)
        if struct.is_static(field) and isinstance(value, int)
    }
    largest = [path for path in sizes if 10 * sizes[path] >= max(sizes.values())]
    return ", ".join(f"{path} = {sizes[path]}" for path in largest)


class Run:
    """The two programs of a run at one tile width: one begins it, one advances it.

    Attributes:
      width: members of a tile.
      num_rounds: rounds of a run, round 0 included.
      like: shapes of the progress of one member.
      what: the runs of a tile and their largest sizes, in words.
    """

    def __init__(self, members: tuple, width: int, optimization: int = 2):
        """(experiments, bases, keys, eval_keys), stacked, are taken only for their shapes."""
        one = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape[1:], x.dtype), members)
        self.width, self.num_rounds = width, members[0].num_rounds + 1
        self.what = f"tile_width: {width} runs at a time ({largest_sizes('base', members[0])})"
        with sized(self.what):
            self.like = jax.eval_shape(begin, *one)
            further = partial(go_on, jax.eval_shape(init, *one))
        stacked = jax.tree.map(lambda x: jax.ShapeDtypeStruct((1, *x.shape), x.dtype), self.like)
        about = {"optimization": optimization, "what": self.what}
        self._begin = Program(begin, members, width, **about)
        self._advance = Program(
            further, (members[0], stacked), width, num_shared=2, donate=(1,), **about
        )

    def programs(self) -> tuple[Program, Program]:
        """What is to be compiled, the larger one first."""
        return self._advance, self._begin

    def compile_all(self, units: Sequence[Unit]) -> None:
        """Compiles for several units at the same time."""
        program.compile_all([(p, unit) for unit in units for p in self.programs()])

    def begin(self, unit: Unit, members: tuple) -> Progress:
        """A tile of which nothing is done, on the devices of the unit."""
        return self._begin.launch(unit, members)

    def advance(
        self, unit: Unit, experiments: Experiment, progress: Progress, start: int, stop: int
    ) -> Progress:
        """The tile after rounds `start` to `stop` - 1; the old progress can't be used any more."""
        with sized(self.what):
            progress = self._advance.launch(unit, (experiments, progress), (start, stop))
            return jax.block_until_ready(progress)

    def __call__(self, unit: Unit, members: tuple) -> dict[str, np.ndarray]:
        """The metrics of a whole tile, in one segment, on the host."""
        return self.outcome(unit, members, "none").metrics

    def outcome(self, unit: Unit, members: tuple, keep: str) -> Outcome:
        """A whole tile and its policies after the `last` round, after `all`, or `none`."""
        progress, kept = self.begin(unit, members), []
        length = 1 if keep == "all" else self.num_rounds
        for start in range(0, self.num_rounds, length):
            progress = self.advance(unit, members[0], progress, start, start + length)
            if keep != "none":
                kept.append(jax.device_get(policy_of(progress)))
        stacked = jax.tree.map(lambda *rounds: np.stack(rounds, 1), *kept) if kept else None
        return Outcome(jax.device_get(progress.found), stacked)


def policy_of(progress: Progress) -> Policy:
    """The policies of a tile as they are now; of a population, the first of each."""
    # A population's own axis comes after that of the tile.
    return jax.vmap(lambda learner: learner.policy)(progress.state.learner)
