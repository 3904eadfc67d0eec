"""When does self-training survive a noisy verifier? See configs/noise_phase_diagram.py."""

import pathlib
import sys
import time

STARTED = time.perf_counter()
sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from avax.cli import script
from configs import noise_phase_diagram as config
from paper_figures import fig_noise_phase_diagram as figure

if __name__ == "__main__":
    script.main(STARTED, config, figure)
