"""Values of billing: runs with their steps and outcomes (`runs`), the bill as a document (`document`)."""

from coax.billing.types.runs import (
    OPEN_STATES,
    STEP_ORDER,
    AssemblyRules,
    BillClassification,
    Outcome,
    RunCriteria,
    RunKind,
    RunRow,
    RunState,
    RunStep,
)

__all__ = [
    "OPEN_STATES",
    "STEP_ORDER",
    "AssemblyRules",
    "BillClassification",
    "Outcome",
    "RunCriteria",
    "RunKind",
    "RunRow",
    "RunState",
    "RunStep",
]
