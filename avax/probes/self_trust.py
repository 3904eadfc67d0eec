"""Does a policy believe its own mistakes more than another's?

Over-trust in self-generated answers: Li et al. 2024 (arXiv 2403.09972). A judge that asks a policy
asks two, the run's own and the second base, about the completions of both: what is true of all
readers of an author, or of all that a reader reads, is not self-trust.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from avax import struct
from avax.probes import judging
from avax.requirements import Context
from avax.types import Key, Metric, Policy, Scalar, Subject, Task

POLICIES = ("own", "other")


@struct.dataclass
class SelfTrust:
    """Error rates and AUROC of judges, by whose mistakes they see and which policy they ask.

    Only problems that both authors get wrong at least once count, each as much as any other, so
    that their mistakes are those on the same problems. AUROC compares them with the right
    completions of the same author, or authors would be told apart as well.

    Attributes:
      verifiers: judges, beside the run's own verifier.
      num_problems: problems that are posed (B).
      num_samples: completions of each, by each author (K).
      temperature: of sampling.
    """

    verifiers: tuple = ()
    num_problems: int = struct.static(64, low=1)
    num_samples: int = struct.static(4, low=1)
    temperature: Scalar = struct.leaf(1.0, low=0, nonzero_low=1e-3)

    def metrics(self, task: Task) -> dict[str, Metric]:
        both = {"reader": POLICIES, "author": POLICIES}
        fpr = "P(judge accepts | wrong) if it asks the reader about the author's mistakes"
        auroc = "P(a right completion of the author scores above a wrong one), ties half"
        matched = Metric("share of problems that both authors get wrong at least once", {})
        return {
            "trust_fpr": judging.per_judge(self.verifiers, fpr, **both),
            "auroc": judging.per_judge(self.verifiers, auroc, **both),
            "matched_rate": matched,
        }

    def requires(self, context: Context) -> str | None:
        return context.min_bases(2)

    def init(self, key: Key, bases: Policy) -> tuple:
        other = jax.tree.map(lambda x: x[1], bases)
        return other, judging.init_judges(self.verifiers, key, bases)

    def measure(self, key: Key, state: Any, subject: Subject) -> dict[str, Array]:
        other, states = state
        key_problems, key_sample, key_judge = jax.random.split(key, 3)
        problems = judging.draw_problems(key_problems, subject, self.num_problems)
        policies = jax.tree.map(lambda *x: jnp.stack(x), subject.policy, other)

        def write(key, policy):
            return judging.complete(key, policy, problems, self.num_samples, self.temperature)

        rollouts = jax.vmap(write)(jax.random.split(key_sample, 2), policies)
        grades = jax.vmap(subject.grade, (None, 0))(problems, rollouts)

        def read(pair):
            data, reader, author = pair
            key = jax.random.wrap_key_data(data)
            asked = jax.tree.map(lambda x: x[reader], policies)
            of_author = jax.tree.map(lambda x: x[author], (rollouts, grades))
            return judging.ask_judges(self.verifiers, states, subject, key, asked, *of_author)

        # Not by vmap: with a tile, problems, completions and heads that makes products of arrays
        # with 8 axes, on which XLA ends the process (on a CPU).
        readers, authors = (x.ravel() for x in jnp.indices((2, 2)))
        keys = jax.random.key_data(jax.random.split(key_judge, 4))
        verdicts = jax.lax.map(read, (keys, readers, authors))
        # [reader, author, J, B, K]
        verdicts = jax.tree.map(lambda x: x.reshape(2, 2, *x.shape[1:]), verdicts)
        score, accept = (jnp.moveaxis(x, 2, 0) for x in (verdicts.score, verdicts.accept))
        weight, is_matched = matched_weight(~grades.correct)
        weights = jnp.broadcast_to(weight[None, None], accept.shape)

        def area(score):
            return area_by_author(score, grades.correct, weight)

        return {
            "trust_fpr": judging.mean_where(accept, weights, (-2, -1)),
            "auroc": jax.vmap(jax.vmap(area))(score),
            "matched_rate": is_matched.mean(),
        }


def matched_weight(wrong: Array) -> tuple[Array, Array]:
    """Weights f32[A, B, K] of wrong completions bool[A, B, K], and which problems count, bool[B].

    Each problem that all A authors get wrong weighs 1 for each author, the others 0.
    """
    count = wrong.sum(-1, keepdims=True)
    is_matched = (count > 0).all(0, keepdims=True)
    return wrong * is_matched / jnp.maximum(count, 1), is_matched[0, :, 0]


def area_by_author(score: Array, correct: Array, weight: Array) -> Array:
    """f32[A]: area under the ROC curve of scores f32[A, B, K], of each author apart.

    Args:
      correct: bool[A, B, K], the right completions.
      weight: f32[A, B, K], of the wrong ones.
    """

    def of_author(score, correct, weight):
        score, right = score.reshape(-1), correct.astype(jnp.float32).reshape(-1)
        above = (score[:, None] > score[None]).astype(jnp.float32)
        equal = (score[:, None] == score[None]).astype(jnp.float32)
        pairs = right[:, None] * weight.reshape(-1)[None]
        return judging.mean_where(above + equal / 2, pairs, (0, 1))

    return jax.vmap(of_author)(score, correct, weight)
