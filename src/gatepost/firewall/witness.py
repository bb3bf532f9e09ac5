"""The firewall witness: from what was taken of a host to the facts its rules prove."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from gatepost import catalogue
from gatepost.firewall.proving import overlay, ruleset, surroundings
from gatepost.firewall.proving.bans import bans_seen
from gatepost.firewall.proving.classes import UNTOLD, PortClass, kind_of
from gatepost.firewall.proving.comparison import forward_deviations, input_deviations, output_deviations
from gatepost.firewall.proving.evaluation import TooMuchWork
from gatepost.firewall.proving.life import life_support
from gatepost.firewall.proving.matches import REVERSE_PATH
from gatepost.firewall.proving.proof import LEGACY, Proof, listed, sample
from gatepost.firewall.proving.regions import EMPTY, Region, address, of_networks
from gatepost.firewall.proving.ruleset import NoRuleset
from gatepost.model.architecture import Endpoint, Host
from gatepost.model.bundle import Bundle, Ran
from gatepost.model.flows import Matrix
from gatepost.model.observation import Observation, Unobserved
from gatepost.model.rules import AdmissionSeen, FirewallSeen
from gatepost.model.words import Reason

LIST = ("nft", "-j", "list", "ruleset")
SAVES = {4: ("iptables-save",), 6: ("ip6tables-save",)}
LEGACY_NAMES = {4: "/proc/net/ip_tables_names", 6: "/proc/net/ip6_tables_names"}
WANTED = "firewall"
MOST_LISTENING = 200  # ports
BLIND = (
    "XDP and tc programs, bridge filters",
    "filters before the host: cloud security groups, provider, router",
    "rules inside containers, access lists of the daemons",
)
SNAPSHOT = "sets that change by themselves hold what they held when they were read"
_LISTENING = re.compile(r"(?:\S+:|\*:)(\d{1,5})")


def facts(bundle: Bundle, host: Host, matrix: Matrix) -> tuple[Observation, ...]:
    """Everything the rules prove, or one Unobserved that says why they could not be read."""
    at = Endpoint(host.name)
    ran = bundle.command(*LIST)
    if ran is None or not ran.ok:
        return (_unread(at, ran),)
    try:
        proof = read(bundle)
        proof.inner = _containers(proof, matrix)
        told = (*_proved(bundle, host, matrix, proof),)
        return (_firewall(at, proof, host), *told)
    except NoRuleset as error:
        return (Unobserved(at, WANTED, Reason.GARBLED, str(error)),)
    except TooMuchWork as error:
        return (Unobserved(at, WANTED, Reason.BUDGET, str(error)),)
    except RecursionError:
        return (Unobserved(at, WANTED, Reason.GARBLED, "the rules are nested deeper than the kernel allows"),)


def read(bundle: Bundle) -> Proof:
    """Rules, iptables-save and surroundings of a bundle, joined. Raises NoRuleset."""
    ran = bundle.command(*LIST)
    if ran is None or not ran.ok:
        raise NoRuleset(_unread(Endpoint(bundle.host), ran).detail)
    rules = overlay.joined(ruleset.read(ran.stdout), {family: _save(bundle, family) for family in SAVES})
    return Proof.of(rules, surroundings.read(bundle), legacy=_legacy(bundle))


def _containers(proof: Proof, matrix: Matrix) -> dict[int, Region]:
    zones = [net for _, nets in matrix.zones for net in nets]
    sources = [net for flow in matrix.flows for net in flow.sources]
    found = {}
    for family in (4, 6):
        declared = of_networks(n for n in (*zones, *sources) if n.version == family and n.prefixlen)
        regions = proof.around.containers(family, declared).values()
        found[family] = Region.of(pair for region in regions for pair in region.pairs())
    return found


def _save(bundle: Bundle, family: int) -> str | None:
    ran = bundle.command(*SAVES[family])
    return ran.stdout if ran is not None and ran.ok else None


def _unread(at: Endpoint, ran: Ran | None) -> Unobserved:
    if ran is None:
        return Unobserved(at, WANTED, Reason.NOT_ASKED, "nft list ruleset was not run on the host")
    if ran.why:
        late = "no end within" in ran.why
        return Unobserved(at, WANTED, Reason.TIMEOUT if late else Reason.REFUSED, f"nft: {ran.why}"[:200])
    if ran.absent:
        return Unobserved(at, WANTED, Reason.REFUSED, "nft is not installed on the host")
    said = ran.stderr.strip().splitlines() or [f"nft ended with status {ran.code}"]
    return Unobserved(at, WANTED, Reason.REFUSED, f"nft list ruleset: {said[0]}"[:200])


def _legacy(bundle: Bundle) -> frozenset[int]:
    """Families with tables of the old iptables, which filter beside those of nft and are not seen by it."""
    found = set()
    for family, path in LEGACY_NAMES.items():
        taken = bundle.file(path)
        if (taken and taken.text and taken.text.strip()) or overlay.is_legacy(_save(bundle, family)):
            found.add(family)
    return frozenset(found)


def _firewall(at: Endpoint, proof: Proof, host: Host) -> FirewallSeen:
    rules = proof.rules
    assumed = [*proof.assumed, *proof.around.notes, *_elsewhere(proof, host)]
    if rules.volatile:
        assumed.append(SNAPSHOT)
    legacy = [f"IPv{family}: {LEGACY}" for family in sorted(proof.legacy)]
    return FirewallSeen(
        at,
        tuple(f"{family} {name}" for family, name in rules.tables),
        sum(1 for _ in rules.rules),
        rules.digest,
        rules.ours,
        tuple(dict.fromkeys(assumed)),
        (*legacy, *rules.notes, *BLIND),
        rules.volatile,
    )


def _elsewhere(proof: Proof, host: Host) -> Iterator[str]:
    """Declared addresses that the host itself does not have, as behind a cloud's translation."""
    for one in host.addresses:
        family = 6 if ":" in one else 4
        if proof.around.addresses_known and not proof.is_own(one):
            own = proof.around.only_address(family)
            taken = f"taken as its {address(own, family)}" if own is not None else "so rules on it cannot be read"
            yield f"{one} is not an address of the host: {taken}"
    if any(len(proof.arrivals(family)) > 1 for family in (4, 6)):
        yield REVERSE_PATH
    for family, region in proof.inner.items():
        for net in listed(region, family).prefixes[:4]:
            yield f"{net} is behind a bridge of the host and counts as the host itself: its containers"


