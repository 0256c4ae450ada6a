"""Action types: the operator's own names for what is done to subscriptions (R129-R131, reference 3.1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

from pydantic import Field, model_validator

from coax.configuration.types.entity import Entity
from coax.configuration.types.fields import Choice, Code, Issue, Many, Spec, Text, refuse


class Behaviour(Choice):
    """What an action does, whatever its type is called (R129; the behaviour codes of reference 3.1)."""

    CREATE_ACTIVATE = "create_activate"
    CREATE_DRAFT = "create_draft"
    ACTIVATE = "activate"
    DEACTIVATE = "deactivate"
    REST = "rest"
    END_RESTING = "end_resting"
    SHORT_TERM_ACTIVATE = "short_term_activate"
    END_SHORT_TERM_ACTIVATION = "end_short_term_activation"
    SHORT_TERM_DEACTIVATE = "short_term_deactivate"
    END_SHORT_TERM_DEACTIVATION = "end_short_term_deactivation"
    EXTEND_GRACE = "extend_grace"
    CANCEL = "cancel"
    REGRET = "regret"
    START_SERVICE = "start_service"
    STOP_SERVICE = "stop_service"
    ADD_SERVICE = "add_service"
    ADD_SERVICE_AS_DRAFT = "add_service_as_draft"
    CANCEL_SERVICE = "cancel_service"
    REGRET_SERVICE = "regret_service"
    UNDO_ADD_SERVICE = "undo_add_service"
    SWAP_SERVICE = "swap_service"
    AMEND_BUNDLE = "amend_bundle"
    AMEND_BILLING_TERM = "amend_billing_term"
    ADD_EXPENSE = "add_expense"
    CANCEL_EXPENSE = "cancel_expense"
    ADD_SERVICE_USAGE = "add_service_usage"
    CANCEL_SERVICE_USAGE = "cancel_service_usage"
    CHANGE_LOCATION = "change_location"
    CHANGE_ACCOUNT = "change_account"
    REPLACE = "replace"


class SubActionType(Spec):
    """A finer name within a type, with its meaning for the business."""

    code: Code = Field(description="Stable key.")
    name: Text = Field(description="Name that people read.")
    business_classification: str = Field(
        default="", max_length=100, description="What it means for the business, such as churn or win-back."
    )


class ActionType(Entity):
    """A name for actions of one behaviour; without any, each behaviour is a type of its own."""

    behaviour: Behaviour = Field(description="What actions of the type do.")
    business_classification: str = Field(
        default="", max_length=100, description="What it means for the business, such as churn or win-back."
    )
    reason_required: bool = Field(default=False, description="Whoever acts says why.")
    sub_types: Many[SubActionType] = Field(default=(), description="Finer names; if there are any, one is chosen.")

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        refuse("action_type", list(_check(self)))
        return self


def _check(action_type: ActionType) -> Iterator[Issue]:
    seen: set[str] = set()
    for i, sub_type in enumerate(action_type.sub_types):
        if sub_type.code in seen:
            yield Issue(("sub_types", i, "code"), "the sub-type is listed twice", sub_type.code)
        seen.add(sub_type.code)
