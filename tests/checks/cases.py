"""Small worlds for judges: endpoints, certificates, and cases made from a handful of facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from gatepost import catalogue
from gatepost.catalogue.presumption import presumed
from gatepost.checks.case import Case, Check, Scope
from gatepost.checks.dialogue_seen import listens
from gatepost.checks.domain_seen import exchanging
from gatepost.model.architecture import Architecture, Domain, Endpoint, Host, Service
from gatepost.model.certificate import Certificate, Trust
from gatepost.model.observation import (
    Capabilities,
    CertificateSeen,
    Greeting,
    Handshake,
    Hello,
    Listening,
    Observation,
    Seen,
    Tried,
    Unobserved,
    Upgrade,
)
from gatepost.model.words import Outcome, Reason, Role

NOW = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
NAME, V4, V6 = "mail.example.org", "192.0.2.5", "2001:db8::5"


def at(port: int, address: str = V4) -> Endpoint:
    return Endpoint(NAME, address, port)


MX, SUBMISSIONS, SUBMISSION, IMAPS, IMAP, POP3, SIEVE, LMTP = map(at, (25, 465, 587, 993, 143, 110, 4190, 24))
HOST = Endpoint(NAME)
DOMAIN = Endpoint("example.org")
STRICT_DOMAIN = Domain("example.org", (NAME,), mta_sts="enforce")


@dataclass(frozen=True)
class Row:
    """What a check says of some facts. `says` is part of its words."""

    check: Check
    at: Endpoint
    outcome: Outcome
    seen: tuple[Observation, ...] = ()
    says: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.check.control}-{self.check.name}-{self.outcome}-{self.says[:20]}"


def row(check: Check, at_: Endpoint, outcome: str, *seen: Observation, says: str = "", **options: Any) -> Row:
    return Row(check, at_, Outcome(outcome), seen, says, options)


def case(subject: Endpoint, *seen: Observation, **options: Any) -> Case:
    """`declared` are the services of the host, `services` what the case knows of (default: presumed)."""
    facts = Seen(seen)
    declared: tuple[Service, ...] = options.get("declared", ())
    host = replace(Host(subject.host, (V4, V6), declared), **options.get("host", {})) if declared else None
    known = {s.port: s for s in declared}
    ats = {*facts.endpoints(), *(at(s.port) for s in declared), *([subject] if subject.port else [])}
    services = {one: known.get(one.port) or presumed(one.port) for one in sorted(ats)}
    service = services.get(subject)
    roles = [s.role for s in services.values()]
    architecture = Architecture(
        hosts=(*((host,) if host else ()), *options.get("hosts", ())),
        domains=options.get("domains", ()),
        zones=options.get("zones", ()),
        source=options.get("source", "gatepost.toml" if host else None),
    )
    listening = [one for one in sorted(ats) if listens(facts, one)]
    role = options.get("role") or (service.role if service else roles[0] if roles else Role.HOST)
    return Case(
        at=subject,
        role=role,
        service=service,
        host=host,
        endpoints=tuple(listening),
        seen=facts,
        profile=catalogue.profile(options.get("profile", "rfc9325")),
        architecture=architecture,
        now=options.get("now", NOW),
        mine=options.get("mine", True),
        services=services,
        serving=exchanging(facts, architecture),
        listening={name: [one for one in listening if one.host == name] for name in {one.host for one in listening}},
    )


def of_row(one: Row) -> Case:
    options = dict(one.options)
    if one.check.scope is Scope.HOST and "role" not in options and not one.check.roles:
        options["role"] = Role.HOST
    if one.check.scope is Scope.DOMAIN:
        options["role"] = Role.DOMAIN
    return case(one.at, *one.seen, **options)


def service(port: int, **changes: Any) -> Service:
    return replace(presumed(port), declared=True, **changes)


def listening(*ats: Endpoint) -> tuple[Listening, ...]:
    return tuple(map(Listening, ats))


def greeting(where: Endpoint, text: str = "ready", *, encrypted: bool = False, **more: Any) -> Greeting:
    return Greeting(where, text, encrypted, 0.1, **more)


def offers(where: Endpoint, *words: str, encrypted: bool = False) -> Capabilities:
    return Capabilities(where, words, encrypted)


def upgrade(where: Endpoint, *, offered: bool = True, accepted: bool = True, **more: Any) -> Upgrade:
    return Upgrade(where, offered, accepted, more.pop("answer", "220 go ahead"), **more)


def trial(where: Endpoint, what: str, *, accepted: bool, encrypted: bool = False, **more: Any) -> Tried:
    return Tried(where, what, accepted, encrypted, more.get("sent", what.upper()), more.get("answer", "the answer"))


def hello(where: Endpoint, offer: str, refused: str = "", **more: Any) -> Hello:
    """Accepted with TLS 1.2 and a good suite, unless told otherwise."""
    if refused:
        return Hello(where, offer, more.get("sni", where.host), refused)
    facts: dict[str, Any] = {
        "version": "TLSv1.2",
        "suite": "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        "group": "x25519",
        "signature": "rsa_pss_rsae_sha256",
        "extensions": ("renegotiation_info", "extended_master_secret"),
    }
    return Hello(where, offer, **{"sni": where.host, **facts, **more})


def modern(where: Endpoint, group: str = "X25519MLKEM768", offer: str = "tls1.3") -> Hello:
    return Hello(where, offer, where.host, "", "TLSv1.3", "TLS_AES_128_GCM_SHA256", group)


def refused(where: Endpoint, *offers_: str) -> tuple[Hello, ...]:
    return tuple(hello(where, offer, "alert:handshake_failure") for offer in offers_)


def shake(where: Endpoint, version: str = "TLSv1.3", **more: Any) -> Handshake:
    return Handshake(where, where.host, version, "TLS_AES_128_GCM_SHA256", **more)


def lost(where: Endpoint, wanted: str, reason: Reason = Reason.TIMEOUT) -> Unobserved:
    return Unobserved(where, wanted, reason, "nothing came in 15 s")


_LEAF = Certificate(
    sha256="a1", spki_sha256="b1", subject=f"CN={NAME}", issuer="CN=R13,O=Authority", serial="01",
    not_before=NOW - timedelta(days=30), not_after=NOW + timedelta(days=60), dns_names=(NAME,), ip_addresses=(),
    common_name=NAME, key_type="ecdsa", key_bits=256, curve="secp256r1", signature_hash="sha256",
    signature_algorithm="ecdsa-with-SHA256", is_ca=False, key_usage=("digital_signature",),
    extended_key_usage=("serverAuth",), ocsp_urls=(), crl_urls=("http://ca.test/1.crl",),
    ca_issuer_urls=("http://ca.test/1.der",), sct_count=2, must_staple=False, self_issued=False, der="",
)  # fmt: skip
_ISSUER = replace(
    _LEAF, sha256="a2", spki_sha256="b2", subject="CN=R13,O=Authority", issuer="CN=Root,O=Authority", is_ca=True,
    dns_names=(), not_before=NOW - timedelta(days=900), not_after=NOW + timedelta(days=900), sct_count=0,
    key_usage=("key_cert_sign",), extended_key_usage=(), common_name="R13",
)  # fmt: skip


def leaf(**changes: Any) -> Certificate:
    return replace(_LEAF, **changes)


def issuer(**changes: Any) -> Certificate:
    return replace(_ISSUER, **changes)


def chain(where: Endpoint, *certificates: Certificate, **more: Any) -> CertificateSeen:
    """A good chain, trusted, unless told otherwise; `why` makes it untrusted."""
    shown = certificates or (_LEAF, _ISSUER)
    why = more.get("why", "")
    trust = Trust(valid=not why, why=why, missing_intermediate=more.get("missing", False))
    return CertificateSeen(where, more.get("sni", where.host), shown, trust, more.get("staple", False))
