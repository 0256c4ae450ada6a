"""Read YAML without surprises: exact numbers, no yes/no booleans, no octal, every value with its line.

`12.50` is Decimal("12.50"), never a float; `no`, `on`, `0123`, `12:30` and `1_000` are text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from datetime import date
from decimal import Decimal
from typing import Any, Final

import yaml

from coax.configuration.types.documents import Loc, Problem, SourceDocument, format_path

TEXT_LENGTH_MAX: Final = 10_000_000
NODES_MAX: Final = 500_000
DEPTH_MAX: Final = 60

_TAG: Final = "tag:yaml.org,2002:"


class _ExactLoader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, Any] = {}


_SCALARS: Final[tuple[tuple[str, str, str], ...]] = (
    ("null", r"^(~|null|Null|NULL|)$", "~nN"),
    ("bool", r"^(true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("int", r"^[-+]?(0|[1-9][0-9]*)$", "-+0123456789"),
    ("float", r"^[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][-+]?[0-9]{1,3})?$", "-+0123456789."),
    ("timestamp", r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "0123456789"),
)
for _name, _pattern, _first in _SCALARS:
    _ExactLoader.add_implicit_resolver(
        _TAG + _name, re.compile(_pattern), [*_first, *([""] if _name == "null" else [])]
    )

_CONSTRUCTORS: Final[dict[str, Callable[[str], Any]]] = {
    _TAG + "null": lambda _: None,
    _TAG + "bool": lambda text: text.lower() == "true",
    _TAG + "int": int,
    _TAG + "float": Decimal,
    _TAG + "timestamp": date.fromisoformat,
    _TAG + "str": str,
}


class ReadDocument:
    """The value of one document, the line (from 1) of every value in it, and what could not be read."""

    def __init__(self, document: SourceDocument) -> None:
        self.file = document.name
        self.value: Any = None
        self.lines: dict[Loc, int] = {}
        self.problems: list[Problem] = []
        self._nodes = 0
        node = self._compose(document.text)
        if node is not None:
            self.value = self._construct(node, (), ())

    def _compose(self, text: str) -> yaml.Node | None:
        if len(text) > TEXT_LENGTH_MAX:
            self._report((), None, f"the file is longer than {TEXT_LENGTH_MAX} characters")
            return None
        try:
            return yaml.compose(text, Loader=_ExactLoader)
        except yaml.MarkedYAMLError as fault:
            mark = fault.problem_mark or fault.context_mark
            line = mark.line + 1 if mark else None
            self._report((), line, f"not YAML: {fault.problem or fault.context}")
        except (yaml.YAMLError, RecursionError) as fault:
            self._report((), None, f"not YAML: {fault}")
        return None

    def _construct(self, node: yaml.Node, loc: Loc, above: tuple[int, ...]) -> Any:
        self._nodes += 1
        line = node.start_mark.line + 1
        self.lines.setdefault(loc, line)
        if id(node) in above or len(above) > DEPTH_MAX or self._nodes > NODES_MAX:
            self._report(loc, line, "nested too deeply, or too much in it")
            return None
        inside = (*above, id(node))
        if isinstance(node, yaml.MappingNode):
            return self._construct_mapping(node, loc, inside)
        if isinstance(node, yaml.SequenceNode):
            return [self._construct(item, (*loc, i), inside) for i, item in enumerate(node.value)]
        return self._construct_scalar(node, loc, line)

    def _construct_mapping(self, node: yaml.MappingNode, loc: Loc, above: tuple[int, ...]) -> dict[Hashable, Any]:
        mapping: dict[Hashable, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self._report(loc, line, "a key must be plain text")
                continue
            key: str = key_node.value
            self.lines.setdefault((*loc, key), line)
            if key in mapping:
                self._report((*loc, key), line, "the key is given twice")
            mapping[key] = self._construct(value_node, (*loc, key), above)
        return mapping

    def _construct_scalar(self, node: yaml.Node, loc: Loc, line: int) -> Any:
        construct = _CONSTRUCTORS.get(node.tag)
        if construct is None:
            self._report(loc, line, f"the tag {node.tag} is not allowed")
            return None
        try:
            return construct(node.value)
        except (ValueError, ArithmeticError):
            self._report(loc, line, f"{node.value!r} cannot be read")
            return None

    def _report(self, loc: Loc, line: int | None, message: str) -> None:
        path = format_path(loc) or "(file)"
        self.problems.append(Problem(self.file, line, path, "", message, code="unreadable"))
