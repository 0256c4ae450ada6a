"""A clerk receives, installs, pairs, swaps and returns; an item is always in one place."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from typer.testing import CliRunner

from coax.base.errors import DomainError
from coax.base.tenancy import tenant_transaction
from coax.interfaces.cli.item import app
from coax.process.verify import verify_tenant
from coax.subscription.operations.item_import import import_items
from coax.subscription.operations.item_install import install_item
from coax.subscription.operations.item_pair import pair_items
from coax.subscription.operations.item_receive import receive_item
from coax.subscription.operations.item_reserve import reserve_item
from coax.subscription.operations.item_return import return_item
from coax.subscription.operations.item_swap import swap_item
from coax.subscription.operations.item_write_off import write_off_item
from coax.subscription.operations.location_add import add_location
from coax.subscription.queries.codes import get_subscription_key
from coax.subscription.queries.items import find_installed_items, find_movements, get_item
from coax.subscription.types.items import ItemCondition, ItemState
from tests.builders.operators import AnOperator, an_operator

DEED: dict[str, Any] = {"actor": "ann", "performed_on": date(2026, 7, 1), "reason": "order"}


@pytest.fixture
def zx(database: str, tmp_path: Path) -> AnOperator:
    zx = an_operator()
    zx.subscribe(tmp_path, [{"account_code": "A"}, {"account_code": "B"}])
    with tenant_transaction(zx.tenant.id):
        add_location(tenant_id=zx.tenant.id, code="main", name="Warehouse")
        for serial in ("D1", "D2", "D3", "D4"):
            receive_item(tenant_id=zx.tenant.id, serial=serial, good="decoder", location="main", **DEED)
        receive_item(tenant_id=zx.tenant.id, serial="C1", good="smartcard", location="main", **DEED)
    return zx


def do(zx: AnOperator, operation: Any, **values: Any) -> Any:
    with tenant_transaction(zx.tenant.id):
        return operation(tenant_id=zx.tenant.id, **values)


def is_clean(zx: AnOperator) -> bool:
    return all(result.is_kept for result in verify_tenant(tenant=zx.tenant))


def installed(zx: AnOperator, subscription: str) -> list[tuple[str, str | None]]:
    key = do(zx, get_subscription_key, code=subscription)
    rows = do(zx, find_installed_items, account_id=key.account_id)
    return [(row.serial, row.paired_with) for row in rows]


def test_a_broken_decoder_is_swapped(zx: AnOperator) -> None:
    do(zx, install_item, serial="D1", subscription="S-A", **DEED)
    do(zx, install_item, serial="C1", subscription="S-A", **DEED)
    do(zx, pair_items, serial="D1", other="C1")
    do(zx, swap_item, old="D1", new="D2", location="main", condition=ItemCondition.DEFECTIVE, **DEED)
    assert installed(zx, "S-A") == [("D2", "C1"), ("C1", "D2")]
    assert do(zx, get_item, serial="D1").state is ItemState.DEFECTIVE
    do(zx, write_off_item, serial="D1", **DEED)
    do(zx, return_item, serial="D2", location="main", **DEED)
    assert installed(zx, "S-A") == [("C1", None)]
    item = do(zx, get_item, serial="D1")
    assert [row.verb.value for row in do(zx, find_movements, item_id=item.item_id)] == [
        "receive",
        "install",
        "return",
        "write_off",
    ]
    assert is_clean(zx)


def test_the_definition_refuses_a_fourth_item_and_nothing_changes(zx: AnOperator) -> None:
    for serial in ("D1", "D2", "C1"):
        do(zx, install_item, serial=serial, subscription="S-A", **DEED)
    with pytest.raises(DomainError, match="installed_item_rules 1 of main"):
        do(zx, install_item, serial="D3", subscription="S-A", **DEED)
    assert do(zx, get_item, serial="D3").state is ItemState.IN_STOCK
    assert is_clean(zx)


def test_of_two_clerks_one_wins(zx: AnOperator) -> None:
    def work(subscription: str) -> str:
        try:
            do(zx, install_item, serial="D1", subscription=subscription, **DEED)
        except DomainError as fault:
            return fault.code
        finally:
            connections.close_all()
        return "won"

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(work, ("S-A", "S-B")))
    assert results.count("won") == 1
    assert {*results} - {"won"} <= {"item_moved_meanwhile", "item_state_refused"}
    assert is_clean(zx)


def test_planted_faults_are_found(zx: AnOperator) -> None:
    do(zx, install_item, serial="D1", subscription="S-A", **DEED)
    zx.execute("UPDATE subscription_stock_item SET revision = 7 WHERE tenant_id = %s AND serial = 'D2'", zx.tenant.id)
    zx.execute(
        "UPDATE subscription_installed_item SET installed_to = installed_from WHERE tenant_id = %s", zx.tenant.id
    )
    found = {result.check.code for result in verify_tenant(tenant=zx.tenant) if not result.is_kept}
    assert found == {"items_are_where_they_say", "item_histories_have_no_gap"}


def test_a_bad_line_imports_nothing(zx: AnOperator) -> None:
    lines = ["serial,good,location", "N1,decoder,main", "D1,decoder,main"]
    with pytest.raises(DomainError, match="line 3: serial: there is a decoder 'D1' already"):
        do(zx, import_items, lines=lines, **DEED)
    with pytest.raises(DomainError, match="no item 'N1'"):
        do(zx, get_item, serial="N1")
    assert do(zx, import_items, lines=lines[:2], **DEED) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("serial,good,location\n\nN1,decoder,main\nD1,decoder,main\n", "line 4: serial: there is a decoder 'D1'"),
        ("serial,good,location\nN1,decoder,main,used\n", "line 2: it has more cells than the heading"),
        ("serial,good,location\nN1,decoder\n", "line 2: it has fewer cells than the heading"),
        ("serial,good,location\nN1,decoder,main\nN1,decoder,main\n", "line 3: serial: there is a decoder 'N1'"),
        ("serial,good,location\n" + "N" * 140_000 + ",decoder,main\n", "line 2: field larger than field limit"),
        ("serial,good\nN1,decoder\n", "line 1: columns"),
        ("serial,serial,good,location\nN1,N2,decoder,main\n", "line 1: columns"),
        ("", "line 1: columns"),
    ],
)
def test_a_file_that_cannot_be_taken_names_its_line(zx: AnOperator, text: str, said: str) -> None:
    with pytest.raises(DomainError, match=said):
        do(zx, import_items, lines=io.StringIO(text, newline=""), **DEED)
    with pytest.raises(DomainError, match="no item 'N1'"):
        do(zx, get_item, serial="N1")


def test_a_cell_may_hold_any_character(zx: AnOperator) -> None:
    text = 'serial,good,location,mac\r\nN1,decoder,main,"a\u2028b"\r\n'
    assert do(zx, import_items, lines=io.StringIO(text, newline=""), **DEED) == 1


def test_a_file_that_cannot_be_read_is_said_in_words(zx: AnOperator, tmp_path: Path) -> None:
    bad = tmp_path / "items.csv"
    bad.write_bytes(b"serial,good,location\n\xff\xfe,decoder,main\n")
    for file in (bad, tmp_path / "missing.csv"):
        answer = CliRunner().invoke(app, ["import", str(file), "--reason", "order", "--tenant", zx.tenant.code])
        assert answer.exit_code == 1
        assert isinstance(answer.exception, SystemExit)


def test_nothing_is_kept_for_a_subscription_that_is_over(zx: AnOperator) -> None:
    zx.execute("UPDATE subscription_subscription SET state = 'cancelled' WHERE tenant_id = %s", zx.tenant.id)
    with pytest.raises(DomainError, match="is cancelled; nothing is installed"):
        do(zx, reserve_item, serial="D1", subscription="S-A", **DEED)
    assert do(zx, get_item, serial="D1").state is ItemState.IN_STOCK
