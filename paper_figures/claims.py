"""Claims that compute themselves: an effect is a function of data, a verdict one of the effect."""

from __future__ import annotations

import enum
import fnmatch
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import xarray as xr

from avax.analysis import intervals
from avax.analysis.intervals import Estimate
from paper_figures.standards import Needs

Effect = Callable[..., Estimate]  # of an experiment's datasets, in the order of its parts
UNKNOWN = Estimate(*[math.nan] * 3, 0)  # what data say of a control that was not run
ARXIV = re.compile(r"arXiv \d{4}\.\d{4,5}")


class Verdict(enum.StrEnum):
    SUPPORTS = "supports"
    QUALIFIES = "qualifies"
    CONTRADICTS = "contradicts"
    UNDECIDED = "undecided"


class Certainty(enum.StrEnum):
    """How sure we are that a source says what we make it say."""

    READ = "read in the paper"
    SECOND_HAND = "second-hand"
    OURS = "our own"


@dataclass(frozen=True)
class Rule:
    """Values that an effect has to have if a claim holds.

    A claim is supported if the whole interval lies among them, contradicted if none of it does, and
    else undecided.
    """

    low: float = -math.inf
    high: float = math.inf

    @classmethod
    def above(cls, low: float) -> Rule:
        return cls(low=low)

    @classmethod
    def below(cls, high: float) -> Rule:
        return cls(high=high)

    @classmethod
    def within(cls, low: float, high: float) -> Rule:
        return cls(low, high)

    def __str__(self) -> str:
        if math.isinf(self.high):
            return f"above {self.low:g}"
        if math.isinf(self.low):
            return f"below {self.high:g}"
        return f"between {self.low:g} and {self.high:g}"

    def verdict(self, estimate: Estimate) -> Verdict:
        """The verdict on one estimate; an unknown one decides nothing."""
        value, low, high, _ = estimate
        if any(map(math.isnan, (value, low, high))):
            return Verdict.UNDECIDED
        above = self.low < low or math.isinf(self.low)
        if above and (high < self.high or math.isinf(self.high)):
            return Verdict.SUPPORTS
        return Verdict.CONTRADICTS if high < self.low or low > self.high else Verdict.UNDECIDED

    def p_value(self, estimate: Estimate) -> float:
        """P of the verdict on an estimate: 1 if it is undecided, NaN if the estimate is unknown."""
        if self.verdict(estimate) == Verdict.UNDECIDED:
            return math.nan if math.isnan(estimate.value) else 1.0
        ends = (end for end in (self.low, self.high) if math.isfinite(end))
        return max((float(intervals.p_value(estimate, end)) for end in ends), default=0.0)


@dataclass(frozen=True)
class Condition:
    """A second condition: a claim that holds without it is qualified.

    Attributes:
      words: what it says, as the end of "if also".
    """

    words: str
    effect: Effect
    rule: Rule


@dataclass(frozen=True)
class Claim:
    """A statement, and how it is tested.

    Attributes:
      name: of a few words, unique.
      statement: one sentence that may be wrong.
      source: who says so, with an arXiv number unless it is our own.
      certainty: how sure we are that the source says it.
      measures: what the effect is, with its unit.
      effect: of the experiment's datasets; or several by name, that all have to obey the rule.
      rule: values that the effect has if the claim holds.
      changes_mind: what would change our mind.
      needs: without what data decide nothing.
      horizons: rounds that the effect is read at, if they are not the last alone.
      qualified_by: a second condition, if there is one.
      caveats: what a reader should know before believing it.
      competing: reports that say otherwise.
      shipped: folders of shipped data that it is of; the figure's first by default.
      reads: parts that the effect is of, and their controls, as patterns; what is needed has to be
        there. All by default.
    """

    name: str
    statement: str
    source: str
    certainty: Certainty
    measures: str
    effect: Effect | Mapping[str, Effect]
    rule: Rule
    changes_mind: str
    needs: Needs = field(default_factory=Needs)
    horizons: tuple[int, ...] = ()
    qualified_by: Condition | None = None
    caveats: tuple[str, ...] = ()
    competing: tuple[str, ...] = ()
    shipped: tuple[str, ...] = ()
    reads: tuple[str, ...] = ("*",)

    def __post_init__(self) -> None:
        Certainty(self.certainty)
        if self.certainty != Certainty.OURS and not ARXIV.search(self.source):
            raise ValueError(f"{self.name}: source: must have an arXiv number: {self.source}")

    @property
    def effects(self) -> dict[str, Effect]:
        """The effects by name; "" is that of the only one."""
        return {"": self.effect} if callable(self.effect) else dict(self.effect)


