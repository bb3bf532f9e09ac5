"""A policy document: which address gave it, or what is wrong with the host that should."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.certs.chain import Roots
from gatepost.edge.fetching import MAX_POLICY, Fetcher
from gatepost.edge.https import read
from gatepost.edge.resolve import resolver_at
from gatepost.errors import PeerClosed, PeerError, PeerGarbled
from gatepost.model.words import Reason
from gatepost.records.lookup import Fetched
from tests.authority import issue
from tests.dns import Dns
from tests.edge.web import Web

NAME = "mta-sts.example.org"
NAMES = {
    (NAME, "A"): ["127.0.0.1"],
    ("two.example.org", "A"): ["127.0.0.2", "127.0.0.1"],
    ("none.example.org", "A"): ["127.0.0.2"],
    ("empty.example.org", "TXT"): ["x"],
    ("slow.example.org", "A"): ["127.0.0.1"],
    ("other.example.org", "A"): ["127.0.0.1"],
    ("broken.example.org", "TXT"): ["x"],
}
ROOT = issue("Web Root", ca=True, days=(-9000, 9000))
COVERED = (NAME, "two.example.org", "slow.example.org")
LEAF = issue(NAME, ROOT, names=COVERED, days=(-9000, 9000))
EXPIRED = issue(NAME, ROOT, names=COVERED, days=(-9000, -10))
LONE = issue(NAME, names=COVERED, days=(-9000, 9000))
POLICY = "version: STSv1\r\nmode: enforce\r\nmx: mx1.example.org\r\nmax_age: 86400\r\n"
FINE = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{POLICY}".encode()
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\nContent-Type: text/plain\r\n\r\n"
    b"3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n"
)


def fetch(web: Web, host: str = NAME, *, roots: Roots | None = None, seconds: float = 5) -> Fetched:
    with Dns(NAMES, {"broken.example.org": "servfail"}) as dns:
        fetcher = Fetcher(resolver_at(dns.where), roots or Roots((ROOT.der,)), https=web.port, seconds=seconds)
        return asyncio.run(_once(fetcher, host))


async def _once(fetcher: Fetcher, host: str) -> Fetched:
    return await fetcher(host, "/.well-known/mta-sts.txt")


def test_policy(tmp_path: Path) -> None:
    with Web(tmp_path, LEAF, {NAME: FINE}) as web:
        assert fetch(web) == Fetched(ok=True, text=POLICY, content_type="text/plain; charset=utf-8")
    assert web.asked[0].startswith(f"GET /.well-known/mta-sts.txt HTTP/1.0\r\nHost: {NAME}\r\n")


def test_the_next_address_is_asked(tmp_path: Path) -> None:
    with Web(tmp_path, LEAF, {"two.example.org": FINE}) as web:
        assert fetch(web, "two.example.org").ok


def test_every_address_is_told(tmp_path: Path) -> None:
    with Web(tmp_path, LEAF, {}) as web:
        got = fetch(web, "two.example.org")
    assert got.why == "two.example.org: answers 404 Not Found at 127.0.0.1; connection refused at 127.0.0.2"
    assert (got.ok, got.reason) == (False, Reason.REFUSED)


@pytest.mark.parametrize(
    ("host", "reason", "words"),
    [
        ("gone.example.org", Reason.UNRESOLVED, "gone.example.org does not exist"),
        ("empty.example.org", Reason.UNRESOLVED, "empty.example.org has no address"),
        ("broken.example.org", Reason.REFUSED, "SERVFAIL"),
        ("none.example.org", Reason.REFUSED, "none.example.org: connection refused"),
        (NAME, Reason.REFUSED, f"{NAME} answers 404 Not Found"),
        ("a..b", Reason.UNRESOLVED, "is no host name"),
    ],
)
def test_why_there_is_none(tmp_path: Path, host: str, reason: Reason, words: str) -> None:
    with Web(tmp_path, LEAF, {}) as web:
        got = fetch(web, host)
    assert (got.ok, got.reason) == (False, reason)
    assert words in got.why


def test_a_redirect_is_named_and_not_followed(tmp_path: Path) -> None:
    moved = b"HTTP/1.1 301 Moved Permanently\r\nLocation: https://other.example/x\r\n\r\n"
    with Web(tmp_path, LEAF, {NAME: moved}) as web:
        got = fetch(web)
    assert got.why == f"{NAME} answers 301 Moved Permanently, a redirect to https://other.example/x: it is not followed"
    assert len(web.asked) == 1


def test_the_certificate_error_in_words(tmp_path: Path) -> None:
    with Web(tmp_path, EXPIRED, {NAME: FINE}) as web:
        assert fetch(web).why == f"{NAME}: certificate has expired"
    with Web(tmp_path, LEAF, {NAME: FINE}) as web:
        assert "hostname mismatch" in fetch(web, "other.example.org").why
        assert "not trusted, or an intermediate" in fetch(web, roots=Roots((LONE.der,))).why
    with Web(tmp_path, LONE, {NAME: FINE}) as web:
        got = fetch(web)
    assert got.why == f"{NAME}: the certificate is self-signed"
    assert got.reason is Reason.REFUSED


def test_bounds(tmp_path: Path) -> None:
    endless = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * MAX_POLICY
    with Web(tmp_path, LEAF, {NAME: endless, "slow.example.org": None}) as web:
        assert fetch(web).why == f"{NAME}: an answer of more than {MAX_POLICY} octets"
        got = fetch(web, "slow.example.org", seconds=0.3)
    assert (got.reason, got.why) == (Reason.TIMEOUT, "slow.example.org did not answer within 0.3 s")


def test_a_path_that_http_cannot_carry(tmp_path: Path) -> None:
    with Web(tmp_path, LEAF, {}) as web, Dns(NAMES) as dns:
        fetcher = Fetcher(resolver_at(dns.where), Roots((ROOT.der,)), https=web.port)

        async def once() -> Fetched:
            return await fetcher(NAME, "/é")

        assert asyncio.run(once()).reason is Reason.GARBLED


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (CHUNKED, "abc0123456789"),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 3\r\n\r\nabcdef", "abc"),
        (b"HTTP/1.0 200 OK\r\nContent-Length: x\r\n\r\nabc", "abc"),
    ],
)
def test_framing(tmp_path: Path, raw: bytes, text: str) -> None:
    assert read(raw, NAME).text == text
    with Web(tmp_path, LEAF, {NAME: raw}) as web:
        assert fetch(web).text == text


class Clinging(Web):
    """Never hangs up, whatever version of HTTP it is asked in."""

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(self.answers[NAME] or b"")
        await reader.read()
        writer.close()


@pytest.mark.parametrize("raw", [CHUNKED, b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"])
def test_a_server_that_never_hangs_up(tmp_path: Path, raw: bytes) -> None:
    with Clinging(tmp_path, LEAF, {NAME: raw}) as web:
        assert fetch(web).text[:3] == "abc"


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (CHUNKED[:-10], PeerClosed),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", PeerGarbled),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-3\r\n", PeerClosed),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\nabc", PeerClosed),
    ],
)
def test_half_a_document_is_none(raw: bytes, kind: type[PeerError]) -> None:
    with pytest.raises(kind, match=NAME):
        read(raw, NAME)


@given(st.binary(max_size=200), st.sampled_from([b"", b"Transfer-Encoding: chunked\r\n", b"Content-Length: 9\r\n"]))
def test_any_document(body: bytes, field: bytes) -> None:
    try:
        said = read(b"HTTP/1.1 200 OK\r\n" + field + b"\r\n" + body, NAME).text
    except PeerError as error:
        said = str(error).removeprefix(NAME)
    assert len(said) <= max(len(body), 40)
    assert NAME not in said
