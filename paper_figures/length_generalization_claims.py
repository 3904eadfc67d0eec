"""What is claimed about how far clean verification carries, and how the shipped runs answer.

The untouched base on the same lengths is round 0, which measures all of them: claims about what the
loop changed are differences from it and need no part of their own for it. Collapse is a difference
from the sham as well, and compounding one from the frozen generator.
"""

from __future__ import annotations

from functools import partial

from paper_figures import length_generalization as found
from paper_figures.claims import Certainty, Claim, Condition, Rule
from paper_figures.length_generalization_effects import beyond, collapsed, effect, effects
from paper_figures.pages import Question
from paper_figures.standards import Needs

QUESTION = Question(
    title="How far does clean verification carry: from 10 digits to 100?",
    sentences=(
        "Policies that can add numbers of up to 10 digits trained themselves on their own answers: "
        "behind the truth on a frontier of up to 8 lengths a round, to 100 digits; and one digit "
        "longer in every round, to 40, with the truth, no filter, a filter of lengths, a vote of "
        "five that all train, plain order of digits, and products.",
        "The solved length is the sum of greedy accuracy over lengths; each base is compared with "
        "itself before the first round, on the same lengths.",
        "Points are means over bases with 95 % t intervals, small dots are bases: of five, one had "
        "never learned to add, so that means hide that bases differ.",
    ),
    command="python experiments/length_generalization.py",
)
LEE = "Lee et al. 2025, arXiv 2502.01612"
FAST, STEADY, NONE, LENGTH, VOTE = (
    found.ARMS[part].format(found.REACH) for part in ("oracle", "steady", "none", "length", "vote")
)
TIMES = (found.MIDDLE, found.END)
LOOP = Needs(controls=("frozen generator",), replicates=True)
SPEED = Needs(learning_rates=2, replicates=True)
COLLAPSE = Needs(
    controls=("sham", "frozen generator"), learning_rates=2, horizons=2, replicates=True
)
ONE_RATE = "One learning rate and one run of each base, of which one never learned to add."
UNFILTERED = (
    f"{LEE} (second-hand): reversed addition, the task here, goes from 16 to 100 digits with no "
    "filter at all, with 14 million parameters and 50,000 answers a round."
)
# Parts that a claim reads. The vote was run without a frozen generator of its own; no filter's is
# that of what it is compared with.
OF_SPEED = ("oracle", "steady")
OF_TRUTH = (*OF_SPEED, "control/steady_*")
OF_NO_FILTER = ("none", "control/none_*")
OF_LENGTH, OF_VOTE = ("length", *OF_NO_FILTER), ("vote", *OF_NO_FILTER)
OF_PLAIN = ("plain", "steady", "control/steady_*")
OF_PRODUCTS = ("multiplication", "control/multiplication_*")


