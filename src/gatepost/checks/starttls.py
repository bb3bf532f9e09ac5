"""The upgrade from clear text to TLS, and what may happen before it (GP-STLS)."""

from __future__ import annotations

import re

from gatepost.checks.case import Case, check, failed, not_applicable, passed, unknown
from gatepost.checks.dialogue_seen import in_clear, inside_tls, misled, spoken, starts_in_clear, tried, words
from gatepost.checks.tls_seen import versions
from gatepost.model.finding import Verdict
from gatepost.model.observation import Capabilities, Greeting, Handshake, Injected, Upgrade, of
from gatepost.model.words import Role, Severity

STRICT = (Role.ACCESS, Role.SIEVE, Role.SUBMISSION)
AT_ONCE = "encrypted from the first byte"
HARMLESS = frozenset({"ANONYMOUS", "EXTERNAL", "GSS-SPNEGO", "GSSAPI"})  # no password to read on the way
HASHED = re.compile(r"^(CRAM|DIGEST|SCRAM|NTLM|APOP)")
ASKS_FOR_TLS = re.compile(r"\b(530|TLS|STARTTLS|encrypt)", re.IGNORECASE)
PASSWORD_TRIALS = ("auth-in-clear", "login-in-clear", "user-pass-in-clear")


@check("GP-STLS-001")
def starttls_offered(case: Case) -> Verdict:
    """STARTTLS is offered."""
    if not starts_in_clear(case):
        return not_applicable(AT_ONCE)
    upgrades = of(Upgrade, case.seen, case.at)
    if not upgrades:
        return case.missing("starttls", "capabilities", "greeting")
    if offered := [u for u in upgrades if u.offered]:
        return passed(offered[0])
    if mangled := [u for u in upgrades if u.mangled]:
        return unknown("the offer was rewritten on the way, see GP-STLS-007", mangled[0])
    if hidden := [u for u in upgrades if u.accepted]:
        return failed("does not offer STARTTLS, though it works when asked for", hidden[0])
    return failed("does not offer STARTTLS: everything travels in clear", upgrades[0])


@check("GP-STLS-001")
def starttls_works(case: Case) -> Verdict:
    """STARTTLS leads to TLS."""
    if not starts_in_clear(case):
        return not_applicable(AT_ONCE)
    offered = [u for u in of(Upgrade, case.seen, case.at) if u.offered or u.accepted]
    if not offered:
        return case.missing("starttls", "capabilities", "greeting")
    if accepted := versions(case.seen, case.at):
        return passed(next(iter(accepted.values())))
    if not any(u.accepted for u in offered):
        return failed(f"offers STARTTLS and refuses it: {offered[0].answer}", offered[0])
    if broken := [h for h in of(Handshake, case.seen, case.at) if h.error]:
        return failed(f"the handshake behind STARTTLS fails: {broken[0].error}", *broken)
    return case.missing("tls")


@check("GP-STLS-002", roles=(*STRICT, Role.MX))
def passwords_only_inside_tls(case: Case) -> Verdict:
    """No password mechanism is offered or accepted before TLS."""
    if not starts_in_clear(case):
        return not_applicable(AT_ONCE)
    trials = [t for t in tried(case, *PASSWORD_TRIALS) if not t.encrypted]
    offers = [c for c in in_clear(case) if _passwords(case, c)]
    near = misled(case)
    if taken := [t for t in trials if t.accepted]:
        return near or failed(f"reads passwords in clear: {words(t.sent.split(' ')[0] for t in taken)}", *taken)
    if offers:
        mechanisms = {m for c in offers for m in _passwords(case, c)}
        refused = ", though it refuses them when tried" if trials else ""
        severity = Severity.HIGH if refused or all(HASHED.match(m) for m in mechanisms) else None
        return near or failed(f"offers in clear: {words(mechanisms)}{refused}", *offers, severity=severity)
    if not in_clear(case):
        return case.missing("capabilities", "greeting")
    if not trials and spoken(case) in {"imap", "pop3"} and not _disabled(case):
        return case.missing(*PASSWORD_TRIALS)
    return passed(*trials, *in_clear(case))


def _passwords(case: Case, offer: Capabilities) -> set[str]:
    """IMAP's LOGIN and POP3's USER need no SASL to carry a password."""
    found = {m for m in offer.mechanisms() if m not in HARMLESS and not m.endswith("-PLUS")}
    if spoken(case) == "pop3" and offer.has("USER"):
        found.add("USER")
    return found


def _disabled(case: Case) -> bool:
    """RFC 2595 section 3.2; a POP3 server without USER among its capabilities says the same."""
    return spoken(case) == "pop3" or any(c.has("LOGINDISABLED") for c in in_clear(case))


@check("GP-STLS-003")
def injected_commands_dropped(case: Case) -> Verdict:
    """Commands sent in clear behind STARTTLS are not executed inside TLS."""
    return _injection(case, "command", "executes inside TLS what was sent in clear", None)