@dataclass(frozen=True)
class Judgement:
    """What data say of a claim.

    Attributes:
      reason: why the verdict is what it is.
      estimates: by the names of the claim's effects.
      second: of the claim's second condition.
    """

    verdict: Verdict
    reason: str
    estimates: dict[str, Estimate]
    second: Estimate | None = None


def remembered(prepare: Callable) -> Callable:
    """A function of datasets that is computed once for all effects that begin with it: the last
    result is kept, for the very same datasets.
    """
    last: list = [(), None]

    def found(*datasets: xr.Dataset):
        is_same = len(last[0]) == len(datasets)
        if not is_same or any(a is not b for a, b in zip(last[0], datasets, strict=True)):
            last[:] = [datasets, prepare(*datasets)]
        return last[1]

    return found


def judge(claim: Claim, parts: Mapping[str, xr.Dataset | None]) -> Judgement:
    """The verdict that follows from data; nobody types one.

    Args:
      parts: the datasets by part, in the order in which effects take them; None for a control that
        was not run.
    """
    estimates = {name: effect(*parts.values()) for name, effect in claim.effects.items()}
    each = {name: claim.rule.verdict(estimate) for name, estimate in estimates.items()}
    verdict, reason = _combined(claim, each, estimates)
    condition, second = claim.qualified_by, None
    if condition is not None:
        second = condition.effect(*parts.values())
        verdict, reason = _qualified(verdict, reason, condition, condition.rule.verdict(second))
    # What was not measured, as of a control that was not run, is said to be so.
    nums = [x.num for x in [*estimates.values(), *([second] if second else [])] if x.num]
    num_bases = min(nums, default=0)
    there = {
        name: x
        for name, x in parts.items()
        if x is not None and any(fnmatch.fnmatchcase(name, pattern) for pattern in claim.reads)
    }
    if lacks := claim.needs.lacks(there, num_bases, len(claim.horizons) or 1):
        alone = f"by the interval alone: {verdict}" if verdict != Verdict.UNDECIDED else reason
        return Judgement(Verdict.UNDECIDED, f"{lacks} ({alone})", estimates, second)
    return Judgement(verdict, reason, estimates, second)


def _combined(
    claim: Claim, each: Mapping[str, Verdict], estimates: Mapping[str, Estimate]
) -> tuple[Verdict, str]:
    """One verdict from those on all effects: all have to agree."""
    kinds = set(each.values())
    if kinds == {Verdict.SUPPORTS}:
        return Verdict.SUPPORTS, f"all of the interval is {claim.rule}"
    if kinds == {Verdict.CONTRADICTS}:
        return Verdict.CONTRADICTS, f"none of the interval is {claim.rule}"
    found = {kind: ", ".join(n for n, x in each.items() if x == kind) for kind in kinds}
    words = {"holds": Verdict.SUPPORTS, "does not hold": Verdict.CONTRADICTS}
    told = [f"{word} for {found[kind]}" for word, kind in words.items() if kind in kinds]
    if any(math.isnan(estimate.value) for estimate in estimates.values()):
        told.append("not all is measured")
    elif Verdict.UNDECIDED in kinds:
        where = f" for {found[Verdict.UNDECIDED]}" if len(each) > 1 else ""
        told.append(f"only a part of the interval is {claim.rule}{where}")
    if not {Verdict.SUPPORTS, Verdict.CONTRADICTS} <= kinds:
        return Verdict.UNDECIDED, ", ".join(told)
    if _as_a_family(claim.rule, each, estimates):
        return Verdict.QUALIFIES, ", ".join(told)
    return Verdict.UNDECIDED, f"{', '.join(told)}, but not beyond doubt as one of {len(each)}"


def _as_a_family(rule: Rule, each: Mapping, estimates: Mapping[str, Estimate]) -> bool:
    """Whether a rule holds for some effects and not for others also where all are read together,
    adjusted by Holm. (Where all have to agree, nothing is to be adjusted.)
    """
    adjusted = intervals.holm([rule.p_value(estimates[name]) for name in each])
    sure = {x for x, p in zip(each.values(), adjusted, strict=True) if p < 1 - intervals.COVERAGE}
    return {Verdict.SUPPORTS, Verdict.CONTRADICTS} <= sure


def _qualified(
    verdict: Verdict, reason: str, condition: Condition, found: Verdict
) -> tuple[Verdict, str]:
    """The verdict on a claim that has a second condition, of which this was found."""
    if verdict != Verdict.SUPPORTS or found == Verdict.SUPPORTS:
        return verdict, reason
    if found == Verdict.CONTRADICTS:
        return Verdict.QUALIFIES, f"{reason}, but not so that {condition.words}"
    return Verdict.UNDECIDED, f"{reason}, but whether {condition.words} is open"
