"""A real mail host looked at by every way there is: all ways see the same, and nothing is left on it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gatepost.declare import read
from gatepost.edge.host.bundles import load, save
from gatepost.edge.host.collecting import collect
from gatepost.edge.host.runner import Ways
from gatepost.errors import CannotLook
from gatepost.model.architecture import Host
from gatepost.model.bundle import Bundle
from gatepost.model.host import (
    BundleRead,
    FileSeen,
    ListenerConfigured,
    ServerSeen,
    SettingSeen,
    SocketSeen,
)
from gatepost.model.observation import Observation, Seen, Unobserved, of
from gatepost.servers.effective import effective, service_at
from gatepost.servers.witness import facts
from lab.places import PROJECT, program
from lab.realm.ground import HOST
from lab.realm.host import Realm, State, why_no_realm
from lab.realm.snapshot import changed, snapshot

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
WAIT = 10.0  # seconds

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(bool(why_no_realm()), reason=why_no_realm()),
]
needs_sshd = pytest.mark.skipif(not shutil.which("sshd"), reason="no sshd is installed")


@dataclass(frozen=True, slots=True)
class Looked:
    realm: Realm
    host: Host
    bundle: Bundle
    seen: tuple[Observation, ...]


@pytest.fixture(scope="module")
def looked() -> Iterator[Looked]:
    """An unfit host, looked at from beside it."""
    realm = Realm(f"h{os.getpid()}", State.UNFIT)
    realm.down()
    realm.up()
    try:
        declared = read(realm.declaration.read_text(), str(realm.declaration), today=NOW.date()).hosts[0]
        with Ways() as ways:
            bundle = collect(ways.to(realm.via), declared, NOW)
        yield Looked(realm, declared, bundle, facts(bundle, declared))
    finally:
        realm.down()


@dataclass(frozen=True, slots=True)
class Sshd:
    """A server inside the realm, with what a client needs to know of it."""

    directory: Path
    client: tuple[str, ...]
    known_hosts: Path


@pytest.fixture
def sshd(looked: Looked, tmp_path: Path) -> Iterator[Sshd]:
    for name in ("host", "user", "other"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / name], check=True)
    (tmp_path / "sshd_config").write_text(
        f"Port 2222\nListenAddress 127.0.0.1\nHostKey {tmp_path}/host\nAuthorizedKeysFile {tmp_path}/user.pub\n"
        "StrictModes no\nUsePAM no\nPidFile none\nPermitRootLogin prohibit-password\n"
    )
    (tmp_path / "ssh_config").write_text(
        f"Host mx\n HostName 127.0.0.1\n Port 2222\n User root\n IdentityFile {tmp_path}/user\n IdentitiesOnly yes\n"
        f" UserKnownHostsFile {tmp_path}/known\n GlobalKnownHostsFile /dev/null\n"
    )
    # sshd wants a directory in /run; `ip netns exec` gives a mount namespace of its own, so ours need not be touched.
    command = (
        f"mount -t tmpfs none /run && mkdir -m 755 /run/sshd && exec {program('sshd')} -D -e -f {tmp_path}/sshd_config"
    )
    server = subprocess.Popen(looked.realm.inside(HOST, "sh", "-c", command), stderr=subprocess.PIPE)
    try:
        assert server.stderr
        listening = server.stderr.readline()
        assert b"listening" in listening, listening
        client = looked.realm.inside(HOST, "ssh", "-F", f"{tmp_path}/ssh_config")
        yield Sshd(tmp_path, client, tmp_path / "known")
    finally:
        server.terminate()
        server.communicate(timeout=WAIT)


def known(sshd: Sshd, key: str) -> None:
    sshd.known_hosts.write_text(f"[127.0.0.1]:2222 {(sshd.directory / f'{key}.pub').read_text()}")


def standing(seen: tuple[Observation, ...]) -> set[Observation]:
    """What the host is, without how we got there; sshd of the test and the login it serves come and go."""
    return {
        one
        for one in seen
        if not isinstance(one, BundleRead) and not (isinstance(one, SocketSeen) and one.process in {"sshd", "ssh"})
    }


def test_the_kernel_and_the_configuration_agree(looked: Looked) -> None:
    """Every configured listener of a running server is a socket, and each socket of theirs is configured."""
    daemons = {s.pid for s in of(ServerSeen, looked.seen) if s.running}
    sockets = {(s.port, s.family) for s in of(SocketSeen, looked.seen) if s.pid in daemons}
    configured = {(one.port, family) for one in of(ListenerConfigured, looked.seen) for family in (4, 6)}
    assert sockets == configured
    assert len(daemons) == 2


def test_places_are_where_the_settings_stand(looked: Looked) -> None:
    checked = 0
    for one in of(SettingSeen, looked.seen):
        if one.place:
            line = Path(one.place.file).read_text().splitlines()[one.place.line - 1]
            assert one.name in line, one
            checked += 1
    assert checked > 80


def test_certificate_and_key_belong_together(looked: Looked) -> None:
    certificate, key = of(FileSeen, looked.seen)
    assert (certificate.purpose, key.purpose) == ("certificate", "key")
    assert certificate.public == key.public != ""
    assert (key.mode, certificate.used_by) == (0o644, ("smtpd_tls_cert_file", "ssl_cert"))


def test_what_is_in_effect_on_a_port(looked: Looked) -> None:
    seen = Seen(looked.seen)
    listener = service_at(seen, looked.host.name, 465)
    assert listener
    assert listener.tls
    found = effective(seen, listener.at, "postfix", listener.instance, listener.name, "smtpd_client_restrictions")
    assert found
    assert found.value == "permit_sasl_authenticated,reject"
    assert found.place
    assert found.place.file.endswith("master.cf")


def test_nothing_could_not_be_seen(looked: Looked) -> None:
    assert of(Unobserved, looked.seen) == []
    assert [one.root for one in of(BundleRead, looked.seen)] == [True]


def test_no_secret_is_in_the_bundle(looked: Looked) -> None:
    text = repr(looked.bundle)
    assert looked.realm.secret not in text
    assert looked.realm.password not in text
    assert "PRIVATE KEY" not in text


def test_looking_changes_nothing(looked: Looked) -> None:
    before = snapshot(looked.realm)
    with Ways() as ways:
        collect(ways.to(looked.realm.via), looked.host, NOW)
    assert changed(before, snapshot(looked.realm)) == ()


@needs_sshd
def test_over_ssh_the_host_is_the_same(looked: Looked, sshd: Sshd) -> None:
    known(sshd, "host")
    started = time.monotonic()
    with Ways(ssh=sshd.client) as ways:
        runner = ways.to("ssh mx")
        bundle = collect(runner, looked.host, NOW)
        assert time.monotonic() - started < 20
        assert bundle.via == "ssh mx"
        ran = runner.run(("sh", "-c", 'echo "$1"; exit 3', "sh", "a  'b' $HOME"))
        assert (ran.code, ran.stdout) == (3, "a  'b' $HOME\n")
    assert standing(facts(bundle, looked.host)) == standing(looked.seen)


@needs_sshd
@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("", "ssh mx: its host key is in no known_hosts file: connect once with ssh and compare the fingerprint"),
        ("other", "ssh mx: its host key is not the one recorded in "),
    ],
)
def test_a_host_that_cannot_prove_who_it_is(looked: Looked, sshd: Sshd, key: str, told: str) -> None:
    if key:
        known(sshd, key)
    with Ways(ssh=sshd.client) as ways, pytest.raises(CannotLook) as caught:
        collect(ways.to("ssh mx"), looked.host, NOW)
    assert str(caught.value).startswith(told)


@needs_sshd
def test_a_login_that_is_refused(looked: Looked, sshd: Sshd) -> None:
    known(sshd, "host")
    (sshd.directory / "user.pub").write_text((sshd.directory / "other.pub").read_text())
    with Ways(ssh=sshd.client) as ways, pytest.raises(CannotLook, match=r"^ssh mx: .*Permission denied \(publickey"):
        collect(ways.to("ssh mx"), looked.host, NOW)


@needs_sshd
def test_the_shared_connection_ends_with_the_block(looked: Looked, sshd: Sshd) -> None:
    known(sshd, "host")
    with Ways(ssh=sshd.client) as ways:
        assert ways.to("ssh mx").run(("true",)).ok
        assert ways.to("ssh mx").run(("true",)).ok
    deadline, left = time.monotonic() + WAIT, "?"
    while left and time.monotonic() < deadline:
        left = looked.realm.run(HOST, "ss", "-Htn", "state", "established", "sport", "=", "2222").stdout
    assert left == ""


def test_on_the_host_itself_and_out_of_a_file(looked: Looked, tmp_path: Path) -> None:
    path = tmp_path / "mx.json"
    words = ("-c", str(looked.realm.declaration), looked.host.name, "--via", "local", "-o", str(path))
    program_here = ("env", f"PYTHONPATH={PROJECT}/src", sys.executable, "-m", "gatepost", "collect")
    told = looked.realm.run(HOST, *program_here, *words)
    assert (told.returncode, told.stderr) == (0, "")
    (bundle,) = load(path)
    assert bundle.via == "this machine"
    assert standing(facts(bundle, looked.host)) == standing(looked.seen)
    save(replace(bundle, via="a file"), path)
    assert standing(facts(load(path)[0], looked.host)) == standing(looked.seen)


def test_without_a_declaration_what_runs_is_found(looked: Looked) -> None:
    """The masters tell which configuration they were started with."""
    alone = Host(looked.host.name, (), ())
    with Ways() as ways:
        bundle = collect(ways.to(looked.realm.via), alone, NOW)
    found = {(s.software, s.instance, s.pid) for s in of(ServerSeen, facts(bundle))}
    assert found == {(s.software, s.instance, s.pid) for s in of(ServerSeen, looked.seen)}


def test_a_change_is_stale_until_the_reload(looked: Looked) -> None:
    """Last: it changes the host."""

    def stale() -> dict[str, bool]:
        with Ways() as ways:
            seen = facts(collect(ways.to(looked.realm.via), looked.host, NOW), looked.host)
        return {s.software: s.stale for s in of(ServerSeen, seen)}

    def reload() -> None:
        config = looked.realm.main_cf.parent
        looked.realm.run(HOST, program("postfix"), "-c", str(config), "reload")
        looked.realm.run(HOST, program("doveadm"), "-c", str(looked.realm.dovecot_conf), "reload")

    def until(wanted: dict[str, bool]) -> dict[str, bool]:
        """Times count in whole seconds, and a reload takes its own."""
        deadline = time.monotonic() + WAIT
        while (now := stale()) != wanted and time.monotonic() < deadline:
            pass
        return now

    soon = time.time() + 2
    for path in (looked.realm.main_cf, looked.realm.dovecot_conf):
        os.utime(path, (soon, soon))
    assert stale() == {"postfix": True, "dovecot": True}
    while time.time() < soon:
        stale()
    reload()
    assert until({"postfix": False, "dovecot": False}) == {"postfix": False, "dovecot": False}
