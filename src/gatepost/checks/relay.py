"""Whom the port carries mail for, whom it believes, and where it thinks a message ends (GP-RELAY)."""

from __future__ import annotations

from ipaddress import ip_address

from gatepost.checks.case import Case, check, failed, not_applicable, passed, unknown
from gatepost.checks.dialogue_seen import (
    SMTP,
    in_clear,
    inside_tls,
    misled,
    not_asked,
    some,
    spoken,
    starts_in_clear,
    tried,
    words,
)
from gatepost.model.finding import Verdict
from gatepost.model.observation import Greeting, Listening, Observation, Tried, Unobserved, Vantage, of
from gatepost.model.words import Role, Severity

MINE = "needs leave: name the target as yours (--mine, or declare it)"
NEAR = "tried from the server's own network, which it may trust"
INNER = frozenset({"internal", "loopback"})


@check("GP-RELAY-001")
def no_open_relay(case: Case) -> Verdict:
    """No form of address makes the port relay for strangers."""
    if spoken(case) not in SMTP:
        return not_applicable(f"speaks {spoken(case) or 'nothing'}")
    trials = tried(case, "relay:")
    if taken := [t for t in trials if t.accepted]:
        forms = some((t.what.partition(":")[2] for t in taken), limit=4)
        because = f"relays for strangers in {len(taken)} of {len(trials)} forms: {forms}"
        return misled(case) or failed(because, *taken)
    if not trials:
        return not_asked(case, "relay", MINE)
    return misled(case) or _all_tried(case, "relay", trials)


def _all_tried(case: Case, wanted: str, trials: list[Tried]) -> Verdict:
    """A server that hangs up after some refusals has not refused the rest."""
    because = f"{len(trials)} form{'' if len(trials) == 1 else 's'} refused"
    cut = [u for u in of(Unobserved, case.seen, case.at) if u.wanted == wanted]
    if cut:
        return unknown(f"{because}, then {cut[0].reason.value}: {cut[0].detail}", *cut, *trials)
    return passed(*trials, because=because)


@check("GP-RELAY-003")
def inner_listener_out_of_reach(case: Case) -> Verdict:
    """Listeners for filters and delivery answer only their own peers."""
    heard: list[Observation] = [*of(Listening, case.seen, case.at), *of(Greeting, case.seen, case.at)]
    if not heard or case.service is None:
        return case.missing("connection")
    if case.service.exposure not in INNER:
        return not_applicable(f"meant for {case.service.exposure}", *heard[:1])
    near = next(iter(of(Vantage, case.seen, case.at)), None)
    if near is None or not near.source:
        return unknown("where we looked from was not recorded", *heard[:1])
    if near.same_host or ip_address(near.source).is_loopback:
        return unknown("vantage: looked from the host itself", near)
    if zones := [z for z in case.architecture.zones if z.name in case.service.sources]:
        source = ip_address(near.source)
        if any(source in net for z in zones for net in z.networks if net.version == source.version):
            return passed(near, *heard[:1], because=f"looked from {zones[0].name}, which may")
        return failed(f"answers {near.source}, which is in none of the networks it is declared for", *heard[:1], near)
    if case.service.exposure == "loopback" or ip_address(near.source).is_global:
        return failed(f"meant for {case.service.exposure} use, and answers from outside", *heard[:1], near)
    return unknown(f"answers {near.source}: whether that is a peer, only the declaration can tell", near)


@check("GP-RELAY-004")
def identity_not_overridden(case: Case) -> Verdict:
    """Strangers cannot pose as another client (PROXY, XCLIENT, XFORWARD)."""
    believed = [t for t in tried(case, "proxy-header", "xclient", "xforward") if t.accepted]
    if believed:
        ways = words({"proxy-header": "PROXY"}.get(t.what, t.what.upper()) for t in believed)
        return misled(case) or failed(f"believes what a stranger says of the client: {ways}", *believed)
    offers = [*in_clear(case), *inside_tls(case)]
    if offering := [c for c in offers if c.has("XCLIENT") or c.has("XFORWARD")]:
        return misled(case) or failed("offers XCLIENT or XFORWARD to strangers", *offering)
    trials = tried(case, "proxy-header")
    if trials:
        return passed(*trials, *offers)
    return not_asked(case, "proxy-header", MINE) if offers else case.missing("capabilities", "greeting")


