"""What is claimed about how far clean verification carries, and how the shipped runs answer.

The untouched base on the same lengths is round 0, which measures all of them: claims about what the
loop changed are differences from it and need no part of their own for it. Collapse is a difference
from the sham as well, and compounding one from the frozen generator.
"""

from __future__ import annotations

from functools import partial

from paper_figures import length_generalization as found
from paper_figures.claims import Certainty, Claim, Condition, Rule
from paper_figures.length_generalization_effects import beyond, effect, effects, less
from paper_figures.length_generalization_filter_claims import (
    FAST,
    LEE,
    LOOP,
    OF_FILTERS,
    ONE_RATE,
    SLOW,
    STEADY,
)
from paper_figures.length_generalization_growth import (
    FASTER,
    HEADING,
    LEAST,
    LINEAR,
    SATURATING,
)
from paper_figures.pages import Question
from paper_figures.standards import Needs

QUESTION = Question(
    title="How far does clean verification carry: from 10 digits to 100?",
    sentences=(
        "Policies that can add numbers of up to 10 digits trained themselves on their own answers: "
        "behind the truth on a frontier of up to 8 lengths a round, to 100 digits; and one digit "
        "longer in every round, to 40, with the truth, no filter, a filter of lengths, a vote of "
        "five that all train, and plain order of digits; some of it once more at a lower learning "
        "rate.",
        "The solved length is the sum of greedy accuracy over lengths; each base is compared with "
        "itself before the first round, on the same lengths.",
        "Points are means over bases with 95 % t intervals, small dots are bases.",
    ),
    command="python experiments/length_generalization.py --preset shipped",
)
SPEED = Needs(learning_rates=2, replicates=True)
OF_SPEED = ("oracle", "slow", "steady", "again")
OF_TRUTH = (*OF_SPEED, "control/steady_*")
OF_PLAIN = ("plain", "steady", "again", "control/steady_*")


OF_THE_TRUTH = (
    Claim(
        name="To 100 digits",
        statement="Self-training on correct answers alone carries sums from 10 digits to 100.",
        source=LEE,
        certainty=Certainty.SECOND_HAND,
        measures="digits solved after 45 rounds behind the truth, up to 8 lengths a round, minus "
        "the untouched base's",
        effect=effects(found.GAINED, FAST, SLOW),
        rule=Rule.above(80),
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
        ),
    ),
    Claim(
        name="Faster than linear",
        statement="Behind the truth, posing up to 8 more lengths, the solved length grows ever "
        "faster: that predicts it better than a line, and than growth that comes to rest.",
        source="avax",
        certainty=Certainty.OURS,
        measures="logarithm of the error with which growth by a share in each round, fitted to two "
        "thirds of the rounds until nearly all is solved, predicts the others, minus that of the "
        "other models",
        effect={
            f"{arm}, {other}": partial(effect, HEADING.format(FASTER, other), arm)
            for arm in (FAST, SLOW)
            for other in (LINEAR, SATURATING)
        },
        rule=Rule.below(0),
        changes_mind="Reaches beyond 8: no more than 8 lengths are posed a round.",
        needs=SPEED,
        reads=OF_SPEED,
        caveats=(f"Bases that solve nearly all within {LEAST} rounds are left out.",),
    ),
    Claim(
        name="A steady frontier",
        statement="Behind the truth, posing one more length in every round, the solved length "
        "grows linearly.",
        source="avax",
        certainty=Certainty.OURS,
        measures="the same, of a line minus growth that comes to rest, and with the sign changed "
        "minus ever faster growth",
        effect={
            SATURATING: partial(effect, HEADING.format(LINEAR, SATURATING), STEADY),
            FASTER: partial(less, HEADING.format(FASTER, LINEAR), STEADY),
        },
        rule=Rule.below(0),
        changes_mind="A frontier that goes on beyond 40 digits.",
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
        measures="digits solved of the first 40, minus those at one digit a round, same bases",
        effect=effects(found.AHEAD.format(found.REACH), "round 10", "round 20"),
        rule=Rule.above(0),
        changes_mind="Longer runs of one digit a round.",
        needs=SPEED,
        reads=OF_SPEED,
        horizons=(10, 20),
        caveats=("Theirs poses what is solved to 99 %, ours to 50 %.",),
    ),
    Claim(
        name="What is solved",
        statement="Behind the truth, what is once solved stays solved.",
        source="avax",
        certainty=Certainty.OURS,
        measures="the most digits by which the solved length fell below what it had been",
        effect=effects(found.FELL, FAST, SLOW, STEADY),
        rule=Rule.below(5),
        changes_mind="A smaller learning rate; more kept rounds.",
        needs=SPEED,
        reads=OF_SPEED,
        caveats=("Most falls are made good within a round or two: see the figure.",),
    ),
    Claim(
        name="Falls are of the learning rate",
        statement="At a third of the learning rate less falls of what was once solved.",
        source="avax",
        certainty=Certainty.OURS,
        measures="the deepest fall at a rate of 3e-4 minus that at 1e-3, digits, same bases",
        effect=partial(effect, found.FELL_LESS, ""),
        rule=Rule.below(0),
        changes_mind="Falls that stay when the optimizer forgets faster.",
        needs=SPEED,
        reads=OF_SPEED,
        caveats=("What is solved more slowly has fewer rounds in which to fall.",),
    ),
    Claim(
        name="What falls",
        statement="In a fall the longest lengths are lost and the short ones are kept, as when "
        "every digit errs a little more often.",
        source="avax",
        certainty=Certainty.OURS,
        measures="in the round of the deepest fall, of 5 digits or more, share right of 1 to 10 "
        "digits minus that of the longer ones that had been solved",
        effect=partial(effect, found.DIP, FAST),
        rule=Rule.above(0.2),
        changes_mind="Falls of some lengths alone.",
        needs=SPEED,
        reads=OF_SPEED,
    ),
    Claim(
        name="Plain order",
        statement="Sums written most significant digit first go as far as reversed ones.",
        source=LEE,
        certainty=Certainty.SECOND_HAND,
        measures="digits gained minus those of reversed order, with the truth, one digit a round",
        effect=partial(effect, found.ORDER, "plain order"),
        rule=Rule.above(-1),
        changes_mind="Bases of two layers for both.",
        needs=LOOP,
        reads=OF_PLAIN,
        caveats=(
            "Bases differ: two layers and twice the updates for plain order, all of which learned.",
            "Theirs gets to 75 digits with a filter of lengths.",
            ONE_RATE,
        ),
    ),
)
CLAIMS = (*OF_THE_TRUTH, *OF_FILTERS)
