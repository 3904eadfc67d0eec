"""How two nestings of dicts and lists differ, such as configurations. Imports no JAX."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def differences(old: Any, new: Any, most: int = 5) -> list[str]:
    """`dotted.field: old -> new` for each value in which two nestings of dicts and lists differ."""
    old, new = flat(old), flat(new)
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    lines = [f"{n}: {_short(old.get(n))} -> {_short(new.get(n))}" for n in names[:most]]
    return lines + ([f"and {len(names) - most} more"] if len(names) > most else [])


def flat(node: Any, path: str = "") -> dict[str, Any]:
    """The values in nested dicts, and lists of dicts, by their dotted path."""
    if isinstance(node, (list, tuple)) and any(isinstance(x, Mapping) for x in node):
        node = {str(i): x for i, x in enumerate(node)}
    if not isinstance(node, Mapping):
        return {path: node}
    found: dict[str, Any] = {}
    for name, value in node.items():
        found |= flat(value, f"{path}.{name}" if path else name)
    return found


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
