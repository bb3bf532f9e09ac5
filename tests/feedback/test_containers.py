"""Mail, gzip and zip: content decides, bombs are refused before they are read, nothing is held that is not needed."""

from __future__ import annotations

import base64
import gzip
import io
import quopri
import random
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.feedback import containers
from gatepost.feedback.containers import MIB, Form, Refusal, documents
from gatepost.feedback.contents import NoReport, ReportRefused
from tests.feedback.documents import LEGACY, tls

XML = LEGACY.encode()
JSON = tls()


def blocks(data: bytes, size: int = 65536) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def opened(data: bytes | Iterable[bytes], name: str = "in") -> list[tuple[str, str, bytes | str]]:
    """Name, form and content of each document; name, kind and sentence of each refusal."""
    found: list[tuple[str, str, bytes | str]] = []
    for one in documents(name, blocks(data) if isinstance(data, bytes) else data):
        if isinstance(one, Refusal):
            found.append((one.name, type(one.why).__name__, str(one.why)))
            continue
        try:
            found.append((one.name, one.form.value, b"".join(one.content)))
        except ReportRefused as why:
            found.append((one.name, type(why).__name__, str(why)))
    return found


def refused(data: bytes | Iterable[bytes]) -> str:
    ((_, kind, said),) = opened(data)
    assert kind in {"NoReport", "ReportRefused"}
    assert isinstance(said, str)
    assert len(said.splitlines()) == 1
    return said


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


def test_plain_files() -> None:
    assert opened(XML) == [("in", "xml", XML)]
    assert opened(JSON) == [("in", "json", JSON)]


def test_gzip_with_members_and_a_tail() -> None:
    assert opened(gzip.compress(XML), "a.xml.gz") == [("a.xml", "xml", XML)]
    assert opened(gzip.compress(XML[:100]) + gzip.compress(XML[100:]) + b"\r\n") == [("in", "xml", XML)]


def test_zip_with_several_reports() -> None:
    both = zipped(("a.xml", XML), ("b/", b""), ("__MACOSX/a", b"x"), ("c.json", JSON))
    assert opened(both, "m.zip") == [("m.zip: a.xml", "xml", XML), ("m.zip: c.json", "json", JSON)]
    assert opened(zipped(("a.xml", XML), method=zipfile.ZIP_STORED), "m.zip") == [("m", "xml", XML)]


def test_one_broken_member_does_not_cost_the_others() -> None:
    mixed = zipped(("a.txt", b"hello"), ("b.xml", XML), ("c.gz", gzip.compress(XML)))
    (_, first, _), (_, second, content), (_, third, said) = opened(mixed)
    assert (first, second, content, third) == ("NoReport", "xml", XML, "ReportRefused")
    assert "nested" in str(said)


def part(content: bytes, head: str, encoding: str = "base64") -> bytes:
    coded = {"base64": base64.encodebytes, "quoted-printable": quopri.encodestring}.get(encoding, bytes)(content)
    return f"{head}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode() + coded.replace(b"\n", b"\r\n") + b"\r\n"


def multipart(*parts: bytes, kind: str = "mixed", boundary: str = "b1") -> bytes:
    inner = b"".join(f"--{boundary}\r\n".encode() + one for one in parts)
    return (
        f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\npreamble\r\n'.encode()
        + inner
        + (f"--{boundary}--\r\nepilogue\r\n".encode())
    )


