"""Supervised warm start: the base policies that self-training begins with."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from avax import sampling, struct, training
from avax.models import transformer
from avax.models.transformer import TransformerConfig
from avax.types import Key, Policy, Scalar, Task


@struct.dataclass
class Pretraining:
    """How a base policy is trained on true answers of difficulties 1 to the base difficulty.

    Attributes:
      model: sizes of the policy.
      num_updates: gradient updates, in all.
      num_candidates: policies trained from different keys, of which the one with the lowest loss in
        the end is kept: of policies with one layer, about one in three never learns to carry.
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


def pretrain(
    pretraining: Pretraining, task: Task, base_difficulty: Array, key: Key
) -> tuple[Policy, Array]:
    """One candidate: snapshots, leading axis S, and the loss f32[S] before each, mean of 50."""
    num_snapshots = pretraining.num_snapshots
    num_updates = -(-pretraining.num_updates // num_snapshots)
    key_init, key_data = jax.random.split(key)
    policy = transformer.init(key_init, pretraining.model)
    schedule = warmup_cosine(
        pretraining.learning_rate, pretraining.warmup_rate, num_snapshots * num_updates
    )
    transform = training.optimizer(schedule, pretraining.max_grad_norm)

    def problem(key):
        key_difficulty, key_problem = jax.random.split(key)
        difficulty = sampling.uniform_integer(key_difficulty, 1, base_difficulty)
        return task.sample(key_problem, difficulty)

    def loss(policy, key):
        keys = jax.random.split(jax.random.wrap_key_data(key), pretraining.batch_size)
        problems = jax.vmap(problem)(keys)
        return training.cross_entropy(policy, (problems.prompt, problems.answer))

    def segment(carry, keys):
        trained = training.update_on(loss, transform, *carry, keys)
        return (trained.policy, trained.optimizer), (trained.policy, trained.loss[-50:].mean())

    # As plain numbers: the checker of key reuse takes a scan within a scan for reuse.
    keys = jax.random.key_data(jax.random.split(key_data, (num_snapshots, num_updates)))
    return jax.lax.scan(segment, (policy, transform.init(policy)), keys)[1]


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
