"""What the demo's name server says: one domain that is kept well, and one with the usual mistakes."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import ip_address

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_pem_x509_certificates

from gatepost.demo.authority import Papers
from gatepost.records.srv import labels
from gatepost.records.zone_text import quoted

Records = dict[tuple[str, str], list[str]]


@dataclass(frozen=True, slots=True)
class Site:
    """A domain with one exchanger. `web` is where its policy is fetched."""

    domain: str
    host: str
    address: str
    web: str


def good_zone(site: Site, services: Mapping[str, int], papers: Papers) -> Records:
    """`services` are ports by the catalogue's name: all serve `papers` and say so, and clients are told of them."""
    domain, pin = site.domain, f"3 1 1 {spki_digest(papers)}"
    return {
        **_basics(site),
        (domain, "TXT"): ['"v=spf1 mx -all"'],
        (domain, "CAA"): [f'0 issue "ca.{domain}"'],
        (f"s2026._domainkey.{domain}", "TXT"): [quoted(dkim_record(2048))],
        (f"_dmarc.{domain}", "TXT"): [f'"v=DMARC1; p=reject; np=reject; rua=mailto:dmarc@{domain}"'],
        (f"_mta-sts.{domain}", "TXT"): ['"v=STSv1; id=20261001"'],
        (f"_smtp._tls.{domain}", "TXT"): [f'"v=TLSRPTv1; rua=mailto:tls@{domain}"'],
        **{(f"_{port}._tcp.{site.host}", "TLSA"): [pin] for port in services.values()},
        **{(f"{label}.{domain}", "SRV"): [_pointer(site, services.get(name))] for label, name in labels().items()},
        (ip_address(site.address).reverse_pointer, "PTR"): [f"{site.host}."],
    }


def bad_zone(site: Site, smtp: int, imap: int) -> Records:
    """Too many look-ups and an open end, a weak key in testing, a policy that names a host which is gone, a pin
    nobody serves, and clients sent to a port that begins in clear.
    """
    domain = site.domain
    chain = {
        (f"s{n}.spf.{domain}", "TXT"): [f'"v=spf1 a:h{n}.{domain} include:s{n + 1}.spf.{domain} ?all"']
        for n in range(1, 6)
    }
    return {
        **_basics(site),
        (domain, "TXT"): [f'"v=spf1 a mx include:s1.spf.{domain} +all"'],
        (f"default._domainkey.{domain}", "TXT"): [quoted(dkim_record(1024, "t=y; "))],
        (f"_dmarc.{domain}", "TXT"): [f'"v=DMARC1; p=none; pct=50; rua=mailto:dmarc@{domain}"'],
        (f"_mta-sts.{domain}", "TXT"): ['"v=STSv1; id=1"'],
        (f"_smtp._tls.{domain}", "TXT"): [f'"v=TLSRPTv1; rua=mailto:tls@{domain}"'],
        (f"_imap._tcp.{domain}", "SRV"): [_pointer(site, imap)],
        (f"_{smtp}._tcp.{site.host}", "TLSA"): [f"3 1 1 {'0' * 64}"],
        **chain,
        **{(f"h{n}.{domain}", "A"): [f"192.0.2.{n}"] for n in range(1, 6)},
        (f"s6.spf.{domain}", "TXT"): ['"v=spf1 ?all"'],
    }


def _pointer(site: Site, port: int | None) -> str:
    """A target of `.` says that there is no such service (RFC 2782)."""
    return f"0 1 {port} {site.host}." if port else "0 0 0 ."


def _basics(site: Site) -> Records:
    return {
        (site.domain, "MX"): [f"10 {site.host}."],
        (site.host, _kind(site.address)): [site.address],
        (f"mta-sts.{site.domain}", _kind(site.web)): [site.web],
    }


def policies(good: tuple[str, str], bad: tuple[str, str]) -> dict[str, str]:
    """Each is a domain and its exchanger. The bad domain's policy names a host that is gone."""
    head = "version: STSv1\r\nmode: enforce\r\n"
    return {
        f"mta-sts.{good[0]}/.well-known/mta-sts.txt": f"{head}mx: {good[1]}\r\nmax_age: 604800\r\n",
        f"mta-sts.{bad[0]}/.well-known/mta-sts.txt": f"{head}mx: mx1.{bad[0]}\r\nmax_age: 86400\r\n",
    }


def merged(*zones: Mapping[tuple[str, str], list[str]]) -> Records:
    """One table; records at the same place are kept side by side."""
    together: Records = {}
    for zone in zones:
        for place, texts in zone.items():
            together[place] = [*together.get(place, []), *texts]
    return together


def spki_digest(papers: Papers) -> str:
    """SHA-256 of the leaf's SubjectPublicKeyInfo, hexadecimal (RFC 6698 section 2.1)."""
    leaf = load_pem_x509_certificates(papers.chain)[0]
    return sha256(leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def dkim_record(bits: int, flags: str = "") -> str:
    key = rsa.generate_private_key(65537, bits).public_key()
    shown = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"v=DKIM1; k=rsa; {flags}p={b64encode(shown).decode()}"


def _kind(address: str) -> str:
    return "AAAA" if ":" in address else "A"
