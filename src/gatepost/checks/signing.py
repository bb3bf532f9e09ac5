"""DKIM: keys there, strong and young enough, and mail signed with them (GP-DNSID-003 to 005)."""

from __future__ import annotations

from datetime import timedelta

from gatepost.checks.case import Case, Scope, check, failed, not_applicable, passed, unknown
from gatepost.checks.dialogue_seen import some
from gatepost.checks.domain_seen import (
    PARKED,
    declared,
    first,
    not_seen,
    remembered,
    sends,
    since,
    told,
    watched_since,
)
from gatepost.model.architecture import Selector
from gatepost.model.dns import Presence
from gatepost.model.domain import DkimKeySeen, DmarcSeen, MxSeen, SourceSeen, SpfSeen
from gatepost.model.finding import Verdict
from gatepost.model.observation import Unobserved, of
from gatepost.model.words import Severity

LONGEST_LIFE = timedelta(days=366)
FLOOR, STRONG = 1024, 2048  # bits of RSA: below the floor nobody may verify (RFC 8301 section 3.2)
SIGNED = 0.98  # of an own stream; the rest is what forwarders and mailing lists break
WEIGHTY = 10  # messages; fewer say nothing about a stream
UNDECLARED = "no selector is declared (domains: dkim)"


def _keys(case: Case) -> list[DkimKeySeen]:
    return [k for k in of(DkimKeySeen, case.seen, case.at) if k.presence is Presence.PRESENT]


def _alive(case: Case) -> list[DkimKeySeen]:
    return [k for k in _keys(case) if k.fingerprint and not k.revoked]


def _selectors(case: Case) -> tuple[Selector, ...]:
    meant = declared(case)
    return meant.dkim if meant else ()


def _retired(case: Case, one: Selector) -> bool:
    return one.until is not None and one.until < case.now.date()


def _nothing(case: Case) -> Verdict:
    """Why there is no key to judge. Selectors cannot be listed, so none found proves nothing."""
    lost = not_seen(case, "dkim")
    if lost.evidence:
        return lost
    asked = _keys(case) or told(SpfSeen, case) or told(DmarcSeen, case) or told(MxSeen, case)
    return unknown(f"no key under a common selector, and {UNDECLARED}") if asked else lost


@check("GP-DNSID-003", scope=Scope.DOMAIN)
def selectors_published(case: Case) -> Verdict:
    """Every declared selector has a key that verifiers can use."""
    if sends(case) is False:
        return not_applicable(PARKED)
    wanted = [s.name for s in _selectors(case) if not _retired(case, s)]
    if not wanted:
        return unknown(UNDECLARED, *_alive(case)) if _alive(case) else _nothing(case)
    seen = {k.selector: k for k in of(DkimKeySeen, case.seen, case.at)}
    faulty = [(f"{name}: {why}", seen[name]) for name in wanted if name in seen and (why := _unusable(seen[name]))]
    if faulty:
        return failed(first(why for why, _ in faulty), *(key for _, key in faulty), remedy=_publish(case, faulty[0][1]))
    for name in wanted:
        if name not in seen:
            return not_seen(case, f"dkim:{name}", "dkim")
    return passed(*(seen[name] for name in wanted))


def _unusable(key: DkimKeySeen) -> str:
    if key.presence is not Presence.PRESENT:
        return "no record"
    if key.revoked:
        return "revoked (empty p=)"
    if not key.fingerprint:
        return first(key.problems, 1) or "no key in the record"
    if key.services and not {"*", "email"} & {one.lower() for one in key.services}:
        return f"not for mail (s={':'.join(key.services)})"
    return ""


def _publish(case: Case, key: DkimKeySeen) -> str:
    return f"Publish the public key at {key.selector}._domainkey.{case.at.host}; gatepost dkim prints the record."


