"""Every way an audit is written down, by view and by the name of the format.

Renderers are pure: an audit in, text out. `TERMINAL` pages also take a width, colour and `-v`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from gatepost.model.audit import Audit
from gatepost.model.words import Severity
from gatepost.report import views
from gatepost.report.gallery import domains_text
from gatepost.report.html import certs_html, domains_html, ports_html, to_html
from gatepost.report.junit import to_junit
from gatepost.report.machine import to_json, to_jsonl
from gatepost.report.prometheus import to_prometheus
from gatepost.report.sarif import to_sarif
from gatepost.report.sheet import to_csv
from gatepost.report.text import render

Renderer = Callable[[Audit], str]


class Page(Protocol):
    """A page for a terminal: the text to print, with escape sequences when `colour`."""

    def __call__(
        self,
        audit: Audit,
        *,
        width: int = 100,
        colour: bool = False,
        verbose: bool = False,
        fail_on: Severity | None = Severity.HIGH,
    ) -> str: ...


TERMINAL: Mapping[str, Page] = {
    "audit": render,
    "certs": views.certs_text,
    "domains": domains_text,
    "ports": views.ports_text,
}

_FINDINGS: Mapping[str, Renderer] = {"junit": to_junit, "prometheus": to_prometheus, "sarif": to_sarif}
FORMATS: Mapping[str, Mapping[str, Renderer]] = {
    "audit": {"csv": to_csv, "html": to_html, "json": to_json, "jsonl": to_jsonl, "table": render, **_FINDINGS},
    "certs": {
        "csv": views.certs_csv,
        "html": certs_html,
        "json": views.certs_json,
        "jsonl": views.certs_lines,
        "table": views.certs_text,
        **_FINDINGS,
    },
    "domains": {
        "csv": views.domains_csv,
        "html": domains_html,
        "json": views.domains_json,
        "jsonl": views.domains_lines,
        "table": domains_text,
        **_FINDINGS,
    },
    "ports": {
        "csv": views.ports_csv,
        "html": ports_html,
        "json": views.ports_json,
        "jsonl": views.ports_lines,
        "table": views.ports_text,
        **_FINDINGS,
    },
}
