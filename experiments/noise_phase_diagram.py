"""When does self-training survive a noisy verifier? See configs/noise_phase_diagram.py."""

from __future__ import annotations

import pathlib
import sys
import time

STARTED = time.perf_counter()
sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from avax import plotting
from avax.analysis import phase
from avax.engine import cli, platform, report
from avax.engine.study import Engine
from configs import noise_phase_diagram as config
from paper_figures import fig_noise_phase_diagram as figure


def main() -> None:
    command = cli.parse("noise_phase_diagram", config.__doc__, config.CHOICES, config.build)
    sweep, out = command.sweep, command.out
    if {path.rpartition(".")[2] for path in sweep.axes} != {"fpr", "fnr"}:
        cli.fail("axes: the phase diagram has two, fpr and fnr; --base.verifier noisy has both")
    if sweep.base.num_rounds < 2:
        cli.fail("base.num_rounds: is 1, must be at least 2: kappa is measured in round 2")
    sweeps = {out: sweep, out / "label_noise": config.injection(sweep)}
    cli.claim(sweeps)

    platform.configure()
    imported = time.perf_counter() - STARTED
    engine = Engine(command.bases)
    dataset, injection = (engine.execute(s, o, note) for o, s in sweeps.items())
    paths = plotting.save(figure.draw(dataset, injection), out / "figure")

    findings = figure.analyse(dataset, injection)
    print(phase.text_diagram(findings.order))
    print(figure.summary(findings))
    report.wrote(out, paths)
    report.spent(imported, engine.seconds)


def note(dataset) -> str:
    """Runs that collapsed and improved so far."""
    improved, collapsed = phase.counts(phase.order_parameter(dataset).values)
    return f"{improved} runs improved, {collapsed} collapsed"


if __name__ == "__main__":
    main()
