"""Plug-ins on the command line: by name, at any depth, or several of them as an axis."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from avax.cli.flags import flag_name
from avax.cli.terminal import Parser
from avax.fields import ConfigError
from avax.sweeps import plugins
from avax.sweeps.axes import parse_names
from avax.sweeps.sweep import Sweep


def seams(sweep: Sweep) -> dict[str, plugins.Kind]:
    """Where an experiment, or a plug-in that is a value of an axis, holds a plug-in, by path."""
    fields = plugins.fields(sweep.base, sweep.axes)
    found = {path: plugins.kind_of(field) for path, (field, _) in fields.items()}
    return {path: kind for path, kind in found.items() if kind}


def with_plugins(sweep: Sweep, argv: Sequence[str]) -> Sweep:
    """`sweep` with the plug-ins that the command line names; axes that none of them has are
    dropped.
    """
    done: set[str] = set()
    while todo := {path: kind for path, kind in seams(sweep).items() if path not in done}:
        # The outermost first: what is held further in depends on it.
        path = min(todo, key=lambda path: path.count("."))
        done.add(path)
        kind, flag = todo[path], flag_name(path)
        parser = Parser(add_help=False, allow_abbrev=False)
        parser.add_argument(f"--base.{flag}", dest="name", choices=kind.registry)
        parser.add_argument(f"--axes.{flag}", dest="names")
        args = parser.parse_known_args(argv)[0]
        if args.names is not None:
            sweep = _with_axis(sweep, path, kind, args)
        elif args.name is not None:
            chosen = kind.registry[args.name]
            sweep = _with(sweep, *plugins.with_field(sweep.base, sweep.axes, path, chosen))
    return sweep


def _with_axis(sweep, path, kind, args) -> Sweep:
    if args.name is not None:
        raise ConfigError(f"base.{path}: is an axis, so its values are set by --axes")
    values = parse_names(f"axes.{path}", args.names, kind)
    if not values:
        raise ConfigError(f"axes.{path}: needs at least one value")
    base = plugins.with_first(sweep.base, {path: values})
    others = {p: v for p, v in sweep.axes.items() if p != path}
    numbers = {p: v for p, v in others.items() if not any(map(dataclasses.is_dataclass, v))}
    named = {p: v for p, v in others.items() if p not in numbers}
    return _with(sweep, base, {**named, path: values, **numbers})


def _with(sweep, base, axes) -> Sweep:
    known = plugins.fields(base, axes)
    axes = {path: values for path, values in axes.items() if path in known}
    return dataclasses.replace(sweep, base=base, axes=axes)
