"""Whatever octets a resolver sends: a reply, or one sentence."""

from __future__ import annotations

import random
import struct

import dns.edns
import dns.flags
import dns.message
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.edge.query import Query, query
from gatepost.edge.reply import Reply, Trouble, mine, read
from gatepost.errors import PeerGarbled
from gatepost.model.dns import Presence

KINDS = ("A", "AAAA", "CAA", "CNAME", "DNSKEY", "DS", "MX", "NS", "PTR", "SOA", "SRV", "TLSA", "TXT")
RECORDS = {
    "A": "192.0.2.1",
    "AAAA": "2001:db8::1",
    "CAA": '0 issue "ca.example"',
    "CNAME": "b.example.org.",
    "DNSKEY": "257 3 13 AAAA",
    "DS": "1 13 2 " + "ab" * 32,
    "MX": "10 mx.example.org.",
    "NS": "ns.example.org.",
    "PTR": "a.example.org.",
    "SOA": "ns.example.org. root.example.org. 1 2 3 4 5",
    "SRV": "0 1 993 a.example.org.",
    "TLSA": "3 1 1 " + "ab" * 32,
    "TXT": '"one" "two"',
}


def asked(kind: str, name: str = "example.org") -> Query:
    found = query(name, kind)
    assert found is not None
    return found


def wire(kind: str, *rows: str) -> bytes:
    reply = dns.message.make_response(dns.message.from_wire(asked(kind).message(7)))
    reply.answer.append(dns.rrset.from_text_list("example.org.", 60, "IN", kind, rows or (RECORDS[kind],)))
    reply.use_edns(0, options=[dns.edns.EDEOption(dns.edns.EDECode.BLOCKED, "a\nb")])
    return reply.to_wire(max_size=65535)


def told(data: bytes, kind: str) -> Reply | str:
    try:
        reply = read(data, asked(kind))
        reply.find(asked(kind))
    except PeerGarbled as error:
        return str(error)
    return reply


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind(kind: str) -> None:
    reply = read(wire(kind), asked(kind))
    found = reply.find(asked(kind))
    assert found.presence is Presence.PRESENT
    assert len(found.values) == 1
    assert reply.edns
    assert reply.troubles == (Trouble(15, "a b"),)


@given(st.binary(max_size=300), st.sampled_from(KINDS))
def test_any_octets(data: bytes, kind: str) -> None:
    mine(data, asked(kind), 7)
    assert told(data, kind)


@given(st.sampled_from(KINDS), st.randoms(use_true_random=False), st.integers(1, 8))
def test_any_damage(kind: str, dice: random.Random, blows: int) -> None:
    data = bytearray(wire(kind))
    for _ in range(blows):
        data[dice.randrange(len(data))] = dice.randrange(256)
    assert told(bytes(data[: dice.randrange(len(data) + 1)]), kind)
    assert told(bytes(data), kind)


@pytest.mark.parametrize("kind", KINDS)
def test_any_cut(kind: str) -> None:
    whole = wire(kind)
    assert all(isinstance(told(whole[:end], kind), str) for end in range(len(whole)))


def test_whose_answer_it_is() -> None:
    data = wire("TXT")
    assert mine(data, asked("TXT"), 7)
    assert mine(data.replace(b"\x07example\x03org", b"\x07eXample\x03oRg", 1), asked("TXT"), 7)
    assert not mine(data, asked("TXT"), 8)
    assert not mine(data, asked("MX"), 7)
    assert not mine(data, asked("TXT", "example.net"), 7)
    assert not mine(asked("TXT").message(7), asked("TXT"), 7)  # a question is no answer
    head = struct.pack("!HHHHHH", 7, 0x8180, 0, 0, 0, 0)
    assert not mine(head, asked("TXT"), 7)
    assert mine(head[:3] + b"\x82" + head[4:], asked("TXT"), 7)  # SERVFAIL without the question


