"""Logins: who must, with what, and over which mechanisms (GP-AUTH)."""

from __future__ import annotations

from gatepost.checks.case import Case, check, failed, passed, unknown
from gatepost.checks.dialogue_seen import in_clear, inside_tls, misled, spoken, tried, words
from gatepost.model.finding import Verdict
from gatepost.model.observation import Capabilities, Greeting, Handshake, of
from gatepost.model.words import Severity

OUTDATED = frozenset({"APOP", "CRAM-MD5", "DIGEST-MD5", "GSS-SPNEGO", "KERBEROS_V4", "NTLM", "OTP", "RPA", "SKEY"})


@check("GP-AUTH-001")
def mail_needs_login(case: Case) -> Verdict:
    """Submission takes no message from someone who did not log in."""
    trials = tried(case, "mail-before-auth")
    if taken := [t for t in trials if t.accepted]:
        return misled(case) or failed(f"takes mail without a login: {taken[0].answer}", *taken)
    return passed(*trials) if trials else case.missing("mail-before-auth", "capabilities-tls", "tls")


@check("GP-AUTH-001")
def login_offered(case: Case) -> Verdict:
    """Submission offers a login inside TLS."""
    offers = inside_tls(case)
    if not offers:
        return case.missing("capabilities-tls", "tls", "starttls")
    if any(c.mechanisms() for c in offers):
        return passed(*offers)
    return failed("offers no AUTH inside TLS: nobody can submit mail here", *offers, severity=Severity.MEDIUM)


@check("GP-AUTH-002")
def no_anonymous_login(case: Case) -> Verdict:
    """Anonymous login is off."""
    offers = [*in_clear(case), *inside_tls(case)]
    if taken := [t for t in tried(case, "auth-anonymous") if t.accepted]:
        return failed("lets anyone in with SASL ANONYMOUS", *taken, severity=Severity.CRITICAL)
    if offering := [c for c in offers if "ANONYMOUS" in c.mechanisms()]:
        return failed("offers SASL ANONYMOUS", *offering)
    return _finished(case, offers)


@check("GP-AUTH-002")
def no_outdated_mechanism(case: Case) -> Verdict:
    """No outdated SASL mechanism is offered."""
    offers = [*in_clear(case), *inside_tls(case)]
    outdated = {m for c in offers for m in c.mechanisms() if m in OUTDATED}
    stamped = [g for g in of(Greeting, case.seen, case.at) if _apop(case, g)]
    if outdated or stamped:
        names = words(outdated | ({"APOP"} if stamped else set()))
        offering = [c for c in offers if OUTDATED & set(c.mechanisms())]
        return failed(f"offers outdated mechanisms: {names}", *offering, *stamped, severity=Severity.MEDIUM)
    return _finished(case, offers)


def _apop(case: Case, greeting: Greeting) -> bool:
    """RFC 1939 section 7: a time stamp in the greeting is the offer."""
    return spoken(case) == "pop3" and "<" in greeting.text and "@" in greeting.text.partition("<")[2]


def _finished(case: Case, offers: list[Capabilities]) -> Verdict:
    """What is offered inside TLS decides: before it, a good server offers nothing."""
    if any(c.encrypted for c in offers):
        return passed(*offers)
    if offers and not any(c.has("STARTTLS") or c.has("STLS") for c in offers):
        return passed(*offers)
    return case.missing("capabilities-tls", "tls", "starttls")


@check("GP-AUTH-009")
def client_certificates_only_where_used(case: Case) -> Verdict:
    """Client certificates are asked for only where they log someone in."""
    shakes = [h for h in of(Handshake, case.seen, case.at) if not h.error]
    asking = [h for h in shakes if h.client_certificate_requested]
    if not asking:
        return passed(*shakes[:1]) if shakes else case.missing("tls")
    offers = inside_tls(case)
    if not offers:
        return unknown("asks for a client certificate; whether for a login was not seen", *asking)
    if any("EXTERNAL" in c.mechanisms() for c in offers):
        return passed(*asking, *offers, because="asks for client certificates, and takes them as login")
    return failed("asks for a client certificate and has no use for it (no SASL EXTERNAL)", *asking[:1], *offers[:1])
