"""What the demo's name server says: one domain that is kept well, and one with the usual mistakes."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from hashlib import sha256
from ipaddress import ip_address

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_pem_x509_certificates

from gatepost.demo.authority import Papers

Records = dict[tuple[str, str], list[str]]


def good_zone(name: str, address: str, web: str, ports: Iterable[int], papers: Papers) -> Records:
    """`ports` serve `papers`, and each says so. `web` is where policies are fetched."""
    pin = f"3 1 1 {spki_digest(papers)}"
    return {
        (name, "MX"): [f"10 {name}."],
        (name, _kind(address)): [address],
        (name, "TXT"): ['"v=spf1 mx -all"'],
        (name, "CAA"): ['0 issue "ca.demo.test"'],
        (f"s2026._domainkey.{name}", "TXT"): [strings(dkim_record(2048))],
        (f"_dmarc.{name}", "TXT"): [f'"v=DMARC1; p=reject; np=reject; rua=mailto:dmarc@{name}"'],
        (f"_mta-sts.{name}", "TXT"): ['"v=STSv1; id=20261001"'],
        (f"_smtp._tls.{name}", "TXT"): [f'"v=TLSRPTv1; rua=mailto:tls@{name}"'],
        (f"mta-sts.{name}", _kind(web)): [web],
        **{(f"_{port}._tcp.{name}", "TLSA"): [pin] for port in ports},
        **_reverse(address, name),
    }


def bad_zone(name: str, address: str, web: str, port: int) -> Records:
    """Many look-ups and an open end, a weak key in testing, no policy, and a pin nobody serves."""
    chain = {(f"s{n}.spf.{name}", "TXT"): [f'"v=spf1 include:s{n + 1}.spf.{name} ?all"'] for n in range(1, 12)}
    return {
        (name, "MX"): [f"10 {name}."],
        (name, _kind(address)): [address],
        (name, "TXT"): [f'"v=spf1 a mx include:s1.spf.{name} +all"'],
        (f"default._domainkey.{name}", "TXT"): [strings(dkim_record(1024, "t=y; "))],
        (f"_dmarc.{name}", "TXT"): [f'"v=DMARC1; p=none; pct=50; rua=mailto:dmarc@{name}"'],
        (f"_mta-sts.{name}", "TXT"): ['"v=STSv1; id=1"'],
        (f"mta-sts.{name}", _kind(web)): [web],
        (f"_{port}._tcp.{name}", "TLSA"): [f"3 1 1 {'0' * 64}"],
        **chain,
        (f"s12.spf.{name}", "TXT"): ['"v=spf1 ?all"'],
    }


def policies(good: str, bad: str) -> dict[str, str]:
    """The bad domain's policy forgot its exchanger."""
    path = "/.well-known/mta-sts.txt"
    head = "version: STSv1\r\nmode: enforce\r\n"
    return {
        f"mta-sts.{good}{path}": f"{head}mx: {good}\r\nmax_age: 604800\r\n",
        f"mta-sts.{bad}{path}": f"{head}mx: mail.{bad}\r\nmax_age: 86400\r\n",
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


def strings(text: str) -> str:
    """As character strings of at most 255 octets (RFC 1035 section 3.3.14)."""
    return " ".join(f'"{text[n : n + 255]}"' for n in range(0, len(text), 255))


def _kind(address: str) -> str:
    return "AAAA" if ":" in address else "A"


def _reverse(address: str, name: str) -> Records:
    return {(ip_address(address).reverse_pointer, "PTR"): [f"{name}."]}
