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

from avax import plotting, struct
from avax.analysis import intervals
from avax.bench import measure, whole_runs
from avax.bench.boundary import Design, boundary
from avax.bench.main_job import main_job
from avax.bench.observing import observing
from avax.bench.steps import SIZES
from avax.cli import terminal
from avax.engine import platform
from avax.results import roots
from avax.sweeps.sweep import Sweep
from configs import noise_phase_diagram
from paper_figures import benchmark as words
from paper_figures import command, fig_law, fig_noise_phase_diagram, law
from paper_figures import fig_benchmark as figure
from paper_figures import noise_phase_diagram as diagram

LEARNING_RATE = 3e-3  # at which a boundary was looked for in three ways
FORMER = 1280, 5, 0.0065, 0.50  # runs of so many bases, and what they said: docs/log.md


def designs() -> list[Design]:
    """What was shipped of the main job's fixed range after 10 rounds: 16 x 16 settings of five
    bases of one layer, the best of four candidates each, geometric mean of their boundaries; as
    many of two bases each, dealt from a pool of 32, boundary of the mean over bases; and that of
    six FPRs of all 32, at FNR 0, where the boundary is one of FPR, over the last three rounds.
    """
    sweep = noise_phase_diagram.build("shipped", "fixed")
    sweep = struct.replace(sweep, "base.learner.learning_rate", LEARNING_RATE)
    one_layer = struct.replace(sweep, "pretraining.model.num_layers", 1)
    one_layer = struct.replace(one_layer, "pretraining.num_candidates", 4)
    folder = command.DATA / "noise_phase_diagram_fixed_rate_3e-3"
    shipped = diagram.named([*command.load_parts(folder, fig_noise_phase_diagram).values()])
    order = diagram.order_of(shipped[""])
    runs = law.Runs.known(*command.load_parts(command.DATA / "law", fig_law).values())
    on_line = law.measured(runs, law.QUARTER, law.OF_MEAN)
    return [
        Design("map of five chosen bases", *FORMER, one_layer),
        Design("map, bases dealt", int(order.count()), *ends(diagram.ratio_of(order)), sweep),
        Design("line at FNR 0", runs.line.isel(round=0).accuracy.size, *ends(on_line), sweep),
    ]


def ends(found: intervals.Estimate) -> tuple[int, float, float]:
    """Of how many bases an interval is, and where it ends."""
    return found.num, found.low, found.high


def sweeps() -> dict[str, Sweep]:
    """The main job's, by what is learned."""
    curricula = {"frontier": "frontier", "fixed range": "fixed"}
    return {name: noise_phase_diagram.build("shipped", c) for name, c in curricula.items()}


# What is measured, of repeats and sizes. Whole runs first: a process starts with the peak memory of
# the one that starts it.
PARTS = {
    "scaling": lambda repeats, sizes: whole_runs.scaling(),
    "start": lambda repeats, sizes: whole_runs.start(),
    "observing": lambda repeats, sizes: observing(sweeps()["frontier"]),
    "main_job": lambda repeats, sizes: main_job(sweeps(), repeats),
    "boundary": lambda repeats, sizes: boundary(designs(), repeats),
    "steps": measure.measure_steps,
}


def main() -> None:
    terminal.print_anything()
    parser = terminal.Parser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=terminal.path, default="results/benchmark/benchmark.json")
    parser.add_argument("--repeats", type=int, default=5, help="timings of each contestant")
    parser.add_argument(
        "--parts",
        nargs="+",
        choices=tuple(PARTS),
        default=tuple(PARTS),
        help="what is measured (default: all)",
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
    sizes = [size for size in SIZES if size.width in args.widths]
    found |= {part: PARTS[part](args.repeats, sizes) for part in PARTS if part in args.parts}
    args.json.write_text(json.dumps(found, indent=1) + "\n")
    print(words.table(found))
    print(args.json)
    for name, draw in figure.FIGURES.items():
        stem = args.json.with_name(plotting.stem_of(name))
        print(*plotting.save(draw(found), stem), sep="\n")


if __name__ == "__main__":
    main()
