"""The one refusal of actions: it names the rule that stands against them."""

from __future__ import annotations

from typing import Any, ClassVar

from coax.base.errors import DomainError


class ActionRefused(DomainError):
    """An action is not allowed; `rule` says which rule stands against it."""

    code: ClassVar[str] = "action_refused"

    def __init__(self, rule: str, message: str, **data: Any) -> None:
        super().__init__(message, rule=rule, **data)
        self.rule = rule
