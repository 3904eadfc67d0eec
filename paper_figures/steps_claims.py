"""What is claimed about verifying outcomes and verifying steps, and what the shipped runs say."""

from __future__ import annotations

from functools import partial

from paper_figures.claims import Certainty, Claim, Condition, Rule
from paper_figures.pages import Question
from paper_figures.places import in_all_folders
from paper_figures.standards import Needs
from paper_figures.steps_effects import (
    ALL,
    FIRST,
    HALF,
    LATE,
    PLACES,
    after,
    as_false_positives,
    beyond_frozen,
    collapsed,
    cost_by_chance,
    gained_by,
    more,
    times_m,
)

QUESTION = Question(
    title="Is it enough to verify outcomes where wrong steps can still give the right answer?",
    sentences=(
        "Policies that know chains of up to 4 additions modulo 2, 3, 5 or 10, all partial sums "
        "written, trained themselves for 8 rounds on a frontier of 8 to 36 additions, behind "
        "perfect verifiers of the last sum or of every step, or without a filter, at two learning "
        "rates.",
        "What is gained is the solved length minus that of the untouched base, greedily, over the "
        "same lengths of 1 to 36; where none cancels an answer is the whole chain.",
        "Lines and points are means over bases with 95 % t intervals, small dots are bases; of "
        "means over m, the four bases of a seed are one dot; shares are of all bases together.",
    ),
    command="python experiments/steps.py --preset shipped",
    added=("--base.learner.learning-rate 1e-3",),
)
PREDICTED = "avax, predicted before the first run"
MODULI = (2, 3, 5, 10)
NEARLY_ALL = (
    "Chains end at 36 additions, which many loops reach by round 8: differences are compressed "
    "there, less so at round 4."
)
NSRSA = (
    "NSRSA 2026, arXiv 2603.21558 (its abstract), five rounds with a model of 4 billion "
    "parameters: no check collapses, a check of outcomes comes to rest, one of steps goes on."
)


def claim(**fields) -> Claim:
    """At all learning rates, after two numbers of rounds."""
    common = {"shipped": tuple(PLACES), "horizons": (HALF, ALL), "certainty": Certainty.OURS}
    return Claim(**common | fields)


def needs(*controls: str) -> Needs:
    return Needs(controls=controls, learning_rates=2, horizons=2, replicates=True)


