"""Tables of people and accounts. Everything an account owns begins with its bucket (architecture section 3.2)."""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from coax.party.types import RIGHTS_OF_ROLE, Right, StaffRole


class Contact(models.Model):
    """A person or company; lies in the bucket of its first account."""

    pk = models.CompositePrimaryKey("bucket", "id")
    bucket = models.SmallIntegerField()
    id = models.BigIntegerField()
    tenant_id = models.IntegerField()
    code = models.TextField()
    name = models.TextField()
    email = models.TextField(default="")
    phone = models.TextField(default="")
    street = models.TextField(default="")
    postal_code = models.TextField(default="")
    city = models.TextField(default="")
    country = models.TextField(default="")
    locale = models.TextField(default="")

    class Meta:
        db_table = "party_contact"


class ContactCode(models.Model):
    """Directory: which contact has a code, and in which bucket it lies."""

    pk = models.CompositePrimaryKey("tenant_id", "code")
    tenant_id = models.IntegerField()
    code = models.TextField()
    contact_id = models.BigIntegerField()

    class Meta:
        db_table = "party_contact_code"


class Account(models.Model):
    """An account receivable: who owes, how much may be owed, how it is classified."""

    pk = models.CompositePrimaryKey("bucket", "account_id")
    bucket = models.SmallIntegerField()
    account_id = models.BigIntegerField()
    tenant_id = models.IntegerField()
    code = models.TextField()
    contact_id = models.BigIntegerField()
    state = models.TextField(default="active")
    classification_id = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3)
    credit_limit_minor = models.BigIntegerField(null=True)
    credit_rating = models.TextField(default="")
    credit_period_days = models.SmallIntegerField(default=0)
    revision = models.IntegerField(default=0)
    created_on = models.DateField()

    class Meta:
        db_table = "party_account"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=["active", "suspended", "terminated"]),
                name="account_state_is_known",
            ),
        ]


class AccountCode(models.Model):
    """Directory: which account has a code."""

    pk = models.CompositePrimaryKey("tenant_id", "code")
    tenant_id = models.IntegerField()
    code = models.TextField()
    account_id = models.BigIntegerField()

    class Meta:
        db_table = "party_account_code"


class StaffMember(AbstractBaseUser):
    """A person who works for an operator; names are unique within it."""

    tenant_id = models.IntegerField()
    username = models.TextField()
    full_name = models.TextField(default="")
    email = models.TextField(default="")
    role = models.TextField(choices=[(role.value, role.value.capitalize()) for role in StaffRole])
    is_active = models.BooleanField(default=True)
    language = models.TextField(default="")

    objects = BaseUserManager["StaffMember"]()
    USERNAME_FIELD = "username"
    REQUIRED_FIELDS = ["role"]

    class Meta:
        db_table = "party_staff_member"
        constraints = [
            models.UniqueConstraint(fields=["tenant_id", "username"], name="staff_username_is_unique_per_operator"),
            models.CheckConstraint(
                condition=models.Q(role__in=[role.value for role in StaffRole]), name="staff_role_is_known"
            ),
        ]

    def __str__(self) -> str:
        return self.full_name or self.username

    @property
    def is_staff(self) -> bool:
        """Every active member of staff may open the console; the role says what for."""
        return self.is_active

    @property
    def is_superuser(self) -> bool:
        """Nobody stands above the roles."""
        return False

    def has_right(self, right: Right) -> bool:
        """Whether the role allows `right`."""
        return self.is_active and right in RIGHTS_OF_ROLE[StaffRole(self.role)]

    def has_perm(self, perm: str, obj: object = None) -> bool:  # noqa: ARG002 - the framework's signature
        """Django's question: reading is for everyone, changing configuration and staff for the administrator."""
        action = perm.rpartition(".")[2].partition("_")[0]
        if action == "view":
            return self.has_right(Right.READ)
        return self.has_right(Right.MANAGE_STAFF if "staff" in perm else Right.CONFIGURE)

    def has_perms(self, perm_list: list[str], obj: object = None) -> bool:
        """Whether all of Django's questions are answered with yes."""
        return all(self.has_perm(perm, obj) for perm in perm_list)

    def has_module_perms(self, app_label: str) -> bool:  # noqa: ARG002 - likewise
        """Whether anything of a package may be seen."""
        return self.has_right(Right.READ)
