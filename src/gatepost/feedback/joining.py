"""Why sessions failed: each failure of a TLS report joined with what was known of that day, in one line.

The line says what was wrong and where. With nothing known of the day it says so, and what to look at first.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from gatepost import catalogue
from gatepost.feedback.contents import Failed
from gatepost.feedback.known import Certificate, Known, Policy, covers, known
from gatepost.model.architecture import Endpoint
from gatepost.model.domain import Dated, TlsFailureSeen

UNTOLD = "untold"  # our word for failures that a report counts and does not explain
_CONNECTION = re.compile(
    r"(?i)time[ds]?[ -]?out|connection.{0,20}(refused|reset|lost|closed|dropped|abort|fail)"
    r"|(can ?not|unable to) connect|unreachable|no route|broken pipe|network (error|failure)|socket|econn|etimedout"
)


def causes(failures: Iterable[Failed], history: Iterable[Dated]) -> tuple[TlsFailureSeen, ...]:
    """Same causes as one, whoever reports them and on however many days; most sessions first."""
    every = tuple(failures)
    then = known(history)
    alone = _lonely(every)
    groups: dict[tuple[str, ...], list[Failed]] = defaultdict(list)
    for one in every:
        spot = _Spot(one, then)
        line = _line(spot, lonely=(one.domain, spot.mx) in alone)
        groups[one.domain, one.failure.type, spot.mx, one.failure.address, one.policy, line].append(one)
    seen = (_seen(key, members) for key, members in groups.items())
    return tuple(sorted(seen, key=lambda s: (-s.sessions, s.at.host, s.type, s.cause)))


def _seen(key: tuple[str, ...], members: list[Failed]) -> TlsFailureSeen:
    domain, kind, mx, address, policy, cause = key
    return TlsFailureSeen(
        Endpoint(domain),
        kind,
        sum(one.failure.sessions for one in members),
        cause,
        mx,
        address,
        policy,
        tuple(sorted({one.reporter for one in members})),
        min(one.first for one in members),
        max(one.last for one in members),
    )


@dataclass(frozen=True, slots=True)
class _Spot:
    """A failure, and where it happened as far as the report or we know."""

    of: Failed
    then: Known

    @property
    def mx(self) -> str:
        return self.of.failure.mx or self.then.host_at(self.of.failure.address)

    @property
    def port(self) -> int:
        return catalogue.number("smtp")

    def place(self, address: str = "") -> str:
        """`mx2.example.org, IPv6 (2001:db8::26), port 25`."""
        address = self.of.failure.address or address
        family = f", IPv{6 if ':' in address else 4} ({address})" if address else ""
        return f"{self.mx or f'an MX of {self.of.domain}'}{family}, port {self.port}"

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        return self.then.served(self.mx, self.of.failure.address, self.port, self.of.first, self.of.last)

    @property
    def policies(self) -> tuple[Policy, ...]:
        return self.then.published(self.of.domain, self.of.first, self.of.last)

    @property
    def said(self) -> str:
        """What the sender's software wrote, if anything."""
        words = " ".join(word for word in (self.of.failure.code, self.of.failure.info) if word)
        return f' (the sender says: "{words}")' if words else ""


def _line(spot: _Spot, *, lonely: bool) -> str:
    judged = _CAUSES.get(spot.of.failure.type, _undefined)
    words = f"{spot.of.failure.code} {spot.of.failure.info}"
    if judged in {_handshake, _no_starttls} and _CONNECTION.search(words) and not _fault(spot):
        return _broken_connection(spot, lonely=lonely)
    return judged(spot)


def _broken_connection(spot: _Spot, *, lonely: bool) -> str:
    if lonely:
        return (
            f"{spot.place()}: the connection of {spot.of.reporter} broke{spot.said};"
            " nobody else reports this place: the sender's own trouble, or its path"
        )
    return f"{spot.place()}: connections broke{spot.said}; several senders report this place: look at load and firewall"


def _lonely(failures: tuple[Failed, ...]) -> frozenset[tuple[str, str]]:
    """Domain and MX that a single reporter complains of."""
    reporters: dict[tuple[str, str], set[str]] = defaultdict(set)
    for one in failures:
        reporters[one.domain, one.failure.mx].add(one.reporter)
    return frozenset(place for place, names in reporters.items() if len(names) == 1)


