"""Who is admitted, and how rules differ from the declaration, in an operator's words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from ipaddress import ip_network

from gatepost import catalogue
from gatepost.firewall.matrix import management_ports
from gatepost.firewall.spans import Spans, minus, prefixes, spans
from gatepost.model.architecture import Architecture, Endpoint, Service, Zone
from gatepost.model.flows import Network
from gatepost.model.rules import AdmissionSeen, DeviationSeen, Drift, RuleRef

EVERYBODY = "everybody"
NOBODY = "nobody"
_PUBLIC = {4: (1 << 24, (224 << 24) - 1), 6: (1 << 125, (1 << 126) - 1)}  # where strangers are
_INNER = ("127.0.0.0/8", "169.254.0.0/16", "::1/128", "fe80::/10")  # of the host itself and its links
_MOST = 2  # prefixes that are written out


def parties(admitted: Sequence[str], zones: Iterable[Zone], family: int) -> tuple[str, ...]:
    """Zones that get in whole, then the prefixes of whoever else does, the widest first; `everybody` for strangers too.

    A few banned addresses do not make everybody less.
    """
    held = _spans(admitted, family)
    if not held:
        return ()
    if _strangers(held, family):
        return (EVERYBODY,)
    inside = [z for z in zones if (own := _of(z, family)) and not _strangers(own, family) and not minus(own, held)]
    known = spans([*(n for z in inside for n in z.networks if n.version == family), *_inner(family)])
    others = sorted(prefixes(minus(held, known), family), key=lambda n: n.prefixlen)
    return (*(z.name for z in inside), *map(_short, others))


def admitted(one: AdmissionSeen, zones: Iterable[Zone]) -> tuple[str, ...]:
    return parties(one.accepted, zones, one.at.family)


def joined(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return f"{', '.join(names[:-1])} and {names[-1]}" if names[1:] else "".join(names)


def listed(names: Sequence[str], most: int = _MOST + 1) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}" or NOBODY


def undecided(one: AdmissionSeen) -> bool:
    """Of anybody but the host itself and its links."""
    return bool(parties(one.undecided, (), one.at.family))


def told(one: DeviationSeen, architecture: Architecture, port: int = 0) -> str:
    """One line: the rule, what it does, and what the declaration says with its line.

    With a port it is about that one, although the rule lets a whole range through.
    """
    if port and one.ports[0] <= port <= one.ports[1]:
        one = replace(one, at=replace(one.at, port=port), ports=(port, port))
    intent = _intent(one, architecture)
    if one.drift is Drift.CANNOT_TELL:
        return f"cannot tell {_doing(one, architecture)}: {_reason(one.reasons)}"
    if one.drift is Drift.CLOSED:
        by = f"{cause} keeps" if (cause := _rule(one.rules)) else "the rules keep"
        return f"{by} {_kept(one, architecture)}{intent}"
    if one.because and one.direction == "input" and one.path.startswith("forward"):
        return f"{one.because}{intent}"  # who published it past whose rules
    return f"{_rule(one.rules) or 'no rule'} {_lets(one, architecture)}{intent}"


def _lets(one: DeviationSeen, architecture: Architecture) -> str:
    """`inet filter input rule 12 accepts 110 from everybody`; `no rule keeps everybody from 110`."""
    what, who = span(one), _who(one, architecture)
    bare = not one.rules
    if one.direction == "output":
        return f"{'keeps it from' if bare else 'lets it connect to'} {where(one, architecture)} on {what}"
    if one.direction == "forward":
        verb, way = ("keeps", "from") if bare else ("lets", "through to")
        return f"{verb} {who} {way} {where(one, architecture)} on {what}"
    return f"keeps {who} from {what}" if bare else f"accepts {what} from {who}"


def _kept(one: DeviationSeen, architecture: Architecture) -> str:
    if one.direction == "output":
        return f"it from {where(one, architecture)} on {span(one)}"
    return f"{_who(one, architecture)} from {span(one)}"


def _doing(one: DeviationSeen, architecture: Architecture) -> str:
    if one.direction == "output":
        return f"whether it may connect to {where(one, architecture)} on {span(one)}"
    if one.direction == "forward":
        return f"whether {_who(one, architecture)} gets through it to {where(one, architecture)}"
    return f"who gets to {span(one)}"


def where(one: DeviationSeen, architecture: Architecture) -> str:
    """Where a host connects or forwards to."""
    return listed(targets(one, architecture)) if one.target else "others"


def targets(one: DeviationSeen, architecture: Architecture) -> tuple[str, ...]:
    """Zones, or networks as the witness wrote them. Of the way out, `sources` are where it leads."""
    written = one.sources if one.direction == "output" else tuple(one.target.split(", "))
    try:
        found = parties(written, architecture.zones, 6 if ":" in one.witness else 4)
    except ValueError:
        return (one.target,)
    if found == (EVERYBODY,):
        return ("anywhere",)
    return tuple(dict.fromkeys(_home(name, architecture) for name in found))


def _home(name: str, architecture: Architecture) -> str:
    """The zone of an address that stands for it."""
    try:
        one = ip_network(name)
    except ValueError:
        return name
    around = [(n.prefixlen, z.name) for z in architecture.zones for n in z.networks if _inside(one, n) and n.prefixlen]
    return max(around, default=(0, name))[1]


def _inside(one: Network, other: Network) -> bool:
    return other.version == one.version and one.network_address in other and one.prefixlen >= other.prefixlen


def allowed(found: Sequence[DeviationSeen]) -> str:
    """`inet filter forward rule 3 allows it`, `no rule forbids it`."""
    rule = next((_rule(one.rules) for one in found if one.rules), "")
    return f"{rule} allows it" if rule else "no rule forbids it"


def _who(one: DeviationSeen, architecture: Architecture) -> str:
    family = 6 if ":" in one.witness else 4
    found = parties(one.sources, architecture.zones, family)
    if found == (EVERYBODY,) and _limited(_service(one, architecture)):
        return "everybody else"
    return listed(found) if found else one.witness


def sources(one: DeviationSeen, architecture: Architecture) -> tuple[str, ...]:
    return parties(one.sources, architecture.zones, 6 if ":" in one.witness else 4)


def _intent(one: DeviationSeen, architecture: Architecture) -> str:
    if one.direction != "input":
        return ""
    service, host = _service(one, architecture), architecture.host(one.at.host)
    if service is None and host and one.ports[0] == one.ports[1] and one.at.port in management_ports(host):
        return f"; {meant(one.at, architecture)}" if host.management else ""
    if service is None:
        return "; nothing is declared there" if one.drift is Drift.WIDER else ""
    found = meant(one.at, architecture)
    return f"; {found if one.drift is Drift.WIDER else found.replace(' only', '', 1)}"


def meant(at: Endpoint, architecture: Architecture) -> str:
    """`declared for office only (gatepost.toml:14)`: what the declaration says of one port."""
    host = architecture.host(at.host)
    service = host.service(at.port) if host else None
    if service is not None:
        only = " only" if _limited(service) else ""
        return f"declared for {audience(service)}{only}{_line(architecture, service.line)}"
    if host is not None and at.port in management_ports(host):
        return f"meant for {listed(host.management or (EVERYBODY,))} only{_line(architecture, host.line)}"
    return "nothing is declared there"


def audience(service: Service) -> str:
    """Whom a service is declared for."""
    if service.sources:
        return listed(service.sources)
    return {"internal": "the mail hosts", "internet": EVERYBODY, "clients": EVERYBODY}.get(service.exposure, NOBODY)


def _limited(service: Service | None) -> bool:
    return service is not None and audience(service) != EVERYBODY


def _service(one: DeviationSeen, architecture: Architecture) -> Service | None:
    host = architecture.host(one.at.host)
    same = host is not None and one.direction == "input" and one.ports[0] == one.ports[1]
    return host.service(one.ports[0]) if host and same else None


def span(one: DeviationSeen) -> str:
    """`110 (pop3)`, `1-24`, `all ports`."""
    first, last = one.ports
    if first == last:
        row = catalogue.port_numbered(first)
        return f"{first} ({row.id})" if row else str(first)
    return "all ports" if first <= 1 and last == (1 << 16) - 1 else f"{first}-{last}"


def _rule(rules: Sequence[RuleRef]) -> str:
    """The one that decides."""
    return str(rules[-1]) if rules else ""


def _reason(reasons: Sequence[str]) -> str:
    return reasons[0] if reasons else "the rules were not understood"


def _line(architecture: Architecture, line: int | None) -> str:
    return f" ({architecture.source}:{line})" if line and architecture.source else ""


def _spans(written: Iterable[str], family: int) -> Spans:
    return spans(n for text in written if (n := ip_network(text, strict=False)).version == family)


def _of(zone: Zone, family: int) -> Spans:
    return spans(n for n in zone.networks if n.version == family)


def _inner(family: int) -> list[Network]:
    return [n for text in _INNER if (n := ip_network(text)).version == family]


def _strangers(held: Spans, family: int) -> bool:
    """Nine of ten public addresses get in."""
    low, high = _PUBLIC[family]
    inside = sum(max(0, min(b, high) - max(a, low) + 1) for a, b in held)
    return inside * 10 >= (high - low + 1) * 9


def _short(network: Network) -> str:
    return str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network)
