"""What `gatepost records` prints, given to real programs: zone readers, and a name server that takes updates."""

from __future__ import annotations

import re
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.authority import issue
from tests.cli.conftest import Gatepost, gatepost

NEEDED = ("knotd", "nsupdate")
ADDRESS = "127.0.77.1"
HOST = "good.demo.test"
KNOT = """\
server:
  rundir: {home}
  pidfile: {home}/knot.pid
  listen: {address}@{port}
log:
  - target: {home}/knot.log
    any: info
database:
  storage: {home}
acl:
  - id: here
    address: 127.0.0.0/8
    action: [update, transfer]
template:
  - id: default
    storage: {home}
    acl: here
    zonefile-load: difference
zone:
"""
HEAD = "@ 300 IN SOA ns1.test. hostmaster.test. 1 3600 600 86400 60\n@ 300 IN NS ns1.test.\n"
ZONES = {
    "test": HEAD,
    "in-addr.arpa": HEAD,
    "ip6.arpa": HEAD,
    "demo.test": HEAD
    + """\
@ 300 IN TXT "v=spf1 ip4:192.0.2.9 ?all"
@ 300 IN TXT "site-verification=1; quoted \\"so\\" \\\\ and\\196\\168"
@ 86400 IN MX 5 old.demo.test.
@ 300 IN CAA 0 issue "other.example"
@ 300 IN CAA 0 iodef "mailto:security@demo.test"
_dmarc 300 IN TXT "v=DMARC1; p=quarantine; pct=50; adkim=s"
s0._domainkey 300 IN TXT "v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GN"
""",
}

__all__ = ["gatepost"]  # a fixture

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not all(map(shutil.which, NEEDED)), reason="needs knot and nsupdate"),
]


@dataclass(frozen=True, slots=True)
class Server:
    home: Path
    port: int

    @property
    def where(self) -> str:
        return f"{ADDRESS}#{self.port}"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    home = tmp_path / "knot"
    home.mkdir()
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        port = probe.getsockname()[1]
    for zone, text in ZONES.items():
        (home / f"{zone}.zone").write_text(f"$ORIGIN {zone}.\n{text}")
    config = KNOT.format(home=home, address=ADDRESS, port=port) + "".join(f"  - domain: {zone}\n" for zone in ZONES)
    (home / "knot.conf").write_text(config)
    process = subprocess.Popen(["knotd", "-c", str(home / "knot.conf")], stderr=subprocess.DEVNULL)
    try:
        _until_it_answers(process, port)
        yield Server(home, port)
    finally:
        process.terminate()
        process.wait(10)


