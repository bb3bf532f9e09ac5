"""A realistic audit to render: mail.example.org is kept well, old.example.net is not."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from gatepost.model.architecture import Architecture, Domain, Endpoint, Host, Service, Waiver
from gatepost.model.audit import Audit
from gatepost.model.certificate import Certificate, Trust
from gatepost.model.finding import Finding
from gatepost.model.observation import (
    Advertised,
    Capabilities,
    CertificateSeen,
    Closed,
    Feature,
    Greeting,
    Handshake,
    Hello,
    Identified,
    Injected,
    Listening,
    Observation,
    Run,
    Seen,
    Tried,
    Unobserved,
    Upgrade,
    Vantage,
)
from gatepost.model.words import Mode, Outcome, Reason, Role, Severity

NOW = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
GOOD, BAD = "mail.example.org", "old.example.net"
GOOD_V4, GOOD_V6, BAD_V4 = "192.0.2.25", "2001:db8::25", "198.51.100.7"
SOURCE = "203.0.113.9"

SERVICES = {
    25: Service("smtp", 25, "smtp", Role.MX, Mode.STARTTLS, "world", ("internet",), line=12),
    465: Service("submissions", 465, "smtp", Role.SUBMISSION, Mode.IMPLICIT, sources=("internet",), line=12),
    587: Service("submission", 587, "smtp", Role.SUBMISSION, Mode.STARTTLS, sources=("office",), line=13),
    993: Service("imaps", 993, "imap", Role.ACCESS, Mode.IMPLICIT, sources=("internet",), line=12),
    995: Service("pop3s", 995, "pop3", Role.ACCESS, Mode.IMPLICIT, sources=("internet",), line=14),
    4190: Service("managesieve", 4190, "managesieve", Role.SIEVE, Mode.STARTTLS, sources=("office",), line=15),
}
PRESUMED = (
    Service("smtp", 25, "smtp", Role.MX, Mode.STARTTLS, "world", declared=False),
    Service("submissions", 465, "smtp", Role.SUBMISSION, Mode.IMPLICIT, declared=False),
    Service("pop3", 110, "pop3", Role.ACCESS, Mode.STARTTLS, declared=False),
    Service("imap", 143, "imap", Role.ACCESS, Mode.STARTTLS, declared=False),
    Service("imaps", 993, "imap", Role.ACCESS, Mode.IMPLICIT, declared=False),
)
ARCHITECTURE = Architecture(
    organization="Example",
    hosts=(
        Host(GOOD, (GOOD_V4, GOOD_V6), tuple(SERVICES.values()), line=10),
        Host(BAD, (BAD_V4,), PRESUMED),
    ),
    domains=(Domain("example.org", (GOOD,), "reject", "enforce", dane=True, line=20),),
    source="gatepost.toml",
)
WAIVER = Waiver("GP-TLS-004", f"{BAD}:25", "postmaster", "partner X still sends TLS 1.0", date(2027, 1, 31), 31)
HOSTILE = '\x1b[2J<script>alert("220")</script>\u202e=cmd|calc'


def certificate(name: str, *, days: int, bits: int = 2048, issuer: str = "CN=R13,O=Let's Encrypt,C=US") -> Certificate:
    """Fingerprints are made up from the name and the lifetime, so that equal ones are the same."""
    mark = f"{name}-{days}-{bits}".encode().hex()[:64].ljust(64, "0")
    return Certificate(
        mark, mark[::-1], f"CN={name}", issuer, "04a1b2c3", NOW + timedelta(days=days - 90),
        NOW + timedelta(days=days, hours=3), (name,), (), name, "rsa", bits, None, "sha256",
        "sha256WithRSAEncryption", is_ca=False, key_usage=("digital_signature", "key_encipherment"),
        extended_key_usage=("serverAuth",), ocsp_urls=(), crl_urls=("http://crl.example/1.crl",),
        ca_issuer_urls=("http://ca.example/r13.der",), sct_count=2, must_staple=False, self_issued=False,
        der=base64.b64encode(mark.encode()).decode(),
    )  # fmt: skip


def authority() -> Certificate:
    mark = "ca" * 32
    return Certificate(
        mark, mark, "CN=R13,O=Let's Encrypt,C=US", "CN=ISRG Root X1", "01", NOW - timedelta(days=400),
        NOW + timedelta(days=800), (), (), "R13", "rsa", 2048, None, "sha256", "sha256WithRSAEncryption",
        is_ca=True, key_usage=("key_cert_sign", "crl_sign"), extended_key_usage=(), ocsp_urls=(), crl_urls=(),
        ca_issuer_urls=(), sct_count=0, must_staple=False, self_issued=False,
        der=base64.b64encode(b"authority").decode(),
    )  # fmt: skip


GOOD_CERTIFICATE = certificate(GOOD, days=61)
OLD_CERTIFICATE = certificate(BAD, days=-12)
OLD_IMAPS = certificate(BAD, days=19, bits=1024, issuer=f"CN={BAD}")
AUTHORITY = authority()
TRUSTED = Trust(valid=True, path=(GOOD_CERTIFICATE.sha256, AUTHORITY.sha256, "00" * 32))
EXPIRED = Trust(valid=False, why="certificate has expired")
SELF_SIGNED = Trust(valid=False, why="self-signed certificate")


def good(port: int, address: str) -> Endpoint:
    return Endpoint(GOOD, address, port)


def old(port: int) -> Endpoint:
    return Endpoint(BAD, BAD_V4, port)


def _speaks(at: Endpoint, protocol: str, mode: Mode, greeting: str, software: str) -> tuple[Observation, ...]:
    return (
        Vantage(at, SOURCE, "office"),
        Listening(at),
        Identified(at, protocol, mode, greeting, software),
        Greeting(at, greeting, mode is Mode.IMPLICIT, 0.021, software, "", at.host),
    )


def _good_host(address: str) -> Iterable[Observation]:
    for port, service in SERVICES.items():
        at = good(port, address)
        if (port, address) == (4190, GOOD_V6):
            yield Unobserved(at, "listening", Reason.FILTERED, "no answer within 8 s")
            continue
        if port == 995:
            yield Closed(at, "connection refused")
            continue
        words = f"220 {GOOD} ESMTP Postfix" if service.protocol == "smtp" else "* OK Dovecot ready."
        yield from _speaks(at, service.protocol, service.mode, words, "Postfix" if "220" in words else "Dovecot")
        if service.mode is Mode.STARTTLS:
            yield Capabilities(at, ("PIPELINING", "SIZE 52428800", "STARTTLS"), encrypted=False)
            yield Upgrade(at, offered=True, accepted=True, answer="220 2.0.0 Ready to start TLS")
        if service.mode is Mode.STARTTLS and port != 25:
            answer = "530 5.7.0 Must issue a STARTTLS command first"
            yield Tried(at, "mail-before-tls", accepted=False, encrypted=False, sent="MAIL FROM:<>", answer=answer)
        yield Handshake(at, GOOD, "TLSv1.3", "TLS_AES_256_GCM_SHA384", "X25519MLKEM768")
        yield CertificateSeen(at, GOOD, (GOOD_CERTIFICATE, AUTHORITY), TRUSTED)
        yield CertificateSeen(at, None, (GOOD_CERTIFICATE, AUTHORITY), TRUSTED)
    for port in (24, 26, 110, 143, 2525):
        yield Closed(good(port, address), "connection refused")


OLD_POP3 = Capabilities(old(110), ("TOP", "UIDL", "USER", "SASL PLAIN LOGIN"), encrypted=False)
OLD_IMAP = Capabilities(
    old(143), ("IMAP4REV1", "STARTTLS", "AUTH=PLAIN", "AUTH=LOGIN", "AUTH=ANONYMOUS"), encrypted=False
)
OLD_LOGIN = Tried(
    old(143),
    "login-in-clear",
    accepted=True,
    encrypted=False,
    sent="a2 AUTHENTICATE PLAIN",
    answer="+ (go ahead)",
)
OLD_HELLO = Hello(
    old(465),
    "legacy-versions",
    BAD,
    "",
    "TLSv1.0",
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    chain=(OLD_CERTIFICATE.sha256,),
)
OLD_HELLO_993 = Hello(old(993), "legacy-versions", BAD, "", "TLSv1.1", "TLS_RSA_WITH_AES_128_CBC_SHA")
OLD_DH = Hello(
    old(465),
    "dhe",
    BAD,
    "",
    "TLSv1.2",
    "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
    "",
    "",
    1024,
    "rfc2409-group-2",
)
OLD_INJECTED = Injected(old(25), "command", happened=True, detail="NOOP sent behind STARTTLS was answered inside TLS")
OLD_SERVED = CertificateSeen(old(465), BAD, (OLD_CERTIFICATE,), EXPIRED)
OLD_SERVED_993 = CertificateSeen(old(993), BAD, (OLD_IMAPS,), SELF_SIGNED)
OLD_BANNER = Greeting(old(25), f"220-{HOSTILE}\n220 {BAD} ESMTP Exim 4.92", encrypted=False, seconds=0.4,
                      software="Exim", version="4.92", host=BAD)  # fmt: skip
OLD_RELAY = Tried(
    old(25), "relay:percent", accepted=True, encrypted=False, sent="RCPT TO:<user%example.com@old.example.net>",
    answer="250 Accepted",
)  # fmt: skip
OLD_LIMIT = Unobserved(old(587), "tls", Reason.LIMITED, "421 4.7.0 Too many connections from you")
OLD_TARPIT = Unobserved(old(25), "smuggle", Reason.NOT_ASKED, "needs --mine")
GOOD_STALLED = Unobserved(good(4190, GOOD_V6), "listening", Reason.FILTERED, "no answer within 8 s")


def _old_host() -> Iterable[Observation]:
    yield Vantage(old(25), SOURCE, "office")
    yield Listening(old(25))
    yield Identified(old(25), "smtp", Mode.STARTTLS, f"220-{HOSTILE}", "Exim 4.92")
    yield OLD_BANNER
    yield Upgrade(old(25), offered=True, accepted=True, answer="220 TLS go ahead")
    yield OLD_INJECTED
    yield OLD_RELAY
    yield OLD_TARPIT
    yield Handshake(old(25), BAD, "TLSv1.2", "TLS_RSA_WITH_AES_128_CBC_SHA")
    yield CertificateSeen(old(25), BAD, (OLD_CERTIFICATE,), EXPIRED)
    yield from _speaks(old(465), "smtp", Mode.IMPLICIT, f"220 {BAD} ESMTP Exim 4.92", "Exim 4.92")
    yield OLD_HELLO
    yield OLD_DH
    yield OLD_SERVED
    yield Feature(old(465), "fallback-scsv", present=False, detail="inappropriate_fallback was not sent")
    yield Listening(old(587))
    yield OLD_LIMIT
    yield from _speaks(old(110), "pop3", Mode.NONE, "+OK ready", "")
    yield OLD_POP3
    yield from _speaks(old(143), "imap", Mode.STARTTLS, "* OK IMAP4rev1 ready", "")
    yield OLD_IMAP
    yield Upgrade(old(143), offered=True, accepted=True, answer="a1 OK Begin TLS")
    yield OLD_LOGIN
    yield from _speaks(old(993), "imap", Mode.IMPLICIT, "* OK IMAP4rev1 ready", "")
    yield OLD_HELLO_993
    yield OLD_SERVED_993
    yield Closed(old(24), "connection refused")
    yield Unobserved(old(4190), "listening", Reason.FILTERED, "no answer within 8 s")


def _dns() -> Iterable[Observation]:
    at = Endpoint("example.org")
    yield Advertised(at, "mx", "smtp", GOOD, 25, Mode.STARTTLS, 10)
    yield Advertised(at, "srv", "submissions", GOOD, 465, Mode.IMPLICIT)
    yield Advertised(at, "srv", "imaps", GOOD, 993, Mode.IMPLICIT)
    yield Advertised(Endpoint("example.net"), "mx", "smtp", BAD, 25, Mode.STARTTLS, 10)


def finding(
    control: str, check: str, subject: str, role: Role, outcome: Outcome, severity: Severity, because: str,
    *evidence: Observation, remedy: str = "", places: tuple[Endpoint, ...] = (), waiver: Waiver | None = None,
) -> Finding:  # fmt: skip
    where = places or tuple(sorted({o.at for o in evidence}))
    seen = datetime(2026, 10, 2, 4, 0, tzinfo=UTC) if outcome is Outcome.FAIL else None
    return Finding(
        control, check, subject, role, outcome, severity, because, evidence, remedy,
        tuple(str(at) for at in where), seen, waiver,
    )  # fmt: skip


def _failures() -> Iterable[Finding]:
    fail = Outcome.FAIL
    yield finding(
        "GP-RELAY-001", "strangers-are-refused", f"{BAD}:25", Role.MX, fail, Severity.CRITICAL,
        "accepts a recipient elsewhere when it is written with a percent sign (user%example.com@old.example.net)",
        OLD_RELAY, remedy="Exim: deny local_parts = ^.*[@%!/|] in acl_check_rcpt, before any accept",
    )  # fmt: skip
    yield finding(
        "GP-STLS-002", "no-password-in-clear", f"{BAD}: 110, 143", Role.ACCESS, fail, Severity.CRITICAL,
        "passwords are accepted before TLS: AUTHENTICATE PLAIN on 143, USER and SASL PLAIN LOGIN on 110",
        OLD_LOGIN, OLD_POP3,
        remedy="Dovecot 2.3: disable_plaintext_auth = yes and ssl = required\nDovecot 2.4: auth_allow_cleartext = no",
    )  # fmt: skip
    yield finding(
        "GP-STLS-003", "nothing-carried-over", f"{BAD}:25", Role.MX, fail, Severity.CRITICAL,
        "a command sent in clear behind STARTTLS was executed inside TLS (CVE-2011-0411 class)", OLD_INJECTED,
        remedy="Exim: upgrade to a supported release; this one is past its end of life",
    )  # fmt: skip
    yield finding(
        "GP-CERT-003", "not-expired", f"{BAD}: 25, 465", Role.MX, fail, Severity.CRITICAL,
        "the certificate expired 12 days ago, on 2026-11-12", OLD_SERVED, places=(old(25), old(465)),
        remedy="Renew it and reload: certbot renew --deploy-hook 'systemctl reload exim4 dovecot'",
    )  # fmt: skip
    yield finding(
        "GP-TLS-002", "old-versions-refused", f"{BAD}: 465, 993", Role.SUBMISSION, fail, Severity.HIGH,
        "TLS 1.0 is accepted on 465 and TLS 1.1 on 993", OLD_HELLO, OLD_HELLO_993,
        remedy="Exim: tls_require_ciphers = NORMAL:-VERS-ALL:+VERS-TLS1.3\nDovecot: ssl_min_protocol = TLSv1.2",
    )  # fmt: skip
    yield finding(
        "GP-TLS-006", "broken-suites-refused", f"{BAD}:465", Role.SUBMISSION, fail, Severity.HIGH,
        "TLS_RSA_WITH_3DES_EDE_CBC_SHA is accepted", OLD_HELLO,
    )  # fmt: skip
    yield finding(
        "GP-CERT-005", "key-strong-enough", f"{BAD}:993", Role.ACCESS, fail, Severity.HIGH,
        "RSA key of 1024 bits; profile rfc9325 asks for at least 2048", OLD_SERVED_993,
    )  # fmt: skip
    yield finding(
        "GP-CERT-001", "chain-validates", f"{BAD}:993", Role.ACCESS, fail, Severity.HIGH,
        "clients will not accept the chain: self-signed certificate", OLD_SERVED_993,
    )  # fmt: skip
    yield finding(
        "GP-PORT-003", "mode-as-declared", f"{GOOD}:995", Role.ACCESS, fail, Severity.HIGH,
        "declared as pop3s with implicit TLS, but nothing listens",
        Closed(good(995, GOOD_V4), "connection refused"), Closed(good(995, GOOD_V6), "connection refused"),
        remedy="Dovecot: add pop3 to protocols, or take pop3s out of gatepost.toml line 14",
    )  # fmt: skip
    yield finding(
        "GP-TLS-007", "groups-from-profile", f"{BAD}:465", Role.SUBMISSION, fail, Severity.MEDIUM,
        "DHE with 1024 bits of a widely shared prime (RFC 2409 group 2)", OLD_DH,
    )  # fmt: skip
    yield finding(
        "GP-PATCH-003", "no-known-flaw", f"{BAD}:25", Role.MX, fail, Severity.MEDIUM,
        f"greets as Exim 4.92 and shouts {HOSTILE}", OLD_BANNER,
    )  # fmt: skip
    yield finding(
        "GP-TLS-008", "hybrid-group-offered", f"{BAD}: 25, 465, 993", Role.MX, fail, Severity.LOW,
        "no hybrid post-quantum group", OLD_HELLO, places=(old(25), old(465), old(993)),
    )  # fmt: skip
    yield finding(
        "GP-TLS-004", "tls13-offered", f"{BAD}:25", Role.MX, fail, Severity.MEDIUM,
        "TLS 1.3 is not offered", Handshake(old(25), BAD, "TLSv1.2", "TLS_RSA_WITH_AES_128_CBC_SHA"), waiver=WAIVER,
    )  # fmt: skip


def _unknowns() -> Iterable[Finding]:
    unknown = Outcome.UNKNOWN
    yield finding(
        "GP-TLS-002", "old-versions-refused", f"{BAD}:587", Role.SUBMISSION, unknown, Severity.HIGH,
        "limited: 421 4.7.0 Too many connections from you", OLD_LIMIT,
    )  # fmt: skip
    yield finding(
        "GP-STLS-001", "starttls-offered", f"{BAD}:587", Role.SUBMISSION, unknown, Severity.HIGH,
        "limited: 421 4.7.0 Too many connections from you", OLD_LIMIT,
    )  # fmt: skip
    yield finding(
        "GP-RELAY-005", "end-of-data-strict", f"{BAD}:25", Role.MX, unknown, Severity.HIGH,
        "not-asked: needs --mine", OLD_TARPIT,
    )  # fmt: skip
    yield finding(
        "GP-STLS-001", "starttls-offered", f"{GOOD}:4190", Role.SIEVE, unknown, Severity.HIGH,
        "filtered: no answer within 8 s", GOOD_STALLED,
    )  # fmt: skip
    needed = {
        "GP-AUTH-006": "the host's configuration",
        "GP-LOG-001": "mail logs",
        "GP-LOG-002": "mail logs",
        "GP-FW-004": "the firewall's rules",
        "GP-GOV-001": "a person to judge it",
        "GP-RESP-001": "a person to judge it",
    }
    for control, witness in needed.items():
        yield finding(control, "manual", GOOD, Role.HOST, unknown, Severity.HIGH, f"needs {witness}")


def _passes() -> Iterable[Finding]:
    checks = (
        ("GP-TLS-001", "ssl-refused"), ("GP-TLS-002", "old-versions-refused"), ("GP-TLS-004", "tls13-offered"),
        ("GP-TLS-006", "broken-suites-refused"), ("GP-CERT-001", "chain-validates"), ("GP-CERT-003", "not-expired"),
        ("GP-STLS-003", "nothing-carried-over"),
    )  # fmt: skip
    for control, check in checks:
        for port, role in ((25, Role.MX), (465, Role.SUBMISSION), (587, Role.SUBMISSION), (993, Role.ACCESS)):
            at = good(port, GOOD_V4)
            seen = Handshake(at, GOOD, "TLSv1.3", "TLS_AES_256_GCM_SHA384", "X25519MLKEM768")
            yield finding(control, check, at.place, role, Outcome.PASS, Severity.HIGH, "", seen)
    yield finding(
        "GP-STLS-001", "starttls-offered", f"{GOOD}:465", Role.SUBMISSION, Outcome.NOT_APPLICABLE, Severity.HIGH,
        "implicit TLS", Listening(good(465, GOOD_V4)),
    )  # fmt: skip


def connections() -> dict[str, int]:
    ends = [good(port, address) for address in (GOOD_V4, GOOD_V6) for port in SERVICES]
    return {str(at): 14 for at in ends} | {str(old(port)): 16 for port in (25, 110, 143, 465, 993)} | {str(old(587)): 3}


def sample(*, findings: tuple[Finding, ...] | None = None) -> Audit:
    seen = Seen((*_good_host(GOOD_V4), *_good_host(GOOD_V6), *_old_host(), *_dns()))
    judged = (*_failures(), *_unknowns(), *_passes()) if findings is None else findings
    run = Run(seen, NOW - timedelta(seconds=7), "office", connections())
    notes = ("Limited by the server at old.example.net:587: what was not answered is unknown, not refused.",)
    return Audit(NOW, "rfc9325", (GOOD, BAD), judged, run, ARCHITECTURE, notes)


def clean() -> Audit:
    """Only the good host, and nothing to complain about."""
    seen = Seen((*(o for o in _good_host(GOOD_V4) if o.at.port != 995), *_dns()))
    kept = tuple(f for f in _passes() if f.subject.startswith(GOOD))
    run = Run(seen, NOW - timedelta(seconds=2), "", {k: v for k, v in connections().items() if k.startswith(GOOD)})
    return Audit(NOW, "rfc9325", (GOOD,), kept, run, ARCHITECTURE)
