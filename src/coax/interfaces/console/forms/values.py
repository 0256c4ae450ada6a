"""What a form holds: first values, and values as sent. A field left blank is not there, so its default holds."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from django.http import QueryDict

from coax.interfaces.console.forms.nodes import FieldNode, GroupNode, Input, ListNode, Node

MISSING: Final = object()
NUMBER: Final = re.compile(r"-?[0-9]{1,18}")
TRUE: Final = "on"


def first_values(group: GroupNode) -> dict[str, Any]:
    """Return what an empty form shows: the defaults."""
    return {child.key: first_value(child) for child in group.children}


def first_value(node: Node) -> Any:
    """Return what an empty node shows."""
    if isinstance(node, FieldNode):
        return node.default
    if isinstance(node, ListNode):
        return list(node.default)
    if node.is_optional:
        return node.default
    return {**first_values(node), **(node.default or {})}


def read_values(group: GroupNode, sent: QueryDict) -> dict[str, Any]:
    """Return what was sent as plain data for the spec; items of lists are numbered anew, without gaps."""
    found = _read_group(group, "", sent, _list_paths(sent))
    return found if isinstance(found, dict) else {}


def change_rows(group: GroupNode, values: dict[str, Any], *, add: str = "", remove: str = "") -> None:
    """Add an empty item to the list at a path, or remove the item at one; for readers without scripts."""
    if add:
        rows, node = _find_list(group, values, add.split("."))
        rows.append({} if isinstance(node.item, GroupNode) else "")
        if isinstance(node.item, GroupNode):
            rows[-1] = first_values(node.item)
    if remove:
        *parent, place = remove.split(".")
        rows, _ = _find_list(group, values, parent)
        if place.isdecimal() and int(place) < len(rows):
            del rows[int(place)]


def _find_list(group: GroupNode, values: dict[str, Any], path: list[str]) -> tuple[list[Any], ListNode]:
    node: Node = group
    value: Any = values
    for part in path:
        if isinstance(node, GroupNode):
            node = next(child for child in node.children if child.key == part)
            empty: Any = [] if isinstance(node, ListNode) else {}
            value = value.setdefault(part, empty)
        elif isinstance(node, ListNode):
            node, value = node.item, value[int(part)]
    if not isinstance(node, ListNode):
        raise TypeError(f"{'.'.join(path)} is no list")
    return value, node


def _list_paths(sent: QueryDict) -> frozenset[str]:
    """Return every beginning of a sent name: `rates.3.price` gives `rates`, `rates.3` and itself."""
    paths: set[str] = set()
    for name in sent:
        parts = name.split(".")
        paths.update(".".join(parts[:length]) for length in range(1, len(parts) + 1))
    return frozenset(paths)


def _read(node: Node, path: str, sent: QueryDict, paths: frozenset[str]) -> Any:
    if isinstance(node, FieldNode):
        return _read_field(node, path, sent)
    if isinstance(node, GroupNode):
        return _read_group(node, path, sent, paths)
    return _read_list(node, path, sent, paths)


def _read_group(group: GroupNode, path: str, sent: QueryDict, paths: frozenset[str]) -> Any:
    prefix = f"{path}." if path else ""
    found = {child.key: _read(child, f"{prefix}{child.key}", sent, paths) for child in group.children}
    given = {key: value for key, value in found.items() if value is not MISSING}
    if group.is_optional and _is_blank(given.values()):
        return MISSING
    return given


def _read_list(node: ListNode, path: str, sent: QueryDict, paths: frozenset[str]) -> list[Any]:
    if is_picked(node):
        return [value for value in sent.getlist(path) if value]
    depth = path.count(".") + 1
    places = sorted(
        {
            int(name.split(".")[depth])
            for name in paths
            if name.startswith(f"{path}.") and name.split(".")[depth].isdecimal()
        }
    )
    items = (_read(node.item, f"{path}.{place}", sent, paths) for place in places)
    return [item for item in items if item is not MISSING and not (isinstance(item, dict) and _is_blank(item.values()))]


def is_picked(node: ListNode) -> bool:
    """Tell whether the items of a list are picked from those that there are."""
    return isinstance(node.item, FieldNode) and node.item.input in {Input.REFERENCE, Input.CHOICE}


def _read_field(node: FieldNode, path: str, sent: QueryDict) -> Any:
    if node.input is Input.BOOLEAN:
        return sent.get(path) == TRUE
    text = sent.get(path, "").replace("\r\n", "\n").strip()
    if not text:
        return MISSING
    return int(text) if node.input is Input.NUMBER and NUMBER.fullmatch(text) else text


def _is_blank(values: Iterable[Any]) -> bool:
    return all(
        value is False or value == [] or (isinstance(value, dict) and _is_blank(value.values())) for value in values
    )
