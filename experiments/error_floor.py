"""Does the verifier or the model's size decide where self-training comes to rest?

See configs/error_floor.py.
"""

import pathlib
import sys
import time

STARTED = time.perf_counter()
sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from avax.cli import script
from configs import error_floor as config
from paper_figures import fig_error_floor as figure

if __name__ == "__main__":
    script.main(STARTED, config, figure)
