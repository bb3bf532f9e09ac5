"""The certificate truth as lines for a terminal: each certificate once, and every place that serves it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from rich.text import Text

from gatepost.report.certs import SOON, Row, days
from gatepost.report.escape import printable
from gatepost.report.layout import Column, broadest, hanging, joined, table, text
from gatepost.report.wall import MARKS

_INDENT = 12


def shelf(rows: Sequence[Row], *, width: int) -> list[Text]:
    """The certificates by letter, then the places by letter."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.group].append(row)
    page: list[Text] = []
    for same in groups.values():
        page += [*_certificate(same, width), text("")]
    return [*page, *places(rows, width=width)]


def _certificate(same: Sequence[Row], width: int) -> list[Text]:
    row = same[0]
    mark, style = MARKS[row.standing]
    names = ", ".join(row.names) or row.subject
    head = joined("  ", text(mark, style), " ", text(row.group, "bold"))
    lines = hanging(head, text(names, "bold"), indent=_INDENT, width=width)
    facts = (
        ("issuer", f"{row.issuer}; {row.key}, {row.signature}"),
        ("until", f"{row.not_after:%Y-%m-%d}, {days(row.days_left)}"),
        ("chain", f"{row.chain}; {row.sent} sent{', with OCSP staple' if row.staple else ''}"),
        ("served at", _served(same)),
    )
    for label, words in facts:
        lines += hanging(text(f"    {label}", "dim"), text(words, _style(label, row, style)), indent=14, width=width)
    return lines


def _style(label: str, row: Row, style: str) -> str:
    wrong = (label == "until" and row.days_left < SOON.days) or (label == "chain" and row.chain != "trusted")
    return style if wrong else ""


def _served(same: Sequence[Row]) -> str:
    ports: dict[str, list[int]] = defaultdict(list)
    for row in same:
        if row.port not in ports[row.host]:
            ports[row.host].append(row.port)
    return "; ".join(f"{printable(host)}: {', '.join(str(p) for p in sorted(found))}" for host, found in ports.items())


def places(rows: Sequence[Row], *, width: int) -> list[Text]:
    """Which letter is served where: different letters on one line of a host are worth a look."""
    page: list[Text] = []
    for host in dict.fromkeys(row.host for row in rows):
        same = [row for row in rows if row.host == host]
        names = list(_COLUMNS)
        drawn = _draw(same, names)
        for name in _FIRST_TO_GO:
            if broadest(drawn) > width:
                names.remove(name)
                drawn = _draw(same, names)
        page += [text(f"  {printable(host)}", "bold"), *drawn, text("")]
    return page[:-1]


def _draw(rows: Sequence[Row], names: Sequence[str]) -> list[Text]:
    columns = [Column(name, right=name in {"PORT", "DAYS"}) for name in names]
    return table(columns, [[_COLUMNS[name](row) for name in names] for row in rows], indent=4)


def _days(row: Row) -> Text:
    return text(str(row.days_left), MARKS[row.standing][1] if row.days_left < SOON.days else "")


def _trust(row: Row) -> Text:
    return text("trusted") if row.chain == "trusted" else text("no", MARKS[row.standing][1])


_COLUMNS: Mapping[str, Callable[[Row], Text]] = {
    "PORT": lambda row: text(str(row.port)),
    "ADDRESS": lambda row: text(printable(row.address), "dim"),
    "NAME ASKED FOR": lambda row: text(printable(row.sni, 40)) if row.sni else text("(none)", "dim"),
    "CERT": lambda row: text(row.group, "bold"),
    "DAYS": _days,
    "CHAIN": _trust,
    "TLSA": lambda row: text(row.tlsa, "dim"),
    "MTA-STS": lambda row: text(row.mta_sts, "dim"),
}
_FIRST_TO_GO = ("MTA-STS", "TLSA", "ADDRESS")  # where the terminal is too narrow
