"""How much better than its policy is a verifier, by model size and by round?

See configs/gap.py.
"""

import pathlib
import sys
import time

STARTED = time.perf_counter()
sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from avax.cli import script
from configs import gap as config
from paper_figures import fig_gap as figure

if __name__ == "__main__":
    script.main(STARTED, config, figure)
