"""The one shape of an expected problem: a stable code, a message for people, data for programs."""

from __future__ import annotations

from typing import Any, ClassVar


class DomainError(Exception):
    """An expected problem, named for the fact; subclasses are declared where they are raised.

    `code` is stable and machine-readable, `message` is for people, `data` carries the values that the message names.
    """

    code: ClassVar[str] = "domain_error"

    def __init__(self, message: str, **data: Any) -> None:
        super().__init__(message)
        self.message = message
        self.data = data

    def as_dict(self) -> dict[str, Any]:
        """Return the error as plain data: code, message and the values named in it."""
        return {"code": self.code, "message": self.message, **{k: str(v) for k, v in self.data.items()}}
