"""One colour, one meaning: how what many figures show looks in all of them.

Colours are those of Okabe and Ito and of Tol, safe for colour-blind readers.
"""

from __future__ import annotations

from collections.abc import Iterable

# What runs are compared with looks the same in every figure; no arm has these colours.
ROLES = {
    "untouched base": {"color": "#000000", "linestyle": "--"},
    "frozen generator": {"color": "#000000", "linestyle": "-."},
    "sham": {"color": "#7F7F7F", "linestyle": ":"},
    "length-matched sham": {"color": "#7F7F7F", "linestyle": (0, (1, 3))},
    "placebo": {"color": "#7F7F7F", "linestyle": "--"},
    "truth": {"color": "#009E73", "linestyle": "-"},
    "no filter": {"color": "#D55E00", "linestyle": "-"},
}
ARMS = ("#0072B2", "#E69F00", "#CC79A7", "#56B4E9", "#332288", "#882255", "#999933", "#DDCC77")
NO_EFFECT = {"color": "0.6", "linewidth": 0.8, "zorder": 0}  # the line at which nothing happens
BAND = 0.18  # opacity of an interval


def role(name: str) -> dict:
    """How lines of one of ROLES look; a copy."""
    return dict(ROLES[name])


def arms(names: Iterable[str]) -> dict[str, str]:
    """A colour for each name, always the same for the same order; at most eight.

    Raises:
      ValueError: for more.
    """
    names = list(names)
    if len(names) > len(ARMS):
        raise ValueError(f"{len(names)} arms, of at most {len(ARMS)} that can be told apart")
    return dict(zip(names, ARMS, strict=False))