def test_more_records_than_any_answer_has() -> None:
    header = struct.pack("!HHHHHH", 7, 0x8180, 1, 60000, 0, 0)
    assert told(header + wire("TXT")[12:], "TXT") == "no DNS message: more records than any answer has"


def test_records_of_others_are_passed_over() -> None:
    """A broken record that nobody asked for, and a record of another name."""
    message = dns.message.make_response(dns.message.from_wire(asked("A").message(7)))
    message.answer.append(dns.rrset.from_text("other.example.", 60, "IN", "A", "192.0.2.66"))
    message.answer.append(dns.rrset.from_text("example.org.", 60, "IN", "TYPE65280", r"\# 1 00"))
    message.answer.append(dns.rrset.from_text("example.org.", 60, "IN", "MX", "10 mx.example.org."))
    data = message.to_wire().replace(b"\x00\x0a\x02mx", b"\x00\x0a\xffmx")
    assert read(data, asked("A")).find(asked("A")).presence is Presence.EMPTY


@pytest.mark.parametrize(
    ("kind", "odd", "good", "told"),
    [
        ("TLSA", r"\# 5 03 01 01 abcd", "3 1 1 " + "ab" * 32, {"3 1 1 abcd", "3 1 1 " + "ab" * 32}),
        ("CAA", r"\# 7 00 03 612d62 4142", '0 issue "ca.test"', {"0 a-b AB", "0 issue ca.test"}),
    ],
)
def test_an_odd_record_does_not_cost_the_others(kind: str, odd: str, good: str, told: set[str]) -> None:
    """The library refuses a digest of the wrong length and a tag with a dash: that is for a judge to say."""
    message = dns.message.make_response(dns.message.from_wire(asked(kind).message(7)))
    plain = dns.rrset.from_text("example.org.", 60, "IN", kind, good)
    message.answer.append(plain)
    message.use_edns(False)
    data = bytearray(message.to_wire())
    number = dns.rdatatype.from_text(kind)
    raw = bytes.fromhex("".join(odd.split()[2:]))
    data += b"\xc0\x0c" + struct.pack("!HHIH", number, 1, 60, len(raw)) + raw
    data[6:8] = (2).to_bytes(2, "big")
    assert set(read(bytes(data), asked(kind)).find(asked(kind)).values) == told


def test_thousands_of_records_take_no_time() -> None:
    found = read(wire("A", *(f"192.0.{n // 256}.{n % 256}" for n in range(3900))), asked("A")).find(asked("A"))
    assert len(found.values) == 3900


def test_a_negative_ttl_is_none() -> None:
    """RFC 2181 section 8."""
    data = wire("A").replace(struct.pack("!HHI", 1, 1, 60), struct.pack("!HHI", 1, 1, 0x80000001))
    assert read(data, asked("A")).find(asked("A")).ttl == 0


def test_an_alias_to_itself() -> None:
    message = dns.message.make_response(dns.message.from_wire(asked("A").message(7)))
    message.answer.append(dns.rrset.from_text("example.org.", 60, "IN", "CNAME", "EXAMPLE.org."))
    assert told(message.to_wire(), "A") == "its aliases lead in a circle: example.org -> example.org"


def test_a_whole_tree_redirected() -> None:
    """DNAME (RFC 6672): the CNAME made from it is what counts."""
    message = dns.message.make_response(dns.message.from_wire(asked("A").message(7)))
    message.answer.append(dns.rrset.from_text("org.", 60, "IN", "DNAME", "net."))
    message.answer.append(dns.rrset.from_text("example.org.", 0, "IN", "CNAME", "example.net."))
    message.answer.append(dns.rrset.from_text("example.net.", 60, "IN", "A", "192.0.2.1"))
    found = read(message.to_wire(), asked("A")).find(asked("A"))
    assert (found.values, found.aliases) == (("192.0.2.1",), ("example.net",))
