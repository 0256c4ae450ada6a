"""Find the codes of other entities that a spec names, from the `Ref` marks on its fields."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from coax.configuration.types.fields import Ref


@dataclass(frozen=True, slots=True)
class Reference:
    """One code named by a spec: where it stands and which kind it must be of."""

    loc: tuple[str | int, ...]
    kind: str
    code: str


def find_references(spec: BaseModel) -> list[Reference]:
    """Return every reference of a spec, nested ones too, in the order of its fields."""
    return list(_walk_model(spec, ()))


def find_reference_kinds(spec: type[BaseModel]) -> frozenset[str]:
    """Return the kinds that specs of a class may name."""
    return frozenset(_walk_class(spec))


def key_of(name: str, field: FieldInfo) -> str:
    """Return the key under which a field is written in files."""
    return field.serialization_alias or name


def _walk_model(spec: BaseModel, loc: tuple[str | int, ...]) -> Iterator[Reference]:
    for name, field in type(spec).model_fields.items():
        yield from _walk_value(getattr(spec, name), _marks_of(field), (*loc, key_of(name, field)))


def _walk_value(value: Any, kind: str | None, loc: tuple[str | int, ...]) -> Iterator[Reference]:
    if isinstance(value, BaseModel):
        yield from _walk_model(value, loc)
    elif isinstance(value, tuple):
        for i, item in enumerate(value):
            yield from _walk_value(item, kind, (*loc, i))
    elif kind is not None and value is not None:
        yield Reference(loc, kind, value)


def _marks_of(field: FieldInfo) -> str | None:
    """Return the kind that the field's text names, looking through optional and list types."""
    marks = [mark.kind for mark in field.metadata if isinstance(mark, Ref)]
    marks += [part.kind for part in _parts(field.annotation) if isinstance(part, Ref)]
    return marks[0] if marks else None


def _walk_class(spec: type[BaseModel]) -> Iterator[str]:
    for field in spec.model_fields.values():
        mark = _marks_of(field)
        if mark is not None:
            yield mark
        for part in _parts(field.annotation):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from _walk_class(part)


def find_model(annotation: Any) -> type[BaseModel] | None:
    """Return the model class inside an annotation such as `tuple[Tier, ...]` or `Span | None`."""
    models = [part for part in _parts(annotation) if isinstance(part, type) and issubclass(part, BaseModel)]
    return models[0] if models else None


def _parts(annotation: Any) -> Iterator[Any]:
    """Yield the classes and marks inside an annotation."""
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *metadata = get_args(annotation)
        yield from metadata
        yield from _parts(inner)
    elif origin in (Union, UnionType, tuple):
        for part in get_args(annotation):
            yield from _parts(part)
    elif origin is None:
        yield annotation