CLAIMS = (
    Claim(
        name="To 100 digits",
        statement="Self-training on correct answers alone carries sums from 10 digits to 100.",
        source=LEE,
        certainty=Certainty.SECOND_HAND,
        measures="digits solved after 45 rounds behind the truth, up to 8 lengths a round, minus "
        "the untouched base's (10 to 13, but for one base of 2)",
        effect=partial(effect, found.GAINED, FAST),
        rule=Rule.above(80),
        qualified_by=Condition(
            "gains compound (one digit a round, digits gained less those with a frozen generator)",
            partial(beyond, found.COMPOUNDED, STEADY),
            Rule.above(0),
        ),
        reads=OF_TRUTH,
        changes_mind="Bases that all learn their 10 digits; a frontier that goes back when nothing "
        "is right on it.",
        needs=LOOP,
        caveats=(
            "Three of five bases come to 99.5 digits and more; one stays at 16, where it gets "
            "nothing right any more, and one had never learned to add.",
            "Theirs has no filter and counts on the policy's answers being right; ours knows the "
            "truth.",
            "Accuracy at each length is of 4 problems.",
            ONE_RATE,
        ),
    ),
    Claim(
        name="Faster than linear",
        statement="The solved length grows faster than linearly.",
        source="avax",
        certainty=Certainty.OURS,
        measures="digits a round from 40 to 80 digits minus those from 20 to 40, of the bases that "
        "come to 80",
        effect=partial(effect, found.GROWTH, FAST),
        rule=Rule.above(0),
        changes_mind="Reaches beyond 8: no more than 8 lengths are posed a round.",
        needs=SPEED,
        reads=OF_SPEED,
        caveats=("Of the bases that fail nothing is known.", ONE_RATE),
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
        changes_mind="More bases: of five, two hardly move on either schedule.",
        needs=SPEED,
        reads=OF_SPEED,
        horizons=(10, 20),
        caveats=("Theirs poses what is solved to 99 %, ours to 50 %.", ONE_RATE),
    ),
    Claim(
        name="What is solved",
        statement="Behind the truth, what is once solved stays solved.",
        source="avax",
        certainty=Certainty.OURS,
        measures="the most digits by which the solved length fell below what it had been",
        effect=effects(found.FELL, FAST, STEADY),
        rule=Rule.below(5),
        changes_mind="A smaller learning rate; more kept rounds.",
        needs=SPEED,
        reads=OF_SPEED,
        caveats=("Most falls are made good within a round or two: see the figure.", ONE_RATE),
    ),
    Claim(
        name="No filter",
        statement="Without a filter self-training collapses: lengths that the base knew and longer "
        "ones are lost.",
        source=f"{LEE}, of other tasks",
        certainty=Certainty.SECOND_HAND,
        measures="digits solved minus the untouched base's, of the 10 that it knew and beyond, "
        "after 15 and 30 rounds; and those less a base's or a sham's, whichever is less below, of "
        "known or of longer lengths, whichever are more below",
        effect=effects(found.NO_FILTER, *(f"{x}, {t}" for t in TIMES for x in ("known", "longer")))
        | {f"base and sham, {when}": partial(collapsed, when) for when in TIMES},
        reads=OF_NO_FILTER,
        rule=Rule.below(0),
        changes_mind="No true data of the base in what is trained on: a quarter is.",
        needs=COLLAPSE,
        horizons=(15, 30),
        caveats=("The untouched base solves 1 or 2 digits beyond its 10.", ONE_RATE),
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
        "lengths of 11 to 20 digits",
        effect={"untouched base": partial(effect, found.NEWEST, NONE)}
        | {x: partial(beyond, found.NEWEST_BEYOND, x) for x in ("frozen generator", "sham")},
        reads=OF_NO_FILTER,
        rule=Rule.below(0),
        changes_mind="Bases that get more of the longer lengths right: what is at 0 can't fall.",
        needs=COLLAPSE,
        caveats=(
            "That nothing is right at the frontier from round 10 on, which was called a collapse, "
            "is so for the untouched base as well.",
            ONE_RATE,
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
        changes_mind="More bases: one of five accepts many wrong labels once it has gone far.",
        needs=LOOP,
        reads=OF_VOTE,
        caveats=("Nothing is accepted any more from round 10 on in four of five.", ONE_RATE),
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
        caveats=("One base makes most of the mean; five policies train for one.", ONE_RATE),
        competing=(
            "arXiv 2603.08660 (second-hand): with a vote as reward, training on 512 problems and "
            "more always collapses.",
        ),
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
            "One learning rate and one run of each base.",
        ),
    ),
    Claim(
        name="Products",
        statement="Products go on to longer ones behind the truth.",
        source=LEE,
        certainty=Certainty.SECOND_HAND,
        measures="digits gained on the untouched base in 6 rounds",
        effect=partial(effect, found.GAINED, found.ARMS["multiplication"]),
        rule=Rule.above(0),
        changes_mind="Working written down, as theirs has it.",
        needs=LOOP,
        reads=OF_PRODUCTS,
        caveats=(
            "Not a test: bases know products of 1 digit, nothing of 3 digits is right, and nothing "
            "is accepted.",
        ),
    ),
)
