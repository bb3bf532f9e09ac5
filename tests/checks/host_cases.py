"""Small hosts seen from inside: a Postfix and a Dovecot where every row of the settings catalogue holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

from gatepost.catalogue.versions import numbers
from gatepost.model.architecture import Zone
from gatepost.model.host import BundleRead, FileSeen, ListenerConfigured, Place, ServerSeen, SettingSeen
from gatepost.model.observation import Observation
from tests.checks.cases import HOST, NOW, service

MAIN, MASTER = "/etc/postfix/main.cf", "/etc/postfix/master.cf"
POSTFIX, DOVECOT = "/etc/postfix", "/etc/dovecot/dovecot.conf"
CHAIN, KEY = "/etc/ssl/mail/chain.pem", "/etc/ssl/mail/key.pem"
LOOKED = BundleRead(HOST, NOW, "this machine")
SERVICES = tuple(map(service, (25, 465, 587, 993, 143, 110, 995, 4190)))
OFFICE = Zone("office", (ip_network("10.1.0.0/16"),))
DECLARED: Mapping[str, Any] = {"declared": SERVICES, "zones": (OFFICE,)}

SENDING = {
    "compatibility_level": "3.11", "mynetworks": "127.0.0.0/8 [::1]/128", "mynetworks_style": "host",
    "inet_interfaces": "all", "mydestination": "localhost", "relay_domains": "", "enable_long_queue_ids": "yes",
    "debug_peer_list": "", "disable_vrfy_command": "yes", "smtpd_tls_security_level": "may", "smtpd_use_tls": "no",
    "smtpd_enforce_tls": "no", "smtpd_tls_wrappermode": "no", "smtpd_tls_auth_only": "yes",
    "smtpd_tls_mandatory_protocols": ">=TLSv1.2", "smtpd_tls_protocols": ">=TLSv1.2",
    "smtpd_tls_mandatory_ciphers": "high", "smtpd_tls_mandatory_exclude_ciphers": "kRSA",
    "smtpd_tls_exclude_ciphers": "", "smtpd_tls_session_cache_timeout": "3600s", "smtpd_tls_chain_files": CHAIN,
    "smtpd_tls_cert_file": "", "smtpd_tls_key_file": "", "smtpd_tls_eccert_file": "", "smtpd_tls_loglevel": "1",
    "smtpd_tls_received_header": "yes", "smtpd_discard_ehlo_keywords": "chunking", "smtpd_sasl_auth_enable": "no",
    "smtpd_sasl_security_options": "noanonymous", "smtpd_sasl_tls_security_options": "noanonymous",
    "smtpd_sender_login_maps": "hash:/etc/postfix/owners",
    "smtpd_sender_restrictions": "reject_authenticated_sender_login_mismatch", "smtpd_client_restrictions": "",
    "smtpd_helo_restrictions": "", "smtpd_recipient_restrictions": "", "smtpd_data_restrictions": "",
    "smtpd_end_of_data_restrictions": "",
    "smtpd_relay_restrictions": "permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination",
    "permit_mx_backup_networks": "", "smtpd_forbid_bare_newline": "normalize",
    "smtpd_forbid_bare_newline_exclusions": "127.0.0.1", "smtpd_forbid_unauth_pipelining": "yes",
    "smtpd_client_connection_count_limit": "50", "smtpd_client_auth_rate_limit": "10",
    "smtpd_client_recipient_rate_limit": "100", "smtpd_client_event_limit_exceptions": "127.0.0.1",
    "milter_default_action": "tempfail", "smtpd_milters": "unix:/run/rspamd.sock",
    "smtpd_upstream_proxy_protocol": "", "postscreen_upstream_proxy_protocol": "",
    "smtpd_authorized_xclient_hosts": "", "postscreen_greet_action": "enforce", "smtp_tls_security_level": "may",
    "smtp_use_tls": "no", "smtp_dns_support_level": "", "smtp_tls_loglevel": "1", "smtp_log_tls_feature_status": "yes",
    "content_filter": "", "smtpd_proxy_filter": "", "smtp_tls_cert_file": "", "smtp_tls_chain_files": "",
}  # fmt: skip
OVERRIDES = {
    ("submission/inet", "smtpd_tls_security_level"): "encrypt",
    ("submission/inet", "smtpd_sasl_auth_enable"): "yes",
    ("submissions/inet", "smtpd_tls_wrappermode"): "yes",
    ("submissions/inet", "smtpd_sasl_auth_enable"): "yes",
}
MAILBOXES = {
    "protocols": "imap lmtp pop3 sieve", "listen": "*, ::", "ssl": "required", "ssl_min_protocol": "TLSv1.2",
    "ssl_cipher_list": "ALL:!kRSA:!SRP:!kDHd:!DSS:!aNULL:!eNULL:!EXPORT:!DES:!3DES:!MD5:!PSK:!RC4:!ADH:!LOW@STRENGTH",
    "ssl_client_require_valid_cert": "yes", "auth_mechanisms": "plain login", "auth_failure_delay": "2 secs",
    "mail_max_userip_connections": "10", "auth_cache_size": "10 M", "auth_cache_ttl": "1 hours",
    "auth_master_user_separator": "", "login_trusted_networks": "", "haproxy_trusted_networks": "",
    "auth_verbose": "yes", "auth_verbose_passwords": "no", "auth_debug_passwords": "no",
    "mail_plugins": "notify mail_log", "sieve_plugins": "sieve_imapsieve", "doveadm_password": "",
}  # fmt: skip
OLD = {
    "disable_plaintext_auth": "yes", "ssl_cert": f"<{CHAIN}", "ssl_key": f"<{KEY}",
    "mail_full_filesystem_access": "no",
    "login_log_format_elements": "user=<%u> method=%m rip=%r lip=%l lport=%a %c %k",
}  # fmt: skip
NEW = {
    "auth_allow_cleartext": "no", "auth_allow_weak_schemes": "no", "ssl_server_cert_file": CHAIN,
    "ssl_server_key_file": KEY, "login_log_format_elements": "%{local_port} %{ssl_security}",
}  # fmt: skip
INNER = {  # blocks of Dovecot
    ("metric reads", "filter"): "event=imap_command_finished",
    ("metric reads", "exporter"): "log",
    ("service auth/unix_listener auth-userdb", "mode"): "0660",
}
PORTS = {
    "smtp/inet": 25, "submission/inet": 587, "submissions/inet": 465, "imap-login/imap": 143, "imap-login/imaps": 993,
    "pop3-login/pop3": 110, "pop3-login/pop3s": 995, "managesieve-login/sieve": 4190,
}  # fmt: skip

Changes = Mapping[Any, str | None]  # a setting, or (block, setting); None: nobody told it


def sender(changes: Changes | None = None, version: str = "3.11.7", **more: Any) -> tuple[Observation, ...]:
    """A Postfix. Values that are changed are written in main.cf or master.cf, the others too."""
    told: dict[tuple[str, str], str] = {("", name): value for name, value in SENDING.items()} | OVERRIDES
    commands: Mapping[str, str] = more.get("commands", {})
    return (
        LOOKED,
        ServerSeen(HOST, "postfix", version, POSTFIX, running=True, **more.get("server", {})),
        *_listeners("postfix", POSTFIX, more.get("addresses", {}), commands, more.get("also", {})),
        *_settings("postfix", POSTFIX, _changed(told, changes or {}), more.get("defaults", ())),
        *more.get("files", disk()),
    )


def store(changes: Changes | None = None, version: str = "2.3.19.1", **more: Any) -> tuple[Observation, ...]:
    """A Dovecot, 2.3 unless told otherwise."""
    values = MAILBOXES | (OLD if numbers(version) < (2, 4) else NEW)
    told: dict[tuple[str, str], str] = {("", name): value for name, value in values.items()} | INNER
    return (
        LOOKED,
        ServerSeen(HOST, "dovecot", version, DOVECOT, running=True, **more.get("server", {})),
        *_listeners("dovecot", DOVECOT, more.get("addresses", {}), {}, more.get("also", {})),
        *_settings("dovecot", DOVECOT, _changed(told, changes or {}), more.get("defaults", ())),
        *more.get("files", disk()),
    )


def _changed(told: dict[tuple[str, str], str], changes: Changes) -> dict[tuple[str, str], str]:
    """A change of a setting reaches the ports that override it as well."""
    for key, value in changes.items():
        keys = [key] if isinstance(key, tuple) else [k for k in told if k[1] == key] or [("", key)]
        for one in keys:
            told.pop(one, None)
            if value is not None:
                told[one] = value
    return told


def _settings(
    software: str, instance: str, told: Mapping[tuple[str, str], str], defaults: tuple[str, ...]
) -> Iterator[SettingSeen]:
    for line, ((block, name), value) in enumerate(told.items(), 1):
        file = DOVECOT if software == "dovecot" else MASTER if block else MAIN
        default = name in defaults
        place = None if default else Place(file, line)
        yield SettingSeen(HOST, software, instance, block, name, value, default=default, place=place)


def _listeners(
    software: str,
    instance: str,
    addresses: Mapping[str, tuple[str, ...]],
    commands: Mapping[str, str],
    also: Mapping[str, int],
) -> Iterator[ListenerConfigured]:
    ours = {name: port for name, port in PORTS.items() if name.endswith("/inet") is (software == "postfix")}
    for name, port in {**ours, **also}.items():
        if port:
            command = commands.get(name, "smtpd") if software == "postfix" else name.partition("/")[0]
            tls = name in {"submissions/inet", "imap-login/imaps", "pop3-login/pop3s"}
            yield ListenerConfigured(
                HOST,
                software,
                instance,
                name,
                port,
                addresses.get(name, ()),
                command,
                tls=tls,
                place=Place(MASTER, port),
            )


def disk(**changes: Any) -> tuple[FileSeen, ...]:
    """A chain and its key, as they should be."""
    facts: dict[str, Any] = {"mode": 0o600, "owner": "root", "group": "root", "modified": NOW - timedelta(days=40)}
    used = ("smtpd_tls_chain_files", "ssl_cert", "ssl_server_cert_file")
    key = facts | {"public": "b1", "used_by": ("smtpd_tls_chain_files", "ssl_key", "ssl_server_key_file")} | changes
    return (
        FileSeen(HOST, CHAIN, "chain", exists=True, **facts, public="b1", fingerprint="a1", used_by=used),
        FileSeen(HOST, KEY, "key", **{"exists": True, **key}),
    )
