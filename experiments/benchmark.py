"""How fast is avax on this machine, against its limit and against PyTorch?

    python experiments/benchmark.py                     # prints a table, draws a figure
    python experiments/benchmark.py --json FILE         # where the numbers go

All contestants of a part are timed in turn in one process, several times: the median counts.
PyTorch takes part if it is installed (`pip install -e '.[bench]'`), with whichever of its two
arrangements is faster. Numbers are per member: one policy of an ensemble.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from avax import plotting
from avax.bench import measure, whole_runs
from avax.bench.main_job import main_job
from avax.bench.observing import observing
from avax.bench.steps import SIZES
from avax.cli import terminal
from avax.engine import platform
from avax.results import roots
from configs import noise_phase_diagram
from paper_figures import fig_benchmark as figure

PARTS = ("steps", "main_job", "scaling", "start", "observing")


def main() -> None:
    terminal.print_anything()
    parser = terminal.Parser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=terminal.path, default="results/benchmark/benchmark.json")
    parser.add_argument("--repeats", type=int, default=5, help="timings of each contestant")
    parser.add_argument(
        "--parts", nargs="+", choices=PARTS, default=PARTS, help="what is measured (default: all)"
    )
    widths = [size.width for size in SIZES]
    parser.add_argument(
        "--widths", nargs="+", type=int, choices=widths, default=widths, help="of the models timed"
    )
    args = parser.parse_args()
    if args.repeats < 1:
        parser.error("--repeats: must be at least 1")
    if owner := roots.read(args.json.parent):
        parser.error(f"--json: {args.json.parent} is the folder of {owner['experiment']}")
    args.json.parent.mkdir(parents=True, exist_ok=True)

    platform.configure()
    found = {"machine": measure.machine(), "versions": platform.versions()}
    # Whole runs first: a process starts with the peak memory of the one that starts it.
    if "scaling" in args.parts:
        found["scaling"] = whole_runs.scaling()
    if "start" in args.parts:
        found["start"] = whole_runs.start()
    if "observing" in args.parts:
        found["observing"] = observing(noise_phase_diagram.build("laptop", "frontier"))
    if "main_job" in args.parts:
        curricula = {"frontier": "frontier", "fixed range": "fixed"}
        sweeps = {n: noise_phase_diagram.build("laptop", c) for n, c in curricula.items()}
        found["main_job"] = main_job(sweeps, args.repeats)
    if "steps" in args.parts:
        found["steps"] = measure.measure_steps(
            args.repeats, [s for s in SIZES if s.width in args.widths]
        )
    args.json.write_text(json.dumps(found, indent=1) + "\n")
    print(figure.table(found))
    print(args.json)
    for name, draw in figure.FIGURES.items():
        stem = args.json.with_name(plotting.stem_of(name))
        print(*plotting.save(draw(found), stem), sep="\n")


if __name__ == "__main__":
    main()
