"""What compounds in loops of all arms, at all learning rates: one figure of all folders."""

from __future__ import annotations

import xarray as xr

from avax import plotting
from avax.analysis import intervals
from avax.plotting import Row
from paper_figures import avalanche as numbers
from paper_figures import avalanche_fixed as fixed
from paper_figures.avalanche import BASE_ARMS, Runs, name_of
from paper_figures.avalanche_drawing import STYLES
from paper_figures.avalanche_effects import prepared

AFTER = (3, 6)  # rounds; later ones train on other lengths
THAN = {fixed.BASE: fixed.BASE, "sham": "sham", "frozen generator": "frozen_generator"}


def draw_rates(*datasets: xr.Dataset | None) -> plotting.Figure:
    """Label errors of loops less a frozen generator's, and errors on fixed lengths likewise."""
    by_rate = prepared(*datasets)
    figure = plotting.paper_figure(3.4)
    panels = figure.subplots(1, 2)
    plotting.forest(panels[0], [row for x in by_rate.items() for row in of_labels(*x)])
    panels[0].set_xlabel("label error, minus a frozen generator's")
    panels[0].set_title("Labels, each round a digit longer")
    plotting.forest(panels[1], [row for x in by_rate.items() for row in of_fixed(*x)])
    panels[1].set_xlabel("share of wrong answers, minus these")
    panels[1].set_title("Direct, on fixed lengths")
    plotting.letter(panels)
    return figure


def of_labels(rate: str, runs: Runs) -> list[Row]:
    """A heading, and a row for each arm without the truth."""
    last = numbers.num_lengths(runs)
    rows = [Row(f"rate {rate}, rounds 2 to {last}")]
    for arm in BASE_ARMS:
        values = numbers.compounded(runs, arm, last)
        name, colour = name_of(arm, runs.arms[arm], True), STYLES[arm]["color"]
        rows.append(Row(name, intervals.mean(values), colour, values))
    return rows


def of_fixed(rate: str, runs: Runs) -> list[Row]:
    """A heading, and what the loop on direct answers errs more than each of these, after the first
    rounds.
    """
    rows = [Row(f"rate {rate}")]
    for word, than in THAN.items():
        for after in AFTER:
            values = fixed.worse(runs, "direct", than, after)
            if values is not None:
                name, colour = f"{word}, round {after}", plotting.role(word)["color"]
                rows.append(Row(name, intervals.mean(values), colour, values))
    return rows


ACROSS = {"rates": draw_rates}
