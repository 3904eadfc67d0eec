"""The pages in docs/claims: written from claims and shipped data, the same text every time."""

from __future__ import annotations

import math
import pathlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType

from avax.analysis.intervals import Estimate
from paper_figures import command
from paper_figures.claims import Claim, Judgement, judge

FOLDER = pathlib.Path(__file__).parents[1] / "docs" / "claims"
INDEX = "index.md"
Judged = list[tuple[Claim, Judgement]]

HEAD = """# Claims

What others and we say about self-training, and what the shipped data say of it. Effects are means
over base policies with 95 % intervals; the verdicts are computed from them, by the rule on each
page, by `python -m paper_figures`. *Undecided* says what the data lack. Policies have 4,000 to
30,000 parameters and add numbers: none of this says that large models on other tasks do the same.
Experiments that are not listed here yet are in [claims.md](../claims.md); how configurations were
found is in [log.md](../log.md).

| claim | verdict | effect (95 % interval; bases) | figure | command |
|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Question:
    """What a figure script is about.

    Attributes:
      title: the question itself.
      sentences: three: what was done, what is shown, how to read it.
      command: that made the shipped data.
      time: that it takes, and on what.
    """

    title: str
    sentences: tuple[str, str, str]
    command: str
    time: str


def judged(figure: ModuleType, data: Mapping[str, Mapping] | None = None) -> Judged:
    """The verdicts on all claims of a figure script.

    Args:
      data: datasets by shipped folder and part; what is shipped by default.
    """
    data = data or {
        name: command.load_parts(command.DATA / name, figure) for name in figure.SHIPPED
    }
    found = []
    for claim in figure.CLAIMS:
        folders = claim.shipped or figure.SHIPPED[:1]
        prefix = len(folders) > 1
        parts = {f"{f}/{p}" if prefix else p: x for f in folders for p, x in data[f].items()}
        found.append((claim, judge(claim, parts)))
    return found


def page(figure: ModuleType, rows: Judged) -> str:
    """The text on a question: figures, three sentences, a table of claims, and each of them."""
    name, question = figure.SHIPPED[0], figure.QUESTION
    lines = [f"# {question.title}", "", *question.sentences, ""]
    for folder in figure.SHIPPED:
        lines += [f"![{question.title}]({path})" for path in _figures(figure, folder)]
    lines += ["", f"`{question.command}`: {question.time}. The data are in", ""]
    lines[-2] += f" `paper_figures/data/{name}`; `avax.load` opens its parts."
    lines += ["| claim | effect (95 % interval; bases) | verdict | why |", "|---|---|---|---|"]
    for claim, found in rows:
        cells = (claim.statement, effects_text(found), f"**{found.verdict}**", found.reason)
        lines.append(_row(*cells))
    for claim, found in rows:
        lines += ["", f"## {claim.name[0].upper()}{claim.name[1:]}", "", *_about(claim, found)]
    return "\n".join(lines) + "\n"


def _figures(figure: ModuleType, folder: str) -> list[str]:
    names = [command.stem_of(name) for name in command.drawings(figure)]
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
            picture = f"[figure]({_figures(figure, name)[0]})"
            cells = (link, f"**{judgement.verdict}**", effects_text(judgement), picture)
            lines.append(_row(*cells, f"`{question.command}`"))
    return HEAD + "\n".join(lines) + "\n"


def texts(figures: Sequence[ModuleType]) -> dict[str, str]:
    """All pages by the name of their file."""
    rows = {figure: judged(figure) for figure in figures if hasattr(figure, "CLAIMS")}
    pages = {f"{figure.SHIPPED[0]}.md": page(figure, found) for figure, found in rows.items()}
    return {INDEX: index(rows), **pages}


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def effects_text(found: Judgement) -> str:
    """All estimates behind a verdict, for people."""
    named = [f"{n}: {text(x)}" if n else text(x) for n, x in found.estimates.items()]
    return "; ".join(named)


def text(estimate: Estimate) -> str:
    """A number with its interval and the number of bases, as exact as the interval allows."""
    value, low, high, num = estimate
    if math.isnan(value):
        return f"not measured ({num} bases)"
    shown = [_number(x, high - low) for x in (value, low, high)]
    return f"{shown[0]} ({shown[1]} to {shown[2]}; {num} bases)"


def _number(value: float, width: float) -> str:
    if math.isinf(value):
        return "infinity" if value > 0 else "-infinity"
    value *= 1 + 1e-9  # so that last bits don't decide how a half is rounded
    if not (math.isfinite(width) and width > 0):
        return f"{value:.2g}"
    decimals = min(max(1 - math.floor(math.log10(width / 2)), 0), 4)
    return f"{round(value, decimals) + 0.0:.{decimals}f}"
