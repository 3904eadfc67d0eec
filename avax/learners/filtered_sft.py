"""Filtered supervised fine-tuning: train on what the verifier accepts.

Expert iteration as in STaR (Zelikman et al. 2022, arXiv 2203.14465) and ReST-EM (Singh et al. 2023,
arXiv 2312.06585); accumulating the rounds' data as in Gerstgrasser et al. 2024 (arXiv 2404.01413).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from avax import struct
from avax.learners import replay
from avax.policies import sampling, training
from avax.types import Key, Policy, Problem, Scalar, Source, StepInfo, first


class FilteredSFTState(NamedTuple):
    """The policy, its optimizer and the kept rounds of B K completions each."""

    policy: Policy
    optimizer: Any
    memory: replay.Memory


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
    max_grad_norm: Scalar = struct.leaf(1.0, low=1e-6)
    temperature: Scalar = struct.leaf(1.0, low=0, nonzero_low=1e-3)
    base_rate: Scalar = struct.leaf(0.25, low=0, high=1)
    newest_rate: Scalar = struct.leaf(0.67, low=0, high=1)

    def init(self, key: Key, bases: Policy, example: Problem) -> FilteredSFTState:
        policy = first(bases)
        transform = training.optimizer(self.learning_rate, self.max_grad_norm)
        num_rows = self.num_problems * self.num_samples
        memory = replay.empty(self.num_kept, num_rows, example)
        return FilteredSFTState(policy, transform.init(policy), memory)

    def step(
        self, key: Key, state: FilteredSFTState, source: Source
    ) -> tuple[FilteredSFTState, StepInfo]:
        key_data, key_batches = jax.random.split(key)
        problems, rollouts, verdicts = sampling.collect(
            key_data, source, state.policy, self.num_problems, self.num_samples, self.temperature
        )
        prompts = jnp.repeat(rollouts.prompt, self.num_samples, axis=0)
        completions = rollouts.completion.reshape(prompts.shape[0], -1)
        accepted = verdicts.accept.reshape(-1)
        memory = replay.keep(state.memory, prompts, completions, accepted)
        state = state._replace(memory=memory)
        policy, optimizer, loss, grad_norm = training.update_if(
            accepted.any(),
            training.cross_entropy,
            training.optimizer(self.learning_rate, self.max_grad_norm),
            state.policy,
            state.optimizer,
            self._batches(key_batches, state, source),
        )
        info = StepInfo(problems, rollouts, verdicts, loss, grad_norm)
        return FilteredSFTState(policy, optimizer, memory), info

    def _batches(self, key, state, source):
        """Batches of base data and kept rounds, as `replay.draw_batches` gives them."""
        shape = (self.num_updates, self.batch_size)
        return replay.draw_batches(
            key,
            state.memory,
            source.draw_base,
            shape,
            self.base_rate,
            self.newest_rate,
            source.loss_masks,
        )
