"""What a plug-in may have beside its protocol: a small one uses each, and wrong ones are named."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from avax import loop, metrics, optional, requirements, source, struct, vocab
from avax.curricula import Fixed
from avax.fields import ConfigError
from avax.learners import FilteredSFT, SimplifyThenGuess
from avax.loop import Experiment
from avax.models import transformer
from avax.policies import pretrain, sampling, training
from avax.tasks import Addition, Copy, Scratchpad
from avax.types import Rollout, StepInfo, Task, first
from avax.verifiers import AcceptAll, AllOf, Noisy, Oracle

MODEL = transformer.TransformerConfig(num_layers=1, num_heads=1, width=8)
TASK = Copy(max_difficulty=2)


@functools.cache
def bases():
    """One policy that knows nothing."""
    policy = jax.jit(transformer.init, static_argnums=1)(jax.random.key(0), MODEL)
    return jax.tree.map(lambda x: x[None], policy)


def zeros(*shape):
    return jax.ShapeDtypeStruct(shape, jnp.int32)


# Several right completions


@struct.dataclass
class Either(Copy):
    """Copying one digit; the digit above it is right as well."""

    has_unique_answer = False

    def grade(self, problem, completion):
        def with_digit(shift):
            answer = problem.answer
            moved = (answer + shift) % 10
            return problem._replace(answer=jnp.where(vocab.is_digit(answer), moved, answer))

        one, other = (Copy.grade(self, with_digit(shift), completion) for shift in (0, 1))
        return jax.tree.map(lambda x, y: jnp.where(one.correct, x, y), one, other)


@struct.dataclass
class Shifter:
    """A policy that answers `x>` with one digit: x + shift."""

    shift: int = struct.leaf(0)

    def init_cache(self, batch, max_len):
        return jnp.full((batch, max_len), vocab.PAD)

    def __call__(self, tokens, cache=None, pos=0, start=0, sequence=None):
        read = tokens
        if cache is not None:
            read = cache = jax.lax.dynamic_update_slice_in_dim(cache, tokens, pos, axis=1)
        digit = (jnp.roll(read, 1, axis=1) + self.shift) % 10
        after = jnp.where(read == vocab.COPY, digit, vocab.EOS)
        here = jax.lax.dynamic_slice_in_dim(after, pos, tokens.shape[1], axis=1)
        return jax.nn.one_hot(here[:, start:], vocab.VOCAB_SIZE), cache


@pytest.mark.parametrize("task, right", [(Copy(1), [1, 0, 0]), (Either(1), [1, 1, 0])])
def test_accuracy_is_by_the_tasks_own_grading(task, right):
    problems = metrics.eval_problems(task, 8, jax.random.key(0))
    accuracy = jax.jit(lambda p: metrics.of_policy(p, task, problems)["accuracy"])
    assert [float(accuracy(Shifter(jnp.int32(shift)))) for shift in range(3)] == right


# A loss mask


@struct.dataclass
class Unspoken(Copy):
    """No token but the first `num_counted` of a completion has a loss."""

    num_counted: int = struct.leaf(0, low=0)

    def loss_mask(self, prompt, completion):
        assert prompt.shape == (self.prompt_len,)
        return jnp.arange(self.completion_len) < self.num_counted


def test_what_is_masked_is_not_learned():
    """By hand."""
    policy = first(bases())
    prompts = jnp.array([[1, 2, vocab.COPY], [vocab.PAD, 3, vocab.COPY]])
    answers = jnp.array([[1, 2, vocab.EOS], [3, vocab.EOS, vocab.PAD]])
    counted = optional.loss_mask(Unspoken(2, num_counted=2), prompts, answers)
    assert counted.tolist() == [[True, True, False], [True, True, False]]
    assert optional.loss_mask(Copy(2), prompts, answers)[:, 2].tolist() == [True, False]
    logprob = jax.jit(sampling.completion_logprob)(policy, prompts, answers)
    found = jax.jit(training.cross_entropy)(policy, (prompts, answers, counted))
    np.testing.assert_allclose(found, -logprob[:, :2].mean(), rtol=1e-5)


@pytest.mark.slow
def test_base_policies_do_not_learn_what_is_masked():
    """Masked as a whole, they stay what they were."""
    few = pretrain.Pretraining(MODEL, num_updates=4, batch_size=4, learning_rate=0.01)
    start = jax.jit(pretrain.begin, static_argnums=0)(few, jax.random.key(1))
    train = jax.jit(lambda task: pretrain.advance(few, task, 2, start, 0, 4))
    for num_counted, is_still in ((0, True), (2, False)):
        after = train(Unspoken(2, num_counted=jnp.int32(num_counted)))
        same = (
            np.array_equal(*x)
            for x in zip(*map(jax.tree.leaves, (after.policy, start.policy)), strict=True)
        )
        assert (after.loss == 0) == all(same) == is_still


def test_a_loop_asks_for_masks_only_if_there_are_some():
    experiment = Experiment(TASK, Fixed(1, 2), AcceptAll(), FilteredSFT(), base_difficulty=1)
    assert source.loss_masks(experiment) is None
    masked = experiment.replace(task=Unspoken(2, num_counted=1), base_task=TASK)
    rows = jnp.array([[1, 2, vocab.COPY]]), jnp.array([[1, 2, vocab.EOS]])
    found = [mask(*rows).tolist() for mask in source.loss_masks(masked)]
    assert found == [[[True, False, False]], [[True, True, True]]]


@struct.dataclass
class UnspokenSteps(Scratchpad):
    def loss_mask(self, prompt, completion):
        return prompt[-1] != completion


@pytest.mark.parametrize(
    "task, learner",
    [
        (Unspoken(2, num_counted=1), FilteredSFT(4, 1, 1, 4)),
        (UnspokenSteps(2), SimplifyThenGuess(4, 1, 1, 4)),
    ],
)
def test_supervised_learners_leave_out_what_is_masked(task, learner, monkeypatch):
    """Their batches have masks as well."""
    batches = []

    def loss(policy, batch):
        batches.append([x.shape for x in batch])
        return cross_entropy(policy, batch)

    cross_entropy = training.cross_entropy
    monkeypatch.setattr(training, "cross_entropy", loss)
    experiment = small(task=task, learner=learner, verifier=AcceptAll())
    jax.eval_shape(loop.run, experiment, bases(), jax.random.key(0))
    P, C = task.prompt_len, task.completion_len
    assert batches and all(shapes == [(4, P), (4, C), (4, C)] for shapes in batches)


# A policy's own problems


@struct.dataclass
class Posing:
    """Fine-tunes on problems that are read from completions, and counts those that can't be."""

    learner: FilteredSFT = FilteredSFT(num_problems=4, num_updates=1, batch_size=4, num_kept=1)

    def requires(self, context):
        return context.task_can("read")

    def init(self, key, bases, example):
        return self.learner.init(key, bases, example)

    def step(self, key, state, source):
        state, info = self.learner.step(key, state, source)
        _, is_problem = jax.vmap(source.read)(info.rollouts.completion[:, 0])
        return state, info._replace(loss=is_problem.mean())


