"""Which one number of a verifier decides? See configs/theory.py."""

import pathlib
import sys
import time

STARTED = time.perf_counter()
sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from avax.cli import script
from configs import theory as config
from paper_figures import fig_theory as figure

if __name__ == "__main__":
    script.main(STARTED, config, figure)
