"""What is claimed about self-training behind a noisy verifier, and how the shipped runs answer.

Accuracy is measured on the same lengths before and after: the untouched base is round 0, and claims
about what the loop changed need no part of their own for it.
"""

from __future__ import annotations

from functools import partial

from avax.analysis import lengths
from paper_figures.beside import ALL
from paper_figures.claims import Rule
from paper_figures.noise_phase_diagram_boundaries import (
    BOUNDARIES,
    BOUNDARY,
    HORIZONS,
    MOVES,
    SHARE,
    claim,
)
from paper_figures.noise_phase_diagram_effects import (
    OWN_PLACES,
    PLACES,
    beyond,
    collapse,
    everywhere,
    lost,
)
from paper_figures.pages import Question
from paper_figures.standards import HEADLINE, Needs

SHIPPED = (*PLACES, *OWN_PLACES)
QUESTION = Question(
    title="When does self-training survive a noisy verifier?",
    sentences=(
        "Policies that can add numbers of up to 8 digits trained themselves for 10 rounds on their "
        "own answers, on a frontier that grows by a digit a round or on a range of 16 digits, "
        "behind verifiers that accept wrong answers at the rate FPR and reject right ones at the "
        "rate FNR: each of the map's 16 x 16 verifiers has two bases of 32, those of the line "
        "at FNR 0, which is compared with controls, have all; learning rates are 1e-3 and 3e-3.",
        "A boundary is where a run ends as good as its untouched base, or as a sham that trains as "
        "much on true data which the base knows.",
        "Boundaries are those of the mean outcome on the map, given as FPR / (1 - FNR) with 95 % "
        "intervals over bases; J = TPR - FPR is 0 where that is 1.",
    ),
    command="python experiments/noise_phase_diagram.py --preset shipped",
    added=(
        "--curriculum fixed",
        "--base.learner.learning-rate 3e-3",
        "--curriculum fixed --base.learner.learning-rate 3e-3",
        *(
            f"--curriculum fixed --controls none --seed {seed} --base.learner.learning-rate {rate}"
            for seed, rate in ((100, "7e-4"), (200, "1.7e-3"), (300, "4.5e-3"))
        ),
    ),
)
GREEDY = "Answers are greedy: nothing can be gained by sharpening."
FEW_LEFT = (
    "On the frontier the base is soon right on nearly nothing: a frozen generator behind a "
    "verifier without errors, which is the length-matched sham, trains over and over on a few "
    "answers and in the last rounds on none."
)
UNFILTERED = (
    "Apple 2026, arXiv 2604.01193 (second-hand): one round on unfiltered samples of raised "
    "temperature lifts language models."
)

CLAIMS = (
    *BOUNDARIES,
    claim(
        name="Loss without a filter",
        statement="Without a filter self-training ends below its untouched base, at the lengths "
        "that it knew and at longer ones.",
        source="avax",
        measures="digits solved at FPR 1 and FNR 0 after all rounds, minus the untouched base's",
        effect={
            f"{place}, {name}": partial(lost, place, ALL, measure)
            for place in PLACES.values()
            for name, measure in (
                ("known lengths", lengths.retention),
                ("longer ones", lengths.reach),
            )
        },
        rule=Rule.below(0),
        changes_mind="A learning rate at which nothing is lost.",
        needs=Needs(learning_rates=2, replicates=True),
        caveats=("It says nothing of why: a sham may lose as much.", MOVES),
        competing=(UNFILTERED, SHARE),
    ),
    claim(
        name="Collapse without a filter",
        statement="Without a filter self-training collapses: below its untouched base and below a "
        "sham, in retention or in reach.",
        source="avax, as docs/controls.md defines collapse",
        measures="digits solved at FPR 1 and FNR 0 minus those of the base or of the sham, "
        "whichever is less below, on known or on longer lengths, whichever is more below",
        effect=everywhere(collapse, "sham"),
        rule=Rule.below(0),
        changes_mind="A sham that loses as much; samples at a temperature above 0.",
        needs=Needs(HEADLINE, ("sham",), **BOUNDARY),
        horizons=HORIZONS,
        caveats=(
            GREEDY,
            "The sham trains on the very lengths that are known: see the length-matched one.",
            MOVES,
        ),
        competing=(UNFILTERED, SHARE),
    ),
    claim(
        name="Collapse, beside a length-matched sham",
        statement="Without a filter self-training ends below its untouched base and below what "
        "training on the base's own right answers at the same lengths leaves, in retention or in "
        "reach.",
        source="avax, as docs/controls.md defines collapse, with the other sham",
        measures="digits solved at FPR 1 and FNR 0 minus those of the base or of that sham, "
        "whichever is less below, on known or on longer lengths, whichever is more below",
        effect=everywhere(collapse, "length-matched sham"),
        rule=Rule.below(0),
        changes_mind="A length-matched sham that has as many answers to train on.",
        needs=Needs(HEADLINE, ("length-matched sham",), **BOUNDARY),
        horizons=HORIZONS,
        caveats=(GREEDY, FEW_LEFT, MOVES),
        competing=(UNFILTERED, SHARE),
    ),
    claim(
        name="Gains compound",
        statement="Behind a verifier without errors gains compound: the loop gains more than on "
        "what the frozen base writes.",
        source="avax, as docs/controls.md defines compounding",
        measures="digits gained at FPR 0 and FNR 0, loop minus frozen generator",
        effect=everywhere(beyond, "frozen generator", True),
        rule=Rule.above(0),
        changes_mind="A frozen generator that is right as often at new lengths.",
        needs=Needs(HEADLINE, ("frozen generator", "sham"), **BOUNDARY),
        horizons=HORIZONS,
        caveats=(FEW_LEFT, MOVES),
        competing=(
            "Strozzi 2026, arXiv 2606.07856 (second-hand): behind an exact verifier pass@8 rises "
            "ever slower over two rounds and pass@64 falls below the base's.",
        ),
    ),
    claim(
        name="Losses compound",
        statement="Without a filter losses compound: the loop loses more than on what the frozen "
        "base writes.",
        source="avax, as docs/controls.md defines compounding",
        measures="digits gained at FPR 1 and FNR 0, loop minus frozen generator",
        effect=everywhere(beyond, "frozen generator", False),
        rule=Rule.below(0),
        changes_mind="A frozen generator behind which as much is lost.",
        needs=Needs(HEADLINE, ("frozen generator", "sham"), **BOUNDARY),
        horizons=HORIZONS,
        caveats=(
            "The base's own greedy answers, all of them, teach it next to nothing new.",
            "It is of FPR 1: figure b shows the loop above the frozen generator at lower FPRs.",
            MOVES,
        ),
        competing=(UNFILTERED, SHARE),
    ),
    claim(
        name="Choice",
        statement="Which answers a verifier without errors accepts lets the loop gain: more than "
        "where as many are accepted, whichever.",
        source="avax",
        measures="digits gained at FPR 0 and FNR 0, loop minus placebo",
        effect=everywhere(beyond, "placebo", True),
        rule=Rule.above(0),
        changes_mind="A placebo that gains as much.",
        needs=Needs(HEADLINE, ("placebo",), horizons=2, replicates=True),
        horizons=HORIZONS,
    ),
)
