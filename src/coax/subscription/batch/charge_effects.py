"""Writing what actions charge once, record as used, and take back."""

from __future__ import annotations

from typing import Final

from coax.base.ids import bucket_of
from coax.base.numbers import next_ids
from coax.subscription.batch.decided import BY_KEY, KEY, Decided
from coax.subscription.batch.rows import Row, insert_rows, update_rows

_CHARGE: Final = (
    *KEY,
    ("tenant_id", "int"),
    ("subscription_id", "bigint"),
    ("code", "text"),
    ("product_id", "bigint"),
    ("quantity", "bigint"),
    ("duration", "bigint"),
    ("performed_on", "date"),
    ("agreed_price_micro", "bigint"),
    ("catalog_id", "bigint"),
)
_USAGE: Final = (
    *KEY,
    *(("tenant_id", "int"), ("subscription_id", "bigint"), ("service_id", "bigint"), ("code", "text")),
    *(("product_id", "bigint"), ("catalog_id", "bigint"), ("usage_type_id", "bigint"), ("quantity", "bigint")),
    *(("performed_on", "date"), ("used_from", "timestamptz"), ("used_to", "timestamptz"), ("source_system", "text")),
    *(("reference", "text"), ("source", "text"), ("destination", "text"), ("device", "text"), ("method", "text")),
    *(("category", "text"), ("charge_id", "bigint"), ("action_id", "bigint")),
)


def withdraw(decided: list[Decided], *, using: str) -> None:
    """Take back what was charged once or used: it is not billed, or credited by the next run where it was."""
    charges: list[Row] = []
    usages: list[Row] = []
    for one in decided:
        key = (bucket_of(one.facts.account_id), one.facts.account_id)
        for taken in one.effects.withdrawn:
            if taken.charge.charge_id is not None:
                charges.append((*key, taken.charge.charge_id, taken.on))
            if taken.charge.usage_id is not None:
                usages.append((*key, taken.charge.usage_id, taken.on))
    for table, rows in (("subscription_charge", charges), ("subscription_usage", usages)):
        update_rows(
            table,
            "withdrawn_on = v.withdrawn_on",
            (*KEY, ("withdrawn_on", "date")),
            rows,
            where=f"{BY_KEY} AND t.withdrawn_on IS NULL",
            using=using,
        )


def add_usages(decided: list[Decided], *, tenant_id: int, using: str) -> None:
    """Record what was used, and charge what is to be billed: at its catalog's price, or at the amount it came with."""
    usages = [(one, usage) for one in decided for usage in one.effects.usages]
    fresh = iter(next_ids("base_object_seq", 2 * len(usages), using=using) if usages else ())
    charges: list[Row] = []
    records: list[Row] = []
    for one, usage in usages:
        usage_id, charge_id, detail = next(fresh), next(fresh), usage.detail
        key = (bucket_of(one.facts.account_id), one.facts.account_id)
        if detail.is_billed:
            charges.append(
                (
                    *(*key, charge_id, tenant_id, one.facts.subscription_id, str(usage_id), usage.product_id),
                    *(usage.quantity, 0, usage.on, detail.amount_micro, usage.catalog_id),
                )
            )
        records.append(
            (
                *(*key, usage_id, tenant_id, one.facts.subscription_id, usage.service_id, str(usage_id)),
                *(usage.product_id, usage.catalog_id, usage.usage_type_id, usage.quantity, usage.on),
                *(detail.used_from, detail.used_to, detail.source_system, detail.reference, detail.source),
                *(detail.destination, detail.device, detail.method, detail.category),
                *(charge_id if detail.is_billed else None, one.action_id),
            )
        )
    insert_rows("subscription_charge", _CHARGE, charges, using=using)
    insert_rows("subscription_usage", _USAGE, records, using=using)


def add_charges(decided: list[Decided], *, tenant_id: int, using: str) -> None:
    """Add what actions cost; the next run bills it."""
    charges = [(one, charge) for one in decided for charge in one.effects.charges]
    fresh = next_ids("base_object_seq", len(charges), using=using) if charges else []
    rows = [
        (
            *(bucket_of(one.facts.account_id), one.facts.account_id, charge_id, tenant_id),
            *(one.facts.subscription_id, str(charge_id), charge.product_id, charge.quantity),
            *(charge.duration, charge.on, charge.price_micro, None),
        )
        for (one, charge), charge_id in zip(charges, fresh, strict=True)
    ]
    insert_rows("subscription_charge", _CHARGE, rows, using=using)
