"""One self-contained HTML page: no script, no other file, safe to open whatever a banner said.

Everything is escaped by construction (`markup`), and the page forbids the browser all but its own stylesheet,
named by its hash.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources

from gatepost import __version__
from gatepost.model.audit import Audit
from gatepost.model.finding import Finding
from gatepost.model.words import Outcome, Severity
from gatepost.report import certs, domains, standards, truth
from gatepost.report.blind import Blind, blind, gathered, unjudged
from gatepost.report.encryption import Word
from gatepost.report.evidence import transcript
from gatepost.report.held import held
from gatepost.report.interior import inside, interior
from gatepost.report.markup import Element, Node, Stylesheet, e, html
from gatepost.report.panels import MARKS, certificate_table, domain_cards, place_table, port_tables, wall
from gatepost.report.tally import WORST_FIRST, open_findings, plural, sentence, tally
from gatepost.report.truth import Standing

_OPEN = frozenset({Severity.CRITICAL, Severity.HIGH})  # shown unfolded


def to_html(audit: Audit) -> str:
    ports, served, told = truth.rows(audit), certs.rows(audit), domains.cards(audit)
    everywhere = _addresses(ports)
    sections = (
        _section("Ports", "What was declared, what answered, and one word for the difference.",
                 *([wall(ports), *port_tables(ports)] if ports else [])),
        _section("Inside", "What the hosts told of themselves.", *interior(audit)),
        _section("Findings", "Worst first. Each says what was expected, what was seen, and which setting mends it.",
                 *(_finding(f, audit, everywhere) for f in open_findings(audit))),
        _section("Certificates", "The same letter is the same certificate.",
                 *([certificate_table(served)] if served else [])),
        _section("Domains", "What the world is told, a line per standard.",
                 *([domain_cards(told)] if told else [])),
        _section("Not seen", "Neither a pass nor a failure: these verdicts could not be reached.", *_unseen(audit)),
        _section("Waived", "Failures with an owner, a reason and an end.", *_waived(audit)),
        _section("No longer open", "Mended since then, or not judged again.", *_mended(audit)),
        _section("Passed", "", *([] if audit.since else _passed(audit))),
        _section("The run", "", *_run(audit), only="screen"),
    )  # fmt: skip
    return _page(audit, _header(audit), sections)


def ports_html(audit: Audit) -> str:
    rows = truth.rows(audit)
    return _page(audit, _header(audit), (_section("Ports", "", *([wall(rows), *port_tables(rows)] if rows else [])),))


def certs_html(audit: Audit) -> str:
    rows = certs.rows(audit)
    tables = [certificate_table(rows), e("h3", "Where each is served"), place_table(rows)] if rows else []
    return _page(
        audit, _header(audit), (_section("Certificates", "The same letter is the same certificate.", *tables),)
    )


def domains_html(audit: Audit) -> str:
    told = domains.cards(audit)
    shown = [domain_cards(told)] if told else []
    return _page(audit, _header(audit), (_section("Domains", "What the world is told, a line per standard.", *shown),))


def _page(audit: Audit, header: Element, sections: Iterable[Node]) -> str:
    css = resources.files("gatepost.report").joinpath("data", "report.css").read_text(encoding="utf-8")
    named = b64encode(hashlib.sha256(css.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{named}'; base-uri 'none'; form-action 'none'"
    head = e(
        "head",
        e("meta", charset="utf-8"),
        e("meta", http_equiv="Content-Security-Policy", content=policy),
        e("meta", name="viewport", content="width=device-width, initial-scale=1"),
        e("meta", name="referrer", content="no-referrer"),
        e("meta", name="generator", content=f"gatepost {__version__}"),
        e("title", f"Mail ports of {', '.join(audit.targets)}"),
        e("style", Stylesheet(css)),
    )
    foot = f"gatepost {__version__} · {audit.generated_at:%Y-%m-%d %H:%M} UTC · profile {audit.profile}"
    body = e("body", header, e("main", sections), e("footer", foot))
    return f"<!doctype html>\n{html(e('html', head, body, lang='en'))}\n"


def _section(title: str, lead: str, *content: Node, only: str = "") -> Element | str:
    if not content:
        return ""
    told = e("p", lead, class_="lead") if lead else ""
    return e("section", e("h2", title), told, content, class_=only or False)


def _header(audit: Audit) -> Element:
    standing = _standing(audit)
    return e(
        "header",
        e(
            "div",
            e("div", "gatepost · mail ports", class_="brand"),
            e("h1", ", ".join(audit.targets)),
            e("p", e("span", MARKS[standing]), e("span", sentence(audit)), class_=f"verdict {standing.value}"),
            e("dl", (e("div", e("dt", key), e("dd", value)) for key, value in _facts(audit)), class_="facts"),
            (e("p", note, class_="note") for note in audit.notes),
            e("ul", _tiles(audit), class_="tiles"),
        ),
    )


def _standing(audit: Audit) -> Standing:
    counted = tally(audit)
    if any(severity in _OPEN for severity in counted.open):
        return Standing.BAD
    if counted.open:
        return Standing.ATTENTION
    return Standing.GOOD if counted.passed else Standing.UNKNOWN


def _facts(audit: Audit) -> Iterable[tuple[str, str]]:
    spent = sum(audit.run.connections.values())
    yield "profile", audit.profile
    yield "looked", f"{audit.generated_at:%Y-%m-%d %H:%M} UTC"
    yield "from", audit.run.vantage or "here"
    yield "with", f"{plural(spent, 'connection')} to {plural(len(audit.run.connections), 'endpoint')}"
    if looked := inside(audit):
        yield "inside", looked
    if audit.architecture.source:
        yield "declared in", audit.architecture.source
    if audit.compared_with:
        yield "compared with", audit.compared_with
    if audit.since:
        yield "only changes since", audit.since


_COLOURS: Mapping[Severity, str] = {
    Severity.CRITICAL: "bad", Severity.HIGH: "bad", Severity.INFO: "unknown", Severity.LOW: "unknown",
    Severity.MEDIUM: "attention",
}  # fmt: skip


def _tiles(audit: Audit) -> Iterable[Element]:
    counted = tally(audit)
    for severity in WORST_FIRST:
        number = counted.open.get(severity, 0)
        if number or severity is not Severity.INFO:
            yield _tile(severity.value, number, _COLOURS[severity])
    yield _tile("waived", counted.waived, "")
    yield _tile("passed", counted.passed, "good")
    yield _tile("not seen", counted.unknown, "unknown")


def _tile(label: str, number: int, colour: str) -> Element:
    return e("li", e("b", str(number)), e("span", label), class_=colour if number else "none")


Addresses = Mapping[str, frozenset[str]]  # of each host, as places have them: `mx.test:25 (192.0.2.1)` without the port


def _addresses(rows: Iterable[truth.Row]) -> Addresses:
    found: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row.verdict is not Word.LOOPBACK:
            found[row.host].add(str(row.at).removeprefix(row.at.place))
    return {host: frozenset(addresses) for host, addresses in found.items()}


def _finding(finding: Finding, audit: Audit, everywhere: Addresses) -> Element:
    since = finding.first_seen
    aged = f" · open since {since:%Y-%m-%d}" if since and since.date() < audit.generated_at.date() else ""
    summary = e(
        "summary",
        e("span", finding.severity.value, class_=f"severity {finding.severity.value}"),
        e("span", finding.because or standards.title(finding.control), class_="what"),
        e("span", finding.control, class_="id mono"),
        e("span", f"{finding.subject}{aged}", class_="where"),
    )
    rows = (pair for pair in _details(finding, everywhere) if pair[1])
    body = e("dl", (part for label, node in rows for part in (e("dt", label), e("dd", node))))
    return e("details", summary, body, class_=f"finding {finding.severity.value}", open=finding.severity in _OPEN)


def _details(finding: Finding, everywhere: Addresses) -> Iterable[tuple[str, Node]]:
    yield "expected", standards.title(finding.control)
    if len(finding.places) > 1 and not _on_all(finding.places, everywhere):
        yield "where", ", ".join(finding.places)
    if told := transcript(finding.evidence):
        yield "seen", _transcript(told)
    yield "fix", e("pre", finding.remedy, class_="fix") if finding.remedy else ""
    if entry := standards.entry(finding.control):
        yield "why", entry.rationale
    asked = "; ".join(standards.named(r) for r in standards.references(finding.control))
    yield "asked for by", e("span", asked, class_="refs") if asked else ""


def _on_all(places: Iterable[str], everywhere: Addresses) -> bool:
    """On every address of the host: then its ports, which the subject names, say all."""
    found: dict[str, set[str]] = defaultdict(set)
    for place in places:
        named, gap, address = place.partition(" ")
        found[named].add(f"{gap}{address}")
    return all(addresses == everywhere.get(named.rpartition(":")[0], set()) for named, addresses in found.items())


def _transcript(told: Sequence[str]) -> Element:
    """The start of a long one; the rest folded away."""
    left = len(told) - _EVIDENCE
    if left <= _EVIDENCE // 2:
        return e("pre", _spoken(told))
    more = e("details", e("summary", plural(left, "more line")), e("pre", _spoken(told[_EVIDENCE:])), class_="more")
    return e("div", e("pre", _spoken(told[:_EVIDENCE])), more)


_EVIDENCE = 12  # lines of a transcript


def _spoken(told: Sequence[str]) -> Iterable[Node]:
    for n, line in enumerate(told):
        yield "\n" if n else ""
        yield e("span", line, class_="said") if "S: " in line[:12] else line


def _unseen(audit: Audit) -> Iterable[Node]:
    if told := blind(audit):
        yield _reasons(told)
    needs = unjudged(audit)
    if needs:
        count = plural(sum(map(len, needs.values())), "control")
        groups = ((e("p", f"{need}:"), _titles(controls)) for need, controls in needs.items())
        yield e("details", e("summary", f"{count} not judged in this run"), *groups, class_="more")


def _titles(controls: Iterable[str]) -> Element:
    return e("ul", (e("li", e("code", control), f" {standards.title(control)}") for control in controls))


def _reasons(told: Iterable[Blind]) -> Element:
    head = e("tr", (e("th", name, scope="col") for name in ("reason", "where", "controls")))
    body = (
        e(
            "tr",
            e("td", one.told, class_="wide", data_label="reason"),
            e("td", one.where, class_="wide", data_label="where"),
            e("td", ", ".join(one.controls), class_="dim wide", data_label="controls"),
        )
        for one in told
    )
    return e("div", e("table", e("thead", head), e("tbody", body), class_="stack"), class_="card scroll")


def _waived(audit: Audit) -> Iterable[Node]:
    waived = [(f, f.waiver) for f in audit.findings if f.outcome is Outcome.FAIL and f.waiver]
    if not waived:
        return
    heads = ("control", "where", "what", "reason", "owner", "until")
    head = e("tr", (e("th", name, scope="col") for name in heads))
    cells = ((f.control, f.subject, f.because, w.reason, w.owner, str(w.expires)) for f, w in waived)
    body = (
        e("tr", (e("td", value, class_="wide", data_label=label) for label, value in zip(heads, row, strict=True)))
        for row in cells
    )
    yield e("div", e("table", e("thead", head), e("tbody", body), class_="stack"), class_="card scroll")


def _mended(audit: Audit) -> Iterable[Node]:
    ended = [f for f in audit.findings if audit.since and f.outcome in {Outcome.PASS, Outcome.NOT_APPLICABLE}]
    if ended:
        listed = (
            e("li", e("code", f.control), f" {f.subject}: {f.because} ",
              e("span", standards.title(f.control), class_="dim"))
            for f in ended
        )  # fmt: skip
        yield e("ul", listed)


def _passed(audit: Audit) -> Iterable[Node]:
    kept = held(audit)
    if not kept:
        return
    listed = (
        e("li", e("code", control), f" {standards.title(control)} ", e("span", gathered(places), class_="dim"))
        for control, places in kept.items()
    )
    yield e("details", e("summary", f"{plural(len(kept), 'control')} held at one place or more"), e("ul", listed),
            class_="more")  # fmt: skip


def _run(audit: Audit) -> Iterable[Node]:
    spent = sorted(audit.run.connections.items())
    if not spent:
        return
    head = e("tr", e("th", "endpoint", scope="col"), e("th", "connections", class_="num", scope="col"))
    body = (e("tr", e("td", place), e("td", str(count), class_="num")) for place, count in spent)
    total = f"{plural(sum(n for _, n in spent), 'connection')} to {plural(len(spent), 'endpoint')}"
    yield e("details", e("summary", total), e("table", e("thead", head), e("tbody", body)), class_="more")
