"""What became of a plan: its steps as they are done, how it ended, and the history that a rollback works on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from gatepost.model.plan import Applied, Ending, Kind, Step
from gatepost.records.publishing.spans import span
from gatepost.report.escape import printable
from gatepost.report.layout import Column, cut, hanging, joined, paint, table, text
from gatepost.report.page import document, headline, spaced
from gatepost.report.plain import Plain, to_plain
from gatepost.report.tally import plural
from gatepost.report.truth import Standing
from gatepost.report.wall import MARKS

SCHEMA = "gatepost/applies/1"

_STANDING = {
    Ending.KEPT: Standing.GOOD,
    Ending.ROLLED_BACK: Standing.BAD,
    Ending.UNDONE: Standing.GOOD,
    Ending.UNFINISHED: Standing.ATTENTION,
}
_WORDS = {
    Ending.KEPT: "kept",
    Ending.ROLLED_BACK: "rolled back",
    Ending.UNDONE: "taken back",
    Ending.UNFINISHED: "unfinished",
}
_HINTS = {
    Ending.KEPT: ("to take it back: gatepost rollback {id}{state}", "what is left: gatepost audit"),
    Ending.UNFINISHED: ("to finish it: gatepost rollback{state}",),
}
_MOST_TITLES = 3  # in one cell of the history
_MOST_FILES = 12  # of one apply, before a rollback


def ending(one: Applied, *, width: int = 100, colour: bool = False, state: str = "") -> str:
    """In one line, a long reason in several. `state` are words for a command that works on the same history."""
    if one.ending is Ending.KEPT and not one.plan.doing:
        left = ", but for what is left to you" if one.plan.steps else ": all of it is so already"
        words = text(f"nothing to do{left}", "bold")
    elif one.ending is Ending.UNDONE:
        words = joined(text(f"{one.id} {one.why or 'taken back'}", "bold"), text(f"   {_done(one)} as before", "dim"))
    else:
        words = joined(text(_WORDS[one.ending], "bold"), text(f"   {_told(one)}"))
    return paint([*headline(_STANDING[one.ending], words, width), *_hints(one, state)], colour=colour)


def _hints(one: Applied, state: str) -> Iterator[Text]:
    """Never broken into lines: they are copied."""
    for words in _HINTS.get(one.ending, ()) if one.plan.doing else ():
        yield text(f"  {words.format(id=printable(one.id), state=f' {printable(state)}' if state else '')}", "dim")


def _told(one: Applied) -> str:
    match one.ending:
        case Ending.KEPT:
            took = f" in {_lasted(one)}" if one.ended else ""
            return f"{_done(one)}{took}"
        case Ending.ROLLED_BACK:
            return f"{printable(one.why)}; everything is as before"
        case _:
            return printable(one.why) or one.id


def _done(one: Applied) -> str:
    return f"{plural(len(one.done), 'step')} on {printable(', '.join(one.plan.hosts))}"


def _lasted(one: Applied) -> str:
    seconds = (one.ended - one.started).total_seconds() if one.ended else 0
    return f"{seconds:.1f} s" if seconds < 10 else span(round(seconds))


def mended(one: Applied, *, width: int = 100, colour: bool = False) -> str:
    """Of an apply that was cut off earlier, before anything else is said."""
    head = joined(text("an earlier apply ", ""), text(one.id, "bold"), text(f"   {_WORDS[one.ending]}", "bold"))
    reason = one.why or ("every host had kept it" if one.ending is Ending.KEPT else "")
    words = joined(head, text(f": {printable(reason)}" if reason else ""))
    return paint(headline(_STANDING[one.ending], words, width), colour=colour)


def step_line(number: int, of: int, step: Step, standing: Standing, seconds: float | None, width: int) -> Text:
    """` ✔  3/12   0.4 s  require TLS on submission`."""
    mark, style = MARKS[standing]
    count = f"{number:>{len(str(of))}}/{of}"
    took = f"{seconds:>5.1f} s" if seconds is not None else " " * 7
    return cut(joined(" ", text(mark, style), text(f" {count} {took}  ", "dim"), printable(step.title)), width)


def note_line(words: str, standing: Standing, width: int) -> list[Text]:
    mark, style = MARKS[standing]
    return hanging(text(f" {mark}", style), text(printable(words), "dim"), indent=3, width=width)


def history(records: Sequence[Applied], *, state: str, width: int = 100, colour: bool = False) -> str:
    """The newest first. `state` is the directory that they stand in."""
    if not records:
        return f"{nothing(state)}\n"
    columns = (Column(""), Column("APPLY"), Column("WHEN (UTC)"), Column("BY"), Column("HOST"), Column("ENDING"))
    lines: list[Text] = []
    rows = [_row(one) for one in reversed(records)]
    for n, line in enumerate(table(columns, rows, indent=0)):
        lines += [line, *(_about(records[-n], width) if n else ())]
    return paint(lines, colour=colour)


def nothing(state: str) -> str:
    return f"nothing was applied from {printable(state)} yet (--state names another directory)"


def _row(one: Applied) -> tuple[Text, ...]:
    mark, style = MARKS[_STANDING[one.ending]]
    return (
        text(mark, style),
        text(printable(one.id), "bold"),
        text(f"{one.started:%Y-%m-%d %H:%M}"),
        text(printable(one.by, 30)),
        text(printable(", ".join(one.plan.hosts), 40)),
        text(_WORDS[one.ending], style if one.ending is not Ending.KEPT else ""),
    )


def _about(one: Applied, width: int) -> Iterator[Text]:
    titles = [printable(step.title).partition(" (")[0] for step in one.plan.steps]
    more = f" and {len(titles) - _MOST_TITLES} more" if len(titles) > _MOST_TITLES else ""
    yield from hanging(text(""), text(f"{', '.join(titles[:_MOST_TITLES])}{more}", "dim"), indent=3, width=width)
    if one.why:
        when = f", {one.ended:%Y-%m-%d %H:%M}" if one.ending is Ending.UNDONE and one.ended else ""
        yield from hanging(text(""), text(f"{printable(one.why)}{when}"), indent=3, width=width)


def preview(records: Sequence[Applied], *, width: int = 100, colour: bool = False) -> str:
    """What a rollback of these would do, in its order."""
    return paint(spaced([_back(one, width) for one in records]), colour=colour)


def _back(one: Applied, width: int) -> list[Text]:
    when = text(f"   applied {one.started:%Y-%m-%d %H:%M} UTC by {printable(one.by)}", "dim")
    lines = headline(Standing.ATTENTION, joined(text("take back ", "bold"), text(one.id, "bold"), when), width)
    for host in one.plan.hosts:
        lines.append(text(f"  {printable(host)}", "bold"))
        steps = [step for step in one.plan.steps if step.host == host]
        for step in reversed(steps):
            lines += hanging(text("    -", "dim"), text(printable(step.title)), indent=6, width=width)
        for words in _effects(steps):
            lines += hanging(text("    =", "dim"), text(words, "dim"), indent=6, width=width)
    return lines


def _effects(steps: Sequence[Step]) -> Iterator[str]:
    files = list(dict.fromkeys(path for step in steps for path in (*step.touches, *(w.path for w in step.writes))))
    if files:
        more = f" and {len(files) - _MOST_FILES} more" if len(files) > _MOST_FILES else ""
        yield f"as before: {printable(', '.join(files[:_MOST_FILES]))}{more}"
    if any(step.kind is Kind.FIREWALL for step in steps):
        yield "as before: our own firewall table"
    for words in dict.fromkeys(" ".join(act.argv) for step in steps for act in step.settles):
        yield f"then {printable(words)}"


def to_json(records: Sequence[Applied]) -> str:
    """Oldest first. What steps wrote is left out: `diff` tells it."""
    return document(SCHEMA, {"applies": [_plain(one) for one in records]})


def _plain(one: Applied) -> dict[str, Plain]:
    return {
        "id": one.id,
        "plan": one.plan.id,
        "declaration": one.plan.declaration,
        "ending": one.ending.value,
        "started": to_plain(one.started),
        "ended": to_plain(one.ended),
        "kept": to_plain(one.kept),
        "by": one.by,
        "why": one.why,
        "hosts": [{"name": host, "via": via} for host, via in one.ways],
        "backups": one.backups,
        "steps": [_plain_step(step, one) for step in one.plan.steps],
    }


def _plain_step(step: Step, one: Applied) -> dict[str, Plain]:
    return {
        "key": step.key,
        "host": step.host,
        "kind": step.kind.value,
        "title": step.title,
        "controls": list(step.controls),
        "why": step.why,
        "diff": step.diff,
        "done": step.key in one.done,
    }
