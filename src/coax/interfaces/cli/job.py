"""`coax job`: orders of goods and work, from the order to the bill."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from coax.base.money import micro_to_decimal, minor_to_decimal, parse_micro
from coax.base.tenancy import Tenant, tenant_transaction
from coax.configuration.types.job_type import JobState
from coax.interfaces.cli.bills import print_bill
from coax.interfaces.cli.shared import (
    AsJson,
    PairUnreadable,
    TenantCode,
    find_actor,
    open_tenant,
    parse_date,
    print_json,
    problems_reported,
    read_pair,
)
from coax.party.queries.accounts import get_account
from coax.process.bills.compose import compose_document
from coax.process.bills.publish import to_data
from coax.process.jobs.complete import perform_completion, quote_job
from coax.process.jobs.order import change_job, order_job
from coax.subscription.operations.job_change import (
    JobContext,
    add_job_line,
    equip_job_line,
    move_job,
    plan_job,
    remove_job_line,
)
from coax.subscription.queries.jobs import find_job_events, find_job_lines, find_jobs, get_job
from coax.subscription.types.items import ItemCondition
from coax.subscription.types.jobs import (
    ItemOrder,
    JobLineRow,
    JobOrder,
    JobRequest,
    JobRow,
    JobVerb,
    LineRequest,
    Plan,
    SaleOrder,
    ServiceOrder,
)

app = typer.Typer(help="Jobs: orders of goods and work, planned, done and billed.", no_args_is_help=True)

Reason = Annotated[str, typer.Option("--reason", help="Why, for those who read it later.")]
Start = Annotated[str | None, typer.Option("--start", help="Day on which it begins.")]
Expected = Annotated[str | None, typer.Option("--expected", help="Day on which it is to be done.")]
Location = Annotated[str | None, typer.Option("--location", help="Where it is done.")]
Assigned = Annotated[str | None, typer.Option("--assign", help="Who does it.")]
Unit = Annotated[str | None, typer.Option("--unit", help="Organisational unit that owns it.")]
Email = Annotated[str | None, typer.Option("--email", help="How its customer is reached.")]
Phone = Annotated[str | None, typer.Option("--phone", help="How its customer is reached.")]
Key = Annotated[str | None, typer.Option("--key", help="Idempotency key: done once however often asked.")]
Status = Annotated[str | None, typer.Option("--status", help="Own status of the job's type within its state.")]
Price = Annotated[str | None, typer.Option("--price", help="Agreed price of one, in place of the price plan's.")]
Quantity = Annotated[int, typer.Option("--quantity", help="How many.")]
Duration = Annotated[int, typer.Option("--duration", help="Units of a duration-tiered rate.")]


@app.command("order")
def order(
    account: str,
    job_type: str,
    tenant: TenantCode = None,
    subscription: Annotated[str | None, typer.Option(help="The subscription that it is about.")] = None,
    line: Annotated[
        list[str] | None, typer.Option("--line", help="A good or work, PRODUCT or PRODUCT=QUANTITY; repeatable.")
    ] = None,
    scheme: Annotated[str | None, typer.Option(help="Billing term scheme of its contract.")] = None,
    plan: Annotated[str | None, typer.Option(help="Price plan of its contract.")] = None,
    agreed_on: Annotated[str | None, typer.Option(help="Day its contract was signed; by default today.")] = None,
    sell_type: Annotated[str | None, typer.Option(help="New subscription: its type.")] = None,
    sell_scheme: Annotated[str | None, typer.Option(help="New subscription: its billing term scheme.")] = None,
    sell: Annotated[list[str] | None, typer.Option(help="New subscription: a service; repeatable.")] = None,
    sell_plan: Annotated[str | None, typer.Option(help="New subscription: its price plan.")] = None,
    sell_frequency: Annotated[str | None, typer.Option(help="New subscription: how often it is billed.")] = None,
    sell_binding: Annotated[str | None, typer.Option(help="New subscription: binding period.")] = None,
    add: Annotated[list[str] | None, typer.Option(help="A service to be added, by product; repeatable.")] = None,
    cancel: Annotated[list[str] | None, typer.Option(help="A service to be cancelled; repeatable.")] = None,
    swap: Annotated[list[str] | None, typer.Option(help="SERVICE=PRODUCT to be swapped; repeatable.")] = None,
    take_back: Annotated[
        list[str] | None, typer.Option(help="SERIAL=LOCATION of an installed item to be swapped; repeatable.")
    ] = None,
    move_to: Annotated[str, typer.Option(help="The subscription's new location.")] = "",
    start: Start = None,
    expected: Expected = None,
    location: Location = None,
    assign: Assigned = None,
    unit: Unit = None,
    email: Email = None,
    phone: Phone = None,
    private: Annotated[bool, typer.Option(help="Only for its owner's unit.")] = False,
    draft: Annotated[bool, typer.Option(help="Keep it as a draft, to be submitted later.")] = False,
    reason: Reason = "",
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Order a job, such as `coax job order A-1 visit --line decoder`; what completing it does follows from its type."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        sale = None
        if sell or sell_type or sell_scheme:
            sale = SaleOrder(
                subscription_type=sell_type or "",
                scheme=sell_scheme,
                products=tuple(sell or ()),
                price_plan=sell_plan,
                frequency=sell_frequency,
                binding_period=sell_binding,
            )
        request = JobRequest(
            account_code=account,
            job_type=job_type,
            subscription_code=subscription,
            scheme=scheme,
            price_plan=plan,
            agreement_date=parse_date(agreed_on, "--agreed-on"),
            lines=tuple(_read_line(one) for one in line or ()),
            order=JobOrder(
                sale=sale,
                services=_read_services(add, cancel, swap),
                items=tuple(
                    ItemOrder(old_serial=old, location=place, condition=ItemCondition.USED)
                    for old, place in (read_pair(one, "--take-back") for one in take_back or ())
                ),
                location=move_to,
            ),
            plan=_read_plan(start, expected, location, assign, unit, email, phone, is_private=private or None),
            is_draft=draft,
            reason=reason,
        )
        answer, is_repeated = order_job(tenant=operator, request=request, actor=find_actor(), idempotency_key=key)
        if as_json:
            print_json({**answer, "repeated": is_repeated})
            return
        again = " (done before)" if is_repeated else ""
        Console(highlight=False).print(f"Job {answer['job']} is {answer['state']}{again}.")


@app.command("list")
def list_all(
    tenant: TenantCode = None,
    account: Annotated[str | None, typer.Option(help="Only of this account.")] = None,
    state: Annotated[JobState | None, typer.Option(help="Only these; by default those that are open.")] = None,
    job_type: Annotated[str | None, typer.Option("--type", help="Only of this type.")] = None,
    assigned: Annotated[str | None, typer.Option(help="Only of this person.")] = None,
    due_by: Annotated[str | None, typer.Option(help="Only those expected by this day.")] = None,
    as_json: AsJson = False,
) -> None:
    """List jobs by the day on which they are to be done."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        with tenant_transaction(operator.id):
            rows = find_jobs(
                tenant_id=operator.id,
                account_id=get_account(operator.id, account).account_id if account else None,
                state=state,
                job_type=job_type,
                assigned_to=assigned,
                due_by=parse_date(due_by, "--due-by"),
                is_open=state is None and account is None,
            )
        if as_json:
            print_json({"jobs": [asdict(row) for row in rows]})
            return
        table = Table(box=None, pad_edge=False)
        for name in ("Job", "Type", "State", "Expected", "Account", "Subscription", "Assigned to", "Location"):
            table.add_column(name)
        for row in rows:
            state_text = f"{row.state.replace('_', ' ')}{f' ({row.status})' if row.status else ''}"
            table.add_row(
                *(row.code, row.job_type, state_text, str(row.expected_on or "")),
                *(row.account_code, row.subscription_code or "", row.assigned_to, row.location),
            )
        Console(highlight=False).print(table if rows else "There are no jobs.")


