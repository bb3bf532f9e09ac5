from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatepost.model.audit import Audit
from gatepost.report.formats import Renderer
from gatepost.report.html import certs_html, ports_html, to_html
from gatepost.report.markup import Element, e, html
from tests.report.sample import HOSTILE, clean, sample
from tests.report.strategies import audits

VOID = {"br", "meta"}
TAGS = {
    "html", "head", "meta", "title", "style", "body", "header", "main", "footer", "section", "div", "span", "p", "h1",
    "h2", "h3", "small", "dl", "dt", "dd", "ul", "li", "b", "a", "br", "table", "thead", "tbody", "tr", "th", "td",
    "pre", "code", "details", "summary",
}  # fmt: skip


class Reader(HTMLParser):
    """Fails on anything that does not balance; collects tags, text and attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.text = ""
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert not reader.open
    return reader


@pytest.mark.parametrize("render", [to_html, ports_html, certs_html])
@pytest.mark.parametrize("audit", [sample(), clean(), replace(sample(), findings=())])
def test_the_page_balances_and_uses_only_our_tags(render: Renderer, audit: Audit) -> None:
    assert read(render(audit)).tags <= TAGS


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(audits())
def test_whatever_was_found_stays_text(audit: Audit) -> None:
    page = to_html(audit)
    page.encode()
    reader = read(page)
    assert reader.tags <= TAGS
    assert not [name for name, _ in reader.attributes if name.startswith("on") or name in {"src", "style"}]


def test_a_hostile_banner_is_text() -> None:
    page = to_html(sample())
    assert "<script" not in page
    assert '\\e[2J<script>alert("220")</script>\\u202e=cmd|calc' in read(page).text
    assert HOSTILE not in page


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_text_becomes_markup(words: str, value: str) -> None:
    reader = read(html(e("p", words, title=value)))
    assert reader.tags == {"p"}
    assert [name for name, _ in reader.attributes] == ["title"]


def test_the_page_allows_nothing_but_its_own_stylesheet() -> None:
    page = to_html(sample())
    style = re.search("<style>(.*?)</style>", page, re.DOTALL)
    policy = re.search('http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert style
    assert policy
    named = b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy[1].replace("&#x27;", "'") == (
        f"default-src 'none'; style-src 'sha256-{named}'; base-uri 'none'; form-action 'none'"
    )


def test_the_page_needs_no_other_file() -> None:
    page = to_html(sample())
    assert not re.search(r"url\(|@import|<link|<img|<script|https?://", page)


def test_it_tells_what_the_other_formats_tell() -> None:
    text = " ".join(read(to_html(sample())).text.split())
    for finding in sample().findings:
        assert finding.control in text
    assert "partner X still sends TLS 1.0" in text
    assert "limited: 421 4.7.0 Too many connections from you" in text
    assert "6 controls not judged in this run" in text


def test_the_worst_are_unfolded() -> None:
    page = to_html(sample())
    assert page.count('<details class="finding critical" open="">') == 4
    assert '<details class="finding low">' in page


def test_an_element_drops_what_is_false() -> None:
    assert e("td", class_=False, open=True) == Element("td", (("open", ""),), ())
