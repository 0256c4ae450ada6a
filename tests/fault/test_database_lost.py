"""The database of COAX_DATABASE_URL is down, or goes down in the middle of a run: a message, and nothing by halves."""

from __future__ import annotations

from tests.builders.commands import wait_until
from tests.fault.billing_runs import RUN, Copy
from tests.fault.conftest import Undisturbed

RESUME = ("run", "billing", "--resume", str(RUN), "--workers", "1")
BALANCES_OF_PART_2 = f"""SELECT FROM billing_run r JOIN billing_run_part p ON p.run_id = r.id
    JOIN ledger_account_balance b ON b.tenant_id = p.tenant_id AND b.bucket BETWEEN p.first_bucket AND p.last_bucket
    WHERE r.number = {RUN} AND p.part = 2 FOR UPDATE OF b"""


def test_a_database_that_is_down_is_named(disturbed: Copy) -> None:
    before = disturbed.dump()
    disturbed.cluster.stop()
    with disturbed.start(*RESUME, by_url=True) as command:
        ended = command.finish()
    assert (ended.code, ended.out) == (3, "")
    assert ended.message.startswith("The database does not answer: ")
    disturbed.cluster.start()
    assert disturbed.dump() == before


def test_a_database_lost_while_posting_has_whole_parts_only(disturbed: Copy, undisturbed: Undisturbed) -> None:
    with disturbed.locked(BALANCES_OF_PART_2) as holder, disturbed.start(*RESUME, by_url=True) as command:
        wait_until(lambda: disturbed.count_blocked(holder) == 1, "the third part about to be posted")
        before = disturbed.dump()
        disturbed.cluster.stop("immediate")
        ended = command.finish()
    assert (ended.code, ended.out) == (3, "")
    assert "The database does not answer or gave up in the middle: " in ended.message
    assert ended.message.endswith("What was committed stays; start the command again, or resume the run.")
    disturbed.cluster.start()
    assert disturbed.dump() == before
    assert (disturbed.state(), disturbed.parts()) == ("posting", ["posted", "posted", "assembling", "assembling"])
    assert disturbed.broken_promises() == []

    with disturbed.start(*RESUME, by_url=True) as command:
        assert command.finish().code == 0
    assert disturbed.bills() == undisturbed.bills
    assert disturbed.dump() == undisturbed.dump
