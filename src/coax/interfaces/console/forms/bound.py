"""A form as templates show it: every input with its name, value, choices and faults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from coax.interfaces.console.forms.faults import Faults
from coax.interfaces.console.forms.nodes import FieldNode, GroupNode, Input, ListNode, Node, write_label
from coax.interfaces.console.forms.values import first_value, first_values, is_picked


@dataclass(frozen=True, slots=True)
class Option:
    """A value to choose, and how it is called."""

    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class BoundField:
    """An input. `row` names its item of a list for those who do not see the table's head."""

    node: FieldNode
    path: str
    value: str
    is_checked: bool
    options: tuple[Option, ...]
    faults: tuple[str, ...]
    row: str = ""
    is_fixed: bool = False
    shape: str = "field"

    @property
    def id(self) -> str:
        """Return the input's id on the page."""
        return f"f-{self.path.replace('.', '-')}"


@dataclass(frozen=True, slots=True)
class BoundGroup:
    """Inputs that belong together."""

    node: GroupNode
    path: str
    children: tuple[Bound, ...]
    faults: tuple[str, ...]
    name: str = ""
    shape: str = "group"

    @property
    def is_pair(self) -> bool:
        """Tell whether it is so small that it stands among fields."""
        return self.node.is_pair

    @property
    def fields(self) -> list[Bound]:
        """Return what stands in its first lines: fields, and pairs of them."""
        return [child for child in self.children if _is_small(child)]

    @property
    def parts(self) -> list[Bound]:
        """Return what stands below: groups and lists."""
        return [child for child in self.children if not _is_small(child)]


@dataclass(frozen=True, slots=True)
class BoundList:
    """Rows; `shape` says how they look: a table, cards, lines of one input, or values to pick."""

    node: ListNode
    path: str
    rows: tuple[BoundField | BoundGroup, ...]
    options: tuple[Option, ...]
    faults: tuple[str, ...]
    shape: str

    @property
    def id(self) -> str:
        """Return the list's id on the page."""
        return f"f-{self.path.replace('.', '-')}"

    @property
    def columns(self) -> Sequence[Node]:
        """Return the heads of a table."""
        return self.node.item.children if isinstance(self.node.item, GroupNode) else ()

    @property
    def item_name(self) -> str:
        """Return what one of the list is called."""
        label = self.node.label
        if label.endswith("ies"):
            return f"{label[:-3]}y"
        return label[:-1] if label.endswith("s") and not label.endswith("ss") else label


Bound = BoundField | BoundGroup | BoundList


def _is_small(bound: Bound) -> bool:
    return isinstance(bound, BoundField) or (isinstance(bound, BoundGroup) and bound.is_pair)


Names = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Binder:
    """Binds values and faults to nodes; `names` are the entities that references may choose, by kind and code."""

    names: Names
    faults: Faults = field(default_factory=dict)
    fixed: frozenset[str] = frozenset()

    def bind(self, group: GroupNode, values: Mapping[str, Any]) -> BoundGroup:
        """Return the whole form."""
        return self._group(group, "", values)

    def bind_row(self, node: ListNode, path: str) -> BoundField | BoundGroup:
        """Return an empty item of a list at a path such as `rates.3`."""
        value = first_values(node.item) if isinstance(node.item, GroupNode) else first_value(node.item)
        return self._row(node, path, value)

    def _bind(self, node: Node, path: str, value: Any, row: str = "", *, is_blank: bool = False) -> Bound:
        if isinstance(node, FieldNode):
            return self._field(node, path, value, row, is_blank=is_blank)
        if isinstance(node, GroupNode):
            is_absent = is_blank or (node.is_optional and not value)
            return self._group(node, path, value or {}, row, is_blank=is_absent)
        return self._list(node, path, value or [])

    def _group(
        self, node: GroupNode, path: str, values: Mapping[str, Any], row: str = "", *, is_blank: bool = False
    ) -> BoundGroup:
        prefix = f"{path}." if path else ""
        children = tuple(
            self._bind(child, f"{prefix}{child.key}", values.get(child.key), row, is_blank=is_blank or node.is_optional)
            for child in node.children
        )
        return BoundGroup(node, path, children, self._faults(path), row)

    def _list(self, node: ListNode, path: str, values: Sequence[Any]) -> BoundList:
        if is_picked(node) and isinstance(node.item, FieldNode):
            options = tuple(self._picks(node.item, [str(value) for value in values]))
            return BoundList(node, path, (), options, self._faults(path), "pick")
        rows = tuple(self._row(node, f"{path}.{place}", value) for place, value in enumerate(values))
        is_table = isinstance(node.item, GroupNode) and node.item.is_flat
        shape = "table" if is_table else "cards" if isinstance(node.item, GroupNode) else "lines"
        return BoundList(node, path, rows, (), self._faults(path), shape)

    def _row(self, node: ListNode, path: str, value: Any) -> BoundField | BoundGroup:
        place = int(path.rpartition(".")[2]) + 1
        row = f"{BoundList(node, path, (), (), (), '').item_name} {place}"
        if isinstance(node.item, GroupNode):
            return self._group(node.item, path, value or {}, row)
        return self._field(node.item, path, value, row)

    def _field(self, node: FieldNode, path: str, value: Any, row: str, *, is_blank: bool = False) -> BoundField:
        text = "" if value is None else value.isoformat() if isinstance(value, date) else str(value)
        may_be_blank = is_blank or not (text and (node.is_required or node.default))
        options = tuple(self._options(node, text, may_be_blank=may_be_blank))
        return BoundField(
            node=node,
            path=path,
            value=text,
            is_checked=value is True,
            options=options,
            faults=self._faults(path),
            row=row,
            is_fixed=path in self.fixed,
        )

    def _options(self, node: FieldNode, chosen: str, *, may_be_blank: bool) -> Iterator[Option]:
        """Yield what may be chosen; a value that is gone stays shown."""
        known = self._known(node)
        if known is None:
            return
        if may_be_blank:
            yield Option("", "-", is_chosen=not chosen)
        if chosen and chosen not in known:
            yield Option(chosen, f"{chosen} (unknown)", is_chosen=True)
        for value, label in known.items():
            yield Option(value, _name(value, label, node), value == chosen)

    def _picks(self, node: FieldNode, chosen: Sequence[str]) -> Iterator[Option]:
        """Yield what may be picked, first what is, in its order."""
        known = self._known(node) or {}
        for value in chosen:
            yield Option(value, _name(value, known.get(value, f"{value} (unknown)"), node), is_chosen=True)
        for value, label in known.items():
            if value not in chosen:
                yield Option(value, _name(value, label, node), is_chosen=False)

    def _known(self, node: FieldNode) -> Mapping[str, str] | None:
        if node.input is Input.REFERENCE:
            return self.names.get(node.reference, {})
        if node.input is Input.CHOICE:
            return {choice: write_label(choice) for choice in node.choices}
        return None

    def _faults(self, path: str) -> tuple[str, ...]:
        return tuple(self.faults.get(path, ()))


def _name(value: str, label: str, node: FieldNode) -> str:
    return f"{label} ({value})" if node.input is Input.REFERENCE and label != value else label
