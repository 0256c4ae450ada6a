"""What travels of usage: what is known of one, what is told, what is recorded."""

from __future__ import annotations

from dataclasses import fields
from datetime import date, datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from coax.base.money import parse_micro
from coax.interfaces.api.rest.values import Amount, Code, Day, Flag, Instant, Model, Money, Positive
from coax.subscription.rules.usage import DETAIL_CHARS_MAX
from coax.subscription.types.actions import ActionRequest, Behaviour, UsageDetail
from coax.subscription.types.charges import ChargeState

USAGES_MAX = 1000
Told = Annotated[str, StringConstraints(max_length=DETAIL_CHARS_MAX, pattern=r"^[^\u0000-\u001f\u007f]*$")]


class UsageTold(Model):
    """What is known of a usage beside its service, amount and day (docs/usage.md)."""

    usage_type: Annotated[Code | None, Field(description="Where there are any.")] = None
    catalog: Annotated[Code | None, Field(description="Where several have the service.")] = None
    is_billed: Annotated[Flag, Field(description="Without it the usage is only recorded.")] = True
    amount: Annotated[Amount | None, Field(description="Of a usage that comes rated.")] = None
    used_from: Instant | None = None
    used_to: Instant | None = None
    source_system: Annotated[Told, Field(description="The system that tells of it.")] = ""
    reference: Annotated[Told, Field(description="What that system calls it: recorded once.")] = ""
    source: Annotated[Told, Field(description="From where, such as the calling number.")] = ""
    destination: Annotated[Told, Field(description="Where to, such as the called number.")] = ""
    device: Told = ""
    method: Annotated[Told, Field(description="How, such as stream or download.")] = ""
    category: Told = ""


class UsageToRecord(UsageTold):
    """A use of a usage service."""

    subscription: Code
    product: Code
    performed_on: Annotated[Day, Field(description="Up to today.")]
    quantity: Positive = 1
    service: Annotated[Code | None, Field(description="That carried it, where several served on that day.")] = None


class UsagesToRecord(Model):
    """What a source tells at once."""

    usages: Annotated[list[UsageToRecord], Field(min_length=1, max_length=USAGES_MAX)]


class RefusedUsage(Model):
    """A usage that was not recorded; `index` is its place in the request, from 0 on."""

    index: int
    subscription: str
    rule: str
    reason: str


class RecordedUsages(Model):
    """How many were recorded, how many their source had told before, and those that were refused."""

    recorded: int
    known: int
    refused: list[RefusedUsage]


class UsageRecord(Model):
    """A usage record, the service that carried it, and how far it is billed."""

    usage: str
    account: str
    subscription: str
    service: str
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
    amount: Money | None
    state: ChargeState
    withdrawn_on: date | None
    action: int


class UsageFilter(Model):
    """Which usage records are wanted."""

    subscription: Annotated[Code | None, Field(description="Only of this subscription.")] = None
    account: Annotated[Code | None, Field(description="Only of this account.")] = None
    product: Code | None = None
    performed_from: Annotated[Day | None, Field(description="Only from this day on.")] = None
    performed_to: Annotated[Day | None, Field(description="Only before this day.")] = None
    source_system: Code | None = None
    reference: Code | None = None


def make_detail(told: UsageTold) -> UsageDetail:
    """Return what is known of a usage."""
    given = {field.name: getattr(told, field.name) for field in fields(UsageDetail) if field.name != "amount_micro"}
    amount = None if told.amount is None else parse_micro(told.amount)
    return UsageDetail(
        **{**given, "usage_type": told.usage_type or "", "catalog": told.catalog or ""}, amount_micro=amount
    )


def make_usage_request(body: UsageToRecord) -> ActionRequest:
    """Return what recording a usage asks for."""
    return ActionRequest(
        subscription_code=body.subscription,
        behaviour=Behaviour.ADD_SERVICE_USAGE,
        performed_on=body.performed_on,
        product_code=body.product,
        quantity=body.quantity,
        service_code=body.service,
        usage=make_detail(body),
    )
