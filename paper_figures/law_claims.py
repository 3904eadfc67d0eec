"""What is claimed about the boundaries of loops, and how shipped runs answer."""

from __future__ import annotations

from paper_figures.law_ends import LAWS
from paper_figures.law_frontiers import GROWING
from paper_figures.law_loops import GROUPS, LOOPS
from paper_figures.law_others import OTHER_LAWS
from paper_figures.law_paths import PATHS
from paper_figures.law_places import NAMES
from paper_figures.pages import Question

SHIPPED = tuple(NAMES)
QUESTION = Question(
    title="Can the boundary of a loop be predicted?",
    sentences=(
        "Loops that differ in one thing each from one of 40 rounds on a range of 16 digits, at a "
        "learning rate of 3e-3, ran behind verifiers of six FPRs; a sham and a frozen generator "
        "without a filter tell what training spoils by itself.",
        "Laws (docs/law.md) say from these, or from the loop where no wrong answer is accepted and "
        "where all are, where the boundary lies: FPR / (1 - FNR) above which a loop ends worse "
        "than its base, in the mean over bases.",
        "Accuracy is averaged over the last quarter of the rounds up to a quarter, a half and all "
        "of them; boundaries beyond all that was run are left out of errors.",
    ),
    command="python experiments/law.py --preset shipped",
    added=tuple(f"--configuration {folder.removeprefix('law_')}" for folder in SHIPPED[1:]),
)
CLAIMS = (*LAWS, *OTHER_LAWS, *PATHS, *LOOPS, *GROWING, *GROUPS)