@check("GP-RELAY-005")
def messages_end_once(case: Case) -> Verdict:
    """Only CRLF.CRLF ends a message (SMTP smuggling)."""
    trials = tried(case, "smuggle:")
    if taken := [t for t in trials if t.accepted]:
        forms = words(t.what.partition(":")[2] for t in taken)
        return misled(case) or failed(f"takes other line endings for the end of a message: {forms}", *taken)
    if not trials:
        return not_asked(case, "smuggl", f"{MINE} and a recipient (--recipient)")
    return _all_tried(case, "smuggling", trials)


@check("GP-RELAY-005")
def lines_end_in_crlf(case: Case) -> Verdict:
    """A bare LF does not end a command.

    Only a hint: a Postfix that normalises messages takes it between commands all the same.
    """
    trials = tried(case, "bare-lf")
    if taken := [t for t in trials if t.accepted]:
        return misled(case) or failed("takes a bare LF for the end of a line", *taken, severity=Severity.INFO)
    return passed(*trials) if trials else not_asked(case, "smuggling", MINE)


@check("GP-RELAY-005", roles=(Role.MX,))
def clients_wait_for_the_greeting(case: Case) -> Verdict:
    """Clients that talk before the greeting are turned away."""
    trials = tried(case, "early-talker")
    if let := [t for t in trials if t.accepted]:
        return misled(case) or failed("lets clients talk before the greeting", *let, severity=Severity.INFO)
    if spoken(case) != "smtp":
        return not_applicable(f"speaks {spoken(case) or 'nothing'}")
    if not starts_in_clear(case):
        return not_applicable("the greeting comes inside TLS")
    if trials:
        return passed(*trials)
    slow = any(one.wanted == "early-talker" for one in of(Unobserved, case.seen, case.at))
    return not_asked(case, "early-talker" if slow else "proxy-header", MINE)


@check("GP-RELAY-006", roles=(Role.MX, Role.SUBMISSION))
def users_not_told(case: Case) -> Verdict:
    """VRFY and EXPN do not tell who has a mailbox."""
    trials = tried(case, "vrfy", "expn")
    if told := [t for t in trials if t.accepted]:
        ways = words(t.what.upper() for t in told)
        return failed(f"{ways} {'tells' if len(told) == 1 else 'tell'} which users exist", *told, severity=Severity.LOW)
    return passed(*trials) if trials else case.missing("vrfy", "expn", "tls", "capabilities")


@check("GP-RELAY-006", roles=(Role.MX,))
def unknown_users_refused(case: Case) -> Verdict:
    """Unknown recipients are refused while the sender is still connected."""
    trials = tried(case, "rcpt-unknown")
    if taken := [t for t in trials if t.accepted]:
        return misled(case) or failed("accepts mail for users that do not exist, and must bounce it later", *taken)
    if trials:
        return passed(*trials)
    known = any(case.at.host in domain.mx for domain in case.architecture.domains)
    if case.mine and not known:
        return unknown("not asked: no domain of this host is declared (domains: mx)")
    return not_asked(case, "rcpt-unknown", MINE)


@check("GP-PORT-011", roles=(Role.MX,))
def helo_checked(case: Case) -> Verdict:
    """A HELO name that is none is turned away."""
    trials = tried(case, "helo-invalid")
    if taken := [t for t in trials if t.accepted]:
        return misled(case) or failed("takes mail after a HELO that is no name", *taken, severity=Severity.INFO)
    return passed(*trials) if trials else not_asked(case, "helo-invalid", MINE)
