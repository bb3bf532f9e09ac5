"""Published client settings: read, or refused in one sentence."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.errors import PeerGarbled
from gatepost.model.observation import Advertised
from gatepost.model.words import Mode
from gatepost.records.settings import MAX_SERVERS, MAX_TEXT, autoconfig, autodiscover

AUTOCONFIG = """<?xml version="1.0" encoding="UTF-8"?>
<clientConfig version="1.1">
  <emailProvider id="example.org">
    <domain>example.org</domain>
    <incomingServer type="imap">
      <hostname>IMAP.%EMAILDOMAIN%</hostname><port>993</port><socketType>SSL</socketType>
    </incomingServer>
    <incomingServer type="pop3">
      <hostname>pop.example.org</hostname><port>110</port><socketType>plain</socketType>
    </incomingServer>
    <outgoingServer type="smtp">
      <hostname>smtp.example.org</hostname><port>587</port><socketType>STARTTLS</socketType>
    </outgoingServer>
    <incomingServer type="exchange"><hostname>x.example.org</hostname><port>443</port></incomingServer>
    <incomingServer type="imap"><hostname/><port>993</port></incomingServer>
    <incomingServer type="imap"><hostname>a</hostname><port>99999</port></incomingServer>
    <incomingServer type="imap"><hostname>a</hostname><port>-1</port></incomingServer>
    <incomingServer type="imap"><hostname>odd.example.org</hostname><port>1144</port></incomingServer>
  </emailProvider>
</clientConfig>
"""
AUTODISCOVER = """<?xml version="1.0" encoding="utf-8"?>
<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006">
  <Response xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a">
    <Account>
      <Protocol><Type>IMAP</Type><Server>imap.example.org</Server><Port>993</Port><SSL>on</SSL></Protocol>
      <Protocol><Type>POP3</Type><Server>pop.example.org</Server><Port>110</Port><SSL>off</SSL></Protocol>
      <Protocol><Type>SMTP</Type><Server>smtp.example.org</Server><Port>587</Port>
        <SSL>on</SSL><Encryption>TLS</Encryption></Protocol>
      <Protocol><Type>EXCH</Type><Server>x</Server><Port>443</Port></Protocol>
    </Account>
  </Response>
</Autodiscover>
"""

Read = Callable[[str, str], tuple[Advertised, ...]]


def told(found: tuple[Advertised, ...]) -> list[tuple[str, str, int, Mode]]:
    return [(one.service, one.target, one.port, one.mode) for one in found]


def test_autoconfig() -> None:
    found = autoconfig(AUTOCONFIG, "example.org")
    assert told(found) == [
        ("imaps", "imap.example.org", 993, Mode.IMPLICIT),
        ("pop3", "pop.example.org", 110, Mode.NONE),
        ("submission", "smtp.example.org", 587, Mode.STARTTLS),
        ("", "odd.example.org", 1144, Mode.NONE),
    ]
    assert {(one.at.host, one.at.port, one.via) for one in found} == {("example.org", 0, "autoconfig")}
    assert [one.priority for one in found] == sorted(one.priority for one in found)


def test_autodiscover() -> None:
    assert told(autodiscover(AUTODISCOVER, "example.org")) == [
        ("imaps", "imap.example.org", 993, Mode.IMPLICIT),
        ("pop3", "pop.example.org", 110, Mode.NONE),
        ("submission", "smtp.example.org", 587, Mode.STARTTLS),
    ]


@pytest.mark.parametrize("read", [autoconfig, autodiscover])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not XML"),
        ("hello", "not XML"),
        ("<clientConfig>", "not XML"),
        ("<html/>", "but <html>"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><clientConfig>&b;</clientConfig>", "document type"),
        ("<!doctype html><html/>", "document type"),
        ("<a>&b;</a>", "not XML"),
        ("x" * (MAX_TEXT + 1), "longer than"),
        ("<a>" * 50_000, "not XML"),
    ],
)
def test_refused(read: Read, text: str, words: str) -> None:
    with pytest.raises(PeerGarbled, match=words):
        read(text, "example.org")


def test_servers_without_end() -> None:
    one = '<incomingServer type="imap"><hostname>a</hostname><port>993</port></incomingServer>'
    found = autoconfig(f"<clientConfig>{one * 500}</clientConfig>", "example.org")
    assert len(found) == MAX_SERVERS


def test_names_are_printable() -> None:
    one = '<incomingServer type="imap"><hostname>a\u202eb\u0085c</hostname><port>993</port></incomingServer>'
    (found,) = autoconfig(f"<clientConfig>{one}</clientConfig>", "example.org")
    assert found.target == "abc"


@pytest.mark.parametrize("read", [autoconfig, autodiscover])
@given(text=st.text() | st.text(alphabet="<>/&;!?='\"[]-a:\ud800"))
def test_any_text(read: Read, text: str) -> None:
    try:
        found = read(text, "example.org")
    except PeerGarbled:
        return
    assert isinstance(found, tuple)


@given(st.integers(0, len(AUTOCONFIG) - 1), st.characters())
def test_changed_document(at: int, character: str) -> None:
    try:
        found = autoconfig(AUTOCONFIG[:at] + character + AUTOCONFIG[at + 1 :], "example.org")
    except PeerGarbled:
        return
    assert all(0 < one.port < 65536 and one.target for one in found)
