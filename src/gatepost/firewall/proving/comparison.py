"""The running rules held against the matrix, as sets: what is open that should not be, and what is closed that should.

Every difference carries one address that proves it and the rules that decide about that address.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network, IPv6Network

from gatepost import catalogue
from gatepost.firewall.proving.causes import because
from gatepost.firewall.proving.classes import PortClass
from gatepost.firewall.proving.effects import Target
from gatepost.firewall.proving.packets import Packet
from gatepost.firewall.proving.proof import LEGACY, Admission, Proof, sample
from gatepost.firewall.proving.regions import (
    EMPTY,
    EVERYWHERE,
    HIGHEST_PORT,
    LINK_LOCAL,
    MULTICAST,
    Region,
    address,
    networks,
    of_networks,
)
from gatepost.firewall.proving.tracing import Trace
from gatepost.model.architecture import Endpoint, Host
from gatepost.model.flows import Exit, Flow, Matrix, Network
from gatepost.model.rules import DeviationSeen, Drift

MOST_DEVIATIONS = 200  # of one address and direction: beyond that neighbours are told together
MOST_TARGETS = 24  # addresses of one network that rules tell apart
MOST_LISTED = 64
ROUTES_UNKNOWN = "the routes of the host were not read"
FORWARDING_UNKNOWN = "whether the host forwards packets was not read"

Packets = Callable[[int], Iterable[tuple[Packet, Region]]]


@dataclass(frozen=True, slots=True)
class Difference:
    """For ports first .. last. `alone`: a declared port, never told together with its neighbours."""

    first: int
    last: int
    drift: Drift
    region: Region
    alone: bool = False
    target: Target | None = None  # of a translation on the way


def input_deviations(proof: Proof, host: Host, matrix: Matrix) -> Iterator[DeviationSeen]:
    flows = matrix.to(host.name)
    for where in host.addresses:
        own = [flow for flow in flows if flow.address == where]
        yield from _to_address(proof, host, where, own)


def _to_address(proof: Proof, host: Host, where: str, flows: Sequence[Flow]) -> Iterator[DeviationSeen]:
    family = 6 if ":" in where else 4
    outside = proof.outside(family)
    wanted = {port: _sources(flows, port) & outside for port in {flow.port for flow in flows}}

    def packets(port: int) -> Iterable[tuple[Packet, Region]]:
        return proof.inbound_packets(where, port)

    found = []
    for one, admission in _admissions(proof.classes(wanted), lambda port: proof.inbound(where, port)):
        want = wanted.get(one.first, EMPTY) if one.first == one.last else EMPTY
        for drift, region in _differences(admission, want, outside):
            target = proof.paths.translation(packets(one.first), sample(region))
            found.append(Difference(one.first, one.last, drift, region, one.first in wanted, target))
    teller = _Teller(proof, host, where, "input", packets)
    yield from teller.told(found, family)


def _sources(flows: Iterable[Flow], port: int) -> Region:
    return of_networks(network for flow in flows if flow.port == port for network in flow.sources)


def _admissions(classes: Sequence[PortClass], ask: Callable[[int], Admission]) -> Iterator[tuple[PortClass, Admission]]:
    """One question for each kind of ports."""
    known: dict[int, Admission] = {}
    for one in classes:
        if one.kind not in known:
            known[one.kind] = ask(one.first)
        yield one, known[one.kind]


def _differences(admission: Admission, want: Region, among: Region) -> Iterator[tuple[Drift, Region]]:
    accepted, undecided = admission.accepted & among, admission.undecided & among
    for drift, region in (
        (Drift.WIDER, accepted - want),
        (Drift.CLOSED, (want & among) - accepted - undecided),
        (Drift.CANNOT_TELL, undecided),
    ):
        if region:
            yield drift, region


@dataclass(slots=True)
class _Teller:
    """Makes observations of differences, with witness and rules. `packets` are those of a port."""

    proof: Proof
    host: Host
    where: str
    direction: str
    packets: Packets
    target: str = ""
    more: tuple[str, ...] = field(default=())  # reasons beside those of the rules

    def told(self, found: Sequence[Difference], family: int) -> list[DeviationSeen]:
        """In the order of ports. Beyond a bound they are counted only, declared ports last of all."""
        together = _together(found, _alike)
        if len(together) > MOST_DEVIATIONS:
            together = _together(together, lambda a, b: a.drift is b.drift)
        listed: list[DeviationSeen] = []
        for drift in Drift:
            alike = sorted((one for one in together if one.drift is drift), key=lambda one: not one.alone)
            shown = [self._told(one, family) for one in alike[:MOST_DEVIATIONS]]
            if more := len(alike) - len(shown):
                shown[-1] = replace(shown[-1], because=f"{shown[-1].because} (and {more} more ranges of ports like it)")
            listed += shown
        return sorted(listed, key=lambda one: one.ports)

    def _told(self, one: Difference, family: int) -> DeviationSeen:
        witness = sample(one.region)
        out = self.direction == "output"
        seen = self.proof.why(self.packets(one.first), witness, out=out) if family not in self.proof.legacy else Trace()
        if family in self.proof.legacy:
            seen.reasons[:] = [LEGACY]
        seen.reasons[:0] = self.more
        ports = (one.first, one.last)
        return DeviationSeen(
            Endpoint(self.host.name, self.where, one.first),
            one.drift,
            ports,
            self.proof.listed(one.region, family).prefixes[:MOST_LISTED],
            address(witness, family),
            self.direction,
            seen.path if self.direction == "input" else self.direction,
            tuple(seen.doubtful if one.drift is Drift.CANNOT_TELL else seen.rules),
            tuple(seen.reasons) if one.drift is Drift.CANNOT_TELL else (),
            self.target,
            because(one.drift, seen, ports, self.proof.rules),
        )


def _alike(one: Difference, other: Difference) -> bool:
    return (one.drift, one.target) == (other.drift, other.target) and one.region == other.region


def _together(found: Sequence[Difference], alike: Callable[[Difference, Difference], bool]) -> list[Difference]:
    """Neighbouring ranges that are alike become one; a declared port stays by itself."""
    runs: list[list[Difference]] = []
    last: dict[Drift, list[Difference]] = {}
    for one in found:
        run = last.get(one.drift)
        if run and not run[-1].alone and not one.alone and run[-1].last + 1 == one.first and alike(run[-1], one):
            run.append(one)
        else:
            last[one.drift] = [one]
            runs.append(last[one.drift])
    return [replace(run[0], last=run[-1].last, region=_united(run)) for run in runs]


def _united(run: Sequence[Difference]) -> Region:
    different = {id(one.region): one.region for one in run if one.region != run[0].region}
    return Region.of(pair for region in (run[0].region, *different.values()) for pair in region.pairs())


def output_deviations(proof: Proof, host: Host, matrix: Matrix) -> Iterator[DeviationSeen]:
    """The host as a client: into what it is kept from, and where it must get to."""
    exits = matrix.out_of(host.name)
    for family in _families(host):
        kept = _kept_from(matrix, host, family)
        routed = proof.outside(family) - MULTICAST[family] - LINK_LOCAL[family]
        yield from _into(proof, host, family, kept & routed, routed, exits, muted=host.name in matrix.muted)
        yield from _shut_exits(proof, host, family, routed, exits)


def _families(host: Host) -> list[int]:
    return sorted({6 if ":" in one else 4 for one in host.addresses})


def _first_address(host: Host, family: int) -> str:
    return next(one for one in host.addresses if (6 if ":" in one else 4) == family)


def _kept_from(matrix: Matrix, host: Host, family: int) -> Region:
    return _of(family, (net for name, nets in matrix.kept_from if name == host.name for net in nets))


def _of(family: int, nets: Iterable[Network]) -> Region:
    return of_networks(net for net in nets if net.version == family)


def _into(proof: Proof, host: Host, family: int, kept: Region, routed: Region, exits: Sequence[Exit], *,
          muted: bool) -> Iterator[DeviationSeen]:  # fmt: skip
    mail = catalogue.number("smtp")
    permitted = _permitted(exits, family, "tcp")
    cuts = {port for port in permitted if port} | ({mail} if muted else set())
    found = []
    for one, admission in _admissions(proof.classes(cuts), lambda port: proof.outbound(family, port)):
        alone = one.first == one.last and one.first in cuts
        silent = muted and alone and one.first == mail
        named = permitted.get(one.first, EMPTY) if alone else EMPTY
        free = named if silent else named | permitted.get(0, EMPTY)
        for drift, region in _differences(admission, free, routed if silent else kept):
            if drift is not Drift.CLOSED and (region := region - free):
                found.append(Difference(one.first, one.last, drift, region, alone))
    teller = _Teller(proof, host, _first_address(host, family), "output",
                     lambda port: proof.outbound_packets(family, port))  # fmt: skip
    yield from map(_aimed, teller.told(found, family))


def _permitted(exits: Iterable[Exit], family: int, transport: str) -> Mapping[int, Region]:
    """By port; 0 for those that name none."""
    found: dict[int, list[Network]] = {}
    for one in exits:
        if one.transport == transport:
            found.setdefault(one.port, []).extend(net for net in one.targets if net.version == family)
    return {port: of_networks(nets) for port, nets in found.items()}


def _aimed(one: DeviationSeen) -> DeviationSeen:
    """Of what leaves the host, the open end is where to."""
    return replace(one, target=", ".join(one.sources[:2]) + (", …" if len(one.sources) > 2 else ""))


def _shut_exits(
    proof: Proof, host: Host, family: int, routed: Region, exits: Sequence[Exit]
) -> Iterator[DeviationSeen]:
    """What the operator named must get out whole; what is only implied (mail, DNS) must get out somewhere."""
    for one in exits:
        targets = _of(family, one.targets) & routed
        if not targets:
            continue
        port = one.port or 1
        admission = proof.outbound(family, port, one.transport)
        shut = targets - admission.accepted - admission.undecided
        named = one.id.rpartition("/")[2].startswith("egress")
        if shut and (named or not (targets & (admission.accepted | admission.undecided))):
            teller = _Teller(
                proof, host, _first_address(host, family), "output",
                lambda port, of=one.transport: proof.outbound_packets(family, port, of),  # type: ignore[misc]  # bound now
            )  # fmt: skip
            for told in teller.told([Difference(port, one.port or port, Drift.CLOSED, shut, alone=True)], family):
                yield _aimed(told)


def forward_deviations(proof: Proof, host: Host, matrix: Matrix) -> Iterator[DeviationSeen]:
    """The host as a router between the networks of zones, which it is not unless it is declared so."""
    if host.name in matrix.routers:
        return
    for family in _families(host):
        if proof.around.forwarding.get(family) is False:
            continue
        if family in proof.around.routed:
            for crossing in _crossings(proof, matrix, family):
                yield from _crossing(proof, host, family, crossing)
            yield from _of_containers(proof, host, matrix, family)
        elif matrix.zones:
            yield _untold(host, family)


def _untold(host: Host, family: int) -> DeviationSeen:
    everybody = str(everywhere(family))
    return DeviationSeen(
        Endpoint(host.name, _first_address(host, family), 1), Drift.CANNOT_TELL, (1, HIGHEST_PORT), (everybody,),
        address(sample(EVERYWHERE[family]), family), "forward", "forward", (), (ROUTES_UNKNOWN,), everybody,
        ROUTES_UNKNOWN,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Crossing:
    """From `other` into `inside`, whose networks are `named`; `permitted` are targets by port, 0 for any port."""

    inside: Region
    other: Region
    named: tuple[Network, ...]
    permitted: Mapping[int, Region] = field(default_factory=dict)


def _crossings(proof: Proof, matrix: Matrix, family: int) -> Iterator[_Crossing]:
    """Zones that hold everybody are whatever is in no other zone."""
    outside = proof.outside(family)
    inner: list[tuple[int, int]] = []
    for _, nets in matrix.zones:
        own = tuple(net for net in nets if net.version == family)
        if own and all(net.prefixlen for net in own):
            zone = of_networks(own)
            inner += zone.pairs()
            yield _Crossing(zone & outside, outside - zone, own)
    if inner:
        zones = Region.of(inner)
        yield _Crossing(outside - zones, zones & outside, (everywhere(family),))


def everywhere(family: int) -> Network:
    return IPv4Network("0.0.0.0/0") if family == 4 else IPv6Network("::/0")


def _crossing(proof: Proof, host: Host, family: int, one: _Crossing) -> Iterator[DeviationSeen]:
    """Told by the first network of the target that lets something through; each class of targets is asked once."""
    told: set[tuple[str, int, int]] = set()
    for target in _targets(proof, one.inside, family):
        net = _named(target, one.named)
        teller = _Teller(
            proof, host, _first_address(host, family), "forward",
            lambda port, to=target: proof.through_packets(to, family, port),  # type: ignore[misc]  # bound now
            net, () if family in proof.around.forwarding else (FORWARDING_UNKNOWN,),
        )  # fmt: skip
        for deviation in teller.told(list(_passing(proof, family, target, one)), family):
            if (net, *deviation.ports) not in told:
                told.add((net, *deviation.ports))
                yield deviation


def _passing(proof: Proof, family: int, target: int, crossing: _Crossing) -> Iterator[Difference]:
    ports = {port for port, region in crossing.permitted.items() if target in region}
    if 0 in ports:
        return
    for one, admission in _admissions(proof.classes(ports), lambda port: proof.through(target, family, port)):
        if one.first not in ports:
            for drift, region in _differences(_perhaps(proof, admission, family), EMPTY, crossing.other):
                yield Difference(one.first, one.last, drift, region)


def _of_containers(proof: Proof, host: Host, matrix: Matrix, family: int) -> Iterator[DeviationSeen]:
    """Containers go where their host may go, and are reached by what is published, not by their own addresses."""
    inner = proof.inner.get(family, EMPTY)
    if not inner:
        return
    if kept := _kept_from(matrix, host, family) & proof.outside(family):
        named = tuple(net for name, nets in matrix.kept_from if name == host.name for net in nets)
        permitted = _permitted(matrix.out_of(host.name), family, "tcp")
        yield from _crossing(proof, host, family, _Crossing(kept, inner, named, permitted))
    own = tuple(networks(inner, family))
    doors = _published(proof, host, family)
    yield from _crossing(proof, host, family, _Crossing(inner, proof.outside(family), own, doors))


def _published(proof: Proof, host: Host, family: int) -> Mapping[int, Region]:
    """Addresses by port that translations lead to."""
    found: dict[int, list[tuple[int, int]]] = {}
    for one in proof.classes():
        for packet, _ in proof.inbound_packets(_first_address(host, family), one.first):
            for target in proof.paths.translations(packet):
                if target.address is not None:
                    pair = (target.address, target.address)
                    found.setdefault(one.first if target.port is None else target.port, []).append(pair)
    return {port: Region.of(pairs) for port, pairs in found.items()}


def _perhaps(proof: Proof, admission: Admission, family: int) -> Admission:
    """Where nobody read whether the host forwards at all, what is accepted may still go nowhere."""
    if family in proof.around.forwarding:
        return admission
    return Admission(EMPTY, admission.accepted | admission.undecided)


def _targets(proof: Proof, inside: Region, family: int) -> list[int]:
    """Addresses of it that rules or routes tell apart: one for each, up to a bound."""
    cuts = proof.paths.evaluator.destinations_told_apart(family)
    parts = [inside & region for _, region in proof.arrivals(family)]
    pieces: dict[int, None] = {}
    for part in parts:
        for region in [part, *(part & cut for cut in cuts), *(part - cut for cut in cuts)]:
            if region:
                pieces[sample(region)] = None
            if len(pieces) >= MOST_TARGETS:
                return list(pieces)
    return list(pieces)


def _named(target: int, nets: Sequence[Network]) -> str:
    return next((str(net) for net in nets if int(net[0]) <= target <= int(net[-1])), "")
