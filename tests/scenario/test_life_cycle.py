"""A clerk governs subscriptions from activation to cancellation, and the bills follow.

Company ZX bills on the 20th for the following month; silver costs 31.00, gold 62.00 and football 9.30 a month.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from coax.base.tenancy import tenant_transaction
from coax.process.explain import explain_bill
from coax.subscription.operations.end_service import end_service
from coax.subscription.queries.codes import get_subscription_key
from coax.subscription.queries.states import get_subscription_on
from coax.subscription.rules.refusals import ActionRefused
from coax.subscription.types.actions import Behaviour
from tests.builders.broadcasters import ABroadcaster, a_broadcaster


@pytest.fixture
def zx(database: str, tmp_path: Path) -> ABroadcaster:
    operator = a_broadcaster()
    operator.subscribe(tmp_path, [{"account_code": "A", "product": "silver", "billed_until": "2026-07-01"}])
    operator.on("2026-06-20")
    operator.bill("2026-06-20")  # July is billed
    return operator


def test_an_upgrade_on_the_10th_of_a_billed_month(zx: ABroadcaster) -> None:
    zx.on("2026-07-10")
    zx.act(Behaviour.SWAP_SERVICE, "S-A", "2026-07-10", service_code="silver", product_code="gold")
    assert zx.services("S-A") == {"gold": "effective", "silver": "swapped"}
    zx.bill("2026-07-20")
    assert zx.charged("A", 2) == [
        ("credit", "2026-07-10", "2026-08-01", "-22.000000"),
        ("charge", "2026-07-10", "2026-08-01", "44.000000"),
        ("charge", "2026-08-01", "2026-09-01", "62.000000"),
    ]
    assert zx.broken_promises() == []
    explained = explain_bill(tenant=zx.tenant, number=f"ZX-{zx.bills(2)[0]['number']:08}")
    assert (len(explained.lines), explained.all_differences) == (3, ())


def test_regret_of_an_upgrade_brings_the_old_service_back(zx: ABroadcaster) -> None:
    zx.on("2026-07-10")
    zx.act(Behaviour.SWAP_SERVICE, "S-A", "2026-07-10", service_code="silver", product_code="gold")
    zx.bill("2026-07-20")
    zx.on("2026-07-24")
    zx.act(Behaviour.REGRET_SERVICE, "S-A", "2026-07-24", service_code="gold")
    assert zx.services("S-A") == {"gold": "regretted", "silver": "effective"}
    zx.bill("2026-08-20")
    assert (
        sum(Decimal(row[3]) for row in zx.charged("A")) == 31 * 3
    )  # July, August and September of silver, and nothing else
    assert zx.broken_promises() == []


def test_regret_after_the_limit_is_refused_and_changes_nothing(zx: ABroadcaster) -> None:
    zx.on("2026-07-10")
    zx.act(Behaviour.ADD_SERVICE, "S-A", "2026-07-10", product_code="football")
    zx.on("2026-07-25")
    with zx.nothing_changes(), pytest.raises(ActionRefused, match="15 days ago; rule 'Fourteen days' allows 14"):
        zx.act(Behaviour.REGRET_SERVICE, "S-A", "2026-07-25", service_code="football")


def test_regret_within_the_limit_takes_everything_back(zx: ABroadcaster) -> None:
    zx.on("2026-07-10")
    zx.act(Behaviour.ADD_SERVICE, "S-A", "2026-07-10", product_code="football")
    zx.bill("2026-07-20")
    assert ("charge", "2026-07-10", "2026-09-01", "6.600000") not in zx.charged("A", 2)
    assert ("charge", "2026-07-10", "2026-08-01", "6.600000") in zx.charged("A", 2)
    zx.on("2026-07-24")
    zx.act(Behaviour.REGRET_SERVICE, "S-A", "2026-07-24", service_code="football")
    zx.bill("2026-08-20")
    credits_given = [row for row in zx.charged("A", 3) if row[0] == "credit"]
    assert sorted(row[3] for row in credits_given) == ["-6.600000", "-9.300000"]
    assert zx.broken_promises() == []


def test_a_rest_of_20_days_is_credited_and_extends_the_contract(zx: ABroadcaster, tmp_path: Path) -> None:
    zx.subscribe(
        tmp_path,
        [
            {
                "account_code": "B",
                "product": "silver",
                "billed_until": "2026-08-01",
                "binding_period": "annual",
                "binding_start_date": "2026-01-01",
            }
        ],
    )
    zx.on("2026-08-05")
    zx.bill("2026-07-20")
    zx.act(Behaviour.REST, "S-B", "2026-08-05", ends_on="2026-08-25")
    assert zx.state("S-B") == "in_resting"
    ending = zx.actions("S-B")[0]
    assert (ending.behaviour, ending.state, str(ending.performed_on)) == ("end_resting", "scheduled", "2026-08-25")
    zx.on("2026-08-24")
    assert zx.execute_scheduled().performed == 0
    zx.bill("2026-08-20")
    assert zx.charged("B", 3) == [("credit", "2026-08-05", "2026-09-01", "-27.000000")]
    zx.on("2026-08-25")
    assert zx.execute_scheduled().performed == 1
    assert zx.state("S-B") == "effective"
    terms = zx.rows(
        """SELECT t.binding_extension_days, t.effective_to FROM subscription_billing_term t
           JOIN subscription_subscription u ON u.bucket = t.bucket AND u.account_id = t.account_id
            AND u.id = t.subscription_id WHERE t.tenant_id = %s AND u.code = 'S-B' ORDER BY t.effective_from"""
    )
    assert [row["binding_extension_days"] for row in terms] == [0, 20]
    zx.bill("2026-09-20")
    assert zx.charged("B", 4) == [
        ("charge", "2026-08-25", "2026-09-01", "7.000000"),
        ("charge", "2026-09-01", "2026-10-01", "31.000000"),
        ("charge", "2026-10-01", "2026-11-01", "31.000000"),
    ]
    assert zx.broken_promises() == []


@pytest.mark.parametrize(
    ("ends_on", "said"),
    [("2026-08-10", "5 days are too few"), ("2026-09-10", "36 days are too many"), ("2026-08-05", "must be after")],
)
def test_a_rest_that_no_rule_allows(zx: ABroadcaster, ends_on: str, said: str) -> None:
    zx.on("2026-08-05")
    with zx.nothing_changes(), pytest.raises(ActionRefused, match=said):
        zx.act(Behaviour.REST, "S-A", "2026-08-05", ends_on=ends_on)


def test_short_term_activation_for_a_football_week_end(zx: ABroadcaster) -> None:
    zx.on("2026-07-10")
    zx.act(Behaviour.DEACTIVATE, "S-A", "2026-07-10")
    zx.on("2026-08-07")
    zx.act(Behaviour.SHORT_TERM_ACTIVATE, "S-A", "2026-08-07", ends_on="2026-08-10")
    assert zx.state("S-A") == "short_term_effective"
    zx.on("2026-08-10")
    assert zx.execute_scheduled().performed == 1
    assert zx.state("S-A") == "not_effective"
    zx.bill("2026-08-20", "2026-08-20")
    assert zx.charged("A", 2) == [("charge", "2026-08-07", "2026-08-10", "3.000000")]
    assert zx.broken_promises() == []


def test_deactivation_for_debt_and_reactivation_on_payment(zx: ABroadcaster) -> None:
    zx.on("2026-08-11")  # July's bill was due on 10 July
    zx.execute("UPDATE party_account SET credit_limit_minor = 3000 WHERE tenant_id = %s", zx.tenant.id)
    assert zx.deactivate().performed == 1
    assert zx.state("S-A") == "not_effective"
    with pytest.raises(ActionRefused, match="owes more than its credit limit"):
        zx.act(Behaviour.ACTIVATE, "S-A", "2026-08-11")
    zx.pay("A", "10.00", "2026-08-11")  # 26.89 is left: within the limit, but overdue
    assert zx.activate().performed == 0
    assert zx.activate(threshold_minor=5000).performed == 1
    assert zx.state("S-A") == "effective"
    assert zx.deactivate(basis="outstanding_amount").performed == 1
    zx.pay("A", "26.89", "2026-08-11")
    assert zx.activate().performed == 1
    assert zx.history("S-A", "silver")[-1] == ("effective", "to_be_billed", "2026-08-11", "")
    assert zx.broken_promises() == []


def test_grace_keeps_a_debtor_on_until_it_ends(zx: ABroadcaster) -> None:
    zx.on("2026-08-11")
    zx.act(Behaviour.EXTEND_GRACE, "S-A", "2026-08-11", ends_on="2026-08-14")
    assert zx.deactivate(basis="outstanding_amount").performed == 0
    zx.on("2026-08-14")
    assert zx.deactivate(basis="outstanding_amount").performed == 1


def test_a_free_service_is_never_cut_for_debt(zx: ABroadcaster) -> None:
    zx.on("2026-07-01")
    zx.act(Behaviour.ADD_SERVICE, "S-A", "2026-07-01", product_code="news")
    zx.on("2026-08-11")
    assert zx.deactivate(basis="outstanding_amount").performed == 1
    assert zx.services("S-A") == {"news": "effective", "silver": "not_effective"}
    zx.pay("A", "36.89", "2026-08-11")
    assert zx.activate().performed == 1
    assert zx.services("S-A") == {"news": "effective", "silver": "effective"}
    assert zx.broken_promises() == []


def test_a_rest_that_ends_in_debt_ends_in_deactivation(zx: ABroadcaster) -> None:
    zx.on("2026-08-05")
    zx.act(Behaviour.REST, "S-A", "2026-08-05", ends_on="2026-08-25")
    zx.execute("UPDATE party_account SET credit_limit_minor = 3000 WHERE tenant_id = %s", zx.tenant.id)
    zx.on("2026-08-25")
    assert zx.execute_scheduled().performed == 1
    assert zx.state("S-A") == "not_effective"
    assert "owes more than its credit limit" in zx.actions("S-A")[0].detail


def test_deactivated_time_is_not_billed_and_not_credited(zx: ABroadcaster) -> None:
    zx.on("2026-07-10")
    zx.act(Behaviour.DEACTIVATE, "S-A", "2026-07-10")
    zx.bill("2026-07-20")
    assert zx.charged("A", 2) == []
    zx.on("2026-08-12")
    zx.act(Behaviour.ACTIVATE, "S-A", "2026-08-12")
    zx.bill("2026-08-20")
    assert zx.charged("A", 3) == [
        ("charge", "2026-08-12", "2026-09-01", "20.000000"),
        ("charge", "2026-09-01", "2026-10-01", "31.000000"),
    ]
    assert zx.history("S-A", "silver") == [
        ("effective", "to_be_billed", "2026-01-01", "2026-07-10"),
        ("not_effective", "not_to_be_billed", "2026-07-10", "2026-08-12"),
        ("effective", "to_be_billed", "2026-08-12", ""),
    ]
    assert zx.broken_promises() == []


def test_cancellation_gives_back_what_was_billed_ahead(zx: ABroadcaster) -> None:
    zx.on("2026-07-10")
    zx.act(Behaviour.CANCEL, "S-A", "2026-07-10", reason="moves abroad")
    zx.bill("2026-07-20")
    assert zx.charged("A", 2) == [("credit", "2026-07-10", "2026-08-01", "-22.000000")]
    action = zx.actions("S-A")[0]
    assert (action.behaviour, action.submitted_by, action.reason) == ("cancel", "anna", "moves abroad")
    assert zx.broken_promises() == []


def test_a_channel_that_needs_another_is_refused_without_it(zx: ABroadcaster, tmp_path: Path) -> None:
    zx.subscribe(tmp_path, [{"account_code": "C"}])  # Eurosports 1 only
    zx.on("2026-07-10")
    with zx.nothing_changes(), pytest.raises(ActionRefused, match="without one of: silver, gold"):
        zx.act(Behaviour.ADD_SERVICE, "S-C", "2026-07-10", product_code="football")
    zx.act(Behaviour.ADD_SERVICE, "S-A", "2026-07-10", product_code="football")
    with zx.nothing_changes(), pytest.raises(ActionRefused, match="would have 0 mandatory services"):
        zx.act(Behaviour.CANCEL_SERVICE, "S-A", "2026-07-10", service_code="silver")


def test_an_action_of_a_day_to_come_waits_and_is_called_off_with_the_subscription(zx: ABroadcaster) -> None:
    zx.on("2026-07-10")
    answer = zx.act(Behaviour.ADD_SERVICE, "S-A", "2026-08-01", product_code="football")
    assert answer["state"] == "scheduled"
    zx.act(Behaviour.CANCEL, "S-A", "2026-07-10")
    assert [(a.behaviour, a.state) for a in zx.actions("S-A")] == [("cancel", "executed"), ("add_service", "cancelled")]


def test_who_comes_back_on_the_same_day_is_billed_as_if_nothing_had_been(zx: ABroadcaster) -> None:
    zx.on("2026-08-03")
    zx.act(Behaviour.SHORT_TERM_DEACTIVATE, "S-A", "2026-08-03", ends_on="2026-08-20")
    zx.act(Behaviour.END_SHORT_TERM_DEACTIVATION, "S-A", "2026-08-03")
    zx.bill("2026-08-03", "2026-08-01")
    assert zx.charged("A", 2) == [("charge", "2026-08-01", "2026-09-01", "31.000000")]
    assert [(a.behaviour, a.state) for a in zx.actions("S-A")][1] == ("end_short_term_deactivation", "cancelled")
    assert zx.broken_promises() == []


@pytest.mark.parametrize("ends_on", ["2026-07-20", "2026-08-20"])
def test_an_end_that_was_set_beforehand_stays(zx: ABroadcaster, ends_on: str) -> None:
    zx.on("2026-07-10")
    with tenant_transaction(zx.tenant.id):
        end_service(
            tenant_id=zx.tenant.id,
            subscription_code="S-A",
            service_code="silver",
            on=date.fromisoformat(ends_on),
            actor="anna",
        )
    zx.act(Behaviour.DEACTIVATE, "S-A", "2026-07-10")
    zx.on("2026-07-12")
    zx.act(Behaviour.ACTIVATE, "S-A", "2026-07-12")
    zx.bill("2026-07-20")
    net = sum(Decimal(row[3]) for row in zx.charged("A"))
    assert net == {"2026-07-20": 19, "2026-08-20": 31 + 19}[ends_on]
    zx.on("2026-08-21")
    with zx.nothing_changes(), pytest.raises(ActionRefused):
        zx.act(Behaviour.STOP_SERVICE, "S-A", "2026-08-21", service_code="silver")
    zx.bill("2026-08-20")
    assert sum(Decimal(row[3]) for row in zx.charged("A")) == net
    assert zx.broken_promises() == []


def test_how_it_stood_on_a_day(zx: ABroadcaster) -> None:
    assert stood(zx, "2026-07-05") == ("effective", {"silver": "effective"})
    assert stood(zx, "2025-12-31") == (None, {})
    zx.on("2026-07-10")
    zx.act(Behaviour.SWAP_SERVICE, "S-A", "2026-07-10", service_code="silver", product_code="gold")
    zx.on("2026-07-20")
    zx.act(Behaviour.DEACTIVATE, "S-A", "2026-07-20")
    assert stood(zx, "2026-07-05") == ("effective", {"silver": "effective"})
    assert stood(zx, "2026-07-10") == ("effective", {"gold": "effective", "silver": "swapped"})
    assert stood(zx, "2026-07-19") == ("effective", {"gold": "effective", "silver": "swapped"})
    assert stood(zx, "2026-07-20") == ("not_effective", {"gold": "not_effective", "silver": "swapped"})
    assert stood(zx, "2025-12-31") == (None, {})


def stood(zx: ABroadcaster, day: str) -> tuple[str | None, dict[str, str]]:
    with tenant_transaction(zx.tenant.id):
        key = get_subscription_key(tenant_id=zx.tenant.id, code="S-A")
        found = get_subscription_on(
            account_id=key.account_id, subscription_id=key.subscription_id, on=date.fromisoformat(day)
        )
    return found.state, {service.code: service.state for service in found.services}


def test_payment_brings_back_what_debt_cut_and_nothing_that_the_customer_stopped(zx: ABroadcaster) -> None:
    zx.on("2026-07-05")
    zx.act(Behaviour.ADD_SERVICE, "S-A", "2026-07-05", product_code="football")
    zx.act(Behaviour.ADD_SERVICE_AS_DRAFT, "S-A", "2026-07-05", product_code="news")
    zx.act(Behaviour.STOP_SERVICE, "S-A", "2026-07-05", service_code="football")
    zx.on("2026-08-11")
    assert zx.deactivate(basis="outstanding_amount").performed == 1
    zx.pay("A", "36.89", "2026-08-11")
    assert zx.activate().performed == 1
    assert zx.services("S-A") == {"football": "not_effective", "news": "draft", "silver": "effective"}
    assert zx.activate().performed == 0


def test_a_free_service_keeps_a_rested_subscription_on_and_payment_still_brings_the_rest_back(zx: ABroadcaster) -> None:
    zx.on("2026-07-01")
    zx.act(Behaviour.ADD_SERVICE, "S-A", "2026-07-01", product_code="news")
    zx.act(Behaviour.REST, "S-A", "2026-07-01", ends_on="2026-07-20")
    zx.on("2026-07-10")
    zx.act(Behaviour.END_RESTING, "S-A", "2026-07-10")
    zx.on("2026-08-11")
    assert zx.deactivate(basis="outstanding_amount").performed == 1
    assert zx.services("S-A") == {"news": "effective", "silver": "not_effective"}
    zx.pay("A", "36.89", "2026-08-11")
    assert zx.activate().performed == 1
    assert zx.services("S-A") == {"news": "effective", "silver": "effective"}


def test_a_short_term_activation_is_not_billed_beyond_its_end(zx: ABroadcaster) -> None:
    zx.on("2026-07-10")
    zx.act(Behaviour.DEACTIVATE, "S-A", "2026-07-10")
    zx.on("2026-08-28")
    zx.act(Behaviour.SHORT_TERM_ACTIVATE, "S-A", "2026-08-28", ends_on="2026-08-31")
    zx.bill("2026-08-29", "2026-09-01")
    assert zx.charged("A", 2) == [("charge", "2026-08-28", "2026-08-31", "3.000000")]
    zx.on("2026-09-05")
    assert zx.execute_scheduled().performed == 1
    zx.bill("2026-09-20", "2026-10-01")
    assert zx.charged("A", 3) == []
    assert zx.broken_promises() == []


def test_a_draft_service_is_undone_or_started_and_nothing_else(zx: ABroadcaster) -> None:
    zx.on("2026-07-10")
    zx.act(Behaviour.ADD_SERVICE_AS_DRAFT, "S-A", "2026-07-10", product_code="football")
    for behaviour in (Behaviour.STOP_SERVICE, Behaviour.CANCEL_SERVICE, Behaviour.REGRET_SERVICE):
        with zx.nothing_changes(), pytest.raises(ActionRefused, match="football is draft; allowed is"):
            zx.act(behaviour, "S-A", "2026-07-10", service_code="football")
    for behaviour in (Behaviour.START_SERVICE, Behaviour.UNDO_ADD_SERVICE):
        with zx.nothing_changes(), pytest.raises(ActionRefused, match="silver is effective; allowed is"):
            zx.act(behaviour, "S-A", "2026-07-10", service_code="silver")
    zx.act(Behaviour.UNDO_ADD_SERVICE, "S-A", "2026-07-10", service_code="football")
    assert zx.services("S-A")["football"] == "removed"
    values = {"product_code": "football", "new_service_code": "football-2"}
    zx.act(Behaviour.ADD_SERVICE_AS_DRAFT, "S-A", "2026-07-10", **values)
    zx.on("2026-07-12")
    zx.act(Behaviour.START_SERVICE, "S-A", "2026-07-12", service_code="football-2")
    zx.bill("2026-07-20")
    assert ("charge", "2026-07-12", "2026-08-01", "6.000000") in zx.charged("A", 2)
    assert [action.behaviour for action in zx.actions("S-A")] == [
        "start_service",
        "add_service_as_draft",
        "undo_add_service",
        "add_service_as_draft",
    ]
    assert zx.broken_promises() == []


def test_a_service_is_stopped_cancelled_and_started_by_itself(zx: ABroadcaster) -> None:
    zx.on("2026-07-10")
    zx.act(Behaviour.ADD_SERVICE, "S-A", "2026-07-10", product_code="football")
    zx.act(Behaviour.STOP_SERVICE, "S-A", "2026-07-10", service_code="football")
    zx.on("2026-07-22")
    zx.act(Behaviour.START_SERVICE, "S-A", "2026-07-22", service_code="football")
    zx.bill("2026-07-22")
    assert ("charge", "2026-07-22", "2026-08-01", "3.000000") in zx.charged("A", 2)
    zx.act(Behaviour.CANCEL_SERVICE, "S-A", "2026-07-22", service_code="football")
    assert zx.services("S-A")["football"] == "cancelled"
    zx.bill("2026-08-20")
    football = [Decimal(row[3]) for run in (2, 3) for row in zx.charged("A", run) if Decimal(row[3]) % 31]
    assert sum(football) == 0
    assert zx.broken_promises() == []


def test_what_was_scheduled_for_a_service_goes_with_it(database: str, tmp_path: Path) -> None:
    zx = a_broadcaster()
    zx.on("2026-07-01")
    zx.subscribe(tmp_path, [{"account_code": "A", "product": "silver", "billed_until": "2026-07-01"}])
    zx.act(Behaviour.ADD_SERVICE, "S-A", "2026-07-01", product_code="football")
    zx.act(Behaviour.STOP_SERVICE, "S-A", "2026-07-20", service_code="football")
    zx.act(Behaviour.STOP_SERVICE, "S-A", "2026-07-21", service_code="silver")
    zx.act(Behaviour.REGRET_SERVICE, "S-A", "2026-07-01", service_code="football")
    waiting = {
        (row.service_code, row.state, row.detail) for row in zx.actions("S-A") if row.behaviour == "stop_service"
    }
    assert waiting == {("football", "cancelled", "The service is over."), ("silver", "scheduled", "")}