def _proved(bundle: Bundle, host: Host, matrix: Matrix, proof: Proof) -> Iterator[Observation]:
    flows = matrix.to(host.name)
    ports = {flow.port for flow in flows} | {service.port for service in host.services} | set(listening(bundle))
    classes = proof.classes(ports)
    for one in host.addresses:
        for port in sorted(ports | set(_told_apart(classes))):
            yield _admission(proof, host, one, port)
    yield from input_deviations(proof, host, matrix)
    yield from output_deviations(proof, host, matrix)
    yield from forward_deviations(proof, host, matrix)
    yield from life_support(proof, host, matrix)
    yield from bans_seen(proof, host, flows)


def _told_apart(classes: Sequence[PortClass]) -> Iterator[int]:
    """Ports of the catalogue that some rule treats differently from the mass of ports."""
    for row in catalogue.ports():
        if "tcp" in row.transport and kind_of(classes, row.number) != UNTOLD:
            yield row.number


def listening(bundle: Bundle) -> list[int]:
    """TCP ports that something listens on, where `ss` was run."""
    found: dict[int, None] = {}
    for ran in bundle.commands("ss"):
        for line in ran.stdout.splitlines() if ran.ok else ():
            words = line.split()
            if "LISTEN" not in words[:2] or len(words) < 5:
                continue
            local = words[words.index("LISTEN") + 3]
            if (fitting := _LISTENING.fullmatch(local)) and 0 < int(fitting[1]) < 1 << 16:
                found[int(fitting[1])] = None
    return list(found)[:MOST_LISTENING]


def _admission(proof: Proof, host: Host, where: str, port: int) -> AdmissionSeen:
    family = 6 if ":" in where else 4
    admission = proof.inbound(where, port)
    outside = proof.outside(family)
    accepted, undecided = (proof.listed(region, family) for region in (admission.accepted, admission.undecided))
    region = (admission.accepted & outside) or (admission.undecided & outside) or outside or EMPTY
    trace = (
        proof.why(proof.inbound_packets(where, port), sample(region)) if region and family not in proof.legacy else None
    )
    doubtful = admission.undecided & outside
    why: tuple[str, ...] = (LEGACY,) if family in proof.legacy else ()
    if doubtful and not why:
        why = tuple(proof.why(proof.inbound_packets(where, port), sample(doubtful)).reasons)
    return AdmissionSeen(
        Endpoint(host.name, where, port),
        accepted.prefixes,
        undecided.prefixes,
        trace.path if trace else "input",
        tuple(trace.rules) if trace else (),
        why,
        accepted.holes,
        accepted.more,
    )
