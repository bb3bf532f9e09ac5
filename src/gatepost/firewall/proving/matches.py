"""Conditions: for which addresses one comparison of a rule holds, and what prevents saying so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address

from gatepost.firewall.proving.packets import (
    DESTINATION,
    SOURCE,
    Absent,
    Field,
    Knowledge,
    Packet,
    Same,
    Split,
    Unknown,
    field_of,
)
from gatepost.firewall.proving.regions import EMPTY, EVERY_PORT, EVERYWHERE, HIGHEST_PORT, TOP, Region
from gatepost.firewall.proving.ruleset import ChainKey, Ruleset
from gatepost.firewall.proving.tables import Keyed
from gatepost.firewall.proving.values import (
    ANYTHING,
    ICMP_CODES,
    ICMP_TYPES,
    PROTOCOLS,
    Raw,
    Unreadable,
    addresses,
    bits,
    element,
    masked,
    number,
    number_in,
    ports,
    region_of_ports,
    shown,
)

Held = tuple[Region, str]  # where it holds, or may hold, and why that is not certain (empty: it is)
ORDERED = {"<", "<=", ">", ">="}
OPERATORS = ORDERED | {"==", "!=", "in", "!"}


@dataclass(frozen=True, slots=True)
class Condition:
    """`ports` are the destination ports for which it can hold at all, where it looks at nothing else.

    `sources` (never those of a `!=`) and `targets` are the addresses, with their family, where it names some; `named`
    is the set they are in.
    `assumes` is a sentence that its answer rests on: below the rate limit.
    """

    holds: Callable[[Packet, Knowledge], Held]
    reads: frozenset[str] = frozenset()
    ports: Region | None = None
    sources: tuple[int, Region] | None = None
    targets: tuple[int, Region] | None = None
    named: str = ""
    keyed: Keyed[bool] | None = None  # of a concatenation
    assumes: str = ""


def always(assumes: str = "") -> Condition:
    return Condition(lambda p, _k: (EVERYWHERE[p.family], ""), assumes=assumes)


def never(assumes: str = "") -> Condition:
    return Condition(lambda _p, _k: (EMPTY, ""), assumes=assumes)


def cannot_say(what: str) -> Condition:
    return Condition(lambda p, _k: (EVERYWHERE[p.family], what))


def opposite(condition: Condition) -> Condition:
    """`!` before an iptables match, which turns everything around, other families included."""

    def holds(packet: Packet, knowledge: Knowledge) -> Held:
        region, why = condition.holds(packet, knowledge)
        return (EVERYWHERE[packet.family], why) if why else (region.complement(TOP[packet.family]), "")

    turned = condition.ports.complement(HIGHEST_PORT) if condition.ports is not None else None
    return replace(condition, holds=holds, ports=turned)


def comparison(body: Raw, rules: Ruleset, table: ChainKey) -> Condition:
    """One `match` of nft. Raises Unreadable."""
    if not isinstance(body, dict) or not {"left", "op", "right"} <= body.keys():
        raise Unreadable(f"match {shown(body)}")
    left, operator, right = body["left"], body["op"], body["right"]
    if operator not in OPERATORS:
        raise Unreadable(f"operator {shown(operator)}")
    if isinstance(left, dict) and isinstance(left.get("concat"), list):
        return _concatenation([field_of(one) for one in left["concat"]], operator, rules.values(right, table))
    found = field_of(left)
    try:
        return _single(found, left, operator, right, rules.values(right, table))
    except Unreadable as error:
        return _in_doubt(found, str(error))


def _in_doubt(found: Field, what: str) -> Condition:
    """What cannot be read of an address still says nothing about the other family."""

    def holds(packet: Packet, _: Knowledge) -> Held:
        return (EMPTY, "") if found.family not in {0, packet.family} else (EVERYWHERE[packet.family], what)

    return Condition(holds)


def _single(found: Field, left: Raw, operator: str, right: Raw, written: Sequence[Raw]) -> Condition:
    if found.kind == "masked":
        pairs = [masked(left["&"][1], element(one), found.family) for one in written]
        inner = field_of(left["&"][0])
        return in_region(inner, Region.of(pair for pair in pairs if pair), turned=operator == "!=")
    values = [element(value) for value in written]
    if found.kind == "address":
        name = right[1:] if isinstance(right, str) and right.startswith("@") else ""
        return replace(_addressed(found, operator, values), named=name)
    if found.kind == "port":
        return _ported(found, operator, values)
    return _compared(found, operator, values, several=right is not values and _is_set(right))


def _is_set(right: Raw) -> bool:
    return (isinstance(right, dict) and "set" in right) or (isinstance(right, str) and right.startswith("@"))


def _addressed(found: Field, operator: str, values: Sequence[Raw]) -> Condition:
    pairs = [pair for pair in (addresses(value, found.family) for value in values) if pair]
    if operator in ORDERED:
        if len(pairs) != 1:
            raise Unreadable(f"{operator} with {len(pairs)} addresses")
        return in_region(found, _beyond(operator, *pairs[0], TOP[found.family]))
    if operator == "!":
        raise Unreadable("! before an address")
    return in_region(found, Region.of(pairs), turned=operator == "!=")


def _beyond(operator: str, low: int, high: int, top: int) -> Region:
    first, last = {"<": (0, low - 1), "<=": (0, high), ">": (high + 1, top), ">=": (low, top)}[operator]
    return Region((first,), (last,)) if first <= last else EMPTY


def in_region(found: Field, region: Region, *, turned: bool = False) -> Condition:
    """An address field against a set of addresses. The other family never matches, turned or not."""
    family = found.family
    wanted = region.complement(TOP[family]) if turned else region

    def holds(packet: Packet, knowledge: Knowledge) -> Held:
        if packet.family != family:
            return EMPTY, ""
        if packet.open == found.end:
            return wanted, ""
        match found.read(packet, knowledge):
            case Same(_, int() as value):
                return (EVERYWHERE[family] if value in wanted else EMPTY), ""
            case Unknown(what):
                # Nothing and everything are clear without knowing the address.
                return (wanted, "") if not wanted or wanted == EVERYWHERE[family] else (EVERYWHERE[family], what)
        return EVERYWHERE[family], "address"

    about = (family, wanted)
    if found.end == SOURCE:
        return Condition(holds, found.reads, sources=None if turned else about)
    return Condition(holds, found.reads, targets=about)


def _ported(found: Field, operator: str, values: Sequence[Raw]) -> Condition:
    if operator in ORDERED:
        pairs = [ports(value) for value in values]
        if len(pairs) != 1:
            raise Unreadable(f"{operator} with {len(pairs)} ports")
        return in_ports(found, _beyond(operator, *pairs[0], HIGHEST_PORT))
    if operator == "!":
        raise Unreadable("! before a port")
    region = region_of_ports(values)
    return in_ports(found, region.complement(HIGHEST_PORT) if operator == "!=" else region)


def in_ports(found: Field, region: Region) -> Condition:
    def holds(packet: Packet, knowledge: Knowledge) -> Held:
        match found.read(packet, knowledge):
            case Same(_, int() as value):
                return (EVERYWHERE[packet.family] if value in region else EMPTY), ""
            case Unknown(what):
                clear = not region or region == EVERY_PORT
                return (EVERYWHERE[packet.family] if region else EMPTY), ("" if clear else what)
        return EMPTY, ""

    return Condition(holds, found.reads, region)


def _compared(found: Field, operator: str, values: Sequence[Raw], *, several: bool) -> Condition:
    def holds(packet: Packet, knowledge: Knowledge) -> Held:
        reading = found.read(packet, knowledge)
        everywhere = EVERYWHERE[packet.family]
        try:
            match reading:
                case Unknown(what):
                    return everywhere, what
                case Absent():
                    return EMPTY, ""
                case Split(sorts):
                    return _split(sorts, operator, values, packet), ""
                case Same():
                    return (everywhere if _true(reading, operator, values, several=several) else EMPTY), ""
        except Unreadable as error:
            return everywhere, str(error)
        return everywhere, "open field"

    return Condition(holds, found.reads, assumes=REVERSE_PATH if found.kind == "way-back" else "")


REVERSE_PATH = "sources arrive on the interface that the route back to them uses"


def _split(sorts: tuple[tuple[str, Region], ...], operator: str, values: Sequence[Raw], packet: Packet) -> Region:
    region = EMPTY
    for word, where in sorts:
        if word in values:
            region |= where
    if operator not in {"==", "in", "!="}:
        raise Unreadable(f"operator {operator}")
    return region.complement(TOP[packet.family]) if operator == "!=" else region


def _true(reading: Same, operator: str, values: Sequence[Raw], *, several: bool) -> bool:
    if reading.kind == "flags" and isinstance(reading.value, int):
        return _flags(reading.value, operator, values, several=several)
    if operator in ORDERED:
        if reading.kind not in {"number", "code"} or len(values) != 1 or not isinstance(reading.value, int):
            raise Unreadable(f"{operator} with {shown(list(values))}")
        limit = number(values[0])
        return reading.value in _beyond(operator, limit, limit, 1 << 32)
    if operator == "!" and reading.kind not in {"word", "status"}:
        raise Unreadable("operator !")
    return any(contains(reading, value) for value in values) != (operator in {"!=", "!"})


def _flags(held: int, operator: str, values: Sequence[Raw], *, several: bool) -> bool:
    """`in`: any of them is set; `!`: none is; `==`: exactly these."""
    if operator in {"in", "!"}:
        return bool(held & bits(list(values))) != (operator == "!")
    if operator not in {"==", "!="}:
        raise Unreadable(f"{operator} with flags")
    wanted = [bits(one) for one in values] if several else [bits(list(values)) if len(values) != 1 else bits(values[0])]
    return (held in wanted) != (operator == "!=")


def contains(reading: Same, value: Raw) -> bool:
    """Whether a value on the right side holds what the packet has. Raises Unreadable."""
    kind, held = reading
    value = element(value)
    if kind == "address" and isinstance(held, int):
        return _holds_address(held, value)
    if kind == "port" and isinstance(held, int):
        low, high = ports(value)
        return low <= held <= high
    if kind in {"interface", "outside", "way-back"}:
        return _holds_interface(kind, str(held), value)
    if kind == "protocol":
        return number_in(value, PROTOCOLS[str(held)], PROTOCOLS)
    if isinstance(held, int):
        names = ICMP_TYPES[4] if kind == "icmp4" else ICMP_TYPES[6] if kind == "icmp6" else {}
        return number_in(value, held, ICMP_CODES if kind == "code" else names)
    return value in (held, ANYTHING) or (isinstance(value, list) and held in value)


def _holds_address(held: int, value: Raw) -> bool:
    for family in (4, 6):
        if pair := addresses(value, family):
            return pair[0] <= held <= pair[1]
    return False


def _holds_interface(kind: str, held: str, value: Raw) -> bool:
    """`outside` is an interface whose name is not known, only that it is not loopback."""
    if kind == "way-back" and isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise Unreadable(f"interface {shown(value)}")
    if value == ANYTHING:
        return True
    if kind == "outside" or (kind == "way-back" and not held):
        if value == "lo":
            return False
        raise Unreadable("input interface")
    return held.startswith(value[:-1]) if value.endswith("*") else held == value


def _concatenation(fields: Sequence[Field], operator: str, values: Sequence[Raw]) -> Condition:
    if operator not in {"==", "!=", "in"}:
        raise Unreadable(f"operator {operator} with a concatenation")
    keyed = Keyed(fields, [(element(value), True) for value in values], contains)

    def holds(packet: Packet, knowledge: Knowledge) -> Held:
        try:
            found, why = keyed.found(packet, knowledge)
        except Unreadable as error:
            return EVERYWHERE[packet.family], str(error)
        if found is None:
            return EMPTY, ""
        region = Region.of(pair for one, _ in found for pair in one.pairs())
        if operator == "!=":
            return (EVERYWHERE[packet.family], why) if why else (region.complement(TOP[packet.family]), "")
        return region, why

    return Condition(holds, keyed.reads, keyed=keyed)


def either_end(text: str, end: str) -> Condition:
    """An iptables range of addresses, `A-B`."""
    try:
        first, last = (ip_address(half) for half in text.split("-"))
    except ValueError:
        raise Unreadable(f"range {shown(text)}") from None
    family = first.version
    found = field_of({"payload": {"protocol": "ip" if family == 4 else "ip6", "field": end}})
    return in_region(found, Region.of([(int(first), int(last))]))


ENDS = {"src": SOURCE, "dst": DESTINATION}
