"""Pure decisions about items: which verb goes from which state, what a subscription may hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from coax.base.errors import DomainError
from coax.configuration.types.subscription_definition import Dependency, InstalledItemRule, SubscriptionDefinition
from coax.configuration.types.subscription_type import SubscriptionType
from coax.subscription.types.items import Good, ItemState, ItemVerb

S = ItemState
AT_LOCATION: Final = frozenset({S.IN_STOCK, S.RESERVED, S.RETURNED, S.DEFECTIVE})
# From which states a verb goes.
SOURCES: Final[Mapping[ItemVerb, frozenset[ItemState]]] = {
    ItemVerb.RECEIVE: frozenset(),
    ItemVerb.TRANSFER: AT_LOCATION,
    ItemVerb.RESERVE: frozenset({S.IN_STOCK}),
    ItemVerb.UNRESERVE: frozenset({S.RESERVED}),
    ItemVerb.INSTALL: frozenset({S.IN_STOCK, S.RESERVED}),
    ItemVerb.RETURN: frozenset({S.INSTALLED}),
    ItemVerb.MOVE: frozenset({S.INSTALLED}),
    ItemVerb.PAIR: frozenset({S.INSTALLED}),
    ItemVerb.UNPAIR: frozenset({S.INSTALLED}),
    ItemVerb.TEST: frozenset({S.RETURNED, S.DEFECTIVE}),
    ItemVerb.LOSE: AT_LOCATION | {S.INSTALLED},
    ItemVerb.FIND: frozenset({S.LOST}),
    ItemVerb.WRITE_OFF: frozenset({S.IN_STOCK, S.RETURNED, S.DEFECTIVE, S.LOST}),
}


class ItemStateRefused(DomainError):
    """The item's state does not allow this; `allowed` lists the states that do."""

    code: ClassVar[str] = "item_state_refused"


class InstallationRefused(DomainError):
    """The subscription may not hold the item; `rule` names what refuses it."""

    code: ClassVar[str] = "installation_refused"


def check_verb(verb: ItemVerb, *, state: ItemState, serial: str) -> None:
    """Let a verb through from a state that allows it. Raises: ItemStateRefused."""
    if state not in SOURCES[verb]:
        allowed = ", ".join(sorted(SOURCES[verb]))
        message = f"state: item {serial!r} is {state}; {verb} is allowed from {allowed}."
        raise ItemStateRefused(message, field="state", value=state, allowed=allowed, serial=serial)


def check_installation(
    good: Good,
    *,
    installed: Sequence[Good],
    services: Sequence[Good],
    type_code: str | None,
    subscription_type: SubscriptionType | None,
    definition: SubscriptionDefinition | None,
) -> None:
    """Let an item into a subscription that holds `installed` and `services` (R64, R70, R71).

    A type that lists no goods allows all. Raises: InstallationRefused.
    """
    if subscription_type and subscription_type.physical_goods and good.product not in subscription_type.physical_goods:
        allowed = ", ".join(subscription_type.physical_goods)
        raise _refuse(f"subscription type {type_code}", f"allowed goods are {allowed}", good, allowed)
    if definition is None:
        return
    for number, rule in enumerate(definition.installed_item_rules, start=1):
        counted = _count(rule, [*installed, good])
        if _applies(rule, good, type_code) and rule.maximum is not None and counted > rule.maximum:
            text = f"it would be number {counted}, allowed are at most {rule.maximum}"
            raise _refuse(f"installed_item_rules {number} of {definition.code}", text, good, str(rule.maximum))
    for number, dependency in enumerate(definition.installed_item_dependencies, start=1):
        if _depends(dependency, good) and not any(_serves(dependency, other) for other in [*installed, *services]):
            needed = ", ".join([*dependency.require_products, *dependency.require_product_types])
            text = f"it needs one of {needed}"
            raise _refuse(f"installed_item_dependencies {number} of {definition.code}", text, good, needed)


def _refuse(rule: str, text: str, good: Good, allowed: str) -> InstallationRefused:
    message = f"good: {good.product!r} is refused by {rule}: {text}."
    return InstallationRefused(message, field="good", value=good.product, allowed=allowed, rule=rule)


def _applies(rule: InstalledItemRule, good: Good, type_code: str | None) -> bool:
    return (
        (not rule.subscription_types or type_code in rule.subscription_types)
        and (not rule.physical_goods or good.product in rule.physical_goods)
        and _is_of(rule.distributor, good)
    )


def _count(rule: InstalledItemRule, goods: Sequence[Good]) -> int:
    return sum(
        (not rule.physical_goods or good.product in rule.physical_goods) and _is_of(rule.distributor, good)
        for good in goods
    )


def _is_of(distributor: str | None, good: Good) -> bool:
    """Tell whether a rule of a distributor counts the item; one without a distributor counts everywhere."""
    return not distributor or not good.distributor or good.distributor == distributor


def _depends(rule: Dependency, good: Good) -> bool:
    return (good.product in rule.products or good.product_type in rule.product_types) and _is_of(rule.distributor, good)


def _serves(rule: Dependency, good: Good) -> bool:
    return good.product in rule.require_products or good.product_type in rule.require_product_types
