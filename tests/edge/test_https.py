"""One small HTTPS request: the body, or whose fault it is that there is none."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.certs.chain import Roots
from gatepost.edge.https import MAX_ANSWER, Ask, fetch, read
from gatepost.errors import PeerClosed, PeerError, PeerGarbled, PeerRefused, PeerSilent, PeerUnreachable
from tests.authority import issue
from tests.edge.web import Web

NAME = "autoconfig.example.org"
ROOT = issue("Web Root", ca=True, days=(-9000, 9000))
LEAF = issue(NAME, ROOT, names=(NAME,), days=(-9000, 9000))
ROOTS = Roots((ROOT.der,))


def got(web: Web, host: str = NAME, *, roots: Roots = ROOTS, body: bytes = b"", seconds: float = 5) -> str:
    return asyncio.run(fetch(Ask(host, "127.0.0.1", web.port, "/x?y=%40", body), roots, seconds=seconds))


def test_body(tmp_path: Path) -> None:
    with Web(tmp_path, LEAF, {NAME: b"HTTP/1.1 200 OK\r\nX: y\r\n\r\n\xef\xbb\xbf<a>\xc3\xa9</a>"}) as web:
        assert got(web) == "<a>é</a>"
        assert got(web, body=b"<q/>") == "<a>é</a>"
    assert web.asked[0].startswith(f"GET /x?y=%40 HTTP/1.0\r\nHost: {NAME}\r\n")
    assert web.asked[1].startswith("POST ")
    assert "Content-Length: 4\r\n" in web.asked[1]


@pytest.mark.parametrize(
    ("raw", "kind", "words"),
    [
        (b"HTTP/1.1 404 Not Found\r\n\r\n", PeerRefused, "answers 404 Not Found"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://evil.example/\r\n\r\n", PeerRefused, "answers 302 Found"),
        (b"220 mx ESMTP\r\n\r\n", PeerGarbled, "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\n", PeerGarbled, "does not speak HTTP"),
        (b"", PeerClosed, "closed without an answer"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * MAX_ANSWER, PeerGarbled, "more than"),
    ],
)
def test_no_body(tmp_path: Path, raw: bytes, kind: type[PeerError], words: str) -> None:
    with Web(tmp_path, LEAF, {NAME: raw}) as web, pytest.raises(kind, match=words):
        got(web)


def test_silence(tmp_path: Path) -> None:
    with Web(tmp_path, LEAF, {NAME: None}) as web, pytest.raises(PeerSilent, match=r"within 0.3 s"):
        got(web, seconds=0.3)


def test_certificate_is_verified(tmp_path: Path) -> None:
    with Web(tmp_path, LEAF, {}) as web:
        with pytest.raises(PeerRefused, match="hostname mismatch"):
            got(web, "other.example.org")
        with pytest.raises(PeerRefused, match="certificate"):
            got(web, roots=Roots(()))


def test_nobody_there(tmp_path: Path) -> None:
    with Web(tmp_path, LEAF, {}) as web:
        pass
    with pytest.raises(PeerUnreachable) as caught:
        got(web)
    assert caught.value.refused


@given(st.binary(max_size=200))
def test_any_answer(data: bytes) -> None:
    try:
        read(data, NAME)
    except PeerError as error:
        said = str(error)
    else:
        said = NAME
    assert said.startswith(NAME)
