"""The table of hostile servers: each host fails exactly the controls it should, next to a good one that fails none."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gatepost.demo.stage import aside
from gatepost.demo.world import open_world
from gatepost.edge.net import Patience
from gatepost.model.audit import Audit
from gatepost.model.observation import Unobserved
from gatepost.model.words import Outcome
from lab.hostile import DOMAIN, TABLE, Hostile, places
from tests.verdicts import audited, by_host

QUICK = Patience(connect=2.0, answer=5.0, whole=15.0)  # a first contact gets its full patience all the same
BUDGET = 90.0  # seconds: one endpoint that drips for ever may cost its minute, once

pytestmark = [
    pytest.mark.xdist_group("hostile"),
    pytest.mark.timeout(300),
    pytest.mark.skipif(sys.platform != "linux", reason="needs a loopback address per host"),
]


@dataclass(frozen=True, slots=True)
class Look:
    audit: Audit
    seconds: float


@pytest.fixture(scope="module")
def look(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Look]:
    """All of them at once, in one run of the product."""
    folder: Path = tmp_path_factory.mktemp("hostile")
    with aside(open_world(folder, places())) as world:
        began = time.monotonic()
        audit = audited(world.declaration, world.ca, ports=world.ports, patience=QUICK)
        yield Look(audit, time.monotonic() - began)


def test_the_good_host_is_in_order(look: Look) -> None:
    assert by_host(look.audit, Outcome.FAIL)[f"good.{DOMAIN}"] == {}


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_fails_what_it_should_and_nothing_else(look: Look, row: Hostile) -> None:
    found = by_host(look.audit, Outcome.FAIL)[row.host]
    assert set(found) == row.fails, found


@pytest.mark.parametrize("row", [r for r in TABLE if r.reasons], ids=lambda row: row.name)
def test_says_why_it_could_not_see(look: Look, row: Hostile) -> None:
    told = {o.reason.value for o in look.audit.run.seen if o.at.host == row.host and isinstance(o, Unobserved)}
    assert row.reasons & told, told


def test_peers_that_annoy_cost_no_more_than_their_budget(look: Look) -> None:
    assert look.seconds < BUDGET


def test_names_are_unique() -> None:
    assert len({row.name for row in TABLE}) == len(TABLE)
