"""Draw the picture of the README: the beginning of `gatepost demo`, as a terminal shows it."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

from gatepost.cli.audit import conclude
from gatepost.cli.looking import look
from gatepost.cli.request import Request
from gatepost.demo.stage import running
from gatepost.report.formats import TERMINAL

WIDTH = 100
HERE = Path(__file__).parent / "images"


def main() -> int:
    with running(None) as stage:
        looked = look(Request(declaration=stage.declaration, ca=stage.ca, ports=stage.ports, https=stage.https))
    page = TERMINAL["audit"](conclude(looked, None, None, None), width=WIDTH, colour=True, fail_on=None)
    lines = page.splitlines()
    start = next(n for n, line in enumerate(lines) if "bad.demo.test" in line and "127." in line)
    findings = next(n for n, line in enumerate(lines) if "FINDINGS" in line)
    shown = [*lines[: lines.index("")], "", *lines[start : findings + 34], "  …"]
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.from_ansi(re.sub(r"/\S*/gatepost.toml", "gatepost.toml", "\n".join(shown))))
    HERE.mkdir(exist_ok=True)
    drawn = console.export_svg(title="gatepost demo", font_aspect_ratio=0.61)
    (HERE / "audit.svg").write_text(_without_fonts(drawn), encoding="utf-8")
    return 0


def _without_fonts(svg: str) -> str:
    """The reader's own monospace font will do; nothing is fetched."""
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL).replace("Fira Code", "DejaVu Sans Mono, Menlo")


if __name__ == "__main__":
    sys.exit(main())
