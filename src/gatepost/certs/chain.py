"""A chain as served: would a usual client trust it, and is it in order?

OpenSSL answers the first question, because its verdict is what mail software and mail clients act on. The
stricter verifier of `cryptography` is asked for a second opinion only, reported as `web_profile`: it was
measured to refuse private authorities of the old kind that every mail program accepts.
"""

from __future__ import annotations

import base64
import binascii
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import ip_address

from cryptography import x509
from cryptography.x509 import verification
from OpenSSL import crypto

from gatepost.certs.facts import certificate, guarded, printable
from gatepost.certs.names import a_labels
from gatepost.errors import PeerGarbled
from gatepost.model.certificate import Certificate, Trust
from gatepost.model.observation import CertificateSeen, ChainSeen, Unobserved
from gatepost.model.words import Reason

MAX_CHAIN = 30  # certificates; real chains have two to five
SERVER_PURPOSES = frozenset({"serverAuth", "2.5.29.37.0"})  # the latter: any purpose

SELF_SIGNED_LEAF = 18
SELF_SIGNED_ROOT = 19
NO_ISSUER = frozenset({2, 20, 21, 27})  # OpenSSL: the issuer's certificate was not found
NOT_YET = 9
EXPIRED = 10


@dataclass(frozen=True, slots=True)
class Roots:
    """Certificates trusted without proof, in DER. `origin` says in words where they came from."""

    certificates: tuple[bytes, ...]
    origin: str = ""


def inspect(
    seen: ChainSeen, roots: Roots, now: datetime, known: tuple[bytes, ...] = ()
) -> CertificateSeen | Unobserved:
    """Read and verify what came off the wire. `known` are certificates other ports sent in the same run.

    One unreadable certificate spoils the chain: a client that meets it stops as well.
    """
    try:
        chain = _decoded(seen.chain)
        facts = tuple(_placed(der, n, len(chain)) for n, der in enumerate(chain, 1))
        trust = verify(chain, roots, now, name=seen.sni or seen.at.host, known=known)
    except PeerGarbled as error:
        return Unobserved(seen.at, "certificate", Reason.GARBLED, str(error))
    return CertificateSeen(seen.at, seen.sni, facts, trust, seen.staple)


def verify(
    chain: tuple[bytes, ...], roots: Roots, now: datetime, *, name: str = "", known: tuple[bytes, ...] = ()
) -> Trust:
    """Would a usual client accept this chain at `now`, the name aside? Raises PeerGarbled.

    `name` is only for the strict web verifier, which cannot judge without one.
    """
    facts = tuple(certificate(der) for der in chain)
    found = _openssl(chain, roots, now)
    if isinstance(found, crypto.X509StoreContextError):
        missing = _missing_intermediate(chain, facts, found, roots, now, known)
        return Trust(valid=False, why=_why(found, facts), missing_intermediate=missing)
    path = tuple(certificate(der) for der in found)
    if objection := _purpose_objection(path):
        return Trust(valid=False, why=objection)
    strict = _web_profile(found, roots, now, name or _any_name(facts[0]))
    return Trust(valid=True, path=tuple(one.sha256 for one in path), web_profile=strict)


def order_problem(chain: tuple[Certificate, ...]) -> str:
    """Empty when each certificate is followed by its issuer (RFC 5246 section 7.4.2)."""
    for n, one in enumerate(chain, 1):
        if any(one.sha256 == earlier.sha256 for earlier in chain[: n - 1]):
            return f"certificate {n} is sent twice ({one.subject})"
    path = _path(chain)
    if unneeded := [one for one in chain if one not in path]:
        return f"{unneeded[0].subject} is sent and issues none of the others"
    if path != chain:
        return f"out of order: {path[1].subject} issued the server's certificate and should come second"
    return ""


def root_sent(chain: tuple[Certificate, ...]) -> bool:
    """A self-issued one above the leaf: needless for clients, needed by DANE-TA (RFC 7671 section 5.2)."""
    return any(one.self_issued for one in chain[1:])


def unneeded(chain: tuple[Certificate, ...]) -> tuple[Certificate, ...]:
    """What is sent and has no place on the way from the leaf upwards; a second copy counts."""
    path = _path(chain)
    return tuple(one for n, one in enumerate(chain) if one not in path or one in chain[:n])


def _path(chain: tuple[Certificate, ...]) -> tuple[Certificate, ...]:
    """From the leaf upwards by names alone; signatures are the verifier's business."""
    path = list(chain[:1])
    while path and not path[-1].self_issued:
        issuer = next((one for one in chain if one.subject == path[-1].issuer and one not in path), None)
        if issuer is None:
            break
        path.append(issuer)
    return tuple(path)


def _decoded(chain: tuple[str, ...]) -> tuple[bytes, ...]:
    if not chain:
        raise PeerGarbled("an empty chain")
    if len(chain) > MAX_CHAIN:
        raise PeerGarbled(f"a chain of {len(chain)} certificates, more than {MAX_CHAIN}")
    try:
        return tuple(base64.b64decode(one, validate=True) for one in chain)
    except (binascii.Error, ValueError):
        raise PeerGarbled("a chain that is not base64") from None


