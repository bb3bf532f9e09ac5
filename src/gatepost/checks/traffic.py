"""Judges of what the logs tell: who logs in without TLS, who submits where relays should, what the lines leave out."""

from __future__ import annotations

from gatepost.checks.case import Case, Scope, check, failed, not_applicable, passed, unknown
from gatepost.model.architecture import Endpoint
from gatepost.model.finding import Verdict
from gatepost.model.observation import of
from gatepost.model.traffic import LogsRead, OneClient, UsedSeen
from gatepost.model.words import Role, Severity

NO_LOGS = "no logs of this host were read: gatepost logs import, or gatepost watch"
SHARE = 0.95  # of the sessions inside TLS that name its version
FEWEST = 20  # sessions, before a share means anything


def _read(case: Case) -> LogsRead | None:
    return next(iter(of(LogsRead, case.seen, Endpoint(case.at.host))), None)


def _used(case: Case) -> list[UsedSeen]:
    return [one for one in of(UsedSeen, case.seen) if one.at.host == case.at.host]


def _over(read: LogsRead) -> str:
    return f"from {read.since} to {read.until}"


@check("GP-DET-006", scope=Scope.HOST, roles=(Role.HOST,))
def nobody_logs_in_in_clear(case: Case) -> Verdict:
    """No account logged in without TLS."""
    read = _read(case)
    if read is None:
        return unknown(NO_LOGS)
    clear = [one for one in _used(case) if one.clear and one.exact]
    clear += [one for one in _used(case) if one.clear and not one.exact and one.service in {"imap", "pop3"}]
    if not clear:
        return passed(read, because=f"no login in clear {_over(read)}")
    where = "; ".join(f"{one.clear} on {one.at.port} ({', '.join(one.clear_accounts)})" for one in dict.fromkeys(clear))
    return failed(f"logins without TLS {_over(read)}: {where}", *dict.fromkeys(clear))


@check("GP-PORT-006", scope=Scope.HOST, roles=(Role.HOST,))
def users_stay_off_the_relay_port(case: Case) -> Verdict:
    """No account logged in on the port where mail arrives."""
    read = _read(case)
    if read is None:
        return unknown(NO_LOGS)
    relay = next((one for one in _used(case) if one.service == "smtp"), None)
    if relay is None or not relay.sessions:
        return not_applicable(f"nobody came to the relay port {_over(read)}", read)
    if not relay.accounts:
        return passed(relay, because=f"{relay.sessions} sessions and no login {_over(read)}")
    return failed(f"{relay.accounts} accounts logged in there {_over(read)}", relay)


@check("GP-LOG-002", scope=Scope.HOST, roles=(Role.HOST,))
def sessions_tell_their_tls(case: Case) -> Verdict:
    """Log lines name the TLS version of each session."""
    read = _read(case)
    if read is None:
        return unknown(NO_LOGS)
    poor = [
        one for one in _used(case) if one.inside >= FEWEST and (one.inside - one.untold) < SHARE * one.inside
    ]  # fmt: skip
    if not any(one.inside >= FEWEST for one in _used(case)):
        return unknown(f"fewer than {FEWEST} sessions inside TLS {_over(read)}", read)
    if not poor:
        return passed(read, because=f"nearly all sessions inside TLS name its version {_over(read)}")
    told = ", ".join(f"{one.service} {one.untold} of {one.inside}" for one in poor)
    return failed(f"sessions inside TLS without a version: {told}", *poor)


@check("GP-LOG-001", scope=Scope.HOST, roles=(Role.HOST,))
def clients_have_addresses_of_their_own(case: Case) -> Verdict:
    """Log lines name the clients, and not a gateway before them."""
    read = _read(case)
    if read is None:
        return unknown(NO_LOGS)
    hidden = [one for one in of(OneClient, case.seen) if one.at.host == case.at.host]
    if not hidden:
        return passed(read, because=f"sessions came from more than one address {_over(read)}")
    return failed("; ".join(one.because for one in hidden), *hidden, severity=Severity.HIGH)
