"""DMARC aggregate reports (RFC 7489 appendix C, RFC 9990), read as they come, a hundred thousand records in seconds.

Element names count, whatever their case, prefix or namespace; elements nobody knows are passed over. A document
type declaration ends the reading at once, since no report needs one and every entity attack does.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache, partial
from xml.parsers import expat

from gatepost.feedback import encodings, values
from gatepost.feedback.contents import AggregateHead, NoReport, Period, ReportRefused, Row

MAX_DEPTH = 64
MAX_TAGS = 20_000_000
MAX_TOKEN = 1024 * 1024  # octets of one tag or comment; the parser would scan a longer one again and again
MAX_TEXT = 256 * 1024
MAX_LINES = 100  # reasons or results kept of one record (RFC 9990 section 3.1.3: no more than 100 signatures)
_FILE = re.compile(r"[^!/\s]+!([^!/\s]+)!(\d{9,11})!(\d{9,11})(?![^!._])")  # RFC 7489 section 7.2.1.1


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the tree we are: what may stand inside, which field its text is, what happens when it closes."""

    inside: Mapping[str, _Place] = field(default_factory=dict)
    keeps: str = ""
    closes: str = ""


class Aggregate:
    """Feed it the document, take the rows it gives, end it, then ask for the head.

    All three raise ReportRefused. `hint` is the file's name, which can tell a missing period or domain.
    """

    def __init__(self, now: datetime, hint: str = "") -> None:
        self._now = now
        self._hint = _FILE.search(hint)
        self._decoder = encodings.Decoder()
        self._parser = expat.ParserCreate("utf-8")
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = _no_doctype
        self._parser.StartElementHandler = self._root
        self._fed = 0
        self._tags = 0
        self._stack = [_Place()]
        self._pieces: list[str] = []
        self._fields: dict[str, str] = {}
        self._reasons: list[str] = []
        self._auth: list[str] = []
        self._ready: list[Row] = []
        self._count = 0
        self._lost: Counter[str] = Counter()
        self._namespace = ""
        self._closed = False

    def rows(self, chunk: bytes) -> list[Row]:
        """The records that end within this piece of the document."""
        self._feed(self._decoder.utf8(chunk))
        self._within_bounds()
        return self._taken()

    def end(self) -> list[Row]:
        """The records that were still on their way: newer parsers put off what might be an incomplete tag."""
        self._feed(self._decoder.utf8(b"", last=True))
        self._feed(b"", last=True)
        if not self._closed:
            raise ReportRefused("it is empty or ends in the middle")
        return self._taken()

    def _taken(self) -> list[Row]:
        ready, self._ready = self._ready, []
        return ready

    def _feed(self, data: bytes, *, last: bool = False) -> None:
        if self._closed:
            return  # what follows the report, a signature or padding, is not looked at
        self._fed += len(data)
        self._tags += data.count(b"<")
        try:
            self._parser.Parse(data, last)
        except expat.ExpatError as error:
            self._judge(error, last=last)

    def _judge(self, error: expat.ExpatError, *, last: bool) -> None:
        """What is wrong behind the report does not matter; a document cut short is told by who asked for its end."""
        if self._closed or (last and error.code in _CUT_SHORT):
            return
        where = f"its XML is broken at line {error.lineno}"
        raise ReportRefused(f"{where}: {expat.ErrorString(error.code)}") from None

    def _within_bounds(self) -> None:
        if len(self._stack) > MAX_DEPTH:
            raise ReportRefused(f"its elements are nested more than {MAX_DEPTH} deep")
        if sum(map(len, self._pieces)) > MAX_TEXT:
            raise ReportRefused("one of its texts is far too long")
        if self._tags > MAX_TAGS:
            raise ReportRefused(f"it has more than {MAX_TAGS:,} tags")
        if not self._closed and self._fed - max(self._parser.CurrentByteIndex, 0) > MAX_TOKEN:
            raise ReportRefused("one of its tags or comments is longer than a megabyte")

    def _root(self, name: str, attributes: Mapping[str, str]) -> None:
        if _plain(name) != "feedback":
            raise NoReport(f"it is no DMARC report: it begins with <{values.text(name, 40)}>")
        spaces = [v for k, v in attributes.items() if k.partition(":")[0] == "xmlns" and "dmarc" in v.lower()]
        self._namespace = values.text(spaces[0], 100) if spaces else ""
        self._stack.append(_FEEDBACK)
        self._handle()

    def _handle(self) -> None:
        """Closures over local names, and text asked for only where it is kept: twice as quick as methods would be."""
        parser, stack, pieces, fields = self._parser, self._stack, self._pieces, self._fields
        enter, leave, keep, clear, joined = stack.append, stack.pop, pieces.append, pieces.clear, "".join
        closing = {key: partial(method, self) for key, method in self._CLOSING.items()}

        def start(name: str, _attributes: object) -> None:
            inside = stack[-1].inside
            place = inside.get(name) or inside.get(_plain(name)) or _UNKNOWN
            enter(place)
            if place.keeps:
                parser.CharacterDataHandler = keep

        def end(_name: str) -> None:
            place = leave()
            if place.keeps:
                parser.CharacterDataHandler = None
                fields[place.keeps] = joined(pieces)
                clear()
            elif place.closes:
                closing[place.closes]()

        parser.StartElementHandler = start
        parser.EndElementHandler = end

    def _reason(self) -> None:
        said = (_text(self._fields.pop("type", "")[:200]), _text(self._fields.pop("comment", "")[:200]))
        if len(self._reasons) < MAX_LINES:
            self._reasons.append(": ".join(word for word in said if word))

    def _result(self, kind: str) -> None:
        taken = self._fields.pop
        domain, selector, result = taken("auth domain", ""), taken("selector", ""), taken("result", "")
        if len(self._auth) < MAX_LINES:
            self._auth.append(_auth_line(kind, domain[:300], selector[:100], result[:40]))

    def _record(self) -> None:
        taken = self._fields.pop
        source, messages = _address(taken("source", "")[:60]), _number(taken("count", "")[:40])
        disposition, dkim, spf = taken("disposition", ""), taken("dkim", ""), taken("spf", "")
        row = Row(
            source,
            messages or 0,
            self._word("disposition", disposition, _DISPOSITIONS),
            self._word("policy_evaluated/dkim", dkim, _RESULTS),
            self._word("policy_evaluated/spf", spf, _RESULTS),
            _name(taken("from", "")[:300]),
            "\n".join(self._reasons),
            "\n".join(self._auth),
        )
        self._reasons.clear()
        self._auth.clear()
        if not source or messages is None:
            self._lost["record left out for its source_ip" if not source else "record left out for its count"] += 1
            return
        if not row.domain:
            self._lost["header_from"] += 1
        self._count += 1
        self._ready.append(row)

    def _word(self, what: str, written: str, known: Mapping[str, str]) -> str:
        word = known.get(written)
        if word is None:
            word = known.get(written.strip().lower()[:20], "")
            if not word:
                self._lost[what] += 1
        return word

    def _feedback(self) -> None:
        self._closed = True

    def head(self) -> AggregateHead:
        """Once the document has ended."""
        told = self._fields
        domain = values.name(told.get("domain", "")) or (values.name(self._hint[1]) if self._hint else "")
        for what, key in (("org_name", "org"), ("report_id", "id"), ("policy_published/domain", "domain")):
            if not told.get(key, "").strip():
                self._lost[what] += 1
        if not domain:
            raise ReportRefused("it does not say which domain it is about")
        if not self._count and not self._lost:
            self._lost["record"] += 1
        email = values.name(told.get("email", "").rpartition("@")[2])
        return AggregateHead(
            values.text(told.get("org", "")) or email or "(unnamed)",
            values.text(told.get("id", "")),
            domain,
            self._period(),
            values.text(told.get("p", ""), 20).lower(),
            self._namespace,
            self._count,
            dict(self._lost),
        )

    def _period(self) -> Period:
        begin, end = self._fields.get("begin", "").strip(), self._fields.get("end", "").strip()
        if not (begin and end) and self._hint:
            self._lost["date_range"] += 1
            begin, end = begin or self._hint[2], end or self._hint[3]
        return values.period(begin, end, self._now)

    _CLOSING: Mapping[str, Callable[[Aggregate], None]] = {
        "dkim": lambda self: self._result("dkim"),
        "feedback": _feedback,
        "reason": _reason,
        "record": _record,
        "spf": lambda self: self._result("spf"),
    }


