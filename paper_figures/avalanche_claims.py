"""What is claimed about errors that compound in a loop, and what the shipped runs say.

A frozen generator's labels are those of the untouched base. Direct answers and the vote of 5 have
one of their own; of other arms these labels are known for six lengths, in parts of their own.
"""

from __future__ import annotations

from functools import partial

from paper_figures.avalanche import BASE_ARMS, CHECKED, SHORT
from paper_figures.avalanche_effects import (
    announced,
    collapsed,
    compounded,
    cut,
    ended,
    faster,
    longer,
    outlasted,
)
from paper_figures.claims import Certainty, Claim, Condition, Rule
from paper_figures.pages import Question
from paper_figures.standards import HEADLINE, Needs

QUESTION = Question(
    title="Do errors compound where a loop trains on its own labels, and do checks prevent it?",
    sentences=(
        "Policies that can add up to 8 digits, at once or a digit at a time, trained themselves "
        "for 14 rounds, each a digit longer, on their direct answers, on guesses after one step, "
        "on votes over guesses, on votes that the answer to b + a confirms, and on true guesses.",
        "Errors compound if the loop's labels are worse than a frozen generator's at the same "
        "length: those that the untouched base makes, which also get worse with length.",
        "Lines and points are means over bases with 95 % t intervals (in the figure of all labels "
        "of two arms alone), small dots are bases; of arms without a frozen generator the base's "
        "labels are known at 9 to 14 digits only.",
    ),
    command="python experiments/avalanche.py",
)
SECTOR = "Zhang & Parkes 2023 (SECToR), arXiv 2309.08589"
ASSERTED = f"{SECTOR}, where it is asserted of loops without checks"
WORDS = {
    "direct": "direct",
    "simplify": "one step",
    "vote_few": "vote of 3",
    "vote": "vote of 5",
    "vote_commutative": "with b + a",
}
HORIZONS = (SHORT, 6)
ENDS = (7, 14)
COMPOUNDS = Needs(
    HEADLINE, ("untouched base", "frozen generator"), learning_rates=2, horizons=2, replicates=True
)
COLLAPSE = Needs(
    HEADLINE, ("sham", "frozen generator"), learning_rates=2, horizons=2, replicates=True
)
LOOP = Needs(controls=("frozen generator",), replicates=True)
FEW = "One learning rate and one run of each base."
EQUAL_LENGTHS = (
    "Where an arm has no frozen generator of its own, the labels that it makes with the untouched "
    "base at the same lengths are taken, on other problems: direct answers and the vote of 5 do."
)
DIRECT = ("direct", "base/direct", "control/direct_*")  # parts that claims about them are of
CENSORED = "A loop that lasts to the end of the run counts as 14 rounds, though it lasts longer."
UNFILTERED = (
    "Lee et al. 2025, arXiv 2502.01612 (second-hand): reversed addition goes from 16 to 100 digits "
    "with no filter at all, with 14 million parameters.",
    "Apple 2026, arXiv 2604.01193 (second-hand): one round on unfiltered samples of raised "
    "temperature lifts language models; answers are greedy here.",
    "RSI-Noisy-Verifiers 2026, a submission of which the code is public: with a quarter of the "
    "labels wrong in each of 8 rounds language models still gain.",
)


def of_arms(effect, arms=CHECKED, *args) -> dict:
    return {WORDS[arm]: partial(effect, arm, *args) for arm in arms}


def in_turn() -> dict:
    """Each kind of label against the one before it, which has a check less."""
    pairs = zip(BASE_ARMS[1:], BASE_ARMS, strict=False)
    return {f"{WORDS[a]} after {WORDS[b]}": partial(longer, a, b) for a, b in pairs}


