"""Samples of a policy: what is right, where the others go wrong, and how they are shown."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import solved

import avax
from avax import struct, tasks, vocab
from avax.models import transformer
from avax.models.transformer import TransformerConfig
from avax.policies import graded
from avax.policies.samples import MAX_TOKENS, Samples
from avax.types import MISTAKES, Policy, Problem

ROOT = pathlib.Path(__file__).parents[2]
MODEL = TransformerConfig(num_layers=1, num_heads=1, width=16)


@struct.dataclass
class Always:
    """A policy that gives the same text, whatever it is asked.

    Attributes:
      weights: f32[V, C], of each token at each place of a completion.
    """

    weights: jax.Array

    def init_cache(self, batch, max_len):
        return jnp.zeros(batch, jnp.int32)  # completion tokens given so far

    def __call__(self, tokens, cache=None, pos=0, start=0, sequence=None):
        shape = len(tokens), tokens.shape[1] - start, vocab.VOCAB_SIZE
        if shape[1] == 0:  # the prompt is read
            return jnp.zeros(shape), cache
        return self.weights.T[cache][:, None], cache + 1


def always(text: str) -> Always:
    return Always(jax.nn.one_hot(solved.tokens(text), vocab.VOCAB_SIZE).T)


@pytest.fixture(scope="module")
def policy():
    return transformer.init(jax.random.key(1), MODEL)


def test_rows_of_a_policy_that_always_gives_the_same():
    """Of one digit each, with two digits in the sum: the truth is 00 to 81, lowest digit first."""
    assert isinstance(always("01$"), Policy)
    found = avax.samples(always("01$__"), tasks.Addition(max_difficulty=3), 1, 200)
    answers = [solved.solve(tasks.Addition(), text)[1] for text in found.prompt]
    assert list(found.answer) == answers and set(found.completion) == {"01$"}
    assert found.correct.tolist() == [answer == "01$" for answer in answers]
    assert 0 < found.correct.sum() == round(200 * found.accuracy) < 100
    for answer, right, at, kinds in zip(
        found.answer, found.correct, found.first_wrong, found.mistakes, strict=True
    ):
        differs = [a != b for a, b in zip(answer, "01$", strict=True)]
        assert at == (differs.index(True) if any(differs) else -1)
        one_less = [(int(b) + 1 - int(a)) % 10 == 0 for a, b in zip(answer[:2], "01", strict=True)]
        carry = all(low for low, is_wrong in zip(one_less, differs, strict=False) if is_wrong)
        expected = {"near_miss": sum(differs) == 1, "dropped_carry": carry and not right}
        assert set(kinds) == {kind for kind, is_it in expected.items() if is_it}


@pytest.mark.parametrize(
    "text, at, kinds",
    [
        ("0$___", 1, ("short",)),
        ("$____", 0, ("short",)),
        ("0000$", 2, ("long",)),
        ("00000", 2, ("long",)),  # does not end
        ("00+$_", 2, ()),
        ("=+*<>", 0, ()),
        ("00$__", -1, ()),
    ],
)
def test_where_a_completion_goes_wrong(text, at, kinds):
    """Of the problem 0 + 0."""
    task = Zero(max_difficulty=3)
    found = avax.samples(always(text), task, 1, 2)
    assert found.prompt == ("0+0=",) * 2 and found.answer == ("00$",) * 2
    assert found.completion == (text.rstrip("_"),) * 2
    assert found.first_wrong.tolist() == [at] * 2 and found.mistakes == (kinds,) * 2
    assert found.correct.tolist() == [at < 0] * 2
    of_kind = {kind: float(kind in kinds) for kind in MISTAKES} | {"other": float(not kinds)}
    assert found.shares == of_kind or (at < 0 and np.isnan(list(found.shares.values())).all())


@struct.dataclass
class Zero(tasks.Addition):
    """Asks for 0 + 0 alone."""

    def sample(self, key, difficulty):
        zeros = jnp.zeros(self.max_difficulty + 1, jnp.int32)
        return self.pose(zeros, zeros, difficulty)


def test_errors_that_cancel_are_right_where_outcomes_are_asked_for():
    """Sums of 5 + 1 + 1: with 9 for the first of them the second is still 7."""
    chain = tasks.Chain(max_difficulty=2)
    ours = struct.dataclass(type("Ours", (tasks.Chain,), {"sample": _five_one_one}))
    for outcome_only, text, right, at in [
        (True, "97$", True, -1),
        (False, "97$", False, 0),
        (True, "67$", True, -1),
        (True, "98$", False, 0),
        (False, "68$", False, 1),
        (True, "6$_", False, 1),
    ]:
        task = ours(chain.max_difficulty, outcome_only=outcome_only)
        found = avax.samples(always(text), task, 2, 1)
        assert found.prompt == ("11=5",) and found.answer == ("67$",)
        assert found.correct.tolist() == [right] and found.first_wrong.tolist() == [at], text


def _five_one_one(self, key, difficulty) -> Problem:
    return self.pose(jnp.ones(2, jnp.int32), jnp.int32(5), difficulty)


def test_shares_are_those_of_all_wrong_completions(policy):
    """By brute force over grades; most completions of a policy that knows nothing are no number."""
    digits = jnp.where(vocab.is_digit(jnp.arange(vocab.VOCAB_SIZE)), 5.0, 0.0).at[vocab.EOS].set(5)
    guesses = Always(jnp.tile(digits[:, None], (1, 4)))
    task = tasks.Addition(max_difficulty=2)
    found = avax.samples(guesses, task, 1, 4000, temperature=1.0, seed=3)
    assert len(set(found.completion)) > 50
    wrong = [i for i in range(4000) if not found.correct[i]]
    padded = [
        [solved.tokens(text.ljust(4, "_")) for text in texts]
        for texts in (found.answer, found.completion)
    ]
    kinds = np.asarray(jax.vmap(tasks.addition.digits.mistakes)(*map(np.array, padded)))
    expected = {kind: kinds[wrong, i].mean() for i, kind in enumerate(MISTAKES)}
    expected["other"] = (~kinds[wrong].any(1)).mean()
    assert found.shares == pytest.approx(expected) and all(expected.values())
    assert found.accuracy == pytest.approx(1 - len(wrong) / 4000)


TABLE = """\
problem  completion  truth
   1+1=  20$         20$    right
 99+99=  9$          891$   wrong: short
         ^
 10+10=  01$         020$   wrong: other
          ^
