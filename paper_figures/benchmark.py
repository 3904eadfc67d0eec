"""What the benchmark measured, as numbers and in words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import Any

WORKS = {"train": "an update", "generate": "a completion"}


def rows_of(found: dict[str, Any], **facts: Any) -> list[dict[str, Any]]:
    """The rows of the part `steps` that have all these facts."""
    rows = found["steps"]["rows"]
    return [row for row in rows if all(row.get(name) == value for name, value in facts.items())]


def best(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The row with the least median."""
    return min(rows, key=lambda row: row["median_s"]) if rows else None


def contestants(found: dict[str, Any], size: int, work: str) -> dict[str, dict[str, Any] | None]:
    """The best row of each contestant."""
    avax = rows_of(found, size=size, work=work, by="avax")
    chain = partial(rows_of, found, size=size, work=work, by="chain")
    return {
        "avax": best(avax),
        "avax, one at a time": best([row for row in avax if row["width"] == 1]),
        "PyTorch": best(rows_of(found, size=size, work=work, by="torch")),
        "products alone, padded": best(chain(padded=True)),
        "products alone, unpadded": best(chain(padded=False)),
    }


def nominal_share(found: dict[str, Any], size: int, seconds: float) -> float:
    """Nominal FLOPs of an update over the machine's peak."""
    peak = 1 / best(rows_of(found, size=size, by="gemm"))["median_s"]
    return found["steps"]["nominal_flops"][str(size)] / seconds / peak


def sizes(found: dict[str, Any]) -> list[int]:
    return [int(size) for size in found["steps"]["nominal_flops"]]


def table(found: dict[str, Any]) -> str:
    """All findings as lines of text."""
    lines = [", ".join(f"{name} {value}" for name, value in found["machine"].items())]
    if "steps" in found:
        found = json.loads(json.dumps(found))  # keys as they are read from a file
        for size in sizes(found):
            for work in WORKS:
                lines += step_lines(found, size, work)
    lines += [main_job_line(row) for row in found.get("main_job", ())]
    lines += boundary_lines(found.get("boundary", ()))
    for row in found.get("scaling", ()):
        lines.append(
            f"{row['settings']:5} settings: {row['s_a_setting']:.3f} s each, "
            f"peak memory {row['peak_memory_bytes'] / 1e9:.2f} GB"
        )
    for name, seconds in found.get("start", {}).items():
        parts = ", ".join(f"{part} {seconds[part]:.1f} s" for part in ("import", "compilation"))
        lines.append(f"{name} start: {parts}")
    if "observing" in found:
        alone, observed = (found["observing"][f"{who}_s"] for who in ("alone", "observed"))
        lines.append(
            f"progress, checkpoints and results: {observed / alone - 1:+.1%} "
            f"({observed:.1f} s instead of {alone:.1f} s)"
        )
    return "\n".join(lines)


def main_job_line(row: dict[str, Any]) -> str:
    """An update or a run of the main job; of an update, how near real tokens come to the peak."""
    seconds = row["median_s"]
    if row["what"] == "run":
        return f"main job, {row['of']}: a run of {row['rounds']} rounds {seconds:.2f} s"
    share, what = row["flops"] / seconds / row["peak"], "an update"
    if row["what"] == "products":
        what = "its products alone, without padding"
    return (
        f"main job, {row['of']} to {row['longest']:2} digits: {what} {1e3 * seconds:.2f} ms, "
        f"{share:.2f} of the peak by real tokens"
    )


def boundary_lines(rows: Sequence[dict[str, Any]]) -> list[str]:
    """What designs took or would take until a boundary is known within a factor of 1.25."""
    return [
        f"boundary within a factor of 1.25 (95 %), {row['design']}: about "
        f"{one_digit(row['seconds'])} s, {row['needed']:,} runs of {row['needed_bases']} bases "
        f"({row['runs']:,} of {row['bases']} "
        f"gave {row['low']:.3g} to {row['high']:.3g}), "
        f"about {one_digit(rows[0]['seconds'] / row['seconds'])} x as fast"
        for row in rows
    ]


def one_digit(number: float) -> str:
    """Its order of magnitude."""
    return f"{float(f'{number:.1g}'):,.0f}"


def step_lines(found: dict[str, Any], size: int, work: str) -> list[str]:
    """One line for each contestant at one size."""
    lines, reference = [], contestants(found, size, work)["avax"]["median_s"]
    for name, row in contestants(found, size, work).items():
        if row is None:
            continue
        how = ", ".join(
            f"{fact} {row[fact]}" for fact in ("width", "devices", "processes") if fact in row
        )
        line = (
            f"width {size:3}, {work:8}  {name:26} {1e3 * row['median_s']:9.4f} ms "
            f"({1e3 * row['least_s']:.4f} to {1e3 * row['most_s']:.4f})  "
            f"{row['median_s'] / reference:5.2f} x  [{how}]"
        )
        if work == "train" and name == "avax":
            line += f"  {nominal_share(found, size, row['median_s']):.2f} of the peak, nominally"
        lines.append(line)
    return lines
