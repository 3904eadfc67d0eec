"""What data must have before a claim from them may be decided: bases, controls, repetitions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import xarray as xr

HEADLINE, ELSEWHERE = 32, 12  # bases
# Of controls in the names of parts and of an axis's values; the first that a name ends in counts.
WORDS = {
    "untouched_base": "untouched base",
    "frozen_generator": "frozen generator",
    "matched_sham": "length-matched sham",
    "sham": "sham",
    "placebo": "placebo",
    "recipient_shuffle": "recipient shuffle",
}
CONTROLS = tuple(WORDS.values())


@dataclass(frozen=True)
class Needs:
    """What a claim's data must have.

    Attributes:
      bases: fewest independent base policies behind each of its numbers.
      controls: of CONTROLS; what an effect has to be told from.
      learning_rates: fewest of each kind of learner; two for a boundary, a floor or a collapse.
      horizons: fewest rounds at which the effect is read; two for the same.
      replicates: whether part of the design must have two runs of one base.
    """

    bases: int = ELSEWHERE
    controls: tuple[str, ...] = ()
    learning_rates: int = 1
    horizons: int = 1
    replicates: bool = False

    def __post_init__(self) -> None:
        if unknown := set(self.controls) - set(CONTROLS):
            raise ValueError(f"no such control: {', '.join(sorted(unknown))}")

    def lacks(self, parts: Mapping[str, xr.Dataset], num_bases: int, num_horizons: int) -> str:
        """What is missing, in words; nothing if all is there.

        Args:
          parts: an experiment's results by part.
          num_bases: fewest behind any number of the claim.
          num_horizons: rounds that it was read at.
        """
        found = []
        if num_bases < self.bases:
            found.append(f"{num_bases} bases of at least {self.bases}")
        there = controls_in(parts)
        found += [f"no {name}" for name in self.controls if name not in there]
        num_rates = fewest_rates(parts)
        for number, least, name in (
            (num_rates, self.learning_rates, "learning rate"),
            (num_horizons, self.horizons, "horizon"),
        ):
            if number < least:
                found.append(f"{number or 'no'} {name}{'s' * (number != 1)} of at least {least}")
        if self.replicates and len(values_of(parts, "replicate")) < 2:
            found.append("one run of each base")
        return "; ".join(found)


def controls_in(parts: Mapping[str, xr.Dataset]) -> set[str]:
    """Which of CONTROLS there are: a part (`control/line_sham`), or a value of an axis, is named
    after one, or runs are configured as one, or the untouched base is measured beside every round.
    """
    names = {part.rpartition("/")[2] for part in parts}
    for dataset in parts.values():
        names |= {
            str(x) for c in dataset.coords.values() if c.dtype.kind in "OTU" for x in c.values
        }
    found = {
        next((WORDS[word] for word in WORDS if f"_{name}".endswith(f"_{word}")), "")
        for name in names
    }
    types = {x for dataset in parts.values() for x in _types(dataset.attrs["config"])}
    is_there = {
        "untouched base": any("base_accuracy" in dataset for dataset in parts.values()),
        "frozen generator": 1 in values_of(parts, "frozen_generator"),
        "sham": _has_sham(parts),
        "placebo": "Placebo" in types,
        "recipient shuffle": "RecipientShuffle" in types,
    }
    return found - {""} | {name for name, here in is_there.items() if here}


def fewest_rates(parts: Mapping[str, xr.Dataset]) -> int:
    """The number of learning rates of the kind of learner that has the fewest."""
    kinds: dict[str, set[float]] = {}
    for name, dataset in parts.items():
        (kind,) = values_of({name: dataset}, "learner.type") or {""}
        kinds.setdefault(kind, set()).update(values_of({name: dataset}, "learner.learning_rate"))
    return min(map(len, kinds.values()), default=0)


def _has_sham(parts: Mapping[str, xr.Dataset]) -> bool:
    """Whether some runs train on nothing but true data of lengths that the base of others knows: of
    a base that was taught more they say what true labels reach.
    """
    rates: dict[Any, set[float]] = {}
    for dataset in parts.values():
        here = {"": dataset}
        for length in values_of(here, "base_difficulty") or {None}:
            rates.setdefault(length, set()).update(values_of(here, "learner.base_rate"))
    return any(1 in found and len(found) > 1 for found in rates.values())


def values_of(parts: Mapping[str, xr.Dataset], field: str) -> set[float]:
    """The values that a field of an experiment has in any of its parts."""
    found: set[float] = set()
    for dataset in parts.values():
        config = dataset.attrs["config"]
        if field in config.get("axes", {}):
            found |= set(config["axes"][field])
            continue
        value: Any = config.get("base", {})
        for name in field.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        found |= {value} if value is not None else set()
    return found


def _types(node: Any) -> Iterator[str]:
    """The types of all plug-ins that a configuration names."""
    if isinstance(node, dict):
        if isinstance(node.get("type"), str):
            yield node["type"]
        for value in node.values():
            yield from _types(value)
    elif isinstance(node, (list, tuple)):
        for value in node:
            yield from _types(value)
