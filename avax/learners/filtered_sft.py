"""Filtered supervised fine-tuning: train on what the verifier accepts.

Expert iteration as in STaR (Zelikman et al. 2022, arXiv 2203.14465) and ReST-EM (Singh et al. 2023,
arXiv 2312.06585); accumulating the rounds' data as in Gerstgrasser et al. 2024 (arXiv 2404.01413).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from avax import sampling, struct, training
from avax.types import Key, Policy, Problem, Scalar, Source, StepInfo


class FilteredSFTState(NamedTuple):
    """W kept rounds of N = B K completions each."""

    policy: Policy
    optimizer: Any
    prompts: Array  # i32[W, N, P]
    completions: Array  # i32[W, N, C]
    accepted: Array  # bool[W, N], False where nothing was kept yet
    num_seen: Array  # i32[], rounds so far


@struct.dataclass
class FilteredSFT:
    """Fine-tunes on accepted completions, drawn with replacement: a constant number of updates.

    A round in which nothing is accepted does nothing: neither the policy nor the optimizer moves.

    Attributes:
      num_problems: problems of a round (B).
      num_samples: completions of each problem (K).
      num_updates: gradient updates of a round.
      batch_size: completions of an update.
      num_kept: rounds whose data are kept (W): 1 replaces, as many as there are rounds accumulates.
      learning_rate: of Adam.
      max_grad_norm: gradients are scaled down to this global norm.
      temperature: of sampling; 0 is greedy.
      base_rate: share of true base data in a batch.
      newest_rate: share of this round's data in what is not base data, if earlier data are kept.
    """

    num_problems: int = struct.static(128, low=1)
    num_samples: int = struct.static(1, low=1)
    num_updates: int = struct.static(16, low=1)
    batch_size: int = struct.static(64, low=1)
    num_kept: int = struct.static(10, low=1)
    learning_rate: Scalar = struct.leaf(1e-3, low=0)
    max_grad_norm: Scalar = struct.leaf(1.0, low=0)
    temperature: Scalar = struct.leaf(1.0, low=0)
    base_rate: Scalar = struct.leaf(0.25, low=0, high=1)
    newest_rate: Scalar = struct.leaf(0.67, low=0, high=1)

    def init(self, key: Key, policy: Policy, example: Problem) -> FilteredSFTState:
        def empty(tokens):
            num_rows = self.num_problems * self.num_samples
            return jnp.zeros((self.num_kept, num_rows, *tokens.shape), jnp.int32)

        prompts, completions = empty(example.prompt), empty(example.answer)
        return FilteredSFTState(
            policy,
            training.optimizer(self.learning_rate, self.max_grad_norm).init(policy),
            prompts,
            completions,
            jnp.zeros(prompts.shape[:2], bool),
            jnp.zeros((), jnp.int32),
        )

    def step(
        self, key: Key, state: FilteredSFTState, source: Source
    ) -> tuple[FilteredSFTState, StepInfo]:
        key_data, key_batches = jax.random.split(key)
        problems, rollouts, verdicts = sampling.collect(
            key_data, source, state.policy, self.num_problems, self.num_samples, self.temperature
        )
        state = self._keep(state, rollouts, verdicts.accept)
        batches = self._batches(key_batches, state, source)
        trained = training.update_on(
            training.cross_entropy,
            training.optimizer(self.learning_rate, self.max_grad_norm),
            state.policy,
            state.optimizer,
            batches,
        )
        any_accepted = verdicts.accept.any()
        policy, optimizer = training.where_tree(
            any_accepted, (trained.policy, trained.optimizer), (state.policy, state.optimizer)
        )
        info = StepInfo(
            problems,
            rollouts,
            verdicts,
            jnp.where(any_accepted, trained.loss.mean(), 0.0),
            jnp.where(any_accepted, trained.grad_norm.mean(), 0.0),
        )
        return state._replace(policy=policy, optimizer=optimizer), info

    def _keep(self, state, rollouts, accept):
        """Writes this round over the oldest one kept."""
        newest = jnp.arange(self.num_kept) == state.num_seen % self.num_kept

        def put(kept, new):
            return jnp.where(newest.reshape(-1, *[1] * new.ndim), new, kept)

        prompts = jnp.repeat(rollouts.prompt, self.num_samples, axis=0)
        completions = rollouts.completion.reshape(prompts.shape[0], -1)
        return state._replace(
            prompts=put(state.prompts, prompts),
            completions=put(state.completions, completions),
            accepted=put(state.accepted, accept.reshape(-1)),
            num_seen=state.num_seen + 1,
        )

    def _batches(self, key, state, source):
        """Prompts i32[U, b, P] and completions i32[U, b, C] from base data and kept rounds."""
        key_base, key_kind, key_row = jax.random.split(key, 3)
        num_base = self.num_problems * self.num_samples
        base = jax.vmap(source.draw_base)(jax.random.split(key_base, num_base))
        shape = (self.num_updates, self.batch_size)
        uniform = jax.random.uniform(key_row, shape)

        newest = jnp.arange(self.num_kept) == (state.num_seen - 1) % self.num_kept
        is_new = state.accepted & newest[:, None]
        is_old = state.accepted & ~newest[:, None]
        kind = jax.random.uniform(key_kind, (2, *shape))
        use_old = (kind[1] >= self.newest_rate) & is_old.any()
        row = jnp.where(use_old, draw_row(uniform, is_old), draw_row(uniform, is_new))
        base_row = is_new.size + (uniform * num_base).astype(jnp.int32)
        row = jnp.where(kind[0] < self.base_rate, base_row, row)

        def gather(kept, base):
            return jnp.concatenate([kept.reshape(-1, kept.shape[-1]), base])[row]

        return gather(state.prompts, base.prompt), gather(state.completions, base.answer)


def draw_row(uniform: Array, allowed: Array) -> Array:
    """i32[...]: for each uniform number in [0, 1) an index into `allowed` (any shape, flattened).

    All allowed rows are equally likely. Where none is allowed the index is 0.
    """
    # Not by sorting: a program that sorts can't be kept in the compile cache of a CPU.
    count = jnp.cumsum(allowed.reshape(-1))
    rank = jnp.minimum((uniform * count[-1]).astype(jnp.int32), count[-1] - 1)
    return jnp.searchsorted(count, rank, side="right").astype(jnp.int32)
