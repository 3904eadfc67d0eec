"""Learners by name."""

from avax.learners.filtered_sft import FilteredSFT
from avax.learners.grpo import GRPO

LEARNERS = {"filtered_sft": FilteredSFT(), "grpo": GRPO()}
