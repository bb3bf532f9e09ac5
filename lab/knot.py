"""Knot DNS of the lab: serves files that were signed elsewhere, and writes none."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lab.daemons import master
from lab.places import program, run

TEMPLATE = """\
server:
  listen: {address}@53
  rundir: {home}
  pidfile: {home}/knot.pid
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
log:
  - target: {home}/knot.log
    any: info
database:
  storage: {home}
template:
  - id: default
    zonefile-sync: -1
    journal-content: none
zone:
"""


def write(home: Path, address: str, zones: Iterable[tuple[str, Path]]) -> None:
    home.mkdir(parents=True, exist_ok=True)
    served = "".join(f"  - domain: {name}.\n    file: {file}\n" for name, file in zones)
    (home / "knot.conf").write_text(TEMPLATE.format(home=home, address=address) + served)


def start(home: Path) -> None:
    run(program("knotd"), "-c", str(home / "knot.conf"), "-d")


def running(home: Path) -> int | None:
    return master(home / "knot.pid", b"knotd")