def _no_doctype(*_declared: object) -> None:
    raise ReportRefused("it declares a document type (DOCTYPE), which no report needs and attacks use")


@lru_cache(1000)
def _known(name: str) -> str:
    return name.rpartition(":")[2].strip().lower()


def _plain(name: str) -> str:
    return _known(name) if len(name) <= 60 else ""


@lru_cache(20_000)
def _auth_line(kind: str, domain: str, selector: str, result: str) -> str:
    words = (kind, values.name(domain) or "-", *((values.name(selector) or "-",) if kind == "dkim" else ()))
    return " ".join((*words, values.name(result) or "-"))


_address = lru_cache(20_000)(values.address)
_name = lru_cache(20_000)(values.name)
_number = lru_cache(20_000)(values.number)
_text = lru_cache(5_000)(values.text)

_CUT_SHORT = {
    expat.errors.codes[word]
    for word in (
        expat.errors.XML_ERROR_NO_ELEMENTS,
        expat.errors.XML_ERROR_PARTIAL_CHAR,
        expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
        expat.errors.XML_ERROR_UNCLOSED_TOKEN,
    )
}
_RESULTS = {"pass": "pass", "fail": "fail"}
_DISPOSITIONS = {"none": "none", "pass": "pass", "quarantine": "quarantine", "reject": "reject"}
_UNKNOWN = _Place()


def _kept(**fields: str) -> dict[str, _Place]:
    return {name: _Place(keeps=key) for name, key in fields.items()}


_RESULT = _kept(domain="auth domain", selector="selector", result="result")
_EVALUATED = _Place(
    _kept(disposition="disposition", dkim="dkim", spf="spf")
    | {"reason": _Place(_kept(type="type", comment="comment"), closes="reason")}
)
_IDENTIFIERS = _Place(_kept(header_from="from"))
_RECORD = _Place(
    {
        "row": _Place(_kept(source_ip="source", count="count") | {"policy_evaluated": _EVALUATED}),
        "identifiers": _IDENTIFIERS,
        "identities": _IDENTIFIERS,  # its name in drafts that are still sent
        "auth_results": _Place({"dkim": _Place(_RESULT, closes="dkim"), "spf": _Place(_RESULT, closes="spf")}),
    },
    closes="record",
)
_FEEDBACK = _Place(
    {
        "report_metadata": _Place(
            _kept(org_name="org", email="email", report_id="id")
            | {"date_range": _Place(_kept(begin="begin", end="end"))}
        ),
        "policy_published": _Place(_kept(domain="domain", p="p")),
        "record": _RECORD,
    },
    closes="feedback",
)
