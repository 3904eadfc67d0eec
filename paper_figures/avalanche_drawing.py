"""How the avalanche's arms and controls look, in all of its figures."""

from __future__ import annotations

import numpy as np

from avax import plotting
from avax.analysis import intervals
from paper_figures.avalanche import CHECKED

COLOURS = plotting.arms(CHECKED)
STYLES = {
    "direct": plotting.role("no filter"),
    "oracle": plotting.role("truth"),
    "direct_oracle": plotting.role("truth"),
    **{arm: {"color": colour} for arm, colour in COLOURS.items()},
}
BASE = "untouched base"
BAND = plotting.BAND / 1.5
WORDS = {  # of controls
    "frozen_generator": "frozen generator",
    "sham": "sham",
    "matched_sham": "length-matched sham",
    "placebo": "placebo",
}


def band_of(word: str) -> float:
    """How opaque an interval is: shams' and placebos' would hide others, and are not drawn."""
    weak = {"frozen_generator": BAND / 2} | dict.fromkeys(("sham", "matched_sham", "placebo"), 0.0)
    return {WORDS[name]: opacity for name, opacity in weak.items()}.get(word, BAND)


def name_lines(figure, panels) -> None:
    """One legend below all panels."""
    found = {}
    for axes in panels:
        for handle, word in zip(*axes.get_legend_handles_labels(), strict=True):
            found.setdefault(word, handle)
    figure.legend(found.values(), found, loc="outside lower center", ncols=5)


def plot_mean(
    axes, x, values: np.ndarray, lost: np.ndarray, ends=(0.0, 1.0), opacity=BAND, **style
) -> None:
    """Mean over bases of f[S, N] with its t interval as a band, within `ends`; it ends where the
    run of a base diverged, as bool[S, N] says.
    """
    value, low, high, _ = intervals.mean(values, axis=0)
    band = (np.where(np.isfinite(y), np.clip(y, *ends), np.nan) for y in (low, high))
    plotting.plot_band(axes, x, (value, *band), lost.any(0), opacity, **style)
