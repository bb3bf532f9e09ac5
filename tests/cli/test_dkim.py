from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatepost.edge import keys
from tests.cli.conftest import Gatepost
from tests.dns import Dns

SOA = "ns.example.org. hostmaster.example.org. 1 7200 3600 1209600 7200"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def held(tmp_path: Path) -> keys.KeyFile:
    return keys.save(tmp_path / "example.org.s2026.key", keys.make("ed25519"))


def published(*records: tuple[str, str]) -> Dns:
    """Key records by selector."""
    zone = {(f"{selector}._domainkey.example.org", "TXT"): [f'"{text}"'] for selector, text in records}
    return Dns({("example.org", "SOA"): [SOA], **zone})


@pytest.fixture
def silent() -> Iterator[str]:
    with Dns({}, {"example.org": "servfail", "s2026._domainkey.example.org": "servfail"}) as dns:
        yield dns.where


def test_a_new_key(gatepost: Gatepost, tmp_path: Path) -> None:
    said = gatepost("dkim", "Example.org", "S2026")
    file = tmp_path / "example.org.s2026.key"
    assert said.code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    lines = said.out.splitlines()
    assert lines[:2] == ["✔ s2026._domainkey.example.org   RSA 2048", f"  private key made: {file}"]
    assert "s2026._domainkey.example.org. 3600 IN TXT (" in lines  # from the first column: blanks mean something
    assert f"s2026._domainkey.example.org example.org:s2026:{file}" in said.out
    assert f'selector = "s2026"; path = "{file}"' in said.out
    assert "1 hour later" in said.out
    assert file.read_text().splitlines()[1] not in said.out


def test_as_json(gatepost: Gatepost, tmp_path: Path) -> None:
    said = gatepost("dkim", "example.org", "e1", "--type", "ed25519", "--key", "here.pem", "--format", "json")
    told = json.loads(said.out)
    assert set(told) == {
        "schema", "domain", "selector", "file", "made", "type", "bits", "record", "signers", "rotation", "notes",
        "check",
    }  # fmt: skip
    assert (told["schema"], told["type"], told["made"]) == ("gatepost/dkim/1", "ed25519", True)
    assert told["file"] == str(tmp_path / "here.pem")
    assert told["record"]["text"] == f"v=DKIM1; k=ed25519; p={keys.read(tmp_path / 'here.pem').p}"
    assert [step["deed"] for step in told["rotation"]] == ["publish", "sign"]
    assert "do not know Ed25519" in told["notes"][0]
    assert "PRIVATE" not in said.out


def test_to_a_file(gatepost: Gatepost, tmp_path: Path) -> None:
    said = gatepost("dkim", "example.org", "s1", "-o", "record.txt")
    assert (said.code, said.out) == (0, "")
    assert "PUBLISH" in (tmp_path / "record.txt").read_text()


def test_a_key_is_never_overwritten_without_force(gatepost: Gatepost, held: keys.KeyFile) -> None:
    said = gatepost("dkim", "example.org", "s2026")
    assert said.code == 2
    assert said.err == "gatepost: example.org.s2026.key exists; a key is only replaced with --force, and lost then\n"
    assert keys.read(held.path) == held
    assert gatepost("dkim", "example.org", "s2026", "--force").code == 0
    assert keys.read(held.path).p != held.p


def test_a_rotation(gatepost: Gatepost) -> None:
    with published(("s2025", "v=DKIM1; k=ed25519; p=sDZSS+FsF+S8sVX3XvZ1zYi+tvTClm2z3+rr/7436Gs=")) as dns:
        words = ("dkim", "example.org", "s2026", "--rotate", "s2025", "--resolver", dns.where, "--format", "json")
        first = json.loads(gatepost(*words).out)
        again = json.loads(gatepost(*words).out)
    assert [step["deed"] for step in first["rotation"]] == ["publish", "sign", "revoke", "remove"]
    assert first["rotation"][1]["why"].startswith("2 hours later")
    assert first["notes"] == []
    assert (first["made"], again["made"]) == (True, False)
    assert first["record"] == again["record"]


