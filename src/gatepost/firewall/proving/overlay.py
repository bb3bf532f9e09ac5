"""iptables-save laid over the JSON of nft: the parameters of `xt` parts, which nft does not print.

Both list the rules of a chain in the same order, so the n-th `-A` line is the n-th rule. Where that cannot be so
(another number of rules, another target) nothing is joined, and the rules say why they cannot be read.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace

from gatepost.firewall.proving.ruleset import Chain, Rule, Ruleset

_VERDICTS = {"ACCEPT": "accept", "DROP": "drop", "RETURN": "return"}
_FAMILIES = {4: "ip", 6: "ip6"}


def joined(rules: Ruleset, saves: Mapping[int, str | None]) -> Ruleset:
    """`saves` holds the output of iptables-save (4) and ip6tables-save (6); None where there is none."""
    chains = dict(rules.chains)
    for family, text in saves.items():
        lines = _lines(text) if text is not None else {}
        why = _unfit(text, family)
        for key, chain in rules.chains.items():
            if key[0] == _FAMILIES[family] and any(rule.foreign for rule in chain.rules):
                chains[key] = _joined(chain, lines.get(key[1:], []), why)
    return replace(rules, chains=chains)


def is_legacy(text: str | None) -> bool:
    """Written by the old iptables, whose tables nft does not know."""
    return bool(text and "(legacy)" in text.split("*", 1)[0])


def _unfit(text: str | None, family: int) -> str:
    program = "iptables-save" if family == 4 else "ip6tables-save"
    if text is None:
        return f"{program} was not there to tell"
    return f"{program} speaks of the legacy tables" if is_legacy(text) else ""


def _joined(chain: Chain, lines: list[list[str]], why: str) -> Chain:
    if not why and len(lines) != len(chain.rules):
        why = f"iptables-save has {len(lines)} rules where nft has {len(chain.rules)}"
    rules = (
        _with(rule, lines[n]) if not why else replace(rule, unsaved=why) if rule.foreign else rule
        for n, rule in enumerate(chain.rules)
    )
    return replace(chain, rules=tuple(rules))


def _with(rule: Rule, words: list[str]) -> Rule:
    if not _same(rule, words):
        return replace(rule, unsaved="iptables-save tells another rule in its place") if rule.foreign else rule
    return replace(rule, line=tuple(words))


def _same(rule: Rule, words: list[str]) -> bool:
    """The verdict agrees, where nft shows it."""
    target = _target(words)
    for part in rule.body:
        for kind, body in part.items() if isinstance(part, dict) else ():
            if kind in {"jump", "goto"}:
                return bool(isinstance(body, dict) and body.get("target") == target)
            if kind in _VERDICTS.values():
                return bool(kind == _VERDICTS.get(target))
    return True


def _target(words: list[str]) -> str:
    for flag in ("-j", "-g"):
        if flag in words[:-1]:
            return words[words.index(flag) + 1]
    return ""


def _lines(text: str) -> dict[tuple[str, str], list[list[str]]]:
    """By table and chain, without `-A CHAIN`. A line that cannot be split is kept, as one that says nothing."""
    found: dict[tuple[str, str], list[list[str]]] = {}
    table = ""
    for line in text.splitlines():
        if line.startswith("*"):
            table = line[1:].strip()
        elif line.startswith("-A "):
            words = _split(line)
            found.setdefault((table, words[1] if len(words) > 1 else ""), []).append(words[2:])
    return found


def _split(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:
        return line.split()[:2]
