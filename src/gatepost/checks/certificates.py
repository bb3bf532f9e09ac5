"""Certificates: trusted, for the right name, in time, strong enough (GP-CERT, GP-TLS-009)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from gatepost.certs.chain import order_problem
from gatepost.certs.names import covers, covers_only_by_common_name
from gatepost.checks.case import Case, check, failed, not_applicable, passed, unknown
from gatepost.checks.dane_seen import vouched
from gatepost.checks.dialogue_seen import some
from gatepost.checks.domain_seen import told
from gatepost.checks.grading import on_mx, opportunistic, sts_domain
from gatepost.model.architecture import Endpoint
from gatepost.model.certificate import Certificate
from gatepost.model.domain import StsSeen
from gatepost.model.finding import Verdict
from gatepost.model.observation import CertificateSeen, Seen, of
from gatepost.model.words import Role, Severity

USERS = (Role.ACCESS, Role.SIEVE, Role.SUBMISSION)
TLS = (*USERS, Role.MX)
BROKEN_HASHES = frozenset({"md2", "md4", "md5", "sha1"})
VOUCHED = "a signed TLSA record (usage 3) stands for it: senders ask for no authority and no name"
SHORTEST_WARNING = timedelta(days=14)
LIFETIMES = (  # CA/Browser Forum SC-081v3: from this day on, at most so many days
    (datetime(2026, 3, 15, tzinfo=UTC), 200),
    (datetime(2027, 3, 15, tzinfo=UTC), 100),
    (datetime(2029, 3, 15, tzinfo=UTC), 47),
)


def served(seen: Seen, at: Endpoint) -> tuple[CertificateSeen, ...]:
    """What clients that name the host get, one per certificate; without a name, whatever there is."""
    chains = [c for c in of(CertificateSeen, seen, at) if c.chain]
    named = [c for c in chains if c.sni is not None] or chains
    return tuple({c.chain[0].sha256: c for c in reversed(named)}.values())[::-1]


def _each(case: Case, judge: Callable[[CertificateSeen], Verdict | None]) -> Verdict:
    """The first objection to any of the chains served (RSA and ECDSA), or a pass."""
    chains = served(case.seen, case.at)
    if not chains:
        return case.missing("certificate", "tls")
    verdicts = [v for chain in chains if (v := judge(chain))]
    return min(verdicts, key=_rank) if verdicts else passed(*chains)


def _rank(verdict: Verdict) -> tuple[bool, int]:
    """Failures first, the worst of them first; no severity of its own means the control's."""
    return verdict.outcome.value != "fail", -(verdict.severity.rank if verdict.severity else 5)


@check("GP-CERT-001", roles=TLS)
def chain_trusted(case: Case) -> Verdict:
    """The chain leads to a trusted authority."""

    def judge(chain: CertificateSeen) -> Verdict | None:
        trust = chain.trust
        if trust.valid or trust.missing_intermediate or _judged_elsewhere(chain, case.now):
            return None
        if not opportunistic(case):
            return failed(_binding(case, f"not trusted: {trust.why}"), chain)
        if vouched(case, chain):
            return not_applicable(VOUCHED, chain)
        return failed(f"not trusted: {trust.why}; {_unbound(case)}", chain, severity=Severity.INFO)

    return _each(case, judge)


def _judged_elsewhere(chain: CertificateSeen, now: datetime) -> bool:
    """Dates and purpose have judges of their own; one cause is one finding."""
    return any(_out_of_date(c, now) for c in chain.chain) or not _for_servers(chain.chain[0])


def _unbound(case: Case) -> str:
    asked = any(told(StsSeen, case, name) for name in case.serves)
    return f"no {'enforced' if asked else 'declared'} MTA-STS policy depends on it"


def _binding(case: Case, because: str) -> str:
    domain = sts_domain(case) if case.role is Role.MX else ""
    return f"{because}; MTA-STS of {domain} makes senders refuse it" if domain else because


