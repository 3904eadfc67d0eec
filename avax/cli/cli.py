"""The command line of an experiment, made from its configuration's own fields.

Every field of the sweep is a flag, `--base.learner.learning-rate 5e-4`; a field that holds a
plug-in takes its registered name, `--base.verifier noisy`; every number of the experiment can be an
axis, `--axes.fpr 0:0.5:16`. Plain argparse, because a mistake has to end in one line.
"""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import pathlib
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from avax import struct
from avax.cli import flags, terminal
from avax.cli.flags import axis_flags, flag_name
from avax.cli.plugin_flags import seams, with_plugins
from avax.cli.terminal import Parser, fail
from avax.engine.cluster import processes
from avax.engine.durable import resume
from avax.fields import ConfigError
from avax.sweeps import controls, plugins
from avax.sweeps.axes import AXIS_HELP, parse_values, sweepable
from avax.sweeps.sweep import DESIGN, EXECUTION, Sweep
from avax.sweeps.validate import validate


@dataclasses.dataclass(frozen=True)
class Command:
    """What a command line asks for."""

    sweep: Sweep
    choices: dict[str, str]
    out: pathlib.Path
    bases: pathlib.Path
    resume: str
    place: processes.Place | None
    controls: tuple[str, ...]


def parse(
    name: str,
    doc: str,
    choices: Mapping[str, tuple[str, ...]],
    build: Callable[..., Sweep],
    argv: Sequence[str] | None = None,
    usual: Sequence[str] = (),
) -> Command:
    """The validated sweep that a command line asks for; on a mistake, ends the program.

    Args:
      name: of the experiment; the results go to `results/<name>` if no folder is given.
      doc: shown by --help.
      choices: what `build` chooses from: flag -> allowed values, the first being the default.
      build: the sweep for one combination of choices.
      argv: the arguments; those of this process by default.
      usual: the experiment's controls, unless others are asked for.
    """
    argv = _joined(sys.argv[1:] if argv is None else argv)
    picked = _first_pass(choices, argv)
    try:
        default = with_plugins(build(**picked), argv)
        parser = _parser(name, doc, choices, default, ", ".join(usual) or controls.NONE)
        flags.check_names(parser._option_string_actions, argv, default)
        args, more = parser.parse_known_args(argv)
        flags.check_no_more(choices, more)
        args = vars(args)
        sweep = _with_flags(default, args)
        validate(sweep)
        named = controls.parse(args["controls"])
        place = processes.parse(args)
        processes.check(place, sweep)
    except ConfigError as error:
        fail(str(error))
    return Command(sweep, picked, args["out"], args["bases"], args["resume"], place, named)


def _joined(argv: Sequence[str]) -> list[str]:
    """`--flag -1,-2` as `--flag=-1,-2`: argparse takes such a value for a flag."""
    words: list[str] = []
    for word in argv:
        if word.endswith("=--"):  # of which argparse makes an empty list, whatever the type
            fail(f"{word}: -- is no value")
        is_value = re.match(r"-[\d.]", word) and words and words[-1].startswith("--")
        if is_value and "=" not in words[-1]:
            words[-1] += f"={word}"
        else:
            words.append(word)
    return words


def _first_pass(choices, argv):
    """The choices alone: they decide the defaults of everything else."""
    parser = Parser(add_help=False, allow_abbrev=False)
    for flag, values in choices.items():
        parser.add_argument(f"--{flag}", choices=values, default=values[0])
    return vars(parser.parse_known_args(argv)[0])


