"""Supervised warm start: the base policies that self-training begins with."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from avax import struct
from avax.models import transformer
from avax.models.transformer import TransformerConfig
from avax.policies import sampling, training
from avax.types import Integer, Key, Policy, Scalar, Task


@struct.dataclass
class Pretraining:
    """How a base policy is trained on true answers of difficulties 1 to the base difficulty.

    Attributes:
      model: sizes of the policy.
      num_updates: gradient updates, in all.
      num_candidates: policies trained from different keys, of which the one with the lowest loss in
        the end is kept. With more than one, the bases are no random sample of what this training
        gives, but the best of several.
      num_snapshots: policies kept, evenly spaced; the last one is the end of training.
      batch_size: problems of an update.
      learning_rate: of Adam at its peak; warmed up linearly, then decayed to 0 along a cosine.
      warmup_rate: share of the updates that warm up.
      max_grad_norm: gradients are scaled down to this global norm.
    """

    model: TransformerConfig = TransformerConfig()
    num_updates: int = struct.static(1500, low=1)
    num_candidates: int = struct.static(1, low=1)
    num_snapshots: int = struct.static(1, low=1)
    batch_size: int = struct.static(64, low=1)
    learning_rate: Scalar = struct.leaf(5e-3, low=0)
    warmup_rate: Scalar = struct.leaf(0.05, low=0, high=1)
    max_grad_norm: Scalar = struct.leaf(1.0, low=1e-6)


def candidate_keys(pretraining: Pretraining, key: Key) -> Array:
    """Keys [num_candidates] to `pretrain` the candidates of one base policy with."""
    return jax.random.split(key, pretraining.num_candidates)


class Progress(NamedTuple):
    """How far the training of a policy has come."""

    policy: Policy
    optimizer: optax.OptState
    keys: Array  # u32[N, 2] of the problems of each update, as numbers
    losses: Array  # f32[U] of each update since the last snapshot
    loss: Array  # f32[], mean of the last 50 of these; means something at a snapshot only


def begin(pretraining: Pretraining, key: Key) -> Progress:
    """A policy that is not trained yet."""
    num_updates = updates_per_snapshot(pretraining)
    key_init, key_data = jax.random.split(key)
    policy = transformer.init(key_init, pretraining.model)
    state = _optimizer(pretraining).init(policy)
    # As numbers: the checker of key reuse takes a loop over keys for reuse.
    keys = jax.random.split(key_data, (pretraining.num_snapshots, num_updates))
    keys = jax.random.key_data(keys).reshape(num_updates_of(pretraining), -1)
    return Progress(policy, state, keys, jnp.zeros(num_updates), jnp.zeros(()))


def advance(
    pretraining: Pretraining,
    task: Task,
    base_difficulty: Array,
    progress: Progress,
    start: Integer,
    stop: Integer,
) -> Progress:
    """The policy after updates `start` to `stop` - 1 of `num_updates_of`.

    Start and stop, i32[], may be traced: one program serves segments of any length, and their
    lengths change no bit.
    """
    num_updates, transform = updates_per_snapshot(pretraining), _optimizer(pretraining)

    def problem(key):
        key_difficulty, key_problem = jax.random.split(key)
        difficulty = sampling.uniform_integer(key_difficulty, 1, base_difficulty)
        return task.sample(key_problem, difficulty)

    def loss(policy, key):
        keys = jax.random.split(jax.random.wrap_key_data(key), pretraining.batch_size)
        problems = jax.vmap(problem)(keys)
        return training.cross_entropy(policy, (problems.prompt, problems.answer))

    def update(i, carry):
        policy, state, losses = carry
        value, grads = jax.value_and_grad(loss)(policy, progress.keys[i])
        updates, state = transform.update(grads, state, policy)
        losses = losses.at[i % num_updates].set(value)
        return optax.apply_updates(policy, updates), state, losses

    carry = progress.policy, progress.optimizer, progress.losses
    policy, state, losses = jax.lax.fori_loop(start, stop, update, carry)
    return Progress(policy, state, progress.keys, losses, losses[-50:].mean())


def updates_per_snapshot(pretraining: Pretraining) -> int:
    """Updates from one snapshot to the next."""
    return -(-pretraining.num_updates // pretraining.num_snapshots)


def num_updates_of(pretraining: Pretraining) -> int:
    """Updates in all, as many before each snapshot: `num_updates` or a few more."""
    return pretraining.num_snapshots * updates_per_snapshot(pretraining)


def _optimizer(pretraining):
    schedule = warmup_cosine(
        pretraining.learning_rate, pretraining.warmup_rate, num_updates_of(pretraining)
    )
    return training.optimizer(schedule, pretraining.max_grad_norm)


def pretrain(
    pretraining: Pretraining, task: Task, base_difficulty: Array, key: Key
) -> tuple[Policy, Array]:
    """One candidate: snapshots, leading axis S, and the loss f32[S] before each, mean of 50."""
    num_updates = updates_per_snapshot(pretraining)

    def snapshot(progress, i):
        start = i * num_updates
        stop = start + num_updates
        progress = advance(pretraining, task, base_difficulty, progress, start, stop)
        return progress, (progress.policy, progress.loss)

    return jax.lax.scan(snapshot, begin(pretraining, key), jnp.arange(pretraining.num_snapshots))[1]


def warmup_cosine(peak: Scalar, warmup_rate: Scalar, num_updates: int) -> optax.Schedule:
    """Linear from 0 to `peak` in the first share of the updates, then a cosine down to 0."""

    def schedule(count):
        progress = (count + 1) / num_updates
        rising = progress / jnp.maximum(warmup_rate, 1e-6)
        falling = (1 - progress) / jnp.maximum(1 - warmup_rate, 1e-6)
        return peak * jnp.minimum(rising, 0.5 * (1 - jnp.cos(jnp.pi * jnp.minimum(falling, 1.0))))

    return schedule


def best_candidate(policies: Policy, losses: np.ndarray) -> tuple[Policy, np.ndarray]:
    """Of candidates stacked [N, C, S, ...] and losses f32[N, C, S] the best of each N: [N, S, ...].

    The best one has the lowest loss in the end; one that diverged only if all of a base have.
    """
    last = losses[:, :, -1]
    finite = [np.isfinite(x).reshape(*last.shape, -1).all(-1) for x in jax.tree.leaves(policies)]
    finite = np.isfinite(last) & np.all(finite, axis=0)
    best = np.where(finite, last, np.inf).argmin(1)
    return jax.tree.map(lambda x: x[np.arange(len(best)), best], (policies, losses))
