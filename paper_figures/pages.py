"""The pages in docs/claims: written from claims and shipped data, the same text every time."""

from __future__ import annotations

import math
import pathlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from avax import plotting
from avax.analysis.intervals import Estimate
from paper_figures import command
from paper_figures.claims import Claim, Judgement, judge

FOLDER = pathlib.Path(__file__).parents[1] / "docs" / "claims"
INDEX = "index.md"
Judged = list[tuple[Claim, Judgement]]
Data = Mapping[str, Mapping[str, Any]]  # datasets by shipped folder and part

HEAD = """# Claims

What others and we say about self-training, and what the shipped data say of it. Effects are means
over base policies with 95 % intervals; the verdicts are computed from them, by the rule on each
page, by `python -m paper_figures`. *Undecided* says what the data lack. Policies have 7,000 to
100,000 parameters and add numbers: none of this says that large models on other tasks do the same.
How configurations were found is in [log.md](../log.md).

| claim | verdict | effect (95 % interval; bases) | figure | command |
|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Question:
    """What a figure script is about.

    Attributes:
      title: the question itself.
      sentences: three: what was done, what is shown, how to read it.
      command: that made the shipped data, of the first folder.
      added: what it had besides for each of the other folders.
    """

    title: str
    sentences: tuple[str, str, str]
    command: str
    added: tuple[str, ...] = ()


def shipped(figure: ModuleType) -> Data:
    """What is shipped of a figure script."""
    return {name: command.load_parts(command.DATA / name, figure) for name in figure.SHIPPED}


def judged(figure: ModuleType, data: Data) -> Judged:
    """The verdicts on all claims of a figure script."""
    found = []
    for claim in figure.CLAIMS:
        folders = claim.shipped or figure.SHIPPED[:1]
        prefix = len(folders) > 1
        parts = {f"{f}/{p}" if prefix else p: x for f in folders for p, x in data[f].items()}
        found.append((claim, judge(claim, parts)))
    return found


def took(parts: Mapping[str, Any]) -> str:
    """How long an experiment took in all, and on what, as its provenance says: there a process
    counts the seconds of all that it did so far, so that the last part knows the most.
    """
    told = [x.attrs["provenance"] for x in parts.values() if hasattr(x, "attrs")]
    seconds = max(sum(each["seconds"].values()) for each in told)
    devices = ", ".join(sorted({each["device"] for each in told}))
    return f"{max(1, round(seconds / 60))} minutes on {devices}"


def page(figure: ModuleType, rows: Judged, data: Data) -> str:
    """The text on a question: figures, three sentences, a table of claims, and each of them."""
    question = figure.QUESTION
    lines = [f"# {question.title}", "", *question.sentences, ""]
    lines += _pictures(figure)
    lines += ["", *_made(figure, data), ""]
    lines += ["| claim | effect (95 % interval; bases) | verdict | why |", "|---|---|---|---|"]
    for claim, found in rows:
        cells = (claim.statement, effects_text(found), f"**{found.verdict}**", found.reason)
        lines.append(_row(*cells))
    for claim, found in rows:
        lines += ["", f"## {claim.name[0].upper()}{claim.name[1:]}", "", *_about(claim, found)]
    return "\n".join(lines) + "\n"


def _made(figure: ModuleType, data: Data) -> list[str]:
    """What made the data of each shipped folder, in how long, and where they are."""
    lines = []
    for folder, added in zip(figure.SHIPPED, ("", *figure.QUESTION.added), strict=True):
        line = f"`{figure.QUESTION.command}{added and ' '}{added}` took {took(data[folder])}."
        line += f" The data are in `paper_figures/data/{folder}`"
        if getattr(figure, "ACROSS", ()):  # or else the page begins with it
            line += f", with [a figure]({_figures(folder, plotting.drawings(figure))[0]})"
        lines.append(f"{line}.")
    lines[-1] += " `avax.load` opens the parts."
    return [line for each in lines for line in (each, "")][:-1]


def _pictures(figure: ModuleType) -> list[str]:
    """The figures of a script, those of each folder but the first after what its run had besides;
    of one that has figures of all folders, these, and the others of the first folder alone.
    """
    across, folders = getattr(figure, "ACROSS", ()), figure.SHIPPED
    lines = [f"![{figure.QUESTION.title}]({path})" for path in _figures(folders[0], across)]
    for folder, added in zip(folders, ("", *figure.QUESTION.added), strict=True):
        if added and across:
            break
        lines += ["", f"With `{added}`:", ""] if added else []
        paths = _figures(folder, plotting.drawings(figure))
        lines += [f"![{figure.QUESTION.title}]({path})" for path in paths]
    return lines


def _first(figure: ModuleType) -> str:
    """The path of the first figure of a script."""
    across = getattr(figure, "ACROSS", ())
    return _figures(figure.SHIPPED[0], across or plotting.drawings(figure))[0]


def _figures(folder: str, figures: Iterable[str]) -> list[str]:
    names = [plotting.stem_of(name) for name in figures]
    return [f"../../paper_figures/data/{folder}/{name}.png" for name in names]


def _about(claim: Claim, found: Judgement) -> list[str]:
    """All that is to be known of a claim, as a list."""
    rule = f"{claim.measures}; the claim holds where it is {claim.rule}"
    if condition := claim.qualified_by:
        rule += f", and is qualified unless {condition.words}: there {text(found.second)},"
        rule += f" which has to be {condition.rule}"
    lines = [
        f"- Claim: {claim.statement}",
        f"- From: {claim.source} ({claim.certainty}).",
        f"- Effect: {rule}.",
        f"- Would change our mind: {claim.changes_mind}",
    ]
    lines += [f"- Says otherwise: {report}" for report in claim.competing]
    return lines + [f"- Caveat: {caveat}" for caveat in claim.caveats]


def index(rows: Mapping[ModuleType, Judged]) -> str:
    """One line for each claim of all figure scripts."""
    lines = []
    for figure, found in rows.items():
        name, question = figure.SHIPPED[0], figure.QUESTION
        for claim, judgement in found:
            link = f"[{claim.statement}]({name}.md)"
            picture = f"[figure]({_first(figure)})"
            cells = (link, f"**{judgement.verdict}**", effects_text(judgement), picture)
            lines.append(_row(*cells, f"`{question.command}`"))
    return HEAD + "\n".join(lines) + "\n"


def texts(
    figures: Sequence[ModuleType], read: Callable[[ModuleType], Data] = shipped
) -> dict[str, str]:
    """All pages by the name of their file.

    Args:
      read: gives the data of a figure script.
    """
    rows, pages = {}, {}
    for figure in figures:
        if getattr(figure, "CLAIMS", ()):  # measurements of a machine claim nothing
            data = read(figure)
            rows[figure] = judged(figure, data)
            pages[f"{figure.SHIPPED[0]}.md"] = page(figure, rows[figure], data)
    return {INDEX: index(rows), **pages}


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def effects_text(found: Judgement) -> str:
    """All estimates behind a verdict, for people."""
    nums = {x.num for x in found.estimates.values()}
    each = "" if len(nums) == 1 else "; {} bases"  # said once if it is the same for all
    cells = [
        f"{n}{': ' * bool(n)}{text(x)}{each.format(x.num)}" for n, x in found.estimates.items()
    ]
    return ", ".join(cells) + (f"; {nums.pop()} bases" if not each else "")


def text(estimate: Estimate) -> str:
    """A number with its interval, as exact as the interval allows; alone if there is none."""
    value, low, high, _ = estimate
    if math.isnan(value):
        return "not measured"
    if math.isnan(low) and math.isnan(high):
        return _number(value, math.nan)
    # So that decimals would hide the lower end, or a value beside an open one.
    is_wide = (low > 0 and high > 10 * low) or (low == 0 and high > 10 * value > 0)
    shown = [_number(x, math.nan if is_wide else high - low) for x in (value, low, high)]
    return f"{shown[0]} ({shown[1]} to {shown[2]})"


def _number(value: float, width: float) -> str:
    if math.isinf(value):
        return "infinity" if value > 0 else "-infinity"
    value *= 1 + 1e-9  # so that last bits don't decide how a half is rounded
    if not (math.isfinite(width) and width > 0):
        return f"{float(f'{value:.2g}'):g}"
    decimals = min(max(1 - math.floor(math.log10(width / 2)), 0), 4)
    return f"{round(value, decimals) + 0.0:.{decimals}f}"