TOP = b"From: a@example.net\r\nSubject: Report Domain: example.org\r\nMIME-Version: 1.0\r\n"
TEXT = part(b"This is a report. <feedback> is in the attachment.", "Content-Type: text/plain; charset=utf-8", "8bit")
GZ = gzip.compress(XML)
PACKED = part(GZ, "Content-Type: application/gzip")
USUAL = TOP + multipart(TEXT, PACKED)
STREAM = "Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=r.xml.gz"
LOGO = part(b"\x89PNG..", "Content-Type: image/png; name=logo.png")
SIGNATURE = part(b"0\x80", "Content-Type: application/pkcs7-signature; name=smime.p7s")
FORWARDED = b"Content-Type: message/rfc822\r\n\r\n"
MAILS = {
    "gzip beside text": USUAL,
    "zip as the whole mail": TOP + part(zipped(("r.xml", XML)), 'Content-Type: application/zip; name="r.zip"'),
    "gzip as octet-stream": TOP + multipart(part(GZ, STREAM)),
    "gzip under another type": TOP + multipart(TEXT, part(GZ, "Content-Type: application/x-gzip")),
    "XML in base64": TOP + multipart(part(XML, "Content-Type: text/xml; name=r.xml")),
    "XML quoted-printable": TOP + multipart(part(XML, "Content-Type: application/xml", "quoted-printable")),
    "XML as text with a name": TOP + multipart(part(XML, "Content-Type: text/plain; name=r.xml", "7bit")),
    "XML as the text": TOP + part(XML, "Content-Type: text/plain", "8bit"),
    "XML behind an odd encoding": TOP + part(XML, "Content-Type: text/xml", "x-none"),
    "in mixed in mixed": TOP + multipart(multipart(TEXT, TEXT, kind="alternative", boundary="b2"), PACKED),
    "forwarded": TOP + multipart(FORWARDED + TOP + multipart(PACKED, boundary="b3")),
    "a forwarded mail and no more": TOP + FORWARDED + TOP + PACKED,
    "header in odd case": USUAL.replace(b"Encoding: base64", b"ENCODING: Base64").replace(b"Type: app", b"TYPE: App"),
    "line ends of a file": USUAL.replace(b"\r\n", b"\n"),
    "without its end": USUAL.split(b"--b1--")[0],
    "without padding": USUAL.replace(b"=\r\n", b"\r\n"),
    "an mbox postmark first": b"From a@example.net Sun Nov  1 00:00:00 2026\n" + USUAL,
    "blank lines first": b"\r\n\r\n" + USUAL,
    "with a logo and a signature": TOP + multipart(LOGO, PACKED, SIGNATURE),
    "a name in words of RFC 2047": TOP
    + multipart(part(GZ, "Content-Type: application/gzip; name==?utf-8?B?ci5neg==?=")),
    "a broken name": TOP + multipart(part(GZ, "Content-Type: application/gzip; name*=no-such-charset'x'%FF%FE")),
    "a boundary in odd characters": TOP + multipart(PACKED, boundary="=_'()+_,-./:=?"),
}


@pytest.mark.parametrize("mail", MAILS.values(), ids=MAILS)
def test_mails(mail: bytes) -> None:
    ((_, form, content),) = opened(mail)
    assert isinstance(content, bytes)
    assert (form, content.split()) == ("xml", XML.split())


def test_a_tls_report_mail() -> None:
    mail = TOP + multipart(
        TEXT, part(gzip.compress(JSON), 'Content-Type: application/tlsrpt+gzip; name="a!b!1!2.json.gz"'), kind="report"
    )
    assert opened(mail) == [("in: a!b!1!2.json", "json", JSON)]
    plain = TOP + multipart(TEXT, part(JSON, "Content-Type: application/tlsrpt+json", "7bit"), kind="report")
    assert opened(plain) == [("in", "json", JSON + b"\r\n")]


@pytest.mark.parametrize("cut", [1, 3, 7, 1000])
def test_where_it_is_cut_does_not_matter(cut: int) -> None:
    mail = MAILS["in mixed in mixed"]
    assert opened(blocks(mail, cut)) == opened(mail)


def test_the_parts_after_a_damaged_one_are_read() -> None:
    mail = TOP + multipart(
        part(GZ[:60], "Content-Type: application/gzip; name=a.gz"),
        part(GZ, "Content-Type: application/gzip; name=b.gz"),
    )
    first, second = opened(mail)
    assert first == ("in: a.gz", "ReportRefused", "its gzip data ends in the middle")
    assert second == ("in: b", "xml", XML)


BROKEN = [
    (b"", "it is empty"),
    (b"\0" * 100_000, "nothing but blanks or zeros"),
    (b"%PDF-1.7", "neither XML, JSON, gzip, zip nor a mail"),
    (GZ[:-9], "ends in the middle"),
    (GZ[:40] + b"xxxx" + GZ[44:], "damaged"),
    (b"\x1f\x8b", "ends in the middle"),
    (gzip.compress(GZ), "nested archives"),
    (gzip.compress(zipped(("a.xml", XML))), "nested archives"),
    (gzip.compress(b"hello"), "neither XML nor JSON"),
    (zipped(("a.zip", zipped(("b.xml", XML)))), "nested archives"),
    (zipped(), "zip file is empty"),
    (zipped(("a.xml", XML))[:-10], "damaged or ends in the middle"),
    (zipped(("a.xml", XML)).replace(b"PK\x01\x02", b"PK\x01\x03"), "damaged or ends in the middle"),
    (zipped(*((f"{n}.xml", b"") for n in range(1001))), "more than 1,000 members"),
    (TOP + part(b"hello", "Content-Type: application/gzip"), "calls itself application/gzip"),
    (TOP + part(b"\0\0", "Content-Type: application/zip; name=r.zip", "binary"), "calls itself application/zip"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "said"), BROKEN, ids=range(len(BROKEN)))  # archives hold the time they were made
def test_what_is_broken_is_one_sentence(data: bytes, said: str) -> None:
    assert said in refused(data)


def test_an_encrypted_zip_is_told() -> None:
    data = bytearray(zipped(("a.xml", XML)))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    assert refused(bytes(data)) == "it is encrypted"


