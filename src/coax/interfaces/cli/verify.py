"""`coax verify`: prove the books of an operator, or of all.

Exit codes: 0 every promise holds; 1 one is broken; 2 wrong usage; 3 the database cannot be reached.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from coax.base.tenancy import Tenant, get_tenant, list_tenant_codes
from coax.interfaces.cli.shared import (
    PROBLEM,
    AsJson,
    StepProgress,
    TenantCode,
    open_tenant,
    print_json,
    problems_reported,
)
from coax.interfaces.site.bootstrap import open_database
from coax.process.verify import CHECKS, Check, CheckResult, verify_tenant


def verify(
    tenant: TenantCode = None,
    every: Annotated[bool, typer.Option("--all", help="All operators.")] = False,
    only: Annotated[list[str] | None, typer.Option("--check", help="Only this check; may be repeated.")] = None,
    as_json: AsJson = False,
) -> None:
    """Prove that what is stored keeps every promise of the books; name the first rows that break one."""
    checks = _choose_checks(only)
    if every and tenant is not None:
        raise typer.BadParameter("give either --tenant or --all", param_hint="--all")
    with problems_reported(as_json=as_json):
        operators = _open_all() if every else [open_tenant(tenant)]
        results = {operator.code: _verify(operator, checks, is_shown=not as_json) for operator in operators}
        if as_json:
            print_json(_describe(results))
        else:
            _print(results)
        if not _all_kept(results):
            raise typer.Exit(PROBLEM)


def _choose_checks(only: list[str] | None) -> Sequence[Check]:
    if not only:
        return CHECKS
    known = {check.code: check for check in CHECKS}
    unknown = [code for code in only if code not in known]
    if unknown:
        raise typer.BadParameter(f"{unknown[0]!r} is no check; there are: {', '.join(known)}", param_hint="--check")
    return [check for check in CHECKS if check.code in only]


def _open_all() -> list[Tenant]:
    open_database()
    return [get_tenant(code) for code in list_tenant_codes()]


def _verify(tenant: Tenant, checks: Sequence[Check], *, is_shown: bool) -> list[CheckResult]:
    with StepProgress(is_shown=is_shown) as progress:
        return verify_tenant(tenant=tenant, checks=checks, progress=progress)


def _all_kept(results: dict[str, list[CheckResult]]) -> bool:
    return all(result.is_kept for checked in results.values() for result in checked)


def _describe(results: dict[str, list[CheckResult]]) -> dict[str, Any]:
    return {
        "is_kept": _all_kept(results),
        "tenants": [
            {
                "tenant": code,
                "is_kept": all(result.is_kept for result in checked),
                "checks": [result.as_dict() for result in checked],
            }
            for code, checked in results.items()
        ],
    }


def _print(results: dict[str, list[CheckResult]]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for code, checked in results.items():
        broken = sum(not result.is_kept for result in checked)
        console.print(Text(f"{code}: {len(checked) - broken} of {len(checked)} checks hold", style="bold"))
        for result in checked:
            _print_result(console, result)


def _print_result(console: Console, result: CheckResult) -> None:
    mark, style = ("holds ", "green") if result.is_kept else ("BROKEN", "bold red")
    console.print(Text.assemble("  ", (mark, style), "  ", (f"{result.check.code:<38}", style), result.check.promise))
    for row in result.rows:
        console.print(Text("            " + ", ".join(f"{name} {value}" for name, value in row.items()), style="red"))
    if result.is_more:
        console.print(Text("            and more", style="red"))