@check("GP-CERT-001", roles=TLS)
def chain_complete(case: Case) -> Verdict:
    """No intermediate certificate is missing."""

    def judge(chain: CertificateSeen) -> Verdict | None:
        if not chain.trust.missing_intermediate:
            return None
        if opportunistic(case) and vouched(case, chain):
            return not_applicable(VOUCHED, chain)
        top = chain.chain[-1]
        because = f"an intermediate certificate is missing: {top.issuer} was not sent"
        return failed(because, chain, severity=Severity.LOW if opportunistic(case) else None)

    return _each(case, judge)


@check("GP-CERT-001", roles=TLS)
def chain_in_order(case: Case) -> Verdict:
    """The chain is sent in order, with nothing that does not belong to it."""

    def judge(chain: CertificateSeen) -> Verdict | None:
        problem = order_problem(chain.chain)
        return failed(f"chain: {problem}", chain, severity=Severity.LOW) if problem else None

    return _each(case, judge)


@check("GP-CERT-001", roles=TLS)
def meant_for_servers(case: Case) -> Verdict:
    """The certificate is a server's: purpose and key usage fit, and it is no authority."""

    def judge(chain: CertificateSeen) -> Verdict | None:
        leaf = chain.chain[0]
        if not _for_servers(leaf):
            because = f"the certificate is for {', '.join(leaf.extended_key_usage)}, not for servers"
            return failed(because, chain, severity=Severity.LOW if opportunistic(case) else None)
        if leaf.key_usage and "digital_signature" not in leaf.key_usage:
            return failed("its key may not sign handshakes (keyUsage)", chain, severity=Severity.LOW)
        if leaf.is_ca and not leaf.self_issued:
            return failed("the server's certificate is an authority (CA:TRUE)", chain, severity=Severity.LOW)
        return None

    return _each(case, judge)


def _for_servers(leaf: Certificate) -> bool:
    return not leaf.extended_key_usage or bool({"serverAuth", "2.5.29.37.0"} & set(leaf.extended_key_usage))


@check("GP-CERT-001", roles=USERS)
def logged_in_transparency(case: Case) -> Verdict:
    """A publicly trusted certificate carries proofs of certificate transparency."""

    def judge(chain: CertificateSeen) -> Verdict | None:
        if chain.chain[0].sct_count or not _public(chain):
            return None
        return failed("no transparency timestamps (SCT): web and mobile clients may refuse it",
                      chain, severity=Severity.INFO)  # fmt: skip

    chains = served(case.seen, case.at)
    if chains and not any(_public(c) for c in chains):
        return not_applicable("of no public authority", *chains)
    return _each(case, judge)


def _public(chain: CertificateSeen) -> bool:
    """Trusted, and with a shape only public authorities give: the trust store does not tell them apart."""
    leaf = chain.chain[0]
    return chain.trust.valid and not chain.trust.web_profile and (bool(leaf.ca_issuer_urls) or leaf.sct_count > 0)


@check("GP-CERT-002", roles=TLS)
def name_covered(case: Case) -> Verdict:
    """The certificate covers the name clients and senders are told to use."""
    host = case.at.host
    if _is_address(host):
        return unknown("asked by address: which name clients use is not known")

    def judge(chain: CertificateSeen) -> Verdict | None:
        leaf = chain.chain[0]
        if covers(leaf, host):
            return None
        if opportunistic(case) and vouched(case, chain):
            return not_applicable(VOUCHED, chain)
        severity = Severity.INFO if opportunistic(case) else None
        if covers_only_by_common_name(leaf, host):
            because = f"names {host} as common name only, which clients ignore (RFC 9525)"
            return failed(_binding(case, because), chain, severity=severity)
        return failed(_binding(case, f"does not cover {host}, only {_names(leaf)}"), chain, severity=severity)

    return _each(case, judge)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _names(leaf: Certificate) -> str:
    if listed := [*leaf.dns_names, *leaf.ip_addresses]:
        return some(listed)
    return f"the common name {leaf.common_name}" if leaf.common_name else "no name at all"


