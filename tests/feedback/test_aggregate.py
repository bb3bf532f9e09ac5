"""DMARC aggregates: old and new names, what is missing is counted, what is hostile is refused in a sentence."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.feedback.aggregate import Aggregate
from gatepost.feedback.contents import AggregateHead, NoReport, ReportRefused, Row
from tests.feedback.documents import BEGIN, CURRENT, END, LEGACY, NOW


def read(document: str | bytes, hint: str = "", cut: int = 4096) -> tuple[AggregateHead, list[Row]]:
    data = document.encode() if isinstance(document, str) else document
    reading = Aggregate(NOW, hint)
    rows = [row for at in range(0, len(data), cut) for row in reading.rows(data[at : at + cut])]
    rows += reading.end()
    head = reading.head()
    assert head.rows == len(rows)
    return head, rows


def test_a_report_as_rfc_7489_has_it() -> None:
    head, rows = read(LEGACY)
    assert (head.reporter, head.report_id, head.domain, head.policy) == (
        "google.com", "5717107811868587391", "example.org", "none",
    )  # fmt: skip
    assert (head.period.first, head.period.last, head.lost) == (date(2026, 11, 1), date(2026, 11, 1), {})
    assert rows == [
        Row(
            "192.0.2.25", 3, "none", "fail", "pass", "example.org", "forwarded: looks & feels",
            "dkim list.example.net s1 pass\nspf example.org pass",
        )
    ]  # fmt: skip


def test_a_report_as_rfc_9990_has_it_with_extensions_that_look_like_records() -> None:
    head, rows = read(CURRENT)
    assert (head.reporter, head.namespace, head.policy) == (
        "Sample Reporter", "urn:ietf:params:xml:ns:dmarc-2.0", "quarantine",
    )  # fmt: skip
    assert head.lost == {}
    assert rows == [
        Row(
            "2001:db8::25", 123, "pass", "pass", "fail", "news.example.org", "policy_test_mode\nother: x",
            "dkim example.org abc123 pass\ndkim esp.example k2 permerror\nspf bounce.esp.example pass",
        )
    ]  # fmt: skip


@pytest.mark.parametrize("cut", [1, 2, 3, 7, 100])
def test_where_it_is_cut_does_not_matter(cut: int) -> None:
    assert read(CURRENT, cut=cut) == read(CURRENT)


ODD = {
    "prefix": LEGACY.replace("<", "<d:").replace("<d:/", "</d:").replace("<d:?xml", "<?xml").replace(
        "<d:feedback>", '<d:feedback xmlns:d="http://dmarc.org/dmarc-xml/0.1">'
    ),
    "upper case": LEGACY.replace("record>", "RECORD>").replace("source_ip>", "Source_IP>").replace("row>", "Row>"),
    "words in another case": LEGACY.replace(">pass<", ">Pass<").replace(">fail<", "> FAIL <"),
    "blank lines first": "\n\n  " + LEGACY,
    "mark first": "\ufeff" + LEGACY,
    "no declaration": LEGACY.split("?>", 1)[1],
    "old name of identifiers": LEGACY.replace("identifiers>", "identities>"),
    "extra elements": LEGACY.replace("<row>", "<row><x><y>1</y></x>").replace("<count>", "<z/><count>"),
    "metadata last": LEGACY.replace("<report_metadata>", "<!--").replace("</report_metadata>", "-->").replace(
        "</feedback>",
        "<report_metadata><org_name>google.com</org_name><email>a@google.com</email>"
        "<report_id>5717107811868587391</report_id>"
        f"<date_range><begin>{BEGIN}</begin><end>{END}</end></date_range></report_metadata></feedback>",
    ),
    "something after it": LEGACY + "\n-- \nsent by example <",
    "zeros after it": LEGACY + "\0" * 100,
    "blanks in values": LEGACY.replace(">192.0.2.25<", ">\n 192.0.2.25 \n<").replace(">3<", "> 3 <"),
    "count with a fraction": LEGACY.replace(">3<", ">3.0<"),
    "times with a fraction": LEGACY.replace(f">{BEGIN}<", f">{BEGIN}.0<"),
    "times in words": LEGACY.replace(str(BEGIN), "2026-11-01T00:00:00Z").replace(str(END), "2026-11-01 23:59:59"),
}  # fmt: skip


@pytest.mark.parametrize("document", ODD.values(), ids=ODD)
def test_odd_writing_costs_nothing(document: str) -> None:
    head, rows = read(document)
    assert (head.reporter, head.domain, head.period, head.lost) == (
        "google.com", "example.org", read(LEGACY)[0].period, {},
    )  # fmt: skip
    assert rows == read(LEGACY)[1]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8", "iso-8859-1", "windows-1252"])
def test_other_character_sets(encoding: str) -> None:
    declared = "utf-16" if encoding.startswith("utf-16") else encoding
    text = LEGACY.replace('"UTF-8"', f'"{declared}"').replace(">google.com<", ">Société<")
    assert read(text.encode(encoding))[0].reporter == "Société"


def test_a_wrong_character_set_costs_one_letter() -> None:
    head, rows = read(LEGACY.replace(">google.com<", ">Société<").encode("latin-1"))
    assert head.reporter == "Soci\ufffdt\ufffd"
    assert len(rows) == 1


@pytest.mark.parametrize("encoding", ["unicode_escape", "zlib_codec", "punycode", "idna", "nonsense", "utf-7"])
def test_no_codec_of_the_senders_choice_is_run(encoding: str) -> None:
    assert read(LEGACY.replace('"UTF-8"', f'"{encoding}"'))[1] == read(LEGACY)[1]


@pytest.mark.parametrize(
    ("old", "new", "lost"),
    [
        ("<org_name>google.com</org_name>", "", {"org_name": 1}),
        ("<report_id>5717107811868587391</report_id>", "", {"report_id": 1}),
        ("<header_from>example.org</header_from>", "", {"header_from": 1}),
        ("<disposition>none</disposition>", "", {"disposition": 1}),
        ("<dkim>fail</dkim>", "<dkim>maybe</dkim>", {"policy_evaluated/dkim": 1}),
        ("<source_ip>192.0.2.25</source_ip>", "", {"record left out for its source_ip": 1}),
        ("192.0.2.25", "192.0.2.256", {"record left out for its source_ip": 1}),
        ("<count>3</count>", "", {"record left out for its count": 1}),
        ("<count>3</count>", "<count>-3</count>", {"record left out for its count": 1}),
        ("<count>3</count>", "<count>9999999999999</count>", {"record left out for its count": 1}),
    ],
)
def test_what_is_missing_is_counted(old: str, new: str, lost: dict[str, int]) -> None:
    assert LEGACY.count(old) == 1 or old == "192.0.2.25"
    assert read(LEGACY.replace(old, new))[0].lost == lost


def test_a_nameless_reporter_is_known_by_its_address() -> None:
    assert read(LEGACY.replace("<org_name>google.com</org_name>", ""))[0].reporter == "google.com"


def test_what_a_record_lacks_is_not_taken_from_the_one_before() -> None:
    start, end = LEGACY.index("  <record>"), LEGACY.index("</feedback>")
    bare = "<record><row><source_ip>192.0.2.9</source_ip><count>1</count></row></record>"
    _, rows = read(LEGACY[:end] + bare + LEGACY[end:])
    assert rows[1] == Row("192.0.2.9", 1, "", "", "", "", "", "")
    assert start < end


def test_the_file_name_tells_a_missing_period_and_domain() -> None:
    bare = LEGACY.replace(f"<date_range><begin>{BEGIN}</begin><end>{END}</end></date_range>", "")
    bare = bare.replace("<domain>example.org</domain><adkim>", "<adkim>")
    head, _ = read(bare, f"in/google.com!example.org!{BEGIN}!{END}.xml")
    assert (head.domain, head.period.first) == ("example.org", date(2026, 11, 1))
    assert head.lost == {"date_range": 1, "policy_published/domain": 1}


ENTITIES = '<!DOCTYPE feedback [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
HOSTILE = {
    "entity bomb": ("<?xml version='1.0'?>" + ENTITIES + "<feedback>&b;</feedback>", "document type"),
    "external entity": (
        '<!DOCTYPE f [<!ENTITY x SYSTEM "file:///etc/passwd">]><feedback>&x;</feedback>', "document type",
    ),
    "external subset": ('<!DOCTYPE f SYSTEM "http://127.0.0.1/x"><feedback/>', "document type"),
    "entity without a doctype": (LEGACY.replace("google.com<", "&x;<", 1), "broken at line 4: undefined entity"),
    "deep": ("<feedback>" + "<a>" * 5000, "nested more than 64 deep"),
    "long text": (LEGACY.replace(">google.com<", f">{'x' * 3_000_000}<"), "far too long"),
    "long tag": (f'<feedback a="{"x" * 3_000_000}"/>', "longer than a megabyte"),
    "long comment": (f"<feedback><!--{'x' * 3_000_000}--></feedback>", "longer than a megabyte"),
    "truncated": (LEGACY[: len(LEGACY) // 2], "ends in the middle"),
    "empty": ("", "empty or ends in the middle"),
    "blank": (" \n" * 500, "empty or ends in the middle"),
    "another root": ("<html><body>Error</body></html>", "no DMARC report: it begins with <html>"),
    "not XML": ("feedback <<>", "broken at line 1"),
    "zeros inside": (LEGACY.replace("google", "goo\0gle"), "broken at line 4"),
    "control characters": (LEGACY.replace("google", "goo\x1b[2Jgle"), "broken at line 4"),
    "tags crossed": (LEGACY.replace("</row>", "</rov>"), "mismatched tag"),
    "two attributes of one name": ('<feedback a="1" a="2"/>', "duplicate attribute"),
    "no domain": (LEGACY.replace("<domain>example.org</domain><adkim>", "<adkim>"), "which domain it is about"),
    "no period": (LEGACY.replace("date_range", "x"), "does not say when it begins"),
    "the year 9999": (LEGACY.replace(str(END), "253402300799"), "no report can know"),
}  # fmt: skip


@pytest.mark.parametrize(("document", "said"), HOSTILE.values(), ids=HOSTILE)
def test_what_is_hostile_or_broken_is_one_sentence(document: str, said: str) -> None:
    with pytest.raises(ReportRefused) as why:
        read(document, cut=65536)
    assert said in str(why.value)
    assert len(str(why.value)) < 200
    assert str(why.value).isprintable()


def test_something_else_is_told_from_a_broken_report() -> None:
    with pytest.raises(NoReport):
        read("<Invoice/>")


def test_too_many_tags() -> None:
    reading = Aggregate(NOW)
    reading.rows(b"<feedback>" + b" " * 256)
    crowded = b"<!--" + b"<" * 1_000_000 + b"-->"
    for _ in range(19):
        reading.rows(crowded)
    with pytest.raises(ReportRefused, match="20,000,000 tags"):
        reading.rows(crowded * 2)


def test_many_signatures_are_kept_to_a_hundred() -> None:
    one = "<dkim><domain>list.example.net</domain><result>pass</result><selector>s1</selector></dkim>"
    _, (row,) = read(LEGACY.replace(one, one * 500))
    assert row.auth.count("\n") == 99


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_any_octets_are_read_or_refused_in_a_sentence(data: bytes) -> None:
    _read_or_refused(data)


@settings(deadline=None)
@given(st.data())
def test_a_report_with_anything_inside_is_read_or_refused_in_a_sentence(draw: st.DataObject) -> None:
    whole = LEGACY.encode()
    at = draw.draw(st.integers(0, len(whole)))
    until = draw.draw(st.integers(at, min(len(whole), at + 30)))
    _read_or_refused(whole[:at] + draw.draw(st.binary(max_size=30)) + whole[until:])


@settings(deadline=None)
@given(st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=60))
def test_any_words_in_the_fields(words: str) -> None:
    safe = words.replace("&", "&amp;").replace("<", "&lt;")
    for field in (
        "google.com",
        "192.0.2.25",
        ">3<",
        str(BEGIN),
        "forwarded",
        "list.example.net",
        ">none<",
        "example.org",
    ):
        bare = field.strip("<>")
        _read_or_refused(LEGACY.replace(field, field.replace(bare, safe)).encode())


def _read_or_refused(data: bytes) -> None:
    said = _outcome(data)
    assert said.splitlines() in ([said], [])
    said.encode()


def _outcome(data: bytes) -> str:
    try:
        return repr(read(data, cut=65536))
    except ReportRefused as why:
        return str(why)
