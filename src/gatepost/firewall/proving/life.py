"""What a mail host dies without, however well its mail ports are kept.

Loopback, answers, neighbour discovery (RFC 4861, RFC 4890 section 4.4.1), path MTU (RFC 1191, RFC 8201), and the way
in for whoever operates it. A port check passes while each of these is shut.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address

from gatepost import catalogue
from gatepost.firewall.proving.fates import ACCEPT, DROP, Fates
from gatepost.firewall.proving.packets import DESTINATION, Packet
from gatepost.firewall.proving.proof import Proof, sample
from gatepost.firewall.proving.regions import (
    EMPTY,
    HIGHEST_PORT,
    LINK_LOCAL,
    Region,
    address,
    of_networks,
)
from gatepost.firewall.proving.values import FLAGS, ICMP_CODES, ICMP_TYPES
from gatepost.model.architecture import Endpoint, Host
from gatepost.model.flows import Matrix
from gatepost.model.rules import LifeSupportSeen, RuleRef

SYN_ACK = FLAGS["syn"] | FLAGS["ack"]
HOPS = 255  # neighbour discovery comes from the same link only (RFC 4861 section 7.1)
MOST_KINDS = 32  # classes of ports tried over loopback
_SOLICITED = (int(ip_address("ff02::1:ff00:0")), (1 << 24) - 1)  # RFC 4291 section 2.7.1
_LOOPBACK = {4: int(ip_address("127.0.0.1")), 6: int(ip_address("::1"))}


@dataclass(frozen=True, slots=True)
class Pulse:
    """`alive` None: cannot tell."""

    alive: bool | None
    rules: tuple[RuleRef, ...] = ()
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """One packet that must pass for these addresses of its open end."""

    packet: Packet
    among: Region

    @property
    def out(self) -> bool:
        return self.packet.open == DESTINATION


def life_support(proof: Proof, host: Host, matrix: Matrix) -> Iterator[LifeSupportSeen]:
    for family in sorted({6 if ":" in one else 4 for one in host.addresses}):
        asks = {
            "loopback": _loopback(proof, family),
            "replies": _replies(proof, family),
            **({"neighbour-discovery": _neighbours(proof)} if family == 6 else {}),
            "path-mtu": _path_mtu(proof, family),
        }
        for what, asked in asks.items():
            exact = what in {"loopback", "neighbour-discovery"}
            yield _seen(host, what, family, _pulse(proof, asked, family, exact=exact))
        if (pulse := _management(proof, host, matrix, family)) is not None:
            yield _seen(host, "management", family, pulse)


def _seen(host: Host, what: str, family: int, pulse: Pulse) -> LifeSupportSeen:
    return LifeSupportSeen(Endpoint(host.name), what, family, pulse.alive, pulse.rules, pulse.detail)


def _pulse(proof: Proof, asks: Iterable[Ask], family: int, *, exact: bool) -> Pulse:
    """The worst of all; not `exact`: a part of the world may be banned and the host lives on."""
    doubt: Pulse | None = None
    for one in asks:
        found = _asked(proof, one, family, exact=exact)
        if found.alive is False:
            return found
        if found.alive is None:
            doubt = doubt or found
    return doubt or Pulse(alive=True)


def _asked(proof: Proof, one: Ask, family: int, *, exact: bool) -> Pulse:
    if family in proof.legacy:
        return Pulse(None, detail="tables of the old iptables are loaded, which nft does not show")
    fates = proof.paths.outbound(one.packet) if one.out else proof.paths.inbound(one.packet)
    passing, lost = _parts(fates, one.among)
    undecided = one.among - passing - lost
    if lost and (exact or lost.size() * 2 > one.among.size()):
        return _cause(proof, one, lost, family, alive=False)
    if undecided and (exact or (lost.size() + undecided.size()) * 2 > one.among.size()):
        return _cause(proof, one, undecided, family, alive=None)
    return Pulse(alive=True)


def _parts(fates: Fates, among: Region) -> tuple[Region, Region]:
    return fates.where(lambda mark: mark == ACCEPT) & among, fates.where(lambda mark: mark == DROP) & among


def _cause(proof: Proof, one: Ask, region: Region, family: int, *, alive: bool | None) -> Pulse:
    witness = sample(region)
    found = proof.why([(one.packet, region)], witness, out=one.out)
    way = "to" if one.out else "from"
    detail = found.reasons[0] if alive is None and found.reasons else f"{way} {address(witness, family)}"
    return Pulse(alive, tuple(found.rules or found.doubtful), detail)


def _loopback(proof: Proof, family: int) -> Iterator[Ask]:
    """Filters and stores of a mail host talk over it, on any port."""
    own = _LOOPBACK[family]
    region = Region((own,), (own,))
    kinds = {one.kind: one.first for one in reversed(proof.classes())}
    for port in sorted(kinds.values())[:MOST_KINDS]:
        yield Ask(Packet(family, port, DESTINATION, iif="", oif="lo", saddr=own), region)
        yield Ask(Packet(family, port, iif="lo", daddr=own), region)


def _replies(proof: Proof, family: int) -> Iterator[Ask]:
    """The answer to mail the host delivers, and its answer to a client."""
    mail = catalogue.number("smtp")
    own = proof.around.only_address(family)
    for interface, region in proof.arrivals(family):
        among = region & proof.outside(family)
        if not among:
            continue
        yield Ask(
            Packet(family, HIGHEST_PORT, iif=interface, daddr=own, sport=mail, flags=SYN_ACK, state="established"),
            among,
        )
        yield Ask(
            Packet(family, HIGHEST_PORT, DESTINATION, iif="", oif=interface, saddr=own, sport=mail, flags=SYN_ACK,
                   state="established", destination="unicast"),
            among,
        )  # fmt: skip


def _neighbours(proof: Proof) -> Iterator[Ask]:
    """Solicitations to the group of an address of ours, advertisements to ourselves, and ours in turn.

    Conntrack leaves them alone: their state is untracked.
    """
    types = ICMP_TYPES[6]
    asked, told = types["nd-neighbor-solicit"], types["nd-neighbor-advert"]
    own = proof.around.only_address(6)
    group = None if own is None else _SOLICITED[0] | (own & _SOLICITED[1])
    near = LINK_LOCAL[6] | (proof.around.connected.get(6, EMPTY) - proof.around.local.get(6, EMPTY))
    groups = Region((_SOLICITED[0],), (_SOLICITED[0] + _SOLICITED[1],))
    for interface in _interfaces(proof, 6):
        yield Ask(_discovery(asked, iif=interface, daddr=group, destination="multicast"), near)
        yield Ask(_discovery(told, iif=interface, daddr=own), near)
        yield Ask(_discovery(asked, DESTINATION, iif="", oif=interface, destination="unicast"), groups)
        yield Ask(_discovery(told, DESTINATION, iif="", oif=interface, destination="unicast"), near)


def _discovery(kind: int, end: str = "saddr", **more: object) -> Packet:
    return Packet(6, None, end, protocol="icmpv6", icmp=(kind, 0), hops=HOPS, state="untracked", **more)  # type: ignore[arg-type]  # fields of a packet


def _interfaces(proof: Proof, family: int) -> list[str | None]:
    return [name for name, region in proof.arrivals(family) if region & proof.outside(family)]


def _path_mtu(proof: Proof, family: int) -> Iterator[Ask]:
    """A router on the way says that a packet was too big for it."""
    if family == 4:
        protocol, kind = "icmp", (ICMP_TYPES[4]["destination-unreachable"], ICMP_CODES["frag-needed"])
    else:
        protocol, kind = "icmpv6", (ICMP_TYPES[6]["packet-too-big"], 0)
    own = proof.around.only_address(family)
    for interface, region in proof.arrivals(family):
        if among := region & proof.outside(family):
            yield Ask(
                Packet(family, None, iif=interface, daddr=own, protocol=protocol, icmp=kind, state="related"), among
            )


def _management(proof: Proof, host: Host, matrix: Matrix, family: int) -> Pulse | None:
    flows = [flow for flow in matrix.to(host.name) if flow.management and flow.family == family]
    doubt: Pulse | None = None
    for flow in flows:
        wanted = of_networks(flow.sources) & proof.outside(family)
        admission = proof.inbound(flow.address, flow.port)
        lost = wanted - admission.accepted - admission.undecided
        whole = not lost and not (wanted & admission.undecided)
        if whole:
            continue
        if lost and not (wanted & admission.accepted):
            return _shut(proof, flow.address, flow.port, lost, family, alive=False)
        if lost and lost.size() * 2 > wanted.size():
            return _shut(proof, flow.address, flow.port, lost, family, alive=False)
        if wanted & admission.undecided:
            doubt = _shut(proof, flow.address, flow.port, wanted & admission.undecided, family, alive=None)
    return doubt or (Pulse(alive=True) if flows else None)


def _shut(proof: Proof, where: str, port: int, region: Region, family: int, *, alive: bool | None) -> Pulse:
    witness = sample(region)
    found = proof.why(proof.inbound_packets(where, port), witness)
    detail = found.reasons[0] if alive is None and found.reasons else f"port {port} from {address(witness, family)}"
    return Pulse(alive, tuple(found.rules or found.doubtful), detail)