@check("GP-CERT-003", roles=TLS)
def within_its_dates(case: Case) -> Verdict:
    """No certificate of the chain is expired or not valid yet."""

    def judge(chain: CertificateSeen) -> Verdict | None:
        severity = None
        if opportunistic(case):
            severity = Severity.LOW if vouched(case, chain) else Severity.MEDIUM
        for n, one in enumerate(chain.chain):
            if (n and one.self_issued) or not _out_of_date(one, case.now):
                continue
            who = f"intermediate {one.subject}" if n else "the certificate"
            if case.now >= one.not_after:
                because = f"{who} expired on {one.not_after:%Y-%m-%d}"
            else:
                because = f"{who} is not valid before {one.not_before:%Y-%m-%d}"
            return failed(_binding(case, because), chain, severity=severity)
        return None

    return _each(case, judge)


def _out_of_date(one: Certificate, now: datetime) -> bool:
    return not one.not_before <= now < one.not_after


@check("GP-CERT-003", roles=TLS)
def renewed_in_time(case: Case) -> Verdict:
    """The certificate is renewed before a third of its life, or 14 days, are left."""

    def judge(chain: CertificateSeen) -> Verdict | None:
        leaf = chain.chain[0]
        left = leaf.not_after - case.now
        due = min((leaf.not_after - leaf.not_before) / 3, SHORTEST_WARNING)
        if left <= timedelta(0) or left >= due:
            return None
        severity = Severity.LOW if opportunistic(case) else Severity.HIGH if left < due / 4 else Severity.MEDIUM
        return failed(f"expires on {leaf.not_after:%Y-%m-%d}, in {_days(left)}", chain, severity=severity)

    return _each(case, judge)


def _days(left: timedelta) -> str:
    return f"{left.days} day{'' if left.days == 1 else 's'}" if left.days else "less than a day"


@check("GP-CERT-004", roles=TLS)
def lifetime_within_rules(case: Case) -> Verdict:
    """The certificate lives no longer than public authorities may issue, or the profile allows."""

    def judge(chain: CertificateSeen) -> Verdict | None:
        leaf = chain.chain[0]
        days = (leaf.not_after - leaf.not_before).days
        allowed = _longest(case, chain)
        if allowed and days > allowed:
            return failed(f"valid for {days} days; {allowed} are allowed", chain, severity=Severity.LOW)
        return None

    return _each(case, judge)


def _longest(case: Case, chain: CertificateSeen) -> int:
    """In days; 0 for no limit. Private authorities may do as they like, unless the profile says otherwise."""
    leaf = chain.chain[0]
    limits = [days for since, days in LIFETIMES if leaf.not_before >= since and _public(chain)]
    if of_profile := case.profile.key("certificate_days").get("max"):
        limits.append(int(of_profile))
    return min(limits, default=0)


@check("GP-CERT-005", roles=TLS)
def keys_strong(case: Case) -> Verdict:
    """Every key of the chain has a type and size the profile accepts."""

    def judge(chain: CertificateSeen) -> Verdict | None:
        problems = [p for n, c in enumerate(chain.chain) if (p := _key_problem(case, c, leaf=n == 0))]
        if not problems:
            return None
        severity, because = max(problems, key=lambda p: p[0].rank)
        return failed(because, chain, severity=on_mx(case, Severity.LOW) or severity)

    return _each(case, judge)


