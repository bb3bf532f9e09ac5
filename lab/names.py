"""The name service of a lab: an authoritative server with signed zones, a validating resolver, a web server.

Everything listens on loopback, the name servers on port 53 of addresses of their own, so that real referrals work.
The resolver answers for nothing but the lab: no question leaves the machine.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import dns.exception
import dns.message
import dns.query
import dns.rcode

from lab import daemons, knot, nsd, pages, unbound, web
from lab.estate import Estate
from lab.oddities import odd
from lab.places import program, why_not
from lab.signing import TTL, Keys, Link, signed
from lab.site import Site
from lab.zones import HEAD, TOP, Net, Signers, Told, Zone, good

READY = 15.0  # seconds


class Server(Protocol):
    """An authoritative server: a module like `lab.knot`."""

    def write(self, home: Path, address: str, zones: Iterable[tuple[str, Path]]) -> None: ...
    def start(self, home: Path) -> None: ...
    def running(self, home: Path) -> int | None: ...


SERVERS: dict[str, Server] = {"knot": knot, "nsd": nsd}
PROGRAMS = {"knot": "knotd", "nsd": "nsd"}


def why_no_names(server: str = "knot") -> str:
    """Why the name servers cannot run here; empty when they can."""
    if reason := why_not():
        return reason
    try:
        program(PROGRAMS[server])
        program("unbound")
    except SystemExit as error:
        return str(error)
    return ""


@dataclass(frozen=True, slots=True)
class Names:
    """`home` holds everything of it; `server` is knot or nsd."""

    home: Path
    net: Net
    server: str = "knot"

    @property
    def resolver(self) -> str:
        """As `--resolver` and the declaration want it."""
        return f"{self.net.resolver}#53"

    @property
    def anchors(self) -> Path:
        """Trust anchors of the lab's zones, for a validator of one's own."""
        return self.home / "anchors.key"

    @property
    def running(self) -> bool:
        return all(pid is not None for pid in self._masters()[:3])

    def up(self, zones: Sequence[Zone]) -> None:
        """Idempotent: what runs is left as it is."""
        if self.running:
            return
        self.down()
        try:
            self._start(zones)
        except BaseException:
            self.down()
            raise

    def serve(self, made: pages.Pages, papers: Path) -> None:
        """Web pages too, with the certificates found in `papers`, and the name server that never answers."""
        folder = self.home / "web"
        if web.running(folder) is not None:
            return
        folder.mkdir(exist_ok=True)
        pages.write(folder / "pages.json", made)
        for host in made:
            shutil.copy(papers / f"{host}.pem", folder)
        web.start(folder, self.net.web, self.net.silent)

    def down(self) -> None:
        """Stops what runs and removes every file of it."""
        if self.home.exists():
            daemons.stop(pid for pid in self._masters() if pid is not None)
            shutil.rmtree(self.home)

    def _masters(self) -> tuple[int | None, ...]:
        server = SERVERS[self.server]
        homes = (self.home / "authority", self.home / "lame")
        return (
            unbound.running(self.home / "resolver"),
            *(server.running(home) for home in homes),
            web.running(self.home / "web"),
        )

    def _start(self, zones: Sequence[Zone]) -> None:
        self.home.mkdir(parents=True)
        self.home.chmod(0o755)
        tops = (TOP, *(zone.name for zone in zones if _top(zone)))
        server = SERVERS[self.server]
        files = self._write(zones)
        for name, address, served in (("authority", self.net.authority, files), ("lame", self.net.lame, [])):
            server.write(self.home / name, address, served)
            server.start(self.home / name)
        unbound.write(self.home / "resolver", self.net.resolver, self.net.authority, tops, self.anchors)
        unbound.start(self.home / "resolver")
        for address in (self.net.authority, self.net.resolver):
            _await(address)

    def _write(self, zones: Sequence[Zone]) -> list[tuple[str, Path]]:
        """The zone files. The top zone comes last: it has to know the keys of all others."""
        folder = self.home / "zones"
        folder.mkdir()
        top = HEAD + f"ns1 A {self.net.authority}\n"
        files, anchors = [], ""
        for zone in (*zones, None):
            keys = Keys.made()
            one = zone or Zone(TOP, top)
            if zone is None or (_top(zone) and zone.link is Link.RIGHT):
                anchors += keys.anchor(one.name)
            elif not _top(zone):
                top += _delegation(zone, keys)
            if not one.server:
                file = folder / f"{one.name}.zone"
                file.write_text(signed(one.name, one.text, keys, one.signed))
                files.append((one.name, file))
        self.anchors.write_text(anchors)
        return files


def _top(zone: Zone) -> bool:
    return not zone.name.endswith(f".{TOP}")


def _delegation(zone: Zone, keys: Keys) -> str:
    told = keys if zone.link is Link.RIGHT else Keys.made()
    ds = "" if zone.link is Link.NONE else told.ds(zone.name)
    if not zone.server:
        return f"{zone.name}. {TTL} IN NS ns1.{TOP}.\n{ds}"
    return f"{zone.name}. {TTL} IN NS ns.{zone.name}.\nns.{zone.name}. {TTL} IN A {zone.server}\n{ds}"


def _await(address: str) -> None:
    """Until a name server answers for the top zone."""
    question = dns.message.make_query(f"{TOP}.", "SOA")
    deadline = time.monotonic() + READY
    while time.monotonic() < deadline:
        try:
            if dns.query.udp(question, address, 0.5).answer:
                return
        except (dns.exception.DNSException, OSError):
            pass
        time.sleep(0.05)
    raise SystemExit(f"lab: no answer from the name server at {address}")


def zones(estate: Estate, net: Net, others: Sequence[Site] = (), signers: Signers | None = None) -> tuple[Zone, ...]:
    """What DNS tells of an estate: its first host in order, `others` beside it, and all that is odd."""
    host = estate.sites[0]
    told = Told(net, host, tuple(others), *estate.digests(host), signers or Signers())
    return (*good(told), *odd(told))
