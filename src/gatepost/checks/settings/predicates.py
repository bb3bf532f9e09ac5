"""The operators of the settings catalogue: a value and what it should be to holds, fails or cannot tell.

Nothing here raises for any text: a value was written by somebody, and may be anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase

from gatepost.catalogue.settings import Safe
from gatepost.catalogue.versions import numbers
from gatepost.checks.dialogue_seen import some
from gatepost.checks.settings import ciphers, declared
from gatepost.checks.settings.answer import HOLDS, Answer, cannot_tell, fails
from gatepost.checks.settings.endpoints import all_inside
from gatepost.checks.settings.named_files import file_exists, file_reference
from gatepost.checks.settings.networks import Trusted, within
from gatepost.checks.settings.restrictions import refuses_strangers
from gatepost.checks.settings.spots import Asked, shown
from gatepost.model.host import SettingSeen
from gatepost.model.words import Severity
from gatepost.servers.wordlists import plain, words

Operator = Callable[[SettingSeen, Safe, Asked], Answer]

_PROTOCOLS = ("SSLv2", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
_CODES = {"0200": "SSLv2", "0300": "SSLv3", "0301": "TLSv1", "0302": "TLSv1.1", "0303": "TLSv1.2", "0304": "TLSv1.3"}
_UNITS = {"": 1, "d": 86400, "day": 86400, "h": 3600, "hour": 3600, "m": 60, "min": 60, "minute": 60, "ms": 0.001,
          "msec": 0.001, "s": 1, "sec": 1, "second": 1, "w": 604800, "week": 604800}  # fmt: skip
_TIME = re.compile(r"(\d{1,12})\s*([a-z]*)")
_MOST_DIGITS = 12


def eq(seen: SettingSeen, safe: Safe, _asked: Asked) -> Answer:
    return HOLDS if _same(seen.value, safe.values[0]) else fails(f"it has to be {safe.values[0]}")


def ne(seen: SettingSeen, safe: Safe, _asked: Asked) -> Answer:
    return fails(f"it must not be {safe.values[0]}") if _same(seen.value, safe.values[0]) else HOLDS


def in_(seen: SettingSeen, safe: Safe, asked: Asked) -> Answer:
    value = seen.value.strip().lower()
    if any(fnmatchcase(value, one.lower()) for one in safe.values):
        return HOLDS
    if value in safe.private:
        return fails("strangers must be able to deliver without TLS (RFC 3207)") if asked.spot.public else HOLDS
    return fails(f"it has to be {_either([one for one in safe.values if '*' not in one])}")


def _either(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 else names[0]


def empty(seen: SettingSeen, _safe: Safe, _asked: Asked) -> Answer:
    return fails("it has to be empty") if seen.value.strip() else HOLDS


def not_empty(seen: SettingSeen, _safe: Safe, _asked: Asked) -> Answer:
    return HOLDS if seen.value.strip() else fails("it has to be set")


def not_set_in_main_cf(seen: SettingSeen, _safe: Safe, _asked: Asked) -> Answer:
    return HOLDS if seen.default else fails("it is set")


def int_between(seen: SettingSeen, safe: Safe, _asked: Asked) -> Answer:
    found = seen.value.strip()
    if not found.isascii() or not found.isdecimal() or len(found) > _MOST_DIGITS:
        return cannot_tell("it is no number")
    low, high = safe.low, safe.high
    if (low is None or int(found) >= low) and (high is None or int(found) <= high):
        return HOLDS
    return fails(f"it has to be {_span(low, high)}")


def _span(low: int | None, high: int | None) -> str:
    if low == high:
        return str(low)
    if low is None or high is None:
        return f"{low} or more" if high is None else f"{high} or less"
    return f"between {low} and {high}"


def seconds(seen: SettingSeen, safe: Safe, _asked: Asked) -> Answer:
    """`3600s`, `1h` (postconf(5)), `2 secs`, `1 hours` (Dovecot); without a unit seconds."""
    found = _TIME.fullmatch(seen.value.strip().lower())
    unit = _UNITS.get(found[2]) or _UNITS.get(found[2].removesuffix("s")) if found else None
    if found is None or unit is None:
        return cannot_tell("it is no time")
    took = int(found[1]) * unit
    if (safe.low is None or took >= safe.low) and (safe.high is None or took <= safe.high):
        return HOLDS
    return fails(f"it has to be {_span(safe.low, safe.high)} seconds")


def version_ge(seen: SettingSeen, safe: Safe, _asked: Asked) -> Answer:
    ours = numbers(seen.value.strip())
    if not ours:
        return cannot_tell("it is no version")
    return HOLDS if ours >= numbers(safe.values[0]) else fails(f"it has to be {safe.values[0]} or more")


def tls_min(seen: SettingSeen, safe: Safe, asked: Asked) -> Answer:
    floor = safe.values[0]
    admitted = _floor(seen.value) if asked.row.software == "dovecot" else _admitted(seen.value)
    if admitted is None:
        return cannot_tell("its protocols are not known here")
    below = [one for one in _PROTOCOLS[1 : _PROTOCOLS.index(floor)] if one in admitted]  # SSLv2 has left OpenSSL
    if below:
        return fails(f"lets {below[0]} in; {floor} has to be the oldest")
    return HOLDS if admitted else fails("admits no version of TLS at all")


def _floor(value: str) -> frozenset[str] | None:
    """Dovecot: the oldest that is admitted."""
    word = value.strip().upper()
    names = {one.upper(): n for n, one in enumerate(_PROTOCOLS)} | {"ANY": 0, "LATEST": len(_PROTOCOLS) - 1}
    return frozenset(_PROTOCOLS[names[word] :]) if word in names else None


def _admitted(value: str) -> frozenset[str] | None:
    """Postfix: names that are admitted, `!` names that are not, `>=` and `<=`; nothing written admits all."""
    left, named = set(_PROTOCOLS), set[str]()
    for word in re.split(r"[\s,:]+", value.strip()) if value.strip() else ():
        sign, name = _signed(word)
        if name is None:
            return None
        place = _PROTOCOLS.index(name)
        match sign:
            case "!":
                left.discard(name)
            case ">=":
                left -= set(_PROTOCOLS[:place])
            case "<=":
                left -= set(_PROTOCOLS[place + 1 :])
            case _:
                named.add(name)
    return frozenset(left & named if named else left)


def _signed(word: str) -> tuple[str, str | None]:
    sign = next((s for s in (">=", "<=", "!") if word.startswith(s)), "")
    name = word[len(sign) :]
    known = {one.lower(): one for one in (*_PROTOCOLS, *_CODES)} | {f"0x{code}": code for code in _CODES}
    found = known.get(name.lower())
    return sign, _CODES.get(found or "", found)


def include_all(seen: SettingSeen, safe: Safe, _asked: Asked) -> Answer:
    missing = [one for one in safe.values if one.lower() not in plain(seen.value)]
    return fails(f"{' and '.join(missing)} {_is(missing)} missing") if missing else HOLDS


def include_any(seen: SettingSeen, safe: Safe, _asked: Asked) -> Answer:
    found = plain(seen.value)
    return HOLDS if any(one.lower() in found for one in safe.values) else fails(f"{safe.values[0]} is missing")


def exclude(seen: SettingSeen, safe: Safe, _asked: Asked) -> Answer:
    found = [one for one in safe.values if one.lower() in _unsigned(seen.value)]
    return fails(f"{' and '.join(found)} {_is(found)} in it") if found else HOLDS


def _unsigned(value: str) -> frozenset[str]:
    """`+vnd.dovecot.pipe` adds to what is there already."""
    return frozenset(word.removeprefix("+") for word in plain(value))


def exclude_unless_used(seen: SettingSeen, safe: Safe, asked: Asked) -> Answer:
    """A word that is only dangerous where users get at it; nothing in a declaration asks for it."""
    answer = exclude(seen, safe, asked)
    if answer.holds or safe.users is None:
        return answer
    users = asked.seen(safe.users.setting)
    if users is None or users.default:
        return answer
    return HOLDS if exclude(users, safe.users, asked).holds else answer


def _is(found: list[str]) -> str:
    return "are" if len(found) > 1 else "is"


def contains_all(seen: SettingSeen, safe: Safe, _asked: Asked) -> Answer:
    missing = [one for one in safe.values if not any(piece in seen.value for piece in one.split("|"))]
    wanted = [one.partition("|")[0] for one in missing]
    return fails(f"{' and '.join(wanted)} {_is(wanted)} missing") if missing else HOLDS


def cipher_list(seen: SettingSeen, safe: Safe, _asked: Asked) -> Answer:
    return ciphers.excludes(seen.value, safe.values)


def restriction_list(seen: SettingSeen, safe: Safe, asked: Asked) -> Answer:
    """Where two lists decide one after the other, one that refuses keeps strangers out; it is no second line then."""
    first = refuses_strangers(seen.value, safe, lambda name: _text(asked, name))
    other = asked.seen(safe.or_setting) if safe.or_setting else None
    if first.holds or other is None or not other.value.strip():
        return first
    second = refuses_strangers(other.value, safe, lambda name: _text(asked, name))
    if second.holds and first.fails:
        return fails(f"{first.because}; {other.name} alone still refuses them", Severity.MEDIUM)
    return first if second.fails else second


def _text(asked: Asked, name: str) -> str | None:
    found = asked.seen(name)
    return found.value if found else None


def networks_within(seen: SettingSeen, safe: Safe, asked: Asked) -> Answer:
    word = safe.values[0]
    trusted = Trusted(
        key=declared.key(word),
        networks=(*declared.own(asked.case), *declared.networks(asked.case, word)),
        names=declared.hosts(asked.case, word),
        never=safe.never,
        known=asked.case.declared,
        computed=seen.default,
    )
    return within(seen.value, trusted)


def endpoints_within(seen: SettingSeen, safe: Safe, asked: Asked) -> Answer:
    word = next((one for one in safe.values if one.startswith("declared.")), "")
    allowed = (*declared.own(asked.case), *declared.networks(asked.case, word))
    names = declared.hosts(asked.case, word)
    return all_inside(seen.value, allowed, names, key=declared.key(word), known=asked.case.declared)


def empty_unless_declared(seen: SettingSeen, safe: Safe, asked: Asked) -> Answer:
    """What the declaration has no word for is never declared; a waiver is the way to say that it is meant."""
    if not seen.value.strip() or declared.listed(asked.case, safe.values[0]):
        return HOLDS
    key = declared.key(safe.values[0])
    if not asked.case.declared:
        return cannot_tell(f"no declaration says whether there are {key}")
    return fails(f"no {key} are declared")


def set_within(seen: SettingSeen, safe: Safe, asked: Asked) -> Answer:
    allowed = allowed_words(asked, safe)
    found = [word for word in words(seen.value) if word.lower().removeprefix("!") not in allowed]
    if not asked.case.declared and found:
        return cannot_tell(f"no declaration says whether {found[0]} is meant")
    unread = [word for word in found if ":" in word or word.startswith("/") or _everywhere(word, asked)]
    if outside := [word for word in found if word not in unread]:
        return fails(f"{some(map(shown, outside))} {_is(outside)} not declared")
    return cannot_tell(f"what {shown(unread[0])} stands for was not read") if unread else HOLDS


def allowed_words(asked: Asked, safe: Safe) -> frozenset[str]:
    """What the declaration has in this set, in the server's words."""
    return _SETS[safe.values[0]](asked)


