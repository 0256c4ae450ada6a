"""`coax action`: what may happen to a subscription, from activation to cancellation."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from coax.base.clock import tenant_today
from coax.base.money import parse_micro
from coax.base.tenancy import Tenant, tenant_transaction
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
from coax.interfaces.cli.usage_options import (
    Catalog,
    Category,
    Destination,
    Device,
    Method,
    NotBilled,
    Reference,
    Source,
    SourceSystem,
    UsageAmount,
    UsageTypeCode,
    UsedFrom,
    UsedTo,
    make_usage_detail,
)
from coax.process.billing_run.describe import describe_preview
from coax.process.bills.compose import compose_document
from coax.process.subscription_actions.perform import (
    call_off_action,
    describe_effects,
    preview_action,
    submit_action,
)
from coax.subscription.queries.codes import get_subscription_key
from coax.subscription.queries.due_actions import find_actions
from coax.subscription.types.actions import ActionRequest, ActionState, Amendment, Behaviour, UsageDetail

app = typer.Typer(help="Actions on subscriptions: at once, on a day to come, or only previewed.", no_args_is_help=True)

On = Annotated[str | None, typer.Option("--on", help="Day it happens; a later one schedules it. By default today.")]
Until = Annotated[str | None, typer.Option("--until", help="First day on which a state for a time is over.")]
Service = Annotated[str | None, typer.Option("--service", help="The service it is about.")]
ProductCode = Annotated[str | None, typer.Option("--product", help="The service that is added or comes in its place.")]
NewCode = Annotated[str | None, typer.Option("--as", help="Code of the new service; by default its product's.")]
Quantity = Annotated[int, typer.Option("--quantity", help="How many.")]
Price = Annotated[str | None, typer.Option("--price", help="Agreed price, in place of the price plan's.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for those who read it later.")]
TypeOfAction = Annotated[str, typer.Option("--type", help="Your own action type, as configured.")]


@app.command("do")
def perform(
    behaviour: Behaviour,
    subscription: str,
    tenant: TenantCode = None,
    on: On = None,
    until: Until = None,
    service: Service = None,
    product: ProductCode = None,
    new_code: NewCode = None,
    quantity: Quantity = 1,
    price: Price = None,
    amendment: Annotated[
        Amendment | None, typer.Option("--binding", help="What becomes of the binding period.")
    ] = None,
    scheme: Annotated[str | None, typer.Option("--scheme", help="New billing term scheme.")] = None,
    plan: Annotated[str | None, typer.Option("--plan", help="New price plan.")] = None,
    frequency: Annotated[str | None, typer.Option("--frequency", help="New billing frequency.")] = None,
    cycle_day: Annotated[int | None, typer.Option("--cycle-day", help="New day of the billing cycle.")] = None,
    agreed_on: Annotated[str | None, typer.Option("--agreed-on", help="Day the amendment was signed.")] = None,
    binding_period: Annotated[str | None, typer.Option("--binding-period", help="New binding, such as annual.")] = None,
    binding_start: Annotated[str | None, typer.Option("--binding-start", help="Its first day.")] = None,
    extension_days: Annotated[int | None, typer.Option("--extension-days", help="Days a binding grows by.")] = None,
    duration: Annotated[int, typer.Option("--duration", help="Units of a duration-tiered rate, of an expense.")] = 0,
    location: Annotated[str | None, typer.Option("--location", help="Where it is served from now on.")] = None,
    account: Annotated[str | None, typer.Option("--account", help="The account that it goes to.")] = None,
    bundle: Annotated[str | None, typer.Option("--bundle", help="The bundle that is amended.")] = None,
    holding: Annotated[
        list[str] | None,
        typer.Option("--holding", help="A service that the bundle is to hold; repeatable. None: it ends."),
    ] = None,
    charge: Annotated[str | None, typer.Option("--charge", help="The charge or usage that is taken back.")] = None,
    usage_type: UsageTypeCode = "",
    catalog: Catalog = "",
    not_billed: NotBilled = False,
    amount: UsageAmount = None,
    used_from: UsedFrom = None,
    used_to: UsedTo = None,
    source_system: SourceSystem = "",
    reference: Reference = "",
    source: Source = "",
    destination: Destination = "",
    device: Device = "",
    method: Method = "",
    category: Category = "",
    reason: Reason = "",
    action_type: TypeOfAction = "",
    sub_type: Annotated[str, typer.Option("--sub-type", help="Your own finer name within the type.")] = "",
    key: Annotated[str | None, typer.Option("--key", help="Idempotency key: done once however often asked.")] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Show changes and next bill; change nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Perform an action, such as `coax action do rest S-1 --until 2026-08-21`."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        with tenant_transaction(operator.id):
            today = tenant_today(operator.id)
        usage = make_usage_detail(
            operator,
            usage_type=usage_type,
            catalog=catalog,
            not_billed=not_billed,
            amount=amount,
            used_from=used_from,
            used_to=used_to,
            source_system=source_system,
            reference=reference,
            source=source,
            destination=destination,
            device=device,
            method=method,
            category=category,
        )
        request = ActionRequest(
            subscription_code=subscription,
            behaviour=behaviour,
            performed_on=parse_date(on, "--on") or today,
            action_type=action_type,
            sub_action_type=sub_type,
            reason=reason,
            ends_on=parse_date(until, "--until"),
            service_code=service,
            new_service_code=new_code,
            product_code=product,
            quantity=quantity,
            agreed_price_micro=parse_micro(price) if price else None,
            amendment=amendment,
            scheme_code=scheme,
            price_plan_code=plan,
            frequency=frequency,
            cycle_day=cycle_day,
            agreement_date=parse_date(agreed_on, "--agreed-on"),
            binding_period=binding_period,
            binding_start_date=parse_date(binding_start, "--binding-start"),
            extension_days=extension_days,
            duration=duration,
            location=location,
            account_code=account,
            charge_code=charge,
            bundle_code=bundle,
            product_codes=tuple(holding or ()),
            usage=None if usage == UsageDetail() else usage,
        )
        if preview:
            _show_preview(operator, request, as_json=as_json)
            return
        submit(operator, request, key, as_json=as_json)


def submit(tenant: Tenant, request: ActionRequest, key: str | None, *, as_json: bool) -> None:
    """Perform or schedule an action, and print what became of it."""
    answer, is_repeated = submit_action(tenant=tenant, request=request, actor=find_actor(), idempotency_key=key)
    if as_json:
        print_json({**answer, "repeated": is_repeated})
        return
    console = Console(highlight=False)
    again = " (done before)" if is_repeated else ""
    console.print(f"Action {answer['action']} is {answer['state']} for {answer['on']}{again}.")
    _print_changes(console, answer.get("changes", []))


@app.command("list")
def list_all(
    subscription: Annotated[str | None, typer.Argument(help="Only of this subscription.")] = None,
    tenant: TenantCode = None,
    state: Annotated[ActionState | None, typer.Option("--state", help="Only these.")] = None,
    as_json: AsJson = False,
) -> None:
    """List actions, the latest first; scheduled ones by their day."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        with tenant_transaction(operator.id):
            key = get_subscription_key(tenant_id=operator.id, code=subscription) if subscription else None
            rows = find_actions(
                tenant_id=operator.id,
                account_id=key.account_id if key else None,
                subscription_id=key.subscription_id if key else None,
                state=state,
            )
        if as_json:
            print_json({"actions": [asdict(row) for row in rows]})
            return
        table = Table(box=None, pad_edge=False)
        for name in ("Action", "Day", "What", "Subscription", "Service", "State", "By", "Reason"):
            table.add_column(name)
        for row in rows:
            table.add_row(
                str(row.action_id),
                str(row.performed_on),
                row.behaviour.replace("_", " "),
                row.subscription_code,
                row.service_code or "",
                row.state,
                row.submitted_by,
                row.detail or row.reason,
            )
        Console(highlight=False).print(table if rows else "There are no actions.")


@app.command("cancel")
def cancel(action: int, tenant: TenantCode = None, reason: Reason = "", as_json: AsJson = False) -> None:
    """Call a scheduled action off."""
    with problems_reported(as_json=as_json):
        operator = open_tenant(tenant)
        call_off_action(tenant=operator, action_id=action, actor=find_actor(), reason=reason)
        if as_json:
            print_json({"action": action, "state": ActionState.CANCELLED})
            return
        Console(highlight=False).print(f"Action {action} is called off.")


def _show_preview(tenant: Tenant, request: ActionRequest, *, as_json: bool) -> None:
    found = preview_action(tenant=tenant, request=request, actor=find_actor())
    changes = describe_effects(found.effects)
    if as_json:
        print_json({"changes": changes, **describe_preview(found.bill)})
        return
    console = Console(highlight=False)
    _print_changes(console, changes)
    if found.bill.facts is None:
        console.print("The account would get no bill.")
    else:
        print_bill(compose_document(found.bill.facts), None, tenant)


def _print_changes(console: Console, changes: list[str]) -> None:
    for line in changes:
        console.print(f"  {line}")
