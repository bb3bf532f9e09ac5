"""The realm carries mail whether fit or unfit, leaks where it should, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatepost import catalogue
from lab.places import program
from lab.realm import dovecot, ground, mistakes, postfix, visits
from lab.realm.desk import gatepost
from lab.realm.host import Realm, State, why_no_realm

HARMLESS = (25, 143, 465, 587, 993, 995, 4190)
PIVOTS = (24, 110, 2525, 8080, 10025, 11334, 12345)  # open by mistake
WORKSTATION = ("203.0.113.10", (445, 3389))

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(bool(why_no_realm()), reason=why_no_realm()),
]


@pytest.fixture(scope="module", params=tuple(State))
def realm(request: pytest.FixtureRequest) -> Iterator[Realm]:
    made = Realm(f"r{os.getpid()}", request.param)
    made.down()
    made.up()
    yield made
    made.down()


def test_mail_flows(realm: Realm) -> None:
    assert visits.flows(realm) == ""


def test_strangers_cannot_relay(realm: Realm) -> None:
    """Unfit does not mean open to everybody: a lab that relays for the world would hide finer faults."""
    _subject, refusal = visits.send(realm, visits.Way("internet", visits.SMTP, "clear", to=visits.STRANGER))
    assert "Relay access denied" in refusal


def test_the_office_relays_where_the_trusted_networks_are_too_wide(realm: Realm) -> None:
    _subject, refusal = visits.send(realm, visits.Way("office", visits.SMTP, "clear", to=visits.STRANGER))
    assert bool(refusal) == (realm.state is State.SOUND)


def test_what_listens_where(realm: Realm) -> None:
    told = visits.knock(realm, "office", *HARMLESS, *PIVOTS)
    assert {told[port] for port in HARMLESS} == {"reached"}
    open_by_mistake = {port for port in PIVOTS if told[port] == "reached"}
    assert open_by_mistake == (set(PIVOTS) if realm.state is State.UNFIT else {11334})


@pytest.mark.parametrize("zone", ["mx", "internet", "store"])
def test_nothing_keeps_zones_apart(realm: Realm, zone: str) -> None:
    """The host is a router until its firewall says otherwise: through it, and from it, workstations are reached."""
    address, ports = WORKSTATION
    assert set(visits.knock(realm, zone, *ports, address=address).values()) == {"reached"}


def test_the_rules_of_others_close_little(realm: Realm) -> None:
    assert visits.knock(realm, "internet", 3306)[3306] == "refused"
    assert visits.knock(realm, "office", 3306)[3306] == "reached"


def test_a_namespace_within_a_namespace_is_reached(realm: Realm) -> None:
    """The audit stands in a zone and looks at the host `via = "netns …"`: namespaces are found from inside others."""
    namespace = realm.ground.namespace(ground.HOST)
    done = realm.run("office", program("ip"), "netns", "exec", namespace, program("nft"), "list", "tables")
    assert done.stdout == "table inet filter\n"


def test_a_sound_host_fails_by_none_of_the_mistakes(realm: Realm) -> None:
    """And an unfit one by all of them: each row of the table is a row that tells the two apart."""
    said = gatepost(realm, "audit", "-q", "--ports", "smtp", "--format", "json")
    failed = {finding["check"] for finding in json.loads(said.out)["findings"] if finding["outcome"] == "fail"}
    rows = {row.replace(".", "-").replace("_", "-") for row in mistakes.rows()}
    assert failed & rows == (rows if realm.state is State.UNFIT else set())


def test_up_twice_is_up_once(realm: Realm) -> None:
    before = masters(realm)
    realm.up()
    assert None not in before
    assert masters(realm) == before


def test_the_secrets_are_for_root_alone(realm: Realm) -> None:
    files = [realm.home / name for name in ("password", "secret")]
    assert all(file.stat().st_mode & 0o077 == 0 for file in files)
    assert realm.password not in realm.declaration.read_text()


def test_down_leaves_nothing() -> None:
    made = Realm(f"d{os.getpid()}", State.UNFIT)
    made.down()
    before = _mounts(made)
    try:
        made.up()
        inside = made.ground.running()
        assert len(made.ground.standing) == 1 + len(ground.ZONES)
    finally:
        made.down()
    assert not any(Path(f"/proc/{pid}/cmdline").exists() and _command(pid) for pid in inside)
    assert (made.ground.standing, made.home.exists(), _mounts(made)) == ((), False, before)
    left = subprocess.run([program("ip"), "-o", "link"], capture_output=True, text=True, check=True).stdout
    assert made.tag not in left


def test_every_mistake_names_rows_of_the_catalogue() -> None:
    known = {row["id"] for row in catalogue_rows()}
    assert mistakes.rows() <= known
    assert len(mistakes.rows()) >= 45


def masters(realm: Realm) -> tuple[int | None, int | None]:
    return postfix.running(realm.home / "postfix"), dovecot.running(realm.home / "dovecot")


def catalogue_rows() -> list[dict[str, str]]:
    path = Path(catalogue.__file__).parent / "data" / "server_settings.json"
    rows: list[dict[str, str]] = json.loads(path.read_text())["settings"]
    return rows


def _mounts(realm: Realm) -> list[str]:
    return [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if f"gp-{realm.tag}-" in line]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
