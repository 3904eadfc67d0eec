"""The root of an experiment's results: it says which experiment it is of. Imports no JAX."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from avax.results import archive, checked_json, folders, untrusted
from avax.results.dataset import CONFIG, STORE, ResultsError
from avax.results.grow import GROWING, GROWN

EXPERIMENT = "experiment.json"
CONTROL = "control"  # folder of the parts that are controls, `control/sham`
FIGURES = ("figure.png", "figure.pdf")
# All that is written to the root itself.
WRITTEN = (EXPERIMENT, f"{EXPERIMENT}.part", ".lock", *FIGURES)


class Root(NamedTuple):
    """A folder, and the experiment that is to have it.

    Attributes:
      name: of the experiment.
      choices: that its parts were made from, such as the preset.
      parts: folders of results below the root; "" is the root itself.
    """

    folder: pathlib.Path
    name: str
    choices: Mapping[str, str]
    parts: tuple[str, ...]


def is_control(part: str) -> bool:
    """Whether a part is a control of others: an experiment's figure can be drawn without it."""
    return part.startswith(f"{CONTROL}/")


def claim(root: Root, say: Callable[[str], None] = lambda line: None) -> None:
    """Makes a folder, which this process holds, the root of one experiment.

    Args:
      say: told in one line if what the folder said of itself was damaged.

    Raises:
      ResultsError: if it can't be written to, or is not this experiment's; nothing is changed then.
    """
    check(root)
    path = root.folder / EXPERIMENT
    if path.exists() and read(root.folder) is None:
        say(f"{path}: is damaged, written anew")
    content = {"experiment": root.name, "choices": dict(root.choices), "parts": list(root.parts)}
    try:
        root.folder.mkdir(parents=True, exist_ok=True)
        checked_json.write(path, content)
    except OSError as error:
        raise ResultsError(f"{root.folder}: can't be written to: {error.strerror}") from error


def check(root: Root) -> None:
    """Raises ResultsError if a folder can't be the root of an experiment, or is another's: as it
    says, or, if it says nothing, as what lies in it shows.
    """
    folder = root.folder
    folders.check_writable(folder)
    try:
        untrusted.check_no_links(folder, WRITTEN)
        # A link at the first level would lead all below it elsewhere.
        untrusted.check_no_links(folder, {part.split("/")[0] for part in root.parts if part})
        why = _why_not(root)
    except OSError as error:
        why = f"can't be used: {error.strerror}"
    if why:
        raise ResultsError(f"{folder}: {why}; choose another folder with --out")


def _why_not(root: Root) -> str:
    """What makes a folder another experiment's; nothing if it is free or this one's, be it with
    more controls.
    """
    for part in filter(None, root.parts):
        if inner := read(root.folder / part):
            return f"{part} in it is the folder of {inner['experiment']}, this is {root.name}"
    if known := read(root.folder):
        if known["experiment"] != root.name:
            return f"is the folder of {known['experiment']}, this is {root.name}"
        gone, new = set(known["parts"]) - set(root.parts), set(root.parts) - set(known["parts"])
        changed = sorted(gone | {part for part in new if not is_control(part)})
        return f"is of {root.name} with other parts ({_listed(changed)})" if changed else ""
    # Results that are older than the file, or whose file is damaged.
    found = places(root.folder)
    if strange := [place for place in found if place not in root.parts]:
        return f"holds results that are no part of {root.name} ({_listed(strange)})"
    drawn = [name for name in FIGURES if (root.folder / name).exists()]
    return f"holds {drawn[0]} of something else" if drawn and not found else ""


def read(folder: pathlib.Path) -> dict[str, Any] | None:
    """`experiment`, `choices` and `parts` of the experiment that a folder says it is the root of;
    None if it doesn't, or is damaged.
    """
    try:
        found = checked_json.read(folder / EXPERIMENT)
        texts = [found["experiment"], *found["parts"]]
    except (OSError, ResultsError, KeyError, TypeError):
        return None
    return found if all(isinstance(text, str) for text in texts) else None


def places(folder: pathlib.Path) -> list[str]:
    """Where results lie in and below a folder, as deep as parts do: two levels. What is below the
    root of another experiment is not listed.
    """
    inner = _subfolders(folder)
    inner += [below for x in inner for below in _subfolders(x)]
    held = [x for x in (folder, *inner) if _holds_results(x)]
    whole = {"" if x == folder else x.relative_to(folder).as_posix() for x in held}
    reduced = archive.locate(folder)
    is_own = reduced is not None and reduced[0].parent == folder
    return sorted({*whole, *(archive.parts(reduced[0]) if is_own else ())})


def _subfolders(folder: pathlib.Path) -> list[pathlib.Path]:
    """Folders in one, if it can be listed; no links, and not what holds no results."""
    try:
        ours = (STORE, folders.POLICIES, "checkpoints", GROWN, GROWING)
        found = (x for x in folder.iterdir() if x.name not in ours)
        found = (x for x in found if x.is_dir() and not x.is_symlink())
        return sorted(x for x in found if not (x / EXPERIMENT).exists())
    except OSError:
        return []


def _holds_results(folder: pathlib.Path) -> bool:
    try:
        return (folder / STORE).exists() or (folder / CONFIG).exists()
    except OSError:  # may not be looked into
        return False


def _listed(parts: Sequence[str], most: int = 3) -> str:
    """The first of some parts, for people."""
    named = [part or "the folder itself" for part in parts[:most]]
    return ", ".join(named + (["..."] if len(parts) > most else []))
