"""What the pages about one subject have in common: a first line with a mark, lists of sentences, and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from rich.text import Text

from gatepost.model.observation import Observation, Unobserved
from gatepost.report.escape import printable
from gatepost.report.layout import hanging, joined, text
from gatepost.report.plain import Plain, to_plain
from gatepost.report.truth import Standing
from gatepost.report.wall import MARKS

LONGEST = 500  # characters of a stranger's words

Sign = tuple[str, str]  # with its style
PROBLEM: Sign = ("✖", "red")
ADVICE: Sign = ("·", "yellow")
UNASKED: Sign = ("?", "blue")


def spaced(parts: Iterable[Sequence[Text]]) -> list[Text]:
    """An empty line between those parts that have anything to say."""
    told: list[Text] = []
    for part in parts:
        told += [text(""), *part] if told and part else part
    return told


def headline(standing: Standing, words: Text, width: int) -> list[Text]:
    mark, style = MARKS[standing]
    return hanging(text(mark, style), words, indent=2, width=width)


def unseen(what: str, seen: Unobserved, width: int) -> list[Text]:
    """The whole page, where DNS did not say."""
    why = f"the {what} of {seen.at.host} could not be asked for: {seen.detail}"
    return headline(Standing.UNKNOWN, text(printable(why), "bold"), width)


def listed(sign: Sign, sentences: Sequence[str], width: int, heading: str = "") -> list[Text]:
    mark, style = sign
    lines = [text(heading, "bold")] if heading and sentences else []
    for sentence in sentences:
        lines += hanging(text(f"  {mark}", style), printable(sentence, LONGEST), indent=4, width=width)
    return lines


def heading(words: str, more: str = "") -> Text:
    return joined(text(words, "bold"), text(f"   {more}" if more else "", "dim"))


def answered(what: str, seen: Observation) -> dict[str, Plain]:
    """The start of a document: what was seen of a domain, or why it was not."""
    lost = isinstance(seen, Unobserved)
    return {
        "domain": seen.at.host,
        what: None if lost else to_plain(seen),
        "unobserved": to_plain(seen) if lost else None,
    }


def document(schema: str, told: Mapping[str, Plain]) -> str:
    """Keys may be added, none is renamed or removed."""
    return json.dumps({"schema": schema, **told}, indent=2) + "\n"