def test_a_member_that_lies_about_its_size_is_damaged() -> None:
    data = bytearray(zipped(("a.xml", XML)))
    at = data.index(b"PK\x01\x02") + 24
    data[at : at + 4] = (50).to_bytes(4, "little")
    assert "damaged" in refused(bytes(data))


def test_other_packings_are_refused() -> None:
    assert "no report uses" in refused(zipped(("a.xml", XML), method=zipfile.ZIP_LZMA))


def test_bombs() -> None:
    blank = gzip.compress(b" " * (16 * MIB), 9)
    assert "400 times its size" in refused(gzip.compress(XML) + blank * 20)
    dice = random.Random(1)  # noqa: S311 - the same octets each time, no secret
    sized = b"".join(dice.randbytes(40_000) + b" " * 1_000_000 for _ in range(16))  # 25 times its size
    assert "256 MiB" in refused(gzip.compress(XML) + gzip.compress(sized, 1) * 20)
    assert "400 times its size" in refused(gzip.compress(b"<feedback>" + b" " * (20 * MIB), 9))
    assert "256 MiB" in refused(zipped(("a.xml", b"<" + b" " * (129 * MIB)), ("b.xml", b"<" + b" " * (129 * MIB))))
    assert "64 MiB" in refused(b"\x1f\x8b" + b"\0" * MIB for _ in range(70))
    assert opened(gzip.compress(XML) + gzip.compress(b"") * 5000) == [("in", "xml", XML)]


def test_a_large_json_is_refused() -> None:
    ((_, kind, said),) = opened([b"{" + b" " * MIB] + [b" " * MIB] * 20)
    assert (kind, said) == ("ReportRefused", "the report has more than 16 MiB")


def test_a_mail_of_parts_without_end() -> None:
    assert "too many parts" in refused(TOP + multipart(*[b"\r\nx\r\n"] * 3000))
    nested = TOP + b"Content-Type: message/rfc822\r\n\r\n" * 1000
    assert "too deeply nested" in refused(nested)
    deep = b"".join(f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n".encode() for n in range(500))
    assert "too deeply nested" in refused(TOP + deep)


def test_mail_without_a_report_has_nothing() -> None:
    assert opened(TOP + b"\r\nhello\r\n") == []
    assert opened(TOP + multipart(TEXT, part(b"%PDF", "Content-Type: application/pdf; name=a.pdf"))) == []
    assert opened(TOP + multipart(part(b"<html></html>", "Content-Type: text/html"))) == []


def test_a_long_line_and_a_long_header_cost_no_memory() -> None:
    mail = [TOP + b"X-Long: ", *[b"x" * MIB] * 50, b"\r\n" + part(GZ, "Content-Type: application/gzip")]
    assert opened(mail) == []  # its content type comes after more than a header may have
    assert opened([TOP, part(GZ, "Content-Type: application/gzip"), *[b"=" * MIB] * 50])[0][2] == XML


MEASURED = """
import resource, sys
from gatepost.feedback.containers import documents, Refusal
def chunks():
    with open(sys.argv[1], "rb") as file:
        while block := file.read(65536):
            yield block
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
said = [str(one.why) for one in documents("in", chunks()) if isinstance(one, Refusal)]
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, *said)
"""


def test_a_bomb_takes_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(XML) + gzip.compress(b" " * (16 * MIB), 9) * 640)
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, path], capture_output=True, text=True, check=True, timeout=60,
        env={"PYTHONPATH": "src"}, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    kibibytes, _, said = done.stdout.partition(" ")
    assert "256 MiB" in said
    assert int(kibibytes) < 60 * 1024


def test_the_names_of_forms_are_words() -> None:
    assert {containers.sniffed(XML), containers.sniffed(TOP), containers.sniffed(b"")} == {
        Form.XML, Form.MAIL, Form.UNKNOWN,
    }  # fmt: skip
    assert issubclass(NoReport, ReportRefused)


seeds = st.sampled_from([GZ, zipped(("a.xml", XML), ("b.json", JSON)), *MAILS.values()])


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_any_octets_are_opened_or_refused(data: bytes) -> None:
    assert all(one[1] for one in opened(data))


@settings(max_examples=300, deadline=None)
@given(seeds, st.data())
def test_any_damage_is_survived(seed: bytes, draw: st.DataObject) -> None:
    at = draw.draw(st.integers(0, len(seed)))
    until = draw.draw(st.integers(at, min(len(seed), at + 20)))
    damaged = seed[:at] + draw.draw(st.binary(max_size=20)) + seed[until:]
    assert all(one[1] for one in opened(damaged))


@settings(deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=20))
def test_any_lines_after_the_header_of_a_mail(lines: list[bytes]) -> None:
    mail = TOP + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + b"\r\n".join(lines)
    assert all(one[1] for one in opened(mail))
