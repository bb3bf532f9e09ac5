"""What `gatepost logs` shows: imports, sources, days, coverage."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from rich.text import Text

from gatepost.edge.lake import understood
from gatepost.edge.lake.importing import Imported
from gatepost.edge.lake.manifest import Segment, Source
from gatepost.edge.lake.understood import Run, summed
from gatepost.logs.coverage import Alarm, alarms
from gatepost.model.event import MICROSECONDS
from gatepost.model.log import Coverage
from gatepost.report.escape import printable
from gatepost.report.layout import Column, joined, paint, table, text, wrapped
from gatepost.report.tally import plural

SAMPLES = 3
MOST_DAYS = 31
NAMELESS = "(no name)"
GOOD, BAD, QUIET = "green", "red", "dim"


@dataclass(frozen=True, slots=True)
class Page:
    """How wide it may be, and whether in colour."""

    width: int
    colour: bool


def imported(done: Sequence[Imported], new: Sequence[Segment], seconds: float, page: Page) -> str:
    """What came of an import: files that told something, then daemons, then what was assumed and noted."""
    taken = [one for one in done if one.lines]
    lines = sum(one.lines for one in done)
    parts = [*_files(done, page)]
    coverage = summed(part for one in done for part in one.coverage)
    if coverage:
        parts += [text(""), *_coverage(coverage, alarms((), coverage), page)]
    parts += _said(done, page)
    if taken:
        parts += [text(""), *_sum(taken, new, lines, seconds, page)]
    return paint(parts, colour=page.colour)


def imported_json(done: Sequence[Imported], new: Sequence[Segment], seconds: float) -> str:
    coverage = summed(part for one in done for part in one.coverage)
    first, last = _span(new)
    whole = {
        "files": [
            {
                "name": one.name, "known_bytes": one.begun, "lines": one.lines, "rows": one.rows, "bytes": one.bytes,
                "notes": list(one.notes), "assumed": one.assumed, "failed": one.failed,
            }
            for one in done
        ],
        "coverage": [_coverage_row(one) for one in coverage],
        "first": first, "last": last, "seconds": round(seconds, 3),
    }  # fmt: skip
    return json.dumps(whole, indent=2) + "\n"


def listed(sources: Sequence[Source], files: Sequence[Segment], page: Page, *, everything: bool) -> str:
    """Sources, tables, days."""
    if not files and not sources:
        return "nothing was read yet: gatepost logs import /var/log/mail.log*\n"
    parts = [*_sources(sources, page), text(""), *_tables(files), text(""), *_days(files, everything=everything)]
    return paint(parts, colour=page.colour)


def listed_json(sources: Sequence[Source], files: Sequence[Segment]) -> str:
    whole = {
        "sources": [
            {
                "number": one.number, "name": one.position.source, "shape": one.position.shape.value,
                "read_bytes": one.position.offset, "lines": one.lines, "taken": _moment(one.taken),
            }
            for one in sources
        ],
        "days": [
            {"dataset": name, "day": day.isoformat() if day else None, "files": n, "rows": rows, "bytes": size}
            for (name, day), (n, rows, size) in _by_day(files).items()
        ],
    }  # fmt: skip
    return json.dumps(whole, indent=2) + "\n"


def covered(runs: Sequence[Run], page: Page) -> str:
    """The newest run against all before it."""
    if not runs:
        return "nothing was counted yet: coverage comes with gatepost logs import and gatepost watch\n"
    before = summed(part for run in runs[:-1] for part in run.coverage)
    head = f"Last run, {_moment(runs[-1].at)}" + (f", against {plural(len(runs) - 1, 'run')} before" if before else "")
    return paint(
        [text(head, "bold"), text(""), *_coverage(runs[-1].coverage, understood.alarms(runs), page)], colour=page.colour
    )


def covered_json(runs: Sequence[Run]) -> str:
    rows = [{"at": _moment(run.at), "coverage": [_coverage_row(one) for one in run.coverage]} for run in runs]
    return json.dumps(rows, indent=2) + "\n"


def leaving(gone: Sequence[Segment], named: Sequence[Segment]) -> list[Text]:
    """What a prune does, before it is done."""
    rows = [
        [text(what), text(name), text(days), text(f"{rows:,}"), text(_size(size))]
        for what, files in (("delete", gone), ("pseudonyms", named))
        for name, days, rows, size in _stretches(files)
    ]
    heads = [Column("do"), Column("table"), Column("days"), Column("rows", right=True), Column("size", right=True)]
    return table(heads, rows, indent=0) if rows else [text("nothing is old enough")]


def _files(done: Sequence[Imported], page: Page) -> list[Text]:
    rows = []
    for one in done:
        state, style = _state(one)
        short = _end_of(one.name, page.width - 58)
        rows.append(
            [text(short), text(f"{one.lines:,}"), text(f"{one.rows:,}"), text(_size(one.bytes)), text(state, style)]
        )
    heads = [
        Column("file"),
        Column("lines", right=True),
        Column("rows", right=True),
        Column("text", right=True),
        Column(""),
    ]
    return table(heads, rows, indent=0)


def _end_of(path: str, longest: int) -> str:
    """A path says most at its end."""
    name, longest = printable(path), max(longest, 20)
    return name if len(name) <= longest else f"…{name[-longest + 1 :]}"


def _state(one: Imported) -> tuple[str, str]:
    if one.failed:
        return "not read", BAD
    if one.notes and not one.lines:
        return "damaged", BAD
    if one.begun and not one.lines:
        return "known already", QUIET
    if one.begun:
        return f"new from byte {one.begun:,} on", GOOD
    return ("new", GOOD) if one.lines else ("empty", QUIET)


def _coverage(coverage: Sequence[Coverage], low: Sequence[Alarm], page: Page) -> list[Text]:
    bad = {one.daemon for one in low}
    rows, samples = [], list[Text]()
    for one in sorted(coverage, key=lambda one: -one.lines):
        rows.append(
            [
                text(printable(one.daemon, 30) or NAMELESS),
                text(f"{one.lines:,}"), text(_share(one.understood, one.lines)),
                text(f"{one.auth:,}" if one.auth else "·"),
                text(_share(one.auth_understood, one.auth), BAD if one.daemon in bad else ""),
                text(_share(one.slow, one.lines))            ]
        )  # fmt: skip
        if one.understood < one.lines:
            samples += _samples(one, page)
    heads = [
        Column("daemon"), Column("lines", right=True), Column("understood", right=True),
        Column("logins", right=True), Column("understood", right=True), Column("slow path", right=True),
    ]  # fmt: skip
    shown = table(heads, rows, indent=0)
    if low:
        told = [text(f"✗ {printable(one.sentence)}", BAD) for one in low]
        shown += [text(""), *(line for one in told for line in wrapped(one, page.width))]
    if samples:
        shown += [text(""), text("Not understood, for example", "bold"), *samples]
    return shown


def _samples(one: Coverage, page: Page) -> list[Text]:
    label = f"  {printable(one.daemon, 30) or NAMELESS}: "
    return [text(label + printable(line, max(page.width - len(label), 20)), QUIET) for line in one.samples[:SAMPLES]]


def _said(done: Sequence[Imported], page: Page) -> list[Text]:
    notes = [f"{printable(one.name)}: {note}" for one in done for note in (*one.notes, one.failed) if note]
    said: list[Text] = []
    for note in dict.fromkeys(notes):
        said += wrapped(text(f"! {printable(note)}", "yellow"), page.width)
    assumed = list(dict.fromkeys(one.assumed for one in done if one.assumed))
    for one in assumed[:1]:
        said += wrapped(text(one, QUIET), page.width)
    if len(assumed) > 1:
        said += [text(f"and so for {plural(len(assumed) - 1, 'other file')}, each up to its own last change", QUIET)]
    return [text(""), *said] if said else []


def _sum(taken: Sequence[Imported], new: Sequence[Segment], lines: int, seconds: float, page: Page) -> list[Text]:
    rows = sum(one.rows for one in taken)
    size = sum(one.bytes for one in new)
    rate = f", {lines / seconds:,.0f} a second" if seconds > 0.05 else ""
    first, last = _span(new)
    said = f"{plural(lines, 'line')} in {seconds:.1f} s{rate}; {plural(rows, 'row')} in {_size(size)}"
    when = f", {first} to {last}" if first else ""
    return wrapped(joined(text("✓ ", GOOD), text(said + when)), page.width)


def _sources(sources: Sequence[Source], page: Page) -> list[Text]:
    rows = [
        [
            text(str(one.number), QUIET), text(_end_of(one.position.source, page.width - 60)),
            text(one.position.shape.value), text(f"{one.lines:,}"), text(_size(one.position.offset)),
            text(_moment(one.taken) or "never"),
        ]
        for one in sources
    ]  # fmt: skip
    heads = [
        Column(""), Column("source"), Column("kind"), Column("rows", right=True), Column("read", right=True),
        Column("last"),
    ]  # fmt: skip
    return table(heads, rows, indent=0)


def _tables(files: Sequence[Segment]) -> list[Text]:
    rows = [
        [text(name), text(days), text(f"{rows:,}"), text(_size(size)), text(str(sum(f.dataset == name for f in files)))]
        for name, days, rows, size in _stretches(files)
    ]
    heads = [
        Column("table"), Column("days"), Column("rows", right=True), Column("size", right=True),
        Column("files", right=True),
    ]  # fmt: skip
    return table(heads, rows, indent=0)


def _days(files: Sequence[Segment], *, everything: bool) -> list[Text]:
    days = [(day, row) for (name, day), row in _by_day(files).items() if name == "events"]
    shown = days if everything else days[-MOST_DAYS:]
    most = max((row[1] for _, row in shown), default=0)
    rows = [
        [
            text(day.isoformat() if day else "no time"), text(f"{count:,}"), text(_size(size)), text(str(number)),
            text("█" * max(round(20 * count / most), 1) if most else "", "cyan"),
        ]
        for day, (number, count, size) in shown
    ]  # fmt: skip
    heads = [
        Column("events of"),
        Column("rows", right=True),
        Column("size", right=True),
        Column("files", right=True),
        Column(""),
    ]
    rest = len(days) - len(shown)
    return table(heads, rows, indent=0) + ([text(f"and {plural(rest, 'day')} before: --all", QUIET)] if rest else [])


def _by_day(files: Sequence[Segment]) -> dict[tuple[str, date | None], tuple[int, int, int]]:
    found: dict[tuple[str, date | None], tuple[int, int, int]] = {}
    for one in sorted(files, key=lambda one: (one.dataset, one.day or date.min)):
        number, rows, size = found.get((one.dataset, one.day), (0, 0, 0))
        found[one.dataset, one.day] = number + 1, rows + one.rows, size + one.bytes
    return found


def _stretches(files: Sequence[Segment]) -> list[tuple[str, str, int, int]]:
    """Table, days, rows, bytes."""
    found = []
    for name in dict.fromkeys(one.dataset for one in files):
        mine = [one for one in files if one.dataset == name]
        days = sorted({one.day for one in mine if one.day})
        span = f"{days[0]} to {days[-1]}" if len(days) > 1 else str(days[0]) if days else "no time"
        found.append((name, span, sum(one.rows for one in mine), sum(one.bytes for one in mine)))
    return found


def _coverage_row(one: Coverage) -> dict[str, object]:
    return {
        "daemon": one.daemon, "lines": one.lines, "understood": one.understood, "auth": one.auth,
        "auth_understood": one.auth_understood, "slow": one.slow, "samples": list(one.samples),
    }  # fmt: skip


def _span(new: Sequence[Segment]) -> tuple[str, str]:
    firsts = [one.first for one in new if one.first is not None and one.day]
    lasts = [one.last for one in new if one.last is not None and one.day]
    return (_moment(min(firsts)), _moment(max(lasts))) if firsts else ("", "")


def _moment(at: int | None) -> str:
    if at is None:
        return ""
    return datetime.fromtimestamp(at // MICROSECONDS, UTC).isoformat(" ").replace("+00:00", "Z")


def _share(part: int, whole: int) -> str:
    """Never 100 % while one is missing."""
    if not whole:
        return "·"
    share = 100 * part / whole
    return f"{min(share, 99.9) if part < whole else share:.1f} %" if part else "0 %"


def _size(size: int) -> str:
    amount = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 100 else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def verified(broken: Sequence[str], head: str, links: int, files: int, rows: int) -> list[tuple[str, str]]:
    """Lines with their style; the first broken link comes first."""
    if not links and not broken:
        return [("nothing was read yet, so there is nothing to verify", QUIET)]
    if broken:
        return [
            (f"✗ the chain is broken: {plural(len(broken), 'fault')}", BAD), ("", ""),
            *((f"  {printable(one)}", "") for one in broken),
        ]  # fmt: skip
    return [
        (f"✓ whole: {plural(links, 'link')}, {plural(files, 'file')}, {plural(rows, 'row')}", GOOD),
        (f"  newest link {head}", QUIET),
        ("  keep it elsewhere; gatepost logs verify --head holds the lake against it later", QUIET),
    ]
