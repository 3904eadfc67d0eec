"""Does the pattern of a verifier's errors decide, or their rate? See configs/noise_patterns.py."""

import pathlib
import sys
import time

STARTED = time.perf_counter()
sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from avax.cli import script
from configs import noise_patterns as config
from paper_figures import fig_noise_patterns as figure

if __name__ == "__main__":
    script.main(STARTED, config, figure)