def _parser(name, doc, choices, sweep, usual) -> Parser:
    parser = Parser(
        description=doc,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        prog="python -m avax" if sys.argv[0].endswith("__main__.py") else None,
        usage="%(prog)s [flags]",
    )
    for flag, values in choices.items():
        parser.add_argument(f"--{flag}", choices=values, help=f"(default: {values[0]})")
    for flag, default, text in (
        ("--out", f"results/{name}", "folder of the results"),
        ("--bases", "results/bases", "folder where base policies are kept for reuse"),
    ):
        parser.add_argument(flag, type=terminal.path, default=default, help=text)
    parser.add_argument(
        "--resume",
        choices=resume.MODES,
        default=resume.MODES[0],
        help="auto: go on with what the folder holds; never: start over; must: fail if there is "
        "nothing to go on with (default: auto)",
    )
    parser.add_argument(
        "--controls",
        default=usual,
        metavar="NAMES",
        help=f"what is run beside the experiment, to tell effects by, with commas: "
        f"{', '.join(controls.CONTROLS)}, of a part as PART/NAME, or {controls.NONE} "
        f"(default: {usual})",
    )
    processes.add_flags(parser)
    for path, (field, value) in _fields(sweep).items():
        _add_flag(parser, path, field, value, _help_of(sweep, path))
    for path in sweepable(sweep.base, sweep.axes):
        values = ", ".join(_shown(plugins.labels(path, sweep.axes.get(path, ()))))
        text = "names, `a,b`" if path in seams(sweep) else AXIS_HELP
        shown = f"{text}; now {values}" if values else argparse.SUPPRESS
        parser.add_argument(
            *axis_flags(sweep, path), dest=f"axes.{path}", metavar="VALUES", help=shown
        )
    return parser


def _fields(sweep: Sweep) -> dict[str, tuple[dataclasses.Field, Any]]:
    """Every field of a sweep, those of plug-ins that are values of an axis included."""
    own = plugins.fields(sweep, {})
    more = plugins.fields(sweep.base, sweep.axes)
    return own | {f"base.{path}": x for path, x in more.items() if f"base.{path}" not in own}


def _shown(values: Sequence) -> list[str]:
    return [value if isinstance(value, str) else f"{value:g}" for value in values]


def _add_flag(parser, path, field, value, text):
    flag, kind = f"--{flag_name(path)}", type(value)
    if plugin := plugins.kind_of(field):
        names = list(plugin.registry)
        now = "none" if value is None else kind.__name__
        parser.add_argument(flag, choices=names, dest=path, help=f"(now {now})")
    elif kind in (bool, int, float, str):
        convert = {bool: _bool}.get(kind, kind)
        allowed = field.metadata.get("choices")
        shown = f"{text} (default: {value})".replace("%", "%%")
        if allowed:
            parser.add_argument(flag, choices=allowed, dest=path, help=shown)
        else:
            more = {"nargs": "?", "const": True} if kind is bool else {}
            more["metavar"] = kind.__name__.upper()
            parser.add_argument(flag, type=convert, dest=path, help=shown, **more)


def _bool(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"must be true or false, not {text!r}")
    return text.lower() == "true"


_bool.__name__ = "true or false"


def _with_flags(sweep: Sweep, args: Mapping[str, Any]) -> Sweep:
    """The sweep with the fields that were given; its plug-ins are those that were named."""
    base, axes, named = sweep.base, dict(sweep.axes), seams(sweep)
    varied = {*axes, *(p.removeprefix("axes.") for p in args if args[p] and p.startswith("axes."))}
    for path, value in args.items():
        where, _, inner = path.partition(".")
        if value is None or inner in named:
            continue
        if where == "axes":
            field = plugins.fields(base, axes)[inner][1]
            axes[inner] = parse_values(path, value, type(field))
        elif where == "base":
            if inner in varied:
                raise ConfigError(f"{path}: is an axis, so its values are set by --axes")
            base, axes = plugins.with_field(base, axes, inner, value)
        elif where == "pretraining":
            sweep = struct.replace(sweep, path, value)
        elif path in ("num_seeds", "seed", "trace", *DESIGN, *EXECUTION):
            sweep = dataclasses.replace(sweep, **{path: value})
    return dataclasses.replace(sweep, base=base, axes=axes)


def _help_of(sweep: Sweep, path: str) -> str:
    """A field's line in the `Attributes:` of its class."""
    parent, _, name = path.rpartition(".")
    owners = [struct.get(sweep, parent)] if parent and plugins.has(sweep, parent) else [sweep]
    for axis, values in sweep.axes.items():
        inner = f"{parent}.".removeprefix(f"base.{axis}.").rstrip(".")
        if parent == f"base.{axis}":
            owners += values
        elif parent.startswith(f"base.{axis}."):
            owners += [struct.get(x, inner) for x in values if plugins.has(x, inner)]
    owner = next((x for x in owners if hasattr(x, name)), None)
    text = inspect.getdoc(type(owner)) or ""
    found = re.search(rf"^  {name}: (.*(?:\n    .*)*)", text, re.MULTILINE)
    return " ".join(found[1].split()) if found else ""
