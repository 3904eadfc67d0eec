"""Policies that were kept: the trained ones of results, and the base policies they began as."""

from __future__ import annotations

import dataclasses
import os
import pathlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import jax
import numpy as np

from avax import results
from avax.engine import platform
from avax.engine.durable import checkpoint
from avax.engine.durable.keeper import batches, run_dims
from avax.engine.progress import say
from avax.fields import ConfigError
from avax.models import transformer
from avax.models.transformer import TransformerConfig
from avax.results import ResultsError
from avax.results.folders import POLICIES
from avax.sweeps import sweep
from avax.types import Policy

BASE = "base_difficulty"


@dataclasses.dataclass(frozen=True)
class Policies:
    """Policies with labels, those of a sweep's results or their base policies.

    Attributes:
      labels: of each policy, by the names of the results' dimensions.
    """

    labels: tuple[dict[str, Any], ...]
    _read: tuple[Callable[[], Policy], ...]
    _where: pathlib.Path

    def __len__(self) -> int:
        return len(self.labels)

    def __iter__(self) -> Iterator[tuple[dict[str, Any], Policy]]:
        """The labels of each policy, and the policy."""
        for labels, read in zip(self.labels, self._read, strict=True):
            yield labels, read()

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name}: {len(values)}" for name, values in self.values().items())
        return f"<{len(self)} policies in {self._where} ({sizes})>"

    def values(self) -> dict[str, list]:
        """The values of each label."""
        names = self.labels[0] if self.labels else ()
        return {n: list(dict.fromkeys(labels[n] for labels in self.labels)) for n in names}

    def sel(self, **labels: Any) -> Policy | Policies:
        """The policy with these labels; if there are several, all of them, as `Policies`.

        Of one run with policies after all rounds it is the last, unless `round` is given; of one
        base with several snapshots the last, unless `snapshot` is given.

        Raises:
          ResultsError: in one line, if there is none, or it is damaged.
        """
        known = self.values()
        for name, value in labels.items():
            if name not in known:
                raise ResultsError(
                    f"{self._where}: policies have no {name}, they have {', '.join(known)}"
                )
            if not isinstance(value, (str, int, float, np.generic)):
                raise ResultsError(f"{self._where}: {name} is {value!r}, must be one value")
            if not any(_same(value, x) for x in known[name]):
                listed = ", ".join(map(str, known[name]))
                raise ResultsError(
                    f"{self._where}: no policy of {name} {value}; there are {listed}"
                )
        found = [
            i for i, own in enumerate(self.labels)
            if all(_same(value, own[name]) for name, value in labels.items())
        ]  # fmt: skip
        if not found:
            raise ResultsError(f"{self._where}: no policy was kept of {_shown(labels)}")
        steps = "round" if "round" in known else "snapshot"
        runs = {tuple(x for n, x in self.labels[i].items() if n != steps) for i in found}
        if len(runs) == 1:
            return self._read[found[-1]]()
        return dataclasses.replace(
            self,
            labels=tuple(self.labels[i] for i in found),
            _read=tuple(self._read[i] for i in found),
        )

    def stacked(self) -> Policy:
        """All of them as one policy with a leading axis, in the order of `labels`."""
        return jax.tree.map(lambda *each: np.stack(each), *[read() for read in self._read])


def load_policies(folder: str | os.PathLike) -> Policies:
    """The trained policies of finished results, to be chosen by `sel`, which reads them.

    Raises:
      ResultsError: in one line, if there are no results, or no policies were kept with them.
    """
    folder = pathlib.Path(folder)
    dataset = results.load(folder)
    dims, model = run_dims(dataset), model_of(folder, dataset.attrs["config"])
    order = {name: dataset[name].values.tolist() for name in (*dims, "round")}
    place = folder / POLICIES
    if place.is_symlink():
        raise ResultsError(f"{place}: can't be used: is a link")
    found: dict[tuple, tuple[dict, Callable]] = {}
    for path in batches(place):
        facts = None if path.is_symlink() else checkpoint.facts_of(path)
        if not _are_facts(facts, order):
            say(f"{path}: is damaged; what it holds is passed over")
            continue
        batch = _Batch(path, facts, model)
        for row, own in enumerate(facts["labels"]):
            for column, number in enumerate(facts["rounds"]):
                labels = {**dict(zip(dims, own, strict=True)), "round": number}
                found[tuple(labels.values())] = labels, partial(batch.read, row, column)
    if not found:
        raise ResultsError(f"{folder}: no policies were kept; --keep-policies last keeps them")

    def place_of(key):
        return [order[name].index(x) for name, x in zip(order, key, strict=True)]

    labels, read = zip(*(found[key] for key in sorted(found, key=place_of)), strict=True)
    return Policies(labels, read, folder)


