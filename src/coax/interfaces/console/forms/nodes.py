"""A form described: fields, groups and lists, found in the class of a spec."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum, StrEnum
from functools import lru_cache
from types import UnionType
from typing import Annotated, Any, Final, Union, cast, get_args, get_origin

from annotated_types import MaxLen
from pydantic import BaseModel, StringConstraints, WithJsonSchema
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from coax.configuration.types.fields import Ref
from coax.configuration.types.references import key_of

LONG_TEXT_LENGTH: Final = 1000
NONE: Final = type(None)
_SOURCE: Final = re.compile(r" \((?:R|C|reference )[0-9][^)]*\)")  # where a rule comes from is for programmers
SHORT_WORDS: Final = {"uot": "units", "id": "ID"}


class Input(StrEnum):
    """How a field is entered."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    NUMBER = "number"
    DECIMAL = "decimal"
    DATE = "date"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    REFERENCE = "reference"


@dataclass(frozen=True, slots=True)
class FieldNode:
    """One value. `choices` are the only ones allowed, `suggestions` some of them, `reference` a kind of entity."""

    key: str
    label: str
    help: str
    input: Input
    is_required: bool
    default: Any
    choices: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()
    reference: str = ""


@dataclass(frozen=True, slots=True)
class GroupNode:
    """Values that belong together; an optional group that is left blank is not there."""

    key: str
    label: str
    help: str
    is_optional: bool
    default: Any
    children: tuple[Node, ...]

    @property
    def is_flat(self) -> bool:
        """Tell whether it fits a row of a table: fields, and pairs of fields."""
        return all(
            isinstance(child, FieldNode) or (isinstance(child, GroupNode) and child.is_pair) for child in self.children
        )

    @property
    def is_pair(self) -> bool:
        """Tell whether it is a count with its unit, or as small."""
        return len(self.children) == PAIR_FIELDS and all(isinstance(child, FieldNode) for child in self.children)


@dataclass(frozen=True, slots=True)
class ListNode:
    """Any number of equal items."""

    key: str
    label: str
    help: str
    is_required: bool
    default: Any
    item: FieldNode | GroupNode


Node = FieldNode | GroupNode | ListNode
PAIR_FIELDS: Final = 2


@dataclass(frozen=True, slots=True)
class _Shape:
    """What an annotation says: its class inside, its marks, whether it may be missing, whether there are many."""

    kind: Any
    marks: tuple[Any, ...]
    is_optional: bool
    is_many: bool


@lru_cache(maxsize=64)
def describe_spec(spec: type[BaseModel]) -> GroupNode:
    """Return the form of a spec."""
    return GroupNode("", "", "", is_optional=False, default=None, children=tuple(_children(spec)))


def find_node(root: GroupNode, path: str) -> Node | None:
    """Return the node at a path such as `rates.3.tiers`; a number stands for an item of a list."""
    node: Node | None = root
    for part in path.split("."):
        if isinstance(node, ListNode):
            node = node.item if part.isdecimal() else None
        elif isinstance(node, GroupNode):
            node = next((child for child in node.children if child.key == part), None)
        else:
            return None
    return node


def write_label(key: str) -> str:
    """Return a key in words: `min_binding_period` is `Min binding period`."""
    words = [SHORT_WORDS.get(word, word) for word in key.rstrip("_").split("_")]
    text = " ".join(words)
    return text[:1].upper() + text[1:]


def _children(spec: type[BaseModel]) -> Iterator[Node]:
    for name, field in spec.model_fields.items():
        yield _describe_field(key_of(name, field), field)


def _describe_field(key: str, field: FieldInfo) -> Node:
    shape = _find_shape(field.annotation, tuple(field.metadata))
    help_text = _SOURCE.sub("", field.description or "")
    default = _plain_default(field)
    if not shape.is_many:
        return _describe_one(key, shape, help_text, is_required=field.is_required(), default=default)
    item = _describe_one("", shape, "", is_required=True, default=None)
    is_required = field.is_required() or "minItems" in cast("dict[str, Any]", field.json_schema_extra or {})
    assert not isinstance(item, ListNode)  # noqa: S101 - no spec holds a list of lists
    return ListNode(key, write_label(key), help_text, is_required, default or [], item)


def _describe_one(key: str, shape: _Shape, help_text: str, *, is_required: bool, default: Any) -> FieldNode | GroupNode:
    label = write_label(key)
    if isinstance(shape.kind, type) and issubclass(shape.kind, BaseModel):
        return GroupNode(key, label, help_text, shape.is_optional, default, tuple(_children(shape.kind)))
    reference = next((mark.kind for mark in shape.marks if isinstance(mark, Ref)), "")
    choices = (
        tuple(str(member.value) for member in shape.kind)
        if isinstance(shape.kind, type) and issubclass(shape.kind, Enum)
        else ()
    )
    return FieldNode(
        key=key,
        label=label,
        help=help_text,
        input=_find_input(shape, reference=reference, choices=choices),
        is_required=is_required,
        default=default,
        choices=choices,
        suggestions=tuple(_find_suggestions(shape.marks)),
        reference=reference,
    )


def _find_input(shape: _Shape, *, reference: str, choices: tuple[str, ...]) -> Input:
    if reference:
        return Input.REFERENCE
    if choices:
        return Input.CHOICE
    if shape.kind is str:
        return Input.LONG_TEXT if _length_max(shape.marks) >= LONG_TEXT_LENGTH else Input.TEXT
    return {bool: Input.BOOLEAN, int: Input.NUMBER, Decimal: Input.DECIMAL, date: Input.DATE}[shape.kind]


def _length_max(marks: tuple[Any, ...]) -> int:
    lengths = [mark.max_length for mark in marks if isinstance(mark, MaxLen | StringConstraints)]
    return max((length for length in lengths if length), default=0)


def _find_suggestions(marks: tuple[Any, ...]) -> Iterator[str]:
    for mark in marks:
        schema = mark.json_schema if isinstance(mark, WithJsonSchema) else None
        for option in (schema or {}).get("anyOf", ()):
            yield from option.get("enum", ())


def _find_shape(annotation: Any, marks: tuple[Any, ...]) -> _Shape:
    """Look through Annotated, `| None` and tuples; the marks of all layers count."""
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *more = get_args(annotation)
        return _find_shape(inner, (*marks, *more))
    if origin in (Union, UnionType):
        given = [part for part in get_args(annotation) if part is not NONE]
        found = _find_shape(given[0], marks)
        return _Shape(found.kind, found.marks, is_optional=True, is_many=found.is_many)
    if origin is tuple:
        found = _find_shape(get_args(annotation)[0], marks)
        return _Shape(found.kind, found.marks, found.is_optional, is_many=True)
    return _Shape(annotation, marks, is_optional=False, is_many=False)


def _plain_default(field: FieldInfo) -> Any:
    """Return the default as forms write it; None where there is none."""
    default = field.get_default(call_default_factory=False)
    if default is PydanticUndefined or default is None:
        return None
    if isinstance(default, BaseModel):
        return default.model_dump(mode="json", by_alias=True)
    if isinstance(default, tuple):
        return [
            item.model_dump(mode="json", by_alias=True) if isinstance(item, BaseModel) else item for item in default
        ]
    return default.value if isinstance(default, Enum) else default
