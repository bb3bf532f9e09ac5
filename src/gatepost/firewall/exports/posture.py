"""What one host admits and where it goes, in the plain form that every dialect starts from."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from gatepost import catalogue
from gatepost.errors import UsageError
from gatepost.model.architecture import Host
from gatepost.model.flows import Exit, Flow, Matrix, Network

Admitted = tuple[str, int, int]  # a source in CIDR form, a port, the family
_UNPLAIN = re.compile(r"[^A-Za-z0-9]+")
_UNTOLD = re.compile(r"[^A-Za-z0-9 ._:/()@,-]")


@dataclass(frozen=True, slots=True)
class Opening:
    """One port for the networks of one family. `id` names the flow, `who` whom it is for."""

    id: str
    port: int
    family: int
    sources: tuple[Network, ...]
    who: str


@dataclass(frozen=True, slots=True)
class Posture:
    """`kept`: networks it may not connect into but by an exit; none where `closed`, which allows exits only."""

    host: str
    openings: tuple[Opening, ...]
    exits: tuple[Exit, ...]
    kept: tuple[Network, ...]
    muted: bool
    closed: bool
    routes: bool
    families: tuple[int, ...]  # that it has addresses of

    def of(self, family: int) -> tuple[Opening, ...]:
        return tuple(one for one in self.openings if one.family == family)


def posture(matrix: Matrix, host: Host) -> Posture:
    kept = dict(matrix.kept_from).get(host.name, ())
    closed = {network.version for network in kept if network.prefixlen == 0} == {4, 6}
    return Posture(
        host.name,
        _openings(matrix.to(host.name), host),
        matrix.out_of(host.name),
        () if closed else kept,
        host.name in matrix.muted,
        closed,
        host.name in matrix.routers,
        tuple(sorted({6 if ":" in address else 4 for address in host.addresses})),
    )


def _openings(flows: Iterable[Flow], host: Host) -> tuple[Opening, ...]:
    """By port. Most dialects know a host, not its addresses, so what differs between these cannot be said in them."""
    found: dict[tuple[str, int, int], Flow] = {}
    for flow in flows:
        first = found.setdefault((flow.id, flow.port, flow.family), flow)
        if first.sources != flow.sources:
            raise UsageError(f"{host.name}: port {flow.port} differs between its addresses; only nft can say that")
    made = (Opening(f.id, f.port, f.family, f.sources, ", ".join(f.zones) or "everybody") for f in found.values())
    return tuple(sorted(made, key=lambda one: (one.port, one.family, one.id)))


def admitted(matrix: Matrix, host: Host) -> frozenset[Admitted]:
    """What reading a dialect back must give."""
    return frozenset((str(n), f.port, f.family) for f in matrix.to(host.name) for n in f.sources)


def described(words: str, longest: int) -> str:
    """Letters, digits and little else: the common ground of what dialects take in a description."""
    clean = _UNTOLD.sub("-", words)
    return clean if len(clean) <= longest else f"{clean[: longest - 9]} {_digest(words)}"


def identifier(words: str, longest: int, joint: str = "_") -> str:
    """Lower case, of letters and digits; begins with a letter. What had to be changed ends with a digest."""
    plain = _UNPLAIN.sub(joint, words).strip(joint).lower()
    safe = plain if plain[:1].isalpha() else f"n{joint}{plain}".rstrip(joint)
    if safe == words.replace(".", joint) and len(safe) <= longest:
        return safe
    return f"{safe[: longest - 9].rstrip(joint)}{joint}{_digest(words)}"


def mail() -> int:
    return catalogue.number("smtp")


def _digest(words: str) -> str:
    return sha256(words.encode(errors="surrogatepass")).hexdigest()[:8]
