"""The name service of a lab: an authoritative server with signed zones, a validating resolver, a web server.

Everything listens on loopback, the name servers on port 53 of addresses of their own, so that real referrals work.
The root is the lab's own, signed like the rest: no question leaves the machine, and what is not in it does not exist.
"""

from __future__ import annotations

import shutil
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import dns.exception
import dns.message
import dns.query

from lab import daemons, knot, nsd, pages, unbound, web
from lab.places import program, why_not
from lab.signing import TTL, Keys, Link, signed
from lab.zones import HEAD, ROOT, TOP, Net, Zone

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
        """The key of the lab's root, for a validator of one's own."""
        return self.home / "root.key"

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
        server = SERVERS[self.server]
        files = self._write(zones)
        for name, address, served in (("authority", self.net.authority, files), ("lame", self.net.lame, [])):
            server.write(self.home / name, address, served)
            server.start(self.home / name)
        unbound.write(self.home / "resolver", self.net.resolver, self.net.authority, self.anchors)
        unbound.start(self.home / "resolver")
        for name, _file in files:  # knot answers for some zones while it still reads others
            _await(self.net.authority, name)
        _await(self.net.resolver, ROOT)

    def _write(self, zones: Sequence[Zone]) -> list[tuple[str, Path]]:
        """The zone files, the deepest first: a parent has to know the keys of its children."""
        folder = self.home / "zones"
        folder.mkdir()
        below: dict[str, str] = defaultdict(str)
        names = {ROOT, TOP, *(zone.name for zone in zones)}
        files = []
        for zone in sorted((*zones, *self._tops()), key=lambda one: -len(one.name.split(".")) * bool(one.name)):
            keys = Keys.made()
            if zone.name == ROOT:
                self.anchors.write_text(keys.anchor(ROOT))
            else:
                below[_parent(zone.name, names)] += _delegation(zone, keys)
            if not zone.server:
                file = folder / f"{zone.name or 'root'}.zone"
                file.write_text(signed(zone.name, zone.text + below[zone.name], keys, zone.signed))
                files.append((zone.name, file))
        return files

    def _tops(self) -> tuple[Zone, Zone]:
        """The root of the lab's own world, and the domain under which its names are."""
        server = f"ns1.{TOP}. A {self.net.authority}\n"
        return Zone(ROOT, HEAD + server), Zone(TOP, HEAD + server)


def _parent(name: str, names: set[str]) -> str:
    """The zone that delegates a name: the nearest above it."""
    above = name.partition(".")[2]
    return above if above in names else _parent(above, names)


def _delegation(zone: Zone, keys: Keys) -> str:
    told = keys if zone.link is Link.RIGHT else Keys.made()
    ds = "" if zone.link is Link.NONE else told.ds(zone.name)
    if not zone.server:
        return f"{zone.name}. {TTL} IN NS ns1.{TOP}.\n{ds}"
    return f"{zone.name}. {TTL} IN NS ns.{zone.name}.\nns.{zone.name}. {TTL} IN A {zone.server}\n{ds}"


def _await(address: str, zone: str) -> None:
    """Until a name server answers for a zone."""
    question = dns.message.make_query(f"{zone}.", "SOA")
    deadline = time.monotonic() + READY
    while time.monotonic() < deadline:
        try:
            if dns.query.udp(question, address, 0.5).answer:
                return
        except (dns.exception.DNSException, OSError):
            pass
        time.sleep(0.05)
    raise SystemExit(f"lab: no answer for {zone or 'the root'} from the name server at {address}")
