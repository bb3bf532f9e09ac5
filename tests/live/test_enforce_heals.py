"""A firewall that somebody emptied closes the host to everybody; an apply restores it and keeps it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from lab.realm import visits
from lab.realm.desk import gatepost
from lab.realm.ground import HOST
from lab.realm.host import Realm, State, why_no_realm
from lab.realm.snapshot import rules

TABLE = ("inet", "gatepost")
FIREWALL = ("--only", "firewall", "--ports", "smtp,mysql")
SMTP, MYSQL = 25, 3306

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(bool(why_no_realm()), reason=why_no_realm()),
]


@pytest.fixture
def realm() -> Iterator[Realm]:
    made = Realm(f"f{os.getpid()}", State.SOUND)
    made.down()
    try:
        made.up()
        yield made
    finally:
        made.down()


def test_a_flushed_table_is_filled_again_and_kept(realm: Realm) -> None:
    first = gatepost(realm, "apply", *FIREWALL)
    assert first.code == 0, first.all
    as_declared, others = rules(realm, *TABLE), rules(realm, "inet", "filter")
    assert visits.knock(realm, "office", SMTP, MYSQL) == {SMTP: "reached", MYSQL: "silent"}

    assert realm.run(HOST, "nft", "flush", "table", *TABLE).returncode == 0
    assert visits.knock(realm, "office", SMTP) == {SMTP: "silent"}
    healed = gatepost(realm, "apply", *FIREWALL)
    assert healed.code == 0, healed.all
    assert "kept 1 step" in healed.flat
    assert rules(realm, *TABLE) == as_declared
    assert rules(realm, "inet", "filter") == others
    assert visits.knock(realm, "office", SMTP, MYSQL) == {SMTP: "reached", MYSQL: "silent"}
    assert visits.flows(realm) == ""
