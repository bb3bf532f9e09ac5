"""The host witness: what a bundle says about a host, as observations. It never looks, and never says good or bad.

What could not be read is `Unobserved`, with one of these in `wanted`: sockets, packages, `postfix settings`,
`dovecot settings`, `exim settings`, `port of SERVICE`, `file PATH`, `contents of PATH`.
"""

from __future__ import annotations

from collections.abc import Iterator

from gatepost.model.architecture import Endpoint, Host
from gatepost.model.bundle import Bundle
from gatepost.model.host import BundleRead
from gatepost.model.observation import Observation
from gatepost.servers import dovecot, exim, packages, postfix, sockets
from gatepost.servers.asking import WHO
from gatepost.servers.files import files
from gatepost.servers.instances import instances

READERS = {"postfix": postfix.facts, "dovecot": dovecot.facts, "exim": exim.facts}
OF_OTHERS = frozenset(command[0] for command in packages.COMMANDS)  # of several, a host has one


def facts(bundle: Bundle, host: Host | None = None) -> tuple[Observation, ...]:
    """Everything of model/host.py that the bundle tells. `host` limits the instances to the declared ones."""
    return tuple(_facts(bundle, host))


def _facts(bundle: Bundle, host: Host | None) -> Iterator[Observation]:
    at = Endpoint(bundle.host)
    yield _read(bundle, at)
    yield from sockets.sockets(bundle, at)
    yield from packages.packages(bundle, at)
    every = instances(bundle, host)
    for instance in every:
        yield from READERS[instance.software](bundle, instance, at)
    yield from files(bundle, every, at)


def _read(bundle: Bundle, at: Endpoint) -> BundleRead:
    absent = sorted({ran.argv[0] for ran in bundle.ran if ran.absent and ran.argv} - OF_OTHERS)
    who = bundle.command(*WHO)
    return BundleRead(
        at, bundle.taken_at, bundle.via, tuple(absent), root=who is not None and who.stdout.strip() == "0"
    )
