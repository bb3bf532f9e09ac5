"""The words of an iptables-save line: what its matches and targets mean.

A match that is not listed here is never skipped: its rule may or may not match.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from gatepost.firewall.proving.effects import DROPS, Effect, Ends, Target, dnat_option, either, fixed, lost
from gatepost.firewall.proving.fates import ACCEPT
from gatepost.firewall.proving.matches import (
    ENDS,
    REVERSE_PATH,
    Condition,
    Held,
    always,
    cannot_say,
    comparison,
    either_end,
    in_ports,
    never,
    opposite,
)
from gatepost.firewall.proving.packets import Knowledge, Packet, field_of
from gatepost.firewall.proving.regions import Region
from gatepost.firewall.proving.ruleset import ChainKey, Ruleset
from gatepost.firewall.proving.values import ICMP_TYPES, Raw, Unreadable, shown
from gatepost.firewall.proving.values import ports as port_pair


@dataclass(frozen=True, slots=True)
class Option:
    """`! --dports 25,465` behind `-m multiport`."""

    module: str
    name: str
    values: tuple[str, ...]
    turned: bool = False

    @property
    def value(self) -> str:
        return self.values[0] if self.values else ""


PASSING = frozenset({
    "AUDIT", "CHECKSUM", "CLASSIFY", "CONNMARK", "CONNSECMARK", "DSCP", "HL", "IDLETIMER", "LED", "LOG", "MARK",
    "NFLOG", "RATEEST", "SECMARK", "SET", "TCPMSS", "TCPOPTSTRIP", "TEE", "TOS", "TRACE", "TTL", "ULOG",
})  # fmt: skip
MARKING = frozenset({"CONNMARK", "MARK"})


def options(words: Sequence[str]) -> Iterator[Option]:
    """Of every `-m`, in order, and of the target (module `-j`)."""
    module, at, turned = "", 0, False
    while at < len(words):
        word = words[at]
        at += 1
        if word == "!":
            turned = True
            continue
        values: list[str] = []
        while at < len(words) and not (words[at].startswith("-") and len(words[at]) > 1) and words[at] != "!":
            values.append(words[at])
            at += 1
        if word == "-m":
            module = values[0] if values else ""
            yield Option(module, "", ())
        elif word in {"-j", "-g"}:
            module = "-j"
            yield Option(module, word, tuple(values))
        elif word.startswith("--") and module:
            yield Option(module, word, tuple(values), turned)
        turned = False


def conditions(line: Sequence[str], hidden: Sequence[str], family: int) -> Iterator[Condition]:
    """What the `-m` parts of a line ask. `hidden` are the matches that nft shows by name only.

    Those of other modules stand in the JSON as well, so they are not read a second time.
    """
    seen: dict[str, list[Option]] = {}
    for option in options(line):
        if option.module != "-j":
            seen.setdefault(option.module, []).append(option)
    for module in dict.fromkeys(hidden):
        known = _MODULES.get(module)
        given = [option for option in seen.get(module, ()) if option.name]
        if known is None or module not in seen:
            yield cannot_say(f"xt {module}")
        else:
            yield from known(given, family)


def target(name: str, line: Sequence[str]) -> tuple[Effect | None, bool]:
    """The effect of a target that nft shows by name only, and whether it takes the packet out of conntrack."""
    given = {option.name: option.value for option in options(line) if option.module == "-j"}
    if name in PASSING:
        return None, False
    if name in {"CT", "NOTRACK"}:
        return None, name == "NOTRACK" or "--notrack" in given
    if name == "REJECT":
        return DROPS, False
    if name in {"MASQUERADE", "SNAT"}:
        return Ends(ACCEPT), False
    if name == "DNAT":
        found = dnat_option(given["--to-destination"]) if "--to-destination" in given else None
        return fixed(found), False
    if name == "REDIRECT":
        return (_redirect(given.get("--to-ports")) if line else lost("xt REDIRECT")), False
    if name in {"NETMAP", "TPROXY"}:
        return lost(f"xt {name}"), False
    return either(f"xt {shown(name)}"), False


def _redirect(port: str | None) -> Effect:
    try:
        low, high = port_pair(port) if port is not None else (None, None)
    except Unreadable:
        low, high = 0, 1
    return fixed(Target("redirect", None, low)) if low == high else lost(f"redirect to {shown(port)}")


def ports_named(line: Sequence[str]) -> Iterator[Region]:
    """Destination ports that the line tells apart."""
    for option in options(line):
        if option.name in {"--dport", "--dports", "--ports", "--destination-ports", "--ctorigdstport"}:
            try:
                yield _ports(option.value)
            except Unreadable:
                continue


def _ports(text: str) -> Region:
    return Region.of(_pair(one) for one in text.split(","))


def _pair(text: str) -> tuple[int, int]:
    low, colon, high = text.partition(":")
    return port_pair({"range": [low or 0, high or 65535]}) if colon else port_pair(text)


def _turned(option: Option, condition: Condition) -> Condition:
    return opposite(condition) if option.turned else condition


def _match(left: Raw, right: Raw, operator: str = "==") -> Condition:
    return comparison({"left": left, "op": operator, "right": right}, _NO_SETS, _NO_CHAIN)


def _each(
    ask: Callable[[Option, int], Condition | None],
) -> Callable[[Sequence[Option], int], Iterator[Condition]]:
    """A module whose options are asked one by one. One that cannot be read leaves the rule open."""

    def conditions(given: Sequence[Option], family: int) -> Iterator[Condition]:
        for option in given:
            try:
                found = ask(option, family)
            except Unreadable as error:
                found = cannot_say(f"xt {option.module} {error}")
            if found is not None:
                yield _turned(option, found)

    return conditions


def _conntrack(option: Option, family: int) -> Condition:
    ip = "ip" if family == 4 else "ip6"
    match option.name:
        case "--ctstate" | "--state":
            words = [word.lower() for word in option.value.split(",")]
            return _connection(words)
        case "--ctdir":
            return _match({"ct": {"key": "direction"}}, option.value.lower())
        case "--ctorigdst":
            return _match({"ct": {"key": f"{ip} daddr", "dir": "original"}}, option.value)
        case "--ctorigsrc":
            return _match({"ct": {"key": f"{ip} saddr", "dir": "original"}}, option.value)
        case "--ctorigdstport":
            return _match({"ct": {"key": "proto-dst", "dir": "original"}}, {"set": _ranges(option.value)})
    return cannot_say(f"xt conntrack {option.name}")


def _connection(words: Sequence[str]) -> Condition:
    """For iptables a translation is among the states of a connection: DNAT, SNAT."""
    states = [word for word in words if word not in {"dnat", "snat"}]
    if len(states) == len(words):
        return _match({"ct": {"key": "state"}}, {"set": states})
    if words == ["dnat"]:
        return _match({"ct": {"key": "status"}}, "dnat", "in")
    return cannot_say(f"xt conntrack --ctstate {','.join(words)}")


def _ranges(text: str) -> list[Raw]:
    pairs = [_pair(one) for one in text.split(",")]
    return [{"range": [low, high]} for low, high in pairs]


def _multiport(option: Option, _: int) -> Condition:
    if option.name in {"--dports", "--destination-ports"}:
        return in_ports(_DPORT, _ports(option.value))
    if option.name == "--ports":
        return _either_port(_ports(option.value))
    return cannot_say("source port")


def _either_port(region: Region) -> Condition:
    """Source or destination: only what the destination alone settles is certain."""
    plain = in_ports(_DPORT, region)

    def holds(packet: Packet, knowledge: Knowledge) -> Held:
        found, why = plain.holds(packet, knowledge)
        return (found, why) if found else cannot_say("source port").holds(packet, knowledge)

    return Condition(holds, plain.reads)


def _addrtype(option: Option, _: int) -> Condition | None:
    kinds = [word.lower() for word in option.value.split(",")]
    if option.name in {"--dst-type", "--src-type"}:
        end = "daddr" if option.name == "--dst-type" else "saddr"
        return _match({"fib": {"result": "type", "flags": [end]}}, {"set": kinds})
    return cannot_say(f"xt addrtype {option.name}")


def _iprange(option: Option, _: int) -> Condition:
    found = ENDS.get(option.name.removeprefix("--").removesuffix("-range"))
    return either_end(option.value, found) if found else cannot_say(f"xt iprange {option.name}")


def _recent(given: Sequence[Option], _: int) -> Iterator[Condition]:
    """`--set` only remembers; the others ask how often the source came lately."""
    for option in given:
        if option.name in {"--rcheck", "--update", "--remove"}:
            yield _turned(option, never("no source has come too often lately (recent)"))


def _hashlimit(given: Sequence[Option], _: int) -> Iterator[Condition]:
    for option in given:
        if option.name in {"--hashlimit-above", "--hashlimit-upto", "--hashlimit"}:
            within = (option.name != "--hashlimit-above") != option.turned
            yield always(_RATE) if within else never(_RATE)


def _connlimit(given: Sequence[Option], _: int) -> Iterator[Condition]:
    for option in given:
        if option.name in {"--connlimit-above", "--connlimit-upto"}:
            within = (option.name == "--connlimit-upto") != option.turned
            yield always(_COUNT) if within else never(_COUNT)


def _mark(option: Option, _: int) -> Condition:
    key: Raw = {"ct": {"key": "mark"}} if option.module == "connmark" else {"meta": {"key": "mark"}}
    value, _slash, mask = option.value.partition("/")
    return _match({"&": [key, mask or "0xffffffff"]}, value)


def _transport(option: Option, _: int) -> Condition | None:
    if option.name == "--dport":
        return in_ports(_DPORT, _ports(option.value))
    if option.name == "--tcp-flags" and len(option.values) == 2:
        mask, wanted = (_flags(text) for text in option.values)
        return _match({"&": [_FLAGS, mask]}, wanted)
    if option.name == "--syn":
        return _match({"&": [_FLAGS, _flags("FIN,SYN,RST,ACK")]}, _flags("SYN"))
    return cannot_say(f"xt {option.module} {option.name}")


def _flags(text: str) -> int:
    named = {"ALL": 63, "NONE": 0, "FIN": 1, "SYN": 2, "RST": 4, "PSH": 8, "ACK": 16, "URG": 32}
    try:
        return sum({named[word] for word in text.split(",")})
    except KeyError:
        raise Unreadable(f"flags {shown(text)}") from None


def _icmp(option: Option, family: int) -> Condition:
    protocol = "icmp" if family == 4 else "icmpv6"
    kind, slash, code = option.value.partition("/")
    if option.name not in {"--icmp-type", "--icmpv6-type"}:
        return cannot_say(f"xt {option.module} {option.name}")
    if kind == "any":
        return _match({"meta": {"key": "l4proto"}}, protocol)
    wanted: Raw = int(kind) if kind.isdigit() else kind
    if isinstance(wanted, str) and wanted not in ICMP_TYPES[family]:
        return cannot_say(f"xt {option.module} {shown(kind)}")
    first = _match({"payload": {"protocol": protocol, "field": "type"}}, wanted)
    return _both(first, _match({"payload": {"protocol": protocol, "field": "code"}}, code)) if slash else first


def _both(one: Condition, other: Condition) -> Condition:
    def holds(packet: Packet, knowledge: Knowledge) -> Held:
        (a, why), (b, more) = one.holds(packet, knowledge), other.holds(packet, knowledge)
        return a & b, why or more

    return Condition(holds, one.reads | other.reads)


def _hops(option: Option, family: int) -> Condition:
    operator = {"eq": "==", "lt": "<", "gt": ">"}.get(option.name.rpartition("-")[2], "")
    if not operator or not option.value.isdigit():
        return cannot_say(f"xt {option.module} {option.name}")
    field = {"protocol": "ip", "field": "ttl"} if family == 4 else {"protocol": "ip6", "field": "hoplimit"}
    return _match({"payload": field}, int(option.value), operator)


def _pkttype(option: Option, _: int) -> Condition:
    word = "host" if option.value == "unicast" else option.value
    return _match({"meta": {"key": "pkttype"}}, word)


def _rpfilter(given: Sequence[Option], _: int) -> Iterator[Condition]:
    turned = any(option.name == "--invert" for option in given)
    yield never(REVERSE_PATH) if turned else always(REVERSE_PATH)


def _nothing(_: Sequence[Option], __: int) -> Iterator[Condition]:
    return iter(())


_RATE = "connections come below the rate limits"
_COUNT = "no source holds too many connections"
_NO_SETS = Ruleset()
_NO_CHAIN: ChainKey = ("ip", "", "")
_DPORT = field_of({"payload": {"protocol": "th", "field": "dport"}})
_FLAGS: Raw = {"payload": {"protocol": "tcp", "field": "flags"}}
_MODULES: dict[str, Callable[[Sequence[Option], int], Iterator[Condition]]] = {
    "addrtype": _each(_addrtype),
    "comment": _nothing,
    "connlimit": _connlimit,
    "connmark": _each(_mark),
    "conntrack": _each(_conntrack),
    "hashlimit": _hashlimit,
    "hl": _each(_hops),
    "icmp": _each(_icmp),
    "icmp6": _each(_icmp),
    "iprange": _each(_iprange),
    "limit": lambda _given, _family: iter((always(_RATE),)),
    "mark": _each(_mark),
    "multiport": _each(_multiport),
    "pkttype": _each(_pkttype),
    "recent": _recent,
    "rpfilter": _rpfilter,
    "rt": lambda _given, _family: iter((never(),)),  # a routing header: the packet has none
    "state": _each(_conntrack),
    "tcp": _each(_transport),
    "ttl": _each(_hops),
    "udp": _each(_transport),
}
