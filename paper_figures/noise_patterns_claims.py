"""What is claimed about patterns of errors, and how the shipped runs answer."""

from __future__ import annotations

from functools import partial

import numpy as np
import xarray as xr

from avax.analysis import intervals, patterns
from avax.analysis.intervals import Estimate
from paper_figures import noise_patterns as found
from paper_figures.beside import ALL, HALF, horizons, until
from paper_figures.claims import UNKNOWN, Certainty, Claim, Rule, remembered
from paper_figures.pages import Question
from paper_figures.standards import Needs

QUESTION = Question(
    title="Does the pattern of a verifier's errors decide, or only their rate?",
    sentences=(
        "The main job's loop on a range of 16 digits, at three times its learning rate, ran behind "
        "verifiers of equal error rates with different patterns: drawn anew, fixed for each "
        "completion, or on one kind of mistake only; and on labels that were spoilt once in four "
        "ways.",
        "Each pattern is compared, base by base, with independent errors of the same rate, and, "
        "where it was run, with a recipient shuffle, which gives as many false accepts to random "
        "wrong answers.",
        "Points are means over bases with 95 % t intervals, small dots are bases; left of 0 a "
        "pattern does more harm than independent errors.",
    ),
    command="python experiments/noise_patterns.py --preset shipped",
)
EGASHIRA = "Egashira et al. 2026, arXiv 2605.02909, for reinforcement learning"
LEE = "Lee et al. 2025, arXiv 2502.01612, section 8"
NAMES = {"dropped_carry": "dropped carries", "near_miss": "near misses", "long": "too long"}
SHUFFLED = ", less shuffle"
OF_KINDS = ("independent", *NAMES, *(found.SHUFFLES[kind] for kind in NAMES))
OF_REPEATED = ("independent*", "hashed*", found.SHUFFLES["hashed_recurring"])
STRUCTURED = Needs(controls=("untouched base", "recipient shuffle"))
ONE_SHOT = Needs(controls=("untouched base", "sham"))
FEW = "One learning rate; kinds of mistakes differ much between bases."


@remembered
def prepared(*datasets: xr.Dataset | None):
    """The parts by name, and all differences from independent errors."""
    data = found.named(datasets)
    return data, found.differences(found.arms_of(data), data)


def difference(name: str, rate: str, *datasets: xr.Dataset) -> Estimate:
    """Gain minus that with independent errors of the same rate."""
    return intervals.mean(prepared(*datasets)[1][name, rate])


def structure(arm: str, *datasets: xr.Dataset | None) -> Estimate:
    """Gain minus that with a recipient shuffle; not known where that was not run."""
    values = found.structure(prepared(*datasets)[0]).get(arm)
    return UNKNOWN if values is None else intervals.mean(values)


def bred(kind: str, *datasets: xr.Dataset | None) -> Estimate:
    """Share of a kind of mistake behind a verifier that is blind to it, less a perfect one."""
    return intervals.mean(found.bred(prepared(*datasets)[0], kind))


def bred_by_structure(kind: str, *datasets: xr.Dataset | None) -> Estimate:
    """The same less a recipient shuffle; not known where that was not run."""
    values = found.bred(prepared(*datasets)[0], kind, is_shuffled=True)
    return UNKNOWN if values is None else intervals.mean(values)


def selective(fpr: float, horizon: str, *datasets: xr.Dataset) -> Estimate:
    """Gain where all sums with a long carry are rejected, minus that with random rejection of as
    many right answers.
    """
    data, _ = prepared(*datasets)
    arms = (data[name] for name in ("reject_long_carry", "reject_at_random"))
    gains = patterns.selective_difference(*(until(x, horizons(x)[horizon]) for x in arms))
    return intervals.mean(gains.sel(fpr=fpr).isel(fnr=-1).values)


def spoilt(pattern: str, start: int, since: int, *datasets: xr.Dataset) -> np.ndarray:
    """f[S]: accuracy lost `since` rounds after most labels of one round were spoilt."""
    cost = found.excess(prepared(*datasets)[0], pattern).isel(rate=-1, since=since)
    return cost.sel({"label_noise.round": start}).values


def than_uniform(pattern: str, *datasets: xr.Dataset) -> Estimate:
    """Accuracy lost right after labels were spoilt in one way, minus that of uniform noise."""
    lost, uniform = (spoilt(name, 1, 0, *datasets) for name in (pattern, "uniform"))
    return intervals.mean(lost - uniform)


def later(pattern: str, *datasets: xr.Dataset) -> Estimate:
    """Accuracy lost right after labels were spoilt in round 7, minus that in round 1."""
    late, early = (spoilt(pattern, start, 0, *datasets) for start in (7, 1))
    return intervals.mean(late - early)


def of_kinds(effect, *args, less: str = "") -> dict:
    return {f"{name}{less}": partial(effect, kind, *args) for kind, name in NAMES.items()}


