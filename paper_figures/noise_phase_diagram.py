"""What the phase diagram and its controls found: numbers for the figures, and words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr

from avax.analysis import intervals, lengths, phase, response, surface, theory
from avax.analysis.intervals import Estimate

CONTROLS = {  # by the roles that they have in figures
    "frozen generator": "control/frozen_generator",
    "sham": "control/sham",
    "length-matched sham": "control/matched_sham",
    "placebo": "control/placebo",
}
PARTS = ("", "label_noise", *CONTROLS.values())
HALF, ALL = "half of the rounds", "all rounds"
Data = dict[str, xr.Dataset]


class Findings(NamedTuple):
    """What the figure says, as numbers."""

    order: xr.DataArray  # gain over the untouched base after all rounds: fpr, fnr, seed
    measured: phase.Boundary
    amplification: theory.Amplification


def named(datasets: Sequence[xr.Dataset | None]) -> Data:
    """The parts by name, without the controls that there are not."""
    found = dict(zip(PARTS, datasets, strict=False))
    return {name: data for name, data in found.items() if data is not None}


def controls_of(data: Data) -> Data:
    """The controls that there are, by role."""
    return {role: data[part] for role, part in CONTROLS.items() if part in data}


def by_base(values: xr.DataArray) -> xr.DataArray:
    """One value of each base: the mean over its runs."""
    return values.mean("replicate") if "replicate" in values.dims else values


def horizons(dataset: xr.Dataset) -> dict[str, int]:
    """The rounds after which boundaries and effects are read."""
    last = int(dataset["round"][-1])
    return {HALF: max(1, last // 2), ALL: last}


def until(dataset: xr.Dataset, last: int) -> xr.Dataset:
    return dataset.isel(round=slice(last + 1))


def order_of(dataset: xr.Dataset, last: int | None = None) -> xr.DataArray:
    """The order parameter of runs of so many rounds: gain over the untouched base."""
    dataset = dataset if last is None else until(dataset, last)
    return by_base(phase.order_parameter(dataset))


def on_line(values: xr.DataArray | xr.Dataset, fpr: float | None = None):
    """Values at the lowest FNR, of controls that vary it too; at an FPR, of those that vary it."""
    if "fnr" in values.dims:
        values = values.isel(fnr=int(values.fnr.values.argmin()))
    if "fpr" in values.dims and fpr is not None:
        values = values.sel(fpr=fpr, method="nearest")
    rates = {"fpr", "fnr"} & (set(values.coords) - set(values.dims))
    return values.reset_coords(sorted(rates), drop=True)


def on_line_fprs(order: xr.DataArray) -> np.ndarray:
    """The FPRs that were run at the lowest FNR, by any base."""
    line = on_line(order)
    return np.sort(line.fpr.values[line.notnull().any("seed").values])


def is_run(order: xr.DataArray) -> xr.DataArray:
    """Which settings were run: with any of the bases, since they may be dealt out."""
    return order.notnull().any("seed")


def mean_of(order: xr.DataArray) -> xr.DataArray:
    """The mean over the bases that each setting was run with, as the only seed of a map."""
    return order.mean("seed").expand_dims(seed=[0], axis=-1)


def analyse(*datasets: xr.Dataset | None) -> Findings:
    """Measured boundary and amplification.

    Args:
      datasets: the sweep over fpr and fnr; one over label_noise.digit_rate in one round, with a
        clean verifier; and the controls, or None.
    """
    data = named(datasets)
    order = order_of(data[""])
    return Findings(order, phase.boundary(order), response.amplification(data["label_noise"]))


def ratio_of(order: xr.DataArray) -> Estimate:
    """The FPR / (1 - FNR) at which the gain falls to 0."""
    if phase.is_dealt(order):
        return surface.boundaries(order)[1]
    return phase.boundary_ratio(order)


def beyond(order: xr.DataArray, sham: xr.Dataset | None, last: int) -> xr.DataArray | None:
    """An order parameter less what the sham comes to, base by base: None without two such bases."""
    if sham is None:
        return None
    both = xr.align(order, on_line(order_of(sham, last)), join="inner")
    found = both[0] - both[1]
    return found if found.notnull().any(("fpr", "fnr")).sum() > 1 else None


def ratios(data: Data) -> Iterator[tuple[str, Estimate]]:
    """Boundary ratios by what is compared and when; not of shams that are not there."""
    sham = controls_of(data).get("sham")
    for against in ("untouched base", "sham"):
        for last in dict.fromkeys(horizons(data[""]).values()):
            order = order_of(data[""], last)
            if against == "sham":
                order = beyond(order, sham, last)
            if order is not None:
                yield f"{against}, round {last}", ratio_of(order)


def changed(dataset: xr.Dataset, measure: Callable) -> xr.DataArray:
    """Retention or reach less the untouched base's, by run and round; NaN where the configuration
    doesn't tell what the base was trained on.
    """
    longest = lengths.base_length(dataset)
    if longest is None:
        return xr.full_like(dataset.accuracy, np.nan)
    return by_base(phase.since_base(measure(dataset, longest), dataset))


def solved(dataset: xr.Dataset, last: int) -> xr.DataArray:
    """Digits gained after so many rounds: solved length less the untouched base's."""
    return by_base(lengths.final_gain(until(dataset, last)))


