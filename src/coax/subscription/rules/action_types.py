"""The operator's own types of actions: which may be named for what, and what they ask for (R129-R131)."""

from __future__ import annotations

from coax.configuration.types.action_type import ActionType
from coax.subscription.rules.policy import Policy
from coax.subscription.rules.refusals import ActionRefused
from coax.subscription.types.actions import ActionRequest


def check_action_type(request: ActionRequest, policy: Policy) -> None:
    """Check the type and sub-type that an action names. Each behaviour's own name is a type too.

    Raises: ActionRefused.
    """
    if request.action_type in {"", request.behaviour.value}:
        if request.sub_action_type:
            raise ActionRefused("sub_action_type", "sub_action_type: goes only with a configured action type.")
        return
    found = policy.action_types.get(request.action_type)
    if found is None or found.behaviour is not request.behaviour:
        own = [code for code, kind in policy.action_types.items() if kind.behaviour is request.behaviour]
        allowed = ", ".join([request.behaviour.value, *sorted(own)])
        raise ActionRefused("action_type", f"action_type: {request.action_type!r} is not allowed; allowed: {allowed}.")
    _check_sub_type(request, found)
    if found.reason_required and not request.reason.strip():
        raise ActionRefused("reason", f"reason: empty is not allowed; action type {found.code!r} asks for one.")


def _check_sub_type(request: ActionRequest, found: ActionType) -> None:
    codes = [one.code for one in found.sub_types]
    if request.sub_action_type in codes or (not codes and not request.sub_action_type):
        return
    allowed = ", ".join(codes) or f"none, {found.code!r} has no sub-types"
    raise ActionRefused(
        "sub_action_type", f"sub_action_type: {request.sub_action_type!r} is not allowed; allowed: {allowed}."
    )