@app.command("show")
def show(job: str, tenant: TenantCode = None, as_json: AsJson = False) -> None:
    """Show a job with its lines and its history."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        with tenant_transaction(operator.id):
            row = get_job(tenant_id=operator.id, code=job)
            lines, events = find_job_lines(row), find_job_events(row)
        if as_json:
            print_json({**asdict(row), "lines": [asdict(one) for one in lines], "events": [asdict(e) for e in events]})
            return
        console = Console(highlight=False)
        console.print(f"Job {row.code}: {row.job_type}, {row.state.replace('_', ' ')} {row.status}".rstrip())
        about = f", subscription {row.subscription_code}" if row.subscription_code else ""
        console.print(f"account {row.account_code}{about}")
        for name, value in (
            ("begins", row.start_date),
            ("expected", row.expected_on),
            ("completed", row.completed_on),
            ("where", row.location),
            ("who", row.assigned_to),
            ("contract", row.scheme),
        ):
            if value:
                console.print(f"{name}: {value}")
        console.print(_lines_table(lines) if lines else "No goods and no work.")
        for event in events:
            what = f"{event.performed_on} {event.verb.replace('_', ' ')} by {event.actor}"
            console.print(f"{what}: {event.reason}" if event.reason else what)


@app.command("quote")
def quote(job: str, tenant: TenantCode = None, as_json: AsJson = False) -> None:
    """Show what completing a job would do, the next bill after it, and whether the account can afford it."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        found = quote_job(tenant=operator, code=job, actor=find_actor())
        limit = found.credit_left_minor
        left = None if limit is None else str(minor_to_decimal(limit, operator.currency))
        document = compose_document(found.bill.facts) if found.bill.facts else None
        if as_json:
            print_json(
                {
                    "changes": found.changes,
                    "bill": to_data(document) if document else None,
                    "credit_left": left,
                    "affordable": found.is_affordable,
                }
            )
            return
        console = Console(highlight=False)
        for line in found.changes:
            console.print(f"  {line}")
        if document is None:
            console.print("The account would get no bill.")
        else:
            print_bill(document, None, operator)
        verdict = "enough" if found.is_affordable else "not enough"
        said = "no limit" if left is None else f"{left} {operator.currency}"
        console.print(f"Credit left: {said}, {verdict} for this bill.")


