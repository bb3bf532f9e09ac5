"""Zone files and nsupdate input: what is rendered reads back the same, whatever octets a text has."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.errors import PeerGarbled
from gatepost.records.publishing import nsupdate, zonefile
from gatepost.records.publishing.difference import Change
from gatepost.records.publishing.nsupdate import Update
from gatepost.records.publishing.order import Step
from gatepost.records.publishing.record import Part, Record
from gatepost.records.rdata import rdata, spelled

octets = st.binary(max_size=600).map(lambda data: data.decode("latin-1"))
names = st.sampled_from(["a", "a.b", "_25._tcp.mx1", "x-y.z", "0", "_dmarc.a.b.c"])
numbers = st.integers(0, 65535)
small = st.integers(0, 255)
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
values = {
    "A": st.ip_addresses(v=4).map(str),
    "AAAA": st.ip_addresses(network="2001:db8::/32").map(str),
    "CAA": st.builds("{} {} {}".format, small, st.sampled_from(["issue", "x1"]), octets),
    "MX": st.builds("{} {}".format, numbers, names | st.just(".")),
    "SRV": st.builds("{} {} {} {}".format, numbers, numbers, numbers, names | st.just(".")),
    "TLSA": st.builds("{} {} 1 {}".format, small, small, digests)
    | st.builds("{} {} 0 {}".format, small, small, digests),
    "TXT": octets,
}
records = st.sampled_from(sorted(values)).flatmap(
    lambda kind: st.builds(Record, names, st.just(kind), values[kind], st.integers(0, 604800))
)


@settings(max_examples=60, deadline=None)
@given(records)
def test_a_value_survives_its_record(record: Record) -> None:
    assert spelled(rdata(record.kind, record.value)) == record.value


@settings(max_examples=60, deadline=None)
@given(st.lists(records, max_size=6, unique_by=lambda one: (one.name, one.kind)), names)
def test_a_zone_file_reads_back(wanted: list[Record], zone: str) -> None:
    below = [Record(f"{one.name}.{zone}", one.kind, one.value, one.ttl) for one in wanted]
    assert sorted(zonefile.read(zonefile.render(below, zone))) == sorted(below)


sets = st.tuples(names, st.sampled_from(sorted(values)))
bare = records.map(lambda one: Record(one.name, one.kind, one.value, 0))
updates = st.builds(
    Update,
    zone=names,
    server=st.sampled_from(["", "192.0.2.53", "ns1.example.org 5353"]),
    absent=st.lists(sets, max_size=2).map(tuple),
    there=st.lists(sets, max_size=2).map(tuple),
    exactly=st.lists(bare, max_size=2).map(tuple),
    drop=st.lists(sets, max_size=2).map(tuple),
    delete=st.lists(bare, max_size=2).map(tuple),
    add=st.lists(records, max_size=2).map(tuple),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(updates, max_size=3).map(tuple))
def test_updates_read_back(wanted: tuple[Update, ...]) -> None:
    assert nsupdate.read(nsupdate.render(wanted)) == wanted


@settings(max_examples=60, deadline=None)
@given(st.text() | st.text(alphabet='$ORIGIN.@ "\\();0123IN\tTXT\n'))
def test_any_text_is_a_zone_file_or_is_told_wrong(text: str) -> None:
    with suppress(PeerGarbled):
        assert all(isinstance(one, Record) for one in zonefile.read(text))


@settings(max_examples=60, deadline=None)
@given(
    st.text()
    | st.lists(st.sampled_from(["send", "zone a.", "prereq nxrrset a. IN TXT", "update add a. x", "; a"])).map(
        "\n".join
    )
)
def test_any_text_is_a_script_or_is_told_wrong(text: str) -> None:
    with suppress(PeerGarbled):
        assert all(isinstance(one, Update) for one in nsupdate.read(text))


LONG = "v=DKIM1; p=" + "A" * 300


def step(change: Change, **more: object) -> Step:
    return Step(1, "Because.", change.part, change, ttl=3600, **more)  # type: ignore[arg-type] # as each test says


def change(
    remove: tuple[str, ...] = (), add: tuple[str, ...] = (), kept: tuple[str, ...] = (), **more: object
) -> Change:
    found = {"part": Part.SPF, "zone": "example.org", "name": "example.org", "kind": "TXT", "ttl": 300, **more}
    return Change(add=add, remove=remove, kept=kept, **found)  # type: ignore[arg-type] # as each test says


def test_strings_are_split_and_escaped() -> None:
    text = zonefile.fragment([step(change(add=(LONG, 'a"b\\c;d\x00é')))], ["head"])
    lines = text.splitlines()
    assert lines[:5] == [
        "; head",
        "",
        "; 1. Because.",
        "$ORIGIN example.org.",
        f'@ 3600 IN TXT "{LONG[:255]}" "{LONG[255:]}"',
    ]
    assert lines[5] == '@ 3600 IN TXT "a\\"b\\\\c;d\\000\\233"'


def test_a_comment_cannot_be_left() -> None:
    text = zonefile.fragment([], ["example.org: \nevil IN A 192.0.2.1\r\u2028x"])
    assert zonefile.read(text) == ()
    assert len(text.splitlines()) == 1


@pytest.mark.parametrize(
    ("made", "lines"),
    [
        (
            change(add=("new",)),
            ["prereq nxrrset example.org. IN TXT", 'update add example.org. 3600 IN TXT "new"'],
        ),
        (
            change(("old",), ("new",), ("other",)),
            [
                'prereq yxrrset example.org. IN TXT "old"',
                'prereq yxrrset example.org. IN TXT "other"',
                'update delete example.org. IN TXT "old"',
                'update add example.org. 3600 IN TXT "new"',
            ],
        ),
        (
            change(("old",), ("new",), ("other",), exact=False),
            [
                "prereq yxrrset example.org. IN TXT",
                "update delete example.org. IN TXT",
                'update add example.org. 3600 IN TXT "new"',
                'update add example.org. 3600 IN TXT "other"',
            ],
        ),
    ],
)
def test_an_update_first_asks_for_what_was_seen(made: Change, lines: list[str]) -> None:
    text = nsupdate.script([step(made)], [], primaries={"example.org": "ns1.example.org"})
    assert text.splitlines()[1:] == ["; 1. Because.", "server ns1.example.org", "zone example.org.", *lines, "send"]


def test_what_has_to_wait_stands_in_comments() -> None:
    first = step(change(add=("now",)))
    second = Step(2, "Then.", Part.SPF, change(add=("then",), name="a.example.org"), after=(1,), wait=5400, ttl=60)
    third = Step(3, "Why.", Part.SPF, action="Do it.", after=(2,))
    fourth = Step(4, "Last.", Part.SPF, change(add=("last",), name="b.example.org"), after=(3,), ttl=60)
    fifth = Step(5, "Too.", Part.SPF, change(add=("too",), name="c.example.org"), after=(1,), ttl=60)
    text = nsupdate.script([first, second, third, fourth, fifth], [], "192.0.2.1 53")
    assert [one.add[0].value for one in nsupdate.read(text)] == ["now", "too"]
    assert '; later:  update add a.example.org. 60 IN TXT "then"' in text
    assert "; 2. After step 1 and 1 h 30 min more: Then." in text
    assert "; 3. After step 2: Do it.\n;    Why.\n" in text
