"""Facts to document: pure, and the same for the same facts."""

from __future__ import annotations

from coax.billing.rules.formatting import make_one_time_lines, make_sections, make_taxes
from coax.billing.types.document import BillDocument, BillOperator, RoundingLine
from coax.process.bills.facts import BillFacts
from coax.process.bills.movements import find_movements
from coax.process.bills.numbers import compose_bill_number
from coax.process.bills.texts import choose_locale


def compose_document(facts: BillFacts) -> BillDocument:
    """Return the bill as a document, in the customer's language if there are texts in it, or the operator's.

    Raises:
        BillDoesNotAddUp: if lines, rounding or movements are not the stored amounts.
    """
    bill, operator = facts.bill, facts.operator
    items = sorted(facts.items, key=lambda item: item.line)
    return BillDocument(
        number=bill.number,
        number_text=compose_bill_number(operator.bill_number_prefix, bill.number),
        run_number=bill.run_number,
        operator=BillOperator(operator.code, operator.name, operator.address, operator.tax_number),
        customer=facts.customer,
        account_code=bill.account_code,
        currency=bill.currency,
        locale=choose_locale(facts.customer_locale, operator.locale),
        bill_date=bill.transaction_date,
        due_date=bill.due_date,
        period_from=bill.period_from,
        period_to=bill.period_to,
        formatting=facts.rules.formatting,
        movements=find_movements(facts),
        brought_forward_minor=bill.brought_forward_minor,
        sections=make_sections(items, facts.rules.formatting),
        one_time=make_one_time_lines(items),
        taxes=make_taxes(items),
        rounding=_make_rounding(facts),
        net_micro=bill.net_micro,
        tax_micro=bill.tax_micro,
        total_minor=bill.total_minor,
    )


def _make_rounding(facts: BillFacts) -> RoundingLine | None:
    """Return the rounding line: a debit bill has the debit type, a credit bill the credit type (C4)."""
    if not facts.bill.rounding_micro:
        return None
    rules = facts.rules
    adjustment = rules.credit_adjustment_name if facts.bill.total_minor < 0 else rules.debit_adjustment_name
    return RoundingLine(rules.rounding_name, adjustment, facts.bill.rounding_micro)
