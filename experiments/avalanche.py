"""What lengthens the runway before errors bury self-training? See configs/avalanche.py."""

from __future__ import annotations

import pathlib
import sys
import time

STARTED = time.perf_counter()
sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from avax.cli import script
from configs import avalanche as config
from paper_figures import fig_avalanche as figure

if __name__ == "__main__":
    script.main(STARTED, config, figure)
