"""Postfix of the lab: one instance serves every site, each listener with its own settings in master.cf."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from lab.daemons import master
from lab.places import program, run
from lab.site import DOMAIN, POSTFIX_PORTS, Site

DAEMONS = """
pickup    unix  n - n 60    1 pickup
cleanup   unix  n - n -     0 cleanup
qmgr      unix  n - n 300   1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n -     - trivial-rewrite
bounce    unix  - - n -     0 bounce
defer     unix  - - n -     0 bounce
trace     unix  - - n -     0 bounce
verify    unix  - - n -     1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n -     - proxymap
proxywrite unix - - n -     1 proxymap
smtp      unix  - - n -     - smtp
relay     unix  - - n -     - smtp
showq     unix  n - n -     - showq
error     unix  - - n -     - error
retry     unix  - - n -     - error
discard   unix  - - n -     - discard
local     unix  - n n -     - local
virtual   unix  - n n -     - virtual
lmtp      unix  - - n -     - lmtp
anvil     unix  - - n -     1 anvil
scache    unix  - - n -     1 scache
dnsblog   unix  - - n -     0 dnsblog
tlsproxy  unix  - - n -     0 tlsproxy
postlog   unix-dgram n - n - 1 postlogd
"""

DH_FILE = "dh1024.pem"
AUTHENTICATED = {
    "smtpd_sasl_auth_enable": "yes",
    "smtpd_client_restrictions": "permit_sasl_authenticated, reject",
    "smtpd_relay_restrictions": "permit_sasl_authenticated, reject",
    "smtpd_tls_auth_only": "yes",
}
BY_PORT: dict[int, dict[str, str]] = {
    25: {},
    465: {**AUTHENTICATED, "smtpd_tls_wrappermode": "yes", "syslog_name": "postfix/submissions"},
    587: {**AUTHENTICATED, "smtpd_tls_security_level": "encrypt", "syslog_name": "postfix/submission"},
}


def write(home: Path, sites: tuple[Site, ...], papers: dict[tuple[str, int], Path], *, stock: bool) -> None:
    """`stock` keeps Postfix's way of slowing down who makes many errors.

    Configuration, queue and data directories under `home`. Nothing is written anywhere else.
    """
    for name in ("config", "queue/private", "data"):
        (home / name).mkdir(parents=True, exist_ok=True)
    for name in ("queue/private", "data"):
        shutil.chown(home / name, "postfix")
        (home / name).chmod(0o700)
    (home / "config" / "main.cf").write_text(_main(home, sites, stock=stock))
    (home / "config" / "master.cf").write_text(_master(sites, papers))


def start(home: Path) -> None:
    if running(home) is None:
        run(program("postfix"), "-c", str(home / "config"), "start")


def running(home: Path) -> int | None:
    """The master process (`postfix status` asks the same, a second slower)."""
    return master(home / "queue" / "pid" / "master.pid", b"master")


def _main(home: Path, sites: tuple[Site, ...], *, stock: bool) -> str:
    names = tuple(site.name for site in sites)
    settings = {
        "compatibility_level": "3.7",
        "queue_directory": home / "queue",
        "data_directory": home / "data",
        "maillog_file": home / "mail.log",
        "maillog_file_prefixes": home,
        "import_environment": f"MAIL_CONFIG MAIL_LOGTAG TZ LANG=C OPENSSL_CONF={home.parent / 'openssl.cnf'}",
        "mail_owner": "postfix",
        "setgid_group": "postdrop",
        "myhostname": sites[0].name,
        "mydestination": "",
        "mynetworks": "127.0.25.250/32",  # nobody: an audit from 127.0.0.1 is a stranger
        "inet_interfaces": "loopback-only",  # master.cf names the addresses; this only has to exist
        "inet_protocols": "ipv4",
        "smtp_host_lookup": "native",
        "smtp_dns_support_level": "disabled",
        "default_transport": "discard:the lab delivers nowhere",
        "relay_transport": "discard:the lab delivers nowhere",
        "smtpd_peername_lookup": "no",
        "notify_classes": "",
        "alias_maps": "",
        "alias_database": "",
        "local_recipient_maps": "",
        "virtual_mailbox_domains": ", ".join((DOMAIN, *names)),
        "virtual_mailbox_maps": f"inline:{{ {', '.join(_mailboxes((DOMAIN, *names)))} }}",
        "virtual_transport": "discard:",
        "smtpd_banner": "$myhostname ESMTP",
        "smtpd_helo_required": "yes",
        "smtpd_helo_restrictions": "reject_invalid_helo_hostname, reject_non_fqdn_helo_hostname",
        "smtpd_relay_restrictions": "reject_unauth_destination",
        "smtpd_recipient_restrictions": "reject_unlisted_recipient",
        "smtpd_data_restrictions": "reject_unauth_pipelining",
        "smtpd_forbid_unauth_pipelining": "yes",
        "smtpd_forbid_bare_newline": "reject",
        "smtpd_forbid_bare_newline_exclusions": "",
        "smtpd_discard_ehlo_keywords": "chunking, silent-discard",
        "disable_vrfy_command": "yes",
        "strict_rfc821_envelopes": "yes",
        "smtpd_sasl_type": "dovecot",
        "smtpd_sasl_security_options": "noanonymous",
        "smtpd_tls_security_level": "may",
        "smtpd_tls_auth_only": "yes",
        "smtpd_tls_protocols": ">=TLSv1.2",
        "smtpd_tls_mandatory_protocols": ">=TLSv1.2",
        "smtpd_tls_ciphers": "high",
        "smtpd_tls_mandatory_ciphers": "high",
        "tls_high_cipherlist": "ECDHE+AESGCM:ECDHE+CHACHA20:@STRENGTH",
        "tls_preempt_cipherlist": "yes",
        "tls_ssl_options": "NO_COMPRESSION, NO_RENEGOTIATION",
        "smtpd_tls_loglevel": "1",
        "smtpd_error_sleep_time": "1s" if stock else "0s",
        "max_idle": "20s",
        "default_process_limit": "100",
    }
    return "".join(f"{name} = {value}\n" for name, value in settings.items())


def _mailboxes(domains: tuple[str, ...]) -> Iterator[str]:
    for domain in domains:
        yield from (f"{user}@{domain}=alice" for user in ("alice", "postmaster"))


def _master(sites: tuple[Site, ...], papers: dict[tuple[str, int], Path]) -> str:
    return DAEMONS + "".join(line for site in sites for line in _services(site, papers))


def _services(site: Site, papers: dict[tuple[str, int], Path]) -> list[str]:
    lines = []
    for port in POSTFIX_PORTS:
        if port not in site.without:
            own = BY_PORT[port] | site.settings(port)
            lines.append(_service(site, port, site.command.get(port, "smtpd"), own, papers))
    for extra in site.extra:
        own = dict(extra.settings)
        lines.append(_service(site, extra.port, extra.command, own, papers))
    return [*lines, site.services.replace("{chain}", str(papers[site.name, 0]))]


def _service(
    site: Site, port: int, command: str, own: dict[str, str], papers: dict[tuple[str, int], Path]
) -> str:  # fmt: skip
    chain = papers.get((site.name, port), papers[site.name, 0])
    login = f"private/auth-{site.address}"
    usual = {"myhostname": site.name, "smtpd_tls_chain_files": str(chain), "smtpd_sasl_path": login}
    settings = usual | own
    dh = papers[site.name, 0].with_name(DH_FILE)
    options = "".join(f"\n  -o {{ {name} = {value} }}" for name, value in settings.items())
    options = options.replace("{dh1024}", str(dh))
    alone = "1" if command == "postscreen" else "-"
    return f"{site.address}:{port} inet n - n - {alone} {command}{options}\n"
