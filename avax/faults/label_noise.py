"""Wrong labels, put into the data on purpose: how strongly does training on them amplify errors?"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array

from avax import struct, vocab
from avax.requirements import Context
from avax.types import Integer, Key, Rollout, Scalar

MOST = 3  # digits that `drop` and `perturb` touch


@struct.dataclass
class LabelNoise:
    """Spoils some completions, after the verifier has judged them, in one round.

    The one-shot injection of Lee et al. 2025 (arXiv 2502.01612, section 8). Theirs also spoils the
    prompts where the noise is uniform, and its inputs and its labels by different draws; here only
    labels are spoilt. In that round the measured rates compare the verdicts, of clean completions,
    with noisy labels.

    Attributes:
      digit_rate: P(one digit, anywhere, becomes another one).
      uniform_rate: P(every digit becomes a random one, the same by chance one time in ten).
      drop_rate: P(the last 1 to 3 digits are left out, and what stands behind them moves up).
      perturb_rate: P(each of the last 1 to 3 digits goes up or down by 1, modulo 10). A completion
        is spoilt in one way at most; where the rates add up to more than 1, the last ones give way.
        What has no digit stays.
      round: the round in which it happens; 1 is the first.
    """

    digit_rate: Scalar = struct.leaf(0.0, low=0, high=1)
    uniform_rate: Scalar = struct.leaf(0.0, low=0, high=1)
    drop_rate: Scalar = struct.leaf(0.0, low=0, high=1)
    perturb_rate: Scalar = struct.leaf(0.0, low=0, high=1)
    round: Integer = struct.leaf(1, low=1)

    def requires(self, context: Context) -> str | None:
        return context.has_round("label_noise.round", self.round)

    def inject(self, key: Key, rollouts: Rollout, round: Array) -> Rollout:
        """`rollouts` (any leading axes) with the noise of this round."""
        uniform = jax.random.uniform(key, (3, *rollouts.completion.shape))
        which = jnp.where(round == self.round, uniform[0, ..., :1], jnp.inf)
        noisy, low = rollouts, 0.0
        for pattern, spoil in PATTERNS.items():
            high = low + getattr(self, f"{pattern}_rate")
            hit = (which >= low) & (which < high)
            noisy, low = _where(hit, spoil(rollouts, *uniform[1:]), noisy), high
        return noisy


def _where(hit: Array, new: Rollout, old: Rollout) -> Rollout:
    def choose(name):
        return jnp.where(hit, getattr(new, name), getattr(old, name))

    return old._replace(**{name: choose(name) for name in ("completion", "mask", "logprob")})


def _digit(rollouts: Rollout, u: Array, v: Array) -> Rollout:
    completion = rollouts.completion
    # The digit with the largest random number is the one that changes.
    place = jnp.where(vocab.is_digit(completion), u, -1.0).argmax(-1)
    here = jax.nn.one_hot(place, completion.shape[-1], dtype=bool)
    other = (completion + 1 + (9 * v).astype(jnp.int32)) % 10
    return _with_digits(rollouts, here, other)


def _uniform(rollouts: Rollout, u: Array, v: Array) -> Rollout:
    return _with_digits(rollouts, rollouts.mask, (10 * v).astype(jnp.int32))


def _perturb(rollouts: Rollout, u: Array, v: Array) -> Rollout:
    index, start, end = _last_digits(rollouts.completion, u)
    moved = (rollouts.completion + jnp.where(v < 0.5, 1, 9)) % 10
    return _with_digits(rollouts, (index >= start) & (index < end), moved)


def _drop(rollouts: Rollout, u: Array, v: Array) -> Rollout:
    index, start, end = _last_digits(rollouts.completion, u)
    source = jnp.where(index < start, index, index + end - start)

    def moved_up(tokens, behind):
        return jnp.take_along_axis(tokens, source, -1, mode="fill", fill_value=behind)

    return rollouts._replace(
        completion=moved_up(rollouts.completion, vocab.PAD),
        mask=moved_up(rollouts.mask, False),
        logprob=moved_up(rollouts.logprob, 0.0),
    )


PATTERNS = {"digit": _digit, "uniform": _uniform, "drop": _drop, "perturb": _perturb}


def _with_digits(rollouts: Rollout, where: Array, new: Array) -> Rollout:
    """Rollouts with new digits, `where` bool[..., C] holds and there were digits."""
    completion = rollouts.completion
    where = where & vocab.is_digit(completion)
    return rollouts._replace(completion=jnp.where(where, new, completion))


def _last_digits(completion: Array, u: Array) -> tuple[Array, Array, Array]:
    """Places i32[..., C], and where the last 1 to MOST digits start and end, i32[..., 1].

    Of a completion without a digit both are 0. What isn't a digit counts if a digit follows.
    """
    index = jax.lax.broadcasted_iota(jnp.int32, completion.shape, completion.ndim - 1)
    end = jnp.where(vocab.is_digit(completion), index + 1, 0).max(-1, keepdims=True)
    count = 1 + (MOST * u[..., :1]).astype(jnp.int32)
    return index, jnp.maximum(end - count, 0), end
