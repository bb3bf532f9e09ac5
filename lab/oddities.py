"""Zones that are broken, unusual or hostile, each in one way, next to the domain in order."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import dedent

from gatepost.records.zone_text import quoted
from lab.signing import Link, Signed
from lab.zones import HEAD, Told, Zone

WORTH_A_LOOK = {
    "bogus.test": "signed, and its parent vouches for another key",
    "expired.test": "the signatures ended yesterday",
    "stale.test": "TLSA records of a key that is not served",
    "aged.test": "records as they were set up ten years ago",
    "wrong-mx.sts.test": "an MTA-STS policy that names another exchanger",
}
ODD_STS = ("wrong-mx", "expired", "wrong-name", "unknown-ca", "redirect", "huge", "testing", "missing", "page")
LARGE = 20  # strings of 250 octets: more than one UDP answer, and than 4 KB


def odd(told: Told) -> Iterator[Zone]:
    yield from _trust(told)
    yield from _domains(told)
    yield from _policies(told)
    yield from _dane(told)
    yield from _servers(told)


def _trust(told: Told) -> Iterator[Zone]:
    """The same content, believed to a different degree."""
    records = f"{_mail_of('mx', told)}_25._tcp.mx TLSA 3 1 1 {told.key}\n"
    yield Zone("insecure.test", _zone(records), Signed.NO, Link.NONE)
    yield Zone("island.test", _zone(records), link=Link.NONE)
    yield Zone("bogus.test", _zone(records), link=Link.WRONG)
    yield Zone("expired.test", _zone(records), Signed.EXPIRED)
    yield Zone("nsec3.test", _zone(records), Signed.NSEC3)


def _mail_of(exchanger: str, told: Told) -> str:
    """Mail in order, but for what the zone is about: the exchanger is the host in order under another name."""
    return dedent(f"""
        @ MX 10 {exchanger}
        {exchanger} A {told.host.address}
        @ TXT "v=spf1 mx -all"
        _dmarc TXT "v=DMARC1; p=reject; rua=mailto:dmarc@lab.test"
        _smtp._tls TXT "v=TLSRPTv1; rua=mailto:tls-reports@lab.test"
        """)


def _domains(told: Told) -> Iterator[Zone]:
    yield Zone("nullmx.test", _zone('@ MX 0 .\n@ TXT "v=spf1 -all"\n_dmarc TXT "v=DMARC1; p=reject"\n'))
    parked = '@ TXT "v=spf1 -all"\n_dmarc TXT "v=DMARC1; p=reject"\n*._domainkey TXT "v=DKIM1; p="\n'
    yield Zone("parked.test", _zone(parked))
    yield Zone(
        "alias.test",
        _zone(f"""
            @ TXT "v=spf1 mx -all"
            @ MX 10 mx
            @ MX 20 private
            @ MX 30 nowhere
            @ MX 40 192.0.2.1.
            mx CNAME {told.host.name}.
            private A 10.0.0.25
            """),
    )
    yield Zone(
        "dual.test",
        _zone("""
            @ TXT "v=spf1 mx -all"
            @ MX 10 mx1
            @ MX 20 mx2
            mx1 A 192.0.2.25
            mx1 AAAA 2001:db8::25
            mx2 AAAA 2001:db8::27
            """),
    )
    yield Zone("large.test", _zone(f"@ TXT {quoted('v=spf1 mx -all')}\n" + _large()))


def _large() -> str:
    return "".join(f"@ TXT {quoted(f'verification={n:02}-' + 'x' * 235)}\n" for n in range(LARGE))


def _policies(told: Told) -> Iterator[Zone]:
    yield Zone("spf.test", _zone(_spf()))
    yield Zone("aged.test", _zone(_aged(told)))
    yield Zone("reports.test", _zone('aged.test._report._dmarc TXT "v=DMARC1"\n'))
    yield Zone(
        "tree.test",
        _zone("""
            _dmarc TXT "v=DMARC1; p=none; sp=quarantine; np=reject"
            _dmarc.unit TXT "v=DMARC1; p=reject; psd=n"
            a.unit A 192.0.2.40
            b A 192.0.2.41
            a.b.c.d.e.f.g.h.i.deep A 192.0.2.42
            """),
    )
    yield Zone(
        "registry.test", _zone('_dmarc TXT "v=DMARC1; p=reject; psd=y"\n_dmarc.member TXT "v=DMARC1; p=none; t=y"\n')
    )
    policy = '_dmarc TXT "v=DMARC1; p=reject; rua=mailto:dmarc@lab.test"\n'
    yield Zone("sts.test", _zone(policy) + "".join(_sts(name, told) for name in (*ODD_STS, "closed", "nowhere")))


def _spf() -> str:
    """Limits of RFC 7208 section 4.6.4, each just broken or just kept."""
    included = "".join(f'n{n} TXT "v=spf1 ip4:192.0.2.{n} ?all"\n' for n in range(11))
    return (
        dedent(f"""
        ten TXT {quoted(_includes(10))}
        eleven TXT {quoted(_includes(11))}
        loop TXT "v=spf1 include:pool.spf.test -all"
        pool TXT "v=spf1 include:loop.spf.test -all"
        voids TXT "v=spf1 a:v1.spf.test a:v2.spf.test a:v3.spf.test -all"
        twice TXT "v=spf1 -all"
        twice TXT "v=spf1 mx -all"
        everybody TXT "v=spf1 +all"
        slow TXT "v=spf1 ptr -all"
        moved TXT "v=spf1 redirect=ten.spf.test"
        faraway TXT "v=spf1 include:lame.test -all"
        """)
        + included
    )


def _includes(count: int) -> str:
    return "v=spf1 " + " ".join(f"include:n{n}.spf.test" for n in range(count)) + " -all"


def _aged(told: Told) -> str:
    """What a domain looks like that was set up ten years ago."""
    return dedent(f"""
        @ MX 10 {told.host.name}.
        @ TXT "v=spf1 ip4:192.0.2.0/24 ~all"
        _dmarc TXT "v=DMARC1; p=none; pct=50; ri=86400; rua=mailto:d@reports.test,mailto:d@stranger.test"
        weak._domainkey TXT {quoted(f"v=DKIM1; k=rsa; p={told.signers.p('weak')}")}
        test._domainkey TXT {quoted(f"v=DKIM1; t=y; h=sha1; p={told.signers.p('rsa')}")}
        split._domainkey TXT {_split(f"v=DKIM1; p={told.signers.p('rsa')}")}
        twice._domainkey TXT "v=DKIM1; p="
        twice._domainkey TXT {quoted(f"v=DKIM1; p={told.signers.p('rsa')}")}
        garbled._domainkey TXT "v=DKIM1; p=not!base64"
        """)


def _split(text: str) -> str:
    """In very many strings: odd, and legal."""
    return " ".join(f'"{text[at : at + 20]}"' for at in range(0, len(text), 20))


def _sts(name: str, told: Told) -> str:
    """`closed` points to an address where no web server is, `nowhere` has no policy host at all."""
    web = told.net.authority if name == "closed" else told.net.web
    host = "" if name == "nowhere" else f"mta-sts.{name} A {web}\n"
    return (
        dedent(f"""
        {name} MX 10 {told.host.name}.
        {name} TXT "v=spf1 mx -all"
        _smtp._tls.{name} TXT "v=TLSRPTv1; rua=mailto:tls-reports@lab.test"
        _mta-sts.{name} TXT "v=STSv1; id=1"
        """)
        + host
    )


def _dane(told: Told) -> Iterator[Zone]:
    """The same real server under other names: DANE-EE does not look at them (RFC 7671 section 5.1)."""
    mail = _mail_of("mail", told)
    keys = "".join(f"_25._tcp.mail TLSA 3 1 1 {key}\n" for key in (told.key, told.next_key))
    yield Zone("rollover.test", _zone(mail + keys))
    yield Zone("stale.test", _zone(mail + f"_25._tcp.mail TLSA 3 1 1 {told.next_key}\n"))
    yield Zone("unusable.test", _zone(mail) + _unusable(told))
    yield Zone("short.test", _zone(mail) + "_25._tcp.mail TLSA 3 1 1 abcd\n", Signed.NO, Link.NONE)


def _unusable(told: Told) -> str:
    """Not for SMTP, of an unknown kind, and behind a name that cannot be believed."""
    return dedent(f"""
        _25._tcp.mail TLSA 1 1 1 {told.key}
        _587._tcp.mail TLSA 3 1 9 {told.key}
        _993._tcp.mail CNAME _25._tcp.mx.bogus.test.
        """)


def _servers(told: Told) -> Iterator[Zone]:
    """Delegations that lead to nobody who knows."""
    yield Zone("lame.test", signed=Signed.NO, link=Link.NONE, server=told.net.lame)
    yield Zone("dead.test", signed=Signed.NO, link=Link.NONE, server=told.net.silent)


def _zone(records: str) -> str:
    return HEAD + dedent(records)
