"""From the text of files to checked entities; every fault is collected with its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from coax.configuration.rules.yaml_text import ReadDocument
from coax.configuration.types.documents import (
    Loc,
    Origin,
    ParsedConfiguration,
    ParsedEntity,
    Problem,
    SourceDocument,
    format_path,
    format_value,
)
from coax.configuration.types.entity import Entity
from coax.configuration.types.fields import CODE_PATTERN
from coax.configuration.types.operator import OperatorSpec
from coax.configuration.types.references import find_model, key_of
from coax.configuration.types.registry import SECTIONS, Kind

S = TypeVar("S", bound=BaseModel)

DOCUMENTS_KEPT: Final = 16
OPERATOR_SECTION: Final = "operator"
_SECTION_NAMES: Final = (OPERATOR_SECTION, *SECTIONS)


class _Collector:
    """What has been read so far of several files."""

    def __init__(self) -> None:
        self.operator: OperatorSpec | None = None
        self.operator_origin: Origin | None = None
        self.entities: list[ParsedEntity] = []
        self.declared: set[tuple[str, str]] = set()
        self.problems: list[Problem] = []


def parse_sources(documents: Iterable[SourceDocument]) -> ParsedConfiguration:
    """Parse files of one configuration together; faults are returned in `problems`, none is raised."""
    collector = _Collector()
    for document in documents:
        _parse_document(document, collector)
    collector.problems.extend(_find_repeated(collector.entities))
    return ParsedConfiguration(
        operator=collector.operator,
        entities=tuple(collector.entities),
        declared=frozenset(collector.declared),
        problems=tuple(collector.problems),
    )


def validate_spec(spec: type[S], value: Any, origin: Origin) -> tuple[S | None, list[Problem]]:
    """Make a spec of plain data, or say everything that is wrong with it."""
    try:
        return spec.model_validate(value), []
    except ValidationError as fault:
        return None, [_describe_error(error, spec, origin) for error in fault.errors()]


@lru_cache(maxsize=DOCUMENTS_KEPT)
def _read(document: SourceDocument) -> ReadDocument:
    """Read a file once: what applies a configuration looks at its operator first. What is read is not changed."""
    return ReadDocument(document)


def _parse_document(document: SourceDocument, collector: _Collector) -> None:
    read = _read(document)
    collector.problems.extend(read.problems)
    if read.value is None:
        return
    root = Origin(read.file, (), read.lines)
    if not isinstance(read.value, Mapping):
        text = f"sections are wanted: {', '.join(_SECTION_NAMES)}"
        collector.problems.append(_problem(root, (), "the file has no sections", allowed=text))
        return
    for name, value in read.value.items():
        origin = Origin(read.file, (name,), read.lines)
        if name == OPERATOR_SECTION:
            _parse_operator(value, origin, collector)
        elif name in SECTIONS:
            _parse_section(SECTIONS[name], value, origin, collector)
        else:
            allowed = suggest(name, _SECTION_NAMES)
            collector.problems.append(_problem(origin, (), "unknown section", allowed=allowed, code="unknown_key"))


def _parse_operator(value: Any, origin: Origin, collector: _Collector) -> None:
    if collector.operator_origin is not None:
        first = collector.operator_origin
        text = f"the operator is already given in {first.file}:{first.line_of()}"
        collector.problems.append(_problem(origin, (), text, code="given_twice"))
        return
    collector.operator_origin = origin
    collector.operator, problems = validate_spec(OperatorSpec, value, origin)
    collector.problems.extend(problems)


def _parse_section(kind: Kind, value: Any, origin: Origin, collector: _Collector) -> None:
    if value is None:
        return
    if not isinstance(value, list):
        collector.problems.append(_problem(origin, (), "a list is wanted: begin each entry with '- '", value=value))
        return
    for i, item in enumerate(value):
        place = Origin(origin.file, (kind.section, i), origin.lines)
        if isinstance(item, Mapping) and isinstance(item.get("code"), str):
            collector.declared.add((kind.code, item["code"]))
        spec, problems = validate_spec(kind.spec, item, place)
        collector.problems.extend(problems)
        if spec is not None:
            collector.entities.append(ParsedEntity(kind.code, spec, place))


def _find_repeated(entities: Iterable[ParsedEntity]) -> Iterator[Problem]:
    first_of: dict[tuple[str, str, Any], Origin] = {}
    for entity in entities:
        key = (*entity.key, entity.spec.effective_date)
        first = first_of.setdefault(key, entity.origin)
        if first is not entity.origin:
            text = f"already given in {first.file}:{first.line_of()}; versions differ in effective_date"
            yield _problem(entity.origin, ("code",), text, value=entity.spec.code, code="given_twice")


def _problem(
    origin: Origin,
    loc: Loc,
    message: str,
    *,
    value: Any = None,
    allowed: str = "",
    code: str = "invalid_value",
) -> Problem:
    path = format_path((*origin.loc, *loc)) or "(file)"
    return Problem(origin.file, origin.line_of(loc), path, format_value(value), message, allowed, code)


def _describe_error(error: ErrorDetails, spec: type[BaseModel], origin: Origin) -> Problem:
    """Turn one of Pydantic's errors into words that name the file, the value and what is allowed."""
    loc, value = error["loc"], error["input"]
    context = error.get("ctx", {})
    match error["type"]:
        case "missing":
            return _problem(origin, loc, "is required", allowed=_describe_field(spec, loc), code="missing")
        case "extra_forbidden":
            model = find_model_at(spec, loc[:-1]) or spec
            allowed = suggest(str(loc[-1]), known_keys(model))
            return _problem(origin, loc, "unknown key", value=value, allowed=allowed, code="unknown_key")
        case "enum" | "literal_error":
            choices = [choice.strip("'") for choice in str(context["expected"]).replace(" or ", ", ").split(", ")]
            return _problem(origin, loc, "not one of the choices", value=value, allowed=suggest(str(value), choices))
        case "string_pattern_mismatch":
            return _problem(origin, loc, "is not written as wanted", value=value, allowed=_describe_pattern(context))
        case "model_type" | "model_attributes_type":
            model = find_model_at(spec, loc) or spec
            return _problem(
                origin, loc, "keys and values are wanted", value=value, allowed=suggest("", known_keys(model))
            )
        case _:
            message = error["msg"].removeprefix("Input should ").removeprefix("Value error, ")
            allowed = "" if error["type"] == "refused" else _describe_field(spec, loc)
            return _problem(origin, loc, message, value=_scalar_or_none(value), allowed=allowed)


