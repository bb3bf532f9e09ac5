"""`gatepost ports`, `gatepost certs` and `gatepost domains` in text, JSON, lines and CSV."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import fields

from rich.text import Text

from gatepost.model.audit import Audit
from gatepost.model.words import Severity
from gatepost.report import certs, domains, truth
from gatepost.report.escape import printable
from gatepost.report.layout import NARROWEST, hanging, joined, paint, text
from gatepost.report.plain import Plain, to_plain
from gatepost.report.sheet import sheet
from gatepost.report.shelf import shelf
from gatepost.report.tally import plural
from gatepost.report.truth import Standing
from gatepost.report.wall import wall


def ports_text(
    audit: Audit,
    *,
    width: int = 100,
    colour: bool = False,
    verbose: bool = False,
    fail_on: Severity | None = None,
) -> str:
    """Every column; what could not be asked yet is a dash. The last two options change nothing here."""
    del verbose, fail_on
    rows = truth.rows(audit)
    page = [*_notes(audit, width), *wall(rows, width=max(width, NARROWEST), whole=True), text("")]
    return paint([*page, *_ports_close(rows, width)], colour=colour)


def certs_text(
    audit: Audit,
    *,
    width: int = 100,
    colour: bool = False,
    verbose: bool = False,
    fail_on: Severity | None = None,
) -> str:
    """The certificates, and where each is served. The last two options change nothing here."""
    del verbose, fail_on
    rows = certs.rows(audit)
    page = [*_notes(audit, width), *shelf(rows, width=max(width, NARROWEST)), text("")]
    return paint([*page, *_certs_close(rows, width)], colour=colour)


def _notes(audit: Audit, width: int) -> list[Text]:
    lines = [
        line for note in audit.notes for line in hanging(text("! ", "yellow"), printable(note), indent=2, width=width)
    ]
    return [*lines, text("")] if lines else []


def _ports_close(rows: Sequence[truth.Row], width: int) -> list[Text]:
    wrong = sum(row.wrong for row in rows)
    unknown = sum(row.standing is Standing.UNKNOWN for row in rows)
    listening = sum(row.listening.startswith("yes") for row in rows)
    told = f"{plural(wrong, 'port')} not as intended" if wrong else "Every port that answered is as intended"
    blind = f"; {plural(unknown, 'port')} could not be judged" if unknown else ""
    mark = text("✖", "bold red") if wrong else text("✔", "green") if listening else text("?", "blue")
    words = joined(text(f"{told}{blind}.", "bold"), text(f"  {listening} of {len(rows)} listen", "dim"))
    return hanging(mark, words, indent=2, width=width)


def _certs_close(rows: Sequence[certs.Row], width: int) -> list[Text]:
    groups = {row.group: row for row in rows}
    wrong = sum(row.standing is Standing.BAD for row in groups.values())
    doubtful = sum(row.standing is Standing.ATTENTION for row in groups.values())
    places = f"{plural(len(groups), 'certificate')} at {plural(len({row.at for row in rows}), 'place')}"
    told = f"{wrong} expired, {doubtful} to look at" if wrong or doubtful else "all trusted and in date"
    mark = text("✖", "bold red") if wrong else text("◆", "yellow") if doubtful else text("✔", "green")
    if not rows:
        return hanging(text("?", "blue"), text("No certificate was seen.", "bold"), indent=2, width=width)
    return hanging(mark, text(f"{places}: {told}.", "bold"), indent=2, width=width)


def ports_json(audit: Audit) -> str:
    return _json(audit, "gatepost/ports/1", "ports", truth.rows(audit))


def certs_json(audit: Audit) -> str:
    return _json(audit, "gatepost/certs/1", "certificates", certs.rows(audit))


def ports_lines(audit: Audit) -> str:
    return _lines(truth.rows(audit))


def certs_lines(audit: Audit) -> str:
    return _lines(certs.rows(audit))


def ports_csv(audit: Audit) -> str:
    return _csv(truth.Row, truth.rows(audit))


def certs_csv(audit: Audit) -> str:
    return _csv(certs.Row, certs.rows(audit))


def domains_json(audit: Audit) -> str:
    return _json(audit, "gatepost/domains/1", "cards", domains.cards(audit))


def domains_lines(audit: Audit) -> str:
    return _lines(domains.cards(audit))


def domains_csv(audit: Audit) -> str:
    """A row for each line of each card."""
    rows = (
        (card.name, card.kind, line.label, line.standing.value, line.words, "; ".join(line.details))
        for card in domains.cards(audit)
        for line in card.lines
    )
    return sheet(("name", "kind", "standard", "standing", "words", "details"), rows)


def _json(audit: Audit, schema: str, key: str, rows: Iterable[object]) -> str:
    whole: dict[str, Plain] = {
        "schema": schema,
        "generated_at": to_plain(audit.generated_at),
        "vantage": audit.run.vantage,
        "targets": to_plain(audit.targets),
        key: [to_plain(row) for row in rows],
    }
    return json.dumps(whole, indent=2) + "\n"


def _lines(rows: Iterable[object]) -> str:
    return "".join(f"{json.dumps(to_plain(row), separators=(',', ':'))}\n" for row in rows)


def _csv(kind: type[truth.Row | certs.Row], rows: Iterable[object]) -> str:
    names = [f.name for f in fields(kind)]
    return sheet(names, ([_flat(getattr(row, name)) for name in names] for row in rows))


def _flat(value: object) -> object:
    return "; ".join(value) if isinstance(value, tuple) else to_plain(value)
