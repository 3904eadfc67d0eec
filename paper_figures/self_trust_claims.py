"""What is claimed about policies that judge themselves, and how the shipped runs answer."""

from __future__ import annotations

from functools import partial

import xarray as xr

from avax.analysis import intervals, phase, seeds
from avax.analysis.intervals import Estimate
from paper_figures.claims import UNKNOWN, Certainty, Claim, Condition, Rule, remembered
from paper_figures.pages import Question
from paper_figures.standards import HEADLINE, Needs

GATES = {
    "oracle": "truth",
    "none": "no filter",
    "cross_model": "another policy",
    "likelihood": "likelihood",
    "comparison": "comparison",
    "commit_first": "commit first",
    "self_evaluation": "self-evaluation",
}
CONTROLS = {  # by gate and role; a sham trains alike behind every gate
    ("none", "frozen generator"): "control/none_frozen_generator",
    ("none", "sham"): "control/none_sham",
    ("likelihood", "frozen generator"): "control/likelihood_frozen_generator",
}
PARTS = (*GATES, *CONTROLS.values())
JUDGES = tuple(GATES)[3:]  # those that ask a policy
FIRST = 1  # the round in which the policy is still the base
EARLY = slice(2, 3)  # rounds in which both policies err, and the loops have not ended yet
QUESTION = Question(
    title="Does a policy that judges itself trust its own mistakes, and what becomes of the loop?",
    sentences=(
        "Policies of 8 digits that add and mark sums ran on a frontier for 10 rounds behind each "
        "judge, and in every round the policy and another base were both asked about new mistakes "
        "of both, on the same problems.",
        "Readings are of rounds 2 and 3, where both policies err and no loop has ended; self-trust "
        "is own less other's mistakes, own reader less the other.",
        "Lines and points are means over bases with 95 % t intervals.",
    ),
    command="python experiments/self_trust.py",
)
LI = "Li et al. 2024, arXiv 2403.09972"
ZHOU = "Zhou 2026, arXiv 2607.05904"
BEYOND_FROZEN = "likelihood, beyond a frozen generator"
LOOPS = Needs(HEADLINE, ("untouched base", "sham"), learning_rates=2, horizons=2)
MARKS = "Of the bases that were to learn to mark sums half hardly did."
LIKELY = (
    "What a policy samples it finds likely, so for likelihoods the claim holds by construction."
)


def self_trust(values: xr.DataArray) -> xr.DataArray:
    """Own reader less other reader, of own mistakes less of the other's.

    What all mistakes of one author have in common cancels, and so does what one reader says of all.
    """
    by_author = values.sel(author="own") - values.sel(author="other")
    return by_author.sel(reader="own") - by_author.sel(reader="other")


@remembered
def loops(*datasets: xr.Dataset | None) -> dict[str, xr.Dataset]:
    """The loops by what gates them and the controls that there are by part, until they diverged."""
    found = zip(PARTS, datasets, strict=False)
    return {name: phase.until_diverged(data) for name, data in found if data is not None}


def controls_of(named: dict[str, xr.Dataset]) -> dict[tuple[str, str], xr.Dataset]:
    """The controls that there are, by gate and role."""
    return {of: named[part] for of, part in CONTROLS.items() if part in named}


def early(dataset: xr.Dataset, name: str) -> xr.DataArray:
    """Readings of a loop's own gate in early rounds, by seed, reader and author."""
    values = dataset[name].sel(judge="own", round=EARLY).transpose("round", ...)
    return values.isel(round=0, drop=True).copy(data=seeds.mean(values.values))


def trust(judge: str, *datasets: xr.Dataset) -> Estimate:
    return intervals.mean(self_trust(early(loops(*datasets)[judge], "trust_fpr")).values)


def own(judge: str, name: str, *datasets: xr.Dataset) -> xr.DataArray:
    """A reading of own mistakes by their own author."""
    return early(loops(*datasets)[judge], name).sel(reader="own", author="own")


def than_likelihood(judge: str, name: str, *datasets: xr.Dataset) -> Estimate:
    """A judge's reading of own mistakes, minus likelihood's."""
    other = own("likelihood", name, *datasets)
    return intervals.mean((own(judge, name, *datasets) - other).values)


def ends(judge: str, measure: str, *datasets: xr.Dataset) -> Estimate:
    """A measure in the last round, minus that in the first."""
    values = loops(*datasets)[judge][measure].transpose("seed", "round").values
    return intervals.mean(values[:, -1] - values[:, FIRST])


def more_than_frozen(*datasets: xr.Dataset | None) -> Estimate:
    """By how much more the share that likelihood accepts grew, from the first round to the last,
    than where the untouched base writes all answers.
    """
    named = loops(*datasets)
    control = controls_of(named).get(("likelihood", "frozen generator"))
    if control is None:
        return UNKNOWN
    each = (x.accept_rate for x in (named["likelihood"], control))
    return intervals.paired(
        *(x.isel(round=-1, drop=True) - x.sel(round=FIRST, drop=True) for x in each)
    )


