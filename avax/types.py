"""The nouns, and the protocols that every plug-in follows.

Shapes are written in trailing comments: B problems, K samples of each, P prompt tokens, C
completion tokens, T = P + C, V vocabulary, M base policies, R rounds, D difficulties, E kinds of
mistakes. Tasks and verifiers are written for one problem, learners for one policy; `jax.vmap` does
the rest. What a plug-in needs of the others it may say beforehand: see `requirements`; what it may
have beside what its protocol asks for: see `optional`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from jax import Array

Key = Array  # typed PRNG key
Scalar = float  # a Python number in a configuration, a traced f32[] inside a program
Integer = int  # a Python number in a configuration, a traced i32[] inside a program
State = Any  # a pytree of arrays that belongs to one plug-in

PROBLEMS = "problems"  # name of the mapped axis of a round's B problems, in Verifier.verify
# Kinds of mistakes, by the form of a wrong number alone. They overlap, and a mistake may be none.
MISTAKES = (
    "dropped_carry",  # the right length, and every wrong digit is one too low, modulo 10
    "near_miss",  # the right length, and exactly one digit is wrong
    "short",  # a number of fewer digits
    "long",  # a number of more digits, or one that does not end
)


class Problem(NamedTuple):
    """A question and its ground truth."""

    prompt: Array  # i32[P], right-aligned, PAD in front
    answer: Array  # i32[C], ends with EOS, PAD after it
    difficulty: Array  # i32[]


class Rollout(NamedTuple):
    """K completions of one prompt. It holds no answer, so nobody can peek."""

    prompt: Array  # i32[P]
    completion: Array  # i32[K, C], PAD after EOS
    mask: Array  # bool[K, C], True up to and including EOS
    logprob: Array  # f32[K, C], under the policy that sampled, 0 where masked


class Grade(NamedTuple):
    """Ground truth about one completion."""

    correct: Array  # bool[]
    step_correct: Array  # bool[C]
    mistake: Array  # bool[E], which of MISTAKES it is; none if it is correct or no number
    long_carry: Array  # bool[], of the problem: a carry runs through two columns or more


class Verdict(NamedTuple):
    """What a verifier thinks of K completions of one prompt; scores lie in [0, 1]."""

    score: Array  # f32[K]
    step_score: Array  # f32[K, C]

    @property
    def accept(self) -> Array:
        """bool[K]: score above one half."""
        return self.score > 0.5


class StepInfo(NamedTuple):
    """What happened in one round of a learner, and what it cost."""

    problems: Problem  # leading axis B
    rollouts: Rollout  # leading axis B
    verdicts: Verdict  # leading axis B
    loss: Array  # f32[], mean over the round's updates, 0 if there were none
    grad_norm: Array  # f32[], likewise
    own: dict[str, Array] = {}  # f32[...] for each of the learner's own `metrics`
    judged: Array | None = None  # bool[..., C], mask of all that was judged, if not that alone

    @property
    def judged_mask(self) -> Array:
        """bool[..., C]: the tokens of each completion that the filter judged in this round."""
        return self.rollouts.mask if self.judged is None else self.judged


class Subject(NamedTuple):
    """What a probe may look at: one run, at the start of a round."""

    policy: Policy
    draw: Callable[[Key], Problem]  # a problem of this round
    grade: Callable[[Problem, Rollout], Grade]  # ground truth, leading axis B
    verify: Callable[..., Verdict]  # (key, policy, rollouts, grades), leading axis B
    task: Task  # of this round's problems


class Metric(NamedTuple):
    """What one of a probe's or a learner's numbers is."""

    about: str
    dims: dict[str, tuple]  # values of each dimension that it has besides those of all metrics


class Source(NamedTuple):
    """What the loop hands to a learner for one round."""

    draw: Callable[[Key], Problem]  # a problem of this round's difficulty
    draw_base: Callable[[Key], Problem]  # a problem that the base policy was trained on
    judge: Callable[
        ..., tuple[Rollout, Verdict]
    ]  # (key, policy, problems, rollouts), leading axis B
    # What generates the round's completions where this policy is trained, and is shown to `judge`;
    # `base=` says what it began as, if that is not the run's first base.
    generator: Callable[..., Policy] = lambda policy, base=None: policy
    # A problem that tokens i32[L] pose, and bool[] whether they do; see `avax.optional`.
    read: Callable[[Array], tuple[Problem, Array]] | None = None
    # (prompts, completions), leading axis B: which tokens bool[B, C] supervised losses count, of
    # this round's problems and of the base's; None if neither task leaves any out.
    loss_masks: tuple[Callable, Callable] | None = None


@runtime_checkable
class Policy(Protocol):
    """A generator: a callable pytree of parameters."""

    def __call__(
        self,
        tokens: Array,
        cache: Any = None,
        pos: Array | int = 0,
        start: int = 0,
        sequence: Array | None = None,
    ) -> tuple[Array, Any]:
        """Logits f32[B, T - start, V] of tokens i32[B, T] from `start` on, and the new cache.

        None are asked for, start is T, where a prompt is read that goes on. In training two
        sequences may share a row: `sequence` i32[B, T] says which one a token is of, and neither
        may see the other.
        """
        ...

    def init_cache(self, batch: int, max_len: int) -> Any:
        """An empty cache for `batch` sequences of at most `max_len` tokens."""
        ...


@runtime_checkable
class Task(Protocol):
    """A family of problems with exact grading."""

    max_difficulty: int

    @property
    def prompt_len(self) -> int: ...

    @property
    def completion_len(self) -> int: ...

    def sample(self, key: Key, difficulty: Array) -> Problem:
        """One problem; `difficulty` is traced and lies in [1, max_difficulty]."""
        ...

    def grade(self, problem: Problem, completion: Array) -> Grade:
        """Ground truth about one completion i32[C]."""
        ...


@runtime_checkable
class Curriculum(Protocol):
    """Which difficulty the next problem has."""

    def init(self) -> State: ...

    def difficulty(self, key: Key, state: State, round: Array) -> Array:
        """i32[]: the difficulty of one problem of round `round` (1 is the first)."""
        ...

    def update(self, state: State, info: StepInfo) -> State: ...

    def bounds(self, num_rounds: int) -> tuple[Integer, Integer]:
        """The smallest and the largest difficulty that can be posed in so many rounds."""
        ...


@runtime_checkable
class Verifier(Protocol):
    """The filter between generating and retraining."""

    uses_ground_truth: ClassVar[bool]

    def init(self, key: Key, bases: Policy) -> State:
        """`bases` are M stacked policies; a verifier may keep some of them, frozen."""
        ...

    def verify(
        self, key: Key, state: State, policy: Policy, rollout: Rollout, grade: Grade | None
    ) -> Verdict:
        """Judges K completions of one prompt; `grade` is None unless `uses_ground_truth`.

        Mapped over the round's problems along the axis PROBLEMS, so that it may compare them:
        `jax.lax.pmax(x, PROBLEMS)` is the largest x of all problems.
        """
        ...

    def update(
        self, key: Key, state: State, policy: Policy, info: StepInfo, grades: Grade | None
    ) -> State:
        """The state after a round, of which `policy` is the one that `verify` saw, not retrained;
        of a population, the first.
        """
        ...


@runtime_checkable
class Learner(Protocol):
    """Gathers its own data and retrains. Its state has the attribute `policy`.

    What generates is `source.generator(policy)`: the policy itself, or the untouched base.
    """

    def init(self, key: Key, bases: Policy, example: Problem) -> State:
        """`bases` are M stacked policies: most learners train the first and leave the others.

        `example` has the shapes of the task's problems; nothing else may be asked of it.
        """
        ...

    def step(self, key: Key, state: State, source: Source) -> tuple[State, StepInfo]: ...


@runtime_checkable
class Probe(Protocol):
    """Measurements on the policy that a round starts with; they change nothing."""

    def metrics(self, task: Task) -> dict[str, Metric]:
        """What is measured, by name, where the loop's problems are of this task.

        Only what is static of the task may matter, and none may be an error here: a probe that
        can't work with a task says so in `requires`.
        """
        ...

    def init(self, key: Key, bases: Policy) -> State:
        """`bases` are M stacked policies; a probe may keep some of them, frozen."""
        ...

    def measure(self, key: Key, state: State, subject: Subject) -> dict[str, Array]:
        """A number f32[...] for each of `metrics`, of the dimensions given there."""
        ...


def first(tree: Any) -> Any:
    """Entry 0 along the leading axis of every leaf: of M stacked policies the first."""
    return jax.tree.map(lambda x: x[0], tree)


def outcome_verdict(accept: Array, rollout: Rollout) -> Verdict:
    """The verdict of a verifier that sees outcomes only: every step scores as its whole completion.

    Args:
      accept: bool or f32 [K], the score of each completion.
    """
    score = accept.astype("float32")
    return Verdict(score, score[:, None] * rollout.mask)


def graded_verdict(probability: Array, threshold: Scalar, rollout: Rollout) -> Verdict:
    """The verdict of a verifier that has a probability f32[K] in [0, 1] for each completion.

    It accepts those above the threshold, and all if that is 0: the score is the power of the
    probability that is one half there, so that scores order completions as probabilities do.
    """
    exponent = jnp.log(0.5) / jnp.log(jnp.minimum(threshold, 1 - 1e-6))
    return outcome_verdict(jnp.minimum(probability, 1.0) ** exponent, rollout)
