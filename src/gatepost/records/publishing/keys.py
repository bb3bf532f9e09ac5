"""Records that hold keys: DKIM (RFC 6376) and TLSA (RFC 6698)."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256, sha512

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_der_x509_certificate

from gatepost.errors import PeerGarbled
from gatepost.model.architecture import Architecture, Domain, Host, Service
from gatepost.model.certificate import Certificate
from gatepost.model.dns import Tlsa
from gatepost.model.observation import CertificateSeen, Seen, Unobserved, of
from gatepost.model.words import Mode, Role
from gatepost.records import dkim, dkim_public, tags, tlsa
from gatepost.records.publishing.known import Known
from gatepost.records.publishing.record import Part, Record

PINNED = frozenset({Role.ACCESS, Role.MX, Role.SIEVE, Role.SUBMISSION})
DANE_EE, SPKI, SHA256 = 3, 1, 1


def signing(domain: Domain, known: Known, keys: Mapping[str, str], today: date) -> Iterator[Record]:
    """`keys` are key records by selector. What is past its end is revoked; what was never published needs no end."""
    for selector in domain.dkim:
        name = dkim.owner(domain.name, selector.name)
        published = known.values(name, "TXT")
        if selector.until is not None and selector.until < today:
            if published or known.answer(name, "TXT") is None:
                yield Record(name, "TXT", _revoked(published), part=Part.DKIM)
        elif text := keys.get(selector.name):
            same = len(published) == 1 and _same_key(published[0], text)
            yield Record(name, "TXT", published[0] if same else text, part=Part.DKIM)


def _revoked(published: tuple[str, ...]) -> str:
    return published[0] if len(published) == 1 and dkim.read(published[0]).revoked else dkim.REVOKED


def _same_key(one: str, other: str) -> bool:
    """In a record that verifiers take at its word."""
    published, wanted = dkim.read(one), dkim.read(other)
    if published.problems or published.testing or published.key_type != wanted.key_type:
        return False
    return dkim_public.same(wanted.key_type, tags.read(one).first("p") or "", tags.read(other).first("p") or "")


@dataclass(frozen=True, slots=True)
class Served:
    """The keys of one port: what each address was seen to serve. `whole`: every address was seen."""

    host: str
    port: int
    leaves: tuple[Certificate, ...]
    whole: bool
    why: str = ""  # nothing was seen, or not everywhere


def served(domain: Domain, architecture: Architecture, facts: Seen) -> tuple[Served, ...]:
    """Every TLS port of the declared exchangers that clients or other sites talk to."""
    if not domain.dane:
        return ()
    hosts = [host for name in domain.mx if (host := architecture.host(name))]
    return tuple(_served(host, service, facts) for host in hosts for service in pinned(host))


def pinned(host: Host) -> tuple[Service, ...]:
    return tuple(
        one for one in host.services if one.mode is not Mode.NONE and one.role in PINNED and one.exposure != "loopback"
    )


def _served(host: Host, service: Service, facts: Seen) -> Served:
    """With the name that a client of DANE would ask for (RFC 7672 section 8.1), where that was tried."""
    there = [one for one in of(CertificateSeen, facts) if (one.at.host, one.at.port) == (host.name, service.port)]
    named = [one for one in there if one.sni == host.name] or there
    leaves = {one.chain[0].spki_sha256: one.chain[0] for one in named if one.chain}
    silent = [address for address in host.addresses if address not in {one.at.address for one in there}]
    why = "" if not silent else _why(host.name, service.port, silent[0], facts)
    return Served(host.name, service.port, tuple(leaves.values()), not silent, why)


def _why(host: str, port: int, address: str, facts: Seen) -> str:
    lost = [one for one in of(Unobserved, facts) if (one.at.host, one.at.port) == (host, port)]
    details = [one.detail for one in lost if one.at.address in {address, ""}]
    return details[0] if details else f"{address} was seen to serve no certificate"


@dataclass(frozen=True, slots=True)
class Pins:
    """What the TLSA set of a port should hold, and what else is there.

    `strangers` match no key that is served: of a key to come, or left over.
    """

    port: Served
    records: tuple[Record, ...]
    strangers: tuple[str, ...] = ()


def pins(port: Served, known: Known, coming: tuple[str, ...], *, sweep: bool) -> Pins:
    """`coming` are digests of keys that will be served. `sweep`: strangers are removed, because all keys are known.

    A record of another form that matches what is served is as good (3 0 1, 3 1 2); those of authorities
    (usages 0 and 2) are left to whoever put them there.
    """
    name = tlsa.owner(port.host, port.port)
    published = [one for one in map(_read, known.values(name, "TLSA")) if one]
    digests = {leaf.spki_sha256 for leaf in port.leaves}
    wanted = [str(_pin(one)) for one in (*sorted(digests), *coming) if not _pinned_by(one, port.leaves, published)]
    good = [one for one in published if one.usage == DANE_EE and _matches_any(one, port.leaves, coming)]
    strangers = [one for one in published if one.usage == DANE_EE and one not in good]
    kept = good if sweep and port.whole and port.leaves else [*good, *strangers]
    values = dict.fromkeys([*map(str, kept), *wanted])
    return Pins(
        port,
        tuple(Record(name, "TLSA", value, part=Part.TLSA) for value in values),
        tuple(map(str, strangers)),
    )


def _pin(digest: str) -> Tlsa:
    return Tlsa(DANE_EE, SPKI, SHA256, digest)


def _pinned_by(digest: str, leaves: tuple[Certificate, ...], published: list[Tlsa]) -> bool:
    leaf = tuple(one for one in leaves if one.spki_sha256 == digest)
    return any(one.usage == DANE_EE and _matches_any(one, leaf, (digest,)) for one in published)


def _matches_any(record: Tlsa, leaves: tuple[Certificate, ...], digests: tuple[str, ...]) -> bool:
    if (record.selector, record.matching) == (SPKI, SHA256) and record.data in digests:
        return True
    return bool(record.data) and any(record.data == _data(record, leaf) for leaf in leaves)


def _data(record: Tlsa, leaf: Certificate) -> str:
    """What a record of this form has to say to match the certificate (RFC 6698 section 2.1)."""
    if (record.selector, record.matching) == (SPKI, SHA256):
        return leaf.spki_sha256
    octets = _octets(record.selector, b64decode(leaf.der))
    match record.matching:
        case 0:
            return octets.hex()
        case 1:
            return sha256(octets).hexdigest()
        case 2:
            return sha512(octets).hexdigest()
        case _:
            return ""


def _octets(selector: int, der: bytes) -> bytes:
    if selector != SPKI:
        return der
    try:
        return load_der_x509_certificate(der).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, UnsupportedAlgorithm):
        return b""


def _read(value: str) -> Tlsa | None:
    try:
        return tlsa.parse(value)
    except PeerGarbled:
        return None
