"""Bills as PDF: what stands on the pages, how many there are, and that the bytes are always the same."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from coax.process.bills.compose import compose_document
from coax.process.bills.facts import BillFacts
from coax.process.bills.look import BillLook, Logo
from coax.process.bills.typesetting import BillNotPrintable, Typesetter
from tests.builders.bills import a_customer
from tests.golden.bills.cases import CASES, HOSTILE_NAME, company_zx_first_bill, many_pages

ROOT = Path(__file__).parents[3]
LOGO = b'<svg xmlns="http://www.w3.org/2000/svg" width="90" height="30"><rect width="90" height="30"/></svg>'


@pytest.fixture(scope="module")
def typesetter() -> Iterator[Typesetter]:
    with Typesetter() as made:
        yield made


def set_bill(typesetter: Typesetter, facts: BillFacts) -> bytes:
    return typesetter.to_pdf(compose_document(facts), facts.operator.look)


def read_words(pdf: bytes) -> str:
    """Return the text of all pages with single spaces; a word that was hyphenated at a line's end is whole."""
    text = "\n".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)
    return " ".join(text.replace("\N{SOFT HYPHEN}\n", "").replace("-\n", "").split())


def find_alternative_texts(pdf: bytes) -> list[str]:
    """Return what the document says in place of its pictures."""
    found: list[str] = []
    waiting = [PdfReader(BytesIO(pdf)).root_object["/StructTreeRoot"]]
    while waiting:
        node = waiting.pop().get_object()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            found += [str(node["/Alt"])] if "/Alt" in node else []
            waiting += [node["/K"]] if "/K" in node else []
    return found


