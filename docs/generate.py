"""Write the generated pages of `docs/reference`, or with --check say which are out of step."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import typer
from typer.testing import CliRunner

from gatepost import catalogue
from gatepost.catalogue.controls import controls
from gatepost.checks import CHECKS, MANUAL
from gatepost.cli.main import app

HERE = Path(__file__).parent / "reference"


def commands() -> str:
    """Every command with its help, as a terminal of 100 columns shows it."""
    runner = CliRunner(env={"COLUMNS": "100", "TERM": "dumb", "NO_COLOR": "1", "TERMINAL_WIDTH": "100"})
    group = typer.main.get_command(app)
    parts = ["# Commands\n", "Generated from the program's own help.\n"]
    for words in _commands(group):
        text = runner.invoke(app, [*words, "--help"]).output
        plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
        parts.append(f"## gatepost {' '.join(words)}\n\n```text\n{_trimmed(plain)}\n```\n")
    return "\n".join(parts)


def _commands(group: object, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Each command's words; a group comes before its own commands."""
    for name, command in sorted(getattr(group, "commands", {}).items()):
        yield (*above, name)
        yield from _commands(command, (*above, name))


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())


def control_pages() -> str:
    """A row per control: who asks, who can witness it, how gatepost looks today."""
    by_control: dict[str, list[str]] = {}
    for check in CHECKS:
        by_control.setdefault(check.control, []).append(check.title)
    rows = ["# Controls\n", "Generated from the catalogue and the checks.\n"]
    for control in controls():
        looks = "; ".join(by_control.get(control.id, ())) or f"needs {MANUAL.get(control.id, 'the declaration')}"
        rows.append(f"- **{control.id}** ({control.area}, {control.severity}): {control.title}. *{looks}.*")
    return "\n".join(rows) + "\n"


def port_page() -> str:
    rows = ["# Ports\n", "Generated from the port catalogue.\n", "| port | id | protocol | mode | posture | role |"]
    rows.append("|---|---|---|---|---|---|")
    rows += [
        f"| {p.number}/{p.transport} | {p.id} | {p.protocol} | {p.mode} | {p.posture} | {p.role} |"
        for p in catalogue.ports()
    ]
    return "\n".join(rows) + "\n"


PAGES = {"commands.md": commands, "controls.md": control_pages, "ports.md": port_page}


def main() -> int:
    stale = []
    HERE.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        path = HERE / name
        text = page()
        if "--check" in sys.argv:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                stale.append(name)
        else:
            path.write_text(text, encoding="utf-8")
    if stale:
        sys.stderr.write(f"out of step, run `make docs`: {', '.join(stale)}\n")
    return int(bool(stale))


if __name__ == "__main__":
    sys.exit(main())
