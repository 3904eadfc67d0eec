"""How far does clean verification carry: from 10 digits to 100?

See configs/length_generalization.py.
"""

import pathlib
import sys
import time

STARTED = time.perf_counter()
sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from avax.cli import script
from configs import length_generalization as config
from paper_figures import fig_length_generalization as figure

if __name__ == "__main__":
    script.main(STARTED, config, figure)
