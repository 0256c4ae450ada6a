"""Receivable definitions: due dates, allocation, credit ratings and the credit limit (C5, reference 6.1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, Self

from pydantic import Field, StringConstraints, model_validator

from coax.configuration.types.entity import Entity
from coax.configuration.types.fields import (
    AtLeastOne,
    Choice,
    CivilDate,
    DayOfMonth,
    Issue,
    Price,
    Spec,
    refuse,
)

DUE_DAYS_MAX: Final = 366
DEFAULT_CREDIT_RATINGS: Final = ("AAA", "AA", "A", "BAA", "BA", "B", "CAA", "CA", "C")

CreditRating = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9+-]{0,9}$")]


class DueDateRuleKind(Choice):
    DAY_OF_NEXT_MONTH = "day_of_next_month"
    DAYS_AFTER_TRANSACTION = "days_after_transaction"
    FIXED_DATE = "fixed_date"


class AllocationPrinciple(Choice):
    FIFO = "fifo"
    AGAINST_ITEM_AND_FIFO = "against_item_and_fifo"


class DueDate(Spec):
    """When a bill is due; the next month is counted from the run's execution month (C5)."""

    rule: DueDateRuleKind = Field(description="A day of the next month, days after the transaction, or one date.")
    day: DayOfMonth | None = Field(default=None, description="Day of the next month; 31 is the month's last.")
    days: Annotated[int, Field(ge=0, le=DUE_DAYS_MAX)] | None = Field(
        default=None, description="Days after the transaction date."
    )
    date: CivilDate | None = Field(default=None, description="The fixed date.")

    @model_validator(mode="after")
    def _rule_has_its_value(self) -> Self:
        refuse("due_date", list(_check_due_date(self)))
        return self


_VALUE_OF_RULE: Final = {
    DueDateRuleKind.DAY_OF_NEXT_MONTH: "day",
    DueDateRuleKind.DAYS_AFTER_TRANSACTION: "days",
    DueDateRuleKind.FIXED_DATE: "date",
}


def _check_due_date(due_date: DueDate) -> Iterator[Issue]:
    for rule, key in _VALUE_OF_RULE.items():
        value = getattr(due_date, key)
        if (rule is due_date.rule) and value is None:
            yield Issue((key,), f"required by rule: {rule}")
        if (rule is not due_date.rule) and value is not None:
            yield Issue((key,), f"has no meaning with rule: {due_date.rule}", value)


class ProximityRange(Spec):
    """How many days an account's or a run's due date may lie before or after the rule's."""

    minus_days: int = Field(default=0, ge=0, le=DUE_DAYS_MAX, description="Days earlier.")
    plus_days: int = Field(default=0, ge=0, le=DUE_DAYS_MAX, description="Days later.")


class Overpayment(Choice):
    """What becomes of money above the bill that it is meant for."""

    CREDIT = "credit"
    REFUSE = "refuse"


class ReceivableDefinition(Entity):
    """Rules of customers' accounts; only one is active."""

    due_date: DueDate = Field(description="When bills are due.")
    proximity: ProximityRange = Field(default=ProximityRange(), description="Allowed deviation of the due date.")
    allocation_principle: AllocationPrinciple = Field(
        default=AllocationPrinciple.FIFO, description="Which debits a credit settles first."
    )
    credit_ratings: AtLeastOne[CreditRating] = Field(
        default=DEFAULT_CREDIT_RATINGS, description="Credit ratings, best first."
    )
    overpayment: Overpayment = Field(
        default=Overpayment.CREDIT,
        description="Money above the bill that it is meant for becomes a credit, or is refused.",
    )
    refund_approval_above: Price | None = Field(
        default=None, description="A refund above this waits for a second person, in major units; empty for none."
    )
    default_credit_limit: Price | None = Field(
        default=None, description="What a new account may owe, in major units; empty for no limit (R113)."
    )

    @model_validator(mode="after")
    def _ratings_are_unique(self) -> Self:
        if len(set(self.credit_ratings)) != len(self.credit_ratings):
            refuse("receivable_definition", [Issue(("credit_ratings",), "a rating is listed twice")])
        return self
