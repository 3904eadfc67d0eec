"""Frozen dataclasses that are pytrees: leaves are swept, static fields are compiled."""

from __future__ import annotations

import dataclasses
import functools
import operator
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jax
import numpy as np
from flax import struct

from avax.fields import check_value, is_checked

_REPLACED: dict[type, Callable] = {}  # by class: as `dataclasses.replace`, but without checks


def leaf(
    default: Any = dataclasses.MISSING,
    *,
    low: float | None = None,
    high: float | None = None,
    nonzero_low: float | None = None,
) -> Any:
    """A traced field: a number that a sweep may vary, with the closed range it is allowed.

    Args:
      nonzero_low: smallest value but 0, for a number whose 0 means something else.
    """
    metadata = {"low": low, "high": high, "nonzero_low": nonzero_low}
    return struct.field(pytree_node=True, default=default, metadata=metadata)


def static(
    default: Any = dataclasses.MISSING,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple | None = None,
) -> Any:
    """A field that decides shapes or code: part of the structure, one compilation a value."""
    metadata = {"low": low, "high": high, "choices": choices}
    return struct.field(pytree_node=False, default=default, metadata=metadata)


@typing.dataclass_transform(frozen_default=True, field_specifiers=(leaf, static))
def dataclass(cls: type) -> type:
    """A frozen dataclass that is a pytree, with a method `replace`.

    Whoever builds one gets a ConfigError, in one line, for a value out of its field's range. What
    JAX builds is not looked at: its fields hold arrays, tracers and placeholders.

    Registered as a node of its own: flax and `jax.tree_util.register_dataclass` would make nodes
    whose structures are equal whatever their classes, if their fields are as many (jaxlib 0.10 to
    0.12). Then `jax.jit` takes, once in a hundred times, what it traced for another class: it would
    run the wrong verifier.
    """
    cls = dataclasses.dataclass(frozen=True)(cls)
    fields = dataclasses.fields(cls)
    leaves = tuple(f.name for f in fields if not is_static(f))
    statics = tuple(f.name for f in fields if is_static(f))
    keys = tuple(map(jax.tree_util.GetAttrKey, leaves))
    leaves_of, statics_of = _getter(leaves), _getter(statics)
    names, values_of, init = leaves + statics, _getter(leaves + statics), cls.__init__

    def unchecked(values):
        node = object.__new__(cls)
        init(node, **values)
        return node

    def flatten(node):
        return leaves_of(node), statics_of(node)

    def flatten_with_keys(node):
        return tuple(zip(keys, leaves_of(node), strict=True)), statics_of(node)

    def unflatten(structure, values):
        return unchecked(dict(zip(names, (*values, *structure), strict=True)))

    def replaced(node, **changes):
        return unchecked(dict(zip(names, values_of(node), strict=True)) | changes)

    cls.replace = dataclasses.replace
    cls.__init__ = _checked(init, fields)
    _REPLACED[cls] = replaced
    jax.tree_util.register_pytree_with_keys(cls, flatten_with_keys, unflatten, flatten)
    return cls


def _checked(init: Callable, fields: tuple[dataclasses.Field, ...]) -> Callable:
    """`init`, which then looks at the fields: what a `__post_init__` has made of them counts."""
    checked = tuple(field for field in fields if is_checked(field))

    @functools.wraps(init)
    def checked_init(self, *args, **kwargs):
        init(self, *args, **kwargs)
        for field in checked:
            check_value(f"{type(self).__name__}.{field.name}", field, getattr(self, field.name))

    return checked_init


def _getter(names: tuple[str, ...]) -> Callable[[Any], tuple]:
    """What takes these attributes of an object; quick, for sweeps have thousands of settings."""
    if len(names) > 1:
        return operator.attrgetter(*names)
    return (lambda node: (getattr(node, names[0]),)) if names else (lambda node: ())


def is_static(field: dataclasses.Field) -> bool:
    """Whether a field belongs to the structure (compiled) rather than to the leaves (swept)."""
    return not field.metadata.get("pytree_node", True)


