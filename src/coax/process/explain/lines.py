"""Explain a line: work it out again from its derivation, credits from the charge they take back. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from coax.base.money import micro_to_decimal
from coax.configuration.types.documents import ConfigurationRow
from coax.process.explain.prices import PricedItem, price_item
from coax.process.explain.types import LineExplanation, StoredItem
from coax.rating.rules import charge_rate_period, describe_item, recompute_item
from coax.rating.types import Amounts, RatedItemFacts

# What an item that takes something back takes it from.
TAKEN_FROM: Final = {"credit": "charge", "return": "once"}
AMOUNTS: Final = ("base_micro", "discount_micro", "net_micro", "tax_micro", "total_micro")


def explain_line(
    item: StoredItem, versions: Mapping[int, ConfigurationRow], history: Sequence[StoredItem]
) -> LineExplanation:
    """Explain one item. `versions`: frozen versions by key; `history`: all items of the services of credits."""
    if item.kind in TAKEN_FROM:
        return _explain_credit(item, versions, history)
    priced = price_item(item, versions)
    recomputed = recompute_item(priced.facts)
    return _explain(
        item,
        versions,
        priced,
        arithmetic=tuple(describe_item(priced.facts)),
        recomputed=recomputed,
        differences=(*_compare_charge(item, priced.facts), *_compare(item.amounts, recomputed)),
    )


def _explain_credit(
    item: StoredItem, versions: Mapping[int, ConfigurationRow], history: Sequence[StoredItem]
) -> LineExplanation:
    priced = price_item(item, versions)
    charge = _find_charge(item, history)
    if charge is None:
        missing = "the charge that it takes back is not there"
        return _explain(item, versions, priced, arithmetic=(), recomputed=None, differences=(missing,))
    of_charge = price_item(charge, versions)
    stood, until = _amounts_that_stood(item, charge, of_charge.facts, history)
    used = _facts_up_to(item, charge, of_charge.facts)
    remains = recompute_item(used)
    recomputed = _subtract(remains, stood)
    stood_total, remains_total = (micro_to_decimal(amounts.total_micro) for amounts in (stood, remains))
    used_days = (item.period_from - charge.period_from).days
    return _explain(
        item,
        versions,
        of_charge,
        arithmetic=(
            f"takes back line {charge.line} of bill {charge.bill_number}, charged up to {until}: {stood_total}",
            *(f"stays charged, {text}" for text in (describe_item(used) if used_days else ["nothing"])),
            f"credit: {remains_total} - {stood_total} = {micro_to_decimal(recomputed.total_micro)}",
        ),
        recomputed=recomputed,
        differences=(*_compare_charge(item, of_charge.facts), *_compare(item.amounts, recomputed)),
    )


def _find_charge(credit: StoredItem, history: Sequence[StoredItem]) -> StoredItem | None:
    """Return the charge of the same service and generation whose period holds the credit's."""
    wanted = (TAKEN_FROM[credit.kind], credit.service_id, credit.generation)
    for item in history:
        is_own = (item.kind, item.service_id, item.generation) == wanted
        if is_own and item.period_from <= credit.period_from and credit.period_to <= item.period_to:
            return item
    return None


def _amounts_that_stood(
    credit: StoredItem, charge: StoredItem, facts: RatedItemFacts, history: Sequence[StoredItem]
) -> tuple[Amounts, date]:
    """Return what stood charged before the credit, and up to when: all, or what an earlier credit left."""
    if credit.period_to == charge.period_to:
        return charge.amounts, charge.period_to
    for item in history:
        is_own = (item.kind, item.service_id, item.generation) == (credit.kind, credit.service_id, credit.generation)
        if is_own and item.period_from == credit.period_to:
            return recompute_item(_facts_up_to(item, charge, facts)), item.period_from
    return charge.amounts, charge.period_to


def _facts_up_to(credit: StoredItem, charge: StoredItem, facts: RatedItemFacts) -> RatedItemFacts:
    """Return the charge's derivation for the part that the credit leaves."""
    return replace(
        facts,
        period_from=charge.period_from,
        period_to=credit.period_from,
        whole_periods=credit.whole_periods,
        days=credit.days,
        period_days=credit.period_days,
    )


def _subtract(left: Amounts, right: Amounts) -> Amounts:
    return Amounts(**{name: getattr(left, name) - getattr(right, name) for name in AMOUNTS})


def _compare_charge(item: StoredItem, facts: RatedItemFacts) -> tuple[str, ...]:
    expected = charge_rate_period(facts)
    if item.charge_micro == expected:
        return ()
    return (f"charge per period: stored {micro_to_decimal(item.charge_micro)}, follows {micro_to_decimal(expected)}",)


def _compare(stored: Amounts, recomputed: Amounts) -> tuple[str, ...]:
    return tuple(
        f"{name.removesuffix('_micro')}: stored {micro_to_decimal(getattr(stored, name))}, "
        f"follows {micro_to_decimal(getattr(recomputed, name))}"
        for name in AMOUNTS
        if getattr(stored, name) != getattr(recomputed, name)
    )


def _explain(
    item: StoredItem,
    versions: Mapping[int, ConfigurationRow],
    priced: PricedItem,
    *,
    arithmetic: tuple[str, ...],
    recomputed: Amounts | None,
    differences: tuple[str, ...],
) -> LineExplanation:
    product = versions[item.product_version_id]
    return LineExplanation(
        item=item,
        product=f"{product.spec.name} ({product.code}, version {product.number})",
        price_source=priced.source,
        arithmetic=arithmetic,
        recomputed=recomputed,
        differences=(*priced.differences, *differences),
    )
