"""Postfix of a realm: a configuration directory as an administrator keeps it, main.cf and master.cf."""

from __future__ import annotations

import shutil
from pathlib import Path

from lab.daemons import master
from lab.places import program, run
from lab.postfix import DAEMONS
from lab.realm import judging
from lab.realm.ground import PUBLIC
from lab.realm.mistakes import Where, spoilt

NAME, DOMAIN = "mx.realm.test", "realm.test"
MAILBOX = f"alice@{DOMAIN}"
RELAY = "192.0.2.25"  # takes everything that leaves the realm
AUTHENTICATED = (
    "-o smtpd_sasl_auth_enable=yes -o smtpd_client_restrictions=permit_sasl_authenticated,reject "
    "-o smtpd_relay_restrictions=permit_sasl_authenticated,reject"
)
REINJECTED = "smtpd -o syslog_name=postfix/reinjected -o smtpd_recipient_restrictions=permit_mynetworks,reject"
SERVICES = {
    "smtp": "smtpd",
    "submission": f"smtpd -o syslog_name=postfix/submission -o smtpd_tls_security_level=encrypt {AUTHENTICATED}",
    "submissions": f"smtpd -o syslog_name=postfix/submissions -o smtpd_tls_wrappermode=yes {AUTHENTICATED}",
    "127.0.0.1:10025": REINJECTED,
}


def write(home: Path, papers: Path, openssl: Path, *, sound: bool) -> None:
    """Configuration, queue and data directories under `home`. Nothing is written anywhere else."""
    for name in ("config", "queue/private", "data"):
        (home / name).mkdir(parents=True, exist_ok=True)
    for name in ("queue/private", "data"):
        shutil.chown(home / name, "postfix")
        (home / name).chmod(0o700)
    settings, services = _settings(), SERVICES
    if not sound:
        settings, services = spoilt(settings, Where.MAIN), spoilt(services, Where.MASTER)
    places = {"{key}": papers / "key.pem", "{chain}": papers / "chain.pem"}
    text = "".join(f"{name} = {value}\n" for name, value in (_standing(home, openssl) | settings).items())
    for mark, path in places.items():
        text = text.replace(mark, str(path))
    (home / "config" / "main.cf").write_text(text)
    listening = "".join(f"{name} inet n - n - - {command}\n" for name, command in services.items())
    (home / "config" / "master.cf").write_text(DAEMONS.lstrip() + listening.replace(" -o ", "\n  -o "))


def start(home: Path, inside: tuple[str, ...]) -> None:
    run(*inside, program("postfix"), "-c", str(home / "config"), "start")


def running(home: Path) -> int | None:
    return master(home / "queue" / "pid" / "master.pid", b"master")


def _standing(home: Path, openssl: Path) -> dict[str, str]:
    """What has nothing to do with fit or unfit: places, names, and where mail goes."""
    return {
        "queue_directory": f"{home}/queue",
        "data_directory": f"{home}/data",
        "maillog_file": f"{home}/mail.log",
        "maillog_file_prefixes": f"{home}",
        "import_environment": f"MAIL_CONFIG MAIL_LOGTAG TZ LANG=C OPENSSL_CONF={openssl}",
        "mail_owner": "postfix",
        "setgid_group": "postdrop",
        "myhostname": NAME,
        "mydestination": "",
        "inet_protocols": "all",
        "smtp_host_lookup": "native",
        "smtp_dns_support_level": "disabled",
        "smtpd_peername_lookup": "no",
        "relayhost": f"[{RELAY}]",
        "notify_classes": "",
        "alias_maps": "",
        "alias_database": "",
        "local_recipient_maps": "",
        "virtual_mailbox_domains": DOMAIN,
        "virtual_mailbox_maps": f"inline:{{ {MAILBOX}=alice, postmaster@{DOMAIN}=alice }}",
        "virtual_transport": "lmtp:unix:private/dovecot-lmtp",
        # What is only tried never leaves, and much of it is refused: a server is slow with whoever does that for long.
        "in_flow_delay": "0",
        "smtpd_error_sleep_time": "0",
        "smtpd_banner": "$myhostname ESMTP",
        "smtpd_sasl_type": "dovecot",
        "smtpd_sasl_path": "private/auth",
        "smtpd_tls_security_level": "may",
        "tls_high_cipherlist": "ECDHE+AESGCM:ECDHE+CHACHA20:@STRENGTH",
        "tls_preempt_cipherlist": "yes",
        "tls_ssl_options": "NO_COMPRESSION, NO_RENEGOTIATION",
    }


def _settings() -> dict[str, str]:
    """As the house wants them."""
    return {
        "compatibility_level": "3.6",
        "inet_interfaces": ", ".join((*PUBLIC, "127.0.0.1", "::1")),
        "mynetworks": "127.0.0.0/8 [::1]/128 203.0.113.20/32",
        "relay_domains": "",
        "smtpd_helo_required": "yes",
        "smtpd_helo_restrictions": "reject_invalid_helo_hostname, reject_non_fqdn_helo_hostname",
        "smtpd_relay_restrictions": "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination",
        "smtpd_recipient_restrictions": "reject_unlisted_recipient",
        "smtpd_sender_login_maps": f"inline:{{ {MAILBOX}=alice }}",
        "smtpd_sender_restrictions": "reject_authenticated_sender_login_mismatch",
        "smtpd_data_restrictions": "reject_unauth_pipelining",
        "smtpd_forbid_unauth_pipelining": "yes",
        "smtpd_forbid_bare_newline": "reject",
        "smtpd_forbid_bare_newline_exclusions": "",
        "smtpd_discard_ehlo_keywords": "chunking, silent-discard",
        "disable_vrfy_command": "yes",
        "strict_rfc821_envelopes": "yes",
        "smtpd_sasl_security_options": "noanonymous",
        "smtpd_client_event_limit_exceptions": "203.0.113.20/32",
        "smtpd_client_auth_rate_limit": "30",
        "smtpd_client_recipient_rate_limit": "300",
        "smtpd_tls_chain_files": "{key}, {chain}",
        "smtpd_tls_auth_only": "yes",
        "smtpd_tls_protocols": ">=TLSv1.2",
        "smtpd_tls_mandatory_protocols": ">=TLSv1.2",
        "smtpd_tls_ciphers": "high",
        "smtpd_tls_mandatory_ciphers": "high",
        "smtpd_tls_mandatory_exclude_ciphers": "kRSA",
        "smtpd_tls_loglevel": "1",
        "smtpd_tls_received_header": "yes",
        "smtp_tls_security_level": "may",
        "smtp_tls_loglevel": "1",
        "smtpd_milters": "inet:{}:{}".format(*judging.AT),
        "enable_long_queue_ids": "yes",
    }
