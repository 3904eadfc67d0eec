"""Simplify, then guess: training on answers that were found by a detour through easier problems.

The label generator of SECToR (Zhang & Parkes 2023, arXiv 2309.08589).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from avax import struct, vocab
from avax.learners import replay
from avax.policies import generation, sampling, training
from avax.requirements import Context
from avax.types import Key, Policy, Problem, Rollout, Scalar, Source, StepInfo, Verdict, first

STEP_LEN = 3  # tokens of a step: a digit, an operator, EOS


class SimplifyThenGuessState(NamedTuple):
    """The policy, its optimizer and the kept rounds of answers and of first steps."""

    policy: Policy
    optimizer: Any
    answers: replay.Memory  # B K rows
    steps: replay.Memory  # B rows


@struct.dataclass
class SimplifyThenGuess:
    """Fine-tunes on direct answers to problems that the policy first made easier for itself.

    It simplifies each problem K times, one step after the other, and guesses after each step what
    the sum of the rest is: K candidates for the whole answer, which the verifier judges. It trains
    on the accepted ones as direct answers to the problem as it was posed, all alike, and on the
    first step of each problem that has an accepted one. All decoding is greedy.

    A step that can't be read leaves its candidate and those after it empty: wrong, and rejected
    whatever the verifier says. A problem of one digit has no step: further guesses repeat the last.
    A round in which nothing is accepted does nothing: neither the policy nor the optimizer moves.

    Attributes:
      num_problems: problems of a round (B).
      num_samples: guesses of each problem, each one step further on (K).
      num_updates: gradient updates of a round.
      batch_size: completions of an update.
      num_kept: rounds whose data are kept (W): 1 replaces, as many as there are rounds accumulates.
      learning_rate: of Adam.
      max_grad_norm: gradients are scaled down to this global norm.
      base_rate: share of true base data in a batch.
      newest_rate: share of this round's data in what is not base data, if earlier data are kept.
      step_rate: share of simplifications in what is not base data.
    """

    num_problems: int = struct.static(128, low=1)
    num_samples: int = struct.static(5, low=1)
    num_updates: int = struct.static(16, low=1)
    batch_size: int = struct.static(64, low=1)
    num_kept: int = struct.static(10, low=1)
    learning_rate: Scalar = struct.leaf(1e-3, low=0)
    max_grad_norm: Scalar = struct.leaf(1.0, low=1e-6)
    base_rate: Scalar = struct.leaf(0.25, low=0, high=1)
    newest_rate: Scalar = struct.leaf(0.67, low=0, high=1)
    step_rate: Scalar = struct.leaf(0.5, low=0, high=1)

    def requires(self, context: Context) -> str | None:
        return context.base_has("steps")

    def init(self, key: Key, bases: Policy, example: Problem) -> SimplifyThenGuessState:
        policy = first(bases)
        transform = training.optimizer(self.learning_rate, self.max_grad_norm)
        num_rows = self.num_problems * self.num_samples, self.num_problems
        answers, steps = (replay.empty(self.num_kept, n, example) for n in num_rows)
        return SimplifyThenGuessState(policy, transform.init(policy), answers, steps)

    def step(
        self, key: Key, state: SimplifyThenGuessState, source: Source
    ) -> tuple[SimplifyThenGuessState, StepInfo]:
        key_problems, key_judge, key_batches = jax.random.split(key, 3)
        problems = jax.vmap(source.draw)(jax.random.split(key_problems, self.num_problems))
        generator = source.generator(state.policy)
        rollouts, steps = simplify_then_guess(
            generator, problems.prompt, problems.answer.shape[-1], self.num_samples
        )
        rollouts, verdicts = source.judge(key_judge, generator, problems, rollouts)
        verdicts = without_empty(verdicts, rollouts)
        state = self._keep(state, rollouts, steps, verdicts.accept)
        policy, optimizer, loss, grad_norm = training.update_if(
            verdicts.accept.any(),
            training.cross_entropy,
            training.optimizer(self.learning_rate, self.max_grad_norm),
            state.policy,
            state.optimizer,
            self._batches(key_batches, state, source),
        )
        info = StepInfo(problems, rollouts, verdicts, loss, grad_norm)
        return state._replace(policy=policy, optimizer=optimizer), info

    def _keep(self, state, rollouts, steps, accept):
        prompts = jnp.repeat(rollouts.prompt, self.num_samples, axis=0)
        completions = rollouts.completion.reshape(prompts.shape[0], -1)
        has_step = accept.any(-1) & ~is_shortest(rollouts.prompt)
        return state._replace(
            answers=replay.keep(state.answers, prompts, completions, accept.reshape(-1)),
            steps=replay.keep(state.steps, ask_step(rollouts.prompt), steps, has_step),
        )

    def _batches(self, key, state, source):
        """Batches of answers, steps and base data, as `replay.draw_batches` gives them."""
        key_kind, *keys = jax.random.split(key, 3)
        shape = (self.num_updates, self.batch_size)
        answers, steps = (
            replay.draw_batches(
                k,
                memory,
                source.draw_base,
                shape,
                self.base_rate,
                self.newest_rate,
                source.loss_masks,
            )
            for k, memory in zip(keys, (state.answers, state.steps), strict=True)
        )
        use_step = jax.random.uniform(key_kind, shape) < self.step_rate
        use_step = use_step & state.steps.accepted.any()
        return training.where_tree(use_step[..., None], steps, answers)


def simplify_then_guess(
    policy: Policy, prompts: Array, completion_len: int, num_guesses: int
) -> tuple[Rollout, Array]:
    """K candidates for each problem i32[B, P], and the first steps i32[B, C] as they were written.

    Candidate k is made of the digits that k steps split off and the guess of what was left then.
    Its logprob is the policy's own, for the candidate as a direct answer: it sampled no such thing.
    """
    num_problems = prompts.shape[0]

    def greedy(prompts, length):
        key = jax.random.key(0)  # decides nothing
        return generation.generate(key, policy, prompts, length, 1, 0.0).completion[:, 0]

    def simplify(reached, _):
        written = greedy(ask_step(reached.prompt), STEP_LEN)
        return (reached := jax.vmap(advance)(reached, written)), (reached, written)

    start = Reached(
        prompts,
        jnp.full((num_problems, completion_len), vocab.PAD),
        jnp.zeros((num_problems,), jnp.int32),
        jnp.ones((num_problems,), bool),
    )
    reached, written = jax.lax.scan(simplify, start, length=num_guesses)[1]
    left = reached.prompt.reshape(num_guesses * num_problems, -1)
    guesses = greedy(left, completion_len)
    guesses = guesses.reshape(num_guesses, num_problems, completion_len)
    candidates = jnp.swapaxes(jax.vmap(jax.vmap(join))(reached, guesses), 0, 1)
    flat = candidates.reshape(-1, completion_len)
    logprob = sampling.completion_logprob(policy, jnp.repeat(prompts, num_guesses, axis=0), flat)
    mask = sampling.completion_mask(candidates)
    logprob = jnp.where(mask, logprob.reshape(mask.shape), 0.0)
    steps = start.lowest.at[:, :STEP_LEN].set(written[0])
    return Rollout(prompts, candidates, mask, logprob), steps


class Reached(NamedTuple):
    """How far a problem was simplified."""

    prompt: Array  # i32[P], asks for the sum of what is left
    lowest: Array  # i32[C], digits of the sum that were split off, PAD after them
    count: Array  # i32[], how many
    is_readable: Array  # bool[], whether every step could be read


def advance(reached: Reached, step: Array) -> Reached:
    """One step i32[STEP_LEN] further. Nothing moves at one digit, or from an unreadable step on."""
    ends = is_shortest(reached.prompt)
    is_readable = reached.is_readable & (can_read(step) | ends)
    here = jnp.arange(reached.lowest.shape[0]) == reached.count
    further = Reached(
        shortened(reached.prompt, step[1]),
        jnp.where(here, step[0], reached.lowest),
        reached.count + 1,
        is_readable,
    )
    stay = reached._replace(is_readable=is_readable)
    return training.where_tree(is_readable & ~ends, further, stay)


def can_read(step: Array) -> Array:
    """bool[]: whether a step i32[STEP_LEN] is a digit, `+` or `&`, and EOS, right or wrong."""
    is_plus = (step[1] == vocab.PLUS) | (step[1] == vocab.PLUS_ONE)
    return vocab.is_digit(step[0]) & is_plus & (step[2] == vocab.EOS)


def shortened(prompt: Array, operator: Array) -> Array:
    """i32[P]: `x+y=` of `a+b=`, x and y without the first digits of a and b, another operator."""
    index = jnp.arange(prompt.shape[0])
    start, middle = (prompt == vocab.PAD).sum(), vocab.is_operator(prompt).argmax()
    # y keeps its place, right behind the digit that goes; x moves up by one.
    moved = jnp.where(index > start + 1, prompt[jnp.maximum(index - 1, 0)], vocab.PAD)
    moved = jnp.where(index == middle + 1, operator, moved)
    return jnp.where(index > middle + 1, prompt, moved)


def join(reached: Reached, guess: Array) -> Array:
    """i32[C]: the digits split off, then the guess of the rest; empty behind an unreadable step."""
    index = jnp.arange(guess.shape[0])
    rest = guess[jnp.maximum(index - reached.count, 0)]
    joined = jnp.where(index < reached.count, reached.lowest, rest)
    return jnp.where(reached.is_readable, joined, vocab.PAD)


def without_empty(verdicts: Verdict, rollouts: Rollout) -> Verdict:
    """The verdicts with a score of 0 for completions that hold no token."""
    score = jnp.where(rollouts.mask.any(-1), verdicts.score, 0.0)
    return verdicts._replace(score=score)


def ask_step(prompts: Array) -> Array:
    """i32[..., P]: the prompts that ask for a simplification."""
    return prompts.at[..., -1].set(vocab.STEP)


def is_shortest(prompts: Array) -> Array:
    """bool[...]: whether the operands have one digit each."""
    return vocab.is_digit(prompts).sum(-1) <= 2
