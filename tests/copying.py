"""A policy that copies some numbers: a base with something to gain and something to lose."""

from __future__ import annotations

import functools

import jax

from avax.models.transformer import TransformerConfig
from avax.policies import pretrain
from avax.tasks.copy import Copy

TASK = Copy(max_difficulty=2)


@functools.cache
def copying_base():
    """A policy that copies most numbers if greedy and a third if not, as an ensemble of one."""
    model = TransformerConfig(num_layers=1, num_heads=2, width=16)
    config = pretrain.Pretraining(
        model, num_updates=100, num_snapshots=10, batch_size=32, learning_rate=1e-2
    )
    train = functools.partial(pretrain.pretrain, config, TASK, TASK.max_difficulty)
    return jax.tree.map(lambda x: x[3:4], jax.jit(train)(jax.random.key(0))[0])
