"""Choosing a format, writing it, following progress, and the exit code."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from gatepost import catalogue
from gatepost.cli.options import FailOn, Format
from gatepost.errors import UsageError, because
from gatepost.model.audit import Audit
from gatepost.model.words import Severity

ENDINGS = {
    ".csv": Format.CSV,
    ".html": Format.HTML,
    ".htm": Format.HTML,
    ".json": Format.JSON,
    ".jsonl": Format.JSONL,
    ".ndjson": Format.JSONL,
    ".prom": Format.PROMETHEUS,
    ".sarif": Format.SARIF,
    ".xml": Format.JUNIT,
}
TOLD_IN_DNS = frozenset({"dns-identity", "dns-transport"})  # areas of `gatepost domains`
ALSO_IN_DNS = ("GP-CERT-007/", "GP-PORT-001/mx-as-declared")  # judges of other areas that DNS tells of
MAX_RUN = 512 * 1024 * 1024  # octets of a saved run


def shape(form: Format | None, output: Path | None) -> Format:
    """The format asked for, or the one the output file's ending means."""
    if form is not None:
        return form
    return ENDINGS.get(output.suffix.lower(), Format.TABLE) if output else Format.TABLE


def tell(
    audit: Audit,
    form: Format,
    output: Path | None,
    *,
    verbose: bool,
    view: str = "audit",
    fail_on: FailOn = FailOn.HIGH,
) -> None:
    """Write one view of an audit to the file or to stdout.

    Raises UsageError when the file cannot be written.
    """
    if (view, form) == ("audit", Format.JSON):
        from gatepost.report.machine import json_parts

        _stream(json_parts(audit), output)
        return
    from gatepost.report.formats import FORMATS, TERMINAL

    if form is Format.TABLE and output is None:
        text = TERMINAL[view](audit, width=width(), colour=colour(), verbose=verbose, fail_on=floor(fail_on))
    else:
        text = FORMATS[view][form.value](audit)
    if output is None:
        sys.stdout.write(text if text.endswith("\n") else text + "\n")
        return
    write(output, text)


def _stream(parts: Iterable[str], output: Path | None) -> None:
    if output is None:
        sys.stdout.writelines(parts)
    else:
        write(output, parts)


def write(output: Path, text: str | Iterable[str]) -> None:
    """Replace a file in one step, so that a reader never sees half of it."""
    partial = output.with_name(f".{output.name}.partial")
    try:
        with partial.open("w", encoding="utf-8") as file:
            file.writelines([text] if isinstance(text, str) else text)
        partial.replace(output)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise UsageError(f"{output}: {because(error)}") from None


def width() -> int:
    """Columns of the terminal, within what can be read; 100 when there is none."""
    return min(max(shutil.get_terminal_size((100, 24)).columns, 60), 160)


def colour() -> bool:
    """Colour only for a person at a terminal who did not refuse it (NO_COLOR)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


@contextmanager
def progress(*, quiet: bool) -> Iterator[Callable[[int, int, str], None]]:
    """A progress bar on stderr when a person is watching, nothing otherwise."""
    if quiet or not sys.stderr.isatty():
        yield lambda _done, _total, _what: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(30), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("looking", total=None)

        def moved(done: int, total: int, what: str) -> None:
            bar.update(task, completed=done, total=total, description=f"looking at {what}"[:60])

        yield moved


def earlier(path: Path | None, option: str) -> Audit | None:
    """A run saved with `--format json`."""
    if path is None:
        return None
    from gatepost.report.machine import read_json

    try:
        size = path.stat().st_size
        return read_json(path.read_text(encoding="utf-8") if size <= MAX_RUN else "")
    except OSError as error:
        raise UsageError(f"{option}: {path}: {because(error)}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{option}: {path}: not UTF-8 text") from None
    except UsageError as error:
        raise UsageError(f"{option}: {path}: {error}") from None


def changed(audit: Audit, before: Audit | None) -> Audit:
    if before is None:
        return audit
    from gatepost.report.diff import since

    return since(audit, before)


def areas(listed: str | None) -> frozenset[str]:
    """`tls,ports` to a set; raises UsageError for an area the catalogue does not have."""
    known = catalogue.document("controls")["areas"]
    wanted = frozenset(word.strip() for word in (listed or "").split(",") if word.strip())
    for word in wanted - frozenset(known):
        raise UsageError(f"--only: no area is named {word!r}; known: {', '.join(known)}")
    return wanted


def limited(audit: Audit, wanted: frozenset[str], also: tuple[str, ...] = ()) -> Audit:
    """Only the findings of these areas, and of judges whose id begins as one in `also`."""
    if not wanted:
        return audit
    area = {row["id"]: row["area"] for row in catalogue.document("controls")["controls"]}
    kept = tuple(f for f in audit.findings if area.get(f.control) in wanted or f.id.startswith(also))
    return replace(audit, findings=kept)


def exit_code(audit: Audit, fail_on: FailOn) -> int:
    """1 when an unwaived failure is at least as severe as asked for, else 0."""
    from gatepost.report import tally

    return tally.exit_code(audit, floor(fail_on))


def floor(fail_on: FailOn) -> Severity | None:
    return None if fail_on is FailOn.NEVER else Severity(fail_on.value)