@check("GP-DNSID-003", scope=Scope.DOMAIN)
def mail_signed_and_aligned(case: Case) -> Verdict:
    """Own mail carries a signature of an aligned domain."""
    if sends(case) is False:
        return not_applicable(PARKED)
    streams = [s for s in of(SourceSeen, case.seen, case.at) if s.aligned]
    total = sum(s.messages for s in streams)
    if total < WEIGHTY:
        return _unproved(case)
    unsigned = sorted((s for s in streams if s.messages - s.dkim > 0), key=lambda s: (s.dkim - s.messages, s.source))
    signed = sum(s.dkim for s in streams)
    if signed >= SIGNED * total:
        return passed(*streams[:10], because=f"{signed} of {total} messages signed")
    worst = unsigned[0]
    because = (
        f"{total - signed} of {total} messages of own senders have no aligned signature; "
        f"most of them from {worst.source} ({worst.messages - worst.dkim} of {worst.messages})"
    )
    return failed(because, *unsigned[:10], severity=None if signed < total / 2 else Severity.MEDIUM)


def _unproved(case: Case) -> Verdict:
    """A key in DNS shows that somebody could sign, not that mail is signed."""
    if alive := _alive(case):
        because = f"a key is published ({some(k.selector for k in alive)}); whether mail is signed, DMARC reports tell"
        return unknown(because, *alive)
    return _nothing(case)


@check("GP-DNSID-004", scope=Scope.DOMAIN)
def dkim_records_valid(case: Case) -> Verdict:
    """Every published DKIM key record can be read."""
    keys = [k for k in _keys(case) if not k.revoked]
    if not keys:
        return _nothing(case)
    if faulty := [k for k in keys if _slips(k)]:
        said = [f"{k.selector}: {first(_slips(k), 1)}" for k in faulty]
        severity = None if any(k.declared for k in faulty) else Severity.LOW
        return failed(first(said), *faulty, severity=severity)
    return passed(*keys)


def _slips(key: DkimKeySeen) -> list[str]:
    """Without what has a judge of its own: size, hashes, and services of declared keys."""
    apart = ("h=", "s=") if key.declared else ("h=",)
    left = [one for one in key.problems if not one.startswith(apart)]
    return [] if _weak(key) and len(left) == 1 else left


@check("GP-DNSID-004", scope=Scope.DOMAIN)
def dkim_keys_strong(case: Case) -> Verdict:
    """Every DKIM key is long enough."""
    keys = _alive(case)
    if not keys:
        return _nothing(case)
    if weak := sorted((k for k in keys if _weak(k)), key=lambda k: k.bits):
        said = some(f"{k.selector} (RSA with {k.bits} bits)" for k in weak)
        below = weak[0].bits < FLOOR
        because = f"too short to be believed: {said}" if below else f"shorter than {STRONG} bits: {said}"
        return failed(because, *weak, severity=Severity.HIGH if below else Severity.MEDIUM)
    return passed(*keys)


def _weak(key: DkimKeySeen) -> bool:
    """No RSA key is as small as 256 bits: that is one of another type, which the record calls rsa."""
    return key.key_type == "rsa" and 256 < key.bits < STRONG


@check("GP-DNSID-004", scope=Scope.DOMAIN)
def dkim_signs_with_sha256(case: Case) -> Verdict:
    """DKIM keys are for SHA-256."""
    keys = _alive(case)
    if not keys:
        return _nothing(case)
    if old := [k for k in keys if k.hashes and "sha256" not in _hashes(k)]:
        return failed(f"{some(k.selector for k in old)}: allows {some(old[0].hashes)} only (RFC 8301)", *old)
    if mixed := [k for k in keys if "sha1" in _hashes(k)]:
        because = f"{some(k.selector for k in mixed)}: still allows sha1"
        return failed(because, *mixed, severity=Severity.LOW)
    return passed(*keys)


def _hashes(key: DkimKeySeen) -> set[str]:
    return {one.lower() for one in key.hashes}


@check("GP-DNSID-004", scope=Scope.DOMAIN)
def dkim_out_of_test(case: Case) -> Verdict:
    """No DKIM key is in test mode."""
    keys = _alive(case)
    if not keys:
        return _nothing(case)
    if testing := [k for k in keys if k.testing]:
        because = f"in test mode (t=y), so verifiers may ignore it: {some(k.selector for k in testing)}"
        return failed(because, *testing, severity=Severity.LOW)
    return passed(*keys)


