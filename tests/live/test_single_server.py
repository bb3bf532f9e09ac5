"""The administrator of one server, on that server, with no file: what gatepost finds by itself."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gatepost import declare
from lab.places import PROJECT, program
from lab.realm.ground import HOST, PUBLIC
from lab.realm.host import Realm, State, why_no_realm

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(bool(why_no_realm()), reason=why_no_realm()),
]


@pytest.fixture(scope="module")
def realm() -> Iterator[Realm]:
    made = Realm(f"i{os.getpid()}", State.UNFIT)
    made.down()
    made.up()
    yield made
    made.down()


def typed(realm: Realm, directory: Path, *words: str) -> tuple[int, str, str]:
    """On the mail host, in a directory of its own, with a resolver that refuses at once."""
    inside = (program("env"), "-C", str(directory), f"PYTHONPATH={PROJECT / 'src'}", "COLUMNS=100")
    done = realm.run(HOST, *inside, sys.executable, "-m", "gatepost", *words, patience=100)
    return done.returncode, done.stdout, done.stderr


def test_init_needs_no_name_there(realm: Realm, tmp_path: Path) -> None:
    ports = ("--ports", "25,143,465,993,10025", "--resolver", "127.0.0.1#1")
    code, _, err = typed(realm, tmp_path, "init", *ports)
    assert (code, err.splitlines()[1]) == (0, "Next:     gatepost firewall   who may reach what, as it says")
    text = (tmp_path / "gatepost.toml").read_text()
    made = declare.read(text, "gatepost.toml", today=datetime.now(UTC).date())
    (host,) = made.hosts
    assert (host.name, host.addresses, host.via) == ("mx.realm.test", PUBLIC, "")
    assert [one.name for one in host.services] == ["smtp", "imap", "submissions", "imaps"], "no filter is meant for all"
    for words in (
        '# office = ["203.0.113.0/25", "2001:db8:1::/64"]',
        "3306 mysqld",
        "11334 rspamd",
        '# relay_clients = ["10.0.0.0/8", "203.0.113.0/24"]',
        '# proxies = ["203.0.113.0/24", "10.0.0.0/8"]',
        '# management = ["admin"]',
    ):
        assert words in text


def test_an_audit_by_address_looks_inside_by_itself(realm: Realm, tmp_path: Path) -> None:
    words = ("audit", PUBLIC[0], "-q", "--ports", "smtp", "--resolver", "127.0.0.1#1", "--format", "json")
    code, out, err = typed(realm, tmp_path, *words)
    assert (code, err) == (1, "")
    kinds = {one["kind"] for one in json.loads(out)["observations"]}
    assert {"BundleRead", "SocketSeen", "SettingSeen", "FirewallSeen"} <= kinds


def test_a_bundle_is_called_as_the_mail_server_calls_itself(realm: Realm, tmp_path: Path) -> None:
    """And is read elsewhere without a declaration, by the command that collect names."""
    code, out, _ = typed(realm, tmp_path, "collect")
    following = out.splitlines()[-1].removeprefix("Next:      ")
    assert (code, following) == (0, "gatepost audit mx.realm.test --bundle mx.realm.test.bundle.json")
    words = (*following.split()[1:], "--address", PUBLIC[0], "--ports", "465", "-q", "--resolver", "127.0.0.1#1")
    code, out, err = typed(realm, tmp_path, *words)
    assert (code, err) == (1, "")
    assert "smtpd_tls_mandatory_ciphers = low" in " ".join(out.split())
    code, _, err = typed(realm, tmp_path, "audit", PUBLIC[0], *words[2:])
    assert code == 2
    assert "taken from mx.realm.test, and this run looks at 198.51.100.5: name the host it is from" in err


def test_init_by_a_way_writes_the_way(realm: Realm, tmp_path: Path) -> None:
    output = tmp_path / "there.toml"
    inside = (program("env"), f"PYTHONPATH={PROJECT / 'src'}", sys.executable, "-m", "gatepost", "init")
    ports = ("--ports", "465", "--resolver", "127.0.0.1#1", "-o", str(output), "--via", realm.via)
    done = realm.run("office", *inside, *ports, patience=100)
    assert done.returncode == 0, done.stderr
    (host,) = declare.read(output.read_text(), "x", today=datetime.now(UTC).date()).hosts
    assert (host.name, host.via) == ("mx.realm.test", realm.via)


def test_a_machine_without_a_mail_server_says_so(realm: Realm, tmp_path: Path) -> None:
    inside = (program("env"), "-C", str(tmp_path), f"PYTHONPATH={PROJECT / 'src'}", sys.executable, "-m", "gatepost")
    done = realm.run("internet", *inside, "init", patience=60)
    assert done.returncode == 2
    assert done.stderr.endswith(": name a HOST or DOMAIN\n")
