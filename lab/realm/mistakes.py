"""What is wrong with an unfit mail host, one row a mistake: where it is written and which rows of the catalogue say so.

Each is something found on real hosts: an old tutorial followed, a debugging aid left on, a container image's default.
`rows` are ids of `server_settings.json` whose checks fail for it; what only goes with another mistake names none.
The realm is unfit by all of them together, and still carries mail.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

OFFICE_AND_MORE = "127.0.0.0/8 [::1]/128 10.0.0.0/8 203.0.113.0/24"


class Where(StrEnum):
    """Which file a mistake stands in."""

    DOVECOT = "dovecot"
    DOVECOT_BLOCK = "dovecot-block"  # text of its own, not a single setting
    KEY = "key"  # permissions of the key file, octal
    MAIN = "main.cf"
    MASTER = "master.cf"  # a whole service


@dataclass(frozen=True, slots=True)
class Mistake:
    where: Where
    name: str
    value: str | None  # None: the line is missing, so the built-in default holds
    rows: tuple[str, ...] = ()


def postfix(name: str, value: str | None, *rows: str) -> Mistake:
    return Mistake(Where.MAIN, name, value, rows)


def dovecot(name: str, value: str | None, *rows: str) -> Mistake:
    return Mistake(Where.DOVECOT, name, value, rows)


POSTFIX = (
    postfix("compatibility_level", None, "postfix.relay.compatibility_level"),
    postfix("smtpd_tls_chain_files", None),  # the old pair of settings instead
    postfix("smtpd_tls_cert_file", "{chain}"),
    postfix("smtpd_tls_key_file", "{key}"),
    postfix("smtpd_tls_auth_only", "no", "postfix.tls.auth_only"),
    postfix("smtpd_tls_protocols", "!SSLv2, !SSLv3", "postfix.tls.protocols.opportunistic"),
    postfix("smtpd_tls_mandatory_protocols", ">=TLSv1", "postfix.tls.protocols.mandatory"),
    postfix("smtpd_tls_mandatory_ciphers", "low", "postfix.tls.ciphers.mandatory"),
    postfix("smtpd_tls_mandatory_exclude_ciphers", None, "postfix.tls.forward_secrecy"),
    postfix("smtpd_tls_session_cache_timeout", "86400s", "postfix.tls.ticket_lifetime"),
    postfix("smtpd_tls_loglevel", None, "postfix.tls.loglevel.server"),
    postfix("smtpd_tls_received_header", None, "postfix.tls.received_header"),
    postfix("smtpd_sasl_auth_enable", "yes", "postfix.sasl.mx_off"),
    postfix("smtpd_sasl_security_options", "", "postfix.sasl.noanonymous"),
    postfix("smtpd_sender_restrictions", None, "postfix.sasl.sender_owner"),  # the table is there, nothing asks it
    postfix("smtpd_milters", None),  # and so is the filter
    postfix("mynetworks", OFFICE_AND_MORE, "postfix.relay.mynetworks"),
    postfix("smtpd_client_event_limit_exceptions", None),
    # Not an open relay: where the relay list permits, the recipient list still refuses.
    postfix("smtpd_relay_restrictions", "permit_mynetworks, permit_sasl_authenticated"),
    postfix("smtpd_recipient_restrictions", "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination"),
    postfix("relay_domains", "partner.test", "postfix.relay.relay_domains"),
    postfix("smtpd_forbid_bare_newline", None, "postfix.smuggling.bare_newline"),
    postfix("smtpd_forbid_bare_newline_exclusions", None),
    postfix("smtpd_forbid_unauth_pipelining", None, "postfix.protocol.unauth_pipelining"),
    postfix("smtpd_data_restrictions", None),
    postfix("disable_vrfy_command", None, "postfix.protocol.vrfy"),
    postfix("smtpd_helo_required", None),
    postfix("smtpd_client_connection_count_limit", "0", "postfix.limit.connections"),
    postfix("smtpd_client_auth_rate_limit", None, "postfix.limit.auth_rate"),
    postfix("smtpd_client_recipient_rate_limit", None, "postfix.limit.recipient_rate"),
    postfix("smtpd_authorized_xclient_hosts", "203.0.113.0/24", "postfix.trust.xclient"),
    postfix("inet_interfaces", "all"),
    postfix("smtp_tls_security_level", None, "postfix.out.level"),
    postfix("smtp_tls_loglevel", None, "postfix.out.loglevel"),
    postfix("enable_long_queue_ids", None, "postfix.evidence.queue_ids"),
    postfix("debug_peer_list", "203.0.113.77", "postfix.evidence.debug_peers"),
    Mistake(
        Where.MASTER,
        "submission",
        "smtpd -o syslog_name=postfix/submission -o smtpd_sasl_auth_enable=yes",
        ("postfix.tls.level.submission",),
    ),
    Mistake(Where.MASTER, "2525", "smtpd -o syslog_name=postfix/alternate"),
    Mistake(Where.MASTER, "127.0.0.1:10025", None),
    Mistake(Where.MASTER, "10025", "smtpd -o syslog_name=postfix/reinjected"),
)

LISTENERS = """\
service lmtp {
  inet_listener lmtp {
    port = 24
  }
}
service auth {
  inet_listener {
    port = 12345
  }
  unix_listener auth-client {
    mode = 0666
  }
}
service doveadm {
  inet_listener {
    port = 8080
  }
}
"""

DOVECOT = (
    dovecot("listen", "*, ::"),
    dovecot("ssl", "yes", "dovecot.tls.required"),
    dovecot("disable_plaintext_auth", "no", "dovecot.tls.cleartext_auth.23"),
    dovecot("ssl_min_protocol", "TLSv1", "dovecot.tls.min_protocol"),
    dovecot("ssl_cipher_list", "ALL:!LOW:!SSLv2:!EXP:!aNULL", "dovecot.tls.ciphers"),
    dovecot("ssl_prefer_server_ciphers", None),
    dovecot("auth_mechanisms", "plain login cram-md5", "dovecot.auth.mechanisms"),
    dovecot("auth_failure_delay", "0", "dovecot.auth.failure_delay"),
    dovecot("mail_max_userip_connections", "0", "dovecot.auth.userip_connections"),
    dovecot("auth_cache_size", "10M"),
    dovecot("auth_cache_ttl", "8 hours", "dovecot.auth.cache_ttl"),
    dovecot("auth_master_user_separator", "*", "dovecot.auth.master_users"),
    dovecot("login_trusted_networks", "203.0.113.0/24", "dovecot.auth.trusted_networks"),
    dovecot("haproxy_trusted_networks", "10.0.0.0/8", "dovecot.auth.haproxy"),
    dovecot("pop3_port", "110", "dovecot.ports.pop3_clear"),
    dovecot("auth_verbose", None, "dovecot.log.auth_verbose"),
    dovecot("auth_verbose_passwords", "plain", "dovecot.log.no_passwords"),
    dovecot("auth_debug_passwords", "yes", "dovecot.log.no_debug_passwords"),
    dovecot("login_log_format_elements", None, "dovecot.log.login_elements"),
    dovecot("mail_plugins", None, "dovecot.log.mail_events"),
    dovecot("exporter", None, "dovecot.log.read_events"),
    dovecot("mail_full_filesystem_access", "yes", "dovecot.exposure.filesystem"),
    dovecot("sieve_plugins", "sieve_extprograms", "dovecot.exposure.sieve_programs"),
    dovecot("doveadm_password", "{secret}"),
    Mistake(
        Where.DOVECOT_BLOCK,
        "listeners",
        LISTENERS,
        ("dovecot.auth.socket_tcp", "dovecot.auth.socket_mode", "dovecot.ports.lmtp_tcp", "dovecot.ports.doveadm"),
    ),
)
FILES = (Mistake(Where.KEY, "key", "0644"),)
ALL = (*POSTFIX, *DOVECOT, *FILES)


def rows() -> frozenset[str]:
    """The rows of the settings catalogue that an unfit host violates."""
    return frozenset(row for mistake in ALL for row in mistake.rows)


def spoilt(settings: dict[str, str], where: Where) -> dict[str, str]:
    """These settings with every mistake of that place made."""
    made = {m.name: m.value for m in ALL if m.where is where}
    return {name: value for name, value in (settings | dict(_kept(made))).items() if made.get(name, "") is not None}


def _kept(made: dict[str, str | None]) -> Iterator[tuple[str, str]]:
    yield from ((name, value) for name, value in made.items() if value is not None)
