"""What verifiers of all error rates and the controls came to: numbers for figures, and words.

On the maps each setting has its own bases of the pool; on the lines every base has all settings, so
that what is run beside them is compared with them base by base.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import xarray as xr

from avax.analysis import intervals, lengths, numbers, phase, seeds, surface
from avax.analysis.intervals import Estimate
from paper_figures import beside
from paper_figures.beside import ALL, horizons
from paper_figures.claims import UNKNOWN

LEARNERS = {"": "fine-tuning", "samples": "4 x samples", "grpo": "GRPO"}
LINES = {"line": "fine-tuning", "grpo_line": "GRPO"}
CONTROLS = {  # of each line, by the roles that they have in figures
    "line": {
        "frozen generator": "control/line_frozen_generator",
        "sham": "control/line_sham",
        "length-matched sham": "control/line_matched_sham",
        "placebo": "control/line_placebo",
    },
    "grpo_line": {"placebo": "control/grpo_line_placebo"},
}
PARTS = (*LEARNERS, "skill", *LINES, *(part for x in CONTROLS.values() for part in x.values()))
NUM_LINES = 6  # of equal outcome, on a map
Data = dict[str, xr.Dataset]


def named(datasets: Sequence[xr.Dataset | None]) -> Data:
    """The parts by name, without the controls that there are not."""
    found = dict(zip(PARTS, datasets, strict=False))
    return {name: data for name, data in found.items() if data is not None}


def controls_of(data: Data, line: str) -> Data:
    """The controls of a line that there are, by role."""
    return {role: data[part] for role, part in CONTROLS[line].items() if part in data}


def that_train(order: xr.DataArray, learner: str) -> xr.DataArray:
    """The settings behind which a learner trains at all: a group-relative one doesn't where the
    verifier accepts all, the only setting with J = 0.
    """
    if learner != "GRPO":
        return order
    return order.where(~((order.fpr >= 1) & (order.fnr <= 0)))


def order_of(data: Data, learner: str, horizon: str = ALL) -> xr.DataArray:
    """The order parameter of a map until then, of verifiers behind which its learner trains."""
    return that_train(gained(data[learner], horizon), LEARNERS[learner])


def orders_of(data: Data) -> dict[str, xr.DataArray]:
    """The same of all learners, by their names in figures."""
    return {name: order_of(data, learner) for learner, name in LEARNERS.items()}


def mean_of_settings(order: xr.DataArray) -> Estimate:
    """The mean over settings of each one's mean over its bases, with the jackknife's interval.

    Which settings a base was dealt says nothing about the mean then, as it would about the mean of
    a base over its settings. Of bases that all have every setting it is `intervals.mean` of theirs.
    The interval is unbounded if some setting has one base only. Settings that no base was run at
    are passed over.
    """
    values = order.transpose("seed", ...).values.reshape(order.sizes["seed"], -1)
    values = values[:, ~np.isnan(values).all(0)]
    if not values.size:
        return UNKNOWN
    return intervals.jackknife(values, lambda bases: seeds.mean(bases).mean())


def levels(order: xr.DataArray) -> np.ndarray:
    """Levels of six iso-lines, evenly spaced in rank."""
    mean = order.mean("seed").values
    return np.quantile(mean[np.isfinite(mean)], np.linspace(0.2, 0.8, NUM_LINES))


def isolines(order: xr.DataArray) -> Iterator[np.ndarray]:
    """f[F] each: FPRs of equal outcome by FNR, NaN where that is beyond what was run.

    If every base has all settings, from their mean at each FNR. Else neighbours on a map differ by
    their bases as well: the lines are those of the curve through all runs, FPR ~ (1 - FNR)^k with
    k fitted (`surface`), whose shape is an assumption.
    """
    for level in levels(order):
        if phase.is_dealt(order):
            fpr = surface.boundaries(order, level)[0][:, 0]
            yield np.where((fpr > 0) & np.isfinite(fpr), fpr, np.nan)
        else:
            yield phase.isoline(order, level)


def lowest_fnr(line: xr.Dataset) -> float:
    """The FNR of all verifiers of a line."""
    return line.attrs["config"]["base"]["verifier"]["fnr"]


def gained(dataset: xr.Dataset, horizon: str = ALL) -> xr.DataArray:
    """What runs gained over the untouched base until then."""
    return phase.order_parameter(dataset.isel(round=slice(horizons(dataset)[horizon] + 1)))


def beyond(data: Data, line: str, control: str, end: Callable, horizon: str = ALL) -> Estimate:
    """What a line gained more than a control, base by base; not known if the control was not run.

    Args:
      end: `min` or `max`: at the lowest or at the highest FPR.
    """
    control = controls_of(data, line).get(control)
    return beside.beyond(data[line], control, end, horizons(data[line])[horizon])


def summary(*datasets: xr.Dataset | None) -> str:
    """What each number explains, by learner, how iso-lines depend on FNR, and the controls."""
    data, lines = named(datasets), []
    for name, learner in LEARNERS.items():
        order, run = order_of(data, name), phase.measured(phase.order_parameter(data[name]))
        lines.append(f"{learner}: share of the variance between verifiers explained by")
        if not run.all():
            lines.append(f"  (of {run.sum().item()} of {run.size}, beside the boundary)")
        lines += [f"  {n:15} {_text(numbers.explained(order, n))}" for n in numbers.NUMBERS]
        lines.append(f"  iso-lines: FPR ~ (1 - FNR)^{_text(surface.exponent(order))}")
    for line in LINES:
        lines += control_lines(data, line)
    return "\n".join(lines)


def control_lines(data: Data, line: str) -> Iterator[str]:
    """What loop and controls gained at both ends of a line, and how far apart they are."""
    dataset, controls = data[line], controls_of(data, line)
    last = int(dataset["round"][-1])
    where = f"{LINES[line]} at FNR {lowest_fnr(dataset):g}"
    yield f"{where}, gain after {last} rounds (untouched base: 0):"
    for end in (min, max) if dataset.sizes["fpr"] > 1 else (min,):
        fpr = end(dataset.fpr.values)
        yield f"  FPR {fpr:g}: loop {_gain_text(dataset, end)}"
        for role, control in controls.items():
            if "fpr" in control.dims or end is min:
                yield f"    {role}: {_gain_text(control, end)}"
            yield f"    loop minus {role}: {_text(beyond(data, line, role, end))}"


def _gain_text(dataset: xr.Dataset, end: Callable) -> str:
    """Mean over bases, and what it is of: known lengths and longer ones."""
    estimate = intervals.mean(beside.at_end(gained(dataset), end))
    line, longest = f"{_text(estimate)}, {estimate.num} bases", lengths.base_length(dataset)
    if longest is None:
        return line
    kept, more = (
        float(
            intervals.mean(
                beside.at_end(lengths.gained(measure(dataset, longest), dataset), end)
            ).value
        )
        for measure in (lengths.retention, lengths.reach)
    )
    return f"{line}; retention {kept:+.2f}, reach {more:+.2f} {lengths.unit(dataset)}"


def _text(estimate: Estimate) -> str:
    value, low, high = (f"{v:.2g}" for v in estimate[:3])
    return f"{value} ({low} to {high})"
