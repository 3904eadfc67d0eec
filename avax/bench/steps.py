"""Training and generation of avax, and the machine's limit: each is a function to be timed."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from avax import vocab
from avax.engine import tiles
from avax.engine.program import Program
from avax.models import transformer
from avax.models.products import matmul
from avax.models.transformer import TransformerConfig
from avax.policies import generation, sampling, training
from avax.policies.pretrain import Pretraining, pretrain
from avax.tasks import Addition
from avax.types import Policy

TASK = Addition(max_difficulty=8)
NUM_GENERATED = 512  # prompts of a round
CALL_FLOPS = 1.4e11  # of a timed call, nominally


class Size(NamedTuple):
    """A model and its training batch."""

    width: int
    num_layers: int
    num_heads: int
    batch: int

    @property
    def config(self) -> TransformerConfig:
        return TransformerConfig(
            num_layers=self.num_layers, num_heads=self.num_heads, width=self.width
        )

    @property
    def num_parameters(self) -> int:
        like = jax.eval_shape(lambda key: transformer.init(key, self.config), jax.random.key(0))
        return sum(x.size for x in jax.tree.leaves(like))

    def num_steps(self, work: str, width: int = 1) -> int:
        """Updates, or rounds of completions, of one timed call: about a second's.

        That makes up for what a call costs by itself; a loop makes hundreds in one.
        """
        rows = self.batch if work == "train" else NUM_GENERATED / 3  # forward alone
        flops = self.nominal_flops() * rows / self.batch
        return int(min(max(CALL_FLOPS / flops / width, 2), 256))

    def nominal_flops(self) -> float:
        """6 x parameters x tokens of an update, skipped and padded ones counted as done."""
        return 6.0 * self.num_parameters * self.batch * (TASK.prompt_len + TASK.completion_len)


SIZES = (Size(32, 1, 2, 64), Size(64, 2, 2, 128), Size(128, 4, 4, 128))
WIDTHS = (1, 2, 4, 8, 16)  # the last is all: an ensemble of 16


class Contestant(NamedTuple):
    """`seconds()` runs once and gives the time of one unit of work: a member's update, say."""

    facts: dict[str, Any]
    seconds: Callable[[], float]


def train(policy: Policy, prompts: jax.Array, completions: jax.Array) -> jax.Array:
    """The losses of updates on some batches, as the learner does them."""
    transform = training.optimizer(1e-3, 1.0)
    state = transform.init(policy)
    batches = prompts, completions
    return training.update_on(training.cross_entropy, transform, policy, state, batches).loss


def generate(policy: Policy, prompts: jax.Array, key: jax.Array) -> jax.Array:
    """One sampled completion of each prompt, round by round."""

    def one_round(at):
        i, prompts = at
        own = jax.random.fold_in(key, i)
        return generation.generate(own, policy, prompts, TASK.completion_len, 1, 1.0).completion

    return jax.lax.map(one_round, (jnp.arange(len(prompts)), prompts))


def contestant(size: Size, work: str, width: int, num_devices: int) -> Contestant:
    """`width` members on each of some devices; one member is not vmapped."""
    units = tiles.make_units("tiles", jax.local_devices(), num_devices)
    num_members = width * num_devices
    count = size.num_steps(work, width)
    members = stacked(size, work, num_members, count)
    count *= 1 if work == "train" else NUM_GENERATED
    start = time.perf_counter()
    function = {"train": train, "generate": generate}[work]
    program = Program(function, members, width)
    program.compile_all(units)
    facts = {"size": size.width, "work": work, "by": "avax", "width": width}
    facts |= {"devices": num_devices, "compile_s": time.perf_counter() - start}

    def seconds() -> float:
        start = time.perf_counter()
        tiles.run_tiles(program, members, units, lambda indices, found: None)
        return (time.perf_counter() - start) / (count * num_members)

    return Contestant(facts, seconds)


def stacked(size: Size, work: str, num_members: int, count: int) -> tuple:
    """The arguments of `train` or `generate` for some members: problems of all difficulties, enough
    for `count` steps.

    Those who generate are copies of a policy that has learned when to end, as a loop's have.
    """
    key, key_problems = jax.random.split(jax.random.key(0))
    keys = jax.random.split(key, num_members)
    if work == "generate":
        policies = jax.tree.map(lambda x: np.stack([x] * num_members), learned(size))
    else:
        policies = jax.vmap(lambda k: transformer.init(k, size.config))(keys)
    shape = count, NUM_GENERATED if work == "generate" else size.batch

    def problem(key):
        key_difficulty, key_problem = jax.random.split(key)
        difficulty = sampling.uniform_integer(key_difficulty, 1, TASK.max_difficulty)
        return TASK.sample(key_problem, difficulty)

    problems = jax.vmap(problem)(jax.random.split(key_problems, num_members * math.prod(shape)))
    prompts, answers = (
        np.asarray(x).reshape(num_members, *shape, -1) for x in (problems.prompt, problems.answer)
    )
    return (policies, prompts, keys) if work == "generate" else (policies, prompts, answers)


