"""Where the shipped runs of `law` are, and what each is of."""

from __future__ import annotations

FITTED_ON = {  # what the odds of the law from both ends were fitted on
    "law": "reference",
    "law_rate_1e-3": "learning rate 1e-3",
    "law_fnr_0.5": "FNR 0.5",
    "law_base_data": "0.75 base data",
    "law_rate_6e-3": "learning rate 6e-3",
    "law_distinct_128": "128 problems in all",
    "law_updates_8": "8 updates a round",
}
NEW = {  # run when all laws had been written down
    "law_rate_5e-4": "learning rate 5e-4",
    "law_rate_2e-3": "learning rate 2e-3",
    "law_kept_4": "4 kept rounds",
    "law_fnr_0.8": "FNR 0.8",
    "law_distinct_32": "32 problems in all",
    "law_layers_3": "3 layers",
    "law_quarter_trained": "a quarter trained",
    "law_distinct_512": "512 problems in all",
    "law_updates_128": "128 updates a round",
    "law_width_64": "width 64",
}
FRONTIERS = {
    "law_frontier_1": "frontier, 1 digit a round",
    "law_frontier_2": "frontier, 2 digits a round",
    "law_frontier_4": "frontier, 4 digits a round",
}
GRPO = {"law_grpo": "GRPO", "law_grpo_fnr_0.5": "GRPO, FNR 0.5"}
NAMES = FITTED_ON | NEW | FRONTIERS | GRPO  # by the folder of their results
FIXED = tuple(FITTED_ON | NEW)  # fine-tuned on one range of lengths
FAMILIES = {  # what configurations differ in, by the first word of their folders' names
    "law": "reference",
    "rate": "learning rate",
    "updates": "updates a round",
    "base": "data of a batch",
    "kept": "data of a batch",
    "fnr": "FNR",
    "distinct": "number of problems",
    "width": "policy",
    "layers": "policy",
    "quarter": "policy",
    "frontier": "frontier",
    "grpo": "GRPO",
}


def family(folder: str) -> str:
    """What a configuration differs in from the reference."""
    return FAMILIES[folder.removeprefix("law_").partition("_")[0]]