class _Batch:
    """A checkpoint of policies, read when the first of them is asked for."""

    def __init__(self, path: pathlib.Path, facts: Mapping[str, Any], model: TransformerConfig):
        self._path, self._facts, self._model = path, dict(facts), model
        self._policies = None

    def read(self, row: int, column: int) -> Policy:
        if self._policies is None:
            lead = len(self._facts["labels"]), len(self._facts["rounds"])
            like = policy_shapes(self._model, lead)
            self._policies = checkpoint.load(self._path, like, self._facts, set_aside=False)
            if self._policies is None:
                raise ResultsError(f"{self._path}: is damaged; --resume never trains anew")
        return _taken(self._policies, (row, column))


def load_bases(folder: str | os.PathLike, bases: str | os.PathLike | None = None) -> Policies:
    """The base policies that the runs of finished results began as, by seed; and by snapshot, if
    pretraining took several.

    Args:
      bases: the folder where they are kept: what `--bases` or `avax.run(bases=...)` named; None:
        in the user's cache folder.

    Raises:
      ResultsError: in one line, if there are no results, the bases differ between their settings,
        or one is missing or damaged.
    """
    folder = pathlib.Path(folder)
    where = pathlib.Path(bases or platform.cache_dir() / "bases")
    dataset = results.load(folder)
    config, versions = dataset.attrs["config"], dataset.attrs["provenance"]["versions"]
    base, pretraining = config["base"], config["pretraining"]
    varied = [p for p in config["axes"] if p.split(".")[0] in ("task", "base_task", BASE)]
    if varied:
        raise ResultsError(f"{folder}: bases differ between its settings ({', '.join(varied)})")
    number = pretraining["num_snapshots"]
    like = policy_shapes(model_of(folder, config), (number,))
    found: list[tuple[dict, Callable]] = []
    for seed in dataset.seed.values.tolist():
        facts = {
            "pretraining": pretraining,
            "task": base.get("base_task", base["task"]) | {"max_difficulty": base[BASE]},
            "base_difficulty": base[BASE],
            "optimization": config["optimization"],
            "versions": versions,
            "seed": seed,
        }
        path = where / sweep.digest(facts)
        policy = checkpoint.load(path, like, facts, set_aside=False)
        if policy is None:
            raise ResultsError(f"{where}: holds no base policy of seed {seed} of {folder}")
        for i in range(number):
            labels = {"seed": seed} | ({"snapshot": i} if number > 1 else {})
            found.append((labels, partial(_taken, policy, (i,))))
    labels, read = zip(*found, strict=True)
    return Policies(labels, read, where)


def policy_shapes(model: TransformerConfig, lead: tuple[int, ...]) -> Policy:
    """Policies with leading axes, as shapes alone."""
    one = jax.eval_shape(partial(transformer.init, config=model), jax.random.key(0))
    return jax.tree.map(lambda x: jax.ShapeDtypeStruct((*lead, *x.shape), x.dtype), one)


def model_of(folder: pathlib.Path, config: Mapping[str, Any]) -> TransformerConfig:
    """The sizes of the policies of a configuration, ready for JSON; ResultsError if it has none."""
    try:
        fields = {name: x for name, x in config["pretraining"]["model"].items() if name != "type"}
        return TransformerConfig(**fields)
    except (KeyError, TypeError, AttributeError, ConfigError) as error:
        why = results.one_line(error)
        raise ResultsError(f"{folder}: can't be read: has no model ({why})") from error


def _taken(policies: Policy, index: tuple) -> Policy:
    return jax.tree.map(lambda x: x[index], policies)


def _same(value: Any, own: Any) -> bool:
    """Whether a value means a label: numbers may differ by what 32 bits can't hold."""
    if isinstance(value, str) or isinstance(own, str):
        return value == own
    try:
        return bool(np.isclose(value, own, rtol=1e-6, atol=0))
    except (TypeError, OverflowError):  # no number, or one too large for a float
        return False


def _are_facts(facts: Any, order: Mapping[str, list]) -> bool:
    """Whether what a batch says of itself is as it was written: runs and rounds of these results,
    none of them twice, so that however much it says, it names no more policies than they have.

    Args:
      order: the values along each dimension of the results, `round` last.
    """
    *dims, _ = order
    try:
        own, rounds = facts["labels"], facts["rounds"]
        if not (facts["dims"] == dims and type(own) is list and type(rounds) is list):
            return False
        are_labels = all(type(labels) is list and len(labels) == len(dims) for labels in own)
        if not (own and rounds and are_labels):
            return False
        columns = (*zip(*own, strict=True), rounds)
        are_known = all(map(_are_among, columns, order.values()))
        return are_known and all(len(set(x)) == len(x) for x in (rounds, [*map(tuple, own)]))
    except (TypeError, KeyError):
        return False


def _are_among(values: Iterable[Any], known: Iterable[Any]) -> bool:
    """Whether all values are among those that are known; True is no 1."""
    return {(type(x) is bool, x) for x in values} <= {(type(x) is bool, x) for x in known}


def _shown(labels: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in labels.items())
