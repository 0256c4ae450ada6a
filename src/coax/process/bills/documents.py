"""One bill at a time: found by the number that people know, composed, and rendered."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from coax.billing.queries.bills import get_bill
from coax.billing.types.document import BillDocument, BillSettlement
from coax.process.bills.compose import compose_document
from coax.process.bills.facts import BillFacts
from coax.process.bills.ledger_reading import find_settlements
from coax.process.bills.numbers import parse_bill_number
from coax.process.bills.reading import read_facts, read_operator
from coax.process.bills.typesetting import Typesetter


def get_facts(*, tenant_id: int, number: str, using: str = "default") -> BillFacts:
    """Return the facts of the bill with this number (`ZX-00000012` or 12); a transaction is open.

    Raises:
        InvalidBillNumber: if the text is no number of a bill.
        BillUnknown: if there is no such bill.
    """
    prefix = read_operator(tenant_id, using=using).bill_number_prefix
    bill = get_bill(tenant_id=tenant_id, number=parse_bill_number(prefix, number), using=using)
    return read_facts(tenant_id=tenant_id, keys=[bill.key], using=using)[0]


def get_document(*, tenant_id: int, number: str, using: str = "default") -> tuple[BillDocument, BillSettlement | None]:
    """Return a bill as a document, and how far it is settled now; a transaction is open.

    Raises:
        InvalidBillNumber, BillUnknown: if there is no such bill.
        BillDoesNotAddUp: if its parts are not the stored amounts.
    """
    facts = get_facts(tenant_id=tenant_id, number=number, using=using)
    settled = find_settlements(tenant_id=tenant_id, keys=[facts.bill.key], using=using)
    return compose_document(facts), settled.get(facts.bill.key)


def make_pdf(facts: BillFacts, font_directories: Sequence[Path] = ()) -> bytes:
    """Return one bill as PDF.

    Raises:
        BillDoesNotAddUp: if its parts are not the stored amounts.
        BillNotPrintable: if a character is in none of the fonts.
    """
    with Typesetter(font_directories) as typesetter:
        return typesetter.to_pdf(compose_document(facts), facts.operator.look)
