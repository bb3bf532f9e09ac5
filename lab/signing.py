"""Zones signed for the lab with ECDSA P-256: in order, expired, or vouched for by the wrong key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import dns.dnssec
import dns.name
import dns.rdatatype
import dns.rrset
import dns.transaction
import dns.zone
from cryptography.hazmat.primitives.asymmetric import ec
from dns.rdtypes.ANY.DNSKEY import DNSKEY

TTL = 300
DAY = timedelta(days=1)
ZONE_KEY, ENTRY_POINT = 256, 257  # DNSKEY flags (RFC 4034 section 2.1.1)
Pair = tuple[dns.dnssec.PrivateKey, DNSKEY]


class Signed(StrEnum):
    """How a zone is signed."""

    EXPIRED = "expired"  # the signatures ended yesterday
    NO = "no"
    NSEC = "nsec"
    NSEC3 = "nsec3"


class Link(StrEnum):
    """What the parent says of a zone's key."""

    NONE = "none"  # no DS: the world takes the zone for unsigned
    RIGHT = "right"
    WRONG = "wrong"  # the DS of a key that the zone does not have


@dataclass(frozen=True, slots=True)
class Keys:
    """A key-signing and a zone-signing key."""

    entry: Pair
    zone: Pair

    @classmethod
    def made(cls) -> Keys:
        return cls(_pair(ENTRY_POINT), _pair(ZONE_KEY))

    def ds(self, name: str) -> str:
        """The line for the parent."""
        return f"{name}. {TTL} IN DS {dns.dnssec.make_ds(dns.name.from_text(name), self.entry[1], 'SHA256')}\n"

    def anchor(self, name: str) -> str:
        """The line for a resolver that starts its trust here."""
        return f"{name}. {TTL} IN DNSKEY {self.entry[1]}\n"


def _pair(flags: int) -> Pair:
    secret = ec.generate_private_key(ec.SECP256R1())
    return secret, dns.dnssec.make_dnskey(secret.public_key(), "ECDSAP256SHA256", flags)


def signed(name: str, text: str, keys: Keys, how: Signed) -> str:
    """The zone file, with every record and signature. What is not signed stays as it was written, right or wrong."""
    if how is Signed.NO:
        return f"$ORIGIN {name}.\n{text}"
    zone = dns.zone.from_text(text, origin=f"{name}.", relativize=False)
    begin, end = _span(how)
    with zone.writer() as change:
        if how is Signed.NSEC3:
            _hashed(zone, change, keys, begin, end)
        else:
            dns.dnssec.sign_zone(zone, change, [keys.entry, keys.zone], dnskey_ttl=TTL, inception=begin, expiration=end)
    return str(zone.to_text(relativize=False))


def _span(how: Signed) -> tuple[datetime, datetime]:
    now = datetime.now(UTC)
    return (now - 9 * DAY, now - DAY) if how is Signed.EXPIRED else (now - DAY, now + 365 * DAY)


def _hashed(
    zone: dns.zone.Zone, change: dns.transaction.Transaction, keys: Keys, begin: datetime, end: datetime
) -> None:
    """Signing with NSEC3, which dnspython does not do: for a zone without delegations (RFC 5155 section 7.1)."""
    origin = zone.origin
    assert origin is not None  # noqa: S101 - it was read with one
    for _secret, public in (keys.entry, keys.zone):
        change.add(origin, TTL, public)
    change.add(dns.rrset.from_text(origin, 0, "IN", "NSEC3PARAM", "1 0 0 -"))
    for link in list(_chain(origin, change)):
        change.add(link)
    for name in sorted(change.iterate_names()):
        node = change.get_node(name)
        for found in tuple(node.rdatasets if node else ()):
            records = dns.rrset.from_rdata(name, found.ttl, *found)
            dns.dnssec.default_rrset_signer(
                change, records, origin, [keys.entry], [keys.zone], begin, end, origin=origin
            )


def _chain(origin: dns.name.Name, change: dns.transaction.Transaction) -> Iterator[dns.rrset.RRset]:
    """An NSEC3 record for every name, the empty ones in between included, each pointing to the next hash."""
    kinds: dict[dns.name.Name, str] = {}
    for name in change.iterate_names():
        node = change.get_node(name)
        present = {dns.rdatatype.to_text(one.rdtype) for one in (node.rdatasets if node else ())}
        kinds[name] = " ".join(sorted(present | {"RRSIG"}))
        above = name
        while above != origin:
            above = above.parent()
            kinds.setdefault(above, "")
    hashes = {dns.dnssec.nsec3_hash(name, None, 0, "SHA1"): kind for name, kind in kinds.items()}
    ring = sorted(hashes)
    for here, after in zip(ring, (*ring[1:], ring[0]), strict=True):
        owner = dns.name.from_text(here.lower(), origin)
        yield dns.rrset.from_text(owner, TTL, "IN", "NSEC3", f"1 0 0 - {after} {hashes[here]}")
