"""Draw the pictures of the README, as a terminal shows them: pages of `gatepost demo`, the unfit realm, and a log.

The realm's own directories are shown as the usual ones of Postfix and Dovecot. It needs root, as the realm does; the
picture of the log alone does not: `python -m docs.picture alerts`.
"""

from __future__ import annotations

import io
import re
import shlex
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import run
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.text import Text

from gatepost.cli.audit import conclude
from gatepost.cli.looking import look
from gatepost.cli.request import Request
from gatepost.demo.stage import running
from gatepost.demo.world import BAD, BAD_DOMAIN
from gatepost.report.formats import TERMINAL
from lab.maillog import Wanted, write
from lab.realm.host import Realm, State

WIDTH = 100
LOGGED = 2  # days
ALERTS = 32  # lines
HERE = Path(__file__).parent / "images"
PAINT = re.compile(r"\x1b\[[0-9;]*m")
PROGRAM = Path(__file__).parent.parent / "gatepost"


def main() -> int:
    HERE.mkdir(exist_ok=True)
    _alerts()
    if "alerts" in sys.argv[1:]:
        return 0
    with running(None) as stage:
        request = Request(
            targets=stage.domains, declaration=stage.declaration, ca=stage.ca, ports=stage.ports, https=stage.https
        )
        audit = conclude(look(request), None, None, stage.state)
    for view, chosen in (("audit", _audit), ("domains", _domains)):
        page = TERMINAL[view](audit, width=WIDTH, colour=True, fail_on=None).splitlines()
        _draw(f"gatepost {view} {' '.join(stage.domains)}", chosen(page), HERE / f"{view}.svg")
    _realm()
    return 0


def _realm() -> None:
    """The port truth of the unfit realm, and the first steps of its plan."""
    realm = Realm("picture", State.UNFIT)
    realm.up()
    try:
        for view, most in (("ports", 40), ("plan", 34)):
            page = _shown(realm, view)
            _draw(f"gatepost {view}", [*page[:most], "  …"], HERE / f"{view}.svg")
    finally:
        realm.down()


def _alerts() -> None:
    """The first alerts of a generated log with planted attackers, which ends now."""
    with TemporaryDirectory() as made:
        log, state = Path(made, "mail.log"), Path(made, "state")
        write(log, Wanted(lines=200_000, days=LOGGED, start=datetime.now(UTC) - timedelta(days=LOGGED)))
        _said("logs", "import", str(log), "--zone", "Etc/UTC", "--state", str(state))
        page = _said("alerts", "--state", str(state)).splitlines()
    end = max(n for n in range(ALERTS) if re.match(r"  \S", PAINT.sub("", page[n])))  # between two alerts
    _draw("gatepost alerts", [*page[:end], "  …", "", *page[-2:]], HERE / "alerts.svg")


def _said(*words: str) -> str:
    """As on a terminal, in colour."""
    program = shlex.join([str(PROGRAM), *words])
    line = ("script", "-qec", f"stty cols {WIDTH} && exec {program}", "/dev/null")
    told = run(line, check=False, capture_output=True, text=True)  # noqa: S603 - words of ours
    return told.stdout.replace("\r", "")


def _shown(realm: Realm, view: str) -> list[str]:
    words = f"stty cols {WIDTH} && exec {PROGRAM} {view} -q -c {realm.declaration} --ca {realm.ca}"
    shown = realm.run("office", "script", "-qec", words, "/dev/null").stdout.replace("\r", "")
    for inner, usual in ((f"{realm.home}/postfix/config", "/etc/postfix"), (f"{realm.home}/dovecot", "/etc/dovecot"),
                         (f"{realm.home}/papers", "/etc/ssl/private")):  # fmt: skip
        shown = shown.replace(inner, usual)
    return shown.splitlines()


def _audit(page: list[str]) -> list[str]:
    """The head, the ports of the bad host, and the first findings."""
    start = next(n for n, line in enumerate(page) if BAD in line and "127." in line)
    findings = next(n for n, line in enumerate(page) if "FINDINGS" in line)
    return [*page[: page.index("")], "", *page[start : findings + 32], "  …"]


def _domains(page: list[str]) -> list[str]:
    """The card of the bad domain."""
    plain = [PAINT.sub("", line) for line in page]
    start = plain.index(BAD_DOMAIN)
    return page[start : plain.index("", start)]


def _draw(title: str, lines: list[str], target: Path) -> None:
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.from_ansi(re.sub(r"/\S*/gatepost.toml", "gatepost.toml", "\n".join(lines))))
    drawn = console.export_svg(title=title, font_aspect_ratio=0.61)
    target.write_text(_without_fonts(drawn), encoding="utf-8")


def _without_fonts(svg: str) -> str:
    """The reader's own monospace font will do; nothing is fetched."""
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL).replace("Fira Code", "DejaVu Sans Mono, Menlo")


if __name__ == "__main__":
    sys.exit(main())
