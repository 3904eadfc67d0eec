"""What is claimed of other filters than the truth on longer and longer sums."""

from __future__ import annotations

from functools import partial

from paper_figures import length_generalization as found
from paper_figures.claims import Certainty, Claim, Rule
from paper_figures.length_generalization_effects import beyond, collapsed, effect
from paper_figures.standards import Needs

LEE = "Lee et al. 2025, arXiv 2502.01612"
FAST, SLOW, CLIPPED, STEADY, FAR, NONE, SLOW_NONE, LENGTH, VOTE = (
    title.format(found.REACH) for title in found.ARMS.values()
)
TIMES = (found.MIDDLE, found.END)
LOOP = Needs(controls=("frozen generator",), replicates=True)
COLLAPSE = Needs(
    controls=("sham", "frozen generator"), learning_rates=2, horizons=2, replicates=True
)
ONE_RATE = "One learning rate, 1e-3."
SHARED = "Neighbouring seeds share four of five voters: the interval is too narrow."
UNFILTERED = (
    f"{LEE} (second-hand): reversed addition, the task here, goes from 16 to 100 digits with no "
    "filter at all, with 14 million parameters and 50,000 answers a round."
)
# Parts that a claim reads.
OF_NO_FILTER = ("none", "slow_none", "again", "control/none_*", "control/slow_none_*")
OF_LENGTH = ("length", "none", "again", "control/none_*")
OF_VOTE = ("vote", "none", "again", "control/vote_*", "control/none_*")

AT = ("", SLOW_NONE.removeprefix(NONE))  # learning rates, as names of arms end

OF_FILTERS = (
    Claim(
        name="No filter",
        statement="Without a filter self-training collapses: lengths that the base knew or longer "
        "ones are lost, below base and sham.",
        source=f"{LEE}, of other tasks",
        certainty=Certainty.SECOND_HAND,
        measures="digits solved after 15 and 30 rounds minus those of the base or of the sham, "
        "whichever is less below, of known or of longer lengths, whichever are more below; a digit "
        "is the least",
        effect={
            f"{NONE if arm == 'none' else SLOW_NONE}, {when}": partial(collapsed, arm, when)
            for arm in found.RATES
            for when in TIMES
        },
        reads=OF_NO_FILTER,
        rule=Rule.below(-1),
        changes_mind="No true data of the base in what is trained on: a quarter is.",
        needs=COLLAPSE,
        horizons=(15, 30),
        caveats=("The untouched base solves 1 or 2 digits beyond its 10.",),
        competing=(
            UNFILTERED,
            "Apple 2026, arXiv 2604.01193 (second-hand): one round on unfiltered samples of raised "
            "temperature lifts language models; answers are greedy here.",
        ),
    ),
    Claim(
        name="No filter, labels",
        statement="Without a filter labels of new lengths become worse than the untouched base's, "
        "a frozen generator's and a sham's.",
        source="avax",
        certainty=Certainty.OURS,
        measures="share of right answers at the newest length minus those of the others, mean over "
        "lengths of 12 to 15 and of 12 to 20 digits",
        effect={
            f"{x}{rate}, {to}": of
            for rate in AT
            for to in found.TIMES
            for x, of in (
                ("untouched base", partial(effect, found.NEWEST, f"{NONE}{rate}, {to}")),
                *(
                    (x, partial(beyond, found.NEWEST_BEYOND, f"{x}{rate}, {to}"))
                    for x in ("frozen generator", "sham")
                ),
            )
        },
        horizons=(5, 10),
        reads=OF_NO_FILTER,
        rule=Rule.below(0),
        changes_mind="Bases that get more of the longer lengths right: what is at 0 can't fall.",
        needs=COLLAPSE,
        caveats=(
            "That nothing is right at the frontier from round 10 on, which was called a collapse, "
            "is so for the untouched base as well.",
        ),
        competing=(UNFILTERED,),
    ),
    Claim(
        name="Length filter",
        statement="Dropping answers that are shorter than others of their length keeps the "
        "frontier going.",
        source=f"{LEE}, for plain order",
        certainty=Certainty.SECOND_HAND,
        measures="digits gained minus those without a filter, same bases",
        effect=partial(effect, found.FILTERED, LENGTH),
        rule=Rule.above(0),
        changes_mind="A base whose mistakes are too short: ours are too long.",
        needs=LOOP,
        reads=OF_LENGTH,
        caveats=(ONE_RATE,),
    ),
    Claim(
        name="Vote, labels",
        statement="A vote of five policies that all train themselves lets hardly any wrong label "
        "through.",
        source=f"{LEE}, for products",
        certainty=Certainty.SECOND_HAND,
        measures="share of wrong ones among the accepted labels of all rounds",
        effect=partial(effect, found.WRONG, VOTE),
        rule=Rule.below(0.1),
        changes_mind="Loops that go farther.",
        needs=LOOP,
        reads=OF_VOTE,
        caveats=(ONE_RATE, SHARED, "From some round on nothing is accepted any more."),
        competing=(
            "arXiv 2603.17775 (second-hand): labels of a vote that trains itself fall from 95 to "
            "80 % right.",
        ),
    ),
    Claim(
        name="Vote, reach",
        statement="A vote of five policies that all train themselves carries further than no "
        "filter.",
        source=f"{LEE}, for products",
        certainty=Certainty.SECOND_HAND,
        measures="digits gained minus those without a filter",
        effect=partial(effect, found.FILTERED, VOTE),
        rule=Rule.above(0),
        changes_mind="The same behind a frontier that waits.",
        needs=LOOP,
        reads=OF_VOTE,
        caveats=("Five policies train for one.", SHARED, ONE_RATE),
        competing=(
            "arXiv 2603.08660 (second-hand): with a vote as reward, training on 512 problems and "
            "more always collapses.",
        ),
    ),
    Claim(
        name="Vote, compounding",
        statement="A vote of five policies that all train themselves carries further than the same "
        "vote of their untouched bases.",
        source="avax",
        certainty=Certainty.OURS,
        measures="digits gained minus those of five policies that are shown what their untouched "
        "bases agree on",
        effect=partial(beyond, found.COMPOUNDED, VOTE),
        rule=Rule.above(0),
        changes_mind="Bases that agree on longer lengths.",
        needs=LOOP,
        reads=OF_VOTE,
        caveats=(
            ONE_RATE,
            SHARED,
            "The students of frozen bases train no more once nobody agrees.",
        ),
    ),
)
