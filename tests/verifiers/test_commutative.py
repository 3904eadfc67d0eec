"""The commutativity check, with policies whose answers are known, and pairs of verifiers."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import pytest

from avax import vocab
from avax.tasks import Addition
from avax.types import Rollout
from avax.verifiers.accept_all import AcceptAll
from avax.verifiers.commutative import Commutative, exchanged
from avax.verifiers.majority import MajorityVote
from avax.verifiers.pair import AllOf, AnyOf

SYMBOLS = vocab.to_text(range(vocab.VOCAB_SIZE))
TASK = Addition(max_difficulty=3)


def tokens(text: str):
    return jnp.array([SYMBOLS.index(c) for c in text])


@pytest.mark.parametrize(
    "prompt, expected",
    [
        ("_12+34=", "_34+12="),
        ("12+345=", "345+12="),
        ("123*4=", "4*123="),
        ("___7+8=", "___8+7="),
        ("_12&34=", "_34&12="),
        ("__123>", "__123>"),
        ("7+=", "+7="),
    ],
)
def test_operands_change_places(prompt, expected):
    assert vocab.to_text(exchanged(tokens(prompt))) == expected
    assert vocab.to_text(exchanged(exchanged(tokens(prompt)))) == prompt


def test_exchanged_problems_have_the_same_answer():
    """On the task's own problems: b + a is posed exactly as the task would pose it."""
    difficulty = jnp.arange(50) % 3 + 1
    digits = jax.random.randint(jax.random.key(1), (2, 50, 4), 0, 10)
    digits = digits * (jnp.arange(4)[None] < difficulty[:, None])[None]
    pose = jax.vmap(TASK.pose)
    there, back = pose(digits[0], digits[1], difficulty), pose(digits[1], digits[0], difficulty)
    assert (jax.vmap(exchanged)(there.prompt) == back.prompt).all()
    assert (there.answer == back.answer).all()


def echo(operand: int):
    """A policy that answers with the first digit of one of the operands, and ends."""

    def policy(tokens, cache=None, pos=0, start=0):
        is_plus = tokens == vocab.PLUS
        first = (tokens != vocab.PAD).argmax(-1)
        place = first if operand == 0 else is_plus.argmax(-1) + 1
        digit = jnp.take_along_axis(tokens, place[:, None], axis=1)
        ended = (tokens == vocab.EQUALS).argmax(-1)[:, None]
        index = jnp.arange(tokens.shape[1])[None]
        answer = jnp.where(index == ended, digit, jnp.where(index == ended + 1, vocab.EOS, 0))
        return jax.nn.one_hot(answer, vocab.VOCAB_SIZE)[:, start:], None

    return policy


def accepted(verifier, policy, prompt: str, *texts: str) -> list[bool]:
    completion = jnp.stack([tokens(text) for text in texts])
    mask = completion != vocab.PAD
    rollout = Rollout(tokens(prompt), completion, mask, jnp.zeros(mask.shape))
    state = verifier.init(jax.random.key(0), None)
    return verifier.verify(jax.random.key(1), state, policy, rollout, None).accept.tolist()


def test_accepts_the_greedy_answer_to_the_exchanged_prompt():
    completions = "4$__", "7$__", "4444", "47$_"
    by_operand = {0: [False, True, False, False], 1: [True, False, False, False]}
    for operand, expected in by_operand.items():
        assert accepted(Commutative(), echo(operand), "_45+71=", *completions) == expected


@pytest.mark.parametrize(
    "operand, both, either", [(0, [False] * 3, [True] * 3), (1, [True, True, False], None)]
)
def test_pairs_by_hand(operand, both, either):
    """The vote accepts 4, the check accepts 7 or, if the second operand is echoed, 4."""
    completions = "4$__", "4$__", "7$__"
    parts = MajorityVote(), Commutative()
    for pair, expected in ((AllOf(*parts), both), (AnyOf(*parts), either or both)):
        assert accepted(pair, echo(operand), "_45+71=", *completions) == expected
        swapped = type(pair)(pair.second, pair.first)
        assert accepted(swapped, echo(operand), "_45+71=", *completions) == expected


class Spy:
    """Accepts everything, counts rounds, and writes down which truth it was shown."""

    def __init__(self, uses_ground_truth: bool):
        self.uses_ground_truth, self.seen = uses_ground_truth, []

    def init(self, key, bases):
        return 0

    def verify(self, key, state, policy, rollout, grade):
        self.seen.append(grade)
        return AcceptAll().verify(key, (), policy, rollout, None)

    def update(self, key, state, policy, info, grades):
        self.seen.append(grades)
        return state + 1


@pytest.mark.parametrize("kind", [AllOf, AnyOf])
def test_only_the_part_that_declares_it_sees_the_truth(kind):
    first, second = Spy(True), Spy(False)
    pair = kind(first, kind(second, second))
    assert pair.uses_ground_truth and not pair.second.uses_ground_truth
    completion = tokens("4$__")[None]
    rollout = Rollout(tokens("_45+71="), completion, completion != vocab.PAD, jnp.zeros((1, 4)))
    state = pair.init(jax.random.key(0), None)
    pair.verify(jax.random.key(1), state, None, rollout, "truth")
    assert pair.update(jax.random.key(2), state, None, None, "truth") == (1, (1, 1))
    assert first.seen == ["truth"] * 2 and second.seen == [None] * 4
