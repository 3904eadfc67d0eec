"""A transformer that learns to judge from a trickle of true labels.

Labels of outcomes or of steps: Lightman et al. 2023 (arXiv 2305.20050), who score a solution by the
product of the probabilities of its steps. Their minimum is the other common way.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array

from avax import struct, vocab
from avax.models import transformer
from avax.models.transformer import Transformer, TransformerConfig
from avax.policies import sampling, training
from avax.types import Grade, Key, Policy, Rollout, Scalar, StepInfo, Verdict, graded_verdict


class LearnedState(NamedTuple):
    """The model that judges and its optimizer."""

    judge: Transformer
    optimizer: Any
    is_trained: Array  # bool[], whether it has seen a label
    num_labels: Array  # i32[], labels of the last round


@struct.dataclass
class Learned:
    """Accepts what its own model takes to be right; the model is trained on true labels.

    After each round some of its completions are labelled, and the model is trained on them, drawn
    with replacement. Until the first labels nothing is accepted; a round without a label leaves the
    model alone. The verdicts know no truth but what was learned of earlier rounds.

    Attributes:
      model: sizes of the model that judges. It reads prompt and completion; the logit of its answer
        is that of YES minus that of NO.
      level: what is labelled. `outcome`: a completion as a whole, judged at its last token;
        `product` and `minimum`: each token of it, and a completion is as probable as all its tokens
        multiplied, or as the least probable one.
      threshold: smallest probability of a completion that is accepted.
      label_rate: P(a completion is labelled).
      num_updates: gradient updates of a round.
      batch_size: completions of an update.
      learning_rate: of Adam.
      max_grad_norm: gradients are scaled down to this global norm.
    """

    model: TransformerConfig = TransformerConfig(num_layers=1, num_heads=2, width=32)
    level: str = struct.static("product", choices=("outcome", "product", "minimum"))
    threshold: Scalar = struct.leaf(0.5, low=0, high=1)
    label_rate: Scalar = struct.leaf(0.25, low=0, high=1)
    num_updates: int = struct.static(32, low=1)
    batch_size: int = struct.static(32, low=1)
    learning_rate: Scalar = struct.leaf(3e-3, low=0)
    max_grad_norm: Scalar = struct.leaf(1.0, low=1e-6)

    uses_ground_truth: ClassVar[bool] = True  # in `update` alone

    def init(self, key: Key, bases: Policy) -> LearnedState:
        judge = transformer.init(key, self.model)
        transform = training.optimizer(self.learning_rate, self.max_grad_norm)
        none = jnp.zeros((), jnp.int32)
        return LearnedState(judge, transform.init(judge), jnp.zeros((), bool), none)

    def verify(
        self, key: Key, state: LearnedState, policy: Policy, rollout: Rollout, grade: Grade
    ) -> Verdict:
        prompts = jnp.broadcast_to(rollout.prompt, (rollout.mask.shape[0], *rollout.prompt.shape))
        logits = token_logits(state.judge, prompts, rollout.completion)
        mask = sampling.completion_mask(rollout.completion)
        verdict = graded_verdict(self.probability(logits, mask), self.threshold, rollout)
        if self.level != "outcome":
            verdict = verdict._replace(step_score=jax.nn.sigmoid(logits) * rollout.mask)
        return jax.tree.map(lambda score: score * state.is_trained, verdict)

    def probability(self, logits: Array, mask: Array) -> Array:
        """f32[K]: P(right) of completions, given the logits f32[K, C] of their tokens."""
        if self.level == "outcome":
            return jax.nn.sigmoid((logits * is_last(mask)).sum(-1))
        logprob = jnp.where(mask, jax.nn.log_sigmoid(logits), 0.0)
        return jnp.exp(logprob.sum(-1) if self.level == "product" else logprob.min(-1))

    def update(
        self, key: Key, state: LearnedState, policy: Policy, info: StepInfo, grades: Grade
    ) -> LearnedState:
        key_label, key_row = jax.random.split(key)
        is_labelled = jax.random.uniform(key_label, grades.correct.shape) < self.label_rate
        uniform = jax.random.uniform(key_row, (self.num_updates, self.batch_size))
        row = sampling.draw_row(uniform, is_labelled)
        completion = info.rollouts.completion
        prompt = jnp.broadcast_to(
            info.rollouts.prompt[:, None], (*completion.shape[:2], info.rollouts.prompt.shape[-1])
        )
        labels = grades.step_correct
        if self.level == "outcome":
            labels = jnp.broadcast_to(grades.correct[..., None], labels.shape)
        batches = [x.reshape(-1, x.shape[-1])[row] for x in (prompt, completion, labels)]
        trained = training.update_if(
            is_labelled.any(),
            self.loss,
            training.optimizer(self.learning_rate, self.max_grad_norm),
            state.judge,
            state.optimizer,
            tuple(batches),
        )
        is_trained = state.is_trained | is_labelled.any()
        each = sampling.completion_mask(completion).sum(-1)  # labels of a completion
        if self.level == "outcome":
            each = jnp.ones_like(each)
        num_labels = (each * is_labelled).sum()
        return LearnedState(trained.policy, trained.optimizer, is_trained, num_labels)

    def truth_calls(self, state: LearnedState, info: StepInfo) -> Array:
        """One for each label, of a completion or of a token: to judge it takes none."""
        return state.num_labels.astype(jnp.float32)

    def loss(self, judge: Transformer, batch: tuple[Array, Array, Array]) -> Array:
        """f32[]: mean cross-entropy of the labels bool[B, C] of the tokens that are judged.

        Args:
          batch: prompts i32[B, P], completions i32[B, C] and labels.
        """
        prompts, completions, labels = batch
        weight = sampling.completion_mask(completions)
        if self.level == "outcome":
            weight = is_last(weight)
        logits = token_logits(judge, prompts, completions)
        losses = optax.sigmoid_binary_cross_entropy(logits, labels.astype(jnp.float32))
        return (losses * weight).sum() / jnp.maximum(weight.sum(), 1)


def token_logits(judge: Transformer, prompts: Array, completions: Array) -> Array:
    """f32[B, C]: logit of YES minus that of NO, having read each token of completions i32[B, C]."""
    tokens = jnp.concatenate([prompts, completions], axis=1)
    logits = judge(tokens, None, 0, prompts.shape[1])[0]
    return logits[..., vocab.YES] - logits[..., vocab.NO]


def is_last(mask: Array) -> Array:
    """bool[..., C]: where the last token of each completion stands, given which are tokens."""
    behind = jnp.concatenate([mask[..., 1:], jnp.zeros_like(mask[..., :1])], axis=-1)
    return mask & ~behind
