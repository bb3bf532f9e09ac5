"""What an import of reports did, in a few lines."""

from __future__ import annotations

from collections.abc import Sequence

from gatepost.feedback.contents import Taken
from gatepost.report.escape import printable
from gatepost.report.page import document
from gatepost.report.plain import Plain, to_plain
from gatepost.report.tally import plural

SCHEMA = "gatepost/reports-import/1"


def intake_text(taken: Taken) -> str:
    read = "1 file" if taken.letters == 1 else f"{taken.letters:,} files and mails"
    lines = [f"{read} read: {plural(taken.new, 'new report')}{_kinds(taken)}."]
    if rest := ", ".join(word for word in _rest(taken) if word):
        lines.append(f"Besides: {rest}.")
    if taken.lost:
        worst = sorted(taken.lost.items(), key=lambda one: (-one[1], one[0]))
        lines.append(f"Missing or unusable in the new ones: {', '.join(f'{what} ({n:,})' for what, n in worst)}.")
    return "".join(f"{line}\n" for line in lines)


def problem(name: str, why: str) -> str:
    """One line: the words of a report are data."""
    return f"{printable(name, 300)}: {printable(why, 300)}"


def _kinds(taken: Taken) -> str:
    if not taken.new:
        return ""
    dmarc = f"{taken.dmarc:,} DMARC with {plural(taken.rows, 'record')}" if taken.dmarc else ""
    tls = f"{taken.new - taken.dmarc:,} TLS" if taken.new > taken.dmarc else ""
    return f" ({', '.join(word for word in (dmarc, tls) if word)})"


def _rest(taken: Taken) -> tuple[str, ...]:
    return (
        f"{plural(taken.duplicates, 'duplicate')} dropped" if taken.duplicates else "",
        f"{taken.refused:,} refused" if taken.refused else "",
        f"{taken.others:,} without a report" if taken.others else "",
    )


def intake_json(taken: Taken, problems: Sequence[tuple[str, str]]) -> str:
    told: dict[str, Plain] = {
        "letters": taken.letters,
        "new": taken.new,
        "dmarc": taken.dmarc,
        "tls": taken.new - taken.dmarc,
        "duplicates": taken.duplicates,
        "refused": taken.refused,
        "without_report": taken.others,
        "records": taken.rows,
        "missing": to_plain(taken.lost),
        "problems": [{"name": printable(name), "why": printable(why)} for name, why in problems],
    }
    return document(SCHEMA, told)
