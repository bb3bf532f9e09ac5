"""A control in words: why it matters, how gatepost looks, which settings mend it, which standards ask for it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from gatepost.model.explained import Explained
from gatepost.model.finding import Control
from gatepost.report.layout import hanging, joined, paint, text
from gatepost.report.standards import named

_INDENT = 14
_WITNESSES = {
    "config": "the configuration of the servers",
    "declaration": "gatepost.toml",
    "dns": "DNS",
    "firewall": "the running firewall rules",
    "logs": "the mail logs",
    "probe": "the port itself, over the network",
}


def render(told: Explained, *, width: int = 100, colour: bool = False) -> str:
    """One page for a terminal."""
    return paint(_lines(told, width), colour=colour)


def _lines(told: Explained, width: int) -> list[Text]:
    control = told.control
    page = hanging(text(control.id, "dim"), text(control.title, "bold"), indent=_INDENT, width=width)
    for label, words in _facts(told):
        page += [text(""), *_paragraph(label, words, width)]
    return [*page, *_remedies(told, width), text(""), *_references(control, width)]


def _facts(told: Explained) -> list[tuple[str, list[str]]]:
    control = told.control
    return [
        ("why", [control.rationale]),
        ("severity", [f"{control.severity.value}, in the area {control.area}"]),
        ("applies to", [", ".join(role.value for role in control.roles)]),
        ("seen by", [_WITNESSES.get(witness, witness) for witness in control.witnesses]),
        ("holds when", _promises(told)),
    ]


def _promises(told: Explained) -> list[str]:
    return [promise for _, promise in told.checks] or [
        f"not judged by gatepost: it needs {told.missing or 'another witness'}"
    ]


def _remedies(told: Explained, width: int) -> list[Text]:
    """By server, each once."""
    by_server: dict[str, list[str]] = {}
    for server, setting in told.remedies:
        by_server.setdefault(server, []).append(setting)
    page: list[Text] = []
    for n, (server, settings) in enumerate(by_server.items()):
        page += [text("")] if n == 0 else []
        page += hanging(text("" if n else "to mend it", "dim"), text(server, "bold"), indent=_INDENT, width=width)
        for setting in settings:
            mark = text(f"{'':{_INDENT}}{'·' if settings[1:] else ' '}", "dim")
            page += hanging(mark, text(setting, "green"), indent=_INDENT + 2, width=width)
    return page


def _paragraph(label: str, words: Sequence[str], width: int) -> list[Text]:
    page: list[Text] = []
    for n, line in enumerate(words):
        page += hanging(text("" if n else label, "dim"), line, indent=_INDENT, width=width)
    return page


def _references(control: Control, width: int) -> list[Text]:
    """Those whose text was checked, and how many were left out because it was not."""
    checked = [r for r in control.references if r.verified]
    page: list[Text] = []
    for n, reference in enumerate(checked):
        words = joined(named(reference), text(f"   {reference.title}", "dim"))
        page += hanging(text("" if n else "asked for by", "dim"), words, indent=_INDENT, width=width)
    left = len(control.references) - len(checked)
    note = f"and {left} more whose text was not checked" if left else ""
    return [*page, *(hanging(text(""), text(note, "dim"), indent=_INDENT, width=width) if note else [])]


def markdown(told: Explained) -> str:
    """The same as a page of the documentation."""
    control = told.control
    facts = (
        f"Severity: **{control.severity.value}** · area: {control.area} · "
        f"applies to: {', '.join(role.value for role in control.roles)}"
    )
    parts = (
        f"# {control.id}: {control.title}",
        control.rationale,
        facts,
        _listed("Seen by", [_WITNESSES.get(w, w) for w in control.witnesses]),
        _listed("Holds when", _promises(told)),
        "\n\n".join(f"## {server}\n\n```\n{setting}\n```" for server, setting in told.remedies),
        _listed("Asked for by", [f"{named(r)} ({r.title})" for r in control.references if r.verified]),
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def _listed(heading: str, items: Sequence[str]) -> str:
    return f"## {heading}\n\n" + "\n".join(f"- {item}" for item in items) if items else ""
