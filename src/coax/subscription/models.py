"""Tables of subscriptions, their contracts and services, and the narrow state row that a run moves."""

from __future__ import annotations

from django.db import models


class Subscription(models.Model):
    """A group of services of one account under one contract."""

    pk = models.CompositePrimaryKey("bucket", "account_id", "id")
    bucket = models.SmallIntegerField()
    account_id = models.BigIntegerField()
    id = models.BigIntegerField()
    tenant_id = models.IntegerField()
    code = models.TextField()
    type_id = models.BigIntegerField(null=True)
    state = models.TextField(default="effective")
    state_from = models.DateField(null=True)
    state_ends_on = models.DateField(null=True)
    grace_until = models.DateField(null=True)
    location = models.TextField(default="", db_default="")
    revision = models.IntegerField(default=0, db_default=0)
    created_on = models.DateField()

    class Meta:
        db_table = "subscription_subscription"


class SubscriptionCode(models.Model):
    """Directory: which subscription has a code."""

    pk = models.CompositePrimaryKey("tenant_id", "code")
    tenant_id = models.IntegerField()
    code = models.TextField()
    account_id = models.BigIntegerField()
    subscription_id = models.BigIntegerField()

    class Meta:
        db_table = "subscription_subscription_code"


class BillingTerm(models.Model):
    """The contract of a subscription or job: made whenever a scheme is set or changed; one is effective (R58-R60)."""

    pk = models.CompositePrimaryKey("bucket", "account_id", "id")
    bucket = models.SmallIntegerField()
    account_id = models.BigIntegerField()
    id = models.BigIntegerField()
    tenant_id = models.IntegerField()
    subscription_id = models.BigIntegerField(null=True)
    job_id = models.BigIntegerField(null=True)
    scheme_version_id = models.BigIntegerField()
    price_plan_id = models.BigIntegerField()
    frequency = models.TextField()
    cycle_day = models.SmallIntegerField()
    agreement_date = models.DateField()
    binding_period = models.TextField(default="")
    binding_start_date = models.DateField(null=True)
    binding_extension_days = models.IntegerField(default=0, db_default=0)
    effective_from = models.DateField()
    effective_to = models.DateField(null=True)

    class Meta:
        db_table = "subscription_billing_term"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(cycle_day__gte=1, cycle_day__lte=31),
                name="billing_term_cycle_day_is_a_day",
            ),
            models.CheckConstraint(
                condition=models.Q(effective_to__isnull=True) | models.Q(effective_to__gte=models.F("effective_from")),
                name="billing_term_ends_after_it_begins",
            ),
        ]


class Service(models.Model):
    """A service of a subscription: what, how many, from when to when."""

    pk = models.CompositePrimaryKey("bucket", "account_id", "id")
    bucket = models.SmallIntegerField()
    account_id = models.BigIntegerField()
    id = models.BigIntegerField()
    tenant_id = models.IntegerField()
    subscription_id = models.BigIntegerField()
    code = models.TextField()
    product_id = models.BigIntegerField()
    quantity = models.BigIntegerField(default=1)
    effective_from = models.DateField()
    effective_to = models.DateField(null=True)
    billable_from = models.DateField()
    billing_effective_date = models.DateField()
    agreed_price_micro = models.BigIntegerField(null=True)
    extra_discount_ppm = models.IntegerField(default=0)
    state = models.TextField(default="effective", db_default="effective")
    state_from = models.DateField(null=True)
    swapped_from = models.BigIntegerField(null=True)
    bundle_id = models.BigIntegerField(null=True)
    has_history = models.BooleanField(default=False, db_default=False)
    stays_off = models.BooleanField(default=False, db_default=False)

    class Meta:
        db_table = "subscription_service"
        constraints = [
            models.CheckConstraint(condition=models.Q(quantity__gte=0), name="service_quantity_is_not_negative"),
            models.CheckConstraint(
                condition=models.Q(extra_discount_ppm__gte=0, extra_discount_ppm__lte=1_000_000),
                name="service_discount_is_at_most_all",
            ),
        ]


