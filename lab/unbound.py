"""unbound of the lab: a validating resolver that starts at the lab's own root and asks nobody else."""

from __future__ import annotations

from pathlib import Path

from lab.daemons import master
from lab.places import program, run

TEMPLATE = """\
server:
  interface: {address}@53
  access-control: 127.0.0.0/8 allow
  do-not-query-localhost: no
  do-ip6: no
  chroot: ""
  username: ""
  directory: "{home}"
  pidfile: "{home}/unbound.pid"
  logfile: "{home}/unbound.log"
  use-syslog: no
  num-threads: 1
  module-config: "validator iterator"
  trust-anchor-file: "{anchors}"
  ede: yes
  val-log-level: 2
{served}
remote-control:
  control-enable: no
stub-zone:
  name: "."
  stub-addr: {authority}
"""
OWN = ("test.", "127.in-addr.arpa.", "2.0.192.in-addr.arpa.", "8.b.d.0.1.0.0.2.ip6.arpa.")  # else answered by itself


def write(home: Path, address: str, authority: str, anchors: Path) -> None:
    home.mkdir(parents=True, exist_ok=True)
    served = "".join(f'  local-zone: "{name}" nodefault\n' for name in OWN)
    text = TEMPLATE.format(home=home, address=address, anchors=anchors, served=served, authority=authority)
    (home / "unbound.conf").write_text(text)


def start(home: Path) -> None:
    run(program("unbound"), "-c", str(home / "unbound.conf"))


def running(home: Path) -> int | None:
    return master(home / "unbound.pid", b"unbound")
