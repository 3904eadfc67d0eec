"""Group-relative policy optimization (Shao et al. 2024, arXiv 2402.03300)."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from avax import struct
from avax.policies import sampling, training
from avax.requirements import Context
from avax.types import (
    Integer,
    Key,
    Policy,
    Problem,
    Rollout,
    Scalar,
    Source,
    StepInfo,
    Verdict,
    first,
)


class GRPOState(NamedTuple):
    """The policy, its optimizer and the frozen base that the KL term refers to."""

    policy: Policy
    optimizer: Any
    reference: Policy


class GRPOBatch(NamedTuple):
    """N completions with what is known about them before the update.

    A learner that weighs tokens of its own choice differently (those of one turn, say) makes a
    batch by `GRPO.batch`, puts its own weights in, and goes on with `GRPO.update`.
    """

    prompt: Array  # i32[N, P]
    completion: Array  # i32[N, C]
    mask: Array  # bool[N, C]
    advantage: Array  # f32[N, C]
    kl_coef: Array  # f32[N, C]
    logprob_old: Array  # f32[N, C]
    logprob_ref: Array  # f32[N, C]


@struct.dataclass
class GRPO:
    """Reinforces what scores above the other samples of its prompt.

    A round in which every group has equal scores has no advantages and does nothing: neither the
    policy nor the optimizer moves, and the KL term is left out.

    The probability ratio is to what generated the completions. So with a frozen generator it is to
    the untouched base, and `clip` bounds how far all rounds together move a token's probability,
    not each of them.

    Groups may be left out, as in DAPO (Yu et al. 2025, arXiv 2503.14476), or rewards corrected for
    a verifier whose rates are known, as in Cai et al. 2025 (arXiv 2510.00915): an affine change,
    which dividing by the standard deviation undoes up to its sign.

    Attributes:
      num_problems: problems of a round (B).
      num_samples: completions of each problem, the group (K).
      num_updates: gradient updates on the round's completions, each on all of them.
      normalize_std: 1 divides advantages by the group's standard deviation, 0 does not, as in Dr.
        GRPO (Liu et al. 2025, arXiv 2503.20783).
      learning_rate: of Adam.
      max_grad_norm: gradients are scaled down to this global norm.
      temperature: of sampling; above 0.
      clip: how far the probability ratio may move from 1 before its gradient stops; a large number
        clips nothing.
      clip_more: how much further it may rise than fall.
      kl_coef: weight of the KL divergence to the base policy.
      oversampling: so many times B problems are answered and judged, of which B are trained on and
        reported: the first, or with `resample` those whose groups teach something.
      resample: 1 prefers groups of unequal scores; where they are fewer than B, others fill up.
      min_accepted: groups with fewer accepted completions have no advantages.
      channel_fpr: P(score 1 | wrong) that rewards are corrected for.
      channel_fnr: P(score 0 | correct) that rewards are corrected for; both may not add up to 1.
    """

    num_problems: int = struct.static(32, low=1)
    num_samples: int = struct.static(8, low=2)
    num_updates: int = struct.static(4, low=1)
    normalize_std: Integer = struct.leaf(1, low=0, high=1)
    learning_rate: Scalar = struct.leaf(3e-4, low=0)
    max_grad_norm: Scalar = struct.leaf(1.0, low=1e-6)
    temperature: Scalar = struct.leaf(1.0, low=0.01)
    clip: Scalar = struct.leaf(0.2, low=0)
    clip_more: Scalar = struct.leaf(0.0, low=0)
    kl_coef: Scalar = struct.leaf(0.01, low=0)
    oversampling: int = struct.static(1, low=1)
    resample: Integer = struct.leaf(0, low=0, high=1)
    min_accepted: Integer = struct.leaf(0, low=0)
    channel_fpr: Scalar = struct.leaf(0.0, low=0, high=1)
    channel_fnr: Scalar = struct.leaf(0.0, low=0, high=1)

    def requires(self, context: Context) -> str | None:
        if abs(1 - self.channel_fpr - self.channel_fnr) < 1e-6:
            return (
                f"{context.path}.channel_fpr: is {self.channel_fpr:g} and adds up to 1 with "
                "channel_fnr: such scores say nothing, whatever they are corrected for"
            )
        if self.resample and self.oversampling == 1:
            return f"{context.path}.oversampling: is 1, must be at least 2 to resample"
        return None

    def init(self, key: Key, bases: Policy, example: Problem) -> GRPOState:
        policy = first(bases)
        transform = training.optimizer(self.learning_rate, self.max_grad_norm)
        return GRPOState(policy, transform.init(policy), policy)

    def step(self, key: Key, state: GRPOState, source: Source) -> tuple[GRPOState, StepInfo]:
        number = self.oversampling * self.num_problems
        found = sampling.collect(
            key, source, state.policy, number, self.num_samples, self.temperature
        )
        judged = found[1].mask
        if self.oversampling > 1:
            is_mixed = (self.resample == 1) & has_advantage(found[2].score)
            rows = sampling.preferred_rows(is_mixed, self.num_problems)
            found = jax.tree.map(lambda x: x[rows], found)
        problems, rollouts, verdicts = found
        generator = source.generator(state.policy)
        batch = self.batch(state, generator, rollouts, self.advantage(verdicts))
        trained = self.update(state, batch)
        info = StepInfo(
            problems, rollouts, verdicts, trained.loss, trained.grad_norm, judged=judged
        )
        return GRPOState(trained.policy, trained.optimizer, state.reference), info

    def advantage(self, verdicts: Verdict) -> Array:
        """f32[B, K]: of what a verifier says, corrected; 0 in groups that are left out."""
        reward = (verdicts.score - self.channel_fpr) / (1 - self.channel_fpr - self.channel_fnr)
        enough = verdicts.accept.sum(-1, keepdims=True) >= self.min_accepted
        return jnp.where(enough, group_advantage(reward, self.normalize_std), 0.0)

    def update(self, state: GRPOState, batch: GRPOBatch) -> training.Trained:
        """The updates of a round on one batch; none if no token has an advantage."""
        return training.update_if(
            (batch.advantage != 0).any(),
            self._loss,
            training.optimizer(self.learning_rate, self.max_grad_norm),
            state.policy,
            state.optimizer,
            jax.tree.map(lambda x: jnp.broadcast_to(x, (self.num_updates, *x.shape)), batch),
        )

    def batch(
        self, state: GRPOState, generator: Policy, rollouts: Rollout, advantage: Array
    ) -> GRPOBatch:
        """A round's completions by `generator`, each with an advantage f32[B, K] that all its
        tokens share.
        """
        prompt = jnp.repeat(rollouts.prompt, self.num_samples, axis=0)
        completion = rollouts.completion.reshape(prompt.shape[0], -1)

        def logprob(policy):
            return sampling.completion_logprob(policy, prompt, completion, self.temperature)

        # Not the sampler's own: the filter may have put other labels in.
        old, reference = logprob(generator), logprob(state.reference)
        mask = sampling.completion_mask(completion)
        advantage, kl_coef = (
            jnp.broadcast_to(x, mask.shape)
            for x in (advantage.reshape(-1, 1), jnp.asarray(self.kl_coef, jnp.float32))
        )
        return GRPOBatch(prompt, completion, mask, advantage, kl_coef, old, reference)

    def _loss(self, policy, batch):
        logprob = sampling.completion_logprob(
            policy, batch.prompt, batch.completion, self.temperature
        )
        losses = jax.vmap(grpo_loss, (0, 0, 0, 0, 0, None, 0, None))
        return losses(
            logprob,
            batch.logprob_old,
            batch.logprob_ref,
            batch.mask,
            batch.advantage,
            self.clip,
            batch.kl_coef,
            self.clip_more,
        ).mean()


def group_advantage(score: Array, normalize_std: Integer) -> Array:
    """f32[B, K]: scores f32[B, K] relative to their group's mean; 0 in a group of equal scores.

    Args:
      normalize_std: 1 divides by the group's standard deviation, 0 does not.
    """
    centered = score - score.mean(-1, keepdims=True)
    # Rounding must not make an advantage out of equal scores.
    centered = jnp.where(has_advantage(score)[..., None], centered, 0.0)
    std = score.std(-1, keepdims=True) + 1e-6
    return centered / jnp.where(normalize_std, std, 1.0)


def has_advantage(score: Array) -> Array:
    """bool[B]: whether the scores f32[B, K] of a group differ."""
    return score.max(-1) > score.min(-1)


def grpo_loss(
    logprob: Array,
    logprob_old: Array,
    logprob_ref: Array,
    mask: Array,
    advantage: Array,
    clip: Scalar,
    kl_coef: Array,
    clip_more: Scalar = 0.0,
) -> Array:
    """f32[]: clipped surrogate plus KL of one completion, mean over its tokens.

    Args:
      logprob, logprob_old, logprob_ref: f32[C] under the policy, the one that generated, the base.
      mask: bool[C], the tokens that count.
      advantage: f32[C] of each token, or f32[] of all.
      kl_coef: weight of the KL divergence, f32[C] or f32[], likewise.
      clip_more: how much further than `clip` the ratio may rise.
    """
    # PAD's log-probability is huge, and so are its rounding errors: exp must never see them.
    logprob, logprob_old, logprob_ref = (
        jnp.where(mask, x, 0.0) for x in (logprob, logprob_old, logprob_ref)
    )
    ratio = jnp.exp(logprob - logprob_old)
    clipped = jnp.clip(ratio, 1 - clip, 1 + clip + clip_more)
    surrogate = jnp.minimum(ratio * advantage, clipped * advantage)
    # Unbiased and never negative (Schulman's third estimator).
    log_ratio = logprob_ref - logprob
    kl = jnp.exp(log_ratio) - 1 - log_ratio
    return -((surrogate - kl_coef * kl) * mask).sum() / jnp.maximum(mask.sum(), 1)
