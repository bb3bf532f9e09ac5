"""The names of settings whose built-in value matters: those of the catalogue, and what goes with them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from gatepost import catalogue

_BESIDE = {
    "postfix": (
        "inet_protocols", "mail_version", "mydestination", "myhostname", "mynetworks", "postscreen_tls_security_level",
        "queue_directory", "smtp_tls_chain_files", "smtpd_client_restrictions", "smtpd_data_restrictions",
        "smtpd_end_of_data_restrictions", "smtpd_helo_restrictions", "smtpd_sasl_path", "smtpd_sasl_type",
        "smtpd_sender_restrictions", "smtpd_service_name", "smtpd_tls_cert_file", "smtpd_tls_ciphers",
        "smtpd_tls_eccert_file", "smtpd_tls_eckey_file", "smtpd_tls_exclude_ciphers", "smtpd_tls_key_file",
        "tls_high_cipherlist", "tls_medium_cipherlist", "tls_preempt_cipherlist", "tls_server_sni_maps",
    ),
    "dovecot": (
        "auth_cache_size", "listen", "ssl_alt_cert", "ssl_alt_key", "ssl_key", "ssl_server_alt_cert_file",
        "ssl_server_alt_key_file", "ssl_server_key_file",
    ),
    "exim": (
        "acl_smtp_auth", "acl_smtp_rcpt", "acl_smtp_starttls", "auth_advertise_hosts", "daemon_smtp_ports",
        "local_interfaces", "log_selector", "primary_hostname", "smtp_accept_max_per_host", "tls_advertise_hosts",
        "tls_certificate", "tls_on_connect_ports", "tls_privatekey", "tls_require_ciphers", "openssl_options",
    ),
}  # fmt: skip


@cache
def names(software: str) -> frozenset[str]:
    rows = [row for row in catalogue.document("server_settings")["settings"] if row["software"] == software]
    return frozenset({*_BESIDE.get(software, ()), *(name for row in rows for name in _named(row))})


def _named(part: object) -> Iterator[str]:
    """Rows name settings at the top, and again inside of predicates."""
    if isinstance(part, dict):
        yield from (part[key] for key in ("setting",) if isinstance(part.get(key), str) and part[key].isidentifier())
        yield from (name for name in part.get("in_any_of", ()) if isinstance(name, str))
        for inner in part.values():
            yield from _named(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _named(inner)
