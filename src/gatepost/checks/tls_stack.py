"""How the TLS stack behaves apart from what it agrees on (GP-TLS-010 to 013)."""

from __future__ import annotations

from gatepost.checks.case import Case, check, failed, not_applicable, passed, unknown
from gatepost.checks.grading import on_mx, opportunistic
from gatepost.checks.tls_seen import turned_down, versions, versions_refused
from gatepost.model.finding import Verdict
from gatepost.model.observation import CertificateSeen, Feature, Hello, of
from gatepost.model.words import Outcome, Severity

MODERN = ("TLSv1.3",)


@check("GP-TLS-010")
def no_compression(case: Case) -> Verdict:
    """TLS compression is off."""
    answers = _legacy(case)
    if compressed := [h for h in answers if h.compression]:
        return failed("compresses before it encrypts", compressed[0], severity=on_mx(case, Severity.LOW))
    if answers:
        return passed(answers[0])
    return _only_modern(case)


@check("GP-TLS-011")
def secure_renegotiation(case: Case) -> Verdict:
    """TLS 1.2 and below use secure renegotiation (RFC 5746)."""
    return _extension(case, "renegotiation_info", "no secure renegotiation (RFC 5746)")


@check("GP-TLS-011")
def extended_master_secret(case: Case) -> Verdict:
    """TLS 1.2 and below use the extended master secret (RFC 7627)."""
    return _extension(case, "extended_master_secret", "no extended master secret (RFC 7627)")


def _extension(case: Case, name: str, because: str) -> Verdict:
    """A server answers with these whenever it knows them."""
    answers = [h for h in _legacy(case) if h.version != "SSLv3"]
    if not answers:
        return _only_modern(case)
    lacking = [h for h in answers if name not in h.extensions]
    if lacking:
        return failed(because, lacking[0], severity=on_mx(case, Severity.LOW))
    return passed(answers[0])


@check("GP-TLS-011")
def clients_cannot_renegotiate(case: Case) -> Verdict:
    """Clients cannot start a renegotiation."""
    return _feature(case, "client-renegotiation", "lets clients renegotiate at will", Severity.LOW)


@check("GP-TLS-012")
def no_early_data(case: Case) -> Verdict:
    """TLS 1.3 early data is off."""
    verdict = _feature(case, "early-data", "takes early data, which can be replayed", Severity.LOW)
    if verdict.outcome is not Outcome.UNKNOWN or verdict.evidence:
        return verdict
    accepted, refused = versions(case.seen, case.at), versions_refused(case.seen, case.at)
    if accepted and "TLSv1.3" in refused:
        return not_applicable("needs TLS 1.3", refused["TLSv1.3"])
    return unknown("takes a resumed TLS 1.3 session to see, which no probe makes yet")


def _feature(case: Case, name: str, because: str, soft: Severity) -> Verdict:
    told = [f for f in of(Feature, case.seen, case.at) if f.name == name]
    if bad := [f for f in told if f.present]:
        return failed(because, bad[0], severity=on_mx(case, soft))
    if clear := [f for f in told if f.present is False]:
        return passed(clear[0])
    if told:
        return unknown(f"no answer: {told[0].detail}", told[0])
    return case.missing(name, "renegotiation", "tls")


@check("GP-TLS-013")
def served_without_sni(case: Case) -> Verdict:
    """Clients that name no server get a usable certificate too."""
    bare = [h for h in of(Hello, case.seen, case.at) if h.sni is None and h.offer == "no-sni"]
    if refused := [h for h in bare if turned_down(h, case.seen)]:
        severity = on_mx(case, Severity.MEDIUM)
        return failed(f"refuses clients without SNI ({refused[0].refused})", refused[0], severity=severity)
    chains = of(CertificateSeen, case.seen, case.at)
    without = [c for c in chains if c.sni is None]
    named = {c.chain[0].sha256: c for c in chains if c.sni is not None and c.chain}
    if not without:
        return case.missing("tls:no-sni", "certificate", "tls")
    other = next((c for c in without if c.chain and c.chain[0].sha256 not in named), None)
    if not named:
        return not_applicable("asked by address: there is no name to send", without[0])
    if other is not None and not other.trust.valid and any(c.trust.valid for c in named.values()):
        because = f"without SNI another certificate is served: {other.trust.why}"
        severity = Severity.INFO if opportunistic(case) else Severity.MEDIUM
        return failed(because, other, severity=severity)
    return passed(without[0])


def _legacy(case: Case) -> list[Hello]:
    """Answers in which compression, renegotiation and the master secret are negotiated at all."""
    return [h for h in of(Hello, case.seen, case.at) if not h.refused and h.version not in {"SSLv2", *MODERN}]


def _only_modern(case: Case) -> Verdict:
    accepted = versions(case.seen, case.at)
    if tuple(accepted) == MODERN and "TLSv1.1" in versions_refused(case.seen, case.at):
        return not_applicable("TLS 1.3 has none of it", accepted["TLSv1.3"])
    return case.missing("tls:allowed", "tls")
