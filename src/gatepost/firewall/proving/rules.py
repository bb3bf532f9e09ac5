"""Rules made ready for evaluation: conditions and an effect, each understood once and asked many times."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from gatepost.firewall.proving import xt
from gatepost.firewall.proving.effects import (
    ACCEPTS,
    DROPS,
    Chooses,
    Effect,
    Goes,
    Translates,
    either,
    lost,
    redirected,
    translated,
    verdict,
)
from gatepost.firewall.proving.matches import Condition, always, cannot_say, comparison, contains, never
from gatepost.firewall.proving.packets import field_of
from gatepost.firewall.proving.regions import Region
from gatepost.firewall.proving.ruleset import ChainKey, Rule, Ruleset
from gatepost.firewall.proving.tables import Keyed
from gatepost.firewall.proving.values import Raw, Unreadable, element, region_of_ports, shown

RATE = "connections come below the rate limits"
COUNT = "no source holds too many connections"
QUOTA = "no quota is used up"
_IGNORED = frozenset({"counter", "comment", "ct helper", "ct timeout", "ct expectation", "dup", "flow", "last", "log"})


@dataclass(slots=True)
class Ready:
    """A rule that can be asked. `effect` None: it only looks, and the next rule goes on.

    `reads` names what of the packet it depends on, `ports` the destination ports it can match at all.
    """

    rule: Rule
    conditions: list[Condition] = field(default_factory=list)
    effect: Effect | None = None
    untracks: bool = False
    doubts: list[str] = field(default_factory=list)  # may match or not, may end or not
    ports: Region | None = None
    told_apart: list[Region] = field(default_factory=list)  # sets of ports it treats differently
    wild: bool = False  # a statement nobody knows: it may do anything
    marks: bool = False
    zones: bool = False

    @property
    def idle(self) -> bool:
        return self.effect is None and not self.untracks

    @property
    def reads(self) -> frozenset[str]:
        found: frozenset[str] = frozenset().union(*(c.reads for c in self.conditions))
        if isinstance(self.effect, Chooses):
            return found | self.effect.table.reads
        return found | self.effect.reads if isinstance(self.effect, Translates) else found

    @property
    def targets(self) -> list[ChainKey]:
        """Chains it can go to."""
        if isinstance(self.effect, Chooses):
            return [one.chain for one in self.effect.table.values if isinstance(one, Goes)]
        return [self.effect.chain] if isinstance(self.effect, Goes) else []


def ready(rule: Rule, rules: Ruleset) -> Ready:
    """Never fails: what cannot be read is a doubt of the rule."""
    made = Ready(rule)
    for part in rule.body:
        try:
            _understand(part, made, rules)
        except Unreadable as error:
            made.doubts.append(str(error))
        except (AttributeError, IndexError, KeyError, TypeError, ValueError, OverflowError):
            made.doubts.append(f"statement {shown(part)}")
    _hidden(made)
    if made.wild:
        made.effect = lost(made.doubts[0])
    for condition in made.conditions:
        if condition.ports is not None:
            made.told_apart.append(condition.ports)
            made.ports = condition.ports if made.ports is None else made.ports & condition.ports
    if rule.line:
        made.told_apart += xt.ports_named(rule.line)
    return made


def _understand(part: Raw, made: Ready, rules: Ruleset) -> None:
    if isinstance(part, str):
        part = {part: None}
    if not isinstance(part, dict) or len(part) != 1:
        raise Unreadable(f"statement {shown(part)}")
    ((kind, body),) = part.items()
    if kind in _IGNORED or (kind == "xt" and made.rule.foreign):
        return  # xt parts are read together, at the end
    reader = _STATEMENTS.get(kind)
    if reader is None:
        made.wild = True
        raise Unreadable(f"statement {shown(kind)}")
    reader(body, made, rules)


def _match(body: Raw, made: Ready, rules: Ruleset) -> None:
    made.conditions.append(comparison(body, rules, made.rule.chain))
    _note_ports(body, made, rules)


def _note_ports(body: Raw, made: Ready, rules: Ruleset) -> None:
    """Ports inside concatenations and behind other names are told apart as well."""
    left = body["left"]
    if isinstance(left, dict) and isinstance(left.get("concat"), list):
        if (keyed := made.conditions[-1].keyed) is not None:
            made.told_apart += keyed.ports_told_apart()
    elif isinstance(left, dict) and isinstance(left.get("ct"), dict) and left["ct"].get("key") == "proto-dst":
        made.told_apart.append(_region(rules.values(body["right"], made.rule.chain)))


def _region(values: Raw) -> Region:
    return region_of_ports([element(value) for value in values])


def _verdict(kind: str) -> Callable[[Raw, Ready, Ruleset], None]:
    def read(body: Raw, made: Ready, _: Ruleset) -> None:
        made.effect = verdict({kind: body}, made.rule.chain)

    return read


def _reject(_: Raw, made: Ready, __: Ruleset) -> None:
    made.effect = DROPS


def _vmap(body: Raw, made: Ready, rules: Ruleset) -> None:
    try:
        entries = [(key, verdict(value, made.rule.chain)) for key, value in _entries(body["data"], made, rules)]
        chosen = Keyed(_fields(body["key"]), entries, contains)
        made.effect = Chooses(chosen)
        made.told_apart += chosen.ports_told_apart()
    except Unreadable as error:
        made.effect = either(f"verdict map: {error}")
        raise


def _fields(key: Raw) -> list[Raw]:
    listed = key["concat"] if isinstance(key, dict) and isinstance(key.get("concat"), list) else [key]
    return [field_of(one) for one in listed]


def _entries(data: Raw, made: Ready, rules: Ruleset) -> Iterator[tuple[Raw, Raw]]:
    for entry in rules.values(data, made.rule.chain):
        if not isinstance(entry, list) or len(entry) != 2:
            raise Unreadable(f"map entry {shown(entry)}")
        yield element(entry[0]), entry[1]


def _keyed(key: Raw, data: Raw, made: Ready, rules: Ruleset) -> Keyed[Raw]:
    return Keyed(_fields(key), list(_entries(data, made, rules)), contains)


def _dnat(body: Raw, made: Ready, rules: Ruleset) -> None:
    if not _of_this_family(body, made):
        return
    try:
        made.effect = translated(body, lambda key, data: _mapped(key, data, made, rules))
    except (Unreadable, AttributeError, KeyError, TypeError, ValueError):
        made.effect = lost("target of a dnat")


def _mapped(key: Raw, data: Raw, made: Ready, rules: Ruleset) -> Keyed[Raw]:
    keyed = _keyed(key, data, made, rules)
    made.told_apart += keyed.ports_told_apart()
    return keyed


def _redirect(body: Raw, made: Ready, _: Ruleset) -> None:
    if _of_this_family(body, made):
        try:
            made.effect = redirected(body)
        except Unreadable:
            made.effect = lost("target of a redirect")


def _source_nat(body: Raw, made: Ready, _: Ruleset) -> None:
    if _of_this_family(body, made):
        made.effect = ACCEPTS


def _of_this_family(body: Raw, made: Ready) -> bool:
    """`dnat ip to` in an inet table says nothing about IPv6, and takes no part in it."""
    family = body.get("family") if isinstance(body, dict) else None
    if family in {"ip", "ip6"}:
        made.conditions.append(
            comparison(
                {"left": {"meta": {"key": "nfproto"}}, "op": "==", "right": "ipv4" if family == "ip" else "ipv6"},
                Ruleset(), made.rule.chain,
            )
        )  # fmt: skip
    elif family is not None:
        raise Unreadable(f"family {shown(family)}")
    return True


def _limit(assumed: str) -> Callable[[Raw, Ready, Ruleset], None]:
    """Below the limit: `over` does not match, everything else does."""

    def read(body: Raw, made: Ready, rules: Ruleset) -> None:
        if isinstance(body, str):
            family, table, _ = made.rule.chain
            body = rules.limits.get((family, table, body))
        if not isinstance(body, dict):
            raise Unreadable("limit of that name")
        made.conditions.append(never(assumed) if body.get("inv") else always(assumed))

    return read


def _dynamic(body: Raw, made: Ready, rules: Ruleset) -> None:
    """`add @set { … limit rate over … }`: counts for each source."""
    inner = body.get("stmt") or []
    for one in inner if isinstance(inner, list) else [inner]:
        for kind, what in one.items():
            if kind in _LIMITS:
                _limit(_LIMITS[kind])(what, made, rules)


def _mangle(body: Raw, made: Ready, _: Ruleset) -> None:
    key = body["key"]
    ((kind, of),) = key.items()
    if kind in {"meta", "ct"} and of.get("key") == "mark":
        made.marks = True
    elif kind == "ct" and of.get("key") == "zone":
        made.zones = True
    elif kind == "payload" and of.get("field") in {"saddr", "daddr", "sport", "dport"} | {None}:
        made.effect = lost(f"{of.get('protocol', 'raw payload')} {of.get('field', '')} set")


def _notrack(_: Raw, made: Ready, __: Ruleset) -> None:
    made.untracks = True


def _stolen(_: Raw, made: Ready, __: Ruleset) -> None:
    made.effect = DROPS  # sent out on another device: it never gets here


def _delegates(kind: str) -> Callable[[Raw, Ready, Ruleset], None]:
    def read(_: Raw, made: Ready, __: Ruleset) -> None:
        made.effect = either(kind)

    return read


def _lost(_: Raw, made: Ready, __: Ruleset) -> None:
    made.effect = lost("tproxy")


def _hidden(made: Ready) -> None:
    """The xt parts, with what iptables-save tells about them."""
    rule = made.rule
    if not rule.foreign:
        return
    family = 6 if rule.chain[0] == "ip6" else 4
    hidden = [part["xt"] for part in rule.body if isinstance(part, dict) and "xt" in part]
    sorts = [(one.get("type"), str(one["name"])) for one in hidden if isinstance(one, dict) and "name" in one]
    named = [name for sort, name in sorts if sort == "match"]
    targets = [name for sort, name in sorts if sort == "target"]
    if len(named) + len(targets) < len(hidden):
        named, targets = _unnamed(made, named, targets)
    if rule.line:
        made.conditions += xt.conditions(rule.line, named, family)
    else:
        why = f" ({rule.unsaved})" if rule.unsaved else ""
        made.conditions += [cannot_say(f"xt {name}{why}") for name in dict.fromkeys(named) if name != "comment"]
    for name in targets:
        made.effect, untracks = xt.target(name, rule.line)
        made.untracks |= untracks
        made.marks |= name in xt.MARKING or (name == "CT" and not rule.line)


def _unnamed(made: Ready, named: list[str], targets: list[str]) -> tuple[list[str], list[str]]:
    """Older nft shows an xt part without its name: then all of the line is read."""
    if not made.rule.line:
        made.doubts.append("xt without a name")
        made.effect = made.effect or either("xt without a name")
        return named, targets
    options = list(xt.options(made.rule.line))
    modules = [option.module for option in options if option.module != "-j"]
    jumps = [option.value for option in options if option.name == "-j"]
    shows = made.effect is not None
    return list(dict.fromkeys([*named, *modules])), targets or ([] if shows else jumps)


_LIMITS = {"limit": RATE, "ct count": COUNT, "quota": QUOTA}
_STATEMENTS: dict[str, Callable[[Raw, Ready, Ruleset], None]] = {
    **{kind: _limit(assumed) for kind, assumed in _LIMITS.items()},
    **{kind: _verdict(kind) for kind in ("accept", "continue", "drop", "goto", "jump", "return")},
    "dnat": _dnat,
    "fwd": _stolen,
    "mangle": _mangle,
    "map": _dynamic,
    "masquerade": _source_nat,
    "match": _match,
    "meter": _dynamic,
    "notrack": _notrack,
    "queue": _delegates("queue"),
    "redirect": _redirect,
    "reject": _reject,
    "set": _dynamic,
    "snat": _source_nat,
    "synproxy": _delegates("synproxy"),
    "tproxy": _lost,
    "vmap": _vmap,
}