# Parts that a claim reads, and one that tells how much runs of one base differ.
OF_OUTCOMES = in_all_folders("outcome", "steps", "exact_outcome", "again", "control/sham")
OF_NO_FILTER = in_all_folders("none", "again", "control/none_*", "control/sham")
CLAIMS = (
    claim(
        name="Errors cancel as often as chance has it",
        statement="The last sum of a wrong chain is right in one of m.",
        source=PREDICTED,
        measures="P(last sum right | a step is wrong) of the untouched base, times m, all lengths "
        "and bases together; within a factor of two of 1 it is as predicted",
        effect={f"m = {m}": partial(times_m, m) for m in MODULI},
        rule=Rule.within(0.5, 2),
        shipped=tuple(PLACES)[:1],
        horizons=(),
        changes_mind="Policies that err at many steps of a chain, and never in its length.",
        needs=Needs(controls=("frozen generator",)),
        caveats=("One wrong step never cancels, and a wrong length is seen: both make it rarer.",),
    ),
    claim(
        name="Cancelled errors are false positives",
        statement="Errors that cancel do to outcomes as a filter what as many false positives do.",
        source="avax, the config's first prediction",
        measures="additions gained by outcomes where errors cancel, minus where none can and wrong "
        "chains are accepted at the rate at which errors cancelled in that loop, mean over m; less "
        "than 2 either way is as much",
        effect=after(as_false_positives),
        rule=Rule.within(-2, 2),
        changes_mind="Rates matched in each round, not over all.",
        needs=needs("untouched base"),
        reads=OF_OUTCOMES,
        caveats=(
            "Between FPRs of 0, 0.1 and 0.4 gains are interpolated.",
            "It is of the mean over m: at a single m intervals reach 5 additions.",
            "Chains that cancel come from the policy's own choice; false positives from none.",
        ),
    ),
    claim(
        name="Outcomes alone collapse",
        statement="Where errors cancel, a loop behind a perfect verifier of outcomes ends below "
        "its base, and collapses.",
        source=PREDICTED,
        measures="additions gained on the untouched base, mean over m",
        effect=after(gained_by, "outcome"),
        rule=Rule.below(0),
        qualified_by=Condition(
            "it is below base and sham by more than half an addition, of known or longer chains",
            partial(collapsed, FIRST, "outcome", ALL),
            Rule.below(-0.5),
        ),
        changes_mind="An answer that is read off whatever the chain's length.",
        needs=needs("untouched base", "sham"),
        reads=OF_OUTCOMES,
        competing=(NSRSA,),
    ),
    claim(
        name="No filter collapses",
        statement="Without a filter the same loop collapses.",
        source="avax, as docs/controls.md defines collapse",
        measures="additions of the base's or the sham's, whichever is less below, of known or of "
        "longer chains, whichever are more below, mean over m; half an addition is the least",
        effect=after(collapsed, "none", rounds=(LATE, ALL)),
        rule=Rule.below(-0.5),
        horizons=(LATE, ALL),
        changes_mind="A sham that loses as much.",
        needs=needs("untouched base", "sham"),
        reads=OF_NO_FILTER,
        competing=(
            "SSD 2026, arXiv 2604.01193 (second-hand): one round on a model's own unfiltered "
            "samples improves it.",
            "RSI-Noisy-Verifiers (repository, 2026): with a quarter of the labels wrong in each of "
            "8 short rounds pretrained models improve.",
        ),
        caveats=("The frontier was chosen, on other bases, so that this arm doesn't climb.",),
    ),
    claim(
        name="Losses compound",
        statement="Without a filter losses compound: the loop loses more than on what the frozen "
        "base writes.",
        source="avax, as docs/controls.md defines compounding",
        measures="additions gained without a filter, loop minus frozen generator, mean over m",
        effect=after(beyond_frozen, "none", rounds=(LATE, ALL)),
        rule=Rule.below(0),
        horizons=(LATE, ALL),
        changes_mind="A frozen generator on which as much is lost.",
        needs=needs("frozen generator", "sham"),
        reads=OF_NO_FILTER,
    ),
    claim(
        name="Gains compound",
        statement="Behind a verifier of every step gains compound: the loop gains more than on "
        "what the frozen base gets right.",
        source="avax, as docs/controls.md defines compounding",
        measures="additions gained by steps, loop minus frozen generator, mean over m",
        effect=after(beyond_frozen, "steps"),
        rule=Rule.above(0),
        changes_mind="A frozen generator from which as much is learned.",
        needs=needs("frozen generator", "sham"),
        reads=in_all_folders("steps", "again", "control/steps_*", "control/sham"),
        caveats=("Its frozen generator is a sham of matched length: it trains on the truth.",),
    ),
    claim(
        name="Steps gain more",
        statement="Where errors cancel, verifying every step gains more than verifying outcomes.",
        source=PREDICTED,
        measures="additions gained by steps minus by outcomes, both perfect, mean over m",
        effect=after(more, "steps", "outcome"),
        rule=Rule.above(0),
        changes_mind="As much where errors can't cancel.",
        needs=needs("untouched base"),
        reads=OF_OUTCOMES,
        caveats=(NEARLY_ALL, f"Agrees: {NSRSA}"),
    ),
    claim(
        name="The smaller m, the larger the difference",
        statement="Verifying outcomes alone costs the more the smaller m is.",
        source=PREDICTED,
        measures="additions gained by steps minus by outcomes, as a share of what the base leaves "
        "to gain: its slope in 1 / m",
        effect=after(cost_by_chance),
        rule=Rule.above(0),
        changes_mind="Bases that are equally good at every m.",
        needs=needs("untouched base"),
        reads=OF_OUTCOMES,
        caveats=("Bases differ by m.", NEARLY_ALL),
    ),
    claim(
        name="Without cancelling outcomes do as well",
        statement="Where no error can cancel, outcomes are as good as steps.",
        source=PREDICTED,
        measures="additions gained by steps minus by outcomes where none cancels, mean over m; "
        "less than 2 either way is as good",
        effect=after(more, "steps", "exact_outcome"),
        rule=Rule.within(-2, 2),
        changes_mind="Nothing but a fault: both accept the same chains.",
        needs=needs("untouched base"),
        reads=OF_OUTCOMES,
        caveats=("It shows by how much runs differ without a cause.",),
    ),
)
