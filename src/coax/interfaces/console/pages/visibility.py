"""What the reader's organisational unit lets them see: types of subscriptions and jobs name the units they are for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from coax.configuration.queries import find_versions
from coax.configuration.types.job_type import JobType
from coax.configuration.types.subscription_type import SubscriptionType
from coax.interfaces.console.access import StaffRequest
from coax.party.queries.staff import find_unit
from coax.subscription.types.jobs import JobRow


@dataclass(frozen=True, slots=True)
class Visibility:
    """The unit of a reader, and whose types are for which units; a reader without a unit sees everything."""

    unit: str | None
    units_of_type: dict[int, frozenset[str]]
    units_of_job_type: dict[str, frozenset[str]]

    def may_see_type(self, type_id: int | None) -> bool:
        """Tell whether subscriptions of a type are for the reader."""
        return self._is_for(self.units_of_type.get(type_id or 0, frozenset()))

    def may_see_job_type(self, code: str) -> bool:
        """Tell whether jobs of a type are for the reader."""
        return self._is_for(self.units_of_job_type.get(code, frozenset()))

    def may_see_job(self, job: JobRow) -> bool:
        """Tell whether a job is for the reader: by its type, and a private one by the unit that owns it."""
        is_own = self.unit is None or not job.is_private or job.organisational_unit in {None, self.unit}
        return is_own and self.may_see_job_type(job.job_type)

    def _is_for(self, units: frozenset[str]) -> bool:
        return self.unit is None or not units or self.unit in units


def find_visibility(request: StaffRequest) -> Visibility:
    """Return what the reader of a page may see."""
    unit = find_unit(tenant_id=request.tenant.id, username=request.staff.username)
    if unit is None:
        return Visibility(None, {}, {})
    return Visibility(
        unit,
        {
            row.entity_id: frozenset(cast("SubscriptionType", row.spec).organisational_units)
            for row in find_versions("subscription_type")
        },
        {row.code: frozenset(cast("JobType", row.spec).organisational_units) for row in find_versions("job_type")},
    )
