"""One layer: its parameters and what it computes.

B sequences of T tokens, of width d; H attention heads of width E. The configuration is the
policy's, a `TransformerConfig`.
"""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
from jax import Array

from avax import struct
from avax.models import buffers, masks, products, rotary


@struct.dataclass
class Block:
    """Parameters of a layer."""

    norm_attention: Array  # f32[d]
    qkv: Array  # f32[d, 3d]
    sink: Array  # f32[H], score of attending to nothing
    out: Array  # f32[d, d]
    norm_perceptron: Array  # f32[d]
    up: Array  # f32[d, 4d]
    down: Array  # f32[4d, d]


def as_heads(config, x):
    """f32[B, T, d] as f32[B, H, T, E].

    By `split` and `stack`: where axes are reshaped and turned, XLA computes number by number on a
    CPU. With `from_heads` an update takes 3 % less time at width 64.
    """
    return jnp.stack(jnp.split(x, config.num_heads, axis=-1), axis=1)


def from_heads(x):
    """f32[B, H, T, E] as f32[B, T, d]."""
    return jnp.concatenate(jnp.unstack(x, axis=1), axis=-1)


def project(config, block, x, first, made_of):
    """Queries f32[B, H, T, E] from `first` on, keys and values of x f32[B, T, d].

    If x is made of few rows of a table, x = marks @ table, these are multiplied by the weights
    instead of x: an update takes 3 % less time at width 64.
    """

    def times(weights, first=0):
        if made_of is None:
            return as_heads(config, normed_dot(config, x[:, first:], weights))
        marks, table = made_of
        y = as_heads(config, dot(config, marks[:, first:], dot(config, table, weights)))
        return inverse_rms(x[:, first:])[:, None] * y

    query, key, value = jnp.split(block.norm_attention[:, None] * block.qkv, 3, axis=1)
    return times(query, first), times(key), times(value)


def attention(config, block, x, heads, angles, bias, past):
    """x f32[B, Q, d] of the last Q tokens with what they attend to added, and keys and values.

    The heads are those of `project`; the bias f32[B, T, L] is that of `masks.seen`.
    """
    q, k, v = heads
    first = k.shape[2] - q.shape[2]
    q = rotary.rotated(q, jax.tree.map(lambda a: a[:, :, first:], angles))
    k = rotary.rotated(k, angles)
    if past is not None:
        keys, values, pos = past
        k, v = (buffers.write(b, x, pos, axis=2) for b, x in ((keys, k), (values, v)))
    else:
        k, v = (masks.aligned(x, axis=2) for x in (k, v))
    scores = products.matmul(q, k.mT) * q.shape[-1] ** -0.5 + bias[:, None, first:]
    weights = softmax_with_sink(scores, block.sink)
    y = from_heads(products.matmul(weights, v))
    return x + dot(config, y, block.out), (k, v)


def softmax_with_sink(scores: Array, sink: Array) -> Array:
    """Softmax over the last axis of f32[B, H, T, T] with one more score per head, f32[H], left out.

    A head that finds no match can attend to nothing, whatever the length (attention sinks: Xiao et
    al. 2023, arXiv 2309.17453).
    """
    sink = sink[None, :, None, None]
    top = jax.lax.stop_gradient(jnp.maximum(scores.max(-1, keepdims=True), sink))
    weights = jnp.exp(scores - top)
    return weights / (weights.sum(-1, keepdims=True) + jnp.exp(sink - top))


def perceptron(config, block, x):
    """What the ReLU perceptron adds to x f32[B, T, d]."""
    hidden = normed_dot(config, x, block.norm_perceptron[:, None] * block.up)
    return dot(config, jax.nn.relu(hidden), block.down)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def normed_dot(config, x: Array, w: Array) -> Array:
    """f32[B, T, n]: x f32[B, T, d] at root mean square 1, times w f32[d, n].

    The product is scaled, not x, so that the gradient of w turns x as it is: an update takes 3 %
    less time. The norm's own scale belongs into w: fewer numbers, no sum over tokens for its
    gradient (RMS norm: Zhang & Sennrich 2019, arXiv 1910.07467).
    """
    return inverse_rms(x) * dot(config, x, w)


def _normed_dot_forward(config, x, w):
    scale = inverse_rms(x)
    return scale * dot(config, x, w), (x, scale, w)


def _normed_dot_backward(config, kept, g):
    x, scale, w = kept
    dx, dw = jax.vjp(partial(dot, config), x, w)[1](scale * g)
    return dx - scale**2 * x * jnp.mean(x * dx, axis=-1, keepdims=True), dw


normed_dot.defvjp(_normed_dot_forward, _normed_dot_backward)


def inverse_rms(x: Array) -> Array:
    """f32[B, T, 1], what makes the root mean square of x f32[B, T, d] 1."""
    return jax.lax.rsqrt(jnp.mean(x * x, axis=-1, keepdims=True) + 1e-6)


def dot(config, x: Array, w: Array) -> Array:
    """x @ w with operands in the configured dtype and a float32 sum."""
    dtype = jnp.dtype(config.dtype)
    return products.matmul(x.astype(dtype), w.astype(dtype))
