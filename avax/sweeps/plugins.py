"""Plug-ins by name: where an experiment holds one, and what can stand there."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from avax import struct, types
from avax.curricula import CURRICULA
from avax.fields import ConfigError, check_value
from avax.learners import LEARNERS
from avax.probes import PROBES
from avax.tasks import TASKS
from avax.verifiers import VERIFIERS


class Kind(NamedTuple):
    """What a field for plug-ins may hold: whatever follows the protocol; some have a name."""

    protocol: type
    registry: Mapping[str, Any]

    def taken(self, path: str, value: Any, names: bool = True) -> Any:
        """A plug-in, or the one of that name if names will do.

        Raises:
          ConfigError: in one line, if it is none.
        """
        if names and isinstance(value, str) and value in self.registry:
            return self.registry[value]
        if isinstance(value, type) or not isinstance(value, self.protocol):
            what = value.__name__ if isinstance(value, type) else repr(value)
            first = next(iter(self.registry.values()))
            also = f" or one of {', '.join(self.registry)}" if names else ""
            raise ConfigError(
                f"{path}: is {what}, must be a {self.protocol.__name__.lower()}, such as "
                f"{type(first).__name__}(){also}"
            )
        return value


KINDS = {
    "Task": Kind(types.Task, TASKS),
    "Curriculum": Kind(types.Curriculum, CURRICULA),
    "Verifier": Kind(types.Verifier, VERIFIERS),
    "Learner": Kind(types.Learner, LEARNERS),
    "Probe": Kind(types.Probe, PROBES),
}


def kind_of(field: dataclasses.Field) -> Kind | None:
    """The kind of plug-in that a field holds, by its annotation; None if it holds none."""
    name = getattr(field.type, "__name__", str(field.type))
    return KINDS.get(name.removesuffix(" | None").rpartition(".")[2])


def label(plugin: Any) -> str:
    """A name for a figure: the registered one, or the class and the fields that make the
    difference.
    """
    for kind in KINDS.values():
        for name, known in kind.registry.items():
            if type(known) is type(plugin) and known == plugin:
                return name
    changed = [
        f"{f.name}={_shown(value)}"
        for f in dataclasses.fields(plugin)
        if (value := getattr(plugin, f.name)) != f.default
    ]
    return f"{type(plugin).__name__}({', '.join(changed)})"


def labels(path: str, values: Iterable[Any]) -> list[Any]:
    """The values of an axis as they stand in results: numbers, or names of plug-ins.

    Raises:
      ConfigError: if two plug-ins have one name.
    """
    found = [label(x) if dataclasses.is_dataclass(x) else x for x in values]
    if len(set(found)) < len(found):
        raise ConfigError(f"axes.{path}: has a value twice: {', '.join(map(str, found))}")
    return found


def _shown(value: Any) -> str:
    if dataclasses.is_dataclass(value):
        return label(value)
    if isinstance(value, tuple):
        return "+".join(map(_shown, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def fields(base: Any, axes: Mapping[str, Iterable]) -> dict[str, tuple[dataclasses.Field, Any]]:
    """Every field of an experiment and of the plug-ins that are values of its axes, with its value
    (in the first that has it), by dotted path.
    """
    found = {path: (field, value) for path, field, value in struct.walk(base)}
    for path, values in axes.items():
        for plugin in filter(dataclasses.is_dataclass, values):
            for inner, field, value in struct.walk(plugin, path):
                found.setdefault(inner, (field, value))
    return found


def with_field(base: Any, axes: Mapping[str, tuple], path: str, value: Any) -> tuple[Any, dict]:
    """An experiment and its axes with one field replaced, wherever it is: in the experiment, and in
    plug-ins that are values of an axis.

    Raises:
      AttributeError: if it is nowhere.
      ConfigError: if it can't have this value.
    """
    known = fields(base, axes)
    if path not in known:
        raise AttributeError(f"there is no {path}")
    check_value(f"base.{path}", known[path][0], value)
    changed = {
        axis: tuple(_replaced(x, axis, path, value) for x in values)
        for axis, values in axes.items()
    }
    return struct.replace(base, path, value) if has(base, path) else base, changed


def with_first(base: Any, axes: Mapping[str, tuple]) -> Any:
    """An experiment with the first plug-in of each axis in its field, if it has that field: it
    stands for what has no effect.
    """
    for path in sorted(axes, key=lambda path: path.count(".")):  # a plug-in before its own
        first = axes[path][0]
        if dataclasses.is_dataclass(first) and has(base, path):
            base = struct.replace(base, path, first)
    return base


def has(node: Any, path: str) -> bool:
    """Whether there is a field at a dotted path."""
    try:
        struct.get(node, path)
    except AttributeError:
        return False
    return True


def _replaced(plugin: Any, axis: str, path: str, value: Any) -> Any:
    inner = path.removeprefix(f"{axis}.")
    if inner == path or not dataclasses.is_dataclass(plugin) or not has(plugin, inner):
        return plugin
    return struct.replace(plugin, inner, value)
