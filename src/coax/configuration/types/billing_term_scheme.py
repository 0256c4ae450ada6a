"""Billing term schemes: the options and rules that contracts are made from (R48-R57, reference 2.1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import Field, model_validator

from coax.configuration.types.entity import Entity
from coax.configuration.types.fields import (
    AtLeastOne,
    Choice,
    Code,
    DayOfMonth,
    Frequency,
    Issue,
    Many,
    Percent,
    Ref,
    Span,
    Spec,
    refuse,
)


class Classification(Choice):
    SUBSCRIPTIONS = "subscriptions"
    JOBS = "jobs"


class BillingModel(Choice):
    NORMAL = "normal"
    PREPAID = "prepaid"


class BillingMethod(Choice):
    PERIOD = "period"
    ANNIVERSARY = "anniversary"


class BillingType(Choice):
    PRE_BILL = "pre_bill"
    POST_BILL = "post_bill"
    PRE_RATE = "pre_rate"
    POST_RATE = "post_rate"


class BillingDateRule(Choice):
    SUBSCRIPTION_ACTION_PERFORMED_DATE = "subscription_action_performed_date"
    SUBSCRIPTION_ACTION_EXECUTED_DATE = "subscription_action_executed_date"
    NEXT_CYCLE_DATE = "next_cycle_date"
    AGREEMENT_DATE = "agreement_date"
    SPECIFIC_DATE = "specific_date"


class DiscountOptions(Choice):
    NONE = "none"
    ADDITIVE = "additive"
    FLEXIBLE_PRICING = "flexible_pricing"


class PaymentModel(Choice):
    PAY_AFTER_BILL = "pay_after_bill"
    PAY_BEFORE_BILL = "pay_before_bill"


class ConcurrentUsageMethod(Choice):
    INSTALLED_ITEMS = "based_on_number_of_installed_items"
    MAXIMUM_CAPACITY = "based_on_maximum_capacity"
    ACTUAL_CAPACITY = "based_on_actual_capacity"


PLAN_BILLING_TYPES = {
    BillingModel.NORMAL: (BillingType.PRE_BILL, BillingType.POST_BILL),
    BillingModel.PREPAID: (BillingType.PRE_RATE, BillingType.POST_RATE),
}

ProductRef = Annotated[Code, Ref("product")]
PricePlanRef = Annotated[Code, Ref("price_plan")]


class SchemeService(Spec):
    """How one service is billed under the scheme."""

    product: ProductRef = Field(description="Service.")
    billing_type: BillingType = Field(
        default=BillingType.PRE_BILL,
        description="pre_bill or post_bill; in a prepaid scheme pre_rate or post_rate.",
    )
    free: bool = Field(default=False, description="Never charged, and never disconnected for debt.")
    period_in_advance: Span | None = Field(default=None, description="Period that a pre-rated service is rated ahead.")


class ConcurrentUsageLevel(Spec):
    """Rate for a number of concurrent units: total = rate x units x percentage / 100."""

    units: int = Field(ge=1, description="Number of concurrent units.")
    rate_percentage: Percent = Field(description="Percentage of the rate for each of them.")


class ConcurrentUsage(Spec):
    """Pricing by the number of devices used at once."""

    method: ConcurrentUsageMethod = Field(
        default=ConcurrentUsageMethod.INSTALLED_ITEMS, description="What the units are counted from."
    )
    levels: AtLeastOne[ConcurrentUsageLevel] = Field(description="Percentages by number of units.")


class BillingTermScheme(Entity):
    """A template for contracts; the type decides between normal and prepaid billing (R60)."""

    classification: Classification = Field(default=Classification.SUBSCRIPTIONS, description="What it is for.")
    type: BillingModel = Field(default=BillingModel.NORMAL, description="Normal or prepaid billing.")
    billing_method: BillingMethod = Field(
        default=BillingMethod.PERIOD, description="All on the scheme's cycle day, or each on their own."
    )
    services: Many[SchemeService] = Field(default=(), description="Allowed services; usage services may be left out.")
    price_plans: AtLeastOne[PricePlanRef] = Field(description="Allowed price plans.")
    default_price_plan: PricePlanRef | None = Field(
        default=None, description="Plan of contracts that name none; must be among the price plans."
    )
    frequencies: Many[Frequency] = Field(default=("monthly",), description="Allowed billing frequencies.")
    binding_periods: Many[Frequency] = Field(default=(), description="Allowed binding periods; empty for none.")
    allowed_cycle_days: Many[DayOfMonth] = Field(
        default=(1,),
        description="Days of the month a billing cycle may begin on; empty for any (anniversary).",
    )
    automate_cycle_day: bool = Field(default=False, description="Take the cycle day from the start (anniversary).")
    cycle_last_day_of_month: bool = Field(default=False, description="Cycles begin on the month's last day.")
    billable_period_start: BillingDateRule = Field(
        default=BillingDateRule.SUBSCRIPTION_ACTION_PERFORMED_DATE,
        description="Day from which a service is billed.",
    )
    billing_effective: BillingDateRule = Field(
        default=BillingDateRule.SUBSCRIPTION_ACTION_PERFORMED_DATE,
        description="Day from which a run considers it.",
    )
    discount_options: DiscountOptions = Field(default=DiscountOptions.NONE, description="What staff may grant.")
    payment_model: PaymentModel = Field(
        default=PaymentModel.PAY_AFTER_BILL, description="Whether payment is needed before activation (C20)."
    )
    auto_activation_on_payment: bool = Field(
        default=True, description="Services are switched on again when the account is funded (R53)."
    )
    concurrent_usage: ConcurrentUsage | None = Field(default=None, description="Pricing by concurrent devices.")

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        refuse("billing_term_scheme", [*_check_cycle(self), *_check_services(self), *_check_plans(self)])
        return self


def _check_cycle(scheme: BillingTermScheme) -> Iterator[Issue]:
    if scheme.billing_method is BillingMethod.ANNIVERSARY:
        if scheme.cycle_last_day_of_month and scheme.allowed_cycle_days:
            text = "cycles that begin on the last day of the month have no cycle days: write []"
            yield Issue(("allowed_cycle_days",), text, list(scheme.allowed_cycle_days))
        return
    if len(scheme.allowed_cycle_days) != 1:
        text = "billing by period needs exactly one cycle day (31 for the month's last)"
        yield Issue(("allowed_cycle_days",), text, list(scheme.allowed_cycle_days))
    for key in ("automate_cycle_day", "cycle_last_day_of_month"):
        if getattr(scheme, key):
            yield Issue((key,), "goes only with billing_method: anniversary", value=True)


def _check_services(scheme: BillingTermScheme) -> Iterator[Issue]:
    allowed = PLAN_BILLING_TYPES[scheme.type]
    seen: set[str] = set()
    for i, service in enumerate(scheme.services):
        if service.billing_type not in allowed:
            text = f"a {scheme.type} scheme allows: {', '.join(allowed)}"
            yield Issue(("services", i, "billing_type"), text, service.billing_type)
        if service.period_in_advance and service.billing_type is not BillingType.PRE_RATE:
            yield Issue(("services", i, "period_in_advance"), "goes only with billing_type: pre_rate")
        if service.product in seen:
            yield Issue(("services", i, "product"), "the service is listed twice", service.product)
        seen.add(service.product)


def _check_plans(scheme: BillingTermScheme) -> Iterator[Issue]:
    if scheme.default_price_plan and scheme.default_price_plan not in scheme.price_plans:
        text = f"must be among price_plans: {', '.join(scheme.price_plans)}"
        yield Issue(("default_price_plan",), text, scheme.default_price_plan)
    if scheme.type is BillingModel.NORMAL and not scheme.frequencies:
        yield Issue(("frequencies",), "a normal scheme needs at least one billing frequency")
    is_paid_before = scheme.payment_model is PaymentModel.PAY_BEFORE_BILL
    if scheme.type is BillingModel.PREPAID and is_paid_before:
        text = "goes only with type: normal; a prepaid scheme is paid from the wallet"
        yield Issue(("payment_model",), text, scheme.payment_model)
