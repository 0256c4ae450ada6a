"""Every expected problem has its HTTP status, decided in one table."""

from __future__ import annotations

from http import HTTPStatus
from importlib import import_module
from pkgutil import walk_packages

import pytest

import coax
from coax.base.errors import DomainError
from coax.base.idempotency import IdempotencyKeyInvalid, IdempotencyKeyReused
from coax.billing.types.document import BillDoesNotAddUp
from coax.configuration.queries import EntityNotFound
from coax.interfaces.statuses import OF_CODE, status_of
from coax.party.operations.save_staff import PasswordWeak
from coax.party.queries.accounts import AccountUnknown
from coax.process.billing_run.execute import WorkerLost
from coax.process.payments.receive import PaymentNotPositive
from coax.subscription.queries.facts import SubscriptionBusy


def load_everything() -> None:
    """Import every module, so that every problem is known whatever ran before."""
    for found in walk_packages(coax.__path__, "coax."):
        if ".migrations" not in found.name:
            import_module(found.name)


def find_codes(kind: type[DomainError] = DomainError) -> set[str]:
    return {kind.code}.union(*(find_codes(child) for child in kind.__subclasses__()))


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (AccountUnknown, HTTPStatus.NOT_FOUND),
        (EntityNotFound, HTTPStatus.NOT_FOUND),
        (IdempotencyKeyInvalid, HTTPStatus.UNPROCESSABLE_ENTITY),
        (IdempotencyKeyReused, HTTPStatus.UNPROCESSABLE_ENTITY),
        (PasswordWeak, HTTPStatus.UNPROCESSABLE_ENTITY),
        (PaymentNotPositive, HTTPStatus.UNPROCESSABLE_ENTITY),
        (SubscriptionBusy, HTTPStatus.CONFLICT),
        (BillDoesNotAddUp, HTTPStatus.INTERNAL_SERVER_ERROR),
        (WorkerLost, HTTPStatus.SERVICE_UNAVAILABLE),
    ],
)
def test_the_status_follows_from_the_code(kind: type[DomainError], status: HTTPStatus) -> None:
    assert status_of(kind("words")) is status


def test_the_table_names_only_problems_that_there_are() -> None:
    import coax.interfaces.cli.main  # noqa: F401, PLC0415 - declares all of them

    load_everything()
    assert set(OF_CODE) - find_codes() == set()
