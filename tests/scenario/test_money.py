"""Money in and out: by every mode, cancelled, moved, given back, settled as a clerk wants; the books prove it.

Ada owes 55.04 for August and 55.04 for September, two invoices each; Ben owes less. Today is 15 September 2026.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from coax.base.errors import DomainError
from coax.base.tenancy import Tenant, tenant_transaction
from coax.configuration.types.payment_mode import SHIPPED, Payer
from coax.ledger.queries import find_open_items, get_position
from coax.party.queries.accounts import get_account
from coax.payment.rules import PaymentRefused
from coax.process.payments.allocate import allocate_payment
from coax.process.payments.approve import approve_payment, reject_payment
from coax.process.payments.cancel import cancel_payment
from coax.process.payments.receive import PaymentRequest, receive_payment
from coax.process.payments.refund import RefundRequest, approve_refund, refund, reject_refund
from coax.process.payments.transfer import transfer_payment
from coax.process.verify import verify_tenant
from tests.builders.billed_operators import a_billed_operator, read

TODAY = date(2026, 9, 15)
DETAILS = {
    "cheque_number": "4711",
    "bank": "First Bank",
    "bank_account": "DE02120300000000202051",
    "card_last_four": "4242",
    "authorisation": "A1",
    "receipt_number": "R-1",
    "voucher": "V-1",
    "issuer": "Shop",
    "terminal": "T-1",
}


@pytest.fixture
def operator(database: str, tmp_path: Path) -> Tenant:
    return a_billed_operator(tmp_path)


def pay(tenant: Tenant, account: str, amount: str, **values: Any) -> dict[str, Any]:
    request = PaymentRequest(account_code=account, amount=amount, **values)
    return receive_payment(tenant=tenant, request=request, actor="anna")[0]


def standing(tenant: Tenant, *accounts: str) -> list[Any]:
    """Return how accounts stand: their positions, and what of each debit and credit is open."""
    found = []
    with tenant_transaction(tenant.id):
        for code in accounts:
            account_id = get_account(tenant.id, code).account_id
            items = find_open_items(tenant_id=tenant.id, account_ids=[account_id])
            position = get_position(tenant_id=tenant.id, account_id=account_id, as_of=TODAY)
            figures = (position.balance_minor, position.unsettled_minor, position.unallocated_minor)
            found.append((code, figures, sorted((i.origin_id, i.line, i.open_minor) for i in items)))
    return found


def ledger(tenant: Tenant) -> dict[str, int]:
    """Return the balance of each ledger account that has moved, by its kind."""
    rows = read(
        tenant,
        """SELECT a.kind, sum(e.amount_minor)::bigint FROM ledger_entry e JOIN ledger_ledger_account a
           ON a.id = e.ledger_account_id WHERE e.tenant_id = %s GROUP BY a.kind HAVING sum(e.amount_minor) <> 0""",
        [tenant.id],
    )
    return dict(rows)


def broken(tenant: Tenant) -> list[str]:
    return [str(row) for row in verify_tenant(tenant=tenant) if not row.is_kept]


@pytest.mark.parametrize("payer", list(Payer))
@pytest.mark.parametrize("mode", SHIPPED, ids=lambda mode: mode.code)
def test_every_mode_is_open_to_just_its_payers(mode: Any, payer: Payer) -> None:
    """The table of R171, with wallet, gateway and bank transfer beside it."""
    dealers = {"bank-cash", "bank-cheque"}
    subscribers = {"direct-debit", "wallet"}
    is_open = mode.code not in (dealers if payer is Payer.SUBSCRIBER else subscribers)
    assert (payer in mode.payers) is is_open


def test_money_lies_where_its_mode_says(operator: Tenant) -> None:
    for mode, account in (("cash", "cash"), ("cheque", "cheques"), ("credit-card", "cards"), ("atm", "bank")):
        before = ledger(operator).get(account, 0)
        receipt = pay(operator, "ada", "1.00", mode=mode, details=DETAILS, reference="RF18")
        assert (receipt["state"], ledger(operator)[account] - before) == ("posted", 100)
    assert broken(operator) == []


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"mode": "barter"}, "mode: 'barter' is not known; allowed: atm, bank-transfer, cash, cheque"),
        ({"mode": "bank-cash", "details": DETAILS}, "'bank-cash' is not open to a subscriber"),
        ({"mode": "direct-debit", "payer": Payer.DEALER}, "'direct-debit' is not open to a dealer"),
        ({"mode": "cheque", "details": {"bank": "First Bank"}}, "cheque_number: a payment by cheque has to tell it"),
        ({"details": {"colour": "red"}}, "details: 'colour' is not known; allowed: cheque_number"),
        ({"details": {"bank": "x" * 201}}, "bank: allowed are up to 200 characters"),
    ],
)
def test_what_is_no_payment(operator: Tenant, values: dict[str, Any], said: str) -> None:
    before = standing(operator, "ada")
    with pytest.raises(PaymentRefused, match=said):
        pay(operator, "ada", "10", **values)
    assert standing(operator, "ada") == before


def test_a_cancelled_payment_has_never_been(operator: Tenant) -> None:
    before, books = standing(operator, "ada"), ledger(operator)
    receipt = pay(operator, "ada", "60", mode="cheque", details=DETAILS)
    assert [row["amount"] for row in receipt["settled"]] == ["14.88", "40.16", "4.96"]
    with pytest.raises(PaymentRefused, match="say why"):
        cancel_payment(tenant=operator, payment_id=receipt["payment"], reason=" ", actor="anna")
    cancelled, _ = cancel_payment(tenant=operator, payment_id=receipt["payment"], reason="bounced", actor="anna")
    assert (cancelled["state"], cancelled["settled"], cancelled["not_allocated"]) == ("cancelled", [], "0.00")
    assert standing(operator, "ada")[0][1] == before[0][1]
    assert [row for row in standing(operator, "ada")[0][2] if row[2]] == before[0][2]
    assert ledger(operator) == books
    with pytest.raises(PaymentRefused, match="is cancelled; only one that is posted"):
        cancel_payment(tenant=operator, payment_id=receipt["payment"], reason="again", actor="anna")
    assert broken(operator) == []


def test_a_payment_of_the_wrong_account_is_moved_in_part_and_back(operator: Tenant) -> None:
    before = standing(operator, "ada", "ben")
    receipt = pay(operator, "ada", "60")
    moved, _ = transfer_payment(
        tenant=operator, payment_id=receipt["payment"], to_account="ben", amount="15", actor="anna"
    )
    assert (moved["account"], moved["amount"], moved["came_from_payment"]) == ("ben", "15.00", receipt["payment"])
    with pytest.raises(PaymentRefused, match=r"45\.00 EUR of the payment are left"):
        transfer_payment(tenant=operator, payment_id=receipt["payment"], to_account="ben", amount="50", actor="anna")
    with pytest.raises(PaymentRefused, match="was moved between accounts; move it back first"):
        cancel_payment(tenant=operator, payment_id=receipt["payment"], reason="wrong", actor="anna")
    figures = [row[1][0] for row in standing(operator, "ada", "ben")]
    assert figures == [before[0][1][0] - 4500, before[1][1][0] - 1500]
    assert "clearing" not in ledger(operator)
    transfer_payment(tenant=operator, payment_id=moved["payment"], to_account="ada", actor="anna")
    assert [row[1][0] for row in standing(operator, "ada", "ben")] == [before[0][1][0] - 6000, before[1][1][0]]
    assert broken(operator) == []


def test_a_clerk_says_what_a_payment_settles(operator: Tenant) -> None:
    receipt = pay(operator, "ada", "60")
    changed = allocate_payment(
        tenant=operator, payment_id=receipt["payment"], bills=[("ZX-00000006", "50")], actor="anna"
    )
    assert {row["bill"] for row in changed["settled"]} == {"ZX-00000006"}
    assert (sum(Decimal(row["amount"]) for row in changed["settled"]), changed["not_allocated"]) == (50, "10.00")
    assert broken(operator) == []
    before = standing(operator, "ada")
    for bills, said in (
        ([("ZX-00000006", "60.01")], "minor units are open of that debit"),
        ([("ZX-00000002", "1")], "bill: ZX-00000002 is of account ben"),
        ([("ZX-00000001", "30"), ("ZX-00000006", "31")], "it cannot settle more"),
    ):
        with pytest.raises(DomainError, match=said):
            allocate_payment(tenant=operator, payment_id=receipt["payment"], bills=bills, actor="anna")
    assert standing(operator, "ada") == before


def test_a_second_person_approves_what_a_dealer_paid_at_the_bank(operator: Tenant) -> None:
    before = standing(operator, "ada")
    values = {"mode": "bank-cash", "payer": Payer.DEALER, "details": DETAILS}
    first, second = (pay(operator, "ada", "20", **values) for _ in range(2))
    assert (first["state"], standing(operator, "ada")) == ("pending", before)
    with pytest.raises(PaymentRefused, match="recorded by anna; a second person decides"):
        approve_payment(tenant=operator, payment_id=first["payment"], actor="anna")
    done = approve_payment(tenant=operator, payment_id=first["payment"], actor="otto")
    assert (done["state"], done["decided_by"], done["balance"]) == ("posted", "otto", "90.08")
    rejected = reject_payment(tenant=operator, payment_id=second["payment"], actor="otto", reason="no such receipt")
    assert (rejected["state"], rejected["balance"]) == ("rejected", "90.08")
    cancel_payment(tenant=operator, payment_id=first["payment"], reason="the bank took it back", actor="otto")
    assert standing(operator, "ada")[0][1] == before[0][1]
    assert broken(operator) == []


def test_only_what_is_too_much_is_given_back(operator: Tenant) -> None:
    with pytest.raises(PaymentRefused, match=r"has 0\.00 EUR too much"):
        refund(tenant=operator, request=RefundRequest(account_code="ada", amount="1", reason="asked"), actor="anna")
    receipt = pay(operator, "ada", "150", mode="credit-card", details=DETAILS)
    request = RefundRequest(account_code="ada", amount="30", reason="paid twice", payment=receipt["payment"])
    given_back, _ = refund(tenant=operator, request=request, actor="anna")
    assert (given_back["mode"], given_back["state"], ledger(operator)["cards"]) == ("credit-card", "posted", 12000)
    with pytest.raises(PaymentRefused, match=r"has 9\.92 EUR too much"):
        refund(tenant=operator, request=request, actor="anna")
    with pytest.raises(PaymentRefused, match="was given back; it cannot be cancelled"):
        cancel_payment(tenant=operator, payment_id=receipt["payment"], reason="chargeback", actor="anna")
    assert standing(operator, "ada")[0][1] == (-992, 0, 992)
    assert broken(operator) == []


def test_what_was_given_back_settles_nothing_else(operator: Tenant) -> None:
    receipt = pay(operator, "ada", "150")
    refund(tenant=operator, request=RefundRequest(account_code="ada", amount="30", reason="paid twice"), actor="anna")
    before = standing(operator, "ada")
    changed = allocate_payment(
        tenant=operator, payment_id=receipt["payment"], bills=[("ZX-00000006", "55.04")], actor="anna"
    )
    settled = sorted((row["bill"] or "refund", Decimal(row["amount"])) for row in changed["settled"])
    assert (sum(amount for bill, amount in settled if bill == "ZX-00000006"), settled[-1]) == (
        Decimal("55.04"),
        ("refund", 30),
    )
    assert changed["not_allocated"] == "64.96"
    (_, position, items), (_, was, _) = standing(operator, "ada")[0], before[0]
    assert (position, sum(left for _, _, left in items)) == ((was[0], 5504, 6496), 5504 + 6496)
    back = allocate_payment(
        tenant=operator,
        payment_id=receipt["payment"],
        bills=[("ZX-00000001", "55.04"), ("ZX-00000006", "55.04")],
        actor="anna",
    )
    assert (back["not_allocated"], standing(operator, "ada")) == ("9.92", before)
    assert broken(operator) == []


def test_no_more_is_settled_than_was_kept(operator: Tenant) -> None:
    receipt = pay(operator, "ada", "110.08")
    extra = pay(operator, "ada", "40")
    refund(tenant=operator, request=RefundRequest(account_code="ada", amount="30", reason="paid twice"), actor="anna")
    allocate_payment(tenant=operator, payment_id=receipt["payment"], bills=[("ZX-00000006", "1")], actor="anna")
    with pytest.raises(DomainError, match="3000 of them given back; it cannot settle more"):
        allocate_payment(tenant=operator, payment_id=extra["payment"], bills=[("ZX-00000001", "10.01")], actor="anna")
    allocate_payment(tenant=operator, payment_id=extra["payment"], bills=[("ZX-00000001", "10")], actor="anna")
    assert broken(operator) == []


def test_a_refund_is_of_the_day_that_it_is_told_for(operator: Tenant) -> None:
    pay(operator, "ada", "150")
    request = RefundRequest(account_code="ada", amount="5", reason="given on Saturday", on=date(2026, 9, 12))
    assert refund(tenant=operator, request=request, actor="anna")[0]["on"] == "2026-09-12"
    booked = read(
        operator,
        "SELECT transaction_date FROM ledger_transaction WHERE tenant_id = %s AND kind = 'refund'",
        [operator.id],
    )
    assert booked == [(date(2026, 9, 12),)]
    with pytest.raises(PaymentRefused, match="on: 2026-09-16 is to come"):
        refund(
            tenant=operator,
            request=RefundRequest(account_code="ada", amount="5", reason="asked", on=date(2026, 9, 16)),
            actor="anna",
        )


def test_a_large_refund_waits_for_a_second_person(database: str, tmp_path: Path) -> None:
    operator = a_billed_operator(tmp_path, receivable="refund_approval_above: 20")
    pay(operator, "ada", "150")
    small, large, third = (
        refund(tenant=operator, request=RefundRequest(account_code="ada", amount=amount, reason="asked"), actor="anna")[
            0
        ]
        for amount in ("5", "21", "22")
    )
    assert [row["state"] for row in (small, large, third)] == ["posted", "pending", "pending"]
    with pytest.raises(PaymentRefused, match="asked for by anna; a second person decides"):
        approve_refund(tenant=operator, refund_id=large["refund"], actor="anna")
    assert approve_refund(tenant=operator, refund_id=large["refund"], actor="otto")["state"] == "posted"
    with pytest.raises(PaymentRefused, match=r"has 13\.92 EUR too much"):
        approve_refund(tenant=operator, refund_id=third["refund"], actor="otto")
    rejected = reject_refund(tenant=operator, refund_id=third["refund"], actor="otto", reason="not that much")
    assert (rejected["state"], standing(operator, "ada")[0][1]) == ("rejected", (-1392, 0, 1392))
    assert broken(operator) == []


@pytest.mark.parametrize(("overpayment", "posted"), [("credit", 64), ("refuse", 1)])
def test_64_clients_pay_one_bill_at_once(database: str, tmp_path: Path, overpayment: str, posted: int) -> None:
    operator = a_billed_operator(tmp_path, receivable=f"overpayment: {overpayment}")
    before = standing(operator, "ada")[0][1][0]

    def client(_: int) -> str:
        try:
            return str(pay(operator, "ada", "55.04", against_bill="ZX-00000001")["state"])
        except PaymentRefused as refusal:
            return "refused" if "0.00 EUR are open" in refusal.message else refusal.message
        finally:
            connections.close_all()

    with ThreadPoolExecutor(16) as pool:
        said = list(pool.map(client, range(64)))
    assert (said.count("posted"), said.count("refused")) == (posted, 64 - posted)
    assert standing(operator, "ada")[0][1][0] == before - posted * 5504
    assert broken(operator) == []


deeds = st.lists(
    st.tuples(
        st.sampled_from(["pay", "pay", "cancel", "move", "refund", "allocate"]),
        st.integers(1, 9000),
        st.integers(0, 99),
    ),
    max_size=14,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deeds=deeds)
def test_whatever_is_done_with_money_the_books_hold(database: str, tmp_path: Path, deeds: list[Any]) -> None:
    """Postings sum to zero, balance = postings, unsettled = open items; a cancellation brings back what was before."""
    tenant = a_billed_operator(tmp_path)
    bills = {"ada": ["ZX-00000001", "ZX-00000006"], "ben": ["ZX-00000002", "ZX-00000007"]}
    payments: list[int] = []
    for what, cents, number in deeds:
        account, amount = "ada" if number % 2 else "ben", f"{cents // 100}.{cents % 100:02}"
        chosen = payments[number % len(payments)] if payments else 0
        note(f"{what} {account} {amount} {chosen}")
        before = standing(tenant, "ada", "ben")
        try:
            if what == "pay":
                receipt = pay(tenant, account, amount, against_bill=bills[account][number % 2] if number % 3 else None)
                payments.append(receipt["payment"])
                if number % 5 == 0:  # cancelled at once it has never been
                    cancel_payment(tenant=tenant, payment_id=receipt["payment"], reason="at once", actor="anna")
                    after = standing(tenant, "ada", "ben")
                    assert [row[1] for row in after] == [row[1] for row in before]
            elif what == "cancel":
                cancel_payment(tenant=tenant, payment_id=chosen, reason="drawn", actor="anna")
            elif what == "move":
                moved, _ = transfer_payment(
                    tenant=tenant, payment_id=chosen, to_account=account, amount=amount, actor="anna"
                )
                payments.append(moved["payment"])
            elif what == "refund":
                request = RefundRequest(account_code=account, amount=amount, reason="drawn")
                refund(tenant=tenant, request=request, actor="anna")
            else:
                wanted = [(bills[account][number % 2], amount)]
                allocate_payment(tenant=tenant, payment_id=chosen, bills=wanted, actor="anna")
        except DomainError as refusal:
            note(f"    refused: {refusal.message}")
            assert standing(tenant, "ada", "ben") == before
        for code, (balance, unsettled, unallocated), _ in standing(tenant, "ada", "ben"):
            assert balance == unsettled - unallocated, code
        assert broken(tenant) == []
