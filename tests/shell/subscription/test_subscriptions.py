"""Subscriptions as read, and their bulk creation under the tables' constraints."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from coax.base.tenancy import Tenant
from coax.party.queries import get_account
from coax.subscription.operations import SubscriptionCodesTaken, create_subscriptions
from coax.subscription.queries import find_subscriptions
from coax.subscription.types import SubscriptionState
from tests.scenario.import_stories import HEADER, configure, count_rows, run_import, write_csv


@pytest.fixture
def operator(empty_tenant: Tenant, tmp_path) -> Tenant:
    configure(empty_tenant)
    lines = [
        "A1,Anna,S2,own-day,tv,2026-01-31,,",
        "A1,Anna,S1,period,tv,2026-05-15,monthly,annual",
        "A1,Anna,S1,period,sports,2026-05-01,monthly,annual",
        "A2,Bert,S3,own-day,tv,2026-02-01,,",
    ]
    run_import(empty_tenant, write_csv(tmp_path / "f.csv", lines, header=f"{HEADER},frequency,binding_period"))
    return empty_tenant


def test_finds_an_accounts_subscriptions_with_contracts_and_services(operator):
    account = get_account(operator.id, "A1")
    first, second = find_subscriptions(tenant_id=operator.id, account_id=account.account_id)
    assert (first.code, second.code) == ("S1", "S2")
    assert (first.state, first.account_id) == (SubscriptionState.EFFECTIVE, account.account_id)
    assert [service.code for service in first.services] == ["sports", "tv"]
    term = first.billing_term
    assert term == first.billing_terms[0]
    assert (term.frequency, term.cycle_day, term.binding_period) == ("monthly", 1, "annual")
    assert (term.effective_from, term.binding_start_date, term.effective_to) == (
        date(2026, 5, 1),
        date(2026, 5, 1),
        None,
    )
    assert (second.billing_term.cycle_day, second.services[0].rated_up_to) == (31, date(2026, 1, 31))


def test_another_operator_sees_none(operator):
    account = get_account(operator.id, "A1")
    assert find_subscriptions(tenant_id=operator.id + 1, account_id=account.account_id) == []


def test_an_unknown_account_has_none(operator):
    assert find_subscriptions(tenant_id=operator.id, account_id=99 * 1024) == []


def test_a_code_that_was_taken_meanwhile_changes_nothing(operator):
    account = get_account(operator.id, "A2")
    subscriptions = pl.DataFrame(
        [
            {
                "subscription_code": code,
                "account_id": account.account_id,
                "type_id": None,
                "scheme_version_id": 1,
                "price_plan_id": 1,
                "frequency": "monthly",
                "cycle_day": 1,
                "agreement_date": date(2026, 1, 1),
                "binding_period": "",
                "binding_start_date": None,
                "contract_from": date(2026, 1, 1),
            }
            for code in ("S9", "S3")
        ],
        schema_overrides={"type_id": pl.Int64, "binding_start_date": pl.Date},
    )
    services = pl.DataFrame(
        schema={
            "subscription_code": pl.String,
            "account_id": pl.Int64,
            "subscription_id": pl.Int64,
            "service_code": pl.String,
            "product_id": pl.Int64,
            "quantity": pl.Int64,
            "effective_from": pl.Date,
            "effective_to": pl.Date,
            "billable_from": pl.Date,
            "billing_effective_date": pl.Date,
            "agreed_price_micro": pl.Int64,
            "extra_discount_ppm": pl.Int64,
            "rated_up_to": pl.Date,
        }
    )
    before = count_rows(operator)
    with pytest.raises(SubscriptionCodesTaken):
        create_subscriptions(
            tenant_id=operator.id, subscriptions=subscriptions, services=services, created_on=date(2026, 6, 1)
        )
    assert count_rows(operator) == before
