from __future__ import annotations

import dns.rdatatype
import dns.zone
from hypothesis import given
from hypothesis import strategies as st

from gatepost.records import zone_text


def test_a_long_text() -> None:
    text = zone_text.txt("s._domainkey.example.org", "a" * 255 + "b" * 10, 300)
    assert text == f's._domainkey.example.org. 300 IN TXT (\n    "{"a" * 255}"\n    "{"b" * 10}"\n)'


def test_escapes() -> None:
    assert zone_text.txt("x", 'a"b\\c\x00\xff', 1) == r'x. 1 IN TXT "a\"b\\c\000\255"'
    assert zone_text.txt("x", "", 1) == 'x. 1 IN TXT ""'


@given(st.text(alphabet=st.characters(max_codepoint=255), max_size=600))
def test_a_zone_file_reader_gets_the_same_octets(text: str) -> None:
    zone = dns.zone.from_text(zone_text.txt("x.example", text, 60), origin="example.", check_origin=False)
    (rdata,) = zone.find_rdataset("x", dns.rdatatype.TXT)
    assert b"".join(rdata.strings).decode("latin-1") == text