class ServiceRating(models.Model):
    """The hot state of billing: until when a service is billed. Every update is HOT (fillfactor, no index on it)."""

    pk = models.CompositePrimaryKey("bucket", "account_id", "service_id")
    bucket = models.SmallIntegerField()
    account_id = models.BigIntegerField()
    service_id = models.BigIntegerField()
    tenant_id = models.IntegerField()
    rated_up_to = models.DateField()
    generation = models.SmallIntegerField(default=0)
    credit_from = models.DateField(null=True)

    class Meta:
        db_table = "subscription_service_rating"


class Charge(models.Model):
    """What is billed once, on a subscription or a job: a one-time service, an expense, a physical good.

    One that was taken back (`withdrawn_on`) is not billed, or credited by `credited_by` where it was.
    """

    pk = models.CompositePrimaryKey("bucket", "account_id", "id")
    bucket = models.SmallIntegerField()
    account_id = models.BigIntegerField()
    id = models.BigIntegerField()
    tenant_id = models.IntegerField()
    subscription_id = models.BigIntegerField(null=True)
    job_id = models.BigIntegerField(null=True)
    code = models.TextField()
    product_id = models.BigIntegerField()
    quantity = models.BigIntegerField(default=1)
    duration = models.BigIntegerField(default=0)
    performed_on = models.DateField()
    agreed_price_micro = models.BigIntegerField(null=True)
    catalog_id = models.BigIntegerField(null=True)
    billed_by = models.BigIntegerField(null=True)
    withdrawn_on = models.DateField(null=True)
    credited_by = models.BigIntegerField(null=True)

    class Meta:
        db_table = "subscription_charge"


class Usage(models.Model):
    """A use of a usage service, carried by a termed one (a usage detail record); its charge is what it costs.

    Its own amount, where it comes rated, is the charge's agreed price.
    """

    pk = models.CompositePrimaryKey("bucket", "account_id", "id")
    bucket = models.SmallIntegerField()
    account_id = models.BigIntegerField()
    id = models.BigIntegerField()
    tenant_id = models.IntegerField()
    subscription_id = models.BigIntegerField()
    service_id = models.BigIntegerField()
    code = models.TextField()
    product_id = models.BigIntegerField()
    catalog_id = models.BigIntegerField()
    usage_type_id = models.BigIntegerField(null=True)
    quantity = models.BigIntegerField()
    performed_on = models.DateField()
    used_from = models.DateTimeField(null=True)
    used_to = models.DateTimeField(null=True)
    source_system = models.TextField(default="")
    reference = models.TextField(default="")
    source = models.TextField(default="")
    destination = models.TextField(default="")
    device = models.TextField(default="")
    method = models.TextField(default="")
    category = models.TextField(default="")
    charge_id = models.BigIntegerField(null=True)
    withdrawn_on = models.DateField(null=True)
    action_id = models.BigIntegerField()

    class Meta:
        db_table = "subscription_usage"


class SubscriptionHistory(models.Model):
    """In which state a subscription was, on the half-open days [effective_from, effective_to)."""

    pk = models.CompositePrimaryKey("bucket", "account_id", "id")
    bucket = models.SmallIntegerField()
    account_id = models.BigIntegerField()
    id = models.BigIntegerField()
    tenant_id = models.IntegerField()
    subscription_id = models.BigIntegerField()
    state = models.TextField()
    effective_from = models.DateField()
    effective_to = models.DateField(null=True)
    action_id = models.BigIntegerField(null=True)

    class Meta:
        db_table = "subscription_subscription_history"


class ServiceHistory(models.Model):
    """In which state a service was, on half-open days, and how that time is billed; from `billable_from` on."""

    pk = models.CompositePrimaryKey("bucket", "account_id", "id")
    bucket = models.SmallIntegerField()
    account_id = models.BigIntegerField()
    id = models.BigIntegerField()
    tenant_id = models.IntegerField()
    service_id = models.BigIntegerField()
    state = models.TextField()
    directive = models.TextField()
    effective_from = models.DateField()
    effective_to = models.DateField(null=True)
    billable_from = models.DateField(null=True)
    bundle_id = models.BigIntegerField(null=True)
    action_id = models.BigIntegerField(null=True)

    class Meta:
        db_table = "subscription_service_history"


