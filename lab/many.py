"""Hundreds of mail domains in zones of their own, and the sixty questions an audit puts to each."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from lab.signing import Link, Signed
from lab.zones import REVERSE_4, Net, Zone

HEAD = "$TTL 3600\n@ IN SOA ns1.test. hostmaster.test. 1 3600 600 86400 3600\n@ IN NS ns1.test.\n"
LOOKUPS = 60
DIGEST = "ab" * 32
SELECTORS = (
    "default", "dkim", "google", "k1", "k2", "k3", "key1", "mail", "mandrill", "mx", "s1", "s2", "s1024", "s2048",
    "selector1", "selector2", "smtp", "zoho",
)  # fmt: skip
KEY = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="  # the example of RFC 8463
PRESENT = ("s1", "selector1")
TLSA = ("_25._tcp.mx1", "_25._tcp.mx2", *(f"_{port}._tcp.mail" for port in (110, 143, 465, 587, 993, 995, 4190)))
SRV = ("_submissions._tcp", "_submission._tcp", "_imaps._tcp", "_imap._tcp", "_pop3s._tcp", "_pop3._tcp", "_sieve._tcp")
RECORDS = f"""\
@ MX 10 mx1
@ MX 20 mx2
@ TXT "v=spf1 mx include:a._spf.{{name}} include:b._spf.{{name}} -all"
@ TXT "verification=0123456789abcdef"
@ CAA 0 issue "ca.test"
mx1 A {{address}}
mx2 A {{address}}
mail A {{address}}
a._spf TXT "v=spf1 ip4:192.0.2.0/24 include:c._spf.{{name}} ~all"
b._spf TXT "v=spf1 ip4:198.51.100.0/24 ~all"
c._spf TXT "v=spf1 ip4:203.0.113.0/24 ~all"
_dmarc TXT "v=DMARC1; p=reject; rua=mailto:dmarc@{{name}}"
_smtp._tls TXT "v=TLSRPTv1; rua=mailto:tls@{{name}}"
_25._tcp.mx1 TLSA 3 1 1 {DIGEST}
_25._tcp.mx2 TLSA 3 1 1 {DIGEST}
_993._tcp.mail CNAME _465._tcp.mail
_465._tcp.mail TLSA 3 1 1 {DIGEST}
_submissions._tcp SRV 0 1 465 mail
_imaps._tcp SRV 0 1 993 mail
autoconfig A {{address}}
autodiscover CNAME autoconfig
""" + "".join(f'{one}._domainkey TXT "{KEY}"\n' for one in PRESENT)


def names(count: int) -> tuple[str, ...]:
    return tuple(f"d{n:04}.test" for n in range(count))


def zones(count: int, net: Net) -> Iterator[Zone]:
    """Every second one is signed."""
    for n, name in enumerate(names(count)):
        text = HEAD + RECORDS.format(name=name, address=_address(n, net))
        yield Zone(name, text, *((Signed.NO, Link.NONE) if n % 2 else (Signed.NSEC, Link.RIGHT)))
    pointers = "".join(f"{_reverse(n, net)}. PTR mx1.{name}.\n" for n, name in enumerate(names(count)))
    yield Zone(REVERSE_4, HEAD + pointers)


def questions(count: int, net: Net) -> list[list[tuple[str, str]]]:
    """Of each domain."""
    return [[*_questions(name), (_reverse(n, net), "PTR")] for n, name in enumerate(names(count))]


def _questions(name: str) -> Iterator[tuple[str, str]]:
    yield from ((name, kind) for kind in ("MX", "TXT", "A", "AAAA", "CAA", "NS", "SOA"))
    yield from ((f"{host}.{name}", kind) for host in ("mx1", "mx2", "mail") for kind in ("A", "AAAA"))
    yield from ((f"{host}.{name}", "A") for host in ("autoconfig", "autodiscover", "mta-sts"))
    yield from ((f"{label}.{name}", "TXT") for label in ("_dmarc", "_mta-sts", "_smtp._tls"))
    yield from ((f"{label}._spf.{name}", "TXT") for label in "abc")
    yield from ((f"{label}.{name}", "TLSA") for label in TLSA)
    yield from ((f"{label}.{name}", "SRV") for label in SRV)
    yield from ((f"{label}._domainkey.{name}", "TXT") for label in SELECTORS)
    yield from ((f"{host}.{name}", "CAA") for host in ("mx1", "mx2", "mail"))


def _address(n: int, net: Net) -> str:
    """Beyond the addresses of the lab itself; nothing listens there."""
    return f"{net.prefix.rpartition('.')[0]}.{100 + n // 250}.{n % 250 + 1}"


def _reverse(n: int, net: Net) -> str:
    return ip_address(_address(n, net)).reverse_pointer
