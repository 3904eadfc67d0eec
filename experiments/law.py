"""Can the boundary of a loop be predicted? See configs/law.py."""

import pathlib
import sys
import time

STARTED = time.perf_counter()
sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from avax.cli import script
from configs import law as config
from paper_figures import fig_law as figure

if __name__ == "__main__":
    script.main(STARTED, config, figure)
