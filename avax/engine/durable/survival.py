"""Tiles that survive: saved after every segment, resumed where they were, stopped when asked."""

from __future__ import annotations

import math
import pathlib
import threading
import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from avax.engine.cluster import hosts
from avax.engine.durable import checkpoint
from avax.engine.program import Unit, place
from avax.engine.segments import Outcome, Progress, Run, policy_of

TARGET = 5.0  # seconds that a segment of automatic length takes
SHORT = 2.0  # seconds of work that are not worth a checkpoint


class Stopped(Exception):
    """A tile was left between two segments, because it was asked to stop."""


class ResumableRunner:
    """Runs tiles in segments.

    Attributes:
      width: members of a tile, on each device of a unit.
    """

    def __init__(
        self,
        run: Run,
        segment: str,
        folder: pathlib.Path,
        facts: dict,
        stop: threading.Event,
        tell: Callable[[pathlib.Path, float, bool], None] = lambda *_: None,
        keep: str = "none",
    ):
        """
        Args:
          segment: rounds of a segment, or `auto`: as many as take some seconds.
          folder: where tiles that are not done yet are kept.
          facts: what the bits of a tile depend on; a tile saved with others is not resumed.
          stop: once it is set, tiles end with their segment.
          tell: is called with the place of a tile and how much of its runs is done (half of each of
            8 runs is 4), after each segment; and when it is resumed, then with True.
          keep: policies to hand on: after the `last` round, after `all`, or `none`.
        """
        self.width = run.width
        self._run, self._segment, self._stop = run, segment, stop
        self._folder, self._facts, self._tell, self._keep = folder, facts, tell, keep
        self._pace: float | None = None  # seconds a round, as last measured
        self._saved: dict[pathlib.Path, float] = {}  # when a tile was begun or last saved

    def __call__(self, unit: Unit, tile: tuple) -> Outcome:
        """What is left of a tile; ((experiments, bases, keys, eval_keys), indices of the runs) are
        stacked.

        Raises:
          Stopped: the tile is saved, if anything of it was done.
        """
        try:
            if hosts.any_of(self._stop.is_set()):
                raise Stopped
            return self._finish(unit, *tile)
        except BaseException:
            self._stop.set()  # the other units, too, end with their segment
            raise

    def _finish(self, unit: Unit, members: tuple, runs: np.ndarray) -> Outcome:
        last = self._run.num_rounds
        folder, facts = self.place_of(runs), self._facts | {"runs": unique(runs)}
        if self._keep == "all":
            facts["keep"] = self._keep  # its checkpoints hold the policies, too
        start, progress, policies = self._resume(unit, members, folder, facts)
        self._saved[folder] = time.monotonic()
        if start:
            self._tell(folder, self._share(start, runs), True)
        while start < last:
            stop, began = min(start + hosts.share(self._length), last), time.monotonic()
            progress = self._run.advance(unit, members[0], progress, start, stop)
            self._pace = (time.monotonic() - began) / max(1, stop - max(start, 1))
            start, stopped = stop, hosts.any_of(self._stop.is_set())
            if self._keep == "all":
                _put(policies, start - 1, hosts.gather(policy_of(progress)))
            self._tell(folder, self._share(start, runs), False)
            if start < last and (stopped or hosts.share(lambda: self.is_worth_saving(runs))):
                whole = hosts.gather(progress)
                if hosts.is_first():
                    checkpoint.save_newest(folder, start, (whole, policies), facts)
                self._saved[folder] = time.monotonic()
            if start < last and stopped:
                raise Stopped
        if self._keep == "last":
            policies = jax.tree.map(lambda x: x[:, None], hosts.gather(policy_of(progress)))
        return Outcome(hosts.gather(progress.found), policies)

    def _share(self, rounds: int, runs: np.ndarray) -> float:
        """How many runs' work so many rounds of a tile are; in round 0 nothing is trained."""
        return len(unique(runs)) * (rounds - 1) / max(1, self._run.num_rounds - 1)

    def place_of(self, runs: np.ndarray) -> pathlib.Path:
        """The folder of a tile's checkpoints."""
        return self._folder / "-".join(map(str, (unique(runs)[0], len(unique(runs)), self.width)))

    def is_worth_saving(self, runs: np.ndarray) -> bool:
        """Whether what was done of a tile since it was begun or saved is too much to be lost."""
        saved = self._saved.get(self.place_of(runs), math.inf)
        return self._segment != "auto" or time.monotonic() - saved > SHORT

    def _length(self) -> int:
        if self._keep == "all":
            return 1
        if self._segment != "auto":
            return int(self._segment)
        # Rounds 0, in which nothing is trained, and 1 tell how long a round takes.
        return 2 if self._pace is None else max(1, int(TARGET / max(self._pace, 1e-9)))

    def _resume(self, unit, members, folder, facts) -> tuple[int, Progress, Any]:
        """Rounds that are done, the tile after them, and the policies of all rounds if these are
        kept.
        """
        size = self.width * len(unit)
        like = jax.tree.map(
            lambda x: jax.ShapeDtypeStruct((size, *x.shape), x.dtype), self._run.like
        )
        shapes = None
        if self._keep == "all":
            rows = size, self._run.num_rounds
            shapes = jax.tree.map(
                lambda x: jax.ShapeDtypeStruct((*rows, *x.shape), x.dtype),
                jax.eval_shape(lambda one: one.state.learner.policy, self._run.like),
            )
        found = None
        if hosts.is_first():
            found = checkpoint.load_newest(folder, (like, shapes), facts)
        start = hosts.share(lambda: found and found[0])
        if start is None:
            if hosts.is_first():
                checkpoint.forget(folder)  # what another set-up left would pass for newer
            blank = jax.tree.map(lambda x: np.full(x.shape, np.nan, x.dtype), shapes)
            return 0, self._run.begin(unit, members), blank
        progress, policies = hosts.share_arrays(lambda: found[1], lambda: (like, shapes))
        return start, place(unit, progress), jax.tree.map(np.array, policies)  # can be written to


def _put(policies: Any, number: int, now: Any) -> None:
    """Writes those of one round, leading axis the members, into those of all rounds."""
    for rows, x in zip(jax.tree.leaves(policies), jax.tree.leaves(now), strict=True):
        rows[:, number] = x


def unique(runs: np.ndarray) -> list[int]:
    """Indices of the runs of a tile, without its padding."""
    return list(dict.fromkeys(np.asarray(runs).tolist()))
