"""What is claimed about the other laws of the boundary, which read less of the loop."""

from __future__ import annotations

from functools import partial

from paper_figures.law import ALL, FROZEN, HORIZONS, MAP, SHAM, UNFILTERED, bounded, missing
from paper_figures.law_effects import CONSTANT, beyond, own
from paper_figures.law_ends import BEYOND, MISSING, OWN, OWN_ENDS, OWN_MISSING, scored
from paper_figures.law_loops import MEANS
from paper_figures.law_places import FIXED, NEW

PREDICTED = (
    "The law was written down before these runs, and so were the numbers that it gives of most of "
    "them (docs/log.md: commits 1ee1692, ddf2b70, a04c5fd)."
)
OTHER_LAWS = (
    scored(
        "The law of the unfiltered loop",
        "After all rounds a boundary is 1 / (1 + 2 L / (1 - a)), with L what the loop loses "
        "without a filter and a the accuracy of the base, to a quarter.",
        OWN,
        partial(own, UNFILTERED, bounded),
        tuple(NEW),
        (ALL,),
        "It was found on the first three configurations (commit 5e5c66c), and is scored on those "
        "that were run when seven had been looked at.",
        OWN_ENDS,
    ),
    scored(
        "The unfiltered loop and a constant",
        "The law of the unfiltered loop is nearer than one number for all, the geometric mean of "
        "the boundaries that were known.",
        BEYOND,
        partial(beyond, UNFILTERED, CONSTANT, bounded),
        tuple(NEW),
        (ALL,),
        OWN_ENDS,
    ),
    scored(
        "The settled law, from a sham",
        "1 - eps / (1 - a), with eps what a sham loses of the base's accuracy a, is the boundary "
        "of a loop at rest, to a quarter.",
        OWN,
        partial(own, SHAM, bounded),
        FIXED,
        (ALL,),
        PREDICTED,
        MEANS,
        "Read at the last horizon, where no loop is quite at rest.",
    ),
    scored(
        "What the settled law says is missing to 1",
        "A boundary at rest is eps / (1 - a) away from no information, FPR / (1 - FNR) = 1, with "
        "eps of a sham, to a quarter.",
        OWN_MISSING,
        partial(own, SHAM, missing),
        FIXED,
        (ALL,),
        PREDICTED,
        MISSING,
        MEANS,
    ),
    scored(
        "The settled law, from a frozen generator",
        "1 - eps / (1 - a), with eps what a loop loses of the base's accuracy a on what the frozen "
        "base writes, is the boundary of a loop at rest, to a quarter.",
        OWN,
        partial(own, FROZEN, bounded),
        FIXED,
        (ALL,),
        PREDICTED,
        MEANS,
    ),
    scored(
        "The settled law and a constant",
        "The settled law, from a sham, is nearer than one number for all, the geometric mean of "
        "the boundaries that were known.",
        BEYOND,
        partial(beyond, SHAM, CONSTANT, bounded),
        tuple(NEW),
        (ALL,),
        PREDICTED,
    ),
    scored(
        "The map by length",
        "A map of what is learned of each length, in which a wrong label outweighs 1.94 right "
        "ones, predicts boundaries at all horizons, to a quarter.",
        OWN,
        partial(own, MAP, bounded),
        FIXED[1:],
        HORIZONS,
        PREDICTED,
        MEANS,
        "It was fitted on 10 rounds of what is here the reference, which is left out.",
    ),
)
