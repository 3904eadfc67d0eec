"""`avax.run`: a sweep from Python, in a notebook or anywhere."""

from __future__ import annotations

import contextlib
import os
import pathlib
import tempfile
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import jax
import xarray as xr

from avax.engine import platform
from avax.engine.durable.resume import MODES, claim
from avax.engine.run import Engine
from avax.fields import ConfigError, shown
from avax.loop import Experiment
from avax.policies.pretrain import Pretraining
from avax.results import roots
from avax.sweeps import plugins
from avax.sweeps.axes import axis_names, sweepable
from avax.sweeps.defaults import EXPERIMENT, HOW, PRETRAINING
from avax.sweeps.sweep import DESIGN, EXECUTION, Sweep
from avax.sweeps.validate import validate


def run(
    experiment: Experiment = EXPERIMENT,
    sweep: Mapping[str, Iterable] | None = None,
    seeds: int = 1,
    *,
    first_seed: int = 0,
    pretraining: Pretraining = PRETRAINING,
    out: str | os.PathLike | None = None,
    bases: str | os.PathLike | None = None,
    resume: str = "auto",
    **how: Any,
) -> xr.Dataset:
    """Runs an experiment at every combination of some values, and seeds.

    Progress goes to standard error. What was done before an interrupt is kept if there is a folder:
    the same call goes on.

    Args:
      experiment: what is varied; see `avax.experiment`.
      sweep: values of numbers of the experiment, by dotted path (`verifier.fnr`), or by the last
        name alone where only one field has it (`fpr`); or plug-ins, or their registered names:
        `{"verifier": ["none", verifiers.Oracle(fnr=0.5)]}`. A number that only some of these have
        is swept where it exists: the others have the same results at each of its values.
      seeds: base policies, one for each seed; each setting is run from each of them, unless
        `design` says otherwise.
      first_seed: the first of the seeds; the others follow it.
      pretraining: how the base policies are trained.
      out: folder of the results, which `avax.load` reads; None keeps none.
      bases: folder where base policies are kept for reuse; None: in the user's cache folder.
      resume: what is done with runs that the folder holds: `auto` goes on with them, `never` starts
        over, `must` fails if there are none.
      how: which runs there are, such as `design="balanced", num_runs=2` or `base_criterion=0.95`,
        and how they are executed, such as `tile_width`; see `avax.Sweep`.

    Returns:
      A dataset with a dimension for each axis, then `seed` and `round`; round 0 is the base.

    Raises:
      ConfigError: in one line that names the field, before anything is trained or compiled; later
        for sizes that the machine has no memory for, or a plug-in that returns something wrong.
      ResultsError: if the folder is another configuration's, or can't be written to.
    """
    if unknown := set(how) - {*DESIGN, *EXECUTION}:
        listed = ", ".join((*DESIGN, *EXECUTION))
        raise ConfigError(f"{min(unknown)}: there is no such argument; can be {listed}")
    if resume not in MODES:
        raise ConfigError(f"resume: is {shown(resume)}, must be one of {', '.join(MODES)}")
    check_kinds(experiment, pretraining, sweep or {})
    axes = axes_of(experiment, sweep or {})
    config = Sweep(experiment, pretraining, axes, seeds, first_seed, **HOW | how)
    validate(config)
    configure()
    with contextlib.ExitStack() as held:
        folder = out or held.enter_context(tempfile.TemporaryDirectory())
        folder = pathlib.Path(folder).absolute()
        root = roots.Root(folder, "avax.run", {}, ("",))
        held.enter_context(claim({folder: config}, resume, root))
        return Engine(pathlib.Path(bases or platform.cache_dir() / "bases")).execute(config, folder)


def check_kinds(experiment: Any, pretraining: Any, sweep: Any) -> None:
    """Raises ConfigError for an argument that is something else."""
    for name, value, kind, what in (
        ("experiment", experiment, Experiment, "an experiment"),
        ("pretraining", pretraining, Pretraining, "a Pretraining"),
        ("sweep", sweep, Mapping, "a dict with a list of values for each axis"),
    ):
        if not isinstance(value, kind):
            raise ConfigError(f"{name}: is {shown(value)}, must be {what}")


def axes_of(experiment: Experiment, sweep: Mapping[str, Any]) -> dict[str, tuple]:
    """The axes that names or dotted paths and their values mean; ConfigError if they are none."""
    axes: dict[str, tuple] = {}
    # Plug-ins first: their numbers can be axes, too.
    for name in sorted(sweep, key=lambda name: not is_plugin(experiment, name)):
        path = axis_path(experiment, name, axes)
        if path in axes:
            raise ConfigError(f"sweep: {path} is given twice")
        axes[path] = _listed(name, sweep[name])
        if is_plugin(experiment, name):
            axes = dict(Sweep(experiment, axes=axes).axes)
    order = [axis_path(experiment, name, axes) for name in sweep]
    return {path: axes[path] for path in order}


def is_plugin(experiment: Experiment, name: str) -> bool:
    """Whether a field of an experiment holds a plug-in."""
    field = plugins.fields(experiment, {}).get(name)
    return field is not None and plugins.kind_of(field[0]) is not None


def axis_path(experiment: Experiment, name: str, axes: Mapping[str, tuple]) -> str:
    """The dotted path of a number or plug-in, by it or by its last name; ConfigError if there is
    none.

    Args:
      axes: of plug-ins, whose numbers can be axes, too.
    """
    paths = sweepable(experiment, axes)
    found = [path for path in paths if name in axis_names(experiment, path, axes)]
    if len(found) == 1:
        return found[0]
    same = [path for path in paths if path.rpartition(".")[2] == name]
    if plugins.has(experiment, name):
        raise ConfigError(f"sweep: {name} can't be an axis: it is no number that can be traced")
    raise ConfigError(f"sweep: there is no field {name}; can be {', '.join(same or paths)}")


def _listed(name: str, values: Any) -> tuple:
    """The values of an axis as Python numbers: an array of NumPy will do."""
    values = values.tolist() if hasattr(values, "tolist") else values
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise ConfigError(f"sweep: {name} is {shown(values)}, must be a list of values")
    found = tuple(x.item() if getattr(x, "ndim", None) == 0 else x for x in values)
    for value in found:
        if not (isinstance(value, Hashable) and (type(value) is not int or abs(value) < 2**63)):
            raise ConfigError(f"sweep: {name} can't have the value {shown(value)[:60]}")
    return found


def configure() -> None:
    """`platform.configure` where JAX has computed nothing yet: else its devices are as they are."""
    with contextlib.suppress(RuntimeError):
        platform.configure(cache=jax.config.jax_compilation_cache_dir is None)
