"""Which problem of a configuration belongs to which field of the form."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from coax.configuration.types.documents import Problem
from coax.interfaces.console.forms.nodes import GroupNode, find_node

FORM: Final = "form"
_INDEX: Final = re.compile(r"\[(\d+)\]")
_PARTS_MAX: Final = 2  # the section, and the entity's place in it

Faults = dict[str, list[str]]


def place_problems(problems: Iterable[Problem], root: GroupNode) -> Faults:
    """Return the words of each problem by the path of its field; "" stands for the form as a whole."""
    faults: defaultdict[str, list[str]] = defaultdict(list)
    for problem in problems:
        path = _find_path(problem, root) if problem.file == FORM else ""
        faults[path].append(_write(problem, is_placed=bool(path)))
    return dict(faults)


def _find_path(problem: Problem, root: GroupNode) -> str:
    """Return the nearest path in the form: `price_plans[0].rates[2].price` is `rates.2.price`."""
    parts = _INDEX.sub(r".\1", problem.path).split(".")[_PARTS_MAX:]
    while parts and find_node(root, ".".join(parts)) is None:
        parts.pop()
    return ".".join(parts)


def _write(problem: Problem, *, is_placed: bool) -> str:
    given = f" (given: {problem.value})" if problem.value and not is_placed else ""
    place = "" if is_placed or problem.file == FORM else f"{problem.path}: "
    allowed = f"; {problem.allowed}" if problem.allowed and not problem.allowed.endswith(".") else ""
    text = f"{place}{problem.message}{given}{allowed}"
    return text[:1].upper() + text[1:]
