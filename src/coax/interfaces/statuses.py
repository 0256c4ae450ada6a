"""Which HTTP status an expected problem has: decided here, once, for every interface that speaks HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from coax.base.errors import DomainError

DEFAULT: Final = HTTPStatus.CONFLICT
_OF_ENDING: Final[Mapping[str, HTTPStatus]] = {
    "_unknown": HTTPStatus.NOT_FOUND,
    "_not_found": HTTPStatus.NOT_FOUND,
    "_invalid": HTTPStatus.UNPROCESSABLE_ENTITY,
    "_weak": HTTPStatus.UNPROCESSABLE_ENTITY,
}
OF_CODE: Final[Mapping[str, HTTPStatus]] = {
    **dict.fromkeys(
        (
            "account_refused",
            "adjustment_refused",
            "allocation_refused",
            "amount_refused",
            "as_of_out_of_range",
            "bill_as_of_unknown",
            "bill_of_another_account",
            "charge_refused",
            "configuration_refused",
            "contact_refused",
            "credit_too_small",
            "criterion_unknown",
            "cycle_day_refused",
            "idempotency_key_reused",
            "invalid_amount",
            "invalid_bill_number",
            "item_import_refused",
            "item_value_refused",
            "operator_field_fixed",
            "operator_unnamed",
            "payment_in_the_future",
            "payment_not_positive",
            "payment_refused",
            "reference_too_long",
            "run_date_out_of_range",
            "unknown_currency",
            "unknown_frequency",
        ),
        HTTPStatus.UNPROCESSABLE_ENTITY,
    ),
    **dict.fromkeys(
        ("amounts_do_not_add_up", "bill_does_not_add_up", "bill_not_printable", "legs_do_not_balance"),
        HTTPStatus.INTERNAL_SERVER_ERROR,
    ),
    **dict.fromkeys(("bulk_read_failed", "worker_lost"), HTTPStatus.SERVICE_UNAVAILABLE),
}


def status_of(problem: DomainError) -> HTTPStatus:
    """Return the status of a problem: not found, not readable, ours, or in conflict with how things stand."""
    if problem.code in OF_CODE:
        return OF_CODE[problem.code]
    found = (status for ending, status in _OF_ENDING.items() if problem.code.endswith(ending))
    return next(found, DEFAULT)