def walk(node: Any, path: str = "") -> Iterator[tuple[str, dataclasses.Field, Any]]:
    """Yields (dotted path, field, value) of every field below `node`, parents before children.

    Dataclasses in a tuple go by their number: `verifiers.0.threshold`.
    """
    for field in dataclasses.fields(node):
        name = f"{path}.{field.name}" if path else field.name
        yield from _walk_value(name, field, getattr(node, field.name))


def _walk_value(path, field, value):
    yield path, field, value
    if dataclasses.is_dataclass(value):
        yield from walk(value, path)
    for i, child in enumerate(value if _is_tuple(value) else ()):
        if dataclasses.is_dataclass(child):
            yield from _walk_value(f"{path}.{i}", field, child)


def replace(node: Any, path: str, value: Any) -> Any:
    """A copy of `node` with one field, at a dotted path, replaced.

    Raises:
      AttributeError: if there is no such field.
      ConfigError: names the path, for a value out of the field's range.
    """
    return _replaced(node, path, value, path)


def _replaced(node, path, value, whole):
    name, _, rest = path.partition(".")
    old = _child(node, name)
    new = _replaced(old, rest, value, whole) if rest else value
    if _is_tuple(node):
        return tuple(new if i == int(name) else x for i, x in enumerate(node))
    if not rest and name in node.__dataclass_fields__:
        check_value(whole, node.__dataclass_fields__[name], value)
    return _changed(node, {name: new})


def _changed(node, changes):
    """`node` with some fields changed; nothing is checked again, for sweeps have thousands."""
    return _REPLACED.get(type(node), dataclasses.replace)(node, **changes)


def get(node: Any, path: str) -> Any:
    """The value at a dotted path. AttributeError if there is none."""
    for name in path.split("."):
        node = _child(node, name)
    return node


def _is_tuple(node: Any) -> bool:
    return isinstance(node, tuple) and not hasattr(node, "_fields")


def _child(node: Any, name: str) -> Any:
    if not _is_tuple(node):
        return getattr(node, name)
    if not (name.isdigit() and int(name) < len(node)):
        raise AttributeError(f"a tuple of {len(node)} has no {name}")
    return node[int(name)]


def typed(node: Any) -> Any:
    """`node` with whole numbers in its float fields as floats, and without a zero that has a sign:
    0, 0.0 and -0.0 are one setting.
    """
    changes = {f.name: as_type(f, getattr(node, f.name)) for f in dataclasses.fields(node)}
    return _changed(node, changes)


def as_type(field: dataclasses.Field, value: Any) -> Any:
    """A value as its field's annotation has it: a float where it says so, 0 or 1 for a truth value
    in a field of whole numbers, and below alike; of NumPy's numbers, Python's.
    """
    value = value.item() if isinstance(value, np.generic) else value
    if dataclasses.is_dataclass(value):
        return typed(value)
    if _is_tuple(value):
        return tuple(as_type(field, x) for x in value)
    if isinstance(value, bool) and field.type in ("Integer",):
        return int(value)
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if is_whole and field.type in ("Scalar", "float", float):
        return float(value)
    return value + 0.0 if isinstance(value, float) else value


def to_dict(node: Any, defaults: bool = True) -> Any:
    """Plain dicts, lists and numbers, the class of each dataclass under "type": ready for JSON.

    A field that is None is left out; without `defaults`, one that has its class's default, too:
    such a dict stays the same when a class gets another field.
    """
    if dataclasses.is_dataclass(node):
        values = {f.name: (getattr(node, f.name), f.default) for f in dataclasses.fields(node)}
        fields = {
            name: to_dict(value, defaults)
            for name, (value, default) in values.items()
            if value is not None and (defaults or value != default)
        }
        return {"type": type(node).__name__, **fields}
    if isinstance(node, Mapping):
        return {name: to_dict(value, defaults) for name, value in node.items()}
    if isinstance(node, (tuple, list)):
        return [to_dict(value, defaults) for value in node]
    return node
