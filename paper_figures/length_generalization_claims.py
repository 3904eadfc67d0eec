"""What is claimed about how far clean verification carries, and how the shipped runs answer.

The untouched base on the same lengths is round 0, which measures all of them: claims about what the
loop changed are differences from it and need no part of their own for it. Collapse is a difference
from the sham as well, and compounding one from the frozen generator.
"""

from __future__ import annotations

import math
from functools import partial

from paper_figures import length_generalization as found
from paper_figures import length_generalization_falls as falls
from paper_figures.claims import Certainty, Claim, Condition, Rule
from paper_figures.length_generalization_effects import beyond, effect, effects, share
from paper_figures.length_generalization_filter_claims import (
    CLIPPED,
    FAR,
    FAST,
    LEE,
    LOOP,
    OF_FILTERS,
    ONE_RATE,
    SLOW,
    STEADY,
)
from paper_figures.length_generalization_growth import LEAST_GROWTH, POWER
from paper_figures.pages import Question
from paper_figures.standards import Needs

QUESTION = Question(
    title="How far does clean verification carry: from 10 digits to 100?",
    sentences=(
        "Policies that can add numbers of up to 10 digits trained themselves on their own answers: "
        "behind the truth on a frontier of up to 8 lengths a round, to 100 digits; and one digit "
        "longer in every round, to 40, with the truth, no filter, a filter of lengths, and a vote "
        "of five that all train; some of it once more at a lower learning rate.",
        "The solved length is the sum of greedy accuracy over lengths; each base is compared with "
        "itself before the first round, on the same lengths.",
        "Points are means over bases with 95 % t intervals, small dots are bases.",
    ),
    command="python experiments/length_generalization.py --preset shipped",
)
SPEED = Needs(learning_rates=2, replicates=True)
OF_SPEED = ("oracle", "slow", "clipped", "steady", "far", "again")
OF_TRUTH = (*OF_SPEED, "control/steady_*")
LINE = math.log(1.2)  # how far from 0 the logarithm of a power may be of a line

OF_THE_TRUTH = (
    Claim(
        name="To 100 digits",
        statement="Self-training on correct answers alone carries most policies from 10 digits to "
        "100.",
        source=LEE,
        certainty=Certainty.SECOND_HAND,
        measures="share of bases that come to solve 95 digits and more within 45 rounds behind the "
        "truth, up to 8 lengths a round",
        effect=partial(share, falls.TO_100, FAST),
        rule=Rule.above(0.5),
        qualified_by=Condition(
            "gains compound (one digit a round, digits gained less those with a frozen generator)",
            partial(beyond, found.COMPOUNDED, STEADY),
            Rule.above(0),
        ),
        reads=OF_TRUTH,
        changes_mind="A frontier that goes back when nothing is right on it.",
        needs=LOOP,
        caveats=(
            "Theirs has no filter and counts on the policy's answers being right; ours knows the "
            "truth.",
            "Accuracy at each length is of 4 problems.",
            "Of what the frozen base writes nothing is right from some 16 digits on, so that its "
            "student soon trains no more; the arm of up to 8 lengths has no control of its own.",
            ONE_RATE,
        ),
    ),
    Claim(
        name="Faster than linear",
        statement="Behind the truth, posing up to 8 more lengths, the solved length grows faster "
        "than linearly.",
        source="avax",
        certainty=Certainty.OURS,
        measures="logarithm of p where digits grow as round ** p until four fifths of 100 are "
        "solved, of bases that don't stall; that of 1.2 is the least",
        effect=effects(POWER, FAST, SLOW),
        rule=Rule.above(LINE),
        changes_mind="Reaches beyond 8: no more than 8 lengths are posed a round.",
        needs=SPEED,
        reads=OF_SPEED,
        caveats=(
            f"Bases that solve fewer than {LEAST_GROWTH} digits more have stalled and are left "
            "out. The figure of comparisons says which model predicts later rounds better.",
        ),
    ),
    Claim(
        name="A steady frontier",
        statement="Behind the truth, posing one more length in every round, the solved length "
        "grows linearly.",
        source="avax",
        certainty=Certainty.OURS,
        measures="logarithm of the same p over 45 rounds to 55 digits; from 1 / 1.2 to 1.2 it is a "
        "line",
        effect=partial(effect, POWER, FAR),
        rule=Rule.within(-LINE, LINE),
        changes_mind="A frontier that goes on to 100 digits.",
        needs=Needs(replicates=True),
        reads=OF_SPEED,
        caveats=(ONE_RATE, "It poses no more than one length a round."),
    ),
    Claim(
        name="Accelerated schedule",
        statement="Posing all lengths that are solved, and up to 8 more, gets further in as many "
        "rounds than posing one more.",
        source=LEE,
        certainty=Certainty.SECOND_HAND,
        measures="digits solved of the first 40, minus those at one digit a round, same bases, "
        "after 10 rounds",
        effect=partial(effect, found.AHEAD.format(found.REACH), "round 10"),
        rule=Rule.above(0),
        changes_mind="Longer runs of one digit a round.",
        needs=Needs(replicates=True),
        reads=OF_SPEED,
        caveats=("Theirs poses what is solved to 99 %, ours to 50 %.", ONE_RATE),
    ),
    Claim(
        name="What is solved",
        statement="Behind the truth, what is once solved stays solved.",
        source="avax",
        certainty=Certainty.OURS,
        measures="the largest share of what had been solved that in a later round was solved no "
        "more",
        effect=effects(falls.FELL, FAST, SLOW, STEADY),
        rule=Rule.below(0.1),
        changes_mind="A smaller learning rate; more kept rounds.",
        needs=SPEED,
        reads=OF_SPEED,
        caveats=(
            "Most falls are made good within a round or two: see the figure.",
            "A few per cent are noise of 4 problems at each length.",
        ),
    ),
    Claim(
        name="Falls are bursts",
        statement="Late falls are bursts of Adam, whose steps don't shrink with gradients: where "
        "all gradients have one small norm they are shallower, as where steps are smaller.",
        source="avax",
        certainty=Certainty.OURS,
        measures=f"log2 of the deepest fall, in digits, of the {falls.LATE_ROUNDS} rounds after "
        f"{falls.MOST} digits were solved, minus that at 1e-3, same bases",
        effect=effects(falls.LATE_LESS, CLIPPED, SLOW),
        rule=Rule.below(0),
        changes_mind="Falls that stay where the optimizer forgets faster.",
        needs=SPEED,
        reads=OF_SPEED,
        caveats=("Of bases that come so far in both.",),
    ),
)
CLAIMS = (*OF_THE_TRUTH, *OF_FILTERS)
