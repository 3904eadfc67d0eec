"""A decoder-only transformer over a batch of token sequences; ensembles of it come from `vmap`.

Everything it knows about positions is computed from the token stream, so a prompt may stand
anywhere behind PAD. Parameters are plain arrays in a frozen dataclass: a policy is a pytree like
everything else, and one policy or a thousand stacked ones are the same object.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from avax import struct, vocab
from avax.models import layers, masks, products, rotary
from avax.models.layers import Block
from avax.models.positions import NUM_SEGMENTS, SCHEMES, Reading, positions, start_reading
from avax.types import Integer, Key


@struct.dataclass
class TransformerConfig:
    """Sizes of a policy. d = width, H = num_heads, E = d / H.

    Attributes:
      num_layers: blocks of attention and perceptron.
      num_heads: attention heads; divides `width`.
      width: size of the residual stream; the perceptron is four times as wide.
      position: `none`; `learned` embeddings of the token's index; `rotary` over the token's index;
        `digit`: rotary over the digit's index within its own number, plus a learned embedding of
        the number of separators before it.
      rotary_base: longest wavelength of the rotary angles, in 2 pi tokens.
      max_len: longest sequence that `learned` can tell apart, in tokens.
      dtype: of the operands of matrix products; sums and parameters are float32.
    """

    num_layers: int = struct.static(2, low=1)
    num_heads: int = struct.static(2, low=1)
    width: int = struct.static(64, low=2)
    position: str = struct.static("digit", choices=SCHEMES)
    rotary_base: float = struct.static(100.0, low=1)
    max_len: int = struct.static(256, low=1)
    dtype: str = struct.static("float32", choices=("float32", "bfloat16"))

    @property
    def head_width(self) -> int:
        """E."""
        return self.width // self.num_heads

    def angles(self, index: Array, highest: int) -> rotary.Angles | None:
        """How far to turn a head's features at i32[B, T], 0 to `highest`; None for not at all."""
        if self.position not in ("digit", "rotary"):
            return None
        return rotary.angles(index, highest, self.head_width, self.rotary_base)


class Cache(NamedTuple):
    """What was read so far; L = longest sequence."""

    reading: Reading
    mask: Array  # bool[B, L], False at PAD and where nothing was read
    keys: tuple[Array, ...]  # f32[B, H, L, E] of each layer, rotated
    values: tuple[Array, ...]  # f32[B, H, L, E] of each layer


@struct.dataclass
class Transformer:
    """A policy: RMS norm first, ReLU perceptron, untied head."""

    embed: Array  # f32[V, d]
    position_embed: Array  # f32[S, d]: of the segment, of the index, or one row of zeros
    blocks: tuple[Block, ...]
    norm: Array  # f32[d]
    head: Array  # f32[d, V]
    config: TransformerConfig = struct.static()

    def init_cache(self, batch: int, max_len: int) -> Cache:
        """An empty cache for `batch` sequences of at most `max_len` tokens."""
        config = self.config
        shape = (batch, config.num_heads, max_len, config.head_width)
        empty = tuple(jnp.zeros(shape, self.embed.dtype) for _ in self.blocks)
        return Cache(start_reading(batch), jnp.zeros((batch, max_len), bool), empty, empty)

    def __call__(
        self,
        tokens: Array,
        cache: Cache | None = None,
        pos: Integer = 0,
        start: int = 0,
        sequence: Array | None = None,
    ) -> tuple[Array, Cache | None]:
        """Logits of the token after each of `tokens`, and the cache with them appended.

        Args:
          tokens: i32[B, T].
          cache: what was read before; None reads `tokens` alone and returns no cache.
          pos: index of the first of `tokens` in the whole sequences, shared by the batch.
          start: logits are wanted from this index on, of no token if it is T; the last layer skips
            all queries before it.
          sequence: i32[B, T], which of the sequences that share a row each token is of; it sees
            no other. None: a row is one sequence. Not with a cache.

        Returns:
          f32[B, T - start, V] and the new cache.
        """
        config, batch = self.config, len(tokens)
        reading = start_reading(batch) if cache is None else cache.reading
        held = None if cache is None else cache.mask
        mask, before, bias = masks.seen(tokens, held, pos, sequence)
        index, row, reading = positions(config.position, tokens, reading, before)
        angles = config.angles(index, mask.shape[1])

        table = jnp.concatenate([self.embed, self.position_embed])
        marks = products.marks([tokens, row + len(self.embed)], len(table))
        x = layers.dot(config, marks, table)
        memory = []
        for i, block in enumerate(self.blocks):
            first = start if i == len(self.blocks) - 1 else 0
            past = None if cache is None else (cache.keys[i], cache.values[i], pos)
            # What the first layer reads are sums of rows of the table.
            made_of = (marks, table) if i == 0 and len(table) < config.width else None
            heads = layers.project(config, block, x, first, made_of)
            x, key_value = layers.attention(config, block, x[:, first:], heads, angles, bias, past)
            x = x + layers.perceptron(config, block, x)
            memory.append(key_value)
        logits = layers.normed_dot(config, x, self.norm[:, None] * self.head)
        # PAD is never predicted, so that it stands behind EOS and nowhere else.
        is_pad = (jnp.arange(vocab.VOCAB_SIZE) == vocab.PAD)[None, None]
        logits = jnp.where(is_pad, -1e9, logits)
        if cache is not None:
            cache = Cache(reading, mask, *zip(*memory, strict=True))
        return logits, cache


def init(key: Key, config: TransformerConfig) -> Transformer:
    """A policy with random parameters: normal, variance 1 / fan-in, less on residual outputs."""
    d = config.width
    key_embed, key_position, key_head, key_blocks = jax.random.split(key, 4)

    def normal(key, shape, scale=1.0):
        return scale * shape[0] ** -0.5 * jax.random.normal(key, shape)

    def block(key):
        key_qkv, key_out, key_up, key_down = jax.random.split(key, 4)
        residual = (2 * config.num_layers) ** -0.5
        return Block(
            norm_attention=jnp.ones(d),
            qkv=normal(key_qkv, (d, 3 * d)),
            sink=jnp.zeros(config.num_heads),
            out=normal(key_out, (d, d), residual),
            norm_perceptron=jnp.ones(d),
            up=normal(key_up, (d, 4 * d)),
            down=normal(key_down, (4 * d, d), residual),
        )

    rows = {"digit": NUM_SEGMENTS, "learned": config.max_len}.get(config.position, 1)
    scale = 0.0 if rows == 1 else 1.0
    return Transformer(
        embed=jax.random.normal(key_embed, (vocab.VOCAB_SIZE, d)),
        position_embed=scale * jax.random.normal(key_position, (rows, d)),
        blocks=tuple(block(k) for k in jax.random.split(key_blocks, config.num_layers)),
        norm=jnp.ones(d),
        head=normal(key_head, (d, vocab.VOCAB_SIZE)),
        config=config,
    )
