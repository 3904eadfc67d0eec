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
from avax.cli.terminal import Parser, fail
from avax.curricula import CURRICULA
from avax.engine.cluster import processes
from avax.engine.durable import resume
from avax.fields import ConfigError
from avax.learners import LEARNERS
from avax.probes import PROBES
from avax.sweeps.axes import AXIS_HELP, parse_values, sweepable
from avax.sweeps.sweep import EXECUTION, Sweep
from avax.sweeps.validate import validate
from avax.tasks import TASKS
from avax.verifiers import VERIFIERS

REGISTRIES = {
    "task": TASKS,
    "curriculum": CURRICULA,
    "verifier": VERIFIERS,
    "learner": LEARNERS,
    "base_task": TASKS,
    "probe": PROBES,
}


@dataclasses.dataclass(frozen=True)
class Command:
    """What a command line asks for."""

    sweep: Sweep
    choices: dict[str, str]
    out: pathlib.Path
    bases: pathlib.Path
    resume: str
    place: processes.Place | None


def parse(
    name: str,
    doc: str,
    choices: Mapping[str, tuple[str, ...]],
    build: Callable[..., Sweep],
    argv: Sequence[str] | None = None,
) -> Command:
    """The validated sweep that a command line asks for; on a mistake, ends the program.

    Args:
      name: of the experiment; the results go to `results/<name>` if no folder is given.
      doc: shown by --help.
      choices: what `build` chooses from: flag -> allowed values, the first being the default.
      build: the sweep for one combination of choices.
      argv: the arguments; those of this process by default.
    """
    argv = _joined(sys.argv[1:] if argv is None else argv)
    picked = _first_pass(choices, argv)
    try:
        default = _with_plugins(build(**picked), argv)
        parser = _parser(name, doc, choices, default)
        flags.check_names(parser._option_string_actions, argv, default)
        args, more = parser.parse_known_args(argv)
        flags.check_no_more(choices, more)
        args = vars(args)
        sweep = _with_flags(default, args)
        validate(sweep)
        place = processes.parse(args)
        processes.check(place, sweep)
    except ConfigError as error:
        fail(str(error))
    return Command(sweep, picked, args["out"], args["bases"], args["resume"], place)


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


def _with_plugins(sweep: Sweep, argv: list[str]) -> Sweep:
    """`sweep` with the plug-ins named on the command line; axes they don't have are dropped."""
    parser = Parser(add_help=False, allow_abbrev=False)
    for seam, registry in REGISTRIES.items():
        parser.add_argument(f"--base.{flag_name(seam)}", dest=seam, choices=registry)
    for seam, name in vars(parser.parse_known_args(argv)[0]).items():
        if name is not None:
            base = struct.replace(sweep.base, seam, REGISTRIES[seam][name])
            known = {path for path, _, _ in struct.walk(base)}
            axes = {path: values for path, values in sweep.axes.items() if path in known}
            sweep = dataclasses.replace(sweep, base=base, axes=axes)
    return sweep


def _parser(name, doc, choices, sweep) -> Parser:
    parser = Parser(
        description=doc,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
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
    processes.add_flags(parser)
    for path, field, value in struct.walk(sweep):
        _add_flag(parser, path, field, value, _help_of(sweep, path))
    for path in sweepable(sweep.base):
        values = ", ".join(f"{v:g}" for v in sweep.axes.get(path, ()))
        shown = f"{AXIS_HELP}; now {values}" if values else argparse.SUPPRESS
        parser.add_argument(
            *axis_flags(sweep, path), dest=f"axes.{path}", metavar="VALUES", help=shown
        )
    return parser


def _add_flag(parser, path, field, value, text):
    flag, kind = f"--{flag_name(path)}", type(value)
    if path.startswith("base.") and path.count(".") == 1 and field.name in REGISTRIES:
        names = list(REGISTRIES[field.name])
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
    axes = dict(sweep.axes)
    for path, value in args.items():
        if value is None:
            continue
        if path.startswith("axes."):
            field = struct.get(sweep.base, path.removeprefix("axes."))
            axes[path.removeprefix("axes.")] = parse_values(path, value, type(field))
        elif path.startswith(("base.", "pretraining.")) and path[5:] not in REGISTRIES:
            if path.removeprefix("base.") in sweep.axes:
                raise ConfigError(f"{path}: is an axis, so its values are set by --axes")
            sweep = struct.replace(sweep, path, value)
        elif path in ("num_seeds", "seed", "trace", *EXECUTION):
            sweep = dataclasses.replace(sweep, **{path: value})
    return dataclasses.replace(sweep, axes=axes)


def _help_of(root: Any, path: str) -> str:
    """A field's line in the `Attributes:` of its class."""
    parent, _, name = path.rpartition(".")
    owner = struct.get(root, parent) if parent else root
    text = inspect.getdoc(type(owner)) or ""
    found = re.search(rf"^  {name}: (.*(?:\n    .*)*)", text, re.MULTILINE)
    return " ".join(found[1].split()) if found else ""
