"""A rule in words, as nft or iptables would have an operator type it."""

from __future__ import annotations

import json
import re
import shlex

from gatepost.firewall.proving.ruleset import Chain, Rule
from gatepost.firewall.proving.values import Raw, element
from gatepost.model.rules import RuleRef

LONGEST = 160  # characters
MOST_VALUES = 8  # of a set
_BARE = re.compile(r"[\w!%+,./:=@\[\]-]+")


def reference(rule: Rule) -> RuleRef:
    family, table, chain = rule.chain
    return RuleRef(f"{family} {table}", chain, rule.handle, text(rule), _comment(rule))


def policy(chain: Chain) -> RuleRef:
    return RuleRef(f"{chain.key[0]} {chain.key[1]}", chain.key[2], None, f"policy {chain.policy}")


def text(rule: Rule) -> str:
    """The iptables line where the rule was written by iptables: only that is complete."""
    if rule.line:
        found = " ".join(word if _BARE.fullmatch(word) else shlex.quote(word) for word in rule.line)
    else:
        found = " ".join(filter(None, (_statement(part) for part in rule.body)))
    return found if len(found) <= LONGEST else found[: LONGEST - 1] + "…"


def _comment(rule: Rule) -> str:
    if rule.comment or "--comment" not in rule.line[:-1]:
        return rule.comment
    return rule.line[rule.line.index("--comment") + 1]


def _statement(part: Raw) -> str:
    if not isinstance(part, dict) or len(part) != 1:
        return _plain(part)
    ((kind, body),) = part.items()
    match kind, body:
        case "counter" | "comment", _:
            return ""
        case "match", {"left": left, "op": operator, "right": right}:
            sign = "" if operator in {"==", "in"} else f"{operator} "
            return f"{_left(left)} {sign}{_value(right)}"
        case "jump" | "goto", {"target": target}:
            return f"{kind} {target}"
        case "vmap", {"key": key, "data": data}:
            return f"{_left(key)} vmap {_value(data)}"
        case "xt", {"name": name}:
            return f"xt {name}"
        case "dnat", {"addr": address, **more}:
            return f"dnat to {_value(address)}" + (f":{_value(more['port'])}" if "port" in more else "")
        case "redirect", {"port": port}:
            return f"redirect to :{_value(port)}"
        case "mangle", {"key": key, "value": value}:
            return f"{_left(key)} set {_value(value)}"
        case "set", {"op": operator, "set": name}:
            return f"{operator} {name}"
        case "limit", {"rate": rate, "per": per, **more}:
            return f"limit rate {'over ' if more.get('inv') else ''}{rate}/{per}"
        case "reject" | "log" | "queue", _:
            return str(kind)
    return str(kind) if body is None or isinstance(body, (dict, list)) else f"{kind} {_plain(body)}"


def _left(expression: Raw) -> str:
    match expression:
        case {"payload": {"protocol": protocol, "field": name}}:
            return f"{protocol} {name}"
        case {"meta": {"key": key}}:
            return str(key) if key in {"iif", "iifname", "oif", "oifname"} else f"meta {key}"
        case {"ct": {"key": key, **more}}:
            return f"ct {more['dir']} {key}" if "dir" in more else f"ct {key}"
        case {"fib": {"result": result, "flags": flags}}:
            return f"fib {' . '.join(map(str, flags)) if isinstance(flags, list) else flags} {result}"
        case {"concat": [*several]}:
            return " . ".join(_left(one) for one in several)
        case {"&": [inner, mask]}:
            return f"{_left(inner)} & {_value(mask)}"
    return _plain(expression)


def _value(value: Raw) -> str:
    value = element(value)
    match value:
        case {"prefix": {"addr": address, "len": length}}:
            return f"{address}/{length}"
        case {"range": [first, last]}:
            return f"{_value(first)}-{_value(last)}"
        case {"concat": [*several]}:
            return " . ".join(_value(one) for one in several)
        case {"set": [*several]}:
            more = ", …" if len(several) > MOST_VALUES else ""
            return f"{{ {', '.join(_entry(one) for one in several[:MOST_VALUES])}{more} }}"
        case {"map": {"key": key, "data": data}}:
            return f"{_left(key)} map {_value(data)}"
        case [*several]:
            return ",".join(_value(one) for one in several)
    return _plain(value)


def _entry(entry: Raw) -> str:
    match entry:
        case [key, {**verdict}] if len(verdict) == 1:
            return f"{_value(key)} : {_statement(verdict)}"
        case [key, value]:
            return f"{_value(key)} : {_value(value)}"
    return _value(entry)


def _plain(value: Raw) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)[:LONGEST]
