"""A control in words: why it matters, how gatepost looks, which settings mend it, which standards ask for it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

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


def render(
    control: Control,
    *,
    promises: Sequence[str] = (),
    remedies: Sequence[tuple[str, str]] = (),
    width: int = 100,
    colour: bool = False,
) -> str:
    """`promises` are what the judges of this control look for, `remedies` pairs of server and setting."""
    return paint(_lines(control, promises, remedies, width), colour=colour)


def _lines(control: Control, promises: Sequence[str], remedies: Sequence[tuple[str, str]], width: int) -> list[Text]:
    page = hanging(text(control.id, "dim"), text(control.title, "bold"), indent=_INDENT, width=width)
    for label, words in _facts(control, promises):
        page += [text(""), *_paragraph(label, words, width)]
    if remedies:
        page.append(text(""))
    for n, (server, setting) in enumerate(remedies):
        shown = "\n".join(f"  {line}" for line in setting.splitlines())
        mend = joined(text(server, "bold"), "\n", text(shown, "green"))
        page += hanging(text("" if n else "to mend it", "dim"), mend, indent=_INDENT, width=width)
    return [*page, text(""), *_references(control, width)]


def _facts(control: Control, promises: Sequence[str]) -> list[tuple[str, list[str]]]:
    return [
        ("why", [control.rationale]),
        ("severity", [f"{control.severity.value}, in the area {control.area}"]),
        ("applies to", [", ".join(role.value for role in control.roles)]),
        ("looked at", [_WITNESSES.get(witness, witness) for witness in control.witnesses]),
        ("holds when", list(promises) or ["no judge yet: shown as unknown until its witness can be asked"]),
    ]


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


def markdown(control: Control, *, promises: Sequence[str] = (), remedies: Sequence[tuple[str, str]] = ()) -> str:
    """The same as a page of the documentation."""
    parts = [f"# {control.id}: {control.title}", control.rationale]
    parts.append(
        f"Severity: **{control.severity.value}** · area: {control.area} · "
        f"applies to: {', '.join(role.value for role in control.roles)}"
    )
    parts.append(_listed("Where gatepost looks", [_WITNESSES.get(w, w) for w in control.witnesses]))
    parts.append(_listed("Holds when", promises))
    parts.append("\n\n".join(f"## {server}\n\n```\n{setting}\n```" for server, setting in remedies))
    parts.append(_listed("Asked for by", [f"{named(r)} ({r.title})" for r in control.references if r.verified]))
    return "\n\n".join(part for part in parts if part) + "\n"


def _listed(heading: str, items: Sequence[str]) -> str:
    return f"## {heading}\n\n" + "\n".join(f"- {item}" for item in items) if items else ""
