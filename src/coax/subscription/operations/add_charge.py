"""Charge something once: a one-time service, an expense, a physical good."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import ClassVar, cast

from coax.base.db import execute
from coax.base.errors import DomainError
from coax.base.ids import bucket_of
from coax.base.numbers import next_ids
from coax.configuration.queries import get_entity
from coax.configuration.types.catalogue import Product
from coax.configuration.types.job_type import DURATION_MAX, QUANTITY_MAX
from coax.subscription.queries.codes import get_subscription_key
from coax.subscription.rules.expense import CHARGED_ONCE


class ChargeRefused(DomainError):
    """A value of the charge is not allowed; the message names it and what is."""

    code: ClassVar[str] = "charge_refused"


@dataclass(frozen=True, slots=True)
class AddedCharge:
    """A charge that the next run bills."""

    charge_id: int
    account_id: int


def add_charge(
    *,
    tenant_id: int,
    subscription_code: str,
    product_code: str,
    performed_on: date,
    quantity: int = 1,
    duration: int = 0,
    agreed_price_micro: int | None = None,
) -> AddedCharge:
    """Add a charge to a subscription; the next run bills it at its price plan's price, or at the agreed one.

    `duration` counts the units of a duration-tiered rate (hours of a technician, say). Raises: SubscriptionUnknown,
    EntityNotFound, ChargeRefused.
    """
    key = get_subscription_key(tenant_id=tenant_id, code=subscription_code)
    row = get_entity("product", product_code)
    product = cast("Product", row.spec)
    if product.class_ not in CHARGED_ONCE:
        allowed = ", ".join(CHARGED_ONCE)
        raise ChargeRefused(f"product: {product_code!r} is {product.class_}; charged once are: {allowed}.")
    if not 1 <= quantity <= QUANTITY_MAX:
        raise ChargeRefused(f"quantity: {quantity} is not allowed; allowed is 1 to {QUANTITY_MAX}.")
    if not 0 <= duration <= DURATION_MAX:
        raise ChargeRefused(f"duration: {duration} is not allowed; allowed is 0 to {DURATION_MAX}.")
    charge_id = next_ids("base_object_seq", 1)[0]
    bucket = bucket_of(key.account_id)
    execute(
        """INSERT INTO subscription_charge (bucket, account_id, id, tenant_id, subscription_id, code, product_id,
               quantity, duration, performed_on, agreed_price_micro)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        [
            bucket,
            key.account_id,
            charge_id,
            tenant_id,
            key.subscription_id,
            str(charge_id),
            row.entity_id,
            quantity,
            duration,
            performed_on,
            agreed_price_micro,
        ],
    )
    return AddedCharge(charge_id, key.account_id)
