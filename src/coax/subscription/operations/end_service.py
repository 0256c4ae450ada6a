"""End a service on a day; what was billed beyond it is credited by the next run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from coax.base.db import execute, fetch_rows
from coax.base.errors import DomainError
from coax.base.ids import bucket_of
from coax.base.outbox import append_fact
from coax.subscription.queries.codes import get_subscription_key


class ServiceUnknown(DomainError):
    """The subscription has no service with this code."""

    code: ClassVar[str] = "service_unknown"


class ServiceEndInvalid(DomainError):
    """The day is before the service began, or after the end that it has already."""

    code: ClassVar[str] = "service_end_invalid"


@dataclass(frozen=True, slots=True)
class ServiceEnd:
    """A service that has been ended: the first day without it, and until when it had been billed."""

    service_id: int
    effective_to: date
    rated_up_to: date


def end_service(*, tenant_id: int, subscription_code: str, service_code: str, on: date, actor: str) -> ServiceEnd:
    """End a service; `on` is the first day without it. An end may be moved to an earlier day, not to a later one.

    Raises: SubscriptionUnknown, ServiceUnknown, ServiceEndInvalid.
    """
    key = get_subscription_key(tenant_id=tenant_id, code=subscription_code)
    bucket = bucket_of(key.account_id)
    _touch_account(bucket, key.account_id)
    rows = fetch_rows(
        """SELECT s.id, s.effective_from, s.effective_to, r.rated_up_to, s.has_history, s.state_from, s.state
           FROM subscription_service s JOIN subscription_service_rating r
             ON r.bucket = s.bucket AND r.account_id = s.account_id AND r.service_id = s.id
           WHERE s.bucket = %s AND s.account_id = %s AND s.subscription_id = %s AND s.code = %s FOR UPDATE""",
        [bucket, key.account_id, key.subscription_id, service_code],
    )
    if not rows:
        raise ServiceUnknown(
            f"Subscription {subscription_code!r} has no service {service_code!r}.", service=service_code
        )
    service_id, effective_from, effective_to, rated_up_to, has_history, state_from, state = rows[0]
    if has_history:
        raise ServiceEndInvalid(
            f"service: {service_code} has been {state} since {state_from}; what happened to it is ended by an action: "
            f"coax action do cancel_service {subscription_code} --service {service_code}.",
            on=on,
        )
    if on < effective_from or (effective_to is not None and on > effective_to):
        latest = f" to {effective_to}" if effective_to else ""
        raise ServiceEndInvalid(f"on: {on} is not allowed; allowed is {effective_from}{latest}.", on=on)
    execute(
        "UPDATE subscription_service SET effective_to = %s WHERE bucket = %s AND account_id = %s AND id = %s",
        [on, bucket, key.account_id, service_id],
    )
    append_fact(
        tenant_id=tenant_id,
        kind="service_ended",
        body={"subscription": subscription_code, "service": service_code, "on": on, "actor": actor},
    )
    return ServiceEnd(service_id, on, rated_up_to)


def _touch_account(bucket: int, account_id: int) -> None:
    """Say that the account changed: a run that has read it before will not post what it computed."""
    execute(
        "UPDATE party_account SET revision = revision + 1 WHERE bucket = %s AND account_id = %s", [bucket, account_id]
    )
