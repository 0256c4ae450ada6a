"""Add a member of staff, and change one."""

from __future__ import annotations

import re
from typing import ClassVar, Final

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from coax.base.errors import DomainError
from coax.configuration.queries import get_entity
from coax.party.models import StaffMember
from coax.party.queries.staff import StaffUnknown
from coax.party.types import StaffRole

USERNAME_PATTERN: Final = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")


class StaffNameTaken(DomainError):
    """Another member of staff of the operator has this user name."""

    code: ClassVar[str] = "staff_name_taken"


class StaffNameInvalid(DomainError):
    """A user name is small letters, digits and `. _ @ -`, at most 64 of them."""

    code: ClassVar[str] = "staff_name_invalid"


class PasswordWeak(DomainError):
    """A password is too short, too common, or like the user's name."""

    code: ClassVar[str] = "password_weak"


class LastAdministrator(DomainError):
    """An operator keeps one active administrator, or nobody could manage its staff."""

    code: ClassVar[str] = "last_administrator"


def add_staff(
    *,
    tenant_id: int,
    username: str,
    role: StaffRole,
    password: str,
    full_name: str = "",
    email: str = "",
    organisational_unit: str = "",
) -> None:
    """Add a member of staff in the open transaction of the tenant.

    Raises:
        StaffNameInvalid, StaffNameTaken, PasswordWeak: the name or the password cannot be taken.
        EntityNotFound: there is no such unit.
    """
    _check_unit(organisational_unit)
    if not USERNAME_PATTERN.fullmatch(username):
        raise StaffNameInvalid(
            f"The user name {username!r} is not allowed: small letters, digits and . _ @ -, at most 64.",
            username=username,
        )
    hashed = _hash_password(password, username)
    try:
        with transaction.atomic():
            StaffMember.objects.create(
                tenant_id=tenant_id,
                username=username,
                full_name=full_name,
                email=email,
                role=role.value,
                password=hashed,
                organisational_unit=organisational_unit,
            )
    except IntegrityError as error:
        raise StaffNameTaken(f"There is a member of staff {username!r} already.", username=username) from error


def change_staff(
    *,
    tenant_id: int,
    username: str,
    role: StaffRole,
    is_active: bool,
    full_name: str,
    email: str,
    organisational_unit: str = "",
) -> None:
    """Change a member of staff in the open transaction of the tenant.

    Raises:
        StaffUnknown: there is none of this name.
        LastAdministrator: there would be no active administrator left.
        EntityNotFound: there is no such unit.
    """
    _check_unit(organisational_unit)
    administrators = set(
        StaffMember.objects.select_for_update()
        .filter(tenant_id=tenant_id, role=StaffRole.ADMINISTRATOR.value, is_active=True)
        .order_by("id")
        .values_list("username", flat=True)
    )
    stays = is_active and role is StaffRole.ADMINISTRATOR
    if administrators == {username} and not stays:
        raise LastAdministrator(
            f"{username} is the only active administrator: make somebody else one first.", username=username
        )
    changed = StaffMember.objects.filter(tenant_id=tenant_id, username=username).update(
        role=role.value,
        is_active=is_active,
        full_name=full_name,
        email=email,
        organisational_unit=organisational_unit,
    )
    _require_one(changed, username)


def set_staff_password(*, tenant_id: int, username: str, password: str) -> None:
    """Give a member of staff a new password in the open transaction of the tenant; their sessions end.

    Raises:
        StaffUnknown: there is none of this name.
        PasswordWeak: the password cannot be taken.
    """
    hashed = _hash_password(password, username)
    changed = StaffMember.objects.filter(tenant_id=tenant_id, username=username).update(password=hashed)
    _require_one(changed, username)


def _check_unit(code: str) -> None:
    if code:
        get_entity("organisational_unit", code)


def _require_one(changed: int, username: str) -> None:
    if changed != 1:
        raise StaffUnknown(f"There is no member of staff {username!r}.", username=username)


def _hash_password(password: str, username: str) -> str:
    try:
        validate_password(password, StaffMember(username=username))
    except ValidationError as error:
        raise PasswordWeak(" ".join(error.messages)) from error
    return make_password(password)
