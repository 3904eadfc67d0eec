"""`avax samples RESULTS --fpr 0.1`: what a trained policy answers, and where it goes wrong.

Which policy it is, flags say that are the results' own axes. The problems are always the same, so
that policies can be compared. Imports no JAX before the arguments are known to be right.
"""

from __future__ import annotations

import pathlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import xarray as xr

from avax import results
from avax.cli import terminal
from avax.cli.commands import whole
from avax.results import ResultsError

if TYPE_CHECKING:
    from avax.loop import Experiment

ABOUT = "show what a trained policy answers, and where it goes wrong"
USAGE = "avax samples RESULTS [--AXIS VALUE ...] [--seed N] [--difficulty N] [--number N]"
OWN = ("help", "round", "difficulty", "number", "temperature")  # flags that are no axes
NUM_SHOWN = 20  # values of an axis in a line


class Axis(NamedTuple):
    """What a policy is chosen by.

    Attributes:
      dim: of the dataset.
      path: the field in the experiment, None of the seed.
      flag: the dimension, or the path where another flag is called so.
    """

    dim: str
    path: str | None
    flag: str
    values: np.ndarray


class Wanted(NamedTuple):
    """What the arguments ask for.

    Attributes:
      at: the axes, and the index of the value that is chosen on each.
      round: None for the last.
      difficulty: None for the largest that the policy was trained on.
    """

    folder: pathlib.Path
    config: Mapping[str, Any]
    at: Sequence[tuple[Axis, int]]
    last_round: int
    round: int | None
    difficulty: int | None
    number: int
    temperature: float


def main(argv: Sequence[str]) -> None:
    """Does what the arguments ask for."""
    folder, dataset, axes = _results(argv)
    args = vars(_parser(axes, dataset).parse_args(argv))
    last = int(dataset["round"].values[-1])
    try:
        at = [(axis, chosen(axis, args[f"axis {axis.dim}"])) for axis in axes]
        if args["round"] is not None and not 0 <= args["round"] <= last:
            raise ResultsError(f"--round: is {args['round']}, must lie in [0, {last}]")
    except ResultsError as error:
        terminal.fail(str(error))
    numbers = {name: args[name] for name in OWN if name in args}
    _print_samples(Wanted(folder, dataset.attrs["config"], at, last, **numbers))


def _results(argv: Sequence[str]) -> tuple[pathlib.Path, xr.Dataset, list[Axis]]:
    """What the first argument names; without one, ends the program with help or in one line."""
    first = terminal.Parser(prog="avax samples", usage=USAGE, description=f"{ABOUT}.")
    first.add_argument("folder", metavar="RESULTS", type=terminal.path, help="what --out named")
    first.epilog = "`avax samples RESULTS --help` lists the axes of these results."
    # Only it can tell which flags there are, so it has to come first.
    if argv and argv[0].startswith("-") and argv[0] not in ("-h", "--help"):
        first.error(f"RESULTS has to come first: {USAGE}")
    folder = first.parse_args(argv[:1]).folder
    try:
        dataset = whole.load(folder)
        return folder, dataset, axes_of(dataset)
    except ResultsError as error:
        terminal.fail(str(error))


def axes_of(dataset: xr.Dataset) -> list[Axis]:
    """What tells the policies of a dataset apart: its axes, and seeds."""
    paths = whole.axis_paths(dataset)
    named = {dim: path if dim in OWN else dim for dim, path in paths.items()}
    found = [Axis(d, paths[d], flag, dataset[d].values) for d, flag in named.items()]
    return [*found, Axis("seed", None, "seed", dataset.seed.values)]


