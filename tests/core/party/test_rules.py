"""What a searched text may mean, and what a secret is for."""

from __future__ import annotations

import pytest

from coax.party.rules import escape_like, find_purpose, hash_secret, read_search_terms
from coax.party.types import SecretPurpose


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


@pytest.mark.parametrize(
    ("secret", "purpose"),
    [
        ("coax_token_abc", SecretPurpose.TOKEN),
        ("coax_client_abc", SecretPurpose.CLIENT),
        ("coax_access_abc", SecretPurpose.ACCESS),
        ("coax_token", None),
        ("Coax_token_abc", None),
        ("coax_token_ä", None),
        ("coax_token_" + "a" * 200, None),
        ("", None),
    ],
)
def test_a_secret_says_what_it_is_for(secret: str, purpose: SecretPurpose | None) -> None:
    assert find_purpose(secret) is purpose


def test_a_secret_is_kept_as_its_sha_256() -> None:
    assert hash_secret("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
