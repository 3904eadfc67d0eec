"""Is it enough to verify outcomes where wrong steps can still give the right answer?

See configs/steps.py.
"""

import pathlib
import sys
import time

STARTED = time.perf_counter()
sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from avax.cli import script
from configs import steps as config
from paper_figures import fig_steps as figure

if __name__ == "__main__":
    script.main(STARTED, config, figure)
