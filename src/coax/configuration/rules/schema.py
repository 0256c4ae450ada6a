"""The JSON Schema of configuration files, for editors and other programs."""

from __future__ import annotations

from typing import Any, Final

from pydantic import TypeAdapter
from pydantic.json_schema import models_json_schema

from coax.configuration.types.operator import OperatorSpec
from coax.configuration.types.registry import KINDS

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def configuration_schema() -> dict[str, Any]:
    """Return the schema (draft 2020-12) of a whole configuration file."""
    models: list[Any] = [OperatorSpec, *(kind.spec for kind in KINDS.values())]
    refs, shared = models_json_schema([(model, "validation") for model in models], by_alias=True)
    properties: dict[str, Any] = {"operator": refs[OperatorSpec, "validation"]}
    for kind in KINDS.values():
        properties[kind.section] = {
            "type": ["array", "null"],
            "title": kind.label_plural,
            "items": refs[kind.spec, "validation"],
        }
    return {
        "$schema": DIALECT,
        "title": "Coax configuration",
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "$defs": shared["$defs"],
    }


def entity_schema(kind_code: str) -> dict[str, Any]:
    """Return the schema of one entity of a kind, for forms and the API."""
    return TypeAdapter(KINDS[kind_code].spec).json_schema(by_alias=True)