def small(**fields) -> Experiment:
    learner = FilteredSFT(num_problems=4, num_updates=1, batch_size=4, num_kept=1)
    fields = {"task": TASK, "verifier": Oracle(), "learner": learner} | fields
    return Experiment(curriculum=Fixed(1, 1), base_difficulty=2, num_rounds=1, num_eval=2, **fields)


def test_a_learner_reads_problems_or_says_that_it_can_not():
    def rounds(experiment):
        return loop.run(experiment, bases(), jax.random.key(0))[1]["loss"]

    found = jax.eval_shape(rounds, small(task=Addition(2), learner=Posing()))
    assert found.shape == (2,)
    ((path, _, line),) = requirements.unmet(small(learner=Posing()))
    assert path == "learner" and line == "task: is Copy, must have a method read"
    with pytest.raises(ConfigError, match="^task: is Copy, must have a method read"):
        jax.eval_shape(rounds, small(learner=Posing()))


# A verifier that is trained before round 1, and sees the policy


@struct.dataclass
class Recorder(AcceptAll):
    """Accepts everything, and writes down what it sees."""

    uses_ground_truth: bool = struct.static(False)

    def init(self, key, bases):
        return {"lengths": jnp.zeros(2), "truth": jnp.zeros(3), "policies": jnp.zeros(2)}

    def prepare(self, key, state, policy, practice):
        keys = jax.random.split(key, (2, 6))
        now, base = jax.vmap(practice.draw)(keys[0]), jax.vmap(practice.draw_base)(keys[1])
        lengths = jnp.stack([now.difficulty.mean(), base.difficulty.max().astype(jnp.float32)])
        truth = [jnp.mean(vocab.is_digit(x.answer).any(-1)) for x in (now, base)]
        graded = -1.0
        if practice.grade is not None:
            rollouts = self._right(base)
            graded = practice.grade_base(base, rollouts).correct.mean()
        truth = jnp.stack([*truth, jnp.float32(graded)])
        seen = state["policies"].at[0].set(policy.embed.sum())
        return {"lengths": lengths, "truth": truth, "policies": seen}

    def _right(self, problems):
        completion = problems.answer[:, None]
        mask = completion != vocab.PAD
        return Rollout(problems.prompt, completion, mask, jnp.zeros(mask.shape))

    def update(self, key, state, policy, info, grades):
        assert isinstance(info, StepInfo) and (grades is None) != self.uses_ground_truth
        return state | {"policies": state["policies"].at[1].set(policy.embed.sum())}


