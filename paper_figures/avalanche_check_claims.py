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
    at_rates,
    beyond,
    compounded,
    cut,
    longer,
    outlasted,
    steps_compounded,
    stopped,
    wrong_ways,
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
        statement="Labels of every kind that takes steps last longer in the loop than direct ones.",
        source=SECTOR,
        measures="rounds until label error is above 10 %, or fewer than 5 % are accepted, minus "
        "those with direct answers",
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
        measures="rounds until label error is above 10 %, or fewer than 5 % are accepted, minus "
        "those with one check less",
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
        changes_mind="A sham whose labels are as good.",
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
        "the vote of 5 with b + a, at lengths it never saw, all bases together",
        effect={f"{n} digits": partial(cut, n) for n in (11, 12)},
        rule=Rule.above(10),
        changes_mind="A base for which simplifying is as hard as adding.",
        shipped=tuple(PLACES)[:1],
        caveats=("Ours asks the direct answer to b + a, and its steps don't copy the operands.",),
    ),
    claim(
        name="Votes beat their placebo",
        statement="Which guesses a vote accepts makes the labels of the next rounds better: than "
        "where as many are accepted, whichever.",
        source="avax",
        certainty=Certainty.OURS,
        measures="label error of the loop behind the vote of 5 minus that behind its placebo, mean "
        "over rounds 2 to 6",
        effect=at_rates({"": of(beyond, "vote", "placebo", HORIZONS[-1])}),
        rule=Rule.below(0),
        changes_mind="Guesses that disagree more often.",
        needs=Needs(controls=("placebo",), learning_rates=2, replicates=True),
        caveats=("A placebo's labels have the error of all guesses, in the very same round, too.",),
    ),
    claim(
        name="The checked loop ends too",
        statement="Errors end most loops with both checks as well, within 14 rounds.",
        source=SECTOR,
        measures="share of bases whose loop, vote of 5 with b + a, comes to label errors above one "
        "half or to fewer than 5 % accepted",
        effect=at_rates({"": of(stopped, "vote_commutative")}),
        rule=Rule.above(0.5),
        changes_mind="More rounds: some loops have no wrong label in the end.",
        needs=LOOP,
        caveats=("The longer the problems, the harder: it needs no compounding.",),
    ),
    claim(
        name="Wrong steps compound",
        statement="The steps that a loop behind a vote trains on, which no check of answers sees, "
        "become wrong more often than a frozen generator's at equal lengths.",
        source="avax",
        certainty=Certainty.OURS,
        measures="share of wrong steps among those trained on behind the vote of 5, loop minus "
        "frozen generator, mean over the rounds from 2 on",
        effect=at_rates({f"to round {r}": of(steps_compounded, "vote", r) for r in HORIZONS}),
        rule=Rule.above(0),
        horizons=HORIZONS,
        changes_mind="A task in which wrong steps give right answers more often.",
        needs=Needs(controls=("frozen generator",), learning_rates=2, horizons=2, replicates=True),
        caveats=("A tenth of what is trained on is steps.",),
    ),
    claim(
        name="Right answers vouch for their steps",
        statement="Of the right answers behind a vote fewer than one in a hundred were found by a "
        "wrong step.",
        source="avax",
        certainty=Certainty.OURS,
        measures="share of the accepted right answers of which a step was wrong, mean over rounds",
        effect=at_rates({f"to round {r}": of(wrong_ways, "vote", r) for r in HORIZONS}),
        rule=Rule.below(0.01),
        horizons=HORIZONS,
        changes_mind="A task in which wrong steps give right answers more often.",
        needs=Needs(learning_rates=2, horizons=2, replicates=True),
        caveats=(
            "A wrong digit stays in the answer; what can be made good is a wrong carry alone, by a "
            "guess that errs the other way.",
        ),
    ),
)
