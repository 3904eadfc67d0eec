"""The main job's own work: an update at its batches and lengths, and a whole run.

Against the machine's peak only real tokens count, not PAD: 6 FLOPs for each parameter and token.
"""

from __future__ import annotations

import dataclasses
import math
import pathlib
import tempfile
import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from avax import vocab
from avax.bench import measure, steps
from avax.bench.observing import ready, short
from avax.bench.steps import Contestant
from avax.curricula import Fixed
from avax.engine import tiles
from avax.engine.program import Program
from avax.engine.progress import say
from avax.engine.run import Engine
from avax.loop import Experiment
from avax.models import transformer
from avax.policies import sampling
from avax.sweeps.sweep import Sweep

NUM_UPDATES = 128  # of a timed call
NUM_FPR, NUM_FNR = 4, 2  # settings of timed runs


def main_job(sweeps: dict[str, Sweep], repeats: int) -> list[dict[str, Any]]:
    """Rows of facts and times: updates at some lengths, and runs, of each sweep by name.

    An update has its `flops`, 6 for each parameter and real token, and so have the products of
    these tokens with weights alone. Those leave out attention and all that is no product, and, as
    an update does, what a last layer need not compute for prompts: they may be faster than `flops`
    at the peak. All rows have the `peak` that was measured beside them, in FLOPs a second of a
    device.
    """
    contestants = [steps.gemm(len(jax.local_devices()))]
    for name, sweep in sweeps.items():
        say(f"timing the main job: {name}")
        for longest in lengths(sweep.base):
            contestants += updates(name, sweep, longest)
        contestants.append(run(name, sweep))
    gemm, *rows = measure.steps_table(contestants, repeats)
    return [row | {"peak": 1 / gemm["median_s"] / gemm["devices"]} for row in rows]


def lengths(experiment: Experiment) -> list[int]:
    """The lengths of a round that are timed: all at once on a fixed range; on a frontier the first,
    a middle one and the last.
    """
    curriculum, longest = experiment.curriculum, experiment.task.max_difficulty
    if isinstance(curriculum, Fixed):
        return [longest]
    return [curriculum.start, (curriculum.start + longest) // 2, longest]


def batches(sweep: Sweep, longest: int, num_members: int) -> list[np.ndarray]:
    """Prompts and answers, i32[members, updates, rows, columns] each, as the learner draws them: of
    one length, or up to it on a fixed range; and of base data.
    """
    base = sweep.base
    shape = num_members, NUM_UPDATES, base.learner.batch_size
    is_fixed = isinstance(base.curriculum, Fixed)

    def problem(key):
        key_kind, key_own, key_base, key_problem = jax.random.split(key, 4)
        own = sampling.uniform_integer(key_own, 1, longest) if is_fixed else longest
        known = sampling.uniform_integer(key_base, 1, base.base_difficulty)
        is_base = jax.random.uniform(key_kind) < base.learner.base_rate
        return base.task.sample(key_problem, jnp.where(is_base, known, own))

    found = jax.vmap(problem)(jax.random.split(jax.random.key(0), math.prod(shape)))
    return [np.asarray(x).reshape(*shape, -1) for x in (found.prompt, found.answer)]


def updates(name: str, sweep: Sweep, longest: int) -> list[Contestant]:
    """Updates of as many policies as the sweep trains at a time, on each device; and their products
    alone, packed without a gap.
    """
    width, num_devices = int(sweep.tile_width), len(jax.local_devices())
    num_members = width * num_devices
    data = batches(sweep, longest, num_members)
    init = jax.vmap(lambda key: transformer.init(key, sweep.pretraining.model))
    policies = jax.tree.map(np.asarray, init(jax.random.split(jax.random.key(1), num_members)))
    num_parameters = sum(x[0].size for x in jax.tree.leaves(policies))
    num_tokens = sum((x != vocab.PAD).sum() for x in data) / (num_members * NUM_UPDATES)
    program = Program(steps.train, (policies, *data), width)
    units = tiles.make_units("tiles", jax.local_devices(), num_devices)
    program.compile_all(units)

    def seconds() -> float:
        start = time.perf_counter()
        tiles.run_tiles(program, (policies, *data), units, lambda *_: None)
        return num_devices * (time.perf_counter() - start) / (num_members * NUM_UPDATES)

    facts = {"of": name, "longest": longest, "flops": 6.0 * num_parameters * num_tokens}
    bare = facts | {"what": "products"}
    alone = steps.products_alone(bare, policies, data, num_devices, padded=False)
    return [
        Contestant(facts | {"what": "update"}, seconds),
        Contestant(alone.facts, lambda: num_devices * alone.seconds()),
    ]


def run(name: str, sweep: Sweep) -> Contestant:
    """Whole runs of some settings, in the sweep's own tiles."""
    axes = {
        path: values[:: len(values) // count]
        for (path, values), count in zip(sweep.axes.items(), (NUM_FPR, NUM_FNR), strict=True)
    }
    config = short(dataclasses.replace(sweep, axes=axes))
    with tempfile.TemporaryDirectory() as folder:
        members, program, units = ready(Engine(pathlib.Path(folder)), config)
    num_runs = len(config.settings())

    def seconds() -> float:
        start = time.perf_counter()
        tiles.run_tiles(program, members, units, lambda *_: None)
        return (time.perf_counter() - start) / num_runs

    return Contestant({"what": "run", "of": name, "rounds": config.base.num_rounds}, seconds)