EXPECTED = {
    "company-zx-first-bill": (
        1,
        "Bill",
        "Bill number ZX-00000012",
        "Bill date 21 Jul 2026",
        "Due date 10 Aug 2026",
        "Tax number DE123456789",
        "Subscription S-1001",
        "15 Jul \N{EN DASH} 31 Aug 2026 · 17/31 + 1 months",
        "Rounding (Rounding Invoice)",
        "0.009032",
        "Total to be paid \N{EURO SIGN}22.12",
        "Payable by 10 Aug 2026",
        "Payment slip",
        "Page 1 of 1",
    ),
    "with-movements": (
        2,
        "Since your last bill",
        "21 Jun 2026 Previous bill · ZX-00000005 22.12",
        "3 Jul 2026 Payment · Bank 4711 -15.00",
        "8 Jul 2026 Credit note -1.20",
        "9 Jul 2026 Invoice · Reminder fee 2.50",
        "Balance brought forward 8.42",
        "Decoder rent (decoder-rent)",
        "Decoder rent (decoder-bedroom)",
        "discount 10%",
        "Credit: Kids",
        "One-time items",
        "15 Jul 2026 · S-1002",
        "Page 2 of 2",
    ),
    "in-german": (
        2,
        "Rechnung",
        "Zoë Müller-Österreich geb. Ångström",
        "Deutschland",
        "Rechnungsdatum 21.07.2026",
        "Seit Ihrer letzten Rechnung",
        "03.07.2026 Zahlung · Bank 4711 -15,00",
        "15. Juli \N{EN DASH} 31. Aug. 2026 · 17/31 + 1 Monate",
        "Rabatt 10 %",
        "Gutschrift: Kids",
        "Zahlbar bis 10.08.2026",
        "Zahlschein",
        "Seite 2 von 2",
    ),
    "credit-bill": (
        1,
        "Gutschrift",
        "-13,05 €",
        "Rounding (Rounding Credit)",
        "Ihr Konto weist ein Guthaben von 13,05 € auf.",
    ),
    "in-yen": (
        1,
        "Bill number 00000012",
        "Hanako Yamada",
        "Japan",
        "JP¥3,066",
        "Prices and discounts include tax.",
        "All amounts in JPY.",
    ),
    "in-dinar": (1, "Rabatt 12,5 %", "1.000", "12,345678", "KWD 11.342,592", "Zahlbar bis 10.08.2026"),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_pages_say_what_the_bill_holds(typesetter: Typesetter, name: str) -> None:
    pages, *texts = EXPECTED[name]
    pdf = set_bill(typesetter, CASES[name])
    words = read_words(pdf)
    assert [text for text in texts if text not in words] == []
    assert len(PdfReader(BytesIO(pdf)).pages) == pages


def test_a_credit_bill_asks_for_no_payment(typesetter: Typesetter) -> None:
    words = read_words(set_bill(typesetter, CASES["credit-bill"]))
    assert "Zahlschein" not in words


def test_markup_in_names_is_printed_as_it_is(typesetter: Typesetter) -> None:
    words = read_words(set_bill(typesetter, CASES["with-movements"]))
    assert HOSTILE_NAME.replace(" ", "") in words.replace(" ", "").replace("\N{RIGHT DOUBLE QUOTATION MARK}", '"')


def test_long_tables_repeat_their_headers(typesetter: Typesetter) -> None:
    reader = PdfReader(BytesIO(set_bill(typesetter, many_pages())))
    pages = [page.extract_text() for page in reader.pages]
    itemised = [page for page in pages if "Channel" in page]
    assert len(itemised) > 3
    assert all("Service and period" in page and "Subscription S-20" in page for page in itemised)
    assert f"Page {len(pages)} of {len(pages)}" in " ".join(pages[-1].split())


def test_pdf_is_tagged_archivable_and_has_its_title_language_and_date(typesetter: Typesetter) -> None:
    reader = PdfReader(BytesIO(set_bill(typesetter, CASES["in-german"])))
    catalog = reader.root_object
    assert catalog["/MarkInfo"]["/Marked"]
    assert catalog["/Lang"] == "de-DE"
    assert reader.metadata is not None
    assert reader.metadata.title == "Rechnung ZX-00000012"
    metadata = catalog["/Metadata"].get_data().decode()
    assert "<pdfaid:part>3</pdfaid:part>" in metadata
    assert "<pdfaid:conformance>A</pdfaid:conformance>" in metadata
    assert "<pdfuaid:part>1</pdfuaid:part>" in metadata
    assert str(reader.metadata.creation_date).startswith("2026-07-21 00:00:00")


def test_bytes_are_the_same_in_another_process_and_after_other_bills(typesetter: Typesetter) -> None:
    facts = company_zx_first_bill()
    set_bill(typesetter, CASES["in-german"])
    script = (
        "import sys; from coax.process.bills.documents import make_pdf; "
        "from tests.golden.bills.cases import company_zx_first_bill; "
        "sys.stdout.buffer.write(make_pdf(company_zx_first_bill()))"
    )
    other = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, check=True)
    assert set_bill(typesetter, facts) == other.stdout


def test_a_logo_is_drawn_with_the_operator_as_its_text(typesetter: Typesetter) -> None:
    facts = company_zx_first_bill()
    with_logo = replace(facts, operator=replace(facts.operator, look=BillLook("#aa0000", Logo("svg", LOGO))))
    pdf = set_bill(typesetter, with_logo)
    assert find_alternative_texts(pdf) == ["Logo of Company ZX"]
    assert find_alternative_texts(set_bill(typesetter, facts)) == []


def test_a_character_without_a_font_is_refused_and_named(typesetter: Typesetter) -> None:
    facts = replace(company_zx_first_bill(), customer=a_customer(name="山田花子"))
    with pytest.raises(BillNotPrintable) as caught:
        set_bill(typesetter, facts)
    assert caught.value.data["bill"] == "ZX-00000012"
    assert "山" in caught.value.message


def test_a_broken_logo_is_refused(typesetter: Typesetter) -> None:
    facts = company_zx_first_bill()
    broken = replace(facts, operator=replace(facts.operator, look=BillLook(logo=Logo("png", b"no picture"))))
    with pytest.raises(BillNotPrintable):
        set_bill(typesetter, broken)
