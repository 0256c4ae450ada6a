"""An operator with tiers, sports, a free channel and rules about what may happen to a subscription."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from coax.base.clock import set_simulated_clock
from coax.base.money import micro_to_decimal
from coax.base.tenancy import tenant_transaction
from coax.configuration.types.process_definition import DebtBasis
from coax.process.payments.receive import PaymentRequest, receive_payment
from coax.process.subscription_actions.deactivate import DeactivationCriteria, deactivate_debtors
from coax.process.subscription_actions.maintain import activate_settled, execute_scheduled
from coax.process.subscription_actions.perform import submit_action
from coax.process.subscription_actions.watch import BulkResult
from coax.process.verify import verify_tenant
from coax.subscription.queries.codes import get_subscription_key
from coax.subscription.queries.due_actions import find_actions
from coax.subscription.types.actions import ActionRequest, ActionRow, Amendment, Behaviour
from tests.builders.operators import AnOperator, an_operator

_CHANGES = {
    "products": """  - code: eurosports-1
    name: Eurosports 1 -> """
    + "".join(
        f"  - {{ code: {code}, name: {code.title()}, class: termed, tax_class: standard{kind} }}\n"
        for code, kind in (
            ("silver", ", type: basic-plan"),
            ("gold", ", type: basic-plan"),
            ("football", ""),
            ("news", ""),
        )
    )
    + """  - code: eurosports-1
    name: Eurosports 1""",
    "prices": """      - { product: eurosports-1, frequency: monthly, price: 12.50 } -> """
    + "".join(
        f"      - {{ product: {code}, frequency: monthly, price: {price} }}\n"
        for code, price in (("silver", "31.00"), ("gold", "62.00"), ("football", "9.30"), ("news", "5.00"))
    )
    + "      - { product: eurosports-1, frequency: monthly, price: 12.50 }",
    "services": """      - { product: eurosports-1, billing_type: pre_bill } -> """
    + "".join(f"      - {{ product: {code}, billing_type: pre_bill }}\n" for code in ("silver", "gold", "football"))
    + """      - { product: news, billing_type: pre_bill, free: true }
      - { product: eurosports-1, billing_type: pre_bill }""",
    "binding": "    frequencies: [monthly, biannual] -> "
    "    frequencies: [monthly, biannual]\n    binding_periods: [annual]",
    "type": """      - { product: eurosports-1, mandatory: true } -> """
    """      - { product: football }
      - { product: news }
      - { product: eurosports-1, mandatory: true }""",
}
RULES = """    name: Main Billing Term Definition
    classification: subscriptions
    rules:
      - { rule: regret, name: Fourteen days, max_days_since_activation: 14 }
      - rule: resting
        name: Rest
        min_days: 7
        max_days: 30
        max_times: 2
        within: { count: 1, unit: year }
        extend_binding: true"""
DEPENDENCY = """    service_dependencies:
      - { products: [football], require_products: [silver, gold] }
    installed_item_rules:"""


@dataclass(frozen=True)
class ABroadcaster(AnOperator):
    """An operator whose staff act on subscriptions; its clock is moved by hand."""

    def on(self, day: str, hour: int = 9) -> None:
        local = datetime.combine(date.fromisoformat(day), time(hour), tzinfo=ZoneInfo("Europe/Berlin"))
        with tenant_transaction(self.tenant.id):
            set_simulated_clock(tenant_id=self.tenant.id, at=local.astimezone(UTC))

    def act(self, behaviour: Behaviour, subscription: str, day: str, **values: Any) -> dict[str, Any]:
        for name in {"ends_on", "binding_start_date"} & values.keys():
            values[name] = date.fromisoformat(values[name])
        if "amendment" in values:
            values["amendment"] = Amendment(values["amendment"])
        request = ActionRequest(
            subscription_code=subscription, behaviour=behaviour, performed_on=date.fromisoformat(day), **values
        )
        return submit_action(tenant=self.tenant, request=request, actor="anna")[0]

    def actions(self, subscription: str) -> list[ActionRow]:
        with tenant_transaction(self.tenant.id):
            key = get_subscription_key(tenant_id=self.tenant.id, code=subscription)
            return find_actions(
                tenant_id=self.tenant.id, account_id=key.account_id, subscription_id=key.subscription_id
            )

    def execute_scheduled(self) -> BulkResult:
        return execute_scheduled(tenant=self.tenant, actor="maintenance")

    def deactivate(self, **criteria: Any) -> BulkResult:
        if "basis" in criteria:
            criteria["basis"] = DebtBasis(criteria["basis"])
        return deactivate_debtors(tenant=self.tenant, criteria=DeactivationCriteria(**criteria), actor="collections")

    def activate(self, **values: Any) -> BulkResult:
        return activate_settled(tenant=self.tenant, actor="maintenance", **values)

    def pay(self, account: str, amount: str, on: str) -> None:
        receive_payment(
            tenant=self.tenant,
            request=PaymentRequest(account_code=account, amount=amount, on=date.fromisoformat(on)),
        )

    def state(self, subscription: str) -> str:
        return self.rows(
            "SELECT state FROM subscription_subscription WHERE tenant_id = %s AND code = %s", subscription
        )[0]["state"]

    def services(self, subscription: str) -> dict[str, str]:
        rows = self.rows(
            """SELECT s.code, s.state FROM subscription_service s
               JOIN subscription_subscription u ON u.bucket = s.bucket AND u.account_id = s.account_id
                AND u.id = s.subscription_id
               WHERE s.tenant_id = %s AND u.code = %s ORDER BY s.code""",
            subscription,
        )
        return {row["code"]: row["state"] for row in rows}

    def history(self, subscription: str, service: str) -> list[tuple[str, str, str, str]]:
        rows = self.rows(
            """SELECT h.state, h.directive, h.effective_from, h.effective_to FROM subscription_service_history h
               JOIN subscription_service s ON s.bucket = h.bucket AND s.account_id = h.account_id
                AND s.id = h.service_id
               JOIN subscription_subscription u ON u.bucket = s.bucket AND u.account_id = s.account_id
                AND u.id = s.subscription_id
               WHERE h.tenant_id = %s AND u.code = %s AND s.code = %s
               ORDER BY h.effective_from, coalesce(h.effective_to, 'infinity'), h.id""",
            subscription,
            service,
        )
        return [
            (row["state"], row["directive"], str(row["effective_from"]), str(row["effective_to"] or "")) for row in rows
        ]

    def charged(self, account: str, run: int | None = None) -> list[tuple[str, str, str, str]]:
        """Return kind, first day, end and net in euros of each rated item."""
        return [
            (row["kind"], str(row["period_from"]), str(row["period_to"]), str(micro_to_decimal(row["net_micro"])))
            for row in self.items(account, run)
        ]

    def everything(self) -> list[Any]:
        """Return all that actions may change, to be compared before and after."""
        tables = (
            "subscription",
            "service",
            "service_rating",
            "service_history",
            "subscription_history",
            "action",
            "charge",
            "usage",
        )
        return [
            self.rows(f"SELECT * FROM subscription_{table} WHERE tenant_id = %s ORDER BY bucket, account_id, 3")
            for table in tables
        ]

    @contextmanager
    def nothing_changes(self) -> Iterator[None]:
        before = self.everything()
        yield
        assert self.everything() == before

    def broken_promises(self) -> list[str]:
        return [str(result) for result in verify_tenant(tenant=self.tenant) if not result.is_kept]


def a_broadcaster(**replacements: str) -> ABroadcaster:
    """Apply Company ZX with more services and rules; `replacements` change its text as `an_operator` says."""
    changes = dict(_CHANGES)
    changes["definition"] = "    name: Main Billing Term Definition\n    classification: subscriptions -> " + RULES
    changes["dependency"] = "    installed_item_rules: -> " + DEPENDENCY
    changes["minimum"] = "      minimum_debit: 5 ->       minimum_debit: 0"
    return ABroadcaster(an_operator(**{**changes, **replacements}).tenant)
