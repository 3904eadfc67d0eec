"""Dataclasses that are pytrees: what they refuse when a person builds one, and let JAX build."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import math
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_sweeps import BASE, PRETRAINING, SMALL

from avax import struct
from avax.curricula import CURRICULA
from avax.fields import ConfigError
from avax.learners import LEARNERS, FilteredSFT, Population
from avax.loop import Experiment
from avax.models.transformer import TransformerConfig
from avax.policies.pretrain import Pretraining
from avax.probes import PROBES
from avax.sweeps import stacking
from avax.sweeps.sweep import Sweep
from avax.sweeps.validate import validate
from avax.tasks import TASKS, Addition
from avax.verifiers import VERIFIERS, AcceptAll, AllOf, Learned, Noisy, Oracle

REGISTRIES = {"task": TASKS, "curriculum": CURRICULA, "verifier": VERIFIERS, "learner": LEARNERS}
REGISTRIES |= {"probe": PROBES}


def built() -> dict[type, object]:
    """One of each class that is registered, or part of an experiment or of what is registered."""
    nodes = [x for plugins in REGISTRIES.values() for x in plugins.values() if x is not None]
    nodes += [BASE, PRETRAINING]
    inner = [v for node in nodes for _, _, v in struct.walk(node) if dataclasses.is_dataclass(v)]
    return {type(node): node for node in nodes + inner}


def outside(field: dataclasses.Field) -> list:
    """Values just out of a field's range, or of another kind."""
    about = {name: x for name, x in field.metadata.items() if x is not None}
    if "choices" in about:
        return ["x", 3]
    if not {"low", "high", "nonzero_low"} & set(field.metadata):
        return []
    if "int" in (field.type, getattr(field.type, "__name__", "")) or field.type == "Integer":
        ends = [about[end] + by for end, by in (("low", -1), ("high", 1)) if end in about]
        return [*ends, 2**31, "a", int]
    if field.type not in ("Scalar", "float"):
        return []
    ends = [math.nextafter(about[end], to) for end, to in ENDS.items() if end in about]
    ends += [about["nonzero_low"] * 0.999] if "nonzero_low" in about else []
    return [*ends, 1e-40, math.nan, math.inf, 1e39, np.float32(math.nan), "a", float]


ENDS = {"low": -math.inf, "high": math.inf}
CASES = [(node, f) for node in built().values() for f in dataclasses.fields(node) if outside(f)]


@pytest.mark.parametrize(
    "node, field", CASES, ids=[f"{type(node).__name__}.{f.name}" for node, f in CASES]
)
def test_a_value_out_of_range_is_refused_when_it_is_built(node, field):
    for value in outside(field):
        with pytest.raises(ConfigError, match="must ") as caught:
            node.replace(**{field.name: value})
        line = str(caught.value)
        assert line.startswith(f"{type(node).__name__}.{field.name}: is ") and "\n" not in line
    for end in ("low", "high", "nonzero_low"):
        if (value := field.metadata.get(end)) is not None:
            assert getattr(node.replace(**{field.name: value}), field.name) == value


def test_every_number_of_every_plugin_is_among_them():
    """Else a field's range could go unread."""
    numbers = {
        (type(node), f.name)
        for node in built().values()
        for f in dataclasses.fields(node)
        if type(getattr(node, f.name)) in (int, float)
    }
    assert len(numbers) > 60 and numbers <= {(type(node), f.name) for node, f in CASES}


