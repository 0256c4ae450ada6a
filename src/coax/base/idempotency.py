"""Done once however often it is asked: a key, the hash of the input and the answer are stored with the deed.

Architecture section 3.12. The key is stored in the transaction of the operation itself: a rolled-back
operation leaves no key, and a second request with the same key waits for the first one's end.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

from coax.base.db import execute, fetch_rows
from coax.base.errors import DomainError
from coax.base.tenancy import APP_ALIAS

KEY_CHARS_MAX: Final = 200

_CLAIM: Final = """
INSERT INTO base_idempotency_key (tenant_id, operation, key, input_hash, answer, created_at)
VALUES (%s, %s, %s, %s, '{}', now()) ON CONFLICT (tenant_id, operation, key) DO NOTHING"""
_STORED: Final = """
SELECT input_hash, answer::text FROM base_idempotency_key WHERE tenant_id = %s AND operation = %s AND key = %s"""
_ANSWER: Final = """
UPDATE base_idempotency_key SET answer = %s WHERE tenant_id = %s AND operation = %s AND key = %s"""


class IdempotencyKeyReused(DomainError):
    """The key was used before, with another input."""

    code: ClassVar[str] = "idempotency_key_reused"


class IdempotencyKeyInvalid(DomainError):
    """The key is empty or too long."""

    code: ClassVar[str] = "idempotency_key_invalid"


def perform_once(
    *,
    tenant_id: int,
    operation: str,
    key: str | None,
    request: Mapping[str, Any],
    action: Callable[[], dict[str, Any]],
    using: str = APP_ALIAS,
) -> tuple[dict[str, Any], bool]:
    """Perform `action` in the open transaction; return its answer (plain data) and whether it was a repetition.

    The same key with the same `request` returns the stored answer and does nothing. Without a key the action is
    performed each time. `request` is what was asked, as given: what follows from the day of asking is no part of it.

    Raises: IdempotencyKeyReused, IdempotencyKeyInvalid, and what `action` raises.
    """
    if key is None:
        return action(), False
    if not key.strip() or len(key) > KEY_CHARS_MAX:
        raise IdempotencyKeyInvalid(f"An idempotency key has 1 to {KEY_CHARS_MAX} characters, not {len(key)}.", key=key)
    place = [tenant_id, operation, key]
    input_hash = hash_request(request)
    if execute(_CLAIM, [*place, input_hash], using=using):
        answer = action()
        execute(_ANSWER, [json.dumps(answer, sort_keys=True), *place], using=using)
        return answer, False
    stored_hash, stored = fetch_rows(_STORED, place, using=using)[0]
    if stored_hash != input_hash:
        raise IdempotencyKeyReused(
            f"The key {key!r} was used before to {operation.replace('_', ' ')} with another input; "
            "nothing was done. Repeat that input, or take a new key.",
            key=key,
            operation=operation,
        )
    return dict(json.loads(stored)), True


def hash_request(request: Mapping[str, Any]) -> str:
    """Return the hash of a request, whatever the order of its fields."""
    text = json.dumps(dict(request), sort_keys=True, separators=(",", ":"), default=str, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
