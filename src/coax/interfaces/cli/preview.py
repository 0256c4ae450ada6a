"""`coax preview`: the next bill of one account, without billing it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from coax.base.clock import tenant_today
from coax.base.money import micro_to_decimal
from coax.base.tenancy import tenant_transaction
from coax.interfaces.cli.bills import print_bill
from coax.interfaces.cli.shared import (
    AsJson,
    TenantCode,
    find_actor,
    open_tenant,
    parse_date,
    print_json,
    problems_reported,
)
from coax.party.queries.accounts import get_account
from coax.process.billing_run.describe import describe_preview
from coax.process.billing_run.plan import RunRequest
from coax.process.billing_run.preview import preview_bill
from coax.process.bills.compose import compose_document
from coax.process.bills.documents import make_pdf
from coax.process.bills.export import write_whole


def preview(
    account: str,
    tenant: TenantCode = None,
    on: Annotated[str | None, typer.Option("--on", help="Execution date; by default today.")] = None,
    bill_as_of: Annotated[str | None, typer.Option("--bill-as-of", help="Default per definition.")] = None,
    pdf: Annotated[Path | None, typer.Option("--pdf", dir_okay=False, help="Write it as PDF.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what an account's next bill would be; nothing is billed."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        with tenant_transaction(operator.id):
            account_id = get_account(operator.id, account).account_id
            today = tenant_today(operator.id)
        found = preview_bill(
            tenant=operator,
            account_id=account_id,
            request=RunRequest(
                execution_date=parse_date(on, "--on") or today,
                bill_as_of=parse_date(bill_as_of, "--bill-as-of"),
                actor=find_actor(),
            ),
        )
        if pdf is not None and found.facts is not None:
            write_whole(pdf, make_pdf(found.facts))
        if as_json:
            print_json(describe_preview(found))
            return
        console = Console(highlight=False)
        if found.facts is None:
            console.print(f"{account} would get no bill.")
        else:
            print_bill(compose_document(found.facts), None, operator)
        for row in found.not_billed:
            amount = micro_to_decimal(row["amount_micro"])
            console.print(f"Not billed: {row['service_code']} {row['outcome']} ({row['reason']}), {amount}")