def _expired(spot: _Spot) -> str:
    if found := _fault(spot, _expiry):
        return found
    if held := spot.certificates:
        last = held[-1]
        return (
            f"{spot.place()}: reported as expired, but the certificate seen there until {last.last} is valid until"
            f" {last.not_after}: look at every address and node, one may not have been reloaded"
        )
    return _nothing(
        spot, "its certificate", "the dates of the certificate each address serves; a reload may be missing"
    )


def _mismatch(spot: _Spot) -> str:
    if found := _fault(spot, _misnamed):
        return found
    if spot.certificates:
        return (
            f"{spot.place()}: reported as having another name, but the certificate seen there names {spot.mx}:"
            " compare what is served with and without SNI"
        )
    return _nothing(spot, "its certificate", "whether the certificate names the MX host, with and without SNI")


def _untrusted(spot: _Spot) -> str:
    if found := _fault(spot, _expiry) or _fault(spot, _distrusted):
        return found
    if held := spot.certificates:
        return (
            f"{spot.place()}: reported as not trusted, but the chain of {held[-1].issuer or 'its issuer'} was trusted"
            " here: look whether every address sends the intermediate certificate"
        )
    return _nothing(spot, "its certificate", "whether the intermediate certificate is sent")


def _no_starttls(spot: _Spot) -> str:
    if held := spot.certificates:
        return (
            f"{spot.place()}: STARTTLS was not offered to the sender, although TLS worked here on {held[-1].last}:"
            " look for a box on the path that removes it, and for limits that cut the offer"
        )
    return _nothing(
        spot, "TLS there", "the EHLO answer of every address from outside; without its key a server offers none"
    )


def _handshake(spot: _Spot) -> str:
    if found := _outside_policy(spot) or _fault(spot):
        return found
    if spot.certificates:
        return (
            f"{spot.place()}: TLS or the policy failed{spot.said}; the certificate of that day was in order:"
            " look at the TLS versions and suites of this address"
        )
    return _nothing(spot, "its certificate", f"TLS versions, suites and the names in the policy{spot.said}")


def _outside_policy(spot: _Spot) -> str:
    """The MX is not in the policy that the sender worked with; ours may have been another by then."""
    applied = _patterns(spot.of.applied)
    if not spot.of.failure.mx or spot.of.policy != "sts":
        return ""
    ours = spot.policies
    if applied and not any(covers(p, spot.mx) for p in applied):
        newer = [one for one in ours if one.covers(spot.mx)]
        since = f", not the one published since {newer[-1].first}, which has it" if newer else ""
        return f"{spot.mx}: not in the MTA-STS policy the sender worked with (mx: {', '.join(applied)}){since}"
    if not applied and ours and not any(one.covers(spot.mx) for one in ours):
        return f"{spot.mx}: not in the MTA-STS policy of that day (mx: {', '.join(ours[-1].mx)})"
    return ""


def _patterns(applied: Iterable[str]) -> tuple[str, ...]:
    lines = (line.partition(":") for one in applied for line in re.split(r"\\n|[\r\n]", one))
    return tuple(value.strip().lower() for key, _, value in lines if key.strip().lower() == "mx" and value.strip())


def _pins(spot: _Spot) -> str:
    pins = spot.then.pinned(spot.mx, spot.port, spot.of.first, spot.of.last)
    held = spot.certificates
    if not pins or not held:
        missing = "its TLSA records" if held else "its certificate" if pins else "its certificate and TLSA records"
        return _nothing(spot, missing, "whether the key was changed before its TLSA record")
    strangers = [one for one in held if all(pin.matches(one) is False for pin in pins)]
    if strangers:
        address = strangers[0].address if len(held) > 1 else ""
        return (
            f"{spot.place(address)}: the key served since {strangers[0].first} is not among the published TLSA records"
            f" ({_listed(pin.text for pin in pins)})"
        )
    if any(pin.matches(one) for pin in pins for one in held):
        return (
            f"{spot.place()}: reported as not matching, but the key seen there is in TLSA: another address or node may"
            " serve an older key, or an older record was still cached"
        )
    return f"{spot.place()}: TLSA names an authority or a whole key ({_listed(p.text for p in pins)}): check the chain"


def _listed(texts: Iterable[str]) -> str:
    short = sorted({f"{text[:22]}…" if len(text) > 23 else text for text in texts})
    return ", ".join(short[:3]) + (f" and {len(short) - 3} more" if len(short) > 3 else "")


def _dnssec(spot: _Spot) -> str:
    pins = spot.then.pinned(spot.mx, spot.port, spot.of.first, spot.of.last)
    seen = f"; here its TLSA answers were {pins[-1].security} on {pins[-1].last}" if pins and pins[-1].security else ""
    zone = spot.mx or spot.of.domain
    return f"{zone}: DNSSEC did not validate for the sender{seen}: check RRSIG dates and the DS record"


