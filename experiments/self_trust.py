"""Does a policy that judges itself trust its own mistakes, and what becomes of the loop?

See configs/self_trust.py.
"""

import pathlib
import sys
import time

STARTED = time.perf_counter()
sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from avax.cli import script
from configs import self_trust as config
from paper_figures import fig_self_trust as figure

if __name__ == "__main__":
    script.main(STARTED, config, figure)
