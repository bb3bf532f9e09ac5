"""What DNS look-ups cost: hundreds of domains through the lab's resolver, ours next to other libraries in one run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from lab import many, measure
from lab.names import Names, why_no_names
from lab.places import PROJECT, SHOWN, state_root
from lab.zones import Net

DOMAINS = 500
FEW = 50  # for who asks one question at a time
NET = Net("127.0.28")
PATIENCE = 600.0
ENVIRONMENT = SHOWN / "peers" / "dns"  # a virtual environment of its own
PACKAGES = ("aiodns", "checkdmarc")


@dataclass(frozen=True, slots=True)
class Row:
    """`wall` and `cpu` are of the questions alone, without the start of the process."""

    who: str
    domains: int
    asked: int
    failed: int
    wall: float
    cpu: float
    megabytes: float

    @property
    def rate(self) -> float:
        return self.asked / self.wall


def bench_lookups(*, install: bool = False) -> None:
    if reason := why_no_names():
        print(f"\nlook-ups: {reason}")
        return
    if install:
        _install()
    names = Names(state_root() / "bench-names", NET)
    names.down()
    try:
        names.up(tuple(many.zones(DOMAINS, NET)))
        _show(_rows())
    finally:
        names.down()


def _rows() -> list[Row]:
    """The first run finds an empty resolver, whose work it waits for; all others find everything there."""
    ours, peers = sys.executable, str(ENVIRONMENT / "bin" / "python")
    rows = [
        _row("gatepost, cold resolver", ours, "gatepost"),
        _row("gatepost", ours, "gatepost"),
        _row("gatepost, whole survey", ours, "survey"),
        _row("dnspython asyncresolver", ours, "dnspython"),
    ]
    if not os.access(peers, os.X_OK):
        print("  aiodns, checkdmarc: not installed (python -m lab bench --install-peers)")
        return rows
    return [*rows, _row("aiodns (no DNSSEC)", peers, "aiodns"), _row("checkdmarc", peers, "checkdmarc", FEW)]


def _row(who: str, python: str, how: str, domains: int = DOMAINS) -> Row:
    with TemporaryDirectory(prefix="gatepost-bench-") as folder:
        file = Path(folder) / "questions.json"
        file.write_text(json.dumps(many.questions(domains, NET)))
        command = (python, str(PROJECT / "lab" / "asking.py"), how, NET.resolver, str(file))
        cost = measure.run(command, PATIENCE, {"PYTHONPATH": str(PROJECT / "src")})
    if cost.status:
        raise SystemExit(f"lab: {who}: {cost.last}")
    told = json.loads(cost.last)
    return Row(who, told["domains"], told["asked"], told["failed"], told["wall"], told["cpu"], cost.megabytes)


def _install() -> None:
    """From PyPI, into an environment that the project does not see."""
    if not (ENVIRONMENT / "bin" / "python").exists():
        subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True)
    subprocess.run([str(ENVIRONMENT / "bin" / "pip"), "install", "-q", *PACKAGES], check=False)


def _show(rows: list[Row]) -> None:
    print(f"\n{DOMAINS} domains, {many.LOOKUPS} look-ups each, one core")
    print(f"  {'':25}{'domains':>8}{'asked':>8}{'failed':>7}{'wall s':>8}{'a second':>10}{'cpu ms each':>13}{'MB':>6}")
    for row in rows:
        print(
            f"  {row.who:25}{row.domains:>8}{row.asked:>8}{row.failed:>7}{row.wall:>8.1f}{row.rate:>10.0f}"
            f"{1000 * row.cpu / row.asked:>13.2f}{row.megabytes:>6.0f}"
        )
    ours, others = rows[1], rows[3:]
    for row in others:
        wall, cpu = ours.rate / row.rate, (row.cpu / row.asked) / (ours.cpu / ours.asked)
        print(
            f"  {row.who}: {wall:.1f} times the wall time of gatepost, {cpu:.1f} times the processor time (per look-up)"
        )