class Action(models.Model):
    """What somebody did to a subscription, or means to do on a day to come; never deleted."""

    pk = models.CompositePrimaryKey("bucket", "account_id", "id")
    bucket = models.SmallIntegerField()
    account_id = models.BigIntegerField()
    id = models.BigIntegerField()
    tenant_id = models.IntegerField()
    subscription_id = models.BigIntegerField()
    behaviour = models.TextField()
    action_type = models.TextField(default="")
    state = models.TextField()
    performed_on = models.DateField()
    request = models.JSONField()
    reason = models.TextField(default="")
    submitted_at = models.DateTimeField()
    submitted_by = models.TextField()
    executed_at = models.DateTimeField(null=True)
    executed_by = models.TextField(default="")
    detail = models.TextField(default="")

    class Meta:
        db_table = "subscription_action"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=["scheduled", "executed", "rejected", "cancelled"]),
                name="action_state_is_known",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="executed") | models.Q(executed_at__isnull=False),
                name="action_executed_says_when",
            ),
        ]


class Job(models.Model):
    """An order of a customer: what is delivered and done, by when, by whom, and what its completion does (R163)."""

    pk = models.CompositePrimaryKey("bucket", "account_id", "id")
    bucket = models.SmallIntegerField()
    account_id = models.BigIntegerField()
    id = models.BigIntegerField()
    tenant_id = models.IntegerField()
    code = models.TextField()
    type_version_id = models.BigIntegerField()
    fulfilment = models.TextField()
    state = models.TextField()
    status = models.TextField(default="")
    subscription_id = models.BigIntegerField(null=True)
    order = models.JSONField(default=dict)
    start_date = models.DateField(null=True)
    expected_on = models.DateField(null=True)
    completed_on = models.DateField(null=True)
    location = models.TextField(default="")
    assigned_to = models.TextField(default="")
    organisational_unit_id = models.BigIntegerField(null=True)
    is_private = models.BooleanField(default=False)
    contact_email = models.TextField(default="")
    contact_phone = models.TextField(default="")
    revision = models.IntegerField(default=1)
    created_on = models.DateField()

    class Meta:
        db_table = "subscription_job"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=["draft", "pending", "in_progress", "completed", "cancelled"]),
                name="job_state_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(state="completed", completed_on__isnull=False)
                | (~models.Q(state="completed") & models.Q(completed_on__isnull=True)),
                name="job_completed_says_when",
            ),
        ]


class JobCode(models.Model):
    """Directory: which job has a code."""

    pk = models.CompositePrimaryKey("tenant_id", "code")
    tenant_id = models.IntegerField()
    code = models.TextField()
    account_id = models.BigIntegerField()
    job_id = models.BigIntegerField()

    class Meta:
        db_table = "subscription_job_code"


class JobLine(models.Model):
    """A good that a job delivers, or work that it does; charged once the job is completed, if it is billed."""

    pk = models.CompositePrimaryKey("bucket", "account_id", "job_id", "number")
    bucket = models.SmallIntegerField()
    account_id = models.BigIntegerField()
    job_id = models.BigIntegerField()
    number = models.IntegerField()
    tenant_id = models.IntegerField()
    product_id = models.BigIntegerField()
    quantity = models.BigIntegerField(default=1)
    duration = models.BigIntegerField(default=0)
    is_billed = models.BooleanField(default=True)
    agreed_price_micro = models.BigIntegerField(null=True)
    serials = models.JSONField(default=list)
    charge_id = models.BigIntegerField(null=True)

    class Meta:
        db_table = "subscription_job_line"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(quantity__gte=1, duration__gte=0, duration__lte=36_500),
                name="job_line_quantity_and_duration_are_sensible",
            ),
        ]


