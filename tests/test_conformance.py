"""What every registered plug-in promises: protocol, fields, shapes."""

from __future__ import annotations

import dataclasses
import functools
import re

import jax
import jax.numpy as jnp
import pytest

from avax import optional, source, struct, types
from avax.curricula import CURRICULA
from avax.learners import LEARNERS
from avax.models import transformer
from avax.sweeps import stacking
from avax.tasks import TASKS
from avax.tasks.copy import Copy
from avax.verifiers import VERIFIERS

PLUGINS = {"task": TASKS, "curriculum": CURRICULA, "verifier": VERIFIERS, "learner": LEARNERS}
NUM_PROBLEMS, NUM_SAMPLES, NUM_ROUNDS = 3, 4, 5
TASK = Copy(max_difficulty=2)
MODEL = transformer.TransformerConfig(num_layers=1, num_heads=2, width=16)


def each(registry):
    return pytest.mark.parametrize("plugin", registry.values(), ids=registry.keys())


def dtype_struct(dtype):
    return lambda *shape: jax.ShapeDtypeStruct(shape, dtype)


f32, i32, boolean = (dtype_struct(d) for d in (jnp.float32, jnp.int32, jnp.bool_))
KEY = jax.eval_shape(lambda: jax.random.key(0))
POLICY = jax.eval_shape(functools.partial(transformer.init, config=MODEL), KEY)
BASES = jax.tree.map(lambda x: f32(2, *x.shape), POLICY)
P, C = TASK.prompt_len, TASK.completion_len
ROLLOUT = types.Rollout(i32(P), i32(NUM_SAMPLES, C), boolean(NUM_SAMPLES, C), f32(NUM_SAMPLES, C))
NUM_KINDS = len(types.MISTAKES)
GRADE = types.Grade(
    boolean(NUM_SAMPLES), boolean(NUM_SAMPLES, C), boolean(NUM_SAMPLES, NUM_KINDS),
    boolean(NUM_SAMPLES),
)  # fmt: skip
VERDICT = types.Verdict(f32(NUM_SAMPLES), f32(NUM_SAMPLES, C))


def batched(tree, *axes):
    """The shapes of `tree` behind leading axes."""
    return jax.tree.map(lambda x: jax.ShapeDtypeStruct((*axes, *x.shape), x.dtype), tree)


INFO = types.StepInfo(
    batched(types.Problem(i32(P), i32(C), i32()), NUM_PROBLEMS),
    batched(ROLLOUT, NUM_PROBLEMS),
    batched(VERDICT, NUM_PROBLEMS),
    f32(),
    f32(),
)


def shapes(tree):
    """Shapes and dtypes alone: a Python number counts as the array that a program makes of it."""
    return jax.tree.map(lambda x: jax.ShapeDtypeStruct(jnp.shape(x), jnp.result_type(x)), tree)


def under_vmap(function, plugin):
    """Shapes of function(plugin) for two stacked plug-ins, without the leading axis."""
    out = jax.eval_shape(jax.vmap(function), stacking.stack([plugin, plugin]))
    assert all(x.shape[0] == 2 for x in jax.tree.leaves(out))
    return jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape[1:], x.dtype), out)


def zeros(tree):
    """Arrays of the given shapes."""
    return jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), tree)


def info_with_score(score):
    """A round whose completions all have one score."""
    info = zeros(INFO)
    return info._replace(verdicts=jax.tree.map(lambda x: x + score, info.verdicts))


@pytest.mark.parametrize("registry, protocol", [
    (CURRICULA, types.Curriculum), (VERIFIERS, types.Verifier), (LEARNERS, types.Learner),
])  # fmt: skip
def test_follows_the_protocol(registry, protocol):
    for name, plugin in registry.items():
        assert isinstance(plugin, protocol), name
    assert not isinstance(object(), protocol)