def _until_it_answers(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + 15
    while time.monotonic() < end and process.poll() is None:
        asked = ["dig", f"@{ADDRESS}", "-p", str(port), "+short", "+time=1", "+tries=1", "demo.test", "SOA"]
        if "ns1.test" in subprocess.run(asked, capture_output=True, text=True, check=False).stdout:
            return
    pytest.fail("knot did not come up")


@dataclass(frozen=True, slots=True)
class Imaps:
    """A port that speaks just enough IMAP for its certificate to be seen."""

    port: int
    ca: Path


@pytest.fixture
def imaps(tmp_path: Path) -> Iterator[Imaps]:
    root = issue("Test Root", ca=True, days=(-900, 3000))
    leaf = issue(HOST, root, names=(HOST,))
    chain, ca = tmp_path / "chain.pem", tmp_path / "ca.pem"
    ca.write_bytes(root.pem)
    private = leaf.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    chain.write_bytes(private + leaf.pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    with socketserver.ThreadingTCPServer((ADDRESS, 0), _handler(context)) as listening:
        thread = threading.Thread(target=listening.serve_forever, daemon=True)
        thread.start()
        yield Imaps(listening.server_address[1], ca)
        listening.shutdown()


def _handler(context: ssl.SSLContext) -> type[socketserver.BaseRequestHandler]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError), context.wrap_socket(self.request, server_side=True) as talk:
                talk.sendall(b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\r\n")
                for line in talk.makefile("rb"):
                    tag, _, word = line.strip().partition(b" ")
                    if word.upper() == b"CAPABILITY":
                        talk.sendall(b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n")
                    talk.sendall(tag + b" OK done\r\n")
                    if word.upper() == b"LOGOUT":
                        return

    return Handler


@pytest.fixture
def declaration(imaps: Imaps, tmp_path: Path) -> Path:
    """A domain that asks for everything that can be had without the web."""
    key = rsa.generate_private_key(65537, 2048)
    (tmp_path / "s1.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path = tmp_path / "gatepost.toml"
    path.write_text(f"""\
version = 1
[hosts."{HOST}"]
addresses = ["{ADDRESS}"]
services = [{{ name = "imaps", port = {imaps.port} }}]
[domains."demo.test"]
mx = ["{HOST}"]
dmarc = "reject"
dane = true
senders = ["192.0.2.0/28", "2001:db8::25"]
includes = ["_spf.other.example"]
dkim = [{{ selector = "s1", key = "s1.pem" }}, {{ selector = "s0", until = 2026-01-31 }}]
dmarc_reports = ["dmarc@demo.test"]
tls_reports = ["tls@demo.test"]
caa = ["ca.example.net"]
""")
    return path


def _update(text: str) -> str:
    """What nsupdate says; it goes on after an update whose conditions do not hold."""
    done = subprocess.run(["nsupdate"], input=text, capture_output=True, text=True, check=False, timeout=60)
    return done.stdout + done.stderr


def _zone(server: Server, zone: str) -> str:
    """Without the serial and what is not a record of ours."""
    asked = ["dig", f"@{ADDRESS}", "-p", str(server.port), "+noall", "+answer", "+onesoa", "AXFR", zone]
    shown = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    return "\n".join(sorted(line for line in shown.splitlines() if "SOA" not in line))


def _ready(script: str) -> int:
    return sum(1 for line in script.splitlines() if line == "send")


def test_updates_lead_to_nothing_lacking(gatepost: Gatepost, server: Server, imaps: Imaps, declaration: Path) -> None:
    common = ("records", "demo.test", "-c", str(declaration), "--resolver", server.where, "--ca", str(imaps.ca))
    updating = (*common, "--format", "nsupdate", "--server", server.where)
    first = gatepost(*updating)
    assert first.code == 1, first.err
    assert _update(first.out) == ""
    after_first = _zone(server, "demo.test")
    assert "v=spf1 ip4:192.0.2.0/28 ip6:2001:db8::25 include:_spf.other.example -all" in after_first
    again = _update(first.out)
    lowered = first.out.count("update add demo.test. 300 IN MX")  # may be done twice, with the same result
    assert lowered == 1
    assert len(re.findall(r"update failed: (?:NX|YX)RRSET", again)) == _ready(first.out) - lowered, again
    assert _zone(server, "demo.test") == after_first
    runs = [first.out]
    while (said := gatepost(*updating)).code == 1:
        assert len(runs) < 6, said.out
        assert _update(said.out) == ""
        runs.append(said.out)
    assert said.code == 0, said.out + said.err
    assert len(runs) > 1
    end = _zone(server, "demo.test")
    assert 'site-verification=1; quoted \\"so\\" \\\\ and\\196\\168' in end
    assert 'iodef "mailto:security@demo.test"' in end
    assert "adkim=s" in end
    for gone in ("old.demo.test", "ip4:192.0.2.9", "pct=50", 'issue "other.example"', "MIGfMA0GCSqGSIb3DQEBAQUAA4GN"):
        assert gone not in end
    table = gatepost(*common, "--all")
    assert table.code == 0
    assert "nothing lacking" in table.out


@pytest.mark.parametrize(
    "reader",
    [
        ["named-checkzone", "demo.test"],
        ["kzonecheck", "-o", "demo.test"],
        ["ldns-read-zone", "-c"],
        ["nsd-checkzone", "demo.test"],
    ],
)
def test_zone_readers_take_the_fragment(
    gatepost: Gatepost,
    server: Server,
    imaps: Imaps,
    declaration: Path,
    tmp_path: Path,
    reader: list[str],
) -> None:
    if not shutil.which(reader[0]):
        pytest.skip(f"needs {reader[0]}")
    said = gatepost(
        "records", "demo.test", "-c", str(declaration), "--resolver", server.where, "--ca", str(imaps.ca),
        "--format", "zone",
    )  # fmt: skip
    path = tmp_path / "demo.test.zone"
    path.write_text(f"$ORIGIN demo.test.\n{HEAD}{said.out}")
    done = subprocess.run([*reader, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    if reader[0] == "ldns-read-zone":
        assert done.stdout.count("TLSA") == said.out.count("IN TLSA")
        assert "_dmarc.demo.test." in done.stdout
