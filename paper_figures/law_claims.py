"""What is claimed about laws of the boundary, and how shipped runs answer."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import partial

from paper_figures import law_scores
from paper_figures.claims import Certainty, Claim, Rule
from paper_figures.law import ALL, ENDS, FROZEN, HORIZONS, MAP, SHAM, UNFILTERED
from paper_figures.law_effects import (
    FIXED,
    FOUND_ON,
    NEW,
    PLACES,
    at_both_ends,
    between_ends,
    score,
)
from paper_figures.law_loops import LOOPS, NEEDS, ROUNDS, SAME_BASES
from paper_figures.pages import Question
from paper_figures.standards import HEADLINE, Needs

SHIPPED = tuple(PLACES)
QUESTION = Question(
    title="Can the boundary of a loop be predicted?",
    sentences=(
        "Loops that differ in one thing each from the main job's on its fixed range ran behind "
        "verifiers of six FPRs; a sham and a frozen generator without a filter tell what training "
        "spoils by itself.",
        "Laws (docs/law.md) say from these, or from the loop behind a perfect verifier and without "
        "a filter, where the boundary lies: FPR / (1 - FNR) above which a loop ends worse than its "
        "base, in the mean over bases.",
        "Accuracy is averaged over the last quarter of the rounds up to a quarter, a half and all "
        "of them; what lies beyond all that was run stands at its end.",
    ),
    command="python experiments/law.py --preset shipped",
    added=tuple(f"--configuration {folder.removeprefix('law_')}" for folder in SHIPPED[1:]),
)
PREDICTED = "What it says of most was committed before the runs that it is of (docs/log.md)."
AFTER = (
    f"It was found on {len(FOUND_ON)} configurations and is scored on those alone that were run "
    "when it had been committed."
)
BOTH = (
    "The interval is over bases and over configurations, which share their bases and their range "
    "of lengths."
)
CONSTANT = "The constant is the best for these very boundaries; the law has seen none of them."
OWN_ENDS = (
    "It reads the loop's own runs without errors and without a filter, between which a boundary is "
    "interpolated: what is predicted is how gains fall between these ends."
)
QUARTER = math.log(1.25)
AT_REST = Needs(HEADLINE, ("untouched base", "sham"), learning_rates=2)


def scored(
    name: str,
    statement: str,
    rule: str,
    measures: tuple[Callable, str, Rule],
    only: Iterable[str],
    horizons: tuple[str, ...],
    *caveats: str,
) -> Claim:
    """A law's errors over configurations, at one horizon or more."""
    measure, words, threshold = measures
    return Claim(
        name=name,
        statement=statement,
        source="avax (avax/analysis/law.py)",
        certainty=Certainty.OURS,
        measures=words,
        effect={h: partial(score, rule, h, measure, only, FIXED) for h in horizons},
        rule=threshold,
        changes_mind="Another base, another task, another range of lengths.",
        needs=NEEDS if len(horizons) > 1 else AT_REST,
        horizons=ROUNDS[-len(horizons) :],
        caveats=(BOTH, *caveats),
        shipped=FIXED,
    )


TYPICAL = (
    law_scores.typical,
    "root mean square over configurations of log(predicted / measured boundary)",
    Rule.below(round(QUARTER, 3)),
)
OVER_CONSTANT = (
    law_scores.over_constant,
    "the same, minus that of the best constant",
    Rule.below(0),
)
OWN = (
    law_scores.own,
    "mean square of log(predicted / measured boundary), minus what noise of the measurement gives",
    Rule.below(0.01),
)


def follows(name: str, statement: str, rule: str) -> Claim:
    """A law predicts trajectories, too."""
    return Claim(
        name=name,
        statement=statement,
        source="avax (avax/analysis/law.py)",
        certainty=Certainty.OURS,
        measures="predicted minus measured mean accuracy, root mean square over rounds and "
        "configurations",
        effect=at_both_ends(rule, FIXED),
        rule=Rule.below(0.05),
        changes_mind="Loops that move as fast as it says.",
        needs=NEEDS,
        horizons=ROUNDS,
        caveats=(SAME_BASES,),
        shipped=FIXED,
    )


