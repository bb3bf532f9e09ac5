"""The zones of the lab: one mail domain in order, and what is served for it. The odd ones are in `lab.oddities`."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from gatepost.records.zone_text import quoted
from lab.signing import Link, Signed
from lab.site import DOMAIN, Site

HEAD = "$TTL 300\n@ IN SOA ns1.test. hostmaster.test. 1 3600 600 86400 60\n@ IN NS ns1.test.\n"
ROOT, TOP = "", "test"
REVERSE_4 = "127.in-addr.arpa"
REVERSE_6 = "8.b.d.0.1.0.0.2.ip6.arpa"  # of 2001:db8::/32, which exists in documents only
SELECTORS = {"r2026": "rsa", "e2026": "ed25519"}
DKIM_BITS = 2048
WEAK_BITS = 1024


@dataclass(frozen=True, slots=True)
class Net:
    """Who lives where, on the loopback network of one lab."""

    prefix: str

    def at(self, number: int) -> str:
        return f"{self.prefix}.{number}"

    @property
    def resolver(self) -> str:
        return self.at(53)

    @property
    def authority(self) -> str:
        return self.at(54)

    @property
    def lame(self) -> str:
        """A name server that knows none of the zones delegated to it."""
        return self.at(55)

    @property
    def silent(self) -> str:
        """A name server that takes questions and answers none."""
        return self.at(56)

    @property
    def web(self) -> str:
        return self.at(57)


@dataclass(frozen=True, slots=True)
class Zone:
    """`server` is where a delegation leads when it is not the lab's own server; such a zone has no text."""

    name: str
    text: str = ""
    signed: Signed = Signed.NSEC
    link: Link = Link.RIGHT
    server: str = ""


@dataclass(frozen=True, slots=True)
class Signers:
    """DKIM keys of one lab."""

    usual: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, DKIM_BITS))
    weak: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, WEAK_BITS))
    edwards: ed25519.Ed25519PrivateKey = field(default_factory=ed25519.Ed25519PrivateKey.generate)

    def pem(self, kind: str) -> bytes:
        key = self.edwards if kind == "ed25519" else self.usual
        return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def p(self, kind: str) -> str:
        """What stands behind p=: SubjectPublicKeyInfo for RSA, the bare key for Ed25519 (RFC 8463 section 4)."""
        if kind == "ed25519":
            return _base64(self.edwards.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
        key = self.weak if kind == "weak" else self.usual
        return _base64(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


@dataclass(frozen=True, slots=True)
class Told:
    """What DNS has to tell: the host in order, the others beside it, and digests of the keys that it serves."""

    net: Net
    host: Site
    others: tuple[Site, ...]
    key: str  # sha256 of the SubjectPublicKeyInfo that the host's ports serve
    issuer: str  # the same of the certificate that issued it
    signers: Signers = field(default_factory=Signers)

    @property
    def next_key(self) -> str:
        """Of a key that nobody has yet."""
        return hashlib.sha256(self.key.encode()).hexdigest()


def good(told: Told) -> Iterator[Zone]:
    """The domain in order, and the reverse names of everything that listens."""
    yield Zone(DOMAIN, HEAD + _records(told) + "".join(_address(site, DOMAIN) for site in (told.host, *told.others)))
    pointers = "".join(_pointer(site.address, site.name, REVERSE_4) for site in (told.host, *told.others))
    yield Zone(REVERSE_4, HEAD + pointers)
    yield Zone(REVERSE_6, HEAD + _reverse_6(), Signed.NO, Link.NONE)


def _records(told: Told) -> str:
    mail, web = told.host.name, told.net.web
    keys = "".join(
        f"{name}._domainkey TXT {quoted(f'v=DKIM1; k={kind}; p={told.signers.p(kind)}')}\n"
        for name, kind in SELECTORS.items()
    )
    return f"""
@ MX 10 {mail}.
@ TXT {quoted("v=spf1 mx -all")}
@ CAA 0 issue "ca.{DOMAIN}"
@ CAA 0 issuewild ";"
@ CAA 0 iodef "mailto:security@{DOMAIN}"
_dmarc TXT {quoted(f"v=DMARC1; p=reject; np=reject; rua=mailto:dmarc@{DOMAIN}")}
*._report._dmarc TXT "v=DMARC1"
_mta-sts TXT "v=STSv1; id=20261101T000000"
_smtp._tls TXT {quoted(f"v=TLSRPTv1; rua=mailto:tls-reports@{DOMAIN}")}
{keys}\
r2024._domainkey TXT "v=DKIM1; p="
mta-sts A {web}
autoconfig A {web}
autodiscover A {web}
_autodiscover._tcp SRV 0 1 443 autodiscover.{DOMAIN}.
_submissions._tcp SRV 0 1 465 {mail}.
_submission._tcp SRV 10 1 587 {mail}.
_imaps._tcp SRV 0 1 993 {mail}.
_pop3s._tcp SRV 10 1 995 {mail}.
_imap._tcp SRV 0 0 0 .
_pop3._tcp SRV 0 0 0 .
_sieve._tcp SRV 0 1 4190 {mail}.
_25._tcp.{mail}. TLSA 3 1 1 {told.key}
_25._tcp.{mail}. TLSA 2 1 1 {told.issuer}
_465._tcp.{mail}. TLSA 3 1 1 {told.key}
_587._tcp.{mail}. TLSA 3 1 1 {told.key}
_110._tcp.{mail}. CNAME _tlsa.{mail}.
_143._tcp.{mail}. CNAME _tlsa.{mail}.
_993._tcp.{mail}. CNAME _tlsa.{mail}.
_995._tcp.{mail}. CNAME _tlsa.{mail}.
_4190._tcp.{mail}. CNAME _tlsa.{mail}.
_tlsa.{mail}. TLSA 3 1 1 {told.key}
"""


def _address(site: Site, domain: str) -> str:
    return f"{site.name}. A {site.address}\n" if site.name.endswith(f".{domain}") else ""


def _pointer(address: str, name: str, origin: str) -> str:
    owner = ip_address(address).reverse_pointer
    return f"{owner}. PTR {name}.\n" if owner.endswith(f".{origin}") else ""


def _reverse_6() -> str:
    """Confirmed, leading elsewhere, and two names of which one leads back."""
    rows = (
        ("2001:db8::25", "mx1.dual.test"),
        ("2001:db8::26", "mx1.dual.test"),
        ("2001:db8::27", "mx2.dual.test"),
        ("2001:db8::27", "nobody.dual.test"),
    )
    return "".join(_pointer(address, name, REVERSE_6) for address, name in rows)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
