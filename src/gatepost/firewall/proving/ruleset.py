"""The running rule set as `nft -j list ruleset` writes it, taken apart but not yet understood.

Only JSON is read: the text form silently leaves out what iptables-nft cannot translate. A rule is never dropped,
because one that is not understood may decide. One thing nft (1.0.6) lists in no form: a `meta protocol` that
contradicts the family of its table, by which such a rule never matches.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gatepost.firewall.proving.values import Raw, Unreadable, element
from gatepost.firewall.rendering.normal import digest as own_digest

OURS = ("inet", "gatepost")
MOST_RULES = 200_000
MOST_ELEMENTS = 2_000_000
PRIORITIES = {"raw": -300, "mangle": -150, "dstnat": -100, "filter": 0, "security": 50, "srcnat": 100}
_FLEETING = frozenset({"handle", "packets", "bytes", "used", "expires", "index", "counter", "last"})

ChainKey = tuple[str, str, str]  # family, table, name


class NoRuleset(Exception):
    """What was handed over is no rule set. `str()` of it says in one sentence why."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`line` are the words of the same rule in iptables-save; `unsaved` tells why there are none where they matter."""

    chain: ChainKey
    handle: int | None
    body: tuple[Raw, ...]
    comment: str = ""
    line: tuple[str, ...] = ()
    unsaved: str = ""

    @property
    def foreign(self) -> bool:
        """Has parts of iptables that nft cannot show."""
        return any(isinstance(part, dict) and "xt" in part for part in self.body)


@dataclass(frozen=True, slots=True)
class Chain:
    """`hook` is empty for a chain that rules jump to; `device` only for ingress, and not told by older nft."""

    key: ChainKey
    hook: str = ""
    kind: str = ""
    priority: int = 0
    policy: str = "accept"
    devices: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class Collection:
    """A named set or map. `volatile`: rules or clocks change it, so it is true for this moment only."""

    key: ChainKey
    elements: tuple[Raw, ...]
    volatile: bool


@dataclass(frozen=True, slots=True)
class Ruleset:
    tables: tuple[tuple[str, str], ...] = ()
    chains: Mapping[ChainKey, Chain] = field(default_factory=dict)
    collections: Mapping[ChainKey, Collection] = field(default_factory=dict)
    limits: Mapping[ChainKey, Raw] = field(default_factory=dict)  # named limits and quotas
    digest: str = ""
    ours: str = ""
    notes: tuple[str, ...] = ()

    @property
    def rules(self) -> Iterator[Rule]:
        return (rule for chain in self.chains.values() for rule in chain.rules)

    @property
    def volatile(self) -> bool:
        return any(one.volatile for one in self.collections.values())

    def based_on(self, hook: str, family: int) -> list[Chain]:
        """Base chains of a hook in the order the kernel runs them."""
        takes = {"netdev", "inet"} if hook == "ingress" else {"inet", "ip" if family == 4 else "ip6"}
        found = [c for c in self.chains.values() if c.hook == hook and c.key[0] in takes]
        return sorted(found, key=lambda chain: chain.priority)

    def values(self, reference: Raw, table: ChainKey) -> Sequence[Raw]:
        """Elements of an anonymous or a named set (`@name`), a list, or the one value itself."""
        if isinstance(reference, str) and reference.startswith("@"):
            found = self.collections.get((table[0], table[1], reference[1:]))
            if found is None:
                raise Unreadable(f"the set {reference} is not there")
            return found.elements
        listed = reference.get("set") if isinstance(reference, dict) else reference
        return list(listed) if isinstance(listed, list) else [reference]


def read(text: str) -> Ruleset:
    """Raises NoRuleset. An empty rule set is an answer: everything is open."""
    try:
        objects = [one for one in _objects(json.loads(text)) if "metainfo" not in one]
        return _sorted_out(objects)
    except ValueError as error:
        raise NoRuleset(f"what nft said is not JSON ({error})"[:200]) from None
    except RecursionError:
        raise NoRuleset("what nft said is nested deeper than any rule set") from None


def _objects(loaded: Raw) -> Iterator[dict[str, Raw]]:
    listed = loaded.get("nftables") if isinstance(loaded, dict) else None
    if not isinstance(listed, list):
        raise NoRuleset("what nft said holds no rule set: there is no list named nftables")
    for one in listed:
        if not isinstance(one, dict) or len(one) != 1:
            raise NoRuleset("what nft said holds something that is no object of a rule set")
        yield one