def test_a_rotation_tells_what_surprises_in_dns(gatepost: Gatepost) -> None:
    other = "v=DKIM1; k=ed25519; p=sDZSS+FsF+S8sVX3XvZ1zYi+tvTClm2z3+rr/7436Gs="
    with published(("s2026", other), ("s2025", "v=DKIM1; p=")) as dns:
        said = gatepost("dkim", "example.org", "s2026", "--rotate", "s2025", "--resolver", dns.where)
    assert said.code == 0
    assert "DNS already has another key under s2026" in said.out
    assert "DNS has no live key under s2025" in said.out


def test_a_rotation_without_dns_assumes_an_hour(gatepost: Gatepost, silent: str) -> None:
    said = gatepost("dkim", "example.org", "s2027", "--rotate", "s2026", "--resolver", silent)
    assert said.code == 0
    assert "could not be asked, an hour is assumed" in said.out


def check(gatepost: Gatepost, dns: Dns) -> tuple[int, str]:
    with dns:
        words = ("dkim", "example.org", "s2026", "--check", "--resolver", dns.where)
        said = gatepost(*words)
        told = json.loads(gatepost(*words, "--format", "json").out)["check"]["verdict"]
    assert "p=" not in said.out
    return said.code, told


def test_a_key_against_dns(gatepost: Gatepost, held: keys.KeyFile) -> None:
    other = "sDZSS+FsF+S8sVX3XvZ1zYi+tvTClm2z3+rr/7436Gs="
    assert check(gatepost, published(("s2026", f"v=DKIM1; k=ed25519; p={held.p}"))) == (0, "match")
    assert check(gatepost, published(("s2026", f"v=DKIM1; k=ed25519; p={other}"))) == (1, "differs")
    assert check(gatepost, published(("s2026", "v=DKIM1; p="))) == (1, "revoked")
    assert check(gatepost, published()) == (1, "absent")


def test_what_is_wrong_with_a_matching_record_is_told(gatepost: Gatepost, held: keys.KeyFile) -> None:
    with published(("s2026", f"v=DKIM1; k=ed25519; h=sha1; p={held.p}")) as dns:
        said = gatepost("dkim", "example.org", "s2026", "--check", "--resolver", dns.where)
    assert said.out.startswith("◆ s2026._domainkey.example.org   DNS publishes this key, with a fault")
    assert "h= allows only sha1" in said.out
    assert said.code == 1


@pytest.mark.usefixtures("held")
def test_dns_that_does_not_answer(gatepost: Gatepost, silent: str) -> None:
    said = gatepost("dkim", "example.org", "s2026", "--check", "--resolver", silent)
    assert said.code == 3
    assert said.out.startswith("? s2026._domainkey.example.org   DNS did not say")


def test_a_file_that_others_can_read(gatepost: Gatepost, held: keys.KeyFile) -> None:
    held.path.chmod(0o644)
    with published() as dns:
        said = gatepost("dkim", "example.org", "s2026", "--check", "--resolver", dns.where)
    assert f"others on this machine can read {held.path.name}: chmod 600" in said.out.replace(
        str(held.path), held.path.name
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("example.org", "s1", "--bits", "1024"), "--bits 1024: an RSA key of 2048 to 4096 bits is wanted"),
        (("exa mple.org", "s1"), "'exa mple.org' can be no domain"),
        (("", "s1"), "'' can be no domain"),
        (("example.org", "s 1"), "SELECTOR: 's 1' can be no selector"),
        (("example.org", "../s1"), "SELECTOR: '../s1' can be no selector"),
        (("example.org", "x" * 64), "can be no selector"),
        (("example.org", "s1", "--rotate", "s1"), "that is the new selector"),
        (("example.org", "s1", "--rotate", "s!"), "--rotate: 's!' can be no selector"),
        (("example.org", "s1", "--check"), "example.org.s1.key: no such file or directory"),
        (("example.org", "s1", "--check", "--force"), "--check makes nothing"),
        (("example.org", "s1", "--rotate", "s0", "--resolver", "x"), "--resolver: 'x' is not an IP address"),
        (("example.org", "s1", "--key", "none/s1.key"), "none/s1.key: no such file or directory"),
    ],
)
def test_bad_input(gatepost: Gatepost, tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    said = gatepost("dkim", *words)
    assert (said.code, said.out) == (2, "")
    assert told in said.err
    assert len(said.err.splitlines()) == 1
    assert not list(tmp_path.iterdir())
