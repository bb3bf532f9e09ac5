"""What else a look into a host tells: stored passwords, checks on incoming mail, certificates between servers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from gatepost.catalogue.presumption import presumed
from gatepost.checks.case import Case, Scope, check, failed, not_applicable, passed, unknown
from gatepost.checks.dialogue_seen import words as listed
from gatepost.checks.inside_seen import here, looked_inside, not_seen_inside
from gatepost.checks.settings.named_files import files
from gatepost.checks.settings.restrictions import terms
from gatepost.checks.settings.spots import hidden, kin, listeners, servers, told
from gatepost.model.finding import Verdict
from gatepost.model.host import ListenerConfigured, ServerSeen, SettingSeen
from gatepost.model.observation import CertificateSeen, Observation, of
from gatepost.model.words import Role, Severity
from gatepost.servers.effective import effective

HOSTS = (Role.HOST,)
WEAK = frozenset({
    "clear", "cleartext", "cram-md5", "des-crypt", "digest-md5", "hmac-md5", "lanman", "ldap-md5", "md5",
    "ntlm", "plain", "plain-md4", "plain-md5", "plain-trunc", "rpa", "sha", "sha1", "skey", "smd5", "ssha",
})  # fmt: skip
STRONG = frozenset({
    "argon2i", "argon2id", "blf-crypt", "pbkdf2", "scram-sha-1", "scram-sha-256", "sha256-crypt", "sha512-crypt",
})  # fmt: skip
_SCHEME = re.compile(r"(?:^|[\s:])scheme=([A-Za-z0-9.-]{1,40})")
_SCHEME_SETTINGS = frozenset({"default_pass_scheme", "default_password_scheme", "passdb_default_password_scheme"})
_FILTERS = ("smtpd_milters", "content_filter", "smtpd_proxy_filter")
_LISTS = (
    "smtpd_client_restrictions", "smtpd_helo_restrictions", "smtpd_sender_restrictions", "smtpd_relay_restrictions",
    "smtpd_recipient_restrictions", "smtpd_data_restrictions", "smtpd_end_of_data_restrictions",
)  # fmt: skip
_MX = "25"  # the rows' word for the relay port


@check("GP-AUTH-006", scope=Scope.HOST, roles=HOSTS)
def passwords_stored_hashed(case: Case) -> Verdict:
    """Dovecot expects passwords stored with a strong salted hash."""
    found = servers(case, "dovecot")
    if not found:
        return _no_server(case, "dovecot")
    schemes = list(_schemes(case, found))
    if weak := [(one, name) for one, name in schemes if name in WEAK]:
        one, name = weak[0]
        return failed(f"{_place(one)} has passwords stored as {name.upper()}", *(seen for seen, _ in weak))
    if schemes and all(name in STRONG for _, name in schemes):
        return passed(*(one for one, _ in schemes))
    if any(name == "crypt" for _, name in schemes):
        because = "crypt takes whatever the system's crypt(3) knows: hashes have to begin with $6$, $2y$ or $y$"
        return unknown(because, *(one for one, name in schemes if name == "crypt"))
    if schemes:
        return unknown(f"the scheme {listed(n for _, n in schemes if n not in STRONG)} is not known here")
    return unknown("how passwords are stored is not in the configuration that was read", *found)


def _schemes(case: Case, found: Iterable[ServerSeen]) -> Iterator[tuple[SettingSeen, str]]:
    """What a passdb says: `args = scheme=SHA512-CRYPT …` (2.3), `default_password_scheme = …` (2.4)."""
    for server in found:
        for one in told(case, server):
            if one.name in _SCHEME_SETTINGS and one.value.strip() and not one.default:
                yield one, _bare(one.value)
            elif "passdb" in one.service and one.name == "args" and (scheme := _SCHEME.search(one.value)):
                yield one, _bare(scheme[1])


def _bare(scheme: str) -> str:
    """`SHA512-CRYPT.b64` names an encoding as well."""
    return scheme.strip().partition(".")[0].lower()


@check("GP-DNSID-009", scope=Scope.HOST, roles=HOSTS)
def incoming_mail_checked(case: Case) -> Verdict:
    """Mail that strangers bring goes through something that can check SPF, DKIM and DMARC."""
    found = servers(case, "postfix")
    if not found:
        return _no_server(case, "postfix")
    ports = [(server, one) for server in found for one in listeners(case, server) if _takes_mail(case, one)]
    if not ports:
        return not_applicable("Postfix takes no mail from other servers here", *found)
    for server, one in ports:
        verdict = _checked(case, server, one)
        if verdict is not None:
            return verdict
    filters = {name: seen for server, one in ports for name, seen in _filtering(case, server, one)}
    return unknown(f"whether {listed(filters)} checks them was not seen", *filters.values())


def _takes_mail(case: Case, one: ListenerConfigured) -> bool:
    declared = case.host.service(one.port) if case.host else None
    return not hidden(case, one) and kin(declared or presumed(one.port)) == _MX


def _checked(case: Case, server: ServerSeen, one: ListenerConfigured) -> Verdict | None:
    """None: something is there, and what it does cannot be read off."""
    seen = [s for name in (*_FILTERS, *_LISTS) if (s := _effective(case, server, one, name))]
    if not seen:
        return unknown("no setting of Postfix was told", server)
    if list(_filtering(case, server, one)):
        return None
    because = f"no filter and no policy service for {one.name}: nothing checks SPF, DKIM and DMARC of what comes in"
    return failed(because, *[s for s in seen if s.name in _FILTERS])


def _filtering(case: Case, server: ServerSeen, one: ListenerConfigured) -> Iterator[tuple[str, SettingSeen]]:
    """What could check them, as its setting names it."""
    for name in _FILTERS:
        if (seen := _effective(case, server, one, name)) and seen.value.strip():
            yield seen.value, seen
    for name in _LISTS:
        seen = _effective(case, server, one, name)
        for term in terms(seen.value) if seen else ():
            if seen and term.word.lower() == "check_policy_service":
                yield str(term), seen


def _effective(case: Case, server: ServerSeen, one: ListenerConfigured, name: str) -> SettingSeen | None:
    return effective(case.seen, here(case), server.software, server.instance, one.name, name)


@check("GP-CERT-009", scope=Scope.HOST, roles=HOSTS)
def client_certificates_meant_for_clients(case: Case) -> Verdict:
    """A certificate that Postfix shows to other servers is meant for clients."""
    found = servers(case, "postfix")
    if not found:
        return _no_server(case, "postfix")
    shown = [one for one in files(case, "certificate", "chain") if any(n.startswith("smtp_") for n in one.used_by)]
    if not shown:
        settings = [one for server in found for one in told(case, server) if _shows(one)]
        named = [one for one in settings if one.value.strip()]
        if named:
            return unknown(f"{_place(named[0])} shows {named[0].value}, which was not read", *named)
        return (
            passed(*(settings or found)) if _settings_told(case, found) else not_seen_inside(case, "postfix settings")
        )
    usages = {c.chain[0].sha256: c for c in of(CertificateSeen, case.seen) if c.chain}
    known = [(one, usages[one.fingerprint]) for one in shown if one.fingerprint in usages]
    for one, seen in known:
        usage = seen.chain[0].extended_key_usage
        if usage and "clientAuth" not in usage and "2.5.29.37.0" not in usage:
            because = f"{one.path} is shown to other servers, and is not meant for clients: those that check refuse it"
            return failed(because, one, seen, severity=Severity.MEDIUM)
    evidence: list[Observation] = [fact for pair in known for fact in pair]
    if len(known) == len(shown):
        return passed(*evidence)
    return unknown("what the certificate that Postfix shows to others is meant for was not seen", *shown)


def _shows(one: SettingSeen) -> bool:
    return one.name in {"smtp_tls_cert_file", "smtp_tls_chain_files", "smtp_tls_eccert_file"}


def _settings_told(case: Case, found: Iterable[ServerSeen]) -> bool:
    return all(any(True for _ in told(case, server)) for server in found)


def _place(one: SettingSeen) -> str:
    return f"{one.place or one.instance}: {one.name}"


def _no_server(case: Case, software: str) -> Verdict:
    lost = not_seen_inside(case, software)
    if lost.evidence or not looked_inside(case):
        return lost
    return not_applicable(f"no {software.capitalize()} on this host")