def digest(objects: Iterable[Mapping[str, Raw]]) -> str:
    """SHA-256 over rules, chains and sets without what changes by itself: counters, handles, elements that expire."""
    found = hashlib.sha256()
    for one in objects:
        for kind, body in one.items():
            if kind != "metainfo":
                lasting = body if not _is_volatile(body) else {k: v for k, v in body.items() if k != "elem"}
                found.update(json.dumps([kind, _lasting(lasting)], sort_keys=True).encode())
    return found.hexdigest()


def _lasting(value: Raw) -> Raw:
    if isinstance(value, dict):
        return {k: _lasting(v) for k, v in value.items() if k not in _FLEETING}
    if isinstance(value, list):
        return [_lasting(v) for v in value]
    return value


def _sorted_out(objects: Sequence[dict[str, Raw]]) -> Ruleset:
    tables: list[tuple[str, str]] = []
    chains: dict[ChainKey, Chain] = {}
    rules: dict[ChainKey, list[Rule]] = {}
    collections: dict[ChainKey, Collection] = {}
    limits: dict[ChainKey, Raw] = {}
    notes: list[str] = []
    for one in objects:
        ((kind, body),) = one.items()
        if not isinstance(body, dict):
            raise NoRuleset(f"what nft said holds a {kind} without a body"[:120])
        if kind == "table":
            tables.append((_word(body, "family"), _word(body, "name")))
        elif kind == "chain":
            chain = _chain(body)
            chains[chain.key] = chain
        elif kind == "rule":
            rule = _rule(body)
            rules.setdefault(rule.chain, []).append(rule)
        elif kind in {"set", "map", "meter"}:
            collection = _collection(body)
            collections[collection.key] = collection
        elif kind in {"limit", "quota"}:
            limits[_key(body)] = body
        elif kind == "flowtable":
            notes.append("a flowtable carries established connections past the forward chains")
    _check(rules, collections)
    whole = {key: _filled(chains.get(key, Chain(key)), rules.get(key, [])) for key in (*chains, *rules)}
    return Ruleset(
        tuple(dict.fromkeys(tables)), whole, collections, limits, digest(objects), own_digest({"nftables": objects}),
        tuple(dict.fromkeys(notes)),
    )  # fmt: skip


def _check(rules: Mapping[ChainKey, list[Rule]], collections: Mapping[ChainKey, Collection]) -> None:
    if (count := sum(map(len, rules.values()))) > MOST_RULES:
        raise NoRuleset(f"{count} rules are more than the {MOST_RULES} that are evaluated")
    if (count := sum(len(c.elements) for c in collections.values())) > MOST_ELEMENTS:
        raise NoRuleset(f"sets with {count} elements are more than the {MOST_ELEMENTS} that are evaluated")


def _filled(chain: Chain, rules: list[Rule]) -> Chain:
    return Chain(chain.key, chain.hook, chain.kind, chain.priority, chain.policy, chain.devices, tuple(rules))


def _chain(body: dict[str, Raw]) -> Chain:
    device = body.get("dev", body.get("devices", ()))
    return Chain(
        _key(body),
        str(body.get("hook", "")),
        str(body.get("type", "")),
        _priority(body.get("prio", 0)),
        str(body.get("policy", "accept")),
        (device,) if isinstance(device, str) else tuple(map(str, device)) if isinstance(device, list) else (),
    )


def _rule(body: dict[str, Raw]) -> Rule:
    written, handle = body.get("expr"), body.get("handle")
    return Rule(
        (_word(body, "family"), _word(body, "table"), _word(body, "chain")),
        handle if isinstance(handle, int) else None,
        tuple(written) if isinstance(written, list) else ({"unknown": "a rule without a body"},),
        str(body.get("comment") or ""),
    )


def _collection(body: dict[str, Raw]) -> Collection:
    listed = body.get("elem", [])
    return Collection(
        _key(body),
        tuple(listed) if isinstance(listed, list) else (listed,),
        _is_volatile(body) or any(_expires(one) for one in (listed if isinstance(listed, list) else ())),
    )


def _expires(one: Raw) -> bool:
    return isinstance(one, dict) and "elem" in one and element(one) is not one and "expires" in one["elem"]


def _is_volatile(body: Raw) -> bool:
    flags = body.get("flags", []) if isinstance(body, dict) else []
    return bool({"dynamic", "timeout"} & set(map(str, flags if isinstance(flags, list) else [flags])))


def _key(body: dict[str, Raw]) -> ChainKey:
    return _word(body, "family"), _word(body, "table"), _word(body, "name")


def _word(body: dict[str, Raw], name: str) -> str:
    word = body.get(name)
    if not isinstance(word, str):
        raise NoRuleset(f"what nft said holds an object without {name}")
    return word


def _priority(written: Raw) -> int:
    if isinstance(written, str):
        return PRIORITIES.get(written, 0)
    return written if isinstance(written, int) else 0