@app.command("plan")
def plan_it(
    job: str,
    tenant: TenantCode = None,
    start: Start = None,
    expected: Expected = None,
    location: Location = None,
    assign: Assigned = None,
    unit: Unit = None,
    email: Email = None,
    phone: Phone = None,
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Say when and where a job is done, and by whom."""
    with problems_reported(as_json=as_json):
        given = _read_plan(start, expected, location, assign, unit, email, phone, is_private=None)
        _change(open_tenant(tenant), lambda c: plan_job(job, given, c), JobVerb.PLAN, reason, as_json=as_json)


@app.command("line")
def line_add(
    job: str,
    product: str,
    tenant: TenantCode = None,
    quantity: Quantity = 1,
    duration: Duration = 0,
    price: Price = None,
    unbilled: Annotated[bool, typer.Option("--unbilled", help="Do not charge it, as for a rented decoder.")] = False,
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Add a good or work to a job."""
    with problems_reported(as_json=as_json):
        line = LineRequest(
            product=product,
            quantity=quantity,
            duration=duration,
            is_billed=False if unbilled else None,
            agreed_price_micro=parse_micro(price) if price else None,
        )
        _change(open_tenant(tenant), lambda c: add_job_line(job, line, c), JobVerb.ADD_LINE, reason, as_json=as_json)


@app.command("unline")
def line_remove(job: str, line: int, tenant: TenantCode = None, reason: Reason = "", as_json: AsJson = False) -> None:
    """Take a line off a job."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        _change(operator, lambda c: remove_job_line(job, line, c), JobVerb.REMOVE_LINE, reason, as_json=as_json)


@app.command("equip")
def equip(
    job: str,
    line: int,
    serials: Annotated[list[str] | None, typer.Argument(help="Serial numbers; none keeps no item any more.")] = None,
    tenant: TenantCode = None,
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Say which items a line delivers; they are kept for the job until it is over."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        chosen = serials or []
        _change(operator, lambda c: equip_job_line(job, line, chosen, c), JobVerb.EQUIP, reason, as_json=as_json)


@app.command("submit")
def submit(
    job: str, tenant: TenantCode = None, status: Status = None, reason: Reason = "", as_json: AsJson = False
) -> None:
    """Submit a draft, so that it is to be done."""
    _move(job, JobVerb.SUBMIT, tenant, status, reason, as_json=as_json)


@app.command("start")
def start_it(
    job: str, tenant: TenantCode = None, status: Status = None, reason: Reason = "", as_json: AsJson = False
) -> None:
    """Begin with a job."""
    _move(job, JobVerb.START, tenant, status, reason, as_json=as_json)


@app.command("put-back")
def put_back(
    job: str, tenant: TenantCode = None, status: Status = None, reason: Reason = "", as_json: AsJson = False
) -> None:
    """Put a job that was begun back among those to be done."""
    _move(job, JobVerb.PUT_BACK, tenant, status, reason, as_json=as_json)


@app.command("note")
def note(
    job: str, tenant: TenantCode = None, status: Status = None, reason: Reason = "", as_json: AsJson = False
) -> None:
    """Note something of a job, or set its status."""
    _move(job, JobVerb.NOTE, tenant, status, reason, as_json=as_json)


@app.command("cancel")
def cancel_it(job: str, tenant: TenantCode = None, reason: Reason = "", as_json: AsJson = False) -> None:
    """Cancel a job; its items are kept for nobody any more."""
    _move(job, JobVerb.CANCEL, tenant, None, reason, as_json=as_json)


@app.command("complete")
def complete(
    job: str,
    tenant: TenantCode = None,
    on: Annotated[str | None, typer.Option("--on", help="Day it was done; by default today.")] = None,
    swap: Annotated[
        list[str] | None, typer.Option("--swap", help="OLD=NEW serial numbers of swapped items; repeatable.")
    ] = None,
    reason: Reason = "",
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Complete a job: what it was for is done, its items are installed, the next run (or Bill Job) bills it."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        answer, is_repeated = perform_completion(
            tenant=operator,
            code=job,
            actor=find_actor(),
            completed_on=parse_date(on, "--on"),
            swaps=dict(read_pair(one, "--swap") for one in swap or ()),
            reason=reason,
            idempotency_key=key,
        )
        if as_json:
            print_json({**answer, "repeated": is_repeated})
            return
        console = Console(highlight=False)
        console.print(f"Job {job} is completed on {answer['on']}{' (done before)' if is_repeated else ''}.")
        for line in answer["changes"]:
            console.print(f"  {line}")


def _move(job: str, verb: JobVerb, tenant: str | None, status: str | None, reason: str, *, as_json: bool) -> None:
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        _change(operator, lambda c: move_job(job, verb, c, status=status), verb, reason, as_json=as_json)


def _change(
    operator: Tenant, change: Callable[[JobContext], JobRow], verb: JobVerb, reason: str, *, as_json: bool
) -> None:
    row = change_job(tenant=operator, actor=find_actor(), change=change, verb=verb, reason=reason)
    if as_json:
        print_json(asdict(row))
        return
    status = f" ({row.status})" if row.status else ""
    Console(highlight=False).print(f"Job {row.code} is {row.state.replace('_', ' ')}{status}.")


def _lines_table(lines: list[JobLineRow]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("Line", "Product", "Quantity", "Price", "Billed", "Items"):
        table.add_column(name)
    for line in lines:
        price = "the plan's" if line.agreed_price_micro is None else str(micro_to_decimal(line.agreed_price_micro))
        billed = "no" if not line.is_billed else "yes" if line.billed_by else "to be"
        table.add_row(str(line.number), line.product, str(line.quantity), price, billed, ", ".join(line.serials))
    return table


def _read_plan(
    start: str | None,
    expected: str | None,
    location: str | None,
    assigned_to: str | None,
    unit: str | None,
    email: str | None,
    phone: str | None,
    *,
    is_private: bool | None,
) -> Plan:
    return Plan(
        start_date=parse_date(start, "--start"),
        expected_on=parse_date(expected, "--expected"),
        location=location,
        assigned_to=assigned_to,
        organisational_unit=unit,
        is_private=is_private,
        contact_email=email,
        contact_phone=phone,
    )


def _read_line(text: str) -> LineRequest:
    product, _, quantity = text.partition("=")
    if quantity and not quantity.isdecimal():
        raise PairUnreadable(f"--line: {text!r} is not readable; allowed: PRODUCT or PRODUCT=QUANTITY.", value=text)
    return LineRequest(product=product, quantity=int(quantity or 1))


def _read_services(
    added: list[str] | None, cancelled: list[str] | None, swapped: list[str] | None
) -> tuple[ServiceOrder, ...]:
    pairs: list[dict[str, Any]] = [{"product": one} for one in added or ()]
    pairs += [{"service": one} for one in cancelled or ()]
    pairs += [dict(zip(("service", "product"), read_pair(one, "--swap"), strict=True)) for one in swapped or ()]
    return tuple(ServiceOrder(**pair) for pair in pairs)
