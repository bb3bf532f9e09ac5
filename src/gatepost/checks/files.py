"""Certificate and key files on disk: kept private, fitting, there, and the ones that are served (GP-CERT, GP-DET)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import ip_address
from shlex import quote

from gatepost.catalogue.remedies import LABELS
from gatepost.checks.case import Case, Scope, check, failed, not_applicable, passed, unknown
from gatepost.checks.certificates import served
from gatepost.checks.dialogue_seen import some, words
from gatepost.checks.inside_seen import here, looked_inside, not_seen_inside
from gatepost.checks.settings.named_files import files
from gatepost.model.architecture import Architecture, Endpoint
from gatepost.model.certificate import Certificate
from gatepost.model.finding import Verdict
from gatepost.model.host import DaemonSaid, FileSeen, ServerSeen
from gatepost.model.observation import CertificateSeen, Unobserved, of
from gatepost.model.words import Role, Severity
from gatepost.servers.effective import service_at
from gatepost.servers.files import NO_KEY, NOT_REGULAR

HOSTS = (Role.HOST,)
OWNERS = frozenset({"acme", "certbot", "Debian-exim", "dovecot", "exim", "letsencrypt", "postfix", "root"})
CROWDS = frozenset({"adm", "daemon", "mail", "nobody", "nogroup", "staff", "sudo", "users", "www-data"})
JUDGED = frozenset({
    "smtpd_tls_cert_file", "smtpd_tls_chain_files", "smtpd_tls_eccert_file", "smtpd_tls_key_file", "ssl_cert",
    "ssl_key", "ssl_server_cert_file", "ssl_server_key_file",
})  # fmt: skip
_SOFTWARE = {"smtp_": "postfix", "smtpd_": "postfix", "ssl_": "dovecot", "tls_": "exim"}  # by the setting's name
_RELOAD = {"dovecot": "doveadm reload", "exim": "systemctl reload exim4", "postfix": "postfix reload"}
_PAIRS = (
    ("smtpd_tls_cert_file", "smtpd_tls_key_file"), ("smtpd_tls_eccert_file", "smtpd_tls_eckey_file"),
    ("smtpd_tls_dcert_file", "smtpd_tls_dkey_file"), ("ssl_cert", "ssl_key"), ("ssl_alt_cert", "ssl_alt_key"),
    ("ssl_server_cert_file", "ssl_server_key_file"), ("ssl_server_alt_cert_file", "ssl_server_alt_key_file"),
    ("tls_certificate", "tls_privatekey"), ("smtpd_tls_chain_files", "smtpd_tls_chain_files"),
)  # fmt: skip


@check("GP-CERT-006", scope=Scope.HOST, roles=HOSTS)
def keys_kept_private(case: Case) -> Verdict:
    """Private keys are readable by their owner and the service alone."""
    keys = [one for one in files(case, "key") if one.exists]
    if not keys:
        return _no_files(case, "private key")
    lost = {one.path: lost for one in keys if (lost := _no_key(case, one))}
    problems = [(one, *problem) for one in keys if one.path not in lost and (problem := _readable(one))]
    if not problems:
        for path, unobserved in lost.items():
            return unknown(f"{path}: {unobserved.detail}", unobserved, *(one for one in keys if one.path == path))
        return passed(*keys)
    worst = max(severity for _, severity, _ in ((o, s.rank, w) for o, s, w in problems))
    because = "; ".join(f"{one.path} (mode {one.mode:04o}, {one.owner}:{one.group}) {why}" for one, _, why in problems)
    severity = next(s for _, s, _ in problems if s.rank == worst)
    return failed(because, *(one for one, _, _ in problems), remedy=_closing(problems), severity=severity)


def _no_key(case: Case, one: FileSeen) -> Unobserved | None:
    """A directory, a list of users: what a setting names by mistake is not to be shut."""
    if one.public:
        return None
    told = (u for u in of(Unobserved, case.seen, one.at) if u.wanted == f"contents of {one.path}")
    return next((u for u in told if u.detail in {NO_KEY, NOT_REGULAR}), None)


def _readable(one: FileSeen) -> tuple[Severity, str] | None:
    if one.mode & 0o007:
        return Severity.CRITICAL, "can be read by every process of the host"
    if one.mode & 0o020:
        return Severity.HIGH, f"can be changed by the group {one.group}"
    if one.mode & 0o040 and one.group in CROWDS:
        return Severity.HIGH, f"can be read by the group {one.group}, which many belong to"
    if one.owner and one.owner not in OWNERS:
        return Severity.MEDIUM, f"belongs to {one.owner}, who can copy or replace it"
    return None


def _closing(problems: Iterable[tuple[FileSeen, Severity, str]]) -> str:
    def commands(one: FileSeen) -> str:
        path = quote(one.path)
        owner = "" if one.owner in OWNERS and one.group not in CROWDS else f"chown root:root {path} && "
        return f"{owner}chmod {'0640' if one.mode & 0o040 and one.group not in CROWDS else '0600'} {path}"

    return "\n".join(dict.fromkeys(commands(one) for one, _, _ in problems))


@check("GP-CERT-006", scope=Scope.HOST, roles=HOSTS)
def keys_not_shared(case: Case) -> Verdict:
    """No private key lies on hosts of different zones."""
    keys = [one for one in files(case, "key") if one.public]
    if not keys:
        return _no_files(case, "public half of a private key")
    others = [one for one in of(FileSeen, case.seen) if one.purpose == "key" and one.at != here(case)]
    ours = _zones(case.at.host, case.architecture)
    for key in keys:
        same = [one for one in others if one.public == key.public]
        apart = sorted({one.at.host for one in same if _zones(one.at.host, case.architecture) != ours})
        if apart:
            because = f"{key.path} holds the same key as {some(apart)}, in another zone: one break-in opens both"
            return failed(because, key, *same)
    return passed(*keys)


def _zones(name: str, architecture: Architecture) -> frozenset[str]:
    """The narrowest zone of each address; nothing for a host that nobody declared."""
    host = architecture.host(name)
    return frozenset(_zone(address, architecture) for address in host.addresses) if host else frozenset()


def _zone(address: str, architecture: Architecture) -> str:
    found = [
        (network.prefixlen, zone.name)
        for zone in architecture.zones
        for network in zone.networks
        if ip_address(address) in network
    ]
    return max(found)[1] if found else ""


@check("GP-CERT-004", scope=Scope.HOST, roles=HOSTS)
def keys_fit(case: Case) -> Verdict:
    """Each certificate file has the key that belongs to it."""
    certificates = [one for one in files(case, "certificate", "chain") if one.public]
    keys = [one for one in files(case, "key") if one.public]
    pairs = list(_pairs(certificates, keys))
    if not pairs:
        return _no_files(case, "certificate with its key")
    for certificate, beside in pairs:
        if certificate.public not in {key.public for key in beside}:
            keyed = words(key.path for key in beside)
            because = (
                f"the key in {keyed} is not that of the certificate in {certificate.path}: TLS ends at the next reload"
            )
            return failed(because, certificate, *beside)
    return passed(*(one for certificate, beside in pairs for one in (certificate, *beside)))


def _pairs(certificates: Sequence[FileSeen], keys: Sequence[FileSeen]) -> Iterator[tuple[FileSeen, list[FileSeen]]]:
    for name, key_name in _PAIRS:
        beside = [one for one in keys if key_name in one.used_by]
        for certificate in certificates:
            if name in certificate.used_by and beside:
                yield certificate, beside


@check("GP-CERT-004", scope=Scope.HOST, roles=HOSTS)
def named_files_exist(case: Case) -> Verdict:
    """Every certificate and key file for special uses exists; those of the usual settings are judged with them."""
    every = files(case, "certificate", "chain", "key")
    found = [one for one in every if not set(one.used_by) <= JUDGED]
    if every and not found:
        return not_applicable("all files are those of the usual settings", *every)
    if not found:
        return _no_files(case, "certificate file")
    if missing := [one for one in found if not one.exists]:
        one = missing[0]
        place = f"{one.place} names" if one.place else f"{words(one.used_by)} names"
        more = f" (and {some(other.path for other in missing[1:])})" if missing[1:] else ""
        return failed(f"{place} {one.path}, which does not exist{more}", *missing)
    return passed(*found)


@check("GP-CERT-004", scope=Scope.HOST, roles=HOSTS)
def served_from_disk(case: Case) -> Verdict:
    """Each port serves a certificate that its server has on disk."""
    answers = [(chain, *answer) for at in case.endpoints for chain in served(case.seen, at)
               if (answer := _on_disk(case, at))]  # fmt: skip
    if not answers:
        return _not_compared(case)
    old = [(chain, software, disk) for chain, software, disk in answers if chain.chain[0].sha256 not in _held(disk)]
    if not old:
        return passed(*(chain for chain, _, _ in answers), *(f for _, _, disk in answers for f in disk))
    chain, software, disk = old[0]
    newer = [one for one in disk if one.modified and one.modified > chain.chain[0].not_before]
    if not newer:
        because = f"port {chain.at.port} serves a certificate that is in no file of {LABELS[software]}"
        return unknown(because, *(c for c, _, _ in old), *disk)
    ports = words(str(c.at.port) for c, s, _ in old if s == software)
    because = _stale(newer[-1], software, chain.chain[0], ports)
    return failed(because, *(c for c, _, _ in old), *newer, remedy=_RELOAD[software])


def _stale(disk: FileSeen, software: str, leaf: Certificate, ports: str) -> str:
    renewed = f"{disk.modified:%Y-%m-%d %H:%M}" if disk.modified else "then"
    return (
        f"{disk.path} was renewed on {renewed}, and {LABELS[software]} still serves the certificate that ends on"
        f" {leaf.not_after:%Y-%m-%d} ({ports})"
    )


def _on_disk(case: Case, at: Endpoint) -> tuple[str, list[FileSeen]] | None:
    """The server behind a port, and the certificate files it is told to use."""
    listener = service_at(case.seen, at.host, at.port, at.address)
    if listener is None:
        return None
    disk = [
        one
        for one in files(case, "certificate", "chain")
        if one.fingerprint and any(_software(name) == listener.software for name in one.used_by if _serves(name))
    ]
    return (listener.software, disk) if disk else None


def _serves(name: str) -> bool:
    """Not what the server shows as a client."""
    return not name.startswith(("smtp_", "ssl_client_"))


def _software(name: str) -> str:
    return next((software for start, software in _SOFTWARE.items() if name.startswith(start)), "")


def _held(disk: Iterable[FileSeen]) -> frozenset[str]:
    return frozenset(one.fingerprint for one in disk)


def _not_compared(case: Case) -> Verdict:
    if not files(case, "certificate", "chain"):
        return _no_files(case, "certificate file")
    if not of(CertificateSeen, case.seen):
        return unknown("no certificate was seen on a port")
    return unknown("no port serves a certificate of a server whose files were read")


@check("GP-DET-007", scope=Scope.HOST)
def configuration_in_use(case: Case) -> Verdict:
    """Each server runs with the configuration that is in its files."""
    servers = of(ServerSeen, case.seen, here(case))
    running = [one for one in servers if one.running]
    if not running:
        return _nothing_runs(case)
    if stale := [one for one in running if one.stale]:
        return unknown(_changed(stale[0]), *stale)
    if not any(one.started and one.configured for one in running):
        return unknown("when the servers started, or their files changed, was not seen", *running)
    return passed(*running)


def _changed(one: ServerSeen) -> str:
    """A reload leaves no trace that times show, so this is a doubt and no fault."""
    changed = f"{one.configured:%Y-%m-%d %H:%M}" if one.configured else "a day not seen"
    began = f"{one.started:%Y-%m-%d %H:%M}" if one.started else "a day not seen"
    label = LABELS.get(one.software, one.software)
    return (
        f"files of {label} ({one.instance}) changed on {changed}, it started on {began}:"
        " whether it was reloaded since was not seen"
    )


@check("GP-DET-007", scope=Scope.HOST)
def configuration_loads(case: Case) -> Verdict:
    """Each server's own check has nothing to say about its configuration."""
    servers = of(ServerSeen, case.seen, here(case))
    said = of(DaemonSaid, case.seen, here(case))
    if broken := [one for one in said if one.broken]:
        one = broken[0]
        because = f"{LABELS.get(one.software, one.software)} will not start again with {one.instance}: {one.text}"
        return failed(because, *broken)
    if said:
        one = said[0]
        more = f" (and {len(said) - 1} more)" if said[1:] else ""
        because = f"{LABELS.get(one.software, one.software)} warns about {one.instance}: {one.text}{more}"
        return failed(because, *said, severity=Severity.INFO)
    return passed(*servers) if servers else _nothing_runs(case)


def _nothing_runs(case: Case) -> Verdict:
    if not looked_inside(case):
        return not_seen_inside(case, "settings")
    for software in _RELOAD:
        lost = not_seen_inside(case, f"{software} settings")
        if lost.evidence:
            return lost
    return not_applicable("no mail server runs on this host")


def _no_files(case: Case, what: str) -> Verdict:
    """Nothing named, or nothing that could be read."""
    if not looked_inside(case):
        return not_seen_inside(case, "file")
    by_word: dict[str, list[Unobserved]] = defaultdict(list)
    for one in of(Unobserved, case.seen, here(case)):
        by_word[one.wanted.partition(" ")[0]].append(one)
    for lost in (*by_word["file"], *by_word["contents"]):
        return unknown(f"{lost.wanted}: {lost.detail}", lost)
    if files(case, "certificate", "chain", "key"):
        return unknown(f"no {what} could be read")
    return not_applicable("no server of this host is told to use a certificate")
