"""Scores that change places among the completions of a round, for verifiers that are controls."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array

from avax import optional, struct
from avax.requirements import Context
from avax.types import PROBLEMS, Grade, Key, Policy, Rollout, StepInfo, Verdict, Verifier


@struct.dataclass
class Shuffled:
    """Another verifier whose scores change places: what controls that shuffle have in common."""

    inner: Verifier

    def requires(self, context: Context) -> str | None:
        for value in (self.inner, *(value for _, _, value in struct.walk(self.inner))):
            if isinstance(value, Shuffled):
                kinds = type(self).__name__, type(value).__name__
                return "verifier: is {} around {}, must be around what isn't shuffled".format(
                    *kinds
                )
        if context.path.startswith("learner."):  # the learner's learner samples
            kind = type(context.experiment.learner).__name__
            return f"learner: is {kind}, must be one without a filter of its own: it isn't shuffled"
        return None

    def init(self, key: Key, bases: Policy):
        return self.inner.init(key, bases)

    def prepare(self, key: Key, state, policy: Policy, practice: optional.Practice):
        return optional.prepared(self.inner, key, state, policy, practice)

    def update(self, key: Key, state, policy: Policy, info: StepInfo, grades: Grade | None):
        return self.inner.update(key, state, policy, info, self._seen(grades))

    def truth_calls(self, state, info: StepInfo) -> Array:
        return optional.truth_calls(self.inner, state, info)

    def shuffled(
        self, key: Key, state, policy: Policy, rollout: Rollout, grade: Grade | None, moves: Array
    ) -> Verdict:
        """The other verifier's verdict with scores that change places, those with `moves` bool[K].

        A completion without a token keeps its score: no filter can make something of it. The steps
        of one that has moved score as it does.
        """
        key_inner, key_shuffle = jax.random.split(key)
        verdict = self.inner.verify(key_inner, state, policy, rollout, self._seen(grade))
        moves = moves & rollout.mask.any(-1)
        score = shuffle(key_shuffle, verdict.score, moves)
        steps = jnp.where(moves[:, None], score[:, None] * rollout.mask, verdict.step_score)
        return Verdict(score, steps)

    def _seen(self, grade):
        return grade if self.inner.uses_ground_truth else None


def shuffle(key: Key, score: Array, moves: Array) -> Array:
    """f32[K]: the scores of all B K completions of a round change places, those with `moves`.

    Every permutation of these is equally likely, one for all problems: it crosses from problem to
    problem. To be called by each of them, mapped along the axis PROBLEMS.

    Args:
      score, moves: f32[K], bool[K], of one problem's completions.
    """
    data, scores, all_move = (
        jax.lax.all_gather(x, PROBLEMS) for x in (jax.random.key_data(key), score, moves)
    )
    common = jax.random.wrap_key_data(data[0])
    source = random_source(common, all_move.reshape(-1))
    return scores.reshape(-1)[source].reshape(scores.shape)[jax.lax.axis_index(PROBLEMS)]


def random_source(key: Key, moves: Array) -> Array:
    """i32[N]: where each of N places takes from, a uniform permutation of those with `moves`.

    The others keep what is theirs. Takes time N^2, but does not sort: a program that sorts can't be
    kept in the compile cache of a CPU.
    """
    index = jnp.arange(moves.size, dtype=jnp.int32)
    bits = jax.random.bits(key, (moves.size,))
    is_before = bits[None] < bits[:, None]
    is_before = is_before | ((bits[None] == bits[:, None]) & (index[None] < index[:, None]))
    rank = (is_before & moves[None]).sum(1)
    at_rank = jnp.searchsorted(jnp.cumsum(moves), rank, side="right").astype(jnp.int32)
    return jnp.where(moves, at_rank, index)
