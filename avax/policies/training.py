"""Gradient updates, the same for pretraining and for every learner."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array

from avax.policies import padding, sampling
from avax.policies.packing import Rows, rows_of
from avax.types import Policy, Scalar


class Trained(NamedTuple):
    """A policy and the state of its optimizer, after some updates."""

    policy: Policy
    optimizer: optax.OptState
    loss: Array  # f32[U] of each update, or their mean
    grad_norm: Array  # f32[U], before clipping, or their mean


def optimizer(learning_rate: Scalar, max_grad_norm: Scalar) -> optax.GradientTransformation:
    """Adam after clipping by the global norm; both numbers may be traced.

    On all parameters as one vector: a program takes 15 % less time to compile, and runs as fast.
    """
    return optax.flatten(
        optax.chain(optax.clip_by_global_norm(max_grad_norm), optax.adam(learning_rate))
    )


def update_on(
    loss: Callable[[Policy, Any], Array],
    transform: optax.GradientTransformation,
    policy: Policy,
    state: optax.OptState,
    batches: Any,
) -> Trained:
    """One update on each of the U batches (a pytree with leading axis U), in a scan."""

    def update(carry, batch):
        policy, state = carry
        value, grads = jax.value_and_grad(loss)(policy, batch)
        updates, state = transform.update(grads, state, policy)
        return (optax.apply_updates(policy, updates), state), (value, optax.tree.norm(grads))

    (policy, state), (values, norms) = jax.lax.scan(update, (policy, state), batches)
    return Trained(policy, state, values, norms)


def update_if(
    condition: Array,
    loss: Callable[[Policy, Any], Array],
    transform: optax.GradientTransformation,
    policy: Policy,
    state: optax.OptState,
    batches: Any,
) -> Trained:
    """`update_on` where the condition bool[] holds, with means f32[] over the updates.

    Elsewhere neither the policy nor the optimizer moves, bit for bit, and the means are 0.
    """
    new = update_on(loss, transform, policy, state, batches)
    return Trained(
        *where_tree(condition, (new.policy, new.optimizer), (policy, state)),
        jnp.where(condition, new.loss.mean(), 0.0),
        jnp.where(condition, new.grad_norm.mean(), 0.0),
    )


def cross_entropy(policy: Policy, batch: tuple[Array, ...]) -> Array:
    """f32[]: mean negative log-likelihood of the completion tokens up to EOS, 0 if there are none.

    Args:
      batch: prompts i32[B, P] and completions i32[B, C]; where others than these tokens are to be
        left out as well, bool[B, C] of those that count.
    """
    prompts, completions, *counted = batch
    mask = sampling.completion_mask(completions)
    for tokens in counted:
        mask &= tokens
    return weighted_loss(policy, rows_of(prompts, completions, mask / jnp.maximum(mask.sum(), 1)))


@jax.custom_vjp
def weighted_loss(policy: Policy, rows: Rows) -> Array:
    """f32[]: negative log-likelihood of each target times its weight, summed.

    Differentiable in the policy alone; the gradient is computed at once for each piece of rows.
    """
    return padding.sum_over_rows(partial(_loss_of_rows, policy), rows)


def _loss_of_rows(policy, rows):
    logits, _ = policy(rows.tokens, None, 0, rows.prompt_cols, rows.sequence)
    return -(sampling.token_logprob(logits, rows.target) * rows.weight).sum()


def _weighted_loss_forward(policy, rows):
    return padding.sum_over_rows(partial(jax.value_and_grad(_loss_of_rows), policy), rows)


def _weighted_loss_backward(grads, g):
    return jax.tree.map(lambda x: g * x, grads), None


weighted_loss.defvjp(_weighted_loss_forward, _weighted_loss_backward)


def where_tree(condition: Array, new: Any, old: Any) -> Any:
    """`new` where the condition bool[] holds, else `old`, leaf by leaf."""
    return jax.tree.map(lambda n, o: jnp.where(condition, n, o), new, old)
