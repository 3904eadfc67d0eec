"""Can the boundary be predicted from one lapse? See configs/response.py."""

import pathlib
import sys
import time

STARTED = time.perf_counter()
sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from avax.cli import script
from configs import response as config
from paper_figures import fig_response as figure

if __name__ == "__main__":
    script.main(STARTED, config, figure)