CLAIMS = (
    scored(
        "The law from both ends",
        "A boundary is 1 / (1 + (1 + k) L / G), with G what the loop gains behind a perfect "
        "verifier, L what it loses without one, and k = 3.9, 1.9, 0.7 after a quarter, a half and "
        "all of the rounds, typically to a quarter.",
        ENDS,
        TYPICAL,
        tuple(NEW or FOUND_ON),
        HORIZONS,
        AFTER,
        OWN_ENDS,
    ),
    scored(
        "Both ends and the noise",
        "But for noise of the measurement, the law from both ends is right to 10 %.",
        ENDS,
        OWN,
        tuple(NEW or FOUND_ON),
        HORIZONS,
        AFTER,
        OWN_ENDS,
    ),
    Claim(
        name="Gains between both ends",
        statement="At all ratios between, gains are L less than nothing at no filter, G at no "
        "errors, and in between linear in (1 - ratio) / (1 + k ratio), to 0.05 of accuracy.",
        source="avax (avax/analysis/law.py)",
        certainty=Certainty.OURS,
        measures="predicted minus measured mean gain, root mean square over four ratios and "
        "configurations",
        effect={h: partial(between_ends, h, tuple(NEW or FOUND_ON), FIXED) for h in HORIZONS},
        rule=Rule.below(0.05),
        changes_mind="Another base, another task, another range of lengths.",
        needs=NEEDS,
        horizons=ROUNDS,
        caveats=(AFTER, SAME_BASES),
        shipped=FIXED,
    ),
    scored(
        "Both ends and a constant",
        "The law from both ends predicts boundaries better than one number for all loops.",
        ENDS,
        OVER_CONSTANT,
        tuple(NEW or FOUND_ON),
        HORIZONS,
        AFTER,
        CONSTANT,
    ),
    scored(
        "The law of the unfiltered loop",
        "After all rounds a boundary is 1 / (1 + 2 L / (1 - a)), with L what the loop loses "
        "without a filter and a the accuracy of the base, typically to a quarter.",
        UNFILTERED,
        TYPICAL,
        tuple(NEW or FOUND_ON),
        (ALL,),
        "It was found on the first three configurations, and is scored on those that were run when "
        "seven had been looked at.",
    ),
    scored(
        "The unfiltered loop and a constant",
        "The law of the unfiltered loop predicts boundaries better than one number for all loops.",
        UNFILTERED,
        OVER_CONSTANT,
        tuple(NEW or FOUND_ON),
        (ALL,),
        CONSTANT,
    ),
    scored(
        "The settled law, from a sham",
        "1 - eps / (1 - a), with eps what a sham loses of the base's accuracy a, is the boundary "
        "of a loop at rest, typically to a quarter.",
        SHAM,
        TYPICAL,
        FIXED,
        (ALL,),
        PREDICTED,
        "Read at the last horizon, where no loop is quite at rest.",
    ),
    scored(
        "The settled law, from a frozen generator",
        "The same with eps from what is lost on what the frozen base writes.",
        FROZEN,
        TYPICAL,
        FIXED,
        (ALL,),
        PREDICTED,
    ),
    scored(
        "The settled law and a constant",
        "The settled law, from a sham, predicts boundaries better than one number for all loops.",
        SHAM,
        OVER_CONSTANT,
        FIXED,
        (ALL,),
        PREDICTED,
        CONSTANT,
    ),
    scored(
        "The map by length",
        "A map of what is learned of each length, in which a wrong label outweighs 1.94 right "
        "ones, predicts boundaries at all horizons, typically to a quarter.",
        MAP,
        TYPICAL,
        FIXED,
        HORIZONS,
        PREDICTED,
        "It was fitted on 10 rounds of what is here the reference, with other draws.",
    ),
    scored(
        "The map and a constant",
        "The map by length predicts boundaries better than one number for all loops.",
        MAP,
        OVER_CONSTANT,
        FIXED,
        HORIZONS,
        CONSTANT,
    ),
    follows(
        "The settled law as a map",
        "Taken as a map from round to round, the settled law predicts accuracy behind a verifier "
        "without errors and without a filter to 0.05.",
        SHAM,
    ),
    follows(
        "The map by length as a map",
        "The map by length predicts the same to 0.05.",
        MAP,
    ),
    *LOOPS,
)
