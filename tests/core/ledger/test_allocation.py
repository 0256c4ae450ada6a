"""Which credit settles which debit (reference 6.1)."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coax.ledger.rules import allocate_fifo
from coax.ledger.types import OpenItem

DAY = date(2026, 8, 10)


def an_item(origin: int, amount: int, *, line: int = 1, due: int | None = None) -> OpenItem:
    """An open item of an origin; `due` days after the 10th, without one dated by its transaction."""
    return OpenItem(
        origin, line, DAY + timedelta(days=origin), None if due is None else DAY + timedelta(days=due), amount
    )


def settled(credits_, debits, against=None) -> list[tuple[int, int, int, int]]:
    return [
        (row.credit_origin_id, row.debit_origin_id, row.debit_line, row.amount_minor)
        for row in allocate_fifo(credits_, debits, against=against)
    ]


@pytest.mark.parametrize(
    ("credit", "against", "expected"),
    [
        (30, None, [(9, 1, 1, 30)]),
        (70, None, [(9, 1, 1, 50), (9, 2, 1, 20)]),
        (500, None, [(9, 1, 1, 50), (9, 2, 1, 40), (9, 2, 2, 30), (9, 3, 1, 20)]),
        (70, (3, 1), [(9, 3, 1, 20), (9, 1, 1, 50)]),
        (45, (2, 2), [(9, 2, 2, 30), (9, 1, 1, 15)]),
        (75, (2, None), [(9, 2, 1, 40), (9, 2, 2, 30), (9, 1, 1, 5)]),
        (10, (77, None), [(9, 1, 1, 10)]),
    ],
)
def test_the_oldest_debt_is_settled_first_unless_another_is_named(credit, against, expected) -> None:
    debits = [an_item(3, 20), an_item(1, 50), an_item(2, 30, line=2), an_item(2, 40)]
    assert settled([an_item(9, credit)], debits, against) == expected


def test_age_is_the_due_date_and_older_credits_are_used_first() -> None:
    debits = [an_item(1, 10, due=30), an_item(2, 10, due=5)]
    assert settled([an_item(8, 5), an_item(7, 10)], debits) == [(7, 2, 1, 10), (8, 1, 1, 5)]


amounts = st.lists(st.integers(1, 1000), max_size=8)


@given(credits_=amounts, debits=amounts)
def test_nothing_settles_more_than_it_is_and_nothing_that_can_be_settled_stays(credits_, debits) -> None:
    given_ = [an_item(100 + number, amount) for number, amount in enumerate(credits_)]
    owed = [an_item(number, amount) for number, amount in enumerate(debits)]
    settlements = allocate_fifo(given_, owed)
    used, paid = Counter(), Counter()
    for row in settlements:
        assert row.amount_minor > 0
        used[row.credit_origin_id] += row.amount_minor
        paid[row.debit_origin_id] += row.amount_minor
    assert all(used[item.origin_id] <= item.open_minor for item in given_)
    assert all(paid[item.origin_id] <= item.open_minor for item in owed)
    assert sum(paid.values()) == sum(used.values()) == min(sum(credits_), sum(debits))