@functools.cache
def learned(size: Size) -> Policy:
    """A policy that can add: nearly all of its completions are as long as the answers."""
    # The wider a policy is, the lower must the rate be.
    pretraining = Pretraining(model=size.config, num_updates=1000, learning_rate=0.25 / size.width)
    train = functools.partial(pretrain, pretraining, TASK, TASK.max_difficulty)
    snapshots, _ = jax.jit(train)(jax.random.key(1))
    return jax.tree.map(lambda x: np.asarray(x[-1]), snapshots)


def gemm(num_devices: int, side: int = 2048, count: int = 4) -> Contestant:
    """Seconds of one operation in products of `side` x `side` float32 matrices: the peak."""

    def products(x):
        for _ in range(count):
            x = x @ x  # of entries 1 / side: it is its own square
        return x.sum()

    matrices = (jnp.ones((num_devices, side, side)) / side,)
    return limit(
        products, matrices, num_devices, {"by": "gemm"}, num_devices * count * 2.0 * side**3
    )


def chain(size: Size, num_devices: int, width: int = 2, padded: bool = True) -> Contestant:
    """Seconds of an update's products with weights alone, forward and backward, in their shapes.

    Not padded: for as many tokens as there are but PAD, one behind the other in one long row.
    """
    policies, *batches = stacked(size, "train", width * num_devices, size.num_steps("train", width))
    facts = {"by": "chain", "size": size.width, "work": "train", "padded": padded}
    return products_alone(facts, policies, batches, num_devices, padded=padded)


def products_alone(
    facts: dict[str, Any],
    policies: Policy,
    batches: Sequence[np.ndarray],
    num_devices: int,
    padded: bool,
) -> Contestant:
    """Seconds of the products with weights alone that updates of some policies make, forward and
    backward, in their shapes or, not padded, in one long row.

    Args:
      batches: prompts and answers, i32[members, updates, rows, columns] each.
    """
    num_members, count, batch = batches[0].shape[:3]
    width, prompt_len, last = num_members // num_devices, *(x.shape[-1] for x in batches)
    rows = prompt_len + last - 1
    if not padded:
        asked, last = ((x != vocab.PAD).sum() // (num_members * count) for x in batches)
        batch, rows = 1, asked + last - batch

    def products(policy, x):
        def forward(policy, x):
            y = x
            for i, block in enumerate(policy.blocks):
                query, key, value = jnp.split(block.qkv, 3, axis=1)
                # Keys and values of all tokens; the rest of the last layer for the answer alone.
                kv = matmul(y, jnp.concatenate([key, value], axis=1))
                y = y[:, -last:] if i == len(policy.blocks) - 1 else y
                y = matmul(matmul(y, query) + kv[:, -y.shape[1] :, : x.shape[-1]], block.out)
                y = matmul(matmul(y, block.up), block.down)
            return matmul(y, policy.head).sum()

        grads = jax.grad(forward, argnums=(0, 1))(policy, x)
        return sum(g.sum() for g in jax.tree.leaves(grads))

    def updates(policy, x, scales):  # other weights each time, or the compiler does it once
        return jax.lax.map(lambda s: products(jax.tree.map(lambda w: s * w, policy), x), scales)

    x = jnp.ones((num_members, batch, rows, policies.head.shape[1])) * 1e-3
    members = policies, x, jnp.ones((num_members, count))
    return limit(updates, members, num_devices, facts, num_members * count, width)


def limit(function, members, num_devices, facts, count, width=1) -> Contestant:
    """Times a program on all devices at once; `count` units of work are done in one call."""
    devices = jax.local_devices()[:num_devices]
    program = Program(function, members, width)
    units = [(device,) for device in devices]
    program.compile_all(units)
    placed = [
        jax.device_put(jax.tree.map(lambda x, i=i: x[i * width : (i + 1) * width], members), d)
        for i, d in enumerate(devices)
    ]

    def seconds() -> float:
        start = time.perf_counter()
        # Dispatch does not wait: the devices work at the same time.
        found = [program.compile(u)(*x) for u, x in zip(units, placed, strict=True)]
        jax.block_until_ready(found)
        return (time.perf_counter() - start) / count

    return Contestant(facts | {"devices": num_devices, "width": width}, seconds)
