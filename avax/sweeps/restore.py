"""Experiments and sweeps from the plain dicts that are kept of them: `struct.to_dict` undone.

A dict may come from anybody: nothing but the dataclasses of avax, those of the registered plug-ins
among them, is made of it, and their fields have to be of the kind and in the range that they say.
"""

from __future__ import annotations

import contextlib
import dataclasses
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from avax import struct
from avax.faults.label_noise import LabelNoise
from avax.faults.lapse import Lapse
from avax.fields import ConfigError
from avax.loop import Experiment
from avax.models.transformer import TransformerConfig
from avax.policies.pretrain import Pretraining
from avax.results import one_line
from avax.sweeps import plugins
from avax.sweeps.sweep import Sweep
from avax.sweeps.validate import check_size, check_value

OWN = (Sweep, Experiment, Pretraining, TransformerConfig, LabelNoise, Lapse)
IGNORED = ("digest",)  # stands beside a sweep's fields in `config.json`
MAX_SHOWN = 60  # characters of a value in an error's line


def sweep_of(config: Mapping[str, Any]) -> Sweep:
    """The sweep that `struct.to_dict` made a dict of, also after a way through JSON.

    Its fields are checked one by one; whether they fit together `validate` says.

    Raises:
      ConfigError: in one line that names the field, for anything else than such a dict.
    """
    with _in_one_line():
        content = {name: x for name, x in _as_dict(config, Sweep).items() if name not in IGNORED}
        axes = content.pop("axes", {})
        if not isinstance(axes, Mapping) or not all(isinstance(path, str) for path in axes):
            raise ConfigError(f"axes: is {_shown(axes)}, must be lists by name")
        sweep = _checked(_object("", content))
        found: dict[str, tuple] = {}
        for path in sorted(axes, key=lambda path: path.count(".")):  # plug-ins before their numbers
            found[path] = _axis(sweep.base, found, path, axes[path])
        sweep = dataclasses.replace(sweep, axes={path: found[path] for path in axes})
        check_size(sweep)
    return sweep


def experiment_of(config: Mapping[str, Any]) -> Experiment:
    """The same for an experiment alone, such as a sweep's `base`."""
    with _in_one_line():
        return _checked(_object("", _as_dict(config, Experiment)))


@contextlib.contextmanager
def _in_one_line() -> Iterator[None]:
    """What a plug-in makes of strange values, a property of it included, becomes a ConfigError."""
    try:
        yield
    except ConfigError:
        raise
    except Exception as error:
        line = f"{type(error).__name__}: {one_line(error)}"
        raise ConfigError(f"config: can't be restored: {line}") from error


def _as_dict(config: Any, kind: type) -> dict[str, Any]:
    if not isinstance(config, Mapping):
        raise ConfigError(f"config: is {_shown(config)}, must be a dict")
    if config.get("type") != kind.__name__:
        found = _shown(config.get("type"))
        raise ConfigError(f"config: its type is {found}, must be {kind.__name__}")
    return dict(config)


def known_classes() -> Iterator[type]:
    """The classes that a dict may name: avax's own, and those of all registered plug-ins."""
    yield from OWN
    for kind in plugins.KINDS.values():
        for plugin in kind.registry.values():
            yield type(plugin)
            for _, _, value in struct.walk(plugin):
                if dataclasses.is_dataclass(value):
                    yield type(value)


def _object(path: str, content: Mapping[str, Any]) -> Any:
    """The dataclass that a dict tells the fields of; a field that is not told has its default."""
    cls = _class(path, content.get("type"))
    fields = {field.name: field for field in dataclasses.fields(cls)}
    for name in content:
        if name not in fields and name != "type":
            raise ConfigError(f"{_below(path, name)}: {cls.__name__} has no such field")
    hints, values = _hints(cls), {}
    for name, field in fields.items():
        if name in content:
            values[name] = _value(_below(path, name), content[name], hints[name], field.default)
            check_value(_below(path, name), field, values[name])
        elif field.default is field.default_factory is dataclasses.MISSING:
            raise ConfigError(f"{_below(path, name)}: is missing")
    return cls(**values)


def _hints(cls: type) -> dict[str, Any]:
    """The annotation of each field; of none, where one names what is there for a checker alone."""
    try:
        return typing.get_type_hints(cls)
    except NameError:
        return {field.name: Any for field in dataclasses.fields(cls)}


def _class(path: str, name: Any) -> type:
    found = {cls for cls in known_classes() if cls.__name__ == name}
    if len(found) == 1:
        return found.pop()
    shown = f"{path or 'config'}: is of the class {_shown(name)}"
    if found:
        raise ConfigError(f"{shown}, which is the name of several registered plug-ins")
    raise ConfigError(
        f"{shown}, which is not registered: "
        "register it as a plug-in, or use it from Python, by avax.samples"
    )


def _value(path: str, value: Any, hint: Any, default: Any = None) -> Any:
    """A value as a field of this annotation, and of this default, holds it."""
    kinds = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if isinstance(value, Mapping):
        value = _object(path, value)
    elif isinstance(value, (list, tuple)) and any(_is_a((), kind) for kind in kinds):
        usual = {type(x) for x in default} if isinstance(default, tuple) else set()
        kind = usual.pop() if usual in ({int}, {float}, {str}) else Any
        return tuple(_value(f"{path}.{i}", x, kind) for i, x in enumerate(value))
    elif isinstance(value, int) and abs(value) >= 2**63:
        raise ConfigError(f"{path}: is too large")
    elif isinstance(value, int) and not isinstance(value, bool) and float in kinds:
        return float(value)
    if not any(_is_a(value, kind) for kind in kinds):
        is_plugin = dataclasses.is_dataclass(value)
        found = type(value).__name__ if is_plugin else _shown(value)
        wanted = " or ".join(getattr(kind, "__name__", str(kind)) for kind in kinds)
        raise ConfigError(f"{path}: is {found}, must be {wanted}")
    return value


def _is_a(value: Any, kind: Any) -> bool:
    """Whether a value is what an annotation says, as far as that can be told."""
    kind = typing.get_origin(kind) or kind
    if kind is Any:
        return True
    if isinstance(value, bool) and kind in (int, float):
        return False
    return not isinstance(kind, type) or isinstance(value, kind)


def _axis(base: Experiment, axes: Mapping[str, tuple], path: str, values: Any) -> tuple:
    """The values of an axis, as the field that they are of holds them.

    Args:
      axes: of plug-ins, whose numbers it may be of.
    """
    shown = f"axes.{path}"
    known = plugins.fields(base, axes)
    if path not in known:
        raise ConfigError(f"{shown}: there is no such field")
    field = known[path][0]
    if not isinstance(values, (list, tuple)):
        raise ConfigError(f"{shown}: is {_shown(values)}, must be a list")
    above, _, name = path.rpartition(".")
    owner = (struct.get(base, above) if above else base) if plugins.has(base, path) else None
    # An entry of a tuple has no annotation of its own.
    hint = _hints(type(owner))[name] if dataclasses.is_dataclass(owner) else Any
    found = tuple(_value(shown, value, hint) for value in values)
    for value in found:
        check_value(shown, field, value)
        if dataclasses.is_dataclass(value):
            _checked(value, shown)
    return found


def _checked(node: Any, path: str = "") -> Any:
    """The same node; ConfigError if a field of it is out of its range."""
    for name, field, value in struct.walk(node, path):
        check_value(name, field, value)
    return node


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."