def _key_problem(case: Case, one: Certificate, *, leaf: bool) -> tuple[Severity, str] | None:
    who = "its key" if leaf else f"the key of {one.subject}"
    profile = case.profile.name
    if one.key_type == "rsa" and one.key_bits < 2048:
        return Severity.HIGH, f"{who} is RSA with {one.key_bits} bits"
    if one.key_type in {"dsa", "other"}:
        return Severity.HIGH, f"{who} is of a type nobody should use ({one.key_type})"
    if not leaf:
        return None
    rules = case.profile.key(one.key_type)
    if one.key_type == "rsa" and "min" in rules:
        if rules["min"] is None:
            return Severity.MEDIUM, f"{who} is RSA; {profile} asks for ECDSA"
        if one.key_bits < int(rules["min"]):
            return Severity.HIGH, f"{who} is RSA with {one.key_bits} bits; {profile} asks for {rules['min']}"
        if one.key_bits < int(rules.get("phase_out_below", 0)):
            return Severity.LOW, f"{who} is RSA with {one.key_bits} bits, being phased out by {profile}"
    if one.key_type == "ecdsa":
        return _curve_problem(who, one, rules, profile)
    return None


def _curve_problem(who: str, one: Certificate, rules: dict[str, object], profile: str) -> tuple[Severity, str] | None:
    lists = [v for k in ("recommended_curves", "sufficient_curves") if isinstance(v := rules.get(k), list)]
    floor = rules.get("min")
    if isinstance(floor, int) and one.key_bits < floor:
        return Severity.HIGH, f"{who} is ECDSA with {one.key_bits} bits; {profile} asks for {floor}"
    if not isinstance(floor, int) and lists and not any(one.curve in names for names in lists):
        return Severity.MEDIUM, f"{who} is on {one.curve}, not listed by {profile}"
    return None


@check("GP-TLS-009", roles=TLS)
def certificates_signed_strongly(case: Case) -> Verdict:
    """Certificates are signed with SHA-256 or stronger."""

    def judge(chain: CertificateSeen) -> Verdict | None:
        weak = [c for c in _below_roots(chain.chain) if c.signature_hash in BROKEN_HASHES]
        if not weak:
            return None
        who = "the certificate" if weak[0] is chain.chain[0] else weak[0].subject
        because = f"{who} is signed with {str(weak[0].signature_hash).upper()}"
        return failed(because, chain, severity=on_mx(case, Severity.LOW) or Severity.HIGH)

    return _each(case, judge)


def _below_roots(chain: tuple[Certificate, ...]) -> Iterable[Certificate]:
    """Nobody looks at the signature of a root; that of a self-signed leaf is as worthless with any hash."""
    return (c for c in chain if not c.self_issued)


@check("GP-CERT-008")
def staples_what_it_must(case: Case) -> Verdict:
    """A certificate that demands a stapled OCSP answer gets one."""

    def judge(chain: CertificateSeen) -> Verdict | None:
        leaf = chain.chain[0]
        if leaf.must_staple and not chain.staple:
            because = "demands a stapled OCSP answer (must-staple), and none is sent"
            return failed(because, chain, severity=Severity.MEDIUM)
        if leaf.must_staple and not leaf.ocsp_urls:
            return failed("demands a stapled OCSP answer and names no responder", chain, severity=Severity.MEDIUM)
        return None

    return _each(case, judge)


@check("GP-CERT-008")
def revocation_reachable(case: Case) -> Verdict:
    """A public certificate says where its revocation can be learnt."""

    def judge(chain: CertificateSeen) -> Verdict | None:
        leaf = chain.chain[0]
        short = leaf.not_after - leaf.not_before <= timedelta(days=10)  # short-lived ones need none
        if short or leaf.crl_urls or leaf.ocsp_urls or not _public(chain):
            return None
        return failed("names neither a CRL nor an OCSP responder", chain, severity=Severity.INFO)

    return _each(case, judge)


@check("GP-CERT-010", roles=TLS)
def no_wildcard(case: Case) -> Verdict:
    """The certificate names its hosts one by one."""

    def judge(chain: CertificateSeen) -> Verdict | None:
        if wild := [name for name in chain.chain[0].dns_names if name.startswith("*.")]:
            return failed(f"a wildcard ({wild[0]}): its key speaks for hosts not known", chain, severity=Severity.INFO)
        return None

    return _each(case, judge)
