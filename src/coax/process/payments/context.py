"""What every deed with money needs to know: modes, rules of receivables, the day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import cast

from coax.base.clock import tenant_now, tenant_today
from coax.base.money import minor_to_decimal, parse_minor
from coax.base.tenancy import Tenant
from coax.configuration.queries import find_active, find_versions
from coax.configuration.types.payment_mode import PaymentMode, merge_modes
from coax.configuration.types.receivable_definition import Overpayment, ReceivableDefinition
from coax.payment.rules import PaymentRefused


@dataclass(frozen=True, slots=True)
class MoneyContext:
    """Who acts for which operator, when, by which modes and rules; a transaction of the tenant is open."""

    tenant: Tenant
    actor: str
    today: date
    now: datetime
    modes: Mapping[str, PaymentMode]
    definition: ReceivableDefinition | None

    @property
    def refuses_overpayment(self) -> bool:
        """Tell whether money above the bill that it is meant for is refused."""
        return self.definition is not None and self.definition.overpayment is Overpayment.REFUSE

    def read_day(self, on: date | None) -> date:
        """Return the day of a deed, by default today. Raises: PaymentRefused."""
        if on is not None and on > self.today:
            raise PaymentRefused(f"on: {on} is to come; the operator's clock shows {self.today}.", field="on", value=on)
        return on or self.today

    def read_amount(self, text: str, currency: str) -> int:
        """Return an amount above zero in minor units. Raises: InvalidAmount, PaymentRefused."""
        amount_minor = parse_minor(text, currency)
        if amount_minor <= 0:
            raise PaymentRefused(f"amount: {text} {currency} is not above zero.", field="amount", value=text)
        return amount_minor

    def needs_second_person(self, amount_minor: int, currency: str) -> bool:
        """Tell whether a refund of this amount waits for somebody else's approval."""
        limit = self.definition.refund_approval_above if self.definition else None
        return limit is not None and amount_minor > parse_minor(limit, currency)


def make_money_context(tenant: Tenant, *, actor: str) -> MoneyContext:
    """Return the context of a deed in the open transaction."""
    today = tenant_today(tenant.id)
    own = [cast("PaymentMode", row.spec) for row in find_versions("payment_mode", today)]
    active = find_active("receivable_definition", today)
    return MoneyContext(
        tenant=tenant,
        actor=actor,
        today=today,
        now=tenant_now(tenant.id),
        modes=merge_modes(own),
        definition=cast("ReceivableDefinition", active.spec) if active else None,
    )


def write_money(minor: int, currency: str) -> str:
    """Return an amount as people write it."""
    return str(minor_to_decimal(minor, currency))