CLAIMS = (
    Claim(
        name="Small errors compound",
        statement="Without checks small label errors compound: each round's labels are worse than "
        "their length alone makes them.",
        source=ASSERTED,
        certainty=Certainty.SECOND_HAND,
        measures="label error of the loop on direct answers minus that of a frozen generator, the "
        "untouched base, at equal lengths, mean over the rounds from 2 on",
        effect={f"to round {r}": partial(compounded, "direct", r) for r in HORIZONS},
        rule=Rule.above(0),
        horizons=HORIZONS,
        changes_mind="A frontier that waits until a length is solved; samples instead of greedy "
        "answers; a larger learning rate.",
        needs=COMPOUNDS,
        reads=DIRECT,
        competing=UNFILTERED,
        caveats=(
            EQUAL_LENGTHS,
            "A base whose labels are nearly all wrong, as from 14 digits on, leaves nothing to "
            "compound.",
            FEW,
        ),
    ),
    Claim(
        name="Errors grow by rounds",
        statement="Without checks label errors grow faster by rounds of the loop than they do by "
        "digits where nothing is trained.",
        source="avax",
        certainty=Certainty.OURS,
        measures="factor by which label errors grow a round in the loop on direct answers, over "
        "that a digit of the untouched base, at 9 to 14 digits and below one half",
        effect=faster,
        rule=Rule.above(1),
        changes_mind="More problems a round: a base's factor rests on two or three rounds.",
        needs=Needs(HEADLINE, ("untouched base",), learning_rates=2, replicates=True),
        reads=DIRECT,
        caveats=(
            "It rests on the two or three lengths at which a base errs, and on less than half.",
            FEW,
        ),
    ),
    Claim(
        name="Without checks it collapses",
        statement="A loop on all its direct answers collapses within a few rounds.",
        source=ASSERTED,
        certainty=Certainty.SECOND_HAND,
        measures="digits solved minus those of the untouched base or of the sham, whichever is "
        "less below, at 1 to 8 digits or at 9 to 22, whichever is more below",
        effect={f"round {r}": partial(collapsed, r) for r in ENDS},
        rule=Rule.below(0),
        horizons=ENDS,
        changes_mind="A sham that loses as much at the lengths that the base knew.",
        needs=COLLAPSE,
        reads=DIRECT,
        competing=UNFILTERED,
        caveats=(
            "That accuracy at the newest length falls below one half within four rounds, which was "
            "called the end, says how long the problems are.",
            FEW,
        ),
    ),
    Claim(
        name="Each check lengthens the runway",
        statement="Every kind of checked labels lasts longer in the loop than direct answers.",
        source=SECTOR,
        certainty=Certainty.SECOND_HAND,
        measures="rounds until label error is above 10 %, minus those with direct answers",
        effect=of_arms(longer, CHECKED, "direct"),
        rule=Rule.above(0),
        qualified_by=Condition(
            "behind a vote of 5 the loop lasts longer than a frozen generator, in rounds of the "
            "first 6",
            partial(outlasted, "vote"),
            Rule.above(0),
        ),
        changes_mind="Runs of more rounds, in which votes part from a single guess.",
        needs=LOOP,
        caveats=(CENSORED, EQUAL_LENGTHS, FEW),
    ),
    Claim(
        name="Each check adds",
        statement="Each check lengthens the runway beyond the checks before it.",
        source=SECTOR,
        certainty=Certainty.SECOND_HAND,
        measures="rounds until label error is above 10 %, minus those with one check less",
        effect=in_turn(),
        rule=Rule.above(0),
        changes_mind="Labels of longer problems, where guesses after more steps err in other ways.",
        needs=LOOP,
        caveats=(CENSORED, FEW),
    ),
    Claim(
        name="Checked labels carry on",
        statement="Training on checked labels makes those of the next lengths better than the "
        "untouched base's under the same checks.",
        source=f"{SECTOR}, as what makes the loop go on",
        certainty=Certainty.SECOND_HAND,
        measures="label error of the loop minus that of a frozen generator, the untouched base, at "
        "equal lengths, mean over rounds 2 to 6",
        effect=of_arms(compounded, CHECKED, HORIZONS[-1]),
        rule=Rule.below(0),
        changes_mind="A length-matched sham whose labels are as good.",
        needs=Needs(
            controls=("frozen generator", "sham"), learning_rates=2, horizons=1, replicates=True
        ),
        caveats=(
            EQUAL_LENGTHS,
            "The more a check rejects, the fewer labels there are: of one base none at 14 digits.",
            FEW,
        ),
    ),
    Claim(
        name="Both checks cut errors",
        statement="Both checks together cut the errors of labels by more than an order of "
        "magnitude.",
        source=f"{SECTOR}, as secondary sources report: 0.28 to 0.007, 40 times",
        certainty=Certainty.SECOND_HAND,
        measures="share of wrong labels among direct answers of the untouched base over that of "
        "the vote of 5 with b + a, at lengths it never saw; where none is wrong, as if one were",
        effect={f"{n} digits": partial(cut, n) for n in (11, 12)},
        rule=Rule.above(10),
        changes_mind="A base for which simplifying is as hard as adding.",
        caveats=(
            "Ours asks the direct answer to b + a, and its steps don't copy the operands.",
            "At 11 digits direct answers err as often as theirs; with both checks none of ours is "
            "wrong, so that the number is a lower bound.",
        ),
    ),
    Claim(
        name="The checked loop ends too",
        statement="Errors end the loop with both checks as well.",
        source=SECTOR,
        certainty=Certainty.SECOND_HAND,
        measures="label error in round 14 minus that in round 1, vote of 5 with b + a",
        effect=ended,
        rule=Rule.above(0),
        changes_mind="More rounds: some loops have no wrong label in the end.",
        needs=LOOP,
        caveats=("Label errors in round 1 are 0, and longer problems are harder.", FEW),
    ),
    Claim(
        name="The end is announced",
        statement="Label errors announce, before it happens, that a policy gets worse.",
        source=f"{SECTOR}, as we read its pitfalls",
        certainty=Certainty.SECOND_HAND,
        measures="rounds from label error above 10 % to a solved length a digit below its highest, "
        "mean over a base's runs without the truth that fall so",
        effect=announced,
        rule=Rule.above(0),
        changes_mind="A warning that the untouched base on the same lengths doesn't give.",
        needs=LOOP,
        caveats=(
            "Knowing label errors takes the truth.",
            "The untouched base's direct labels pass 10 % as early: that warns of length as well.",
            FEW,
        ),
    ),
)