def less_right_than_sham(judge: str, *datasets: xr.Dataset | None) -> Estimate:
    """Share right in a sham less that behind a judge, on the same lengths: mean of the rounds in
    which a trained policy answers.
    """
    named = loops(*datasets)
    sham = controls_of(named).get(("none", "sham"))
    if sham is None:
        return UNKNOWN
    rounds = {"round": slice(FIRST + 1, None)}
    each = (
        x.sampled_accuracy.sel(rounds).mean("round", skipna=False) for x in (sham, named[judge])
    )
    return intervals.paired(*each)


def gap(*datasets: xr.Dataset) -> Estimate:
    """Right among the accepted less right among all, of a policy that marks; rounds 1 to 4."""
    data = loops(*datasets)["self_evaluation"].isel(round=slice(FIRST, FIRST + 4))
    values = (data.label_precision - data.sampled_accuracy).transpose("round", "seed").values
    return intervals.mean(seeds.mean(values))


def of_judges(effect, *args, judges=JUDGES) -> dict:
    return {GATES[judge]: partial(effect, judge, *args) for judge in judges}


CLAIMS = (
    Claim(
        name="Own mistakes are trusted",
        statement="Models trust their own mistakes.",
        source=LI,
        certainty=Certainty.SECOND_HAND,
        measures="self-trust in P(accept | wrong), rounds 2 and 3",
        effect=of_judges(trust),
        rule=Rule.above(0),
        changes_mind="A judge that marks well beyond the lengths it was trained on.",
        needs=Needs(controls=("untouched base",)),
        caveats=(LIKELY, MARKS),
    ),
    Claim(
        name="Beside alternatives",
        statement="An answer is judged better beside its alternatives.",
        source=LI,
        certainty=Certainty.SECOND_HAND,
        measures="AUROC on own mistakes by comparison, minus that by likelihood alone",
        effect=partial(than_likelihood, "comparison", "auroc"),
        rule=Rule.above(0),
        changes_mind="Rounds with more right answers to compare.",
        needs=Needs(controls=("untouched base",)),
        caveats=("Thresholds were not matched; AUROC needs both right and wrong answers.",),
    ),
    Claim(
        name="Commit first",
        statement="A judge that commits itself first is fooled less often.",
        source=ZHOU,
        certainty=Certainty.SECOND_HAND,
        measures="P(accept | own mistake) of a judge that commits first, minus likelihood's",
        effect=partial(than_likelihood, "commit_first", "trust_fpr"),
        rule=Rule.below(0),
        changes_mind="Judges and solvers of other sizes.",
        needs=Needs(controls=("untouched base",)),
        caveats=(
            "Theirs judges others' answers (0.012 for 0.719, second-hand); here the "
            "solver is the judge, and what it errs in greedily it errs in again.",
        ),
    ),
    Claim(
        name="Behind its own gate",
        statement="Gated by itself a policy passes ever more, and is right ever less.",
        source=ZHOU,
        certainty=Certainty.SECOND_HAND,
        measures="share accepted in the last round, minus that in the first; and of likelihood "
        "minus the same with a frozen generator",
        effect=of_judges(ends, "accept_rate") | {BEYOND_FROZEN: more_than_frozen},
        rule=Rule.above(0),
        qualified_by=Condition(
            "fewer answers are right than in a sham (sham less self-evaluation, on the same "
            "lengths, mean of all rounds after the first)",
            partial(less_right_than_sham, "self_evaluation"),
            Rule.above(0),
        ),
        changes_mind="A frontier that most policies hold with the truth.",
        needs=LOOPS,
        caveats=(
            "Each round poses longer problems, so that fewer answers are right even without "
            "training, and other shares are accepted.",
            MARKS,
        ),
        competing=(
            "SSD 2026 (Apple), arXiv 2604.01193, second-hand: one round of unfiltered samples at a "
            "raised temperature improves code.",
            "How far can unsupervised RLVR scale 2026, arXiv 2603.08660, second-hand: with few "
            "distinct problems a majority vote's own labels never collapse.",
        ),
    ),
    Claim(
        name="A gap of its own",
        statement="A policy that marks sums has a generation-verification gap of its own.",
        source="asked by gap.py, whose bases can't mark",
        certainty=Certainty.OURS,
        measures="right among the accepted less right among all, mean of rounds 1 to 4",
        effect=gap,
        rule=Rule.above(0),
        changes_mind="Bases of several sizes that mark.",
        needs=Needs(controls=("untouched base",)),
        caveats=("One size of policy.", MARKS),
    ),
)
