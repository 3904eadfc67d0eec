"""Can the boundary between gain and collapse be predicted from one lapse of the verifier?

python paper_figures/fig_response.py [RESULTS] [--out STEM]
"""

from __future__ import annotations

import pathlib
import sys

import numpy as np
import xarray as xr

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))  # a fresh clone is not installed

from avax import plotting
from avax.analysis import phase, response
from paper_figures import command

VARIANTS = {
    "reference": "reference",
    "base_data": "half base data",
    "gentle": "a third of the learning rate",
    "accumulated": "accumulated data",
    "wide": "width 48 instead of 32",
    "grpo": "GRPO, 20 rounds",
    "frontier": "frontier",
}
PARTS = ("random_labels", *(f"{kind}/{name}" for name in VARIANTS for kind in ("line", "lapse")))
SHIPPED = ("response",)
LARGEST = 5.0  # ratios beyond are drawn here: no verifier is worse than 1 at FNR 0


def summary(*datasets: xr.Dataset) -> str:
    """Measured and predicted boundaries of all variants."""
    found = dict(zip(PARTS, datasets, strict=True))
    lines = ["boundary FPR at FNR 0: measured; predicted by the response; by one round's kappa"]
    for name, shown in VARIANTS.items():
        measured, predicted = boundaries(found, name)
        lines.append(
            f"  {shown:28} {_text(measured)}; {_text(predicted.critical_ratio)}; "
            f"{one_round(predicted):.2g}   (kappa {_text(predicted.kappa)}, "
            f"all rounds {_text(predicted.kappa_total)})"
        )
    seen = response.predict(found["random_labels"])
    lines.append(
        f"random digits: kappa {_text(seen.kappa)}, all rounds {_text(seen.kappa_total)}, "
        f"predicted boundary {_text(seen.critical_ratio)}"
    )
    return "\n".join(lines)


def one_round(predicted: response.Prediction) -> float:
    """The boundary of mean field, 1 / kappa; infinite if kappa is not above 0."""
    kappa = predicted.kappa[0]
    return 1 / kappa if kappa > 0 else float("inf")


def boundaries(
    found: dict[str, xr.Dataset], name: str
) -> tuple[tuple[float, float, float], response.Prediction]:
    """The measured boundary of a variant on its line FNR = 0, and what its lapses predict."""
    order = phase.order_parameter(found[f"line/{name}"]).expand_dims(fnr=[0.0])
    measured = phase.boundary(order)
    ends = tuple(float(x[0]) for x in (measured.fpr, measured.low, measured.high))
    return ends, response.predict(found[f"lapse/{name}"])


def _text(values: tuple[float, float, float]) -> str:
    value, low, high = (f"{v:.2g}" for v in values)
    return f"{value} ({low} to {high})"


def draw(*datasets: xr.Dataset) -> plotting.Figure:
    """The response by lag; gain against FPR; predicted against measured boundaries."""
    found = dict(zip(PARTS, datasets, strict=True))
    figure = plotting.new_figure(14.5, 4)
    left, middle, right = figure.subplots(1, 3)
    draw_responses(left, found)
    draw_lines(middle, found)
    draw_predictions(right, found)
    return figure


def draw_responses(axes, found) -> None:
    """What one share of wrong labels does in all rounds afterwards."""
    pairs = {"its own mistakes": "lapse/reference", "random digits": "random_labels"}
    for (name, part), style in zip(pairs.items(), ("o-", "s--"), strict=True):
        seen = response.predict(found[part]).response
        lags = np.arange(1, found[part].sizes["round"] - 1)
        axes.plot(lags, seen.error_by_lag[lags], style, label=name)
        start, lost = response.injected(found[part])[0], diverged(found[part])
        first = lost & ~lost.shift(round=1, fill_value=False)
        plotting.mark_lost(axes, np.maximum(lost["round"] - start, 1), first)
    axes.axhline(0, color="0.5", linewidth=0.8)
    axes.set_xlabel("rounds after the wrong labels")
    axes.set_ylabel("wrong completions per wrong label")
    axes.set_title("Wrong labels of one round: remembered how long?")
    axes.legend(title="labels that were wrong")


def diverged(dataset: xr.Dataset) -> xr.DataArray:
    """By round, whether any run has; a prediction is made without its seed."""
    return (dataset.diverged == 1).any([dim for dim in dataset.diverged.dims if dim != "round"])


def draw_lines(axes, found) -> None:
    """Measured gain along FNR = 0 and the one that the lapses predict."""
    line, seen = found["line/reference"], response.predict(found["lapse/reference"]).response
    order = phase.order_parameter(line)
    axes.plot(order.fpr, order, "o", color="C0", alpha=0.4, markersize=3)
    axes.plot(order.fpr, order.mean("seed"), "-", color="C0", label="measured: seeds, mean")
    ratios = np.concatenate([[0.0], np.geomspace(0.005, 1, 100)])
    gains = response.trajectory(seen, ratios)[1][-1] - seen.progress[0]
    axes.plot(ratios, gains, "k--", label="predicted from lapses of one round")
    axes.axhline(0, color="0.5", linewidth=0.8)
    axes.set_xscale("symlog", linthresh=0.02)
    axes.set_xlim(-0.002, 1.1)
    known = order.values[np.isfinite(order.values)]
    low, high = known.min(), known.max()
    margin = 0.1 * (high - low) + 1e-3
    axes.set_ylim(low - margin, high + margin)
    axes.set_xlabel("verifier's FPR = P(accept | wrong)")
    plotting.mark_diverged(axes, order.fpr, order)
    axes.set_ylabel("accuracy gained")
    axes.set_title("Reference, FNR 0: measured and predicted")
    axes.legend()


def draw_predictions(axes, found) -> None:
    """Measured against predicted boundaries, one point a variant."""
    colours = plotting.colour_map("viridis")(np.linspace(0, 0.95, len(VARIANTS)))
    for colour, (name, shown) in zip(colours, VARIANTS.items(), strict=True):
        measured, predicted = boundaries(found, name)
        y, low, high = np.minimum(measured, LARGEST)
        x, left, right = np.minimum(predicted.critical_ratio, LARGEST)
        bars = {"xerr": [[x - left], [right - x]], "yerr": [[y - low], [high - y]]}
        bars = {k: np.clip(v, 0, None) for k, v in bars.items()}
        axes.errorbar(x, y, fmt="o", color=colour, elinewidth=0.7, label=shown, **bars)
        axes.plot(min(one_round(predicted), LARGEST), y, "x", color=colour)
        lost = any(diverged(found[f"{kind}/{name}"]).any() for kind in ("line", "lapse"))
        plotting.mark_lost(axes, np.nan_to_num(x, nan=LARGEST), lost)
    ends = (0.01, LARGEST)
    axes.plot(ends, ends, "k-", linewidth=0.8)
    axes.set(xscale="log", yscale="log", xlim=(0.01, 1.15 * LARGEST), ylim=(0.01, 1.15 * LARGEST))
    axes.set_xlabel(f"predicted boundary, FPR at FNR 0 ({LARGEST:g}: none)")
    axes.set_ylabel("measured boundary, FPR at FNR 0")
    axes.set_title("Predicted by the response (dots), by κ (crosses)")
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))


if __name__ == "__main__":
    command.main(__doc__, draw, PARTS)
