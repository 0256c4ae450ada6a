"""What a searched text may mean."""

from __future__ import annotations

import pytest

from coax.party.rules import escape_like, read_search_terms


@pytest.mark.parametrize(
    ("text", "codes", "name", "phone"),
    [
        ("A-100", ("A-100%", "a-100%"), "a-100%", ""),
        ("  Anna   Meyer ", ("Anna Meyer%", "ANNA MEYER%", "anna meyer%"), "anna meyer%", ""),
        ("+49 (431) 55", ("+49 (431) 55%",), "+49 (431) 55%", "%4943155%"),
        ("123", ("123%",), "123%", ""),
        ("1234", ("1234%",), "1234%", "%1234%"),
        ("0431-55", ("0431-55%",), "0431-55%", "%43155%"),
        ("K_1%", ("K\\_1\\%%", "k\\_1\\%%"), "k\\_1\\%%", ""),
    ],
)
def test_reads_a_text_as_code_name_and_phone(text, codes, name, phone):
    terms = read_search_terms(text)
    assert (terms.codes, terms.text, terms.phone_digits) == (codes, name, phone)


def test_escapes_the_escape_sign_first():
    assert escape_like("\\%") == "\\\\\\%"
