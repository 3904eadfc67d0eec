"""What is claimed about errors that compound in a loop, and what the shipped runs say."""

from __future__ import annotations

from paper_figures.avalanche_check_claims import (
    CHECKS,
    HORIZONS,
    SECTOR,
    claim,
)
from paper_figures.avalanche_effects import (
    PLACES,
    at_rates,
    beyond_all,
    collapsed,
    faster,
    loses_half,
    solved_beyond,
    worse_than_all,
)
from paper_figures.claims import Certainty, Rule
from paper_figures.pages import Question
from paper_figures.places import of
from paper_figures.standards import HEADLINE, Needs

SHIPPED = tuple(PLACES)
QUESTION = Question(
    title="Do errors compound where a loop trains on its own labels, and do checks prevent it?",
    sentences=(
        "Policies that can add up to 8 digits, at once or a digit at a time, trained themselves "
        "for 14 rounds, each a digit longer, on their direct answers, on guesses after one step, "
        "on votes over guesses, on votes that the answer to b + a confirms, and on true guesses "
        "or true direct answers alone, at two learning rates.",
        "Errors compound if the loop's labels are worse than a frozen generator's at the same "
        "length: those that the untouched base makes, which also get worse with length.",
        "Lines and points are means over bases, 33 of direct answers and 13 where steps are taken, "
        "with 95 % t intervals (lines of shams and placebo without), small dots are bases; of arms "
        "without a frozen generator the base's labels are known at 9 to 14 digits only.",
    ),
    command="python experiments/avalanche.py --preset shipped",
    added=("--base.learner.learning-rate 3e-3",),
)
ENDS = (7, 14)
ASSERTED = f"{SECTOR}, where it is asserted of loops without checks"
COMPOUNDS = Needs(
    HEADLINE,
    ("untouched base", "frozen generator", "sham"),
    learning_rates=2,
    horizons=2,
    replicates=True,
)
COLLAPSE = Needs(
    HEADLINE, ("sham", "frozen generator"), learning_rates=2, horizons=2, replicates=True
)
LATER = (
    "It is of the first rounds: at the higher rate the loop goes on to lose until the last, below "
    "its base, a sham and a frozen generator's. See the claim that losses compound, and the figure."
)
DIRECT = ("*direct*", "*twice")  # parts that claims about direct answers are of
UNFILTERED = (
    "Lee et al. 2025, arXiv 2502.01612 (second-hand): reversed addition goes from 16 to 100 digits "
    "with no filter at all, with 14 million parameters.",
    "Apple 2026, arXiv 2604.01193 (second-hand): one round on unfiltered samples of raised "
    "temperature lifts language models; answers are greedy here.",
    "RSI-Noisy-Verifiers 2026, a submission of which the code is public: with a quarter of the "
    "labels wrong in each of 8 rounds language models still gain.",
)