def _everywhere(word: str, asked: Asked) -> bool:
    """A host that declares the port takes it on its addresses; whether it has others, nobody told."""
    host, listener = asked.case.host, asked.spot.listener
    return word.lower() == "all" and bool(host and listener and host.service(listener.port))


def _relay_domains(asked: Asked) -> frozenset[str]:
    """Mail for this host's own names is delivered, not relayed."""
    home = plain(_text(asked, "mydestination") or "")
    name = asked.case.at.host
    local = {"localhost", f"localhost.{name.partition('.')[2]}", f"localhost.{name}", name}
    return frozenset({*declared.relay_domains(asked.case), *home, *local})


def _protocols(asked: Asked) -> frozenset[str]:
    host = asked.case.host
    return declared.protocols(host) | {"none"} if host else frozenset({"lmtp", "none"})


def _addresses(asked: Asked) -> frozenset[str]:
    here = asked.case.host.addresses if asked.case.host else ()
    loopback = {"127.0.0.1", "::1", "[::1]", "localhost", "loopback-only"}
    return frozenset({*here, *(f"[{address}]" for address in here), *loopback, asked.case.at.host})


_SETS: Mapping[str, Callable[[Asked], frozenset[str]]] = {
    "declared.listen_addresses": _addresses,
    "declared.protocols": _protocols,
    "declared.relay_domains": _relay_domains,
}


