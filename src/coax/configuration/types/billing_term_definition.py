"""Billing term definitions: rules over contracts, for some schemes or for all (R74-R80, reference 2.3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import Field, model_validator

from coax.configuration.types.billing_term_scheme import Classification
from coax.configuration.types.entity import Entity
from coax.configuration.types.fields import (
    Choice,
    Code,
    Issue,
    Many,
    Percent,
    Price,
    Ref,
    Span,
    Spec,
    Text,
    refuse,
)
from coax.configuration.types.subscription_definition import ServiceKind

ProductRef = Annotated[Code, Ref("product")]


class BillingTermRuleKind(Choice):
    ACTIVATION_CONDITION = "activation_condition"
    REGRET = "regret"
    CANCELLATION_PENALTY = "cancellation_penalty"
    SWAP = "swap"
    RESTING = "resting"
    SHORT_TERM_DEACTIVATION = "short_term_deactivation"
    SHORT_TERM_EFFECTIVE = "short_term_effective"
    ADDITIONAL_BILLING_DIRECTION = "additional_billing_direction"
    BINDING_START_AUTOMATION = "binding_start_automation"
    GRACE = "grace"


class PenaltyBasis(Choice):
    FIXED_AMOUNT = "fixed_amount"
    PERCENT_OF_REMAINING_FEE = "percent_of_remaining_fee"


class BillingDirective(Choice):
    TO_BE_BILLED = "to_be_billed"
    TO_BE_CREDITED = "to_be_credited"
    NOT_TO_BE_BILLED = "not_to_be_billed"


class BilledState(Choice):
    """States of a service whose billing a rule may decide."""

    EFFECTIVE = "effective"
    NOT_EFFECTIVE = "not_effective"
    IN_RESTING = "in_resting"
    SHORT_TERM_EFFECTIVE = "short_term_effective"
    SHORT_TERM_NOT_EFFECTIVE = "short_term_not_effective"
    CANCELLED = "cancelled"
    REGRETTED = "regretted"
    SWAPPED = "swapped"
    REPLACED = "replaced"


class SwapKind(Choice):
    """What a swap is by the tiers of the two services: the lower level is the higher package."""

    UPGRADE = "upgrade"
    DOWNGRADE = "downgrade"
    SWITCH = "switch"


class Penalty(Spec):
    """What leaving a binding period early costs (R77)."""

    product: ProductRef = Field(description="Expense that the penalty is billed as.")
    basis: PenaltyBasis = Field(description="A fixed amount, or a percentage of the remaining periods' fee.")
    amount: Price | None = Field(default=None, description="The fixed amount, in major units.")
    percent: Percent | None = Field(default=None, description="The percentage of the remaining fee.")

    @model_validator(mode="after")
    def _has_its_amount(self) -> Self:
        is_fixed = self.basis is PenaltyBasis.FIXED_AMOUNT
        issues = []
        if is_fixed != (self.amount is not None):
            issues.append(Issue(("amount",), "goes with, and only with, basis: fixed_amount", self.amount))
        if is_fixed == (self.percent is not None):
            issues.append(Issue(("percent",), "goes with, and only with, the other basis", self.percent))
        refuse("penalty", issues)
        return self


class RuleExceptions(Spec):
    """Whom a rule spares."""

    classifications: Many[Annotated[Code, Ref("account_classification")]] = Field(
        default=(), description="Accounts of these classifications."
    )
    subscription_types: Many[Annotated[Code, Ref("subscription_type")]] = Field(
        default=(), description="Subscriptions of these types."
    )
    organisational_units: Many[Annotated[Code, Ref("organisational_unit")]] = Field(
        default=(), description="Actions of these units."
    )


class BillingTermRule(Spec):
    """One rule; the limits that its kind does not use stay empty."""

    rule: BillingTermRuleKind = Field(description="What it governs.")
    name: Text | None = Field(default=None, description="Name that people read.")
    services: ServiceKind = Field(default=ServiceKind.ANY, description="Mandatory, optional or all services.")
    products: Many[ProductRef] = Field(default=(), description="Only these services; empty for all.")
    states: Many[BilledState] = Field(default=(), description="States whose time `directive` is about.")
    swaps: Many[SwapKind] = Field(default=(), description="Only these swaps; empty for all.")
    max_days_since_activation: int | None = Field(default=None, ge=0, description="Latest day, counted from the start.")
    min_days: int | None = Field(default=None, ge=0, description="Shortest duration in days.")
    max_days: int | None = Field(default=None, ge=0, description="Longest duration in days.")
    max_total_days: int | None = Field(default=None, ge=0, description="Longest total within `within`, in days.")
    max_times: int | None = Field(default=None, ge=0, description="How often within `within`.")
    within: Span | None = Field(default=None, description="Time that totals and times are counted over.")
    min_remaining: Span | None = Field(default=None, description="Shortest remaining binding for the rule to apply.")
    extend_binding: bool = Field(default=False, description="Rested days are added to the binding period.")
    directive: BillingDirective | None = Field(default=None, description="How the time is billed.")
    penalty: Penalty | None = Field(default=None, description="What it costs.")
    require_installed: Many[ProductRef] = Field(
        default=(), description="Goods of which one must be installed before activation."
    )
    keep_charges: Many[ProductRef] = Field(
        default=(), description="What stays charged of a regretted subscription, such as an installation."
    )
    schemes: Many[Annotated[Code, Ref("billing_term_scheme")]] = Field(
        default=(), description="Only these schemes; empty for all (R78)."
    )
    exceptions: RuleExceptions = Field(default=RuleExceptions(), description="Whom the rule spares.")

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        refuse("rule", list(_check_rule(self)))
        return self


def _check_rule(rule: BillingTermRule) -> Iterator[Issue]:
    if rule.rule is BillingTermRuleKind.CANCELLATION_PENALTY and rule.penalty is None:
        yield Issue(("penalty",), "a cancellation penalty needs its amount")
    if rule.min_days is not None and rule.max_days is not None and rule.max_days < rule.min_days:
        yield Issue(("max_days",), f"must not be smaller than min_days ({rule.min_days})", rule.max_days)
    is_directed = rule.rule is BillingTermRuleKind.ADDITIONAL_BILLING_DIRECTION
    if is_directed and not (rule.states and rule.directive):
        yield Issue(("states",), "an additional billing direction needs its states and its directive")
    if rule.states and not is_directed:
        yield Issue(("states",), f"goes only with rule: {BillingTermRuleKind.ADDITIONAL_BILLING_DIRECTION}")
    if rule.swaps and rule.rule is not BillingTermRuleKind.SWAP:
        yield Issue(("swaps",), f"goes only with rule: {BillingTermRuleKind.SWAP}")
    if rule.rule is BillingTermRuleKind.SWAP and rule.max_times is None:
        yield Issue(("max_times",), "a swap rule says how often; 0 for never")
    is_condition = rule.rule is BillingTermRuleKind.ACTIVATION_CONDITION
    if is_condition != bool(rule.require_installed):
        yield Issue(("require_installed",), "goes with, and only with, rule: activation_condition")
    if rule.keep_charges and rule.rule is not BillingTermRuleKind.REGRET:
        yield Issue(("keep_charges",), f"goes only with rule: {BillingTermRuleKind.REGRET}")
    is_counted = rule.max_times is not None or rule.max_total_days is not None
    if rule.within and not is_counted:
        yield Issue(("within",), "goes with max_times or max_total_days")


class BillingTermDefinition(Entity):
    """Rules that validate processes on subscriptions or jobs by their billing term; one active of each."""

    classification: Classification = Field(default=Classification.SUBSCRIPTIONS, description="What it governs.")
    rules: Many[BillingTermRule] = Field(default=(), description="Rules.")
