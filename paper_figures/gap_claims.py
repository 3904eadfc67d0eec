"""What is claimed about the gap between verifying and generating, and what shipped runs say."""

from __future__ import annotations

from functools import partial

from paper_figures.claims import Certainty, Claim, Condition, Rule
from paper_figures.gap import HALF, UPDATES
from paper_figures.gap_effects import (
    KNOWN,
    from_starts,
    grown,
    grown_at,
    narrow,
    narrow_at,
    removed_more,
)
from paper_figures.gap_loop_claims import NONE, OF_LOOPS, SONG
from paper_figures.pages import Question

QUESTION = Question(
    title="How much better than its policy is a verifier, by model size and by round?",
    sentences=(
        "The gap of policies of three widths was measured as they learned numbers of up to 8 "
        "digits; others, of width 32, that knew their 8 digits trained themselves behind the "
        "truth, a vote over their own samples, and a verifier that learns from a quarter of the "
        "true labels, each on 128 fixed prompts and on a frontier that moves on by a digit a "
        "round.",
        "The gap is what accuracy gains if only what a judge accepts is kept, the relative gap the "
        "share of the errors that this removes; sizes are compared after equal training, and where "
        "equal shares of their answers are right.",
        "Lines and points are means over bases with 95 % t intervals; what loops have learned "
        "stands beside what their untouched base does on the same lengths.",
    ),
    command="python experiments/gap.py --preset shipped",
)
OWN = "mean over five judges that are the policy itself"
ALIKE = f"after {UPDATES} updates each"
OF_BASES = ("bases_*",)
TOGETHER = "Wider policies are better ones here: size and skill are not told apart."
OF_SIZES = (
    Claim(
        name="The relative gap grows with size",
        statement="The larger a policy is, the larger the share of its errors that its own "
        "verifiers remove.",
        source=SONG,
        certainty=Certainty.SECOND_HAND,
        measures=f"mean gap over mean share wrong, width 64 minus width 16, {ALIKE}, {OWN}",
        effect=from_starts(removed_more, starts=KNOWN),
        rule=Rule.above(0),
        qualified_by=Condition(
            f"it does where equal shares of the answers to 8 digits are right ({HALF:g})",
            partial(grown_at, HALF, False),
            Rule.above(0),
        ),
        changes_mind="Policies of several sizes that were trained to equal skill.",
        reads=OF_BASES,
        competing=(
            "Learning to self-verify 2026, arXiv 2602.07594 (its abstract): training to generate "
            "does not train to verify, at any size.",
        ),
        caveats=(
            "A narrow policy that solves hardly anything has no gap: only the second condition "
            "tells size from skill.",
        ),
    ),
    Claim(
        name="Size itself",
        statement="Where equal shares of their answers are right, larger policies have verifiers "
        "that remove a larger share of errors.",
        source="avax, after Song et al. 2025, arXiv 2412.02674",
        certainty=Certainty.OURS,
        measures=f"share of errors removed, width 64 minus width 16, where {HALF:g} of the sampled "
        f"answers to 8 digits is right, {OWN}",
        effect=partial(grown_at, HALF, False),
        rule=Rule.above(0),
        qualified_by=Condition(
            f"so is the gap where {HALF:g} of the greedy answers is right",
            partial(grown_at, HALF, True),
            Rule.above(0),
        ),
        changes_mind="Sizes that are further apart.",
        reads=OF_BASES,
        caveats=(
            "Equal skill is that of samples at temperature 1: of a larger policy more of the "
            "errors may be noise of sampling, which every judge removes.",
            "Each size is read at another moment of its training; bases that jump past the skill "
            "between two snapshots are left out.",
        ),
    ),
    Claim(
        name="The gap itself does not",
        statement="From a size on the gap itself falls, since fewer errors are left.",
        source=SONG,
        certainty=Certainty.SECOND_HAND,
        measures=f"gap (accuracy) of width 64 minus that of width 32, {ALIKE}, {OWN}",
        effect=from_starts(grown, starts=KNOWN),
        rule=Rule.below(0),
        changes_mind="A task that is hard for every size that is compared.",
        reads=OF_BASES,
        caveats=(TOGETHER, "They say that it doesn't grow steadily; that it falls is our reading."),
    ),
    Claim(
        name="Small policies have no gap",
        statement="Small policies have verifiers that are no better than they are.",
        source=SONG,
        certainty=Certainty.SECOND_HAND,
        measures=f"gap (accuracy) of width 16, {ALIKE}, {OWN}; below {NONE:g} it counts as none",
        effect=from_starts(narrow, starts=KNOWN),
        rule=Rule.below(NONE),
        qualified_by=Condition(
            f"they have none where {HALF:g} of their answers to 8 digits is right, either",
            partial(narrow_at, HALF),
            Rule.below(NONE),
        ),
        changes_mind="Smaller policies that solve some of the task.",
        reads=OF_BASES,
        caveats=("A policy that is right on nothing has no gap whatever judges it.",),
    ),
)
CLAIMS = (*OF_SIZES, *OF_LOOPS)
