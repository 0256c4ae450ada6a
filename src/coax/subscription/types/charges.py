"""What was charged once and what was used, as read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class ChargeState(StrEnum):
    """How far the billing of something charged once or used is."""

    TO_BE_BILLED = "to_be_billed"
    BILLED = "billed"
    NOT_BILLED = "not_billed"
    TAKEN_BACK = "taken_back"
    TO_BE_CREDITED = "to_be_credited"
    CREDITED = "credited"


def tell_state(
    *, is_charged: bool, billed_by: int | None, withdrawn_on: date | None, credited_by: int | None
) -> ChargeState:
    """Return how far it is billed: what is taken back is credited where it was billed."""
    if withdrawn_on is not None and billed_by is None:
        return ChargeState.TAKEN_BACK
    if withdrawn_on is not None:
        return ChargeState.TO_BE_CREDITED if credited_by is None else ChargeState.CREDITED
    if not is_charged:
        return ChargeState.NOT_BILLED
    return ChargeState.TO_BE_BILLED if billed_by is None else ChargeState.BILLED


@dataclass(frozen=True, slots=True)
class ChargeRow:
    """What was charged once on a subscription or by a job; runs are named by their keys."""

    charge_id: int
    code: str
    subscription_code: str | None
    job_code: str | None
    product: str
    product_name: str
    quantity: int
    duration: int
    performed_on: date
    agreed_price_micro: int | None
    billed_by: int | None
    withdrawn_on: date | None
    credited_by: int | None
    type_id: int | None

    @property
    def state(self) -> ChargeState:
        """How far it is billed."""
        return tell_state(
            is_charged=True,
            billed_by=self.billed_by,
            withdrawn_on=self.withdrawn_on,
            credited_by=self.credited_by,
        )


@dataclass(frozen=True, slots=True)
class UsageRow:
    """A usage record; `amount_micro` is what it came rated with, `service_code` the service that carried it."""

    usage_id: int
    code: str
    account_code: str
    subscription_code: str
    service_code: str
    product: str
    product_name: str
    catalog: str
    usage_type: str | None
    quantity: int
    performed_on: date
    used_from: datetime | None
    used_to: datetime | None
    source_system: str
    reference: str
    source: str
    destination: str
    device: str
    method: str
    category: str
    amount_micro: int | None
    charge_id: int | None
    billed_by: int | None
    withdrawn_on: date | None
    credited_by: int | None
    action_id: int
    type_id: int | None

    @property
    def state(self) -> ChargeState:
        """How far it is billed."""
        return tell_state(
            is_charged=self.charge_id is not None,
            billed_by=self.billed_by,
            withdrawn_on=self.withdrawn_on,
            credited_by=self.credited_by,
        )
