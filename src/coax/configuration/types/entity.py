"""What every configuration entity has: a code, a name, the date from which it holds, a state."""

from __future__ import annotations

from pydantic import Field

from coax.configuration.types.fields import BEGINNING, Choice, CivilDate, Code, Spec, Text


class State(Choice):
    ACTIVE = "active"
    INACTIVE = "inactive"
    DRAFT = "draft"


class Entity(Spec):
    """Base of all entities; a version of it holds from `effective_date` until the next version's."""

    code: Code = Field(description="Stable key: lower-case letters, digits, - and _.")
    name: Text = Field(description="Name that people read.")
    description: str = Field(default="", max_length=2000, description="Free text for colleagues.")
    effective_date: CivilDate | None = Field(
        default=None, description="First day on which this version holds; empty means from the beginning."
    )
    state: State = Field(default=State.ACTIVE, description="Only active entities can be chosen for new contracts.")

    @property
    def in_force_from(self) -> CivilDate:
        """Return the first day on which the version holds."""
        return self.effective_date or BEGINNING

    @property
    def is_active(self) -> bool:
        return self.state is State.ACTIVE