@check("GP-STLS-003")
def nothing_carried_over(case: Case) -> Verdict:
    """The server sends nothing in clear that a client would read as protected."""
    told = [i for i in of(Injected, case.seen, case.at) if i.way == "response" and i.happened]
    if told and not any(not h.error for h in of(Handshake, case.seen, case.at)):
        return unknown(f"took STARTTLS back, TLS never began: {told[0].detail}", *told)
    return _injection(case, "response", "sends text in clear around STARTTLS", Severity.HIGH)


def _injection(case: Case, way: str, because: str, severity: Severity | None) -> Verdict:
    if not starts_in_clear(case):
        return not_applicable(AT_ONCE)
    told = [i for i in of(Injected, case.seen, case.at) if i.way == way]
    if happened := [i for i in told if i.happened]:
        return failed(f"{because}: {happened[0].detail}", *happened, severity=severity)
    return passed(*told) if told else case.missing("injection" if way == "command" else "starttls", "starttls")


@check("GP-STLS-004")
def starttls_not_offered_again(case: Case) -> Verdict:
    """Inside TLS, STARTTLS is no longer offered."""
    if not starts_in_clear(case):
        return not_applicable(AT_ONCE)
    offers = inside_tls(case)
    if again := [c for c in offers if c.has("STARTTLS") or c.has("STLS")]:
        return failed("offers STARTTLS again inside TLS", *again, severity=Severity.LOW)
    return passed(*offers) if offers else case.missing("capabilities-tls", "tls", "starttls")


@check("GP-STLS-004", roles=(Role.MX, Role.SUBMISSION))
def state_forgotten(case: Case) -> Verdict:
    """A transaction begun in clear does not survive STARTTLS."""
    if not starts_in_clear(case):
        return not_applicable(AT_ONCE)
    if kept := tried(case, "mail-after-tls"):
        if kept[0].accepted:
            return failed("keeps a transaction begun in clear", *kept)
        return passed(*kept)
    if refused := [t for t in tried(case, "mail-before-tls") if not t.accepted]:
        return not_applicable("takes no mail before TLS", *refused)
    return case.missing("mail-after-tls", "starttls", "tls")


@check("GP-STLS-005", roles=STRICT)
def nothing_before_tls(case: Case) -> Verdict:
    """Before TLS everything but the upgrade is refused."""
    if not starts_in_clear(case):
        return not_applicable(AT_ONCE)
    mail = tried(case, "mail-before-tls")
    if taken := [t for t in mail if t.accepted]:
        return failed("takes mail before TLS: STARTTLS is offered, not enforced", *taken)
    passwords = [t for t in tried(case, *PASSWORD_TRIALS) if not t.encrypted]
    if any(t.accepted for t in passwords):
        return not_applicable("passwords in clear are judged by GP-STLS-002", *passwords)
    if trials := [*mail, *passwords]:
        return passed(*trials)
    return case.missing("mail-before-tls", *PASSWORD_TRIALS, "greeting")


@check("GP-STLS-006", roles=(Role.MX,))
def strangers_may_come_in_clear(case: Case) -> Verdict:
    """The public MX does not demand TLS from strangers (RFC 3207 section 4)."""
    if not starts_in_clear(case):
        return not_applicable(AT_ONCE)
    trials = tried(case, "mail-before-tls")
    if demanding := [t for t in trials if not t.accepted and ASKS_FOR_TLS.search(t.answer)]:
        return failed(f"demands TLS from every sender: {demanding[0].answer}", *demanding)
    if refused := [t for t in trials if not t.accepted]:
        return unknown(f"refused for another reason: {refused[0].answer}", *refused)
    return passed(*trials) if trials else case.missing("mail-before-tls", "greeting")


@check("GP-STLS-007")
def starttls_not_rewritten(case: Case) -> Verdict:
    """The offer of STARTTLS arrives as it was sent."""
    if not starts_in_clear(case):
        return not_applicable(AT_ONCE)
    upgrades = of(Upgrade, case.seen, case.at)
    if mangled := [u for u in upgrades if u.mangled]:
        severity = None if case.role is Role.MX else Severity.CRITICAL
        because = f"a device on the path rewrites STARTTLS to {mangled[0].mangled}"
        return failed(because, *mangled, severity=severity)
    if offered := [u for u in upgrades if u.offered]:
        return passed(*offered)
    if upgrades:
        return unknown("no offer to compare: look from another network too (--compare)", *upgrades)
    return case.missing("starttls", "capabilities", "greeting")


@check("GP-STLS-008")
def no_privilege_before_tls(case: Case) -> Verdict:
    """No session begins logged in (PREAUTH) before TLS."""
    if not starts_in_clear(case):
        return not_applicable(AT_ONCE)
    greetings = [g for g in of(Greeting, case.seen, case.at) if not g.encrypted]
    if preauth := [g for g in greetings if g.preauth]:
        return misled(case) or failed("greets with PREAUTH in clear", *preauth)
    return passed(*greetings) if greetings else case.missing("greeting")