def collapse(data: Data, last: int) -> lengths.Collapse | None:
    """Collapse without a filter: at the highest FPR and the lowest FNR. None without a sham."""
    sham = controls_of(data).get("sham")
    if sham is None or lengths.base_length(data[""]) is None:
        return None
    runs = on_line(until(data[""], last), float(data[""].fpr.max())), on_line(until(sham, last))
    one = (x.isel(replicate=0) if "replicate" in x.dims else x for x in runs)
    return lengths.collapse(*one)


def summary(*datasets: xr.Dataset | None) -> str:
    """The diagram in characters, the measured and the predicted boundary, and the controls."""
    data, found = named(datasets), analyse(*datasets)
    lines, run = [phase.text_diagram(mean_of(found.order))], is_run(found.order)
    if not run.all():
        words = "settings were run; beyond them the measured boundary is open"
        lines.append(f"{run.sum().item()} of {run.size} {words}")
    return "\n".join([*lines, compared(found), *horizon_lines(data), *control_lines(data)])


def compared(found: Findings) -> str:
    """The measured and the predicted boundary, as far as there are any, and how far apart."""
    kappa, why = found.amplification, phase.uncrossed(found.order, found.measured)
    ratio, low, high, num = found.measured.ratio
    measured = f"measured boundary: FPR / (1 - FNR) = {ratio:.3g}"
    measured += "" if np.isnan(low) else f" ({low:.3g} to {high:.3g})"
    how = "of the mean outcome" if phase.is_dealt(found.order) else "geometric mean of bases"
    how += f"; 95 % t interval over {num} bases"
    if num == 1:
        how = "one base, so there is no interval"
    lines = [f"no boundary was measured: {why}" if why else f"{measured}, {how}"]
    if not kappa.kappa > 0:
        shown = f"kappa = {kappa.kappa:.2f} is not above 0"
        if np.isnan(kappa.kappa):
            shown = "no base has label noise of every rate, so there is no kappa"
        return f"{lines[0]}\nno prediction, so no predicted boundary: {shown}"
    predicted, low, high, _ = predicted_ratio(kappa)
    spread = f" ({kappa.low:.2f} to {kappa.high:.2f})"
    ends = f" ({low:.3g} to {high:.3g})"
    if np.isnan(low):
        spread = ends = ""
    lines.append(
        f"predicted boundary: 1 / kappa = {predicted:.3g}{ends}, kappa = {kappa.kappa:.2f}{spread}"
    )
    if not why:
        apart = f"{predicted / ratio:.2g} times the measured one" if ratio > 0 else "above 0"
        lines.append(f"the predicted ratio is {apart}")
    return "\n".join(lines)


def predicted_ratio(kappa: theory.Amplification) -> Estimate:
    """1 / kappa and its interval: infinite where kappa is not above 0, NaN where not known."""
    each = np.array([kappa.kappa, kappa.high, kappa.low], float)
    with np.errstate(divide="ignore"):
        inverse = np.where(each > 0, 1 / np.abs(each), np.where(np.isnan(each), np.nan, np.inf))
    return Estimate(*inverse.tolist(), len(kappa.wrong_labels))


def horizon_lines(data: Data) -> list[str]:
    """The boundary ratio at both horizons, against the base and, if it is there, the sham."""
    lines = (f"  {name}: {shown(ratio)}" for name, ratio in ratios(data))
    return ["boundary ratios, by what a run is compared with:", *lines]


def control_lines(data: Data) -> list[str]:
    """What loop and controls gain at the lowest FNR, and whether no filter means collapse."""
    order, (last, what) = order_of(data[""]), unit(data[""])
    fprs, found = on_line_fprs(order), controls_of(data)
    lines = [f"{what} after {last} rounds (untouched base: 0):"]
    if len(fprs):
        for fpr in dict.fromkeys(fprs[[0, -1]]):
            lines.append(f"  loop, FPR {fpr:g}: {shown(mean_at(order, fpr))}")
            for name, control in found.items():
                values = order_of(control)
                if "fpr" in values.dims:
                    lines.append(f"  {name}, FPR {fpr:g}: {shown(mean_at(values, fpr))}")
    for name, control in found.items():
        if "fpr" not in control.dims:
            lines.append(f"  {name}: {shown(mean_at(order_of(control)))}")
    judged = collapse(data, last)
    if judged is None:
        return [*lines, "collapse without a filter: unknown, as there is no sham"]
    verdict = "yes" if bool(judged.collapsed) else "not shown"
    return [*lines, f"collapse without a filter (below base and sham): {verdict}"]


def unit(dataset: xr.Dataset) -> tuple[int, str]:
    """The last round, and what the order parameter counts."""
    last = int(dataset["round"][-1])
    what = "digits gained a round" if phase.is_frontier(dataset) else "accuracy gained"
    return last, what


def mean_at(order: xr.DataArray, fpr: float | None = None) -> Estimate:
    """Mean over bases at the lowest FNR."""
    return intervals.mean(on_line(order, fpr), "seed")


def shown(estimate: Estimate) -> str:
    value, low, high, num = estimate
    if np.isnan(value):
        return "not measured"
    if np.isnan(low):
        return f"{value:.3g} ({num} base{'s' * (num != 1)}: no interval)"
    return f"{value:.3g} ({low:.3g} to {high:.3g}; {num} bases)"