def _parser(axes: Sequence[Axis], dataset: xr.Dataset) -> terminal.Parser:
    parser = terminal.Parser(
        prog="avax samples",
        usage=USAGE,
        description=f"{ABOUT}.",
        allow_abbrev=False,
        conflict_handler="resolve",  # what isn't avax's own is refused later, with its name
    )
    parser.add_argument("folder", metavar="RESULTS", type=terminal.path, help="what --out named")
    for axis in axes:
        text = f"one of {_listed(axis.values)}"
        flag = f"--{axis.flag.replace('_', '-')}"
        parser.add_argument(
            flag, dest=f"axis {axis.dim}", metavar="VALUE", help=text.replace("%", "%%")
        )
    numbers = {
        "round": (int, None, f"trained for so many rounds (default: {dataset.sizes['round'] - 1})"),
        "difficulty": (int, None, "of the problems (default: the largest it was trained on)"),
        "number": (int, 20, "of problems (default: 20)"),
        "temperature": (float, 0.0, "of sampling (default: 0, greedy)"),
    }
    for name, (kind, default, text) in numbers.items():
        metavar = "N" if kind is int else "T"
        parser.add_argument(f"--{name}", type=kind, default=default, metavar=metavar, help=text)
    return parser


def chosen(axis: Axis, text: str | None) -> int:
    """The index of the value that a flag names; ResultsError, with the axis's values, if none."""
    flag = f"--{axis.flag.replace('_', '-')}"
    if text is None:
        if len(axis.values) == 1:
            return 0
        raise ResultsError(f"{flag}: has to be given; can be {_listed(axis.values)}")
    same = [i for i, value in enumerate(axis.values) if _is(value, text)]
    same = same or [i for i, value in enumerate(axis.values) if _label(value) == text]
    if len(same) != 1:
        raise ResultsError(f"{flag}: is {text!r}, can be {_listed(axis.values)}")
    return same[0]


def _is(value: Any, text: str) -> bool:
    """Whether a text is a value of an axis as Python reads it; listed, it may be rounded."""
    try:
        return value == (text if isinstance(value, str) else float(text))
    except ValueError:
        return False


def _label(value: Any) -> str:
    return str(value) if isinstance(value, (str, np.integer)) else f"{value:g}"


def _listed(values: np.ndarray) -> str:
    shown = [_label(value) for value in values[:NUM_SHOWN]]
    return ", ".join(shown + ["..."] * (len(values) > NUM_SHOWN))


def _print_samples(wanted: Wanted) -> None:
    from avax.engine import api
    from avax.engine.kept import load_policies
    from avax.fields import ConfigError
    from avax.policies.samples import samples

    labels = {axis.dim: axis.values.tolist()[i] for axis, i in wanted.at}
    if wanted.round is not None:
        labels["round"] = wanted.round
    rounds = wanted.last_round if wanted.round is None else wanted.round
    try:
        experiment = setting(wanted.config, {a.path: i for a, i in wanted.at if a.path})
    except ConfigError as error:
        terminal.fail(f"{wanted.folder / results.CONFIG}: {error}")
    difficulty = wanted.difficulty
    if difficulty is None:
        difficulty = largest_difficulty(experiment, rounds)
    try:
        api.configure()
        policy = load_policies(wanted.folder).sel(**labels)
        how = {"number": wanted.number, "temperature": wanted.temperature}
        found = samples(policy, experiment.task, difficulty, **how)
    except (ConfigError, ResultsError, OSError) as error:
        terminal.fail(results.one_line(error))
    shown = {axis.flag: _label(axis.values[i]) for axis, i in wanted.at} | {"round": rounds}
    setting_ = ", ".join(f"{name} {value}" for name, value in shown.items())
    print(f"{setting_}; problems of difficulty {difficulty}")
    print(found)


def setting(config: Mapping[str, Any], at: Mapping[str, int]) -> Experiment:
    """The experiment of a stored sweep with the values that each axis has at an index.

    Raises:
      ConfigError: if it is no sweep of what is registered, or its fields don't fit together.
    """
    from avax.sweeps.restore import sweep_of
    from avax.sweeps.validate import check_setting

    sweep = sweep_of(config)
    experiment = sweep.setting({path: sweep.axes[path][i] for path, i in at.items()})
    check_setting(experiment, sweep.pretraining.num_snapshots)
    return experiment


def largest_difficulty(experiment: Experiment, num_rounds: int) -> int:
    """The largest difficulty of what a policy was trained on, in so many rounds and before."""
    posed = [experiment.curriculum.bounds(num_rounds)[1]] if num_rounds else []
    return int(max([experiment.base_difficulty, *posed]))