@pytest.mark.parametrize("kind, name", [(k, n) for k, r in PLUGINS.items() for n in r])
def test_fields(kind, name):
    """A field is static, a number that can be swept, or another plug-in; numbers are explained."""
    plugin = PLUGINS[kind][name]
    attributes = type(plugin).__doc__.partition("Attributes:")[2]
    num_numbers = 0
    for field in dataclasses.fields(plugin):
        value = getattr(plugin, field.name)
        explained = re.search(rf"^\s+{field.name}: \S", attributes, re.MULTILINE)
        assert explained, f"{type(plugin).__name__}.{field.name} is not among its Attributes"
        if dataclasses.is_dataclass(value):
            assert not struct.is_static(field)
            num_numbers += len(jax.tree.leaves(value))
        elif struct.is_static(field):
            hash(value)
        else:
            assert isinstance(value, (int, float)) and not isinstance(value, bool)
            assert {"low", "high"} <= set(field.metadata), f"{field.name} has no range"
            num_numbers += 1
    assert len(jax.tree.leaves(plugin)) == num_numbers


@each(CURRICULA)
def test_curriculum_shapes(plugin):
    def difficulty(curriculum):
        state = curriculum.init()
        updated = curriculum.update(state, zeros(INFO))
        return curriculum.difficulty(jax.random.key(0), state, jnp.int32(1)), state, updated

    number, state, updated = jax.eval_shape(difficulty, plugin)
    assert shapes(number) == i32()
    assert shapes(updated) == shapes(state)
    assert shapes(under_vmap(difficulty, plugin)) == shapes((number, state, updated))


@each(CURRICULA)
@pytest.mark.parametrize("score", [0.0, 1.0])
def test_difficulty_stays_within_bounds(plugin, score):
    difficulty = jax.jit(jax.vmap(plugin.difficulty, (0, None, None)))
    update = jax.jit(plugin.update)
    state, seen = plugin.init(), set()
    for r in range(1, NUM_ROUNDS + 1):
        keys = jax.random.split(jax.random.key(r), 100)
        seen |= set(difficulty(keys, state, jnp.int32(r)).tolist())
        state = update(state, info_with_score(score))
    assert plugin.bounds(NUM_ROUNDS)[0] <= min(seen) <= max(seen) <= plugin.bounds(NUM_ROUNDS)[1]


def verify(verifier, key, state, policy, rollout, grade):
    """The verdict on one problem, as the loop asks for it: in a round, here of one problem."""
    one = jax.tree.map(lambda x: x[None], (key, rollout, grade))
    in_a_round = jax.vmap(
        lambda k, r, g: verifier.verify(k, state, policy, r, g), axis_name=types.PROBLEMS
    )
    return jax.tree.map(lambda x: x[0], in_a_round(*one))


def draw(key):
    return TASK.sample(key, 1)


PRACTICE = optional.Practice(
    draw, draw, functools.partial(source.grade, TASK), functools.partial(source.grade, TASK)
)


def judge(verifier):
    """What a verifier returns in a round; it gets grades only if it declares their use."""

    def in_a_round(key, bases, policy, rollout, grade, info, grades):
        key_init, key_prepare, key_verify, key_update = jax.random.split(key, 4)
        # In a run it is prepared before round 1, if it has that method.
        state = verifier.init(key_init, bases)
        state = optional.prepared(verifier, key_prepare, state, policy, PRACTICE)
        verdict = verify(verifier, key_verify, state, policy, rollout, grade)
        return verdict, state, verifier.update(key_update, state, policy, info, grades)

    grade = GRADE if verifier.uses_ground_truth else None
    grades = batched(GRADE, NUM_PROBLEMS) if verifier.uses_ground_truth else None
    return jax.eval_shape(in_a_round, KEY, BASES, POLICY, ROLLOUT, grade, INFO, grades)


@each(VERIFIERS)
def test_verifier_shapes(plugin):
    verdict, state, updated = judge(plugin)
    assert isinstance(plugin.uses_ground_truth, bool)
    assert shapes(verdict) == VERDICT
    assert shapes(updated) == shapes(state)


def random_inputs():
    key_completion, key_grade, key_kind, key_carry = jax.random.split(jax.random.key(1), 4)
    completion = jax.random.randint(key_completion, (NUM_SAMPLES, C), 0, 2)
    mask = jnp.ones((NUM_SAMPLES, C), bool)
    rollout = types.Rollout(jnp.zeros(P, jnp.int32), completion, mask, jnp.zeros(mask.shape))
    step_correct = jax.random.bernoulli(key_grade, 0.5, mask.shape)
    correct = step_correct.all(-1)
    mistake = jax.random.bernoulli(key_kind, 0.5, (NUM_SAMPLES, NUM_KINDS)) & ~correct[:, None]
    long_carry = jax.random.bernoulli(key_carry, 0.5, (NUM_SAMPLES,))
    return rollout, types.Grade(correct, step_correct, mistake, long_carry)


