"""What is claimed about checks of a loop's labels, and what the shipped runs say.

A frozen generator's labels are those of the untouched base. Direct answers and the vote of 5 have
one of their own; of other arms these labels are known for six lengths, in parts of their own.
"""

from __future__ import annotations

from functools import partial

from paper_figures.avalanche import BASE_ARMS, CHECKED, SHORT
from paper_figures.avalanche_effects import (
    FIRST,
    PLACES,
    announced,
    at_rates,
    compounded,
    cut,
    ended,
    longer,
    outlasted,
    ways_compounded,
)
from paper_figures.claims import Certainty, Claim, Condition, Rule
from paper_figures.places import of
from paper_figures.standards import Needs

SECTOR = "Zhang & Parkes 2023 (SECToR), arXiv 2309.08589"
WORDS = {
    "direct": "direct",
    "simplify": "one step",
    "vote_few": "vote of 3",
    "vote": "vote of 5",
    "vote_commutative": "with b + a",
}
HORIZONS = (SHORT, 6)
ENDS = (7, 14)
LOOP = Needs(controls=("frozen generator",), learning_rates=2, replicates=True)
EQUAL_LENGTHS = (
    "Where an arm has no frozen generator of its own, the labels that it makes with the untouched "
    "base at the same lengths are taken, on other problems: direct answers and the vote of 5 do."
)
CENSORED = "A loop that lasts to the end of the run counts as 14 rounds, though it lasts longer."


def claim(**fields) -> Claim:
    return Claim(**{"shipped": tuple(PLACES), "certainty": Certainty.SECOND_HAND} | fields)


def of_arms(effect, arms=CHECKED, *args) -> dict:
    return at_rates({WORDS[arm]: of(effect, arm, *args) for arm in arms})


def in_turn() -> dict:
    """Each kind of label against the one before it, which has a check less."""
    pairs = zip(BASE_ARMS[1:], BASE_ARMS, strict=False)
    return at_rates({f"{WORDS[a]} after {WORDS[b]}": of(longer, a, b) for a, b in pairs})


CHECKS = (
    claim(
        name="Each check lengthens the runway",
        statement="Every kind of checked labels lasts longer in the loop than direct answers.",
        source=SECTOR,
        measures="rounds until label error is above 10 %, minus those with direct answers",
        effect=of_arms(longer, CHECKED, "direct"),
        rule=Rule.above(0),
        qualified_by=Condition(
            "behind a vote of 5 the loop lasts longer than a frozen generator, in rounds of the "
            f"first 6, at {FIRST}",
            partial(outlasted, FIRST, "vote"),
            Rule.above(0),
        ),
        changes_mind="Runs of more rounds, in which votes part from a single guess.",
        needs=LOOP,
        caveats=(CENSORED, EQUAL_LENGTHS),
    ),
    claim(
        name="Each check adds",
        statement="Each check lengthens the runway beyond the checks before it.",
        source=SECTOR,
        measures="rounds until label error is above 10 %, minus those with one check less",
        effect=in_turn(),
        rule=Rule.above(0),
        changes_mind="Labels of longer problems, where guesses after more steps err in other ways.",
        needs=LOOP,
        caveats=(CENSORED,),
    ),
    claim(
        name="Checked labels carry on",
        statement="Training on checked labels makes those of the next lengths better than the "
        "untouched base's under the same checks.",
        source=f"{SECTOR}, as what makes the loop go on",
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
            "The more a check rejects, the fewer labels there are: of some bases none.",
        ),
    ),
    claim(
        name="Both checks cut errors",
        statement="Both checks together cut the errors of labels by more than an order of "
        "magnitude.",
        source=f"{SECTOR}, as secondary sources report: 0.28 to 0.007, 40 times",
        measures="share of wrong labels among direct answers of the untouched base over that of "
        "the vote of 5 with b + a, at lengths it never saw; where none is wrong, as if one were",
        effect={f"{n} digits": partial(cut, n) for n in (11, 12)},
        rule=Rule.above(10),
        changes_mind="A base for which simplifying is as hard as adding.",
        shipped=tuple(PLACES)[:1],
        caveats=(
            "Ours asks the direct answer to b + a, and its steps don't copy the operands.",
            "Where none of ours is wrong the number is a lower bound.",
        ),
    ),
    claim(
        name="The checked loop ends too",
        statement="Errors end the loop with both checks as well.",
        source=SECTOR,
        measures="label error in round 14 minus that in round 1, vote of 5 with b + a",
        effect=at_rates({"": ended}),
        rule=Rule.above(0),
        changes_mind="More rounds: some loops have no wrong label in the end.",
        needs=LOOP,
        caveats=("Label errors in round 1 are 0, and longer problems are harder.",),
    ),
    claim(
        name="Wrong steps compound",
        statement="Right answers that were found by a wrong step, which no check of answers sees, "
        "become more the longer a loop trains on them.",
        source="avax",
        certainty=Certainty.OURS,
        measures="share of the right answers behind the vote of 5 that were found by a wrong step, "
        "loop minus frozen generator, at equal lengths, mean over the rounds from 2 on",
        effect=at_rates({f"to round {r}": of(ways_compounded, "vote", r) for r in ENDS}),
        rule=Rule.above(0),
        horizons=ENDS,
        changes_mind="A task in which wrong steps give right answers more often.",
        needs=Needs(controls=("frozen generator",), learning_rates=2, horizons=2, replicates=True),
        caveats=(
            "A wrong digit stays in the answer; what can be made good is a wrong carry alone, by a "
            "guess that errs the other way.",
        ),
    ),
    claim(
        name="The end is announced",
        statement="Label errors announce, before it happens, that a policy gets worse.",
        source=f"{SECTOR}, as we read its pitfalls",
        measures="rounds from label error above 10 % to a solved length a digit below its highest, "
        "mean over a base's runs without the truth that fall so",
        effect=at_rates({"": announced}),
        rule=Rule.above(0),
        changes_mind="A warning that the untouched base on the same lengths doesn't give.",
        needs=LOOP,
        caveats=(
            "Knowing label errors takes the truth.",
            "The untouched base's direct labels pass 10 % as early: that warns of length as well.",
        ),
    ),
)
