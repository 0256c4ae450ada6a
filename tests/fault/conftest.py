"""The planned run that the fault tests disturb, and the same run undisturbed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

import pytest

from coax.base.embedded import Cluster
from tests.fault.billing_runs import RUN, Copy, make_copy, prepare
from tests.fault.embedded_servers import a_place

TEMPLATE = "planned"


@dataclass(frozen=True)
class Undisturbed:
    """What the run leaves when nothing happens to it."""

    dump: dict[str, list[str]]
    bills: dict[int, bytes]


@pytest.fixture(scope="session")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A server with the database `planned`."""
    with a_place() as place:
        cluster = Cluster.at(place / "data")
        cluster.start()
        prepare(cluster, TEMPLATE, tmp_path_factory.mktemp("subscribers"))
        yield cluster


@pytest.fixture(scope="session")
def make_disturbed(planned: Cluster) -> Callable[[], Copy]:
    """Give one more copy of the planned run."""
    numbers = count(1)
    return lambda: make_copy(planned, TEMPLATE, f"disturbed_{next(numbers)}")


@pytest.fixture
def disturbed(make_disturbed: Callable[[], Copy]) -> Copy:
    return make_disturbed()


@pytest.fixture(scope="session")
def undisturbed(planned: Cluster) -> Undisturbed:
    copy = make_copy(planned, TEMPLATE, "undisturbed")
    assert copy.start("run", "billing", "--resume", str(RUN), "--workers", "2").finish().code == 0
    assert copy.broken_promises() == []
    return Undisturbed(copy.dump(), copy.bills())