class JobEvent(models.Model):
    """What somebody did with a job, for ever; its number is the revision that it made."""

    pk = models.CompositePrimaryKey("bucket", "account_id", "job_id", "number")
    bucket = models.SmallIntegerField()
    account_id = models.BigIntegerField()
    job_id = models.BigIntegerField()
    number = models.IntegerField()
    tenant_id = models.IntegerField()
    verb = models.TextField()
    state = models.TextField()
    status = models.TextField(default="")
    performed_on = models.DateField()
    actor = models.TextField()
    reason = models.TextField(default="")
    detail = models.JSONField(default=dict)
    recorded_at = models.DateTimeField()

    class Meta:
        db_table = "subscription_job_event"


class StockLocation(models.Model):
    """A warehouse or shop that holds items, or a partner that has them on consignment."""

    pk = models.CompositePrimaryKey("tenant_id", "id")
    tenant_id = models.IntegerField()
    id = models.BigIntegerField()
    code = models.TextField()
    name = models.TextField()
    is_consigned = models.BooleanField(default=False)
    organisational_unit_id = models.BigIntegerField(null=True)

    class Meta:
        db_table = "subscription_stock_location"


class ItemSerial(models.Model):
    """Directory: which item has a serial number; reserved before the item is made."""

    pk = models.CompositePrimaryKey("tenant_id", "product_id", "serial")
    tenant_id = models.IntegerField()
    product_id = models.BigIntegerField()
    serial = models.TextField()
    item_id = models.BigIntegerField()

    class Meta:
        db_table = "subscription_item_serial"


class StockItem(models.Model):
    """An item and its one place: a location, a subscription, or nowhere. The authority on where it is."""

    pk = models.CompositePrimaryKey("tenant_id", "id")
    tenant_id = models.IntegerField()
    id = models.BigIntegerField()
    product_id = models.BigIntegerField()
    serial = models.TextField()
    mac = models.TextField(default="")
    card_number = models.TextField(default="")
    distributor = models.TextField(default="")
    condition = models.TextField()
    state = models.TextField()
    location_id = models.BigIntegerField(null=True)
    account_id = models.BigIntegerField(null=True)
    subscription_id = models.BigIntegerField(null=True)
    reserved_for = models.BigIntegerField(null=True)
    since_date = models.DateField()
    revision = models.IntegerField(default=1)

    class Meta:
        db_table = "subscription_stock_item"


class ItemMovement(models.Model):
    """One movement of an item, for ever; its number is the revision that it made."""

    pk = models.CompositePrimaryKey("tenant_id", "item_id", "number")
    tenant_id = models.IntegerField()
    item_id = models.BigIntegerField()
    number = models.IntegerField()
    verb = models.TextField()
    performed_on = models.DateField()
    actor = models.TextField()
    reason = models.TextField()
    condition = models.TextField()
    from_state = models.TextField(default="")
    from_location_id = models.BigIntegerField(null=True)
    from_subscription_id = models.BigIntegerField(null=True)
    to_state = models.TextField()
    to_location_id = models.BigIntegerField(null=True)
    to_subscription_id = models.BigIntegerField(null=True)
    recorded_at = models.DateTimeField()

    class Meta:
        db_table = "subscription_item_movement"


class InstalledItem(models.Model):
    """An item of a subscription from a day on. While it is open, `holder_id` refers to the item's one place."""

    pk = models.CompositePrimaryKey("bucket", "account_id", "id")
    bucket = models.SmallIntegerField()
    account_id = models.BigIntegerField()
    id = models.BigIntegerField()
    tenant_id = models.IntegerField()
    subscription_id = models.BigIntegerField()
    item_id = models.BigIntegerField()
    installed_from = models.DateField()
    installed_to = models.DateField(null=True)
    service_id = models.BigIntegerField(null=True)
    paired_id = models.BigIntegerField(null=True)
    holder_id = models.GeneratedField(
        expression=models.Case(models.When(installed_to__isnull=True, then=models.F("subscription_id"))),
        output_field=models.BigIntegerField(null=True),
        db_persist=True,
    )

    class Meta:
        db_table = "subscription_installed_item"