@pytest.mark.parametrize(
    "build, line",
    [
        (lambda: Oracle(fpr=2), r"Oracle.fpr: is 2, must lie in [0, 1]"),
        (lambda: Oracle(0.5, -0.1), r"Oracle.fnr: is -0.1, must lie in [0, 1]"),
        (lambda: Oracle(fpr="a"), r"Oracle.fpr: is 'a', must be a number"),
        (lambda: Oracle(fpr=math.nan), r"Oracle.fpr: is nan, must lie in [0, 1]"),
        (lambda: Oracle().replace(fpr=2), r"Oracle.fpr: is 2, must lie in [0, 1]"),
        (lambda: dataclasses.replace(Oracle(), fpr=2), r"Oracle.fpr: is 2, must lie in [0, 1]"),
        (lambda: Addition(max_difficulty=0), "Addition.max_difficulty: is 0, must be at least 1"),
        (lambda: Addition(max_difficulty=2.0),
         "Addition.max_difficulty: is 2.0, must be a whole number"),
        (lambda: Addition(reversed_digits="no"),
         "Addition.reversed_digits: is 'no', must be True or False"),
        (lambda: Pretraining(num_updates=-1), "Pretraining.num_updates: is -1, must be at least 1"),
        (lambda: Pretraining(model="big"),
         "Pretraining.model: is 'big', must be a TransformerConfig"),
        (lambda: TransformerConfig(position="x"),
         "TransformerConfig.position: is 'x', must be one of none, learned, rotary, digit"),
        (lambda: FilteredSFT(temperature=1e-10),
         "FilteredSFT.temperature: is 1e-10, must be 0 or at least 0.001"),
        (lambda: FilteredSFT(learning_rate=10**400),
         "FilteredSFT.learning_rate: is too large, must be at least 0"),
        (lambda: Noisy("majority"), "Noisy.inner: is 'majority', must be a verifier"),
        (lambda: Noisy(Oracle), "Noisy.inner: is Oracle, must be a verifier"),
        (lambda: AllOf(Oracle(), 0.5), "AllOf.second: is 0.5, must be a verifier"),
        (lambda: Population(0.5), "Population.learner: is 0.5, must be a learner"),
        (lambda: BASE.replace(base_task="copy"), "Experiment.base_task: is 'copy', must be a task"),
        (lambda: BASE.replace(num_rounds=0), "Experiment.num_rounds: is 0, must be at least 1"),
        (lambda: Sweep(BASE, num_seeds=0), "num_seeds: is 0, must be at least 1"),
        (lambda: Sweep(BASE, placement="here"), "placement: is 'here', must be one of tiles, spmd"),
        (lambda: Sweep("noise"), "base: is 'noise', must be an experiment"),
        (lambda: Sweep(BASE, seed=-1), "seed: is -1, must be at least 0"),
    ],
)  # fmt: skip
def test_the_line_names_class_field_and_range(build, line):
    with pytest.raises(ConfigError) as caught:
        build()
    assert str(caught.value) == line


@pytest.mark.parametrize(
    "path, value, line",
    [
        ("base.verifier.inner.fpr", 2, "base.verifier.inner.fpr: is 2, must lie in [0, 1]"),
        ("base.verifier.inner", "oracle", "base.verifier.inner: is 'oracle', must be a verifier"),
        ("pretraining.model.width", 1, "pretraining.model.width: is 1, must be at least 2"),
        ("num_seeds", 0, "num_seeds: is 0, must be at least 1"),
    ],
)
def test_a_path_that_is_replaced_is_named_as_a_whole(path, value, line):
    sweep = dataclasses.replace(SMALL, base=BASE.replace(verifier=Noisy(Oracle())))
    with pytest.raises(ConfigError) as caught:
        struct.replace(sweep, path, value)
    assert str(caught.value) == line
    with pytest.raises(ConfigError, match=r"^1.fpr: is 2, must lie in"):
        struct.replace((Oracle(), Oracle()), "1.fpr", 2)


def test_what_is_no_plain_number_or_text_passes_unseen():
    for value in (jnp.float32(2), np.ones(3), None, True, jax.ShapeDtypeStruct((), jnp.float32)):
        assert Oracle(fpr=value).fpr is value
    assert Sweep(BASE, seed=2**32 - 1).seed == 2**32 - 1  # no number of 32 bits with a sign
    assert Oracle(fpr=np.float32(0.5)).fpr == 0.5 and FilteredSFT(learning_rate=10**12)


@pytest.mark.parametrize("value", [object(), 7.0, -1, "x", None, False, math.nan, Oracle])
def test_a_tree_may_hold_anything(value):
    leaves, structure = jax.tree.flatten(BASE)
    other = jax.tree.unflatten(structure, [value] * len(leaves))
    assert type(other) is Experiment and other.verifier.fpr is value
    assert jax.tree.map(lambda _: 0.25, BASE).learner.learning_rate == 0.25
    if value is not None:  # of which a tree makes no leaf
        assert jax.tree.structure(jax.tree.map(lambda _: value, BASE)) == structure


