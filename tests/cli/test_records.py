"""`gatepost records` from the command line, against a resolver on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from gatepost.cli.keyfile import public_digest
from gatepost.errors import UsageError
from gatepost.records.publishing import nsupdate, zonefile
from tests.authority import HOST, issue
from tests.cli.conftest import Gatepost
from tests.dns import Dns

TOML = """\
version = 1
[hosts."mx1.example.org"]
addresses = ["127.0.0.1"]
services = [{ name = "imaps", port = 1 }]
[domains."example.org"]
mx = ["mx1.example.org"]
senders = ["192.0.2.25"]
"""
GOOD = {
    ("example.org", "SOA"): ["ns1.example.org. hostmaster.example.org. 1 2 3 4 5"],
    ("example.org", "MX"): ["10 mx1.example.org."],
    ("example.org", "TXT"): ['"v=spf1 ip4:192.0.2.25 " "-all"', '"site=1"'],
    ("mx1.example.org", "A"): ["127.0.0.1"],
    ("25.2.0.192.in-addr.arpa", "PTR"): ["mail.example.org."],
    ("_imaps._tcp.example.org", "SRV"): ["0 1 1 mx1.example.org."],
    **{(f"_{n}._tcp.example.org", "SRV"): ["0 0 0 ."] for n in ("submissions", "submission", "imap", "pop3s", "pop3")},
}


@pytest.fixture
def declared(tmp_path: Path) -> Path:
    path = tmp_path / "gatepost.toml"
    path.write_text(TOML)
    return path


@pytest.fixture
def names() -> Iterator[Dns]:
    with Dns(GOOD) as up:
        yield up


def call(
    gatepost: Gatepost, declared: Path, names: Dns, *more: str, domain: str = "example.org"
) -> tuple[int, str, str]:
    said = gatepost("records", domain, "-c", str(declared), "--resolver", names.where, *more)
    return said.code, said.out, said.err


def test_in_order(gatepost: Gatepost, declared: Path, names: Dns) -> None:
    code, out, _ = call(gatepost, declared, names, domain="Example.ORG.")
    assert (code, out) == (0, "✔ example.org   nothing lacking, 9 records in order\n")


def test_lacking_in_each_format(gatepost: Gatepost, declared: Path, names: Dns, tmp_path: Path) -> None:
    declared.write_text(TOML + 'dmarc = "none"\ncaa = ["ca.example.net"]\n')
    code, out, _ = call(gatepost, declared, names, "--format", "json", "--ttl", "600")
    loaded = json.loads(out)
    assert (code, loaded["lacking"], [one["ttl"] for one in loaded["steps"]]) == (1, 2, [600, 600])
    assert loaded["advice"] == ["DMARC without dmarc_reports: nobody tells who sends in your name."]
    code, out, _ = call(gatepost, declared, names, "--format", "nsupdate")
    assert [one.server for one in nsupdate.read(out)] == ["ns1.example.org"] * 2
    for name in ("x.zone", "x.nsupdate", "x.json"):
        assert call(gatepost, declared, names, "-o", str(tmp_path / name))[:2] == (1, "")
    rows = zonefile.read((tmp_path / "x.zone").read_text())
    assert {(one.name, one.kind, one.value) for one in rows} == {
        ("_dmarc.example.org", "TXT", "v=DMARC1; p=none"),
        ("example.org", "CAA", "0 issue ca.example.net"),
    }
    everything = call(gatepost, declared, names, "--format", "zone", "--all")[1]
    assert {one.kind for one in zonefile.read(everything)} == {"A", "CAA", "MX", "SRV", "TXT"}


def test_a_domain_that_cannot_be_asked(gatepost: Gatepost, declared: Path) -> None:
    with Dns(GOOD, {"example.org TXT": "servfail"}) as names:
        code, out, _ = call(gatepost, declared, names)
    assert code == 3
    assert out.startswith("? example.org   nothing lacking, 8 records in order, 1 could not be asked\n")


def test_ports_that_nobody_could_look_at(gatepost: Gatepost, declared: Path, names: Dns) -> None:
    declared.write_text(TOML + "dane = true\n")
    code, out, _ = call(gatepost, declared, names)
    assert code == 3
    assert "? the key served at mx1.example.org:1: " in out
    code, out, _ = call(gatepost, declared, names, "--no-look")
    assert (code, "Nobody looked at the TLS ports" in out) == (0, True)


def test_a_next_key_and_a_policy_not_there(gatepost: Gatepost, declared: Path, names: Dns, tmp_path: Path) -> None:
    declared.write_text(TOML + 'dane = true\nmta_sts = "testing"\n')
    (tmp_path / "next.pem").write_bytes(issue(HOST).pem)
    code, out, _ = call(gatepost, declared, names, "--no-look", "--next-key", str(tmp_path / "next.pem"))
    assert code == 1
    assert f"3 1 1 {public_digest(tmp_path / 'next.pem')}" in out
    assert "Serve the next key on mx1.example.org:1." in out
    assert "mta-sts.example.org has no address" in out
    assert "  mode: testing\n  mx: mx1.example.org\n" in out


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--next-key", "/nowhere"), "/nowhere: no such file"),
        (("--next-key", "/dev/null"), "/dev/null: no key or certificate in PEM form"),
        (("--next-key", "/dev/null", "--no-next-key"), "--next-key and --no-next-key: say one of the two"),
        (("--server", "a\nsend"), "--server: 'a\\nsend' is no HOST[#PORT]"),
        (("--source", "x"), "'x' is not an IP address"),
        (("--resolver", "x"), "--resolver: 'x' is not an IP address"),
        (("-c", "/nowhere"), "/nowhere: no such file"),
        (("-c", "/dev/null"), "there is no gatepost.toml here: which records are wanted is read from [domains]"),
    ],
)
def test_bad_input(gatepost: Gatepost, declared: Path, names: Dns, more: tuple[str, ...], said: str) -> None:
    code, out, err = call(gatepost, declared, names, *more)
    assert (code, out) == (2, "")
    assert said in err


def test_a_domain_nobody_declared(gatepost: Gatepost, declared: Path, names: Dns) -> None:
    code, _, err = call(gatepost, declared, names, domain="exampl.org")
    assert (code, "'exampl.org' is no declared domain; did you mean \"example.org\"?" in err) == (2, True)


def test_key_files_lie_beside_the_declaration(gatepost: Gatepost, declared: Path, names: Dns) -> None:
    declared.write_text(TOML + 'dkim = [{ selector = "s1", key = "s1.pem" }]\n')
    code, _, err = call(gatepost, declared, names)
    assert (code, f"{declared.parent}/s1.pem: no such file" in err) == (2, True)
    key = Ed25519PrivateKey.generate()
    (declared.parent / "s1.pem").write_bytes(
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    code, out, _ = call(gatepost, declared, names)
    assert (code, '"v=DKIM1; k=ed25519; p=' in out) == (1, True)


def test_only_the_public_half_is_looked_at(tmp_path: Path) -> None:
    made = issue(HOST)
    files = {
        "key": made.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        "old": made.key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
        "public": made.cert.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "chain": made.pem + issue("other").pem,
        "shut": made.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")),
        "long": b" " * 300_000,
    }
    for name, octets in files.items():
        (tmp_path / name).write_bytes(octets)
    assert len({public_digest(tmp_path / name) for name in ("key", "old", "public", "chain")}) == 1
    with pytest.raises(UsageError, match="the key is encrypted"):
        public_digest(tmp_path / "shut")
    with pytest.raises(UsageError, match="larger than any key file"):
        public_digest(tmp_path / "long")