def _scalar_or_none(value: Any) -> Any:
    return None if isinstance(value, BaseModel) else value


def _describe_pattern(context: Mapping[str, Any]) -> str:
    pattern = str(context["pattern"])
    is_code = pattern == CODE_PATTERN
    return "lower-case letters and digits, joined by - or _" if is_code else f"the pattern is {pattern}"


def _describe_field(spec: type[BaseModel], loc: Loc) -> str:
    """Return the description of the field at a place, or nothing for an item of a list."""
    model = find_model_at(spec, loc[:-1])
    fields = {key_of(name, field): field for name, field in model.model_fields.items()} if model else {}
    field = fields.get(str(loc[-1])) if loc else None
    return (field.description or "") if field else ""


def find_model_at(spec: type[BaseModel], loc: Loc) -> type[BaseModel] | None:
    """Return the class of the value at a place inside a spec."""
    model: type[BaseModel] | None = spec
    for part in loc:
        if isinstance(part, int):
            continue
        fields = {key_of(name, field): field for name, field in model.model_fields.items()} if model else {}
        model = find_model(fields[part].annotation) if part in fields else None
    return model


def known_keys(spec: type[BaseModel]) -> list[str]:
    """Return the keys that a spec is written with, in their order."""
    return [key_of(name, field) for name, field in spec.model_fields.items()]


def suggest(given: str, known: Iterable[str]) -> str:
    """Say which known word was probably meant, and all that there are."""
    words = list(known)
    close = get_close_matches(given, words, n=1, cutoff=0.6)
    meant = f"did you mean {close[0]}? " if close else ""
    return f"{meant}allowed: {', '.join(words)}"


def spec_from_stored(spec: type[Entity], body: str) -> Entity:
    """Make a spec of its stored JSON text."""
    return spec.model_validate_json(body)
