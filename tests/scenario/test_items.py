"""A clerk receives, installs, pairs, swaps and returns; an item is always in one place."""

from __future__ import annotations

import io
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from typer.testing import CliRunner

from coax.base.clock import set_simulated_clock
from coax.base.errors import DomainError
from coax.base.tenancy import tenant_transaction
from coax.interfaces.cli.item import app
from coax.process.subscription_actions.perform import submit_action
from coax.process.verify import verify_tenant
from coax.subscription.operations.item_import import import_items
from coax.subscription.operations.item_install import install_item
from coax.subscription.operations.item_pair import pair_items
from coax.subscription.operations.item_receive import receive_item
from coax.subscription.operations.item_reserve import reserve_item
from coax.subscription.operations.item_return import return_item
from coax.subscription.operations.item_swap import swap_item
from coax.subscription.operations.item_test import record_item_test
from coax.subscription.operations.item_unpair import unpair_item
from coax.subscription.operations.item_write_off import write_off_item
from coax.subscription.operations.location_add import add_location
from coax.subscription.queries.codes import get_subscription_key
from coax.subscription.queries.items import find_installed_items, find_movements, get_item
from coax.subscription.rules.items import SOURCES, check_verb
from coax.subscription.types.actions import ActionRequest, Behaviour
from coax.subscription.types.items import ItemCondition, ItemState, ItemVerb
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
    do(zx, pair_items, serial="D1", other="C1", **DEED)
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
        "pair",
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
        assert answer.exit_code == 2
        assert isinstance(answer.exception, SystemExit)


def test_nothing_is_kept_for_a_subscription_that_is_over(zx: AnOperator) -> None:
    zx.execute("UPDATE subscription_subscription SET state = 'cancelled' WHERE tenant_id = %s", zx.tenant.id)
    with pytest.raises(DomainError, match="is cancelled; nothing is installed"):
        do(zx, reserve_item, serial="D1", subscription="S-A", **DEED)
    assert do(zx, get_item, serial="D1").state is ItemState.IN_STOCK


def coax(zx: AnOperator, *words: str) -> Any:
    answer = CliRunner().invoke(app, [*words, "--tenant", zx.tenant.code, "--json"])
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.stdout)


def test_every_verb_at_the_keyboard(zx: AnOperator) -> None:
    do(zx, add_location, code="shop", name="Shop")
    said = ["--reason", "order", "--on", "2026-07-01"]
    steps = (
        ["receive", "E1", "decoder", "--location", "main", "--mac", "02:00:00:00:00:01", "--condition", "used"],
        ["transfer", "E1", "--location", "shop"],
        ["reserve", "E1", "S-A"],
        ["unreserve", "E1"],
        ["install", "E1", "S-A"],
        ["return", "E1", "--location", "shop"],
        ["test", "E1", "--condition", "used"],
        ["lost", "E1"],
        ["find", "E1", "--location", "main"],
        ["test", "E1", "--condition", "defective"],
        ["write-off", "E1"],
    )
    states = [coax(zx, *step, *said)["items"][0]["state"] for step in steps]
    assert states == [
        "in_stock",
        "in_stock",
        "reserved",
        "in_stock",
        "installed",
        "returned",
        "in_stock",
        "lost",
        "returned",
        "defective",
        "written_off",
    ]
    shown = coax(zx, "show", "E1")
    assert [move["verb"] for move in shown["history"]][:4] == ["receive", "transfer", "reserve", "unreserve"]
    assert (shown["item"]["mac"], shown["item"]["condition"]) == ("02:00:00:00:00:01", "defective")
    assert is_clean(zx)


def test_pairs_are_made_and_parted_and_remembered(zx: AnOperator) -> None:
    for serial in ("D1", "C1"):
        do(zx, install_item, serial=serial, subscription="S-A", **DEED)
    said = ["--reason", "order", "--on", "2026-07-02"]
    coax(zx, "pair", "D1", "C1", *said)
    assert installed(zx, "S-A") == [("D1", "C1"), ("C1", "D1")]
    coax(zx, "unpair", "C1", *said)
    assert installed(zx, "S-A") == [("D1", None), ("C1", None)]
    for serial in ("D1", "C1"):
        item = do(zx, get_item, serial=serial)
        assert [row.verb for row in do(zx, find_movements, item_id=item.item_id)][2:] == ["pair", "unpair"]
    with pytest.raises(DomainError, match="'C1' has no pair"):
        do(zx, unpair_item, serial="C1", **{**DEED, "performed_on": date(2026, 7, 2)})
    with pytest.raises(DomainError, match="'D2' is in_stock; unpair is allowed from installed"):
        do(zx, unpair_item, serial="D2", **DEED)
    assert is_clean(zx)


def test_several_goods_with_one_serial_number_are_told_apart(zx: AnOperator) -> None:
    do(zx, receive_item, serial="D1", good="smartcard", location="main", **DEED)
    with pytest.raises(DomainError, match="several goods have the serial number 'D1'"):
        do(zx, install_item, serial="D1", subscription="S-A", **DEED)
    coax(zx, "install", "D1", "S-A", "--good", "smartcard", "--reason", "order", "--on", "2026-07-01")
    assert do(zx, get_item, serial="D1", good="decoder").state is ItemState.IN_STOCK


def test_what_was_in_use_is_never_new_again(zx: AnOperator) -> None:
    do(zx, install_item, serial="D1", subscription="S-A", **DEED)
    do(zx, return_item, serial="D1", location="main", **DEED)
    with pytest.raises(DomainError, match="'D1' was in use; allowed are used, defective"):
        do(zx, record_item_test, serial="D1", condition=ItemCondition.NEW, **DEED)


def test_what_stands_at_a_customer_who_left_is_to_come_back(zx: AnOperator) -> None:
    do(zx, install_item, serial="D1", subscription="S-A", **DEED)
    do(zx, install_item, serial="D2", subscription="S-B", **DEED)
    assert coax(zx, "due-back") == []
    request = ActionRequest(subscription_code="S-A", behaviour=Behaviour.CANCEL, performed_on=date(2026, 7, 5))
    with tenant_transaction(zx.tenant.id):
        set_simulated_clock(tenant_id=zx.tenant.id, at=datetime(2026, 7, 5, 9, tzinfo=UTC))
    submit_action(tenant=zx.tenant, request=request, actor="ann")
    assert [(row["serial"], row["subscription"], row["installed_to"]) for row in coax(zx, "due-back")] == [
        ("D1", "S-A", "2026-07-05")
    ]


@pytest.mark.parametrize("verb", [verb for verb in SOURCES if verb is not ItemVerb.RECEIVE])
@pytest.mark.parametrize("state", ItemState)
def test_each_verb_goes_from_its_states_and_no_others(verb: ItemVerb, state: ItemState) -> None:
    if state in SOURCES[verb]:
        check_verb(verb, state=state, serial="D1")
        return
    with pytest.raises(DomainError, match=f"'D1' is {state}; {verb} is allowed from"):
        check_verb(verb, state=state, serial="D1")
