"""Problems with a completion of each and what is right of it, as arrays and as text."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from avax import vocab
from avax.fields import ConfigError
from avax.models.transformer import Transformer
from avax.policies import generation
from avax.types import MISTAKES, Grade, Integer, Key, Policy, Problem, Scalar, Task

_PAD = "_"  # in a text


@partial(jax.jit, static_argnames="number")
def graded(
    policy: Policy, task: Task, number: int, key: Key, difficulty: Integer, temperature: Scalar
) -> tuple[Problem, Array, Grade]:
    """So many problems of one difficulty, a completion i32[C] of each, and its grade; leading
    axis `number`. Compiled once for each structure of a task.
    """
    key_problems, key_sample = jax.random.split(key)
    keys = jax.random.split(key_problems, number)
    problems = jax.vmap(task.sample, (0, None))(keys, difficulty)
    rollouts = generation.generate(
        key_sample, policy, problems.prompt, task.completion_len, 1, temperature
    )
    completions = rollouts.completion[:, 0]
    return problems, completions, jax.vmap(task.grade)(problems, completions)


def rows(
    policy: Policy, task: Task, number: int, seed: int, difficulty: int, temperature: float
) -> dict[str, Any]:
    """The fields of `samples.Samples`."""
    found = graded(policy, task, number, jax.random.key(seed), jnp.int32(difficulty), temperature)
    problems, completions, grades = jax.device_get(found)
    # A task may take for right what is not its answer, so a step is wrong if its grade says so.
    is_wrong = ~grades.correct[:, None] & ~grades.step_correct
    return {
        "prompt": tuple(text.lstrip(_PAD) for text in texts(problems.prompt)),
        "completion": tuple(text.rstrip(_PAD) for text in texts(completions)),
        "answer": tuple(text.rstrip(_PAD) for text in texts(problems.answer)),
        "correct": grades.correct,
        "first_wrong": np.where(is_wrong.any(-1), is_wrong.argmax(-1), -1),
        "mistakes": tuple(
            tuple(kind for kind, is_it in zip(MISTAKES, row, strict=True) if is_it)
            for row in grades.mistake
        ),
        "kinds": MISTAKES,
    }


def texts(tokens: np.ndarray) -> list[str]:
    """`vocab.to_text` of each row of i32[N, L]."""
    symbols = np.array(list(vocab.to_text(range(vocab.VOCAB_SIZE))))
    return ["".join(row) for row in symbols[tokens]]


def check_policy(policy: Any) -> None:
    """Raises ConfigError for what is no policy, or several in one."""
    if isinstance(policy, type) or not isinstance(policy, Policy):
        raise ConfigError(f"policy: is of the class {type(policy).__name__}, must be a policy")
    if isinstance(policy, Transformer) and jnp.ndim(policy.norm) != 1:
        shape = jnp.shape(policy.norm)[:-1]
        raise ConfigError(f"policy: is several, stacked as {shape}, must be one of them")
