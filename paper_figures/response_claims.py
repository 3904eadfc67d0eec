"""What is claimed about predicting the boundary from one lapse, and how shipped runs answer."""

from __future__ import annotations

from functools import partial

import numpy as np
import xarray as xr

from avax.analysis import intervals, phase, response
from avax.analysis.intervals import Estimate
from paper_figures.claims import Certainty, Claim, Rule, remembered
from paper_figures.pages import Question
from paper_figures.standards import HEADLINE, Needs

VARIANTS = {
    "reference": "reference",
    "base_data": "half base data",
    "gentle": "1/3 of learning rate",
    "accumulated": "accumulated data",
    "wide": "width 48, not 32",
    "grpo": "GRPO, 20 rounds",
    "frontier": "frontier",
}
PARTS = ("random_labels", *(f"{kind}/{name}" for name in VARIANTS for kind in ("line", "lapse")))
LATE = slice(4, 10)  # rounds after the wrong labels
QUESTION = Question(
    title="Can the boundary between gain and collapse be predicted from one lapse of the verifier?",
    sentences=(
        "A perfect verifier lets a share of the policy's own mistakes through in one round; how "
        "much more the policy errs afterwards is its response, and seven variants of the loop also "
        "ran behind verifiers that err in every round, at FNR 0.",
        "The boundary that the response predicts, and the one of a mean field that knows one round "
        "alone, stand beside the measured one.",
        "Intervals are jackknife t intervals over bases, of boundaries on the log scale; where the "
        "whole line gains there is no boundary.",
    ),
    command="python experiments/response.py",
)
BOUNDARY = Needs(
    HEADLINE, ("untouched base", "sham"), learning_rates=2, horizons=2, replicates=True
)
FEW = "An earlier run of five variants, from the same bases, differs by up to a factor of 4."
AVAX = "avax (avax/analysis/response.py)"


def measured(line: xr.Dataset, picks: np.ndarray) -> float:
    """The boundary FPR on the line FNR = 0 for some of the bases; infinite if all of it gains."""
    order = phase.order_parameter(line).expand_dims(fnr=[0.0]).isel(seed=picks)
    return float(phase.boundary(order).fpr[0])


def seen_by(lapse: xr.Dataset):
    """The response for some of the bases; those with a run that diverged are left out."""
    start, *data = response.injected(lapse)
    known = np.isfinite(data[0]).all(1) & np.isfinite(data[2]).all((1, 2))

    def seen(picks: np.ndarray) -> response.Response:
        some = picks[known[picks]]
        return response.measure(*(x[some] for x in data), start)

    return seen


def predicted(seen: response.Response) -> tuple[float, float]:
    """The boundary by the whole response, and by the next round's: infinite if there is none."""
    kappa = seen.error_by_lag[1]
    return response.critical_ratio(seen), 1 / kappa if kappa > 0 else np.inf


def boundaries(found: dict[str, xr.Dataset], name: str) -> dict[str, Estimate]:
    """All boundaries of a variant, and the factors by which predictions are too high."""
    line, lapse = found[f"line/{name}"], found[f"lapse/{name}"]
    units = np.arange(line.sizes["seed"])
    seen, cached = seen_by(lapse), {}

    def each(picks: np.ndarray) -> np.ndarray:
        at = tuple(picks.tolist())
        if at not in cached:
            cached[at] = np.array([measured(line, picks), *predicted(seen(picks))])
        return cached[at]

    numbers = {
        "measured": lambda p: each(p)[0],
        "response": lambda p: each(p)[1],
        "one round": lambda p: each(p)[2],
        "factor of the response": lambda p: each(p)[1] / each(p)[0],
        "factor of one round": lambda p: each(p)[2] / each(p)[0],
    }
    with np.errstate(all="ignore"):
        return {n: bounded(intervals.jackknife(units, f, log=True)) for n, f in numbers.items()}


def bounded(estimate: Estimate) -> Estimate:
    """An interval whose ends are open where they are not known."""
    value, low, high, num = estimate
    low, high = (0.0 if np.isnan(low) else low), (np.inf if np.isnan(high) else high)
    return Estimate(value, low, high, num)


@remembered
def prepared(*datasets: xr.Dataset) -> dict[str, dict[str, Estimate]]:
    found = dict(zip(PARTS, datasets, strict=True))
    return {name: boundaries(found, name) for name in VARIANTS}


def factor(kind: str, name: str, *datasets: xr.Dataset) -> Estimate:
    return prepared(*datasets)[name][f"factor of {kind}"]


def more(lags: slice, *datasets: xr.Dataset) -> Estimate:
    """Response to own mistakes minus that to random digits, summed over lags."""
    found = dict(zip(PARTS, datasets, strict=True))
    own, random = found["lapse/reference"], found["random_labels"]
    seen, last = [seen_by(x) for x in (own, random)], own.sizes["round"] - 1
    chosen = slice(lags.start, min(lags.stop, last))

    def statistic(picks: np.ndarray) -> float:
        first, second = (each(picks).error_by_lag[chosen].sum() for each in seen)
        return float(first - second)

    return intervals.jackknife(np.arange(own.sizes["seed"]), statistic)


def of_variants(kind: str) -> dict:
    return {shown: partial(factor, kind, name) for name, shown in VARIANTS.items()}


CLAIMS = (
    Claim(
        name="The whole response",
        statement="The response in all rounds after one lapse predicts the boundary to a factor of "
        "two.",
        source=AVAX,
        certainty=Certainty.OURS,
        measures="predicted boundary FPR over the measured one",
        effect=of_variants("the response"),
        rule=Rule.within(0.5, 2),
        changes_mind="More bases; lapses in later rounds, as the response is taken to be one for "
        "all.",
        needs=BOUNDARY,
        caveats=(FEW,),
    ),
    Claim(
        name="One round's response",
        statement="What one round's wrong labels do in the next round predicts the boundary to a "
        "factor of two.",
        source="avax, the mean field of avax/analysis/theory.py",
        certainty=Certainty.OURS,
        measures="1 / kappa over the measured boundary FPR",
        effect=of_variants("one round"),
        rule=Rule.within(0.5, 2),
        changes_mind="Policies that start each round from the base.",
        needs=BOUNDARY,
        caveats=(FEW,),
    ),
    Claim(
        name="Random digits for own mistakes",
        statement="Random label noise does in the rounds after what a policy's own mistakes do.",
        source="implied by one-shot injections, as in Lee et al. 2025, arXiv 2502.01612",
        certainty=Certainty.SECOND_HAND,
        measures="wrong completions for each wrong label, summed over rounds 1 to 9 after: own "
        "mistakes minus random digits",
        effect=partial(more, slice(1, 10)),
        rule=Rule.within(-0.5, 0.5),
        changes_mind="A learner that forgets its own mistakes as fast.",
        needs=Needs(controls=("untouched base",)),
        caveats=("One variant of the loop, one round of wrong labels.",),
    ),
    Claim(
        name="Memory for own mistakes",
        statement="A policy remembers its own mistakes when random digits are forgotten.",
        source=AVAX,
        certainty=Certainty.OURS,
        measures="wrong completions for each wrong label, summed over rounds 4 to 9 after: own "
        "mistakes minus random digits",
        effect=partial(more, LATE),
        rule=Rule.above(0),
        changes_mind="A learner that forgets its own mistakes as fast.",
        needs=Needs(controls=("untouched base",)),
        caveats=("One variant of the loop, one round of wrong labels.",),
    ),
)