def mode_max(seen: SettingSeen, safe: Safe, _asked: Asked) -> Answer:
    """Mode 0666 of auth-userdb means something else than it says: answers about the caller's own user only."""
    found = seen.value.strip()
    if _out_of_reach(seen.service) or (seen.service.endswith("/unix_listener auth-userdb") and found == "0666"):
        return HOLDS
    if not re.fullmatch(r"0?[0-7]{1,4}", found):
        return cannot_tell("it is no mode")
    more = int(found, 8) & ~int(safe.values[0], 8)
    return fails(f"no more than {safe.values[0]} is needed") if more else HOLDS


def _out_of_reach(service: str) -> bool:
    """Postfix lets nobody else into its private directory."""
    return "/private/" in service


def _same(value: str, wanted: str) -> bool:
    return value.strip().lower() == wanted.lower()


OPERATORS: Mapping[str, Operator] = {
    "contains_all": contains_all,
    "empty": empty,
    "empty_unless_declared": empty_unless_declared,
    "endpoints_within": endpoints_within,
    "eq": eq,
    "file_exists": file_exists,
    "file_reference": file_reference,
    "in": in_,
    "int_between": int_between,
    "int_ge": int_between,
    "mode_max": mode_max,
    "ne": ne,
    "networks_within": networks_within,
    "not_empty": not_empty,
    "not_set_in_main_cf": not_set_in_main_cf,
    "openssl_list_excludes": cipher_list,
    "restriction_list": restriction_list,
    "seconds_ge": seconds,
    "seconds_le": seconds,
    "set_within": set_within,
    "tls_min": tls_min,
    "tokens_exclude": exclude,
    "tokens_exclude_unless_declared": exclude_unless_used,
    "tokens_include_all": include_all,
    "tokens_include_any": include_any,
    "version_ge": version_ge,
}
