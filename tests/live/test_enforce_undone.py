"""An apply that cannot keep a promise takes everything back by itself, and mail flows on."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from lab.realm import visits
from lab.realm.desk import gatepost
from lab.realm.ground import HOST
from lab.realm.host import Realm, State, why_no_realm
from lab.realm.snapshot import changed, snapshot

# Somebody keeps a forgotten port alive from elsewhere: closing the listener does not close it.
REDIRECT = """\
table ip old {
  chain prerouting {
    type nat hook prerouting priority dstnat
    tcp dport 2525 redirect to :25
  }
}
"""
NOT_THE_FIREWALL = ("--only", "postfix,dovecot,service")
LOOKED_AT = "25,2525"

pytestmark = [
    pytest.mark.live,
    pytest.mark.timeout(300),
    pytest.mark.skipif(bool(why_no_realm()), reason=why_no_realm()),
]


@pytest.fixture
def realm() -> Iterator[Realm]:
    made = Realm(f"u{os.getpid()}", State.UNFIT)
    made.down()
    made.up()
    assert made.run(HOST, "nft", "-f", "-", stdin=REDIRECT).returncode == 0
    yield made
    made.down()


def test_a_promise_that_cannot_hold_rolls_all_back(realm: Realm) -> None:
    before = snapshot(realm)
    tried = gatepost(realm, "apply", "--close-legacy", *NOT_THE_FIREWALL, "--ports", LOOKED_AT)
    assert tried.code == 1, tried.all
    assert "promised to be gone and still there" in tried.flat
    assert "mx.realm.test:2525" in tried.flat
    assert "everything is as before" in tried.flat
    assert changed(before, snapshot(realm)) == ()
    assert visits.flows(realm) == ""
    assert "rolled back" in gatepost(realm, "rollback", "--list").flat
    again = gatepost(realm, "rollback")
    assert "nothing to take back" in again.flat
