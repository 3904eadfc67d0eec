"""Redraws every figure from the shipped results: `python -m paper_figures`."""

from __future__ import annotations

import importlib
import pathlib

from paper_figures import command

for script in sorted(pathlib.Path(__file__).parent.glob("fig_*.py")):
    figure = importlib.import_module(f"paper_figures.{script.stem}")
    for name in figure.SHIPPED:
        command.redraw(figure.draw, figure.PARTS, command.DATA / name)