CLAIMS = (
    Claim(
        name="Structured errors at the rate of the whole run",
        statement="Systematic false positives do more harm than independent ones of the same rate "
        "over the run.",
        source=EGASHIRA,
        certainty=Certainty.SECOND_HAND,
        measures="accuracy gained minus that with independent errors, at equal FPR over the run, "
        "and minus that with a recipient shuffle: as many false accepts in each round, given to "
        "random wrong answers",
        effect=of_kinds(difference, "run_fpr") | of_kinds(structure, less=SHUFFLED),
        rule=Rule.below(0),
        changes_mind="A recipient shuffle that does as much harm, at other learning rates.",
        needs=STRUCTURED,
        reads=OF_KINDS,
        caveats=(
            "Rates of independent errors are matched after the fact, by interpolation.",
            FEW,
        ),
    ),
    Claim(
        name="Structured errors at the rate before training",
        statement="The FPR that is measured before training understates the harm of a verifier "
        "that is blind to one kind of mistake.",
        source="avax, after Egashira et al. 2026, arXiv 2605.02909",
        certainty=Certainty.OURS,
        measures="accuracy gained minus that with independent errors, at equal FPR on the base's "
        "own mistakes",
        effect=of_kinds(difference, "base_fpr"),
        rule=Rule.below(0),
        changes_mind="Bases whose mistakes are of more than one kind.",
        needs=STRUCTURED,
        reads=OF_KINDS,
        caveats=(
            "Where nearly all of a base's mistakes are too long, other kinds start near 0.",
            FEW,
        ),
    ),
    Claim(
        name="Errors that repeat",
        statement="Errors fixed for each problem and answer do more harm than errors drawn anew.",
        source="avax, after Egashira et al. 2026, arXiv 2605.02909",
        certainty=Certainty.OURS,
        measures="accuracy gained minus that with independent errors, at equal FPR; on recurring "
        "problems also minus that with a recipient shuffle, below FPR 1",
        effect={
            "fresh problems": partial(difference, "hashed", "base_fpr"),
            "128 recurring problems": partial(difference, "recurring", "base_fpr"),
            f"128 recurring problems{SHUFFLED}": partial(structure, "hashed_recurring"),
        },
        rule=Rule.below(0),
        changes_mind="Several samples a problem; more rounds on fewer problems.",
        needs=STRUCTURED,
        reads=OF_REPEATED,
        caveats=(FEW,),
    ),
    Claim(
        name="Blindness breeds",
        statement="A verifier that is blind to one kind of mistake breeds it.",
        source=EGASHIRA,
        certainty=Certainty.SECOND_HAND,
        measures="share of the kind among the mistakes of the last 5 rounds, minus that with a "
        "perfect verifier and minus that with a recipient shuffle",
        effect=of_kinds(bred) | of_kinds(bred_by_structure, less=SHUFFLED),
        rule=Rule.above(0),
        changes_mind="A blind verifier whose kind grows no more than under a recipient shuffle.",
        needs=STRUCTURED,
        reads=OF_KINDS,
        caveats=("A perfect verifier leaves few mistakes, whose kinds vary.", FEW),
    ),
    Claim(
        name="Selective rejection",
        statement="Right answers rejected by a pattern cost no more than as many at random.",
        source=EGASHIRA,
        certainty=Certainty.SECOND_HAND,
        measures="accuracy gained minus that with random rejection, at an FNR of 0.19",
        effect={
            f"FPR {fpr:g}, {horizon}": partial(selective, fpr, horizon)
            for fpr in (0.0, 0.05)
            for horizon in (HALF, ALL)
        },
        rule=Rule.above(-0.05),
        horizons=(5, 10),
        changes_mind="Many more rounds, if rejection only delays.",
        needs=Needs(controls=("untouched base",), horizons=2, replicates=True),
        caveats=("At FPR 0.05 runs of one base differ by as much as bases do.", FEW),
    ),
    Claim(
        name="Structured label noise",
        statement="Labels spoilt in a structured way do more harm than uniformly random ones.",
        source=LEE,
        certainty=Certainty.SECOND_HAND,
        measures="accuracy lost right after 60 % of round 1's labels were spoilt, minus that of "
        "uniform noise",
        effect={name: partial(than_uniform, name) for name in ("digit", "drop", "perturb")},
        rule=Rule.above(0),
        changes_mind="Noise of equal size in digits.",
        needs=ONE_SHOT,
        caveats=("Uniform noise spoils more digits here, and theirs spoils prompts as well.",),
    ),
    Claim(
        name="Late label noise",
        statement="Labels that are spoilt do less harm the later it happens.",
        source=LEE,
        certainty=Certainty.SECOND_HAND,
        measures="accuracy lost right after 60 % of round 7's labels were spoilt, minus round 1's",
        effect={name: partial(later, name) for name in found.SPOILT},
        rule=Rule.below(0),
        changes_mind="Many more rounds in between.",
        needs=ONE_SHOT,
        caveats=(FEW,),
    ),
)
