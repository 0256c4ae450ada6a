"""Tables of people and accounts. Everything an account owns begins with its bucket (architecture section 3.2)."""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from coax.party.types import RIGHTS_OF_ROLE, CredentialKind, Right, SecretPurpose, StaffRole


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
    organisational_unit = models.TextField(default="", db_default="")

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


class ApiCredential(models.Model):
    """A program that may use the API of one operator; names are unique among those not revoked."""

    id = models.BigAutoField(primary_key=True)
    tenant_id = models.IntegerField()
    kind = models.TextField()
    name = models.TextField()
    client_id = models.TextField(null=True)  # noqa: DJ001 - unique where there is one
    scopes = models.TextField()
    created_at = models.DateTimeField()
    created_by = models.TextField()
    expires_at = models.DateTimeField(null=True)
    rotated_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "party_api_credential"
        constraints = [
            models.UniqueConstraint(fields=["tenant_id", "id"], name="api_credential_is_one_operators"),
            models.UniqueConstraint(
                fields=["tenant_id", "kind", "name"],
                condition=models.Q(revoked_at__isnull=True),
                name="api_credential_name_is_unique_per_operator",
            ),
            models.UniqueConstraint(fields=["client_id"], name="api_client_id_is_unique"),
            models.CheckConstraint(
                condition=models.Q(kind__in=[kind.value for kind in CredentialKind]),
                name="api_credential_kind_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(kind=CredentialKind.CLIENT.value, client_id__isnull=False)
                | models.Q(kind=CredentialKind.TOKEN.value, client_id__isnull=True),
                name="api_client_has_its_id",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ApiSecret(models.Model):
    """Directory: whose a secret is, found by its hash before the operator is known; `scopes` may narrow."""

    hash = models.CharField(max_length=64, primary_key=True)
    tenant_id = models.IntegerField()
    credential_id = models.BigIntegerField()
    purpose = models.TextField()
    scopes = models.TextField(default="")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "party_api_secret"
        indexes = [models.Index(fields=["tenant_id", "credential_id"], name="api_secret_by_credential")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(purpose__in=[purpose.value for purpose in SecretPurpose]),
                name="api_secret_purpose_is_known",
            ),
        ]

    def __str__(self) -> str:
        return self.purpose


class ApiUsage(models.Model):
    """How many requests a credential made in the minute that began at `window_start`, by the machine's clock."""

    credential_id = models.BigIntegerField(primary_key=True)
    tenant_id = models.IntegerField()
    window_start = models.DateTimeField()
    requests = models.IntegerField()
    last_used_at = models.DateTimeField()

    class Meta:
        db_table = "party_api_usage"

    def __str__(self) -> str:
        return str(self.credential_id)