def _no_tlsa(spot: _Spot) -> str:
    pins = spot.then.pinned(spot.mx, spot.port, spot.of.first, spot.of.last)
    if pins:
        return (
            f"{spot.place()}: the sender wants DANE and found no usable TLSA record, though"
            f" {_listed(p.text for p in pins)} was published until {pins[-1].last}: check usage 2 or 3, and DNSSEC"
        )
    return _nothing(spot, "TLSA records", "that a record of usage 2 or 3 stands there, signed")


def _no_policy(spot: _Spot) -> str:
    at = f"mta-sts.{spot.of.domain}"
    if ours := spot.policies:
        return (
            f"{at}: the sender could not fetch the policy{spot.said}, though it was read here between {ours[-1].first}"
            f" and {ours[-1].last}: check redirects, IPv6 and who may reach it"
        )
    unknown = "nothing is known here of it on that day: check who may reach it"
    return f"{at}: the sender could not fetch the policy{spot.said}; {unknown}"


def _bad_policy(spot: _Spot) -> str:
    at = f"mta-sts.{spot.of.domain}"
    kept = "nothing is known here of it on that day"
    if ours := spot.policies:
        said = f"mode {ours[-1].mode or 'nothing'}, mx {', '.join(ours[-1].mx)}"
        kept = f"the one read here until {ours[-1].last} says {said}"
    return f"{at}: the sender cannot use the policy{spot.said}; {kept}: check version, mode, mx and max_age"


def _bad_web(spot: _Spot) -> str:
    at = f"mta-sts.{spot.of.domain}"
    every = spot.then.certificates.get(at, ())
    for one in every:
        if one.not_after <= spot.of.last and one.last >= spot.of.first:
            return f"{at}: the certificate of the policy host expired on {one.not_after}"
        if one.names and not one.names_host(at):
            return f"{at}: the certificate of the policy host names {_listed(one.names)}, not {at}"
    return f"{at}: the sender refused the certificate of the policy host{spot.said}: check its names, dates and chain"


def _untold(spot: _Spot) -> str:
    return f"{spot.of.domain}: the report counts these failures and gives no reason{spot.said}"


def _undefined(spot: _Spot) -> str:
    kind = spot.of.failure.type
    return f"{spot.place()}: reported as {kind}, which RFC 8460 does not define{spot.said}"


def _fault(spot: _Spot, *judges: Callable[[_Spot, Certificate], str]) -> str:
    """The first thing wrong with a certificate of that day; empty when nothing is."""
    found = (judge(spot, one) for judge in judges or (_expiry, _misnamed, _distrusted) for one in spot.certificates)
    return next((line for line in found if line), "")


def _expiry(spot: _Spot, one: Certificate) -> str:
    if one.not_after > spot.of.last:
        return ""
    later = spot.then.followed(one)
    return f"{spot.place(one.address)}: certificate expired on {one.not_after}{_replaced(later)}"


def _replaced(later: Certificate | None) -> str:
    return f"; another one is served since {later.first}" if later and later.not_after != date.max else ""


def _misnamed(spot: _Spot, one: Certificate) -> str:
    if not spot.mx or not one.names or one.names_host(spot.mx):
        return ""
    return f"{spot.place(one.address)}: the certificate names {_listed(one.names)}, not {spot.mx}"


def _distrusted(spot: _Spot, one: Certificate) -> str:
    if one.trusted is not False:
        return ""
    issuer = f" (issuer {one.issuer})" if one.issuer else ""
    return f"{spot.place(one.address)}: the chain was not trusted here either{issuer}: an intermediate may be missing"


def _nothing(spot: _Spot, of: str, first: str) -> str:
    return f"{spot.place()}: {spot.of.failure.type}; nothing is known here of {of} on that day. Check first: {first}"


_CAUSES: Mapping[str, Callable[[_Spot], str]] = {
    "certificate-expired": _expired,
    "certificate-host-mismatch": _mismatch,
    "certificate-not-trusted": _untrusted,
    "dane-required": _no_tlsa,
    "dnssec-invalid": _dnssec,
    "starttls-not-supported": _no_starttls,
    "sts-policy-fetch-error": _no_policy,
    "sts-policy-invalid": _bad_policy,
    "sts-webpki-invalid": _bad_web,
    "tlsa-invalid": _pins,
    UNTOLD: _untold,
    "validation-failure": _handshake,
}
