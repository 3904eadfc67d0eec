"""Learners by name."""

from avax.learners.filtered_sft import FilteredSFT

LEARNERS = {"filtered_sft": FilteredSFT()}
