"""Do problems that are nearly impossible spoil a policy, or do false rewards?

See configs/hard_samples.py.
"""

import pathlib
import sys
import time

STARTED = time.perf_counter()
sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from avax.cli import script
from configs import hard_samples as config
from paper_figures import fig_hard_samples as figure

if __name__ == "__main__":
    script.main(STARTED, config, figure)
