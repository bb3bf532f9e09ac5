"""A plan for a real mail host that does everything wrong: done step by step it loads, holds, and comes undone whole."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gatepost import catalogue
from gatepost.audit import conclude
from gatepost.cli.declared import load
from gatepost.edge.host.collecting import collect
from gatepost.edge.host.runner import Runner, Ways
from gatepost.enforce import Wishes, plan
from gatepost.firewall.matrix import matrix
from gatepost.model.architecture import Endpoint
from gatepost.model.audit import Audit
from gatepost.model.bundle import Bundle
from gatepost.model.observation import Run, Seen
from gatepost.model.plan import Act, Kind, Plan, Step
from gatepost.servers.witness import facts
from lab.realm import visits
from lab.realm.host import Realm, State, why_no_realm

INSISTING = Wishes(close_legacy=True, insist=frozenset({"all"}), only=frozenset(Kind) - {Kind.DNS})

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(bool(why_no_realm()), reason=why_no_realm()),
]


@dataclass(frozen=True, slots=True)
class House:
    """An unfit realm, looked at from inside alone: it takes a second, and settings are what is planned."""

    realm: Realm
    runner: Runner

    def look(self) -> tuple[Audit, Bundle]:
        architecture, now = load(self.realm.declaration), datetime.now(UTC)
        host = architecture.hosts[0]
        bundle = collect(self.runner, host, now)
        run = Run(Seen(facts(bundle, host)), now)
        profile = catalogue.profile(architecture.profile)
        services = {Endpoint(host.name, a, s.port): s for a in host.addresses for s in host.services}
        return conclude(run, architecture, profile, services, (host.name,), now=now, mine=True), bundle

    def plan(self, wishes: Wishes = INSISTING) -> Plan:
        audit, bundle = self.look()
        return plan(audit, matrix(audit.architecture), (bundle,), now=audit.generated_at, wishes=wishes)

    def run(self, acts: Sequence[Act]) -> None:
        for act in acts:
            ran = self.runner.run(act.argv, stdin=act.stdin)
            assert ran.ok, f"{' '.join(act.argv)}: {ran.stderr or ran.why}"

    def says(self, *argv: str) -> str:
        return self.runner.run(argv).stdout.strip()

    def postconf(self, *words: str) -> str:
        return self.says("postconf", "-c", str(self.realm.main_cf.parent), *words)

    def doveconf(self, *words: str) -> str:
        return self.says("doveconf", "-c", str(self.realm.dovecot_conf), *words)


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    realm = Realm(f"p{os.getpid()}", State.UNFIT)
    realm.down()
    try:
        realm.up()
        with Ways() as ways:
            yield House(realm, ways.to(realm.via))
    finally:
        realm.down()


def do(house: House, steps: Sequence[Step]) -> dict[Path, bytes | None]:
    """Each step as the record says; files as they were before."""
    saved: dict[Path, bytes | None] = {}
    for step in steps:
        for name in (*step.touches, *(one.path for one in step.writes)):
            path = Path(name)
            saved.setdefault(path, path.read_bytes() if path.exists() else None)
        for one in step.writes:
            Path(one.path).write_text(one.text)
            Path(one.path).chmod(one.mode)
        house.run(step.acts)
    house.run(tuple(dict.fromkeys(act for step in steps for act in step.checks)))  # one look at the end says the same
    house.run(tuple(dict.fromkeys(act for step in steps for act in step.settles)))
    return saved


def undo(house: House, steps: Sequence[Step], saved: dict[Path, bytes | None]) -> None:
    for path, octets in saved.items():
        if octets is None:
            path.unlink()
        else:
            path.write_bytes(octets)
    for step in reversed(steps):
        house.run(step.undo)
    house.run(tuple(dict.fromkeys(act for step in steps for act in step.settles)))


def configuration(realm: Realm) -> dict[Path, tuple[bytes, int]]:
    places = [
        *realm.main_cf.parent.glob("*.cf"),
        *realm.dovecot_conf.parent.rglob("*.conf"),
        *realm.home.glob("papers/*"),
    ]
    return {path: (path.read_bytes(), path.stat().st_mode) for path in places}


def test_done_held_repeated_and_undone(house: House) -> None:
    before, shown = configuration(house.realm), (house.postconf("-n"), house.postconf("-P"), house.doveconf("-n"))
    made = house.plan()
    steps = made.doing
    assert len(steps) >= 25
    assert {step.kind for step in steps} == {Kind.DOVECOT, Kind.FIREWALL, Kind.POSTFIX, Kind.SERVICE}
    assert not any(house.runner.run(act.argv).ok for step in steps for act in step.already)

    saved = do(house, steps)
    assert [act.argv for step in steps for act in step.already if not house.runner.run(act.argv).ok] == []
    assert visits.flows(house.realm) == ""
    held(house)
    promises_hold(house, made)
    assert house.plan().doing == ()

    table = next(step for step in steps if step.kind is Kind.FIREWALL)
    assert "gatepost" in house.says("nft", "list", "tables")
    undo(house, [replace(table, undo=(Act(("nft", "delete", "table", "inet", "gatepost")),)), *steps], saved)
    assert configuration(house.realm) == before
    assert (house.postconf("-n"), house.postconf("-P"), house.doveconf("-n")) == shown
    assert visits.flows(house.realm) == ""
    assert {step.key for step in house.plan().doing} == {step.key for step in steps}


def held(house: House) -> None:
    """The daemons say what was wanted, of the value for all and of each service."""
    assert house.postconf("-h", "mynetworks") == "127.0.0.0/8 [::1]/128 203.0.113.20/32"
    assert house.postconf("-h", "smtpd_tls_mandatory_protocols") == ">=TLSv1.2"
    assert house.postconf("-h", "smtpd_forbid_bare_newline") == "normalize"
    assert house.postconf("-hP", "submission/inet/smtpd_tls_security_level") == "encrypt"
    assert house.postconf("-hP", "smtp/inet/smtpd_sasl_auth_enable") == "no"
    assert house.postconf("-h", "smtpd_tls_security_level") == "may"  # never demanded of strangers
    services = house.postconf("-M")
    assert "127.0.0.1:10025" in services
    assert "\n2525" not in services
    assert house.doveconf("-h", "ssl") == "required"
    assert house.doveconf("-h", "ssl_min_protocol") == "TLSv1.2"
    assert house.doveconf("-h", "auth_mechanisms") == "plain login"
    assert house.doveconf("-h", "mail_plugins") == "notify mail_log"
    listening = {line.split()[3] for line in house.says("ss", "-Hltn").splitlines()}
    ports = {int(one.rpartition(":")[2]) for one in listening if not one.startswith(("127.0.0.1:", "[::1]:"))}
    assert ports & {24, 110, 2525, 8080, 10025, 12345} == set()
    assert {catalogue.number(name) for name in ("smtp", "submissions", "submission", "imaps", "imap")} <= ports


def promises_hold(house: House, made: Plan) -> None:
    audit, _ = house.look()
    promised = {name for step in made.doing for name in step.promises}
    assert len(promised) >= 40
    assert not promised & {finding.id for finding in audit.findings if finding.open}


def test_what_waits_for_the_operator_is_not_done_without_him(house: House) -> None:
    calm = house.plan(Wishes())
    commands = [" ".join(act.argv) for step in calm.doing for act in step.acts]
    assert not any("-M#" in one for one in commands)
    flows = next(step.diff for step in calm.steps if step.kind is Kind.FIREWALL)
    assert "110" in flows
    assert "2525" in flows
    by_hand = " ".join(step.title for step in calm.steps if step.by_hand)
    assert "decide about pop3 (110)" in by_hand
    assert "decide about port 2525" in by_hand