right: 1 of 3, accuracy 0.333
of the wrong ones: near_miss 0, short 0.5, other 0.5"""


def test_the_table():
    found = Samples(
        prompt=("1+1=", "99+99=", "10+10="),
        completion=("20$", "9$", "01$"),
        answer=("20$", "891$", "020$"),
        correct=np.array([True, False, False]),
        first_wrong=np.array([-1, 0, 1]),
        mistakes=((), ("short",), ()),
        kinds=("near_miss", "short"),
    )
    assert str(found) == repr(found) == TABLE


def test_a_table_without_mistakes_has_no_shares():
    found = avax.samples(always("00$__"), Zero(max_difficulty=3), 1, 2)
    assert str(found).splitlines()[-1] == "right: 2 of 2, accuracy 1"


@pytest.mark.parametrize("name", tasks.TASKS)
def test_samples_of_every_task(policy, name):
    task = tasks.TASKS[name]
    if name == "shortcut":  # whose answers come in two ways
        task = task.replace(skip_rate=1.0)
    found = avax.samples(policy, task, task.max_difficulty, 6, seed=2)
    for prompt, answer in zip(found.prompt, found.answer, strict=True):
        assert solved.solve(task, prompt)[1] == answer
    assert (found.first_wrong[found.correct] == -1).all() and len(set(found.prompt)) > 3
    for row in np.flatnonzero(~found.correct):
        at = found.first_wrong[row]
        assert found.completion[row][:at] == found.answer[row][:at]
        assert found.completion[row][at] != found.answer[row][at : at + 1]
    assert str(found).count("^") == (~found.correct).sum() > 0


def test_a_seed_decides_problems_and_completions(policy):
    def draw(**how):
        return str(avax.samples(policy, tasks.Addition(), 3, 4, **how))

    assert draw() == draw(seed=0, temperature=0) != draw(seed=1)
    assert draw(temperature=1.0) == draw(temperature=1.0) != draw()
    first, second = (avax.samples(policy, tasks.Addition(), 3, 4, temperature=t) for t in (0, 1))
    assert first.prompt == second.prompt  # whatever the temperature


def test_it_is_compiled_once_for_a_task(policy):
    before = graded.graded._cache_size()
    for difficulty, modulus, seed in ((1, 10, 0), (4, 7, 1), (8, 2, 2)):
        avax.samples(policy, tasks.Chain(modulus=modulus), difficulty, 3, seed=seed)
    assert graded.graded._cache_size() == before + 1


@pytest.mark.parametrize(
    "changes, line",
    [
        ({"difficulty": 9}, r"difficulty: is 9, must lie in \[1, 8\] for Addition"),
        ({"difficulty": 0}, r"difficulty: is 0, must lie in \[1, 8\]"),
        ({"difficulty": [1, 2]}, r"difficulty: is \[1, 2\], must be a whole number"),
        ({"difficulty": 1.5}, r"difficulty: is 1.5, must be a whole number"),
        ({"number": 0}, r"number: is 0, must lie in \[1, "),
        ({"number": MAX_TOKENS}, r"number: is .*, must lie in \[1, \d+\] for Addition"),
        ({"seed": -1}, r"seed: is -1, must lie in \[0, 4294967295\]$"),
        ({"temperature": -1}, r"temperature: is -1, must be 0 or at least 0.001"),
        ({"temperature": 1e-4}, r"temperature: is 0.0001, must be 0 or at least"),
        ({"temperature": float("nan")}, r"temperature: is nan"),
        ({"temperature": "hot"}, r"temperature: is 'hot'"),
        ({"task": tasks.Addition}, r"task: is Addition, must be a task, such as Addition\(\)"),
        ({"task": 3}, r"task: is 3, must be a task"),
        ({"policy": tasks.Addition()}, r"policy: is of the class Addition, must be a policy"),
    ],
)
def test_what_can_not_be_sampled_is_one_line(policy, changes, line):
    asked = {"policy": policy, "task": tasks.Addition(), "difficulty": 2} | changes
    with pytest.raises(avax.ConfigError, match="^" + line) as caught:
        avax.samples(**asked)
    assert "\n" not in str(caught.value)


def test_of_stacked_policies_one_has_to_be_chosen(policy):
    several = jax.tree.map(lambda x: jnp.stack([x, x, x]), policy)
    with pytest.raises(avax.ConfigError, match=r"policy: is several, stacked as \(3,\)"):
        avax.samples(several, tasks.Addition(), 2)


def test_the_name_is_there_without_jax():
    code = "import sys, avax; avax.samples; import avax.policies.samples\n"
    code += "sys.exit('jax' in sys.modules or not callable(avax.samples))"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=300)
