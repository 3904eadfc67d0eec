"""Problems of a task, what a policy answers, and where it goes wrong: to be looked at.

Importing it imports no JAX.
"""

from __future__ import annotations

import dataclasses
import math
import operator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from avax.types import Policy, Task

MAX_TOKENS = 2**22  # of all problems and completions together
MIN_TEMPERATURE = 1e-3  # above 0
OTHER = "other"  # a mistake of no kind that has a name


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Samples:
    """N problems and a completion of each; printed, a table for people.

    Texts are without the PAD around them, a character for each token; `$` is EOS.

    Attributes:
      prompt, completion, answer: texts of each problem.
      correct: bool[N], whether the task takes the completion for right.
      first_wrong: i64[N], index of the first wrong token in a completion, -1 if it is right.
      mistakes: of each completion the names of the kinds of mistakes that it is.
      kinds: all these names, `avax.types.MISTAKES`.
    """

    prompt: tuple[str, ...]
    completion: tuple[str, ...]
    answer: tuple[str, ...]
    correct: np.ndarray
    first_wrong: np.ndarray
    mistakes: tuple[tuple[str, ...], ...]
    kinds: tuple[str, ...]

    @property
    def accuracy(self) -> float:
        """Share of the completions that are right."""
        return float(self.correct.mean())

    @property
    def shares(self) -> dict[str, float]:
        """Of the wrong completions the share of each kind of mistake, and of those that are of
        none, `other`; NaN if none is wrong. Kinds overlap.
        """
        wrong = [m for m, right in zip(self.mistakes, self.correct, strict=True) if not right]
        count = len(wrong) or math.nan
        found = {kind: sum(kind in names for names in wrong) / count for kind in self.kinds}
        return found | {OTHER: sum(not names for names in wrong) / count}

    def __str__(self) -> str:
        heads = "problem", "completion", "truth"
        texts = list(zip(self.prompt, self.completion, self.answer, strict=True))
        widths = [max(map(len, column)) for column in zip(heads, *texts, strict=True)]

        def line(problem, completion, truth, verdict=""):
            cells = problem.rjust(widths[0]), completion.ljust(widths[1]), truth.ljust(widths[2])
            return "  ".join([*cells, verdict]).rstrip()

        lines = [line(*heads)]
        rows = zip(texts, self.correct, self.mistakes, self.first_wrong.tolist(), strict=True)
        for text, is_right, names, at in rows:
            kinds = ", ".join(names) or OTHER
            lines.append(line(*text, "right" if is_right else f"wrong: {kinds}"))
            if at >= 0:
                lines.append(line("", " " * at + "^", ""))
        return "\n".join([*lines, *self._summary()])

    __repr__ = __str__

    def _summary(self) -> list[str]:
        number, right = len(self.correct), int(self.correct.sum())
        lines = [f"right: {right} of {number}, accuracy {self.accuracy:.3g}"]
        if right < number:
            shares = ", ".join(f"{kind} {share:.3g}" for kind, share in self.shares.items())
            lines.append(f"of the wrong ones: {shares}")
        return lines


def samples(
    policy: Policy,
    task: Task,
    difficulty: int,
    number: int = 20,
    *,
    seed: int = 0,
    temperature: float = 0.0,
) -> Samples:
    """What a policy answers to some problems of a task, and which of it is right.

    Args:
      policy: a single one.
      difficulty: of all problems.
      number: of problems, each with one completion.
      seed: decides the problems, and with a temperature the completions.
      temperature: of sampling; 0 is greedy.

    Raises:
      ConfigError: in one line, for a value out of its range, or what is no task or policy.
    """
    from avax.policies import graded

    number, difficulty, seed = _checked(task, difficulty, number, seed, temperature)
    graded.check_policy(policy)
    return Samples(**graded.rows(policy, task, number, seed, difficulty, float(temperature)))


def _checked(
    task: Any, difficulty: Any, number: Any, seed: Any, temperature: Any
) -> tuple[int, int, int]:
    """Number, difficulty and seed as whole numbers; ConfigError if something is out of range."""
    from avax.fields import ConfigError
    from avax.types import Task

    if isinstance(task, type) or not isinstance(task, Task):
        shown = task.__name__ if isinstance(task, type) else repr(task)
        raise ConfigError(f"task: is {shown}, must be a task, such as Addition()")
    most = MAX_TOKENS // (task.prompt_len + task.completion_len)
    of_task = f" for {type(task).__name__} with max_difficulty {task.max_difficulty}"
    ranges = {
        "number": (number, 1, most, of_task),
        "difficulty": (difficulty, 1, task.max_difficulty, of_task),
        "seed": (seed, 0, 2**32 - 1, ""),
    }
    found = []
    for name, (value, low, high, where) in ranges.items():
        try:
            whole = operator.index(value)
        except TypeError:
            raise ConfigError(f"{name}: is {value!r}, must be a whole number") from None
        if not low <= whole <= high:
            raise ConfigError(f"{name}: is {whole}, must lie in [{low}, {high}]{where}")
        found.append(whole)
    is_number = isinstance(temperature, (int, float, np.number))
    if not is_number or not (temperature == 0 or MIN_TEMPERATURE <= temperature < math.inf):
        least = f"must be 0 or at least {MIN_TEMPERATURE:g}"
        raise ConfigError(f"temperature: is {temperature!r}, {least}")
    return tuple(found)
