"""What the audit trail keeps: who, when, which columns; and that nobody writes it but the database."""

from __future__ import annotations

import pytest
from django.db.utils import ProgrammingError

from coax.base.audit import AuditFilter, AuditRow, find_audit_entries, set_actor
from coax.base.db import execute
from coax.base.tenancy import Tenant, create_tenant, tenant_transaction
from coax.party.operations.save_staff import add_staff, change_staff, set_staff_password
from coax.party.types import StaffRole

PASSWORD = "correct horse battery"


def _entries(tenant: Tenant, source: str = "party_staff_member") -> list[AuditRow]:
    return find_audit_entries(tenant_id=tenant.id, wanted=AuditFilter(source=source))


def _add(tenant: Tenant, username: str = "ann") -> None:
    add_staff(tenant_id=tenant.id, username=username, role=StaffRole.CLERK, password=PASSWORD)


def test_a_new_row_is_kept_with_who_made_it(tenant: Tenant) -> None:
    set_actor("olga")
    _add(tenant)
    (entry,) = _entries(tenant)
    assert (entry.actor, entry.action, entry.before) == ("olga", "insert", {})
    assert entry.after["username"] == "ann"
    assert entry.after["role"] == "clerk"


def test_of_an_update_only_the_changed_columns_are_kept(tenant: Tenant) -> None:
    _add(tenant)
    change_staff(tenant_id=tenant.id, username="ann", role=StaffRole.SUPERVISOR, is_active=True, full_name="", email="")
    latest = _entries(tenant)[0]
    assert (latest.action, latest.before, latest.after) == ("update", {"role": "clerk"}, {"role": "supervisor"})


def test_a_statement_that_changes_nothing_leaves_nothing(tenant: Tenant) -> None:
    _add(tenant)
    assert execute("UPDATE party_staff_member SET role = role, last_login = now()") == 1
    assert len(_entries(tenant)) == 1


def test_one_statement_on_many_rows_leaves_an_entry_for_each(tenant: Tenant) -> None:
    for name in ("ann", "bob", "eve"):
        _add(tenant, name)
    execute("UPDATE party_staff_member SET is_active = false WHERE username <> 'eve'")
    assert [entry.action for entry in _entries(tenant)] == ["update", "update", "insert", "insert", "insert"]
    execute("DELETE FROM party_staff_member")
    assert [entry.action for entry in _entries(tenant)][:3] == ["delete"] * 3


def test_a_password_is_never_kept_but_its_change_is(tenant: Tenant) -> None:
    _add(tenant)
    set_staff_password(tenant_id=tenant.id, username="ann", password="another long sentence")
    changed, made = _entries(tenant)
    assert list(changed.after) == ["password"]
    assert changed.before != changed.after
    assert all(str(entry.after["password"]).startswith("digest ") for entry in (changed, made))


def test_without_a_name_it_is_the_role_of_the_connection(tenant: Tenant) -> None:
    _add(tenant)
    assert _entries(tenant)[0].actor not in {"", "ann"}


def test_an_operator_is_audited_from_its_creation_on(tenant: Tenant) -> None:
    execute("UPDATE base_operator SET name = 'Other', changed_at = now() WHERE tenant_id = %s", [tenant.id])
    changed, made = _entries(tenant, "base_operator")
    assert (changed.before, changed.after) == ({"name": tenant.name}, {"name": "Other"})
    assert made.action == "insert"


def test_nobody_else_sees_it_and_nobody_changes_it(empty_tenant: Tenant) -> None:
    other = create_tenant(code=f"{empty_tenant.code}-b", name="Other", currency="EUR", time_zone="UTC", locale="en")
    with tenant_transaction(other.id):
        assert find_audit_entries(tenant_id=empty_tenant.id) == []
        assert {entry.after["code"] for entry in find_audit_entries(tenant_id=other.id)} == {other.code}
    for statement in (
        "UPDATE base_audit_entry SET actor = 'nobody'",
        "DELETE FROM base_audit_entry",
        f"INSERT INTO base_audit_entry VALUES (0, {other.id}, now(), 'x', 'x', 'insert', 'x')",
    ):
        for alias in ("default", "run"):
            with pytest.raises(ProgrammingError), tenant_transaction(other.id, using=alias):
                execute(statement, using=alias)


def test_pages_of_entries_follow_each_other(tenant: Tenant) -> None:
    for name in ("ann", "bob", "eve"):
        _add(tenant, name)
    first = find_audit_entries(tenant_id=tenant.id, wanted=AuditFilter(source="party_staff_member"), limit=2)
    rest = find_audit_entries(
        tenant_id=tenant.id, wanted=AuditFilter(source="party_staff_member"), before_id=first[-1].id
    )
    assert [row.after["username"] for row in first + rest] == ["eve", "bob", "ann"]