CLAIMS = (
    claim(
        name="Small errors compound",
        statement="Without checks small label errors compound within six rounds: each round's "
        "labels are worse than their length alone makes them, and than as much training on true "
        "data does.",
        source=ASSERTED,
        measures="label error of the loop on direct answers minus a frozen generator's, which is "
        "that of the untouched base, or minus a sham's, whichever is less, at equal lengths, mean "
        "from round 2 on",
        effect=at_rates({f"to round {r}": of(beyond_all, r) for r in HORIZONS}),
        rule=Rule.above(0),
        horizons=HORIZONS,
        changes_mind="A frontier that waits until a length is solved; samples instead of greedy "
        "answers.",
        needs=COMPOUNDS,
        reads=DIRECT,
        competing=UNFILTERED,
        caveats=(
            "A base whose labels are nearly all wrong, as from 14 digits on, leaves nothing to "
            "compound.",
            LATER,
        ),
    ),
    claim(
        name="Errors grow by rounds",
        statement="Without checks label errors grow faster by rounds of the loop than they do by "
        "digits where nothing is trained.",
        source="avax",
        certainty=Certainty.OURS,
        measures="factor by which label errors grow a round in the loop on direct answers, over "
        "that a digit of the untouched base, at 9 to 14 digits and below one half",
        effect=at_rates({"": faster}),
        rule=Rule.above(1),
        changes_mind="More problems a round: a base's factor rests on two or three rounds.",
        needs=Needs(HEADLINE, ("untouched base",), learning_rates=2, replicates=True),
        reads=DIRECT,
        caveats=(
            "It rests on the two or three lengths at which a base errs, and on less than half.",
            "A loop that is worse by as much at all lengths has no larger factor: it says nothing "
            "against compounding.",
        ),
    ),
    claim(
        name="Errors on fixed lengths",
        statement="Within six rounds a loop on all its direct answers comes to err more on one and "
        "the same lengths: more than its base, a sham, and a loop on a frozen generator's labels.",
        source=ASSERTED,
        measures="share of wrong direct answers at 9 to 12 digits after a round, loop minus each "
        "of these, whichever difference is the least",
        effect=at_rates({f"round {r}": of(worse_than_all, r) for r in HORIZONS}),
        rule=Rule.above(0),
        horizons=HORIZONS,
        changes_mind="A frontier that comes back to these lengths.",
        needs=COMPOUNDS,
        reads=DIRECT,
        competing=UNFILTERED,
        caveats=(
            "These are the lengths of rounds 1 to 4: after round 6 they are no longer trained on, "
            "and labels of a frozen generator are nearly all wrong.",
            "Of direct answers; how good voted labels are on fixed lengths was not measured.",
            LATER,
        ),
    ),
    claim(
        name="Without checks it collapses",
        statement="A loop on all its direct answers collapses within 14 rounds.",
        source=ASSERTED,
        measures="digits solved minus those of the untouched base or of the sham, whichever is "
        "less below, at 1 to 8 digits or at 9 to 22, whichever is more below",
        effect=at_rates({f"round {r}": of(collapsed, r) for r in ENDS}),
        rule=Rule.below(0),
        horizons=ENDS,
        changes_mind="A sham that loses as much at the lengths that the base knew.",
        needs=COLLAPSE,
        reads=DIRECT,
        competing=UNFILTERED,
        caveats=(
            "That accuracy at the newest length falls below one half within four rounds, which was "
            "called the end, says how long the problems are.",
        ),
    ),
    claim(
        name="Failure is symmetric",
        statement="Without checks a loop loses as fast as it gains where only true labels pass, or "
        "at least half as fast.",
        source="avax",
        certainty=Certainty.OURS,
        measures="digits lost a round by the loop on all its direct answers minus half of those "
        "that the loop on the true ones gains",
        effect=at_rates({f"round {r}": of(loses_half, r) for r in ENDS}),
        rule=Rule.above(0),
        horizons=ENDS,
        changes_mind="A learning rate at which both are as fast.",
        needs=Needs(HEADLINE, ("untouched base",), learning_rates=2, horizons=2, replicates=True),
        reads=DIRECT,
        caveats=(
            "Both rates depend on the number of updates and on what the base leaves to gain.",
            "Digits solved are of all lengths, 1 to 22, and of the same bases; draws differ.",
        ),
    ),
    claim(
        name="Losses compound",
        statement="Without checks losses compound: a loop on all its own direct answers solves "
        "less than one on those of the untouched base.",
        source=ASSERTED,
        measures="digits solved after a round, loop on direct answers minus frozen generator",
        effect=at_rates(
            {f"round {r}": of(solved_beyond, "direct", "frozen_generator", r) for r in ENDS}
        ),
        rule=Rule.below(0),
        horizons=ENDS,
        changes_mind="A learning rate between the two at which nothing is lost in the end.",
        needs=COMPOUNDS,
        reads=DIRECT,
        competing=UNFILTERED,
        caveats=(
            "It was written down when these runs were known: label errors up to round 6 don't show "
            "it.",
            "From round 7 on a frozen generator is right on hardly any of the problems posed.",
        ),
    ),
    claim(
        name="Gains compound",
        statement="On true labels gains compound: a loop on its own true direct answers solves "
        "more than one on those of the untouched base.",
        source="avax",
        certainty=Certainty.OURS,
        measures="digits solved after a round, loop on its own true direct answers minus "
        "length-matched sham, on the frozen generator's",
        effect=at_rates(
            {f"round {r}": of(solved_beyond, "direct_oracle", "matched_sham", r) for r in HORIZONS}
        ),
        rule=Rule.above(0),
        horizons=HORIZONS,
        changes_mind="A frontier on which the untouched base stays right on many.",
        needs=Needs(
            HEADLINE, ("length-matched sham",), learning_rates=2, horizons=2, replicates=True
        ),
        reads=DIRECT,
        caveats=(
            "By round 6 the base is right on few problems, and the sham trains on these over and "
            "over; later rounds are left out for that.",
        ),
    ),
    *CHECKS,
)
