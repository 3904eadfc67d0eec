"""Learners by name."""

from avax.learners.filtered_sft import FilteredSFT
from avax.learners.grpo import GRPO
from avax.learners.population import Population
from avax.learners.simplify import SimplifyThenGuess

LEARNERS = {
    "filtered_sft": FilteredSFT(),
    "grpo": GRPO(),
    "simplify": SimplifyThenGuess(),
    "population": Population(FilteredSFT()),
}