@check("GP-DNSID-004", scope=Scope.DOMAIN)
def rsa_beside_ed25519(case: Case) -> Verdict:
    """Beside an Ed25519 key there is one that every verifier knows."""
    keys = _alive(case)
    if not keys:
        return _nothing(case)
    young = [k for k in keys if k.key_type == "ed25519"]
    if not young:
        return not_applicable("no Ed25519 key", *keys)
    if any(k.key_type == "rsa" for k in keys):
        return passed(*keys)
    if not any(k.declared for k in keys):
        return unknown(f"only Ed25519 keys were found; {UNDECLARED}", *young)
    because = "only Ed25519 keys: many receivers cannot verify them"
    return failed(because, *young, severity=Severity.MEDIUM)


@check("GP-DNSID-005", scope=Scope.DOMAIN)
def dkim_keys_rotated(case: Case) -> Verdict:
    """No DKIM key is older than a year."""
    keys = _alive(case)
    if not keys:
        return _nothing(case)
    dates = remembered(case, "dkim-key")
    first_seen = {k.selector: found for k in keys if (found := since(dates, k.fingerprint))}
    old = [k for k in keys if k.selector in first_seen and case.now - first_seen[k.selector] > LONGEST_LIFE]
    if old:
        told_ = some(f"{k.selector} (at least since {first_seen[k.selector]:%Y-%m-%d})" for k in old)
        return failed(f"older than a year: {told_}", *old)
    if not first_seen:
        return unknown("the age of a key is known only to a state directory (--state)", *keys)
    start = watched_since(case)
    unclear = [k for k in keys if k.selector not in first_seen or first_seen[k.selector] == start]
    if unclear:
        because = f"there when gatepost first looked, how long before is not known: {some(k.selector for k in unclear)}"
        return unknown(because, *unclear)
    return passed(*keys)


@check("GP-DNSID-005", scope=Scope.DOMAIN)
def retired_selectors_withdrawn(case: Case) -> Verdict:
    """A selector whose day is past is no longer published."""
    selectors = _selectors(case)
    if not selectors:
        return unknown(UNDECLARED, *_alive(case)) if _alive(case) else _nothing(case)
    retired = {s.name: s.until for s in selectors if _retired(case, s)}
    if not retired:
        return not_applicable("no declared selector has reached its end (dkim: until)")
    seen = {k.selector: k for k in of(DkimKeySeen, case.seen, case.at)}
    left = [seen[name] for name in retired if name in seen and seen[name].fingerprint and not seen[name].revoked]
    if left:
        said = some(f"{k.selector} (until {retired[k.selector]})" for k in left)
        names = " and ".join(f"{k.selector}._domainkey.{case.at.host}" for k in left)
        return failed(f"to be withdrawn, and still published: {said}", *left, remedy=f"Delete the record of {names}.")
    if missing := [name for name in retired if name not in seen]:
        return not_seen(case, f"dkim:{missing[0]}", "dkim")
    return passed(*(seen[name] for name in retired))


@check("GP-DNSID-005", scope=Scope.DOMAIN)
def no_forgotten_keys(case: Case) -> Verdict:
    """No key is published that nobody declared."""
    if not _selectors(case):
        return unknown(UNDECLARED, *_alive(case)) if _alive(case) else _nothing(case)
    strange = [k for k in _alive(case) if not k.declared]
    if strange:
        because = f"published and not declared: {some(k.selector for k in strange)}"
        return failed(because, *strange, severity=Severity.LOW)
    lost = [u for u in of(Unobserved, case.seen, case.at) if u.wanted == "dkim"]
    if lost:
        return unknown(f"{lost[0].reason.value}: {lost[0].detail}", *lost)
    keys = of(DkimKeySeen, case.seen, case.at)
    return passed(*keys, because="none under a common selector") if keys else _nothing(case)
