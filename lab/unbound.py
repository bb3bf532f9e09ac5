"""unbound of the lab: a validating resolver that knows the lab's zones and asks nobody else.

It has names and reverse names of its own that it answers itself (test, 127.in-addr.arpa …), so each of ours has to
be marked transparent; everything else is answered from an empty root.
"""

from __future__ import annotations

from collections.abc import Iterable
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
  local-zone: "." static
{transparent}
remote-control:
  control-enable: no
{stubs}"""


def write(home: Path, address: str, authority: str, tops: Iterable[str], anchors: Path) -> None:
    """`tops` are the zones that nothing in the lab delegates; what lies below is found by referral, on port 53."""
    home.mkdir(parents=True, exist_ok=True)
    names = tuple(tops)
    text = TEMPLATE.format(
        home=home,
        address=address,
        anchors=anchors,
        transparent="".join(f'  local-zone: "{name}." transparent\n' for name in names),
        stubs="".join(f'stub-zone:\n  name: "{name}."\n  stub-addr: {authority}\n' for name in names),
    )
    (home / "unbound.conf").write_text(text)


def start(home: Path) -> None:
    run(program("unbound"), "-c", str(home / "unbound.conf"))


def running(home: Path) -> int | None:
    return master(home / "unbound.pid", b"unbound")
