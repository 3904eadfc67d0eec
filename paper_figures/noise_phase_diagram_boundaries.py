"""What is claimed about where self-training behind a noisy verifier stops to gain."""

from __future__ import annotations

from functools import partial

from paper_figures.beside import ALL
from paper_figures.claims import Certainty, Claim, Rule
from paper_figures.noise_phase_diagram_effects import (
    ONE_LESS_J,
    OWN_PLACES,
    PLACES,
    advantage,
    at_places,
    boundary,
    boundary_beyond_sham,
    everywhere,
    exponent,
    nearer,
    predicted_over_measured,
)
from paper_figures.standards import HEADLINE, Needs

RAD = "Rad et al. 2026, arXiv 2601.04411, for group-relative learners"
MEAN_FIELD = "avax, the mean field of avax/analysis/theory.py"
BOUNDARY = {"learning_rates": 2, "horizons": 2, "replicates": True}
HORIZONS = (5, 10)  # half and all of the rounds of what is shipped
TWO_FOLD = Rule.within(0.5, 2)
MOVES = "Where a boundary lies depends on the learning rate and on the number of rounds."
SHARE = (
    "RSI-Noisy-Verifiers 2026 (a repository, commit 10e776f): with a quarter of the accepted "
    "labels wrong in each of 8 rounds the accuracy of language models still rises, 0.50 to 0.61 "
    "and more."
)
STRUCTURED = (
    "LambertAlpha/verifier-dynamics 2026 (a repository, commit d1f4803): at one J of 0.88 "
    "group-relative training is unharmed by random errors and collapses where one frequent wrong "
    "answer is always accepted."
)


def claim(**fields) -> Claim:
    fields.setdefault("caveats", (MOVES,))
    fields.setdefault("certainty", Certainty.OURS)
    fields.setdefault("shipped", tuple(PLACES))
    return Claim(**fields)


BOUNDARIES = (
    claim(
        name="J above 0",
        statement="In filtered fine-tuning, too, J > 0 suffices to gain on the untouched base.",
        source=RAD,
        certainty=Certainty.SECOND_HAND,
        measures="FPR / (1 - FNR) at which a run ends as good as its base, which is 1 at J = 0",
        effect=everywhere(boundary),
        rule=Rule.above(0.5),
        changes_mind="A boundary near 1 at other learning rates, with larger models or more data.",
        needs=Needs(HEADLINE, ("sham",), **BOUNDARY),
        horizons=HORIZONS,
        caveats=(
            "The rule allows for a factor of two.",
            "Training on true data alone may end below the base as well: see the sham.",
            MOVES,
        ),
        competing=(STRUCTURED,),
    ),
    claim(
        name="J above 0, beside a sham",
        statement="In filtered fine-tuning J > 0 suffices to gain more than a sham.",
        source=RAD,
        certainty=Certainty.SECOND_HAND,
        measures="FPR / (1 - FNR) at which a run ends as good as its sham, which is 1 at J = 0",
        effect=everywhere(boundary_beyond_sham),
        rule=Rule.above(0.5),
        changes_mind="A boundary near 1 at other learning rates, with larger models or more data.",
        needs=Needs(HEADLINE, ("sham",), **BOUNDARY),
        horizons=HORIZONS,
        competing=(STRUCTURED,),
    ),
    claim(
        name="The ratio",
        statement="In filtered fine-tuning FPR / (1 - FNR) decides, not J and not FPR.",
        source=f"{MEAN_FIELD}, cf. Feng et al. 2024, arXiv 2406.07515, for one round",
        measures="share of the variance between verifiers that the ratio explains, minus that of "
        "the other number",
        effect={
            f"{place}, over {other}": partial(advantage, place, other)
            for place in PLACES.values()
            for other in (ONE_LESS_J, "FPR")
        },
        rule=Rule.above(0),
        changes_mind="Another number that is ahead at other learning rates and horizons.",
        needs=Needs(HEADLINE, ("sham",), learning_rates=2, replicates=True),
        competing=(STRUCTURED, SHARE),
    ),
    claim(
        name="Rays",
        statement="Iso-lines of the outcome are rays of equal FPR / (1 - FNR).",
        source=MEAN_FIELD,
        measures="exponent k of iso-lines FPR ~ (1 - FNR)^k",
        effect=everywhere(exponent),
        rule=Rule.within(0.75, 1.25),
        changes_mind="As many different accepted answers at every FNR.",
        needs=Needs(HEADLINE, **BOUNDARY),
        horizons=HORIZONS,
        caveats=("Rejected answers are not replaced: at FNR 0.9 few are left to train on.", MOVES),
    ),
    claim(
        name="The law from both ends",
        statement="From what the loop gains behind a perfect verifier and loses without one, a law "
        "says where the boundary lies on the map, to a factor of two.",
        source="avax (avax/analysis/law.py)",
        measures="predicted over measured boundary ratio",
        effect=everywhere(predicted_over_measured),
        rule=TWO_FOLD,
        changes_mind="Maps at other learning rates and horizons; law.md has other loops.",
        needs=Needs(HEADLINE, ("sham",), **BOUNDARY),
        horizons=HORIZONS,
        caveats=(
            "Its k was fitted on runs of the fixed range at both rates, when the maps at three "
            "times the rate and one of the frontier at 1e-3 were known. It is read at 10 rounds as "
            "there at a quarter of 40; before, its k is that of 10.",
            "At 1e-3 little is lost without a filter, so that these maps hardly test it: a "
            "straight line is as near.",
            "On longer frontiers, of 20 rounds at three times the rate, it fails: see law.md.",
            "It says that boundaries are rays, which they are not.",
            MOVES,
        ),
    ),
    claim(
        name="The law from both ends and a straight line",
        statement="The law from both ends is nearer to the boundary on the map than a straight "
        "line in the ratio between the same two runs, which has no fitted number.",
        source="avax",
        measures="how far the law is from the measured boundary, in logarithms, minus how far the "
        "straight line is",
        effect=everywhere(nearer),
        rule=Rule.below(0),
        changes_mind="Maps at other learning rates and horizons.",
        needs=Needs(HEADLINE, ("sham",), **BOUNDARY),
        horizons=HORIZONS,
        caveats=("It was written down when these maps were known.", MOVES),
    ),
    claim(
        name="The law at rates of our own choosing",
        statement="At learning rates where nothing had been run, and from bases of their own, the "
        "law from both ends says where the boundary lies on the map of the fixed range, to a "
        "factor of two.",
        source="avax (avax/analysis/law.py)",
        measures="predicted over measured boundary ratio after all rounds",
        effect=at_places(OWN_PLACES, (ALL,), predicted_over_measured),
        rule=TWO_FOLD,
        changes_mind="A map at any rate between 5e-4 and 6e-3 of which it is farther off.",
        needs=Needs(HEADLINE, learning_rates=2, replicates=True),
        horizons=HORIZONS[1:],
        caveats=(
            "Rates, seeds and the factor were written down before these runs (docs/log.md); they "
            "have no controls.",
            MOVES,
        ),
        shipped=(*PLACES, *OWN_PLACES),
    ),
)
