"""NSD of the lab: the same zone files behind other software."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lab.daemons import master
from lab.places import program, run

TEMPLATE = """\
server:
  ip-address: {address}@53
  username: ""
  chroot: ""
  server-count: 1
  database: ""
  zonesdir: "{home}"
  pidfile: "{home}/nsd.pid"
  logfile: "{home}/nsd.log"
  xfrdfile: "{home}/xfrd.state"
  xfrdir: "{home}"
  zonelistfile: "{home}/zone.list"
  cookie-secret-file: ""
remote-control:
  control-enable: no
"""


def write(home: Path, address: str, zones: Iterable[tuple[str, Path]]) -> None:
    home.mkdir(parents=True, exist_ok=True)
    served = "".join(f'zone:\n  name: "{name}."\n  zonefile: "{file}"\n' for name, file in zones)
    (home / "nsd.conf").write_text(TEMPLATE.format(home=home, address=address) + served)


def start(home: Path) -> None:
    run(program("nsd"), "-c", str(home / "nsd.conf"))


def running(home: Path) -> int | None:
    return master(home / "nsd.pid", b"nsd")
