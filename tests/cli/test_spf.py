"""`gatepost spf` against a small resolver on loopback."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from tests.cli.conftest import Gatepost
from tests.dns import Dns

ZONE = {
    ("example.org", "TXT"): ['"v=spf1 mx include:_spf." "example.net -all"', '"site-verification=1"'],
    ("example.org", "MX"): ["10 mx1.example.org."],
    ("mx1.example.org", "A"): ["192.0.2.25"],
    ("mx1.example.org", "AAAA"): ["2001:db8::25"],
    ("_spf.example.net", "TXT"): ['"v=spf1 ip4:198.51.100.0/24 exists:%{l}.list.example.net ~all"'],
    ("joe.list.example.net", "A"): ["127.0.0.2"],
    ("broken.example.org", "TXT"): ['"v=spf1 ipv4:192.0.2.1 -all"'],
    ("half.example.org", "TXT"): ['"v=spf1 include:lame.example.org -all"'],
    ("plain.example.org", "A"): ["192.0.2.1"],
}
TROUBLE = {"lame.example.org": "servfail"}


def test_the_tree_and_an_address_that_passes(gatepost: Gatepost) -> None:
    with Dns(ZONE, TROUBLE) as dns:
        result = gatepost("spf", "Example.ORG.", "--ip", "192.0.2.25", "--resolver", dns.where)
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("✔ example.org   SPF valid   everybody else: -all   3 of 10 look-ups, 0 of 2 void\n")
    assert "         2        ├─ include:_spf.example.net\n" in result.out
    assert "  192.0.2.25  pass       by mx: 192.0.2.25 is an address of mx1.example.org (1 look-up)\n" in result.out


def test_each_question_is_asked_once(gatepost: Gatepost) -> None:
    with Dns(ZONE, TROUBLE) as dns:
        gatepost("spf", "example.org", "--ip", "192.0.2.25", "--ip", "192.0.2.26", "--resolver", dns.where)
        asked = [one for one in dns.asked if one.split()[1] in {"A", "AAAA", "MX", "TXT"}]
    assert len(asked) == len(set(asked))


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("example.org", "--ip", "192.0.2.9"), 1, "fail"),
        (("example.org", "--ip", "2001:db8::25"), 0, "pass"),
        (("example.org", "--ip", "192.0.2.9", "--from", "joe@example.org"), 0, "joe.list.example.net exists"),
        (("broken.example.org",), 1, "there is no mechanism named 'ipv4'; did you mean ip4?"),
        (("plain.example.org",), 1, "plain.example.org has no SPF record"),
        (("half.example.org",), 3, "SPF temperror"),
        (("lame.example.org",), 3, "the SPF of lame.example.org could not be asked for"),
    ],
)
def test_exit_codes(gatepost: Gatepost, words: tuple[str, ...], code: int, said: str) -> None:
    with Dns(ZONE, TROUBLE) as dns:
        result = gatepost("spf", *words, "--resolver", dns.where)
    assert result.code == code, result.out
    assert said in result.out
    assert result.err == ""


def test_json_into_a_file(gatepost: Gatepost, tmp_path: Path) -> None:
    with Dns(ZONE, TROUBLE) as dns:
        path = tmp_path / "spf.json"
        result = gatepost("spf", "example.org", "--format", "json", "-o", str(path), "--resolver", dns.where)
    assert (result.code, result.out) == (0, "")
    made = json.loads(path.read_text(encoding="utf-8"))
    assert made["networks"] == ["192.0.2.25/32", "198.51.100.0/24", "2001:db8::25/128"]
    assert made["spf"]["lookups"] == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("localhost",), "'localhost' is a single label, not a domain"),
        (("a..b.test",), "a label is empty or too long"),
        (("192.0.2.1",), "does not end in a top-level domain"),
        (("example.org", "--ip", "mx1.example.org"), "--ip: 'mx1.example.org' is not an IP address"),
        (("example.org", "--resolver", "nowhere"), "'nowhere' is not an IP address"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(gatepost: Gatepost, words: tuple[str, ...], said: str) -> None:
    result = gatepost("spf", *words)
    assert (result.code, result.out, len(result.err.splitlines())) == (2, "", 1)
    assert said in result.err


def test_a_resolver_that_is_not_there(gatepost: Gatepost) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    result = gatepost("spf", "example.org", "--resolver", f"127.0.0.1#{port}")
    assert result.code == 3
    assert "could not be asked for" in result.out
