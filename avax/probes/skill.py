"""What a policy can do at difficulties of one's choice, and how it writes there."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array

from avax import optional, struct, vocab
from avax.probes import judging
from avax.requirements import Context
from avax.types import Key, Metric, Policy, Rollout, Scalar, Subject, Task


@struct.dataclass
class Skill:
    """Old skills beside the one that is trained: accuracy, true steps, length, entropy, sameness.

    All are of sampled completions of problems of the loop's task, at each difficulty by itself, and
    graded by their true answers where the task's own grades can be had by luck.

    Attributes:
      difficulties: at which problems are posed.
      num_problems: problems of each difficulty (B).
      num_samples: completions of each (K).
      answer_len: how many tokens at the end of a completion, EOS included, are its answer; 0 for
        all.
      token: the number of one whose habit is looked at; -1 for none.
      temperature: of sampling.
    """

    difficulties: tuple = struct.static((1,))
    num_problems: int = struct.static(32, low=1)
    num_samples: int = struct.static(2, low=1)
    answer_len: int = struct.static(0, low=0)
    token: int = struct.static(-1, low=-1, high=vocab.VOCAB_SIZE - 1)
    temperature: Scalar = struct.leaf(1.0, low=0.01)

    def metrics(self, task: Task) -> dict[str, Metric]:
        about = {
            "skill": "P(a sampled completion is truly right)",
            "skill_whole": "P(all tokens of a sampled completion are right as steps)",
            "skill_steps": "right tokens of a sampled completion, as the task judges them, mean",
            "skill_length": "tokens of a sampled completion up to and including EOS, mean",
            "skill_entropy": "-log P of a sampled token, in nats, mean; its expectation is entropy",
            "skill_common": "share of the most common answer among all completions",
        }
        if self.token >= 0:
            about["skill_token"] = "share of the sampled completions that hold the token"
        return {n: Metric(a, {"skill_difficulty": self.difficulties}) for n, a in about.items()}

    def requires(self, context: Context) -> str | None:
        most = context.experiment.task.max_difficulty
        if self.difficulties and all(1 <= x <= most for x in self.difficulties):
            return None
        return f"{context.path}.difficulties: is {self.difficulties}, must lie in [1, {most}]"

    def init(self, key: Key, bases: Policy) -> tuple:
        return ()

    def measure(self, key: Key, state: tuple, subject: Subject) -> dict[str, Array]:
        task = optional.exact(subject.task)

        def at(pair):
            data, difficulty = pair
            key_problems, key_sample = jax.random.split(jax.random.wrap_key_data(data))
            keys = jax.random.split(key_problems, self.num_problems)
            problems = jax.vmap(task.sample, (0, None))(keys, difficulty)
            rollouts = judging.complete(
                key_sample, subject.policy, problems, self.num_samples, self.temperature
            )
            grades = jax.vmap(jax.vmap(task.grade, (None, 0)))(problems, rollouts.completion)
            mask, steps = rollouts.mask, grades.step_correct
            found = {
                "skill": grades.correct.mean(),
                "skill_whole": steps.all(-1).mean(),
                "skill_steps": (steps & mask).sum(-1).mean(),
                "skill_length": mask.sum(-1).mean(),
                "skill_entropy": -rollouts.logprob.sum() / mask.sum(),
                "skill_common": most_common(rollouts, self.answer_len),
            }
            if self.token >= 0:
                found["skill_token"] = (rollouts.completion == self.token).any(-1).mean()
            return found

        keys = jax.random.key_data(jax.random.split(key, len(self.difficulties)))
        return jax.lax.map(at, (keys, jnp.array(self.difficulties, jnp.int32)))


def most_common(rollouts: Rollout, answer_len: int) -> Array:
    """f32[]: share of the answer that most of all completions have, see `vocab.answers`."""
    answers = vocab.answers(rollouts.completion, answer_len)
    answers = answers.reshape(-1, answers.shape[-1])
    same = (answers[:, None] == answers[None]).all(-1)
    return same.mean(-1).max()