def test_transformations_build_what_they_like():
    """Among others in_axes: a 0 in each field, whatever its range."""

    def total(experiment):
        return sum(jnp.asarray(x, jnp.float32) for x in jax.tree.leaves(experiment))

    expected = sum(map(float, jax.tree.leaves(BASE)))
    stacked, axes = stacking.stack([BASE, BASE]), jax.tree.map(lambda _: 0, BASE)
    np.testing.assert_allclose(jax.jit(total)(BASE), expected, rtol=1e-6)
    np.testing.assert_allclose(jax.vmap(total, (axes,))(stacked), [expected] * 2, rtol=1e-6)
    assert jax.eval_shape(lambda e: e, BASE).verifier.fpr.dtype == np.float32
    halved = jax.jit(lambda e: e.replace(verifier=e.verifier.replace(fpr=e.verifier.fpr / 2)))
    assert halved(struct.replace(BASE, "verifier.fpr", 0.5)).verifier.fpr == 0.25
    gradient = jax.grad(lambda v: -4 * v.fpr)(Oracle(fpr=1.0))  # is no rate
    assert gradient.fpr == -4


@pytest.mark.parametrize("node", built().values(), ids=lambda node: type(node).__name__)
def test_copies_are_equal(node):
    values = {f.name: getattr(node, f.name) for f in dataclasses.fields(node)}
    for other in (
        pickle.loads(pickle.dumps(node)),
        copy.copy(node),
        copy.deepcopy(node),
        node.replace(),
        type(node)(**values),
        type(node)(*values.values()),
        jax.tree.map(lambda x: x, node),
    ):
        assert other == node and hash(other) == hash(node) and type(other) is type(node)
        assert vars(other) == vars(node)
    assert list(inspect.signature(type(node)).parameters) == list(values)
    with pytest.raises(dataclasses.FrozenInstanceError):
        node.x = 1


@struct.dataclass
class Halving:
    """A plug-in of somebody else's, which makes something of its fields."""

    rate: float = struct.leaf(1.0, low=0, high=0.5)
    sizes: tuple = struct.static((1, 2))

    def __post_init__(self):
        object.__setattr__(self, "rate", self.rate / 2)
        object.__setattr__(self, "total", sum(self.sizes))


class Lenient(Oracle):
    """Not decorated again, and no pytree."""


@struct.dataclass
class Narrow(Oracle):
    fpr: float = struct.leaf(0.0, low=0, high=0.1)
    more: Count = struct.static(1, low=1)  # noqa: F821 - a name of its own for a number


def test_a_plugin_may_be_derived_or_have_a_post_init_of_its_own():
    assert Halving(rate=1.0).rate == 0.5 and Halving().total == 3  # what it made of it is checked
    with pytest.raises(ConfigError, match=r"^Halving.rate: is 1.0, must lie in \[0, 0.5\]$"):
        Halving(rate=2.0)
    assert jax.tree.map(lambda x: x, Halving()).total == 3
    with pytest.raises(ConfigError, match=r"^Lenient.fnr: is 2, "):
        Lenient(fnr=2)
    for fields, line in (({"fpr": 0.2}, "fpr: is 0.2"), ({"more": 0}, "more"), ({"fnr": 2}, "fnr")):
        with pytest.raises(ConfigError, match=f"^Narrow.{line}"):
            Narrow(**fields)
    assert struct.replace(Narrow(), "fpr", 0.05) == Narrow(fpr=0.05)
    with pytest.raises(AttributeError):
        struct.replace(AcceptAll(), "fpr", 0.05)


def test_what_was_built_without_a_check_is_refused_before_it_runs():
    wrong = jax.tree.map(lambda _: 2.0, Oracle())
    for verifier, path in ((wrong, "verifier"), (Noisy(wrong), "verifier.inner")):
        with pytest.raises(ConfigError, match=rf"^base.{path}.fpr: is 2.0, must lie in \[0, 1\]$"):
            validate(Sweep(BASE.replace(verifier=verifier), PRETRAINING))
    model = jax.tree.unflatten(jax.tree.structure(Learned()), [0.5, 0.5, -1.0, 1.0])
    with pytest.raises(ConfigError, match=r"^base.verifier.learning_rate: is -1.0"):
        validate(Sweep(BASE.replace(verifier=model), PRETRAINING))
