"""What is claimed about the law of the boundary from both ends, and how laws are scored."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from avax.analysis.intervals import Estimate
from paper_figures.claims import Certainty, Claim, Rule
from paper_figures.law import ENDS, EVEN, HORIZONS, LINEAR, bounded, missing
from paper_figures.law_effects import CONSTANT, beyond, error_between, own
from paper_figures.law_loops import NEEDS, ROUNDS
from paper_figures.law_places import FIXED, NEW
from paper_figures.standards import HEADLINE, Needs

AFTER = (
    "It was found on seven configurations (commit a7de7e6) and is scored on fine-tuning on a fixed "
    "range that was run afterwards; frontiers and group-relative learning have claims of their own."
)
BOTH = (
    "Configurations are changes of one reference, with its range of lengths and most with its very "
    "bases; those of 512 problems and of 128 updates have other ones, of another processor. "
    "Boundaries beyond what was run are left out."
)
MISSING = (
    "This scale was taken when these runs were known. A small boundary lacks nearly 1, whatever is "
    "predicted; as little as 0.05 stands for all that is less."
)
OWN_ENDS = (
    "It reads the loop's own runs at both ends, between which a boundary is interpolated, above "
    "0.7 from the run without a filter itself: what is said is how gains fall between these ends."
)
TOLERANCE = round(math.log(1.25), 3)
AT_REST = Needs(HEADLINE, ("untouched base", "sham"), learning_rates=2)
OWN = (
    "root mean square over configurations of log(predicted / measured boundary), without the noise "
    "of the measurement",
    Rule.below(TOLERANCE),
)
OWN_MISSING = (
    "root mean square over configurations of log((1 - predicted) / (1 - measured boundary)), "
    "without the noise of the measurement",
    Rule.below(TOLERANCE),
)
BEYOND_MISSING = (
    "mean square over configurations of log((1 - predicted) / (1 - measured boundary)), minus that "
    "of the other",
    Rule.below(0),
)
BEYOND = (
    "mean square over configurations of log(predicted / measured boundary), minus that of the "
    "other",
    Rule.below(0),
)


def scored(
    name: str,
    statement: str,
    measures: tuple[str, Rule],
    effect: Callable[..., Estimate],
    only: tuple[str, ...],
    horizons: tuple[str, ...],
    *caveats: str,
) -> Claim:
    """The errors of a law over configurations, or of two beside each other."""
    return Claim(
        name=name,
        statement=statement,
        source="avax (avax/analysis/law.py)",
        certainty=Certainty.OURS,
        measures=measures[0],
        effect={h: partial(effect, h, only, FIXED) for h in horizons},
        rule=measures[1],
        changes_mind="Another base, another task, another range of lengths.",
        needs=NEEDS if len(horizons) > 1 else AT_REST,
        horizons=ROUNDS[-len(horizons) :],
        caveats=(BOTH, *caveats),
        shipped=FIXED,
    )


LAWS = (
    scored(
        "The law from both ends",
        "Of fine-tuning on a fixed range a boundary is 1 / (1 + (1 + k) L / G), with G what the "
        "loop gains where no wrong answer is accepted, L what it loses without a filter, and k = "
        "3.9, 1.9, 0.7 after a quarter, a half and all of the rounds, to a quarter.",
        OWN,
        partial(own, ENDS, bounded),
        tuple(NEW),
        HORIZONS,
        AFTER,
        OWN_ENDS,
    ),
    scored(
        "What is missing to 1",
        "The law from both ends says to a quarter, too, how far the boundary is from no "
        "information, FPR / (1 - FNR) = 1.",
        OWN_MISSING,
        partial(own, ENDS, missing),
        tuple(NEW),
        HORIZONS,
        AFTER,
        MISSING,
        OWN_ENDS,
    ),
    scored(
        "What is missing to 1, and a constant",
        "How far a boundary is from no information, FPR / (1 - FNR) = 1, the law from both ends "
        "says better than one number for all, the geometric mean of those that were known.",
        BEYOND_MISSING,
        partial(beyond, ENDS, CONSTANT, missing),
        tuple(NEW),
        HORIZONS,
        AFTER,
        MISSING,
        OWN_ENDS,
    ),
    scored(
        "Both ends and a constant",
        "The law from both ends is nearer than one number for all, the geometric mean of the "
        "boundaries that were known.",
        BEYOND,
        partial(beyond, ENDS, CONSTANT, bounded),
        tuple(NEW),
        HORIZONS,
        AFTER,
        OWN_ENDS,
    ),
    scored(
        "Both ends and a straight line",
        "The law from both ends is nearer than a straight line in the ratio between the same ends.",
        BEYOND,
        partial(beyond, ENDS, LINEAR, bounded),
        tuple(NEW),
        HORIZONS,
        AFTER,
    ),
    scored(
        "Both ends and no fitted number",
        "The law from both ends, with its three fitted k, is nearer than with k = 1 at all "
        "horizons.",
        BEYOND,
        partial(beyond, ENDS, EVEN, bounded),
        tuple(NEW),
        HORIZONS,
        AFTER,
    ),
    Claim(
        name="Gains between both ends",
        statement="At the ratios between, too, gains are nearer to the law from both ends than to "
        "a straight line.",
        source="avax (avax/analysis/law.py)",
        certainty=Certainty.OURS,
        measures="root mean square over four ratios and configurations of the law's gain less the "
        "measured one, minus that of a straight line",
        effect={h: partial(error_between, h, tuple(NEW), FIXED) for h in HORIZONS},
        rule=Rule.below(0),
        changes_mind="Another base, another task, another range of lengths.",
        needs=NEEDS,
        horizons=ROUNDS,
        caveats=(AFTER, BOTH, "The interval is over bases."),
        shipped=FIXED,
    ),
)