def _placed(der: bytes, n: int, count: int) -> Certificate:
    try:
        return certificate(der)
    except PeerGarbled as error:
        raise PeerGarbled(f"certificate {n} of {count}: {error}") from None


def _openssl(chain: tuple[bytes, ...], roots: Roots, now: datetime) -> tuple[bytes, ...] | crypto.X509StoreContextError:
    """The path OpenSSL found, in DER, or its objection.

    A store takes a time only once, the second `set_time` has no effect (measured): hence a store for each
    question. Its certificates are parsed once.
    """
    store = crypto.X509Store()
    for root in _parsed(roots):
        store.add_cert(root)
    store.set_time(now.astimezone(UTC).replace(tzinfo=None))
    try:
        leaf, *rest = [crypto.load_certificate(crypto.FILETYPE_ASN1, der) for der in chain]
        found = crypto.X509StoreContext(store, leaf, rest).get_verified_chain()
        return tuple(crypto.dump_certificate(crypto.FILETYPE_ASN1, one) for one in found)
    except crypto.X509StoreContextError as error:
        return error
    except crypto.Error:
        raise PeerGarbled("a certificate that OpenSSL cannot read") from None


@lru_cache(maxsize=4)
def _parsed(roots: Roots) -> tuple[crypto.X509, ...]:
    found: list[crypto.X509] = []
    for der in roots.certificates:
        with suppress(crypto.Error):
            found.append(crypto.load_certificate(crypto.FILETYPE_ASN1, der))
    return tuple(found)


@lru_cache(maxsize=4)
def _web_store(roots: Roots) -> verification.Store:
    return verification.Store([x509.load_der_x509_certificate(der) for der in roots.certificates])


def _why(error: crypto.X509StoreContextError, facts: tuple[Certificate, ...]) -> str:
    """One sentence with the certificate's own name in it. `errors` is OpenSSL's code, depth and words."""
    code, depth, words = error.errors
    path = _path(facts)
    at = path[min(int(depth), len(path) - 1)]
    who = "it" if at is path[0] else at.subject
    if code == SELF_SIGNED_LEAF:
        return "self-signed, and not in the trust store"
    if code == SELF_SIGNED_ROOT:
        return f"its root {path[-1].subject} is not in the trust store"
    if code in NO_ISSUER:
        return f"its issuer {path[-1].issuer} was not sent and is not in the trust store"
    if code == EXPIRED:
        return f"{who} expired on {at.not_after:%Y-%m-%d}"
    if code == NOT_YET:
        return f"{who} is not valid before {at.not_before:%Y-%m-%d}"
    return f"{who}: {words}"


def _missing_intermediate(
    chain: tuple[bytes, ...],
    facts: tuple[Certificate, ...],
    error: crypto.X509StoreContextError,
    roots: Roots,
    now: datetime,
    known: tuple[bytes, ...],
) -> bool:
    """Proved by what other ports sent; else presumed where the certificate says how to fetch its issuer.

    A leaf of an unknown private authority looks the same but for that address.
    """
    if error.errors[0] not in NO_ISSUER:
        return False
    more = tuple(der for der in known if der not in chain)
    if more and not isinstance(_openssl(chain + more, roots, now), crypto.X509StoreContextError):
        return True
    top = _path(facts)[-1]
    return not top.self_issued and bool(top.ca_issuer_urls)


def _purpose_objection(path: tuple[Certificate, ...]) -> str:
    """PyOpenSSL's store knows no purpose; clients ask for a server's (RFC 5280 section 4.2.1.12)."""
    for one in path[:-1] or path:
        if one.extended_key_usage and not SERVER_PURPOSES & set(one.extended_key_usage):
            return f"{one.subject} is not for servers, only for {', '.join(one.extended_key_usage)}"
    return ""


def _any_name(leaf: Certificate) -> str:
    """A name the leaf stands for, so that the strict verifier talks of its shape and not of its names."""
    if leaf.dns_names:
        return leaf.dns_names[0].replace("*", "any", 1)
    return leaf.ip_addresses[0] if leaf.ip_addresses else "name.invalid"


def _web_profile(path: tuple[bytes, ...], roots: Roots, now: datetime, name: str) -> str:
    """Asked about the path OpenSSL found: what is sent besides has its own judgement."""
    moment = now.astimezone(UTC).replace(tzinfo=None)

    def ask() -> str:
        leaf, *rest = [x509.load_der_x509_certificate(der) for der in path]
        policy = verification.PolicyBuilder().store(_web_store(roots)).time(moment)
        try:
            policy.build_server_verifier(_subject(name)).verify(leaf, rest)
        except verification.VerificationError as error:
            words = str(error).removeprefix("validation failed: ").partition(" (encountered processing")[0]
            return printable(words)[:300]
        return ""

    try:
        return guarded(ask)
    except PeerGarbled as error:
        return str(error)


def _subject(name: str) -> x509.DNSName | x509.IPAddress:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(a_labels(name) or "name.invalid")
