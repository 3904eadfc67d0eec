"""What any sweep came to, in words."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr

from avax.analysis import lengths, phase, seeds
from avax.plotting import settings
from avax.plotting.maps import NOISE, map_axes
from avax.plotting.settings import At, Study

MOST_SETTINGS = 8  # in a table; of more only those that gained and lost most
MOST_COLUMNS, MOST_ROWS = 8, 16
RATES = {"verifier_fpr": "FPR", "verifier_fnr": "FNR", "label_precision": "label precision"}
STANDARD = set(  # metrics of every run; others are a probe's
    "accuracy accuracy_by_difficulty sampled_accuracy accept_rate label_precision trace_precision "
    "verifier_fpr verifier_fnr loss grad_norm mistake_share num_accepted completion_length "
    "diverged".split()
)
CONTROLS = {  # what can't be told without one, by what a setting's name says
    "sham": (
        "there is no sham here (the same updates on true answers that the base knows), so what "
        "is lost may be the optimizer's doing, not the verifier's"
    ),
    "frozen": (
        "there is no frozen generator here (labels from the base in every round), so a gain need "
        "not build on earlier gains, nor a loss on earlier losses"
    ),
}


def summary(dataset: xr.Dataset) -> str:
    """Lines on what was run, the base, the final gain by setting, what the verifier did, and what
    can't be told from this.
    """
    study = settings.study(dataset)
    lines = list(of_size(study))
    if not study.run.any():
        return "\n".join([*lines, "no setting was run"])
    lines += [of_base(study), *of_gains(study)]
    if len(study.axes) == 2:
        lines += of_plane(study)
    return "\n".join([*lines, *of_rates(study), *of_probe(study), *of_controls(study)])


def of_size(study: Study) -> Iterator[str]:
    """How much was run, and how much of it diverged."""
    data, run = study.dataset, study.run
    sizes = " x ".join(f"{data.sizes[d]} of {settings.path_of(data, d)}" for d in study.axes)
    num_seeds, rounds = study.num_each, data.sizes["round"] - 1
    pool = data.sizes["seed"]
    what = f"{counted(run.size, 'setting')}{f' ({sizes})' if sizes else ''}"
    each = counted(pool, "seed") if num_seeds == pool else f"{num_seeds} of {pool} seeds"
    yield f"{what}, {each} each, {counted(rounds, 'round')}"
    if study.fixed:
        values = (f"{settings.path_of(data, d)} = {x}" for d, x in study.fixed.items())
        yield f"in all of them: {', '.join(values)}"
    if not run.all():
        yield f"run: {int(run.sum())} of {run.size} settings"
    last = data.diverged.isel(round=-1)
    yield f"diverged: {int((last == 1).sum())} of {int(last.notnull().sum())} runs"
    yield "in brackets: 95 % t intervals over seeds" if num_seeds > 1 else "one seed: no interval"


def of_base(study: Study) -> str:
    """Where all runs begin."""
    data, unit = study.dataset.isel(round=0), lengths.unit(study.dataset)
    most, longest = data.sizes["difficulty"], lengths.base_length(data)
    solved = phase.solved_length(data)
    others = [d for d in solved.dims if d != "seed"]
    solved = solved.mean(others) if others else solved
    whose = "" if settings.shares_base(study) else ", mean over bases that differ by setting"
    known = ""
    if isinstance(longest, int):
        kept = number(lengths.retention(data, longest))
        known = f", {kept} at the lengths that it was trained on, 1 to {longest}"
    return (
        f"untouched base (round 0{whose}): accuracy {number(data.accuracy)}{known}; solved length "
        f"{interval(solved)} of {most} {unit} (accuracy summed over lengths)"
    )


def of_gains(study: Study) -> Iterator[str]:
    """Final gain and retention of every setting, or of those that gained and lost most."""
    unit, last = lengths.unit(study.dataset), int(study.dataset["round"][-1])
    yield f"final gain: solved length after round {last} minus the base's, {unit}"
    mean = settings.mean_by_setting(study).values
    every = np.argwhere(study.run.values).tolist()
    if len(every) <= MOST_SETTINGS:
        yield from (of_setting(study, dict(zip(study.axes, i, strict=True))) for i in every)
        return
    ranked = sorted(np.argwhere(np.isfinite(mean)).tolist(), key=lambda i: -mean[tuple(i)])
    half = MOST_SETTINGS // 2 - 1
    yield f"  {int((mean > 0).sum())} of {len(every)} settings have a mean above 0"
    if len(ranked) < len(every):
        yield f"  {len(every) - len(ranked)} settings have no mean, as a run diverged"
    shown = ranked if len(ranked) <= 2 * half else [*ranked[:half], *ranked[-half:]]
    if shown:
        yield "  the highest and the lowest (picked by outcome: new runs would be less extreme):"
    yield from (of_setting(study, dict(zip(study.axes, i, strict=True))) for i in shown)


def of_setting(study: Study, at: At) -> str:
    """One setting's final gain, and its retention with the base's."""
    gain, data = study.gain.isel(at), study.dataset.isel(at)
    lost = int(np.isneginf(gain).sum())
    value = f"{lost} of {gain.size} runs diverged" if lost else interval(gain, sign="+")
    line = f"  {settings.name_of(study, at, in_full=True) or 'the only setting'}: {value}"
    if (longest := lengths.base_length(data)) is not None:
        kept = lengths.retention(data, longest).where(data.diverged == 0)
        line += f"; retention {number(kept.isel(round=0))} -> {number(kept.isel(round=-1))}"
        line += " of the runs that did not" if 0 < lost < gain.size else ""
    return line


def of_plane(study: Study) -> Iterator[str]:
    """The mean gain over two axes: characters and the boundary for FPR and FNR, else a table."""
    rows, columns = map_axes(study)
    if {rows, columns} != NOISE:
        yield from table(study, rows, columns)
        return
    yield "mean final gain over the base:"
    yield phase.text_diagram(study.gain)
    found = phase.boundary(study.gain)
    if why := phase.uncrossed(study.gain, found):
        yield f"no boundary was measured: {why}"
        return
    ratio, low, high = found.ratio
    line = f"mean gain 0 at FPR / (1 - FNR) = {ratio:.3g}, median over FNR"
    if study.num_each > 1:
        line += f" ({low:.3g} to {high:.3g}, 95 % bootstrap over seeds)"
    yield line
    yield "  after another number of rounds, or at another learning rate, it may lie elsewhere"


def table(study: Study, rows: str, columns: str) -> Iterator[str]:
    """Mean gains, some of the rows and columns if they are many."""
    mean = settings.mean_by_setting(study).transpose(rows, columns)
    across = settings.spread(mean.sizes[columns], MOST_COLUMNS)
    down = settings.spread(mean.sizes[rows], MOST_ROWS)
    part = f"{len(down)} of {mean.sizes[rows]} x {len(across)} of {mean.sizes[columns]} values"
    yield f"mean final gain, {rows} downwards, {columns} to the right" + (
        f" ({part})" if mean.size > len(down) * len(across) else ""
    )
    heads = [settings.shown(mean[columns].values[i]) for i in across]
    names = [settings.shown(mean[rows].values[i]) for i in down]
    wide, first = max(8, *(len(x) + 2 for x in heads)), max(map(len, names))
    yield f"  {'':{first}}" + "".join(f"{x:>{wide}}" for x in heads)
    for name, i in zip(names, down, strict=True):
        cells = (signed(float(mean[i, j])) for j in across)
        yield f"  {name:{first}}" + "".join(f"{x:>{wide}}" for x in cells)


def of_rates(study: Study) -> Iterator[str]:
    """What was measured of the verifier in the first and the last trained round."""
    data = phase.until_diverged(study.dataset)
    first, last = (int(data["round"][i]) for i in (1, -1))
    places, whose = grouped(study)
    yield f"measured in round {first} -> round {last}, {whose} (-: nothing to measure it on):"
    for at in places:
        values = data.isel(at)
        rates = (
            f"{name} {number(values[m].isel(round=1))} -> {number(values[m].isel(round=-1))}"
            for m, name in RATES.items()
        )
        start = f"{settings.name_of(study, at, in_full=True)}: " if at else ""
        yield f"  {start}{', '.join(rates)}"


def grouped(study: Study) -> tuple[list[At], str]:
    """Over which runs rates are averaged: those of a setting if these are few, else of a name or of
    a value if there is one such axis, else all.
    """
    every = np.argwhere(study.run.values).tolist()
    if len(every) <= MOST_SETTINGS:
        return [dict(zip(study.axes, i, strict=True)) for i in every], "means over seeds"
    if len(study.axes) == 1:
        return settings.along(study, MOST_SETTINGS), "means over seeds, of some settings"
    if len(study.named) == 1:
        (name,) = study.named
        size = min(MOST_SETTINGS, study.dataset.sizes[name])
        return [{name: i} for i in range(size)], f"means of all runs of a {name}"
    return [{}], "mean of all runs"


def of_probe(study: Study) -> Iterator[str]:
    """What a probe measured, if there was one."""
    last = phase.until_diverged(study.dataset).isel(round=-1)
    names = [str(n) for n, x in last.items() if n not in STANDARD and x.dtype.kind == "f"]
    if names:
        found = ", ".join(f"{name} {number(last[name])}" for name in names)
        yield f"probe, last round, mean of all runs: {found}"


def of_controls(study: Study) -> Iterator[str]:
    """What the base is, and which other controls were not run."""
    yield "control: the base is the same policy before training"
    names = {str(x).lower() for d in study.named for x in study.dataset[d].values}
    if "base_rate" in study.axes and (study.dataset["base_rate"] == 1).any():
        names.add("sham")  # batches of nothing but what the base knows
    for kind, why in CONTROLS.items():
        if not any(kind in name for name in names):
            yield f"  {why}"


def interval(values: xr.DataArray, sign: str = "") -> str:
    """Mean over seeds, and its interval if there is one."""
    middle, low, high = (float(x) for x in seeds.t_interval(values))
    if np.isnan(low):
        return signed(middle) if sign else f"{middle:.2f}"
    ends = (f"{round(x, 2) + 0.0:{sign}.2f}" for x in (low, high))
    return f"{round(middle, 2) + 0.0:{sign}.2f} ({' to '.join(ends)})"


def number(values: xr.DataArray) -> str:
    """Mean of all that is known."""
    known = values.values[~np.isnan(values.values)]
    return f"{known.mean():.3g}" if known.size else "-"


def signed(value: float) -> str:
    if np.isnan(value):
        return "not run"
    return "diverged" if np.isinf(value) else f"{round(value, 2) + 0.0:+.2f}"


def counted(num: int, what: str) -> str:
    return f"{num} {what}" if num == 1 else f"{num} {what}s"
