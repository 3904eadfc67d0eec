"""Any experiment, with any plug-ins and any axes. See avax/cli/run.py."""

import pathlib
import sys
import time

STARTED = time.perf_counter()
sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from avax.cli import run as config
from avax.cli import script
from avax.plotting import overview as figure

if __name__ == "__main__":
    script.main(STARTED, config, figure)