@each(VERIFIERS)
def test_scores_lie_between_0_and_1(plugin):
    """For every number of the verifier at both ends of its range, as one batch of verifiers."""
    numbers = [
        (path, field.metadata["low"], field.metadata["high"])
        for path, field, value in struct.walk(plugin)
        if not struct.is_static(field) and not dataclasses.is_dataclass(value)
    ]
    variants = [plugin, plugin]
    variants += [
        struct.replace(plugin, path, float(v))
        for path, *ends in numbers
        for v in ends
        if v is not None
    ]
    rollout, grade = random_inputs()

    def verdict(bases, policy, verifier, key):
        key_init, key_verify = jax.random.split(key)
        state = verifier.init(key_init, bases)
        seen = grade if verifier.uses_ground_truth else None
        return verify(verifier, key_verify, state, policy, rollout, seen)

    stacked = stacking.stack(variants)
    keys = jax.random.split(jax.random.key(2), (len(variants), 50))
    # Policies are arguments, as in a run: of zeros that it knows as constants, the XLA of jax 0.12
    # makes NaN in about one compilation of eight.
    each = jax.vmap(jax.vmap(verdict, (None, None, None, 0)), (None, None, 0, 0))
    verdicts = jax.jit(each)(zeros(BASES), zeros(POLICY), stacked, keys)
    assert shapes(verdicts) == batched(VERDICT, len(variants), 50)
    for score in verdicts:
        assert ((score >= 0) & (score <= 1)).all()


def resized(learner):
    """The learner, or the one that it holds, with the sizes of these tests."""
    if isinstance(inner := getattr(learner, "learner", None), types.Learner):
        return learner.replace(learner=resized(inner))
    return learner.replace(num_problems=NUM_PROBLEMS, num_samples=NUM_SAMPLES, num_updates=2)


@each(LEARNERS)
def test_learner_shapes(plugin):
    """The state keeps its structure over a round, so that rounds can be scanned."""
    small = resized(plugin)
    source = types.Source(
        draw=lambda key: TASK.sample(key, 1),
        draw_base=lambda key: TASK.sample(key, 1),
        judge=lambda key, policy, problems, rollouts: (
            rollouts,
            types.Verdict(
                jax.random.uniform(key, rollouts.mask.shape[:-1]), jnp.zeros(rollouts.mask.shape)
            ),
        ),
    )

    def step(learner):
        example = TASK.sample(jax.random.key(0), 1)
        state = learner.init(jax.random.key(1), zeros(BASES), example)
        return state.policy, state, *learner.step(jax.random.key(2), state, source)

    policy, before, after, info = jax.eval_shape(step, small)
    assert shapes(policy) == shapes(POLICY)
    assert shapes(after) == shapes(before)
    assert shapes(info._replace(judged=None, own={})) == INFO
    known = plugin.metrics(TASK) if hasattr(plugin, "metrics") else {}
    own = {name: x.shape for name, x in info.own.items()}
    assert own == {name: tuple(map(len, x.dims.values())) for name, x in known.items()}
    assert shapes(under_vmap(step, small)) == shapes((policy, before, after, info))


def test_what_was_traced_for_one_class_is_not_taken_for_another():
    """As many fields, the same static ones: where structures are equal whatever the class, one of
    these is mistaken for another nearly always.
    """
    alike = [
        struct.dataclass(type(f"Alike{i}", (), {"__annotations__": {"x": "float"}, "number": i}))
        for i in range(40)
    ]
    number = jax.jit(lambda node: node.x * 0 + node.number)
    assert [int(number(cls(jnp.float32(1)))) for cls in alike] == list(range(40))
    assert len({jax.tree.structure(cls(1.0)) for cls in alike}) == 40


def test_structures_of_plugins_differ():
    structures = [jax.tree.structure(x) for plugins in PLUGINS.values() for x in plugins.values()]
    others = [x for x in structures if x.num_leaves]
    assert all(a != b for i, a in enumerate(others) for b in others[:i])