def watched() -> Experiment:
    """One that may not see the truth and one that may, inside of others."""
    return small(verifier=AllOf(Noisy(Recorder()), Recorder(uses_ground_truth=True)))


def start(experiment):
    return jax.jit(loop.init)(experiment, bases(), jax.random.key(1))


def test_a_verifier_is_prepared():
    """Each with its own right to see the truth; nothing else changes."""
    begun, plain = start(watched()), start(small(verifier=AllOf(Noisy(AcceptAll()), AcceptAll())))
    for state, truth in zip(begun.verifier, ([0, 1, -1], [1, 1, 1]), strict=True):
        assert state["truth"].tolist() == truth
        assert state["lengths"].tolist() == [1, 2]  # round 1 poses 1 digit, the base knows 2
        np.testing.assert_allclose(state["policies"][0], first(bases()).embed.sum(), rtol=1e-6)
    for one, other in ((begun.learner, plain.learner), (begun.curriculum, plain.curriculum)):
        jax.tree.map(np.testing.assert_array_equal, one, other)
    np.testing.assert_array_equal(*map(jax.random.key_data, (begun.key, plain.key)))


@pytest.mark.slow
def test_a_verifier_is_updated_with_the_policy_of_the_round():
    begun = start(watched())
    after, _ = jax.jit(loop.round_)(watched(), begun)
    before, trained = (float(x.learner.policy.embed.sum()) for x in (begun, after))
    assert before != trained
    for state in after.verifier:
        np.testing.assert_allclose(state["policies"], [before, before], rtol=1e-6)


# What the base must know


@struct.dataclass
class LongFormat(Copy):
    """Base policies see the long format, too."""

    room: int = struct.static(3, low=0)

    def for_base(self, base_difficulty):
        return self.replace(max_difficulty=base_difficulty + self.room)


def test_a_task_says_what_its_base_is_trained_on():
    assert optional.for_base(Copy(8), 3) == Copy(3)
    assert optional.for_base(LongFormat(8), 3) == LongFormat(6)


# Wrong ones


@struct.dataclass
class Wrong(Copy):
    has_unique_answer = "yes"
    exact = "yes"

    def loss_mask(self, prompt, completion):
        return completion

    def read(self, tokens):
        return Copy.sample(self, jax.random.key(0), 1)

    def for_base(self, base_difficulty):
        return self.replace(max_difficulty=1) if base_difficulty == 2 else None


@struct.dataclass
class Forgetful(AcceptAll):
    def prepare(self, key, state, policy, practice):
        return jnp.zeros(3)


@struct.dataclass
class Lost(Fixed):
    def recurring(self, key, state):
        return 0.5

    def prepare(self, key, state, policy, pool):
        return jnp.zeros(3)


def prepare(verifier):
    practice = optional.Practice(None, None, None, None)
    return optional.prepared(verifier, None, (), None, practice)


@pytest.mark.parametrize(
    "function, arguments, line",
    [
        (
            optional.has_unique_answer,
            (),
            "Wrong.has_unique_answer: is 'yes', must be True or False",
        ),
        (optional.exact, (), "Wrong.exact: is str, must be a task"),
        (optional.loss_mask, (zeros(1, 3), zeros(1, 3)), r"Wrong.loss_mask: .* must be bool\[3\]"),
        (optional.read, (zeros(4),), "Wrong.read: returns Problem of 3 arrays, must return tuple"),
        (optional.for_base, (2,), "Wrong.for_base: max_difficulty is 1, must be at least .* = 2"),
        (optional.for_base, (3,), "Wrong.for_base: returns NoneType, must return a task"),
    ],
)
def test_the_line_names_the_task_and_its_method(function, arguments, line):
    task = Wrong(2)
    assert isinstance(task, Task)
    with pytest.raises(ConfigError, match=line) as caught:
        is_array = any(hasattr(x, "shape") for x in arguments)
        partly = [x if is_array else None for x in arguments]
        if is_array:
            jax.eval_shape(lambda *x: function(task, *x), *partly)
        else:
            function(task, *arguments)
    assert "\n" not in str(caught.value)


def test_the_line_names_a_verifier_that_is_prepared_wrongly():
    for verifier in (Forgetful(), Noisy(Forgetful())):
        with pytest.raises(ConfigError, match=r"^Forgetful.prepare: returns .* must return"):
            prepare(verifier)


def test_the_line_names_a_curriculum_that_chooses_wrongly():
    line = r"^Lost.recurring: what it returns is float32\[\], must be int32\[\]"
    with pytest.raises(ConfigError, match=line):
        optional.chosen(Lost(), None, ())
    with pytest.raises(ConfigError, match=r"^Lost.prepare: returns .* must return tuple"):
        optional.measured(Lost(), None, (), None, optional.Pool(None, None))
    assert optional.chosen(Fixed(), None, ()) is None
    assert optional.measured(Fixed(), None, (), None, optional.Pool(None, None)) == ()
