"""Every row of the settings catalogue: what passes, what fails in which words, and what cannot be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.catalogue.settings import Row as Setting
from gatepost.catalogue.settings import Safe, settings
from gatepost.checks.case import Check
from gatepost.checks.settings.judges import SETTINGS
from gatepost.model.finding import Verdict
from gatepost.model.host import ServerSeen, SettingSeen, SocketSeen
from gatepost.model.observation import Observation, Unobserved
from gatepost.model.rules import AdmissionSeen, RuleRef
from gatepost.model.words import Outcome, Reason, Severity
from tests.checks.cases import HOST, V4, Row, at, case, of_row, row, service
from tests.checks.host_cases import CHAIN, DECLARED, KEY, LOOKED, POSTFIX, disk, sender, store

CHECKS: Mapping[str, Check] = {one.name: one for one in SETTINGS}
FOLLOWS = "smtpd_forbid_bare_newline_exclusions"
GONE = {"exists": False, "mode": 0}
OPEN = {"smtpd_relay_restrictions": ""}
ON_25: Mapping[str, Any] = {"commands": {"smtp/inet": "postscreen"}}
ANYBODY = "permit, defer_unauth_destination"


def _of(name: str) -> Check:
    return CHECKS[name.replace(".", "-").replace("_", "-")]


def _facts(name: str, changes: Mapping[Any, str | None], more: Mapping[str, Any]) -> tuple[Observation, ...]:
    seen = more.get("seen", ())
    told = {key: value for key, value in more.items() if key not in {"seen", "declared", "zones", "host", "domains"}}
    build = sender if name.startswith("postfix") else store
    return (*build(changes, **told), *seen)


def good(name: str, changes: Mapping[Any, str | None] | None = None, **more: Any) -> Row:
    return _row(name, "pass", changes or {}, "", more)


def bad(name: str, changes: Mapping[Any, str | None], says: str, **more: Any) -> Row:
    return _row(name, "fail", changes, says, more)


def doubt(name: str, changes: Mapping[Any, str | None], says: str, **more: Any) -> Row:
    return _row(name, "unknown", changes, says, more)


def beside(name: str, changes: Mapping[Any, str | None], says: str, **more: Any) -> Row:
    return _row(name, "not-applicable", changes, says, more)


def _row(name: str, outcome: str, changes: Mapping[Any, str | None], says: str, more: Mapping[str, Any]) -> Row:
    options = {**DECLARED, **{key: more[key] for key in ("declared", "zones", "host", "domains") if key in more}}
    return row(_of(name), HOST, outcome, *_facts(name, changes, more), says=says, **options)


def _new(name: str, changes: Mapping[Any, str | None] | None = None, says: str = "", **more: Any) -> Row:
    """Of Dovecot 2.4."""
    return _row(name, "fail" if changes else "pass", changes or {}, says, {"version": "2.4.1", **more})


_POSTFIX: tuple[Row, ...] = (
    good("postfix.tls.level.mx"),
    good("postfix.tls.level.mx", {("", "smtpd_tls_security_level"): "", "smtpd_use_tls": "yes"}),
    good("postfix.tls.level.mx", {("", "smtpd_tls_security_level"): "encrypt"},
         declared=(service(25, exposure="internal"), service(587))),
    bad("postfix.tls.level.mx", {("", "smtpd_tls_security_level"): ""},
        "sets smtpd_tls_security_level = empty for smtp (25): it has to be may"),
    bad("postfix.tls.level.mx", {("", "smtpd_tls_security_level"): "encrypt"}, "strangers must be able to deliver"),
    beside("postfix.tls.level.mx", {}, "no port of this host", addresses={"smtp/inet": ("127.0.0.1",)}),
    good("postfix.tls.level.submission"),
    bad("postfix.tls.level.submission", {("submission/inet", "smtpd_tls_security_level"): "may"},
        "for submission (587): it has to be encrypt"),
    bad("postfix.tls.level.submission", {("submission/inet", "smtpd_tls_security_level"): "may"},
        "for alternate (2587): it has to be encrypt", also={"submission/inet": 2587},
        declared=(service(2587, name="alternate"),)),
    good("postfix.tls.wrapper"),
    bad("postfix.tls.wrapper", {("submissions/inet", "smtpd_tls_wrappermode"): "no"}, "for submissions (465)"),
    bad("postfix.tls.wrapper", {("", "smtpd_tls_wrappermode"): "yes"}, "for smtp (25), submission (587)"),
    good("postfix.tls.auth_only"),
    good("postfix.tls.auth_only", {"smtpd_tls_auth_only": "no"}),  # level and wrapper mode imply it, 25 has no AUTH
    bad("postfix.tls.auth_only", {"smtpd_tls_auth_only": "no", ("", "smtpd_sasl_auth_enable"): "yes"},
        "smtpd_tls_auth_only = no for smtp (25)"),
    good("postfix.tls.protocols.mandatory"),
    bad("postfix.tls.protocols.mandatory", {"smtpd_tls_mandatory_protocols": ">=TLSv1"}, "lets TLSv1 in"),
    good("postfix.tls.protocols.opportunistic", {"smtpd_tls_protocols": "!SSLv2, !SSLv3, !TLSv1, !TLSv1.1"}),
    bad("postfix.tls.protocols.opportunistic", {"smtpd_tls_protocols": "!SSLv2, !SSLv3, !TLSv1"}, "lets TLSv1.1 in"),
    doubt("postfix.tls.protocols.opportunistic", {"smtpd_tls_protocols": ">=TLSv9"}, "not known here"),
    good("postfix.tls.ciphers.mandatory"),
    bad("postfix.tls.ciphers.mandatory", {"smtpd_tls_mandatory_ciphers": "export"}, "has to be high or medium"),
    good("postfix.tls.forward_secrecy"),
    good("postfix.tls.forward_secrecy",
         {"smtpd_tls_mandatory_exclude_ciphers": "", "smtpd_tls_exclude_ciphers": "aNULL, kRSA"}),
    bad("postfix.tls.forward_secrecy", {"smtpd_tls_mandatory_exclude_ciphers": "aNULL"}, "kRSA is missing"),
    good("postfix.tls.ticket_lifetime", {"smtpd_tls_session_cache_timeout": "1h"}),
    bad("postfix.tls.ticket_lifetime", {"smtpd_tls_session_cache_timeout": "1d"}, "3600 or less seconds"),
    good("postfix.tls.certificate"),
    bad("postfix.tls.certificate", {"smtpd_tls_chain_files": ""}, "it has to name a file"),
    bad("postfix.tls.certificate", {"smtpd_tls_chain_files": "", "smtpd_tls_cert_file": KEY}, f"{KEY} does not exist",
        files=disk(**GONE)),
    doubt("postfix.tls.certificate", {"smtpd_tls_chain_files": "/other.pem"}, "/other.pem: it was not looked at"),
    good("postfix.tls.loglevel.server"),
    bad("postfix.tls.loglevel.server", {"smtpd_tls_loglevel": "0"},
        "for smtp (25), submission (587), submissions (465)"),
    bad("postfix.tls.loglevel.server", {"smtpd_tls_loglevel": "2"}, "it has to be 1"),
    good("postfix.tls.received_header"),
    bad("postfix.tls.received_header", {"smtpd_tls_received_header": "no"}, "it has to be yes"),
    good("postfix.tls.starttls_hidden"),
    bad("postfix.tls.starttls_hidden", {"smtpd_discard_ehlo_keywords": "CHUNKING, STARTTLS"}, "starttls is in it"),
    good("postfix.sasl.mx_off"),
    bad("postfix.sasl.mx_off", {("", "smtpd_sasl_auth_enable"): "yes"}, "for smtp (25): it has to be no"),
    good("postfix.sasl.submission_on"),
    bad("postfix.sasl.submission_on", {("submissions/inet", "smtpd_sasl_auth_enable"): "no"}, "submissions (465)"),
    good("postfix.sasl.noanonymous"),
    bad("postfix.sasl.noanonymous", {"smtpd_sasl_security_options": "noplaintext"}, "noanonymous is missing"),
    beside("postfix.sasl.noanonymous", {"smtpd_sasl_auth_enable": "no", "smtpd_sasl_security_options": ""},
           "smtpd_sasl_auth_enable is no"),
    good("postfix.sasl.noanonymous.tls"),
    bad("postfix.sasl.noanonymous.tls", {"smtpd_sasl_tls_security_options": ""}, "noanonymous is missing"),
    good("postfix.sasl.sender_owner"),
    bad("postfix.sasl.sender_owner", {"smtpd_sender_login_maps": ""}, "it has to be set"),
    bad("postfix.sasl.sender_owner", {"smtpd_sender_restrictions": ""}, "no restriction uses it"),
    bad("postfix.sasl.sender_owner",
        {"smtpd_sender_restrictions": "permit_sasl_authenticated, reject_sender_login_mismatch"}, "is never reached"),
    good("postfix.relay.restrictions"),
    good("postfix.relay.restrictions",
         {"smtpd_relay_restrictions": "check_client_access hash:/x, reject", "smtpd_recipient_restrictions": "reject"}),
    bad("postfix.relay.restrictions", {"smtpd_relay_restrictions": ANYBODY}, "permit comes before the refusal"),
    bad("postfix.relay.restrictions",
        {"smtpd_relay_restrictions": ANYBODY, "smtpd_recipient_restrictions": "reject_unauth_destination"},
        "smtpd_recipient_restrictions alone still refuses them"),
    doubt("postfix.relay.restrictions",
          {"smtpd_relay_restrictions": "check_client_access hash:/x, reject"}, "was not read"),
    beside("postfix.relay.restrictions", OPEN, "smtpd_relay_restrictions is empty"),
    good("postfix.relay.recipient_restrictions", {**OPEN, "smtpd_recipient_restrictions": "permit_mynetworks, reject"}),
    good("postfix.relay.recipient_restrictions",
         {"smtpd_relay_restrictions": None, "smtpd_recipient_restrictions": "permit_mynetworks, reject"},
         version="2.9.6"),
    bad("postfix.relay.recipient_restrictions", OPEN, "the list ends without reject_unauth_destination"),
    good("postfix.relay.mynetworks"),
    good("postfix.relay.mynetworks", {"mynetworks": "127.0.0.0/8 10.1.2.0/24"}, host={"relay_clients": ("office",)}),
    good("postfix.relay.mynetworks", {"mynetworks": "127.0.0.0/8 203.0.113.9/32"}, defaults=("mynetworks",)),
    bad("postfix.relay.mynetworks", {"mynetworks": "10.0.0.0/8"}, "10.0.0.0/8 is not among the declared relay_clients"),
    bad("postfix.relay.mynetworks", {"mynetworks": "0.0.0.0/0"}, "0.0.0.0/0 is the whole Internet",
        host={"relay_clients": ("0.0.0.0/0",)}),
    doubt("postfix.relay.mynetworks", {"mynetworks": "10.0.0.0/8"}, "no declaration says", declared=()),
    doubt("postfix.relay.mynetworks", {"mynetworks": "cidr:/etc/postfix/mynetworks"}, "was not read"),
    doubt("postfix.relay.mynetworks", {"mynetworks": "$other"}, "depends on $other, which was not worked out"),
    good("postfix.relay.mynetworks_style", {}, defaults=("mynetworks", "mynetworks_style")),
    bad("postfix.relay.mynetworks_style", {"mynetworks_style": "subnet"}, "it has to be host",
        defaults=("mynetworks",)),
    beside("postfix.relay.mynetworks_style", {"mynetworks_style": "subnet"}, "mynetworks is 127.0.0.0/8"),
    good("postfix.relay.compatibility_level"),
    bad("postfix.relay.compatibility_level", {"compatibility_level": "0"}, "it has to be 2 or more"),
    good("postfix.relay.relay_domains", {"relay_domains": "localhost, localhost.example.org"}),
    bad("postfix.relay.relay_domains", {"relay_domains": "example.net"}, "example.net is not declared"),
    doubt("postfix.relay.relay_domains", {"relay_domains": "hash:/etc/postfix/relay"}, "was not read"),
    good("postfix.relay.mx_backup", {"smtpd_relay_restrictions": "permit_mx_backup, reject",
                                     "permit_mx_backup_networks": "192.0.2.0/24"}),
    bad("postfix.relay.mx_backup", {"smtpd_relay_restrictions": "permit_mx_backup, reject"}, "it has to be set"),
    beside("postfix.relay.mx_backup", {}, "no list has permit_mx_backup"),
    good("postfix.smuggling.bare_newline"),
    good("postfix.smuggling.bare_newline", {"smtpd_forbid_bare_newline": "yes"}, version="3.7.9"),
    bad("postfix.smuggling.bare_newline", {"smtpd_forbid_bare_newline": "no"}, "normalize, reject or yes"),
    bad("postfix.smuggling.bare_newline", {"smtpd_forbid_bare_newline": None},
        "Postfix 3.7.8 has no smtpd_forbid_bare_newline: it takes a newer version", version="3.7.8"),
    doubt("postfix.smuggling.bare_newline", {}, "whether it was carried back is not known", version="3.4.14"),
    good("postfix.smuggling.bare_newline_exclusions"),
    bad("postfix.smuggling.bare_newline_exclusions", {"smtpd_forbid_bare_newline_exclusions": "10.0.0.0/8"},
        "is not among the declared relay_clients"),
    beside("postfix.smuggling.bare_newline_exclusions", {"smtpd_forbid_bare_newline": "no"}, "decides nothing here"),
    good("postfix.protocol.unauth_pipelining"),
    bad("postfix.protocol.unauth_pipelining", {"smtpd_forbid_unauth_pipelining": "no"}, "it has to be yes"),
    bad("postfix.protocol.unauth_pipelining", {"smtpd_forbid_unauth_pipelining": None}, "a newer version",
        version="3.5.19"),
    good("postfix.protocol.vrfy"),
    bad("postfix.protocol.vrfy", {"disable_vrfy_command": "no"}, "it has to be yes"),
    good("postfix.limit.connections"),
    bad("postfix.limit.connections", {"smtpd_client_connection_count_limit": "0"}, "between 1 and 50"),
    doubt("postfix.limit.connections", {"smtpd_client_connection_count_limit": "many"}, "it is no number"),
    good("postfix.limit.auth_rate"),
    bad("postfix.limit.auth_rate", {"smtpd_client_auth_rate_limit": "0"}, "1 or more"),
    good("postfix.limit.recipient_rate"),
    bad("postfix.limit.recipient_rate", {"smtpd_client_recipient_rate_limit": "0"}, "1 or more"),
    good("postfix.limit.exceptions"),
    bad("postfix.limit.exceptions", {"smtpd_client_event_limit_exceptions": "172.16.0.0/12"}, "relay_clients"),
    good("postfix.milter.default_action"),
    bad("postfix.milter.default_action", {"milter_default_action": "accept"},
        "tempfail, reject, quarantine or shutdown"),
    beside("postfix.milter.default_action", {"milter_default_action": "accept", "smtpd_milters": ""},
           "smtpd_milters is empty"),
    good("postfix.milter.address", {"smtpd_milters": "{ inet:[::1]:11332, connect_timeout=5s } inet:localhost:8891"}),
    good("postfix.milter.address", {"smtpd_milters": "inet:10.1.0.9:11332"}, host={"peers": ("office",)}),
    bad("postfix.milter.address", {"smtpd_milters": "inet:10.1.0.9:11332"}, "mail goes to 10.1.0.9 in clear"),
    good("postfix.trust.proxy_protocol"),
    good("postfix.trust.proxy_protocol", {"smtpd_upstream_proxy_protocol": "haproxy"}, host={"proxies": ("office",)}),
    bad("postfix.trust.proxy_protocol", {"smtpd_upstream_proxy_protocol": "haproxy"}, "no proxies are declared"),
    bad("postfix.trust.proxy_protocol", {"postscreen_upstream_proxy_protocol": "haproxy"}, "no proxies are declared"),
    good("postfix.trust.xclient"),
    bad("postfix.trust.xclient", {"smtpd_authorized_xclient_hosts": "10.0.0.1"}, "not among the declared proxies"),
    doubt("postfix.trust.interfaces", {}, "what all stands for was not read"),
    good("postfix.trust.interfaces", {"inet_interfaces": f"{V4}, localhost"}),
    bad("postfix.trust.interfaces", {"inet_interfaces": "all"}, "all is not declared", declared=(service(993),)),
    bad("postfix.trust.interfaces", {"inet_interfaces": "198.51.100.7"}, "198.51.100.7 is not declared"),
    good("postfix.postscreen.enforced", {}, **ON_25),
    bad("postfix.postscreen.enforced", {"postscreen_greet_action": "ignore"}, "enforce or drop", **ON_25),
    beside("postfix.postscreen.enforced", {"postscreen_greet_action": "ignore"}, "postscreen does not run here"),
    good("postfix.out.level", {"smtp_tls_security_level": "dane"}),
    bad("postfix.out.level", {"smtp_tls_security_level": ""}, "for smtp/unix, relay/unix"),
    bad("postfix.out.level", {("slow/unix", "smtp_tls_security_level"): "none"}, "for slow/unix"),
    good("postfix.out.dane_needs_dnssec", {"smtp_tls_security_level": "dane", "smtp_dns_support_level": "dnssec"}),
    bad("postfix.out.dane_needs_dnssec", {"smtp_tls_security_level": "dane"}, "it has to be dnssec"),
    good("postfix.out.loglevel"),
    bad("postfix.out.loglevel", {"smtp_tls_loglevel": "0"}, "it has to be 1"),
    good("postfix.out.tls_status"),
    bad("postfix.out.tls_status", {"smtp_log_tls_feature_status": "no"}, "it has to be yes"),
    beside("postfix.out.tls_status", {}, "Postfix 3.7.11 has no smtp_log_tls_feature_status", version="3.7.11"),
    good("postfix.evidence.queue_ids"),
    bad("postfix.evidence.queue_ids", {"enable_long_queue_ids": "no"}, "it has to be yes"),
    good("postfix.evidence.debug_peers"),
    bad("postfix.evidence.debug_peers", {"debug_peer_list": "192.0.2.1"}, "it has to be empty"),
)  # fmt: skip

DOVEADM = {"also": {"doveadm/inet_listener": 8080}}
LMTP = {"also": {"lmtp/lmtp": 24}}
AUTH = {"also": {"auth/inet": 12345}}
RULE = RuleRef("inet filter", "input", 7, "accept")
_DOVECOT: tuple[Row, ...] = (
    good("dovecot.tls.required"),
    bad("dovecot.tls.required", {"ssl": "yes"},
        "for imap (143), pop3 (110), managesieve (4190): it has to be required"),
    bad("dovecot.tls.required", {("local_name mail.example.net", "ssl"): "yes"}, "for local_name mail.example.net"),
    good("dovecot.tls.required", {("service imap-login/inet_listener imaps", "ssl"): "yes"}),  # another setting
    good("dovecot.tls.cleartext_auth.23", {"disable_plaintext_auth": "no"}),  # ssl = required implies it
    bad("dovecot.tls.cleartext_auth.23", {"disable_plaintext_auth": "no", "ssl": "yes"}, "it has to be yes"),
    good("dovecot.tls.cleartext_auth.23", {("remote 127.0.0.1", "disable_plaintext_auth"): "no", "ssl": "yes"}),
    bad("dovecot.tls.cleartext_auth.23", {("remote 10.1.0.0/16", "disable_plaintext_auth"): "no", "ssl": "yes"},
        "for remote 10.1.0.0/16: it has to be yes"),
    beside("dovecot.tls.cleartext_auth.23", {}, "has no disable_plaintext_auth", version="2.4.1"),
    _new("dovecot.tls.cleartext_auth.24"),
    _new("dovecot.tls.cleartext_auth.24", {"auth_allow_cleartext": "yes", "ssl": "yes"}, "it has to be no"),
    good("dovecot.tls.min_protocol", {"ssl_min_protocol": "LATEST"}),
    bad("dovecot.tls.min_protocol", {"ssl_min_protocol": "ANY"}, "lets SSLv3 in"),
    bad("dovecot.tls.min_protocol", {("protocol imap", "ssl_min_protocol"): "TLSv1"}, "for imap (143), imaps (993)"),
    good("dovecot.tls.ciphers"),
    bad("dovecot.tls.ciphers", {"ssl_cipher_list": "HIGH:!aNULL"}, "admits RSA key exchange"),
    good("dovecot.tls.certificate.23"),
    bad("dovecot.tls.certificate.23", {"ssl_cert": CHAIN}, "it has to be written <path"),
    bad("dovecot.tls.certificate.23", {}, f"{KEY} does not exist", files=disk(**GONE)),
    _new("dovecot.tls.certificate.24"),
    _new("dovecot.tls.certificate.24", {"ssl_server_cert_file": ""}, "it has to name a file"),
    good("dovecot.tls.client_valid_cert"),
    bad("dovecot.tls.client_valid_cert", {"ssl_client_require_valid_cert": "no"}, "it has to be yes"),
    good("dovecot.auth.mechanisms"),
    bad("dovecot.auth.mechanisms", {"auth_mechanisms": "plain CRAM-MD5 digest-md5"},
        "cram-md5 and digest-md5 are in it"),
    _new("dovecot.auth.weak_schemes"),
    _new("dovecot.auth.weak_schemes", {"auth_allow_weak_schemes": "yes"}, "it has to be no"),
    good("dovecot.auth.failure_delay"),
    bad("dovecot.auth.failure_delay", {"auth_failure_delay": "0"}, "2 or more seconds"),
    doubt("dovecot.auth.failure_delay", {"auth_failure_delay": "soon"}, "it is no time"),
    good("dovecot.auth.userip_connections"),
    bad("dovecot.auth.userip_connections", {"mail_max_userip_connections": "1000"}, "between 1 and 50"),
    good("dovecot.auth.cache_ttl"),
    bad("dovecot.auth.cache_ttl", {"auth_cache_ttl": "1 days"}, "3600 or less seconds"),
    beside("dovecot.auth.cache_ttl", {"auth_cache_size": "0", "auth_cache_ttl": "1 days"}, "auth_cache_size is 0"),
    good("dovecot.auth.master_users"),
    bad("dovecot.auth.master_users", {"auth_master_user_separator": "*"}, "no master_users are declared"),
    good("dovecot.auth.trusted_networks"),
    good("dovecot.auth.trusted_networks", {"login_trusted_networks": "10.1.0.0/24"}, host={"proxies": ("office",)}),
    bad("dovecot.auth.trusted_networks", {"login_trusted_networks": "10.1.0.0/24"}, "not among the declared proxies"),
    good("dovecot.auth.haproxy"),
    bad("dovecot.auth.haproxy", {"haproxy_trusted_networks": "0.0.0.0/0"}, "not among the declared proxies"),
    good("dovecot.auth.socket_tcp"),
    good("dovecot.auth.socket_tcp", {}, **AUTH, addresses={"auth/inet": ("127.0.0.1", "::1")}),
    bad("dovecot.auth.socket_tcp", {}, "listens on all addresses, port 12345, and no peers are declared", **AUTH),
    doubt("dovecot.auth.socket_tcp", {}, "whether the firewall keeps it", **AUTH, host={"peers": ("office",)}),
    bad("dovecot.auth.socket_tcp", {}, "the firewall lets 0.0.0.0/0 in (inet filter input rule 7)", **AUTH,
        host={"peers": ("office",)}, seen=(AdmissionSeen(at(12345), ("0.0.0.0/0",), rules=(RULE,)),)),
    good("dovecot.auth.socket_tcp", {}, **AUTH, host={"peers": ("office",)},
         seen=(AdmissionSeen(at(12345), ("10.1.0.0/16",)),)),
    doubt("dovecot.auth.socket_tcp", {}, "was not seen", **AUTH, host={"peers": ("office",)},
          seen=(AdmissionSeen(at(12345), (), ("0.0.0.0/0",)),)),
    good("dovecot.auth.socket_mode"),
    good("dovecot.auth.socket_mode", {("service auth/unix_listener auth-userdb", "mode"): "0666"}),
    good("dovecot.auth.socket_mode",
         {("service auth/unix_listener /var/spool/postfix/private/auth", "mode"): "0666"}),
    good("dovecot.auth.socket_mode", {("service auth/unix_listener auth-userdb", "mode"): None}),
    bad("dovecot.auth.socket_mode", {("service auth/unix_listener auth-client", "mode"): "0666"},
        "sets mode = 0666 for service auth/unix_listener auth-client"),
    bad("dovecot.auth.socket_mode", {("service auth/unix_listener auth-userdb", "mode"): "0777"}, "0660 is needed"),
    good("dovecot.ports.imap_clear"),
    good("dovecot.ports.imap_clear", {}, also={"imap-login/imap": 0}, declared=(service(993),)),
    bad("dovecot.ports.imap_clear", {}, "imap-login/imap for imap (143): port 143 is not declared",
        declared=(service(993),)),
    doubt("dovecot.ports.imap_clear", {}, "no declaration says", declared=()),
    good("dovecot.ports.pop3_clear"),
    bad("dovecot.ports.pop3_clear", {}, "port 110 is not declared", declared=(service(993),)),
    good("dovecot.ports.pop3s"),
    bad("dovecot.ports.pop3s", {}, "port 995 is not declared", declared=(service(993),)),
    good("dovecot.ports.protocols"),
    bad("dovecot.ports.protocols", {}, "pop3, sieve are not declared", declared=(service(993),)),
    good("dovecot.ports.sieve"),
    good("dovecot.ports.sieve", {}, addresses={"managesieve-login/sieve": ("127.0.0.1",)}, declared=(service(993),)),
    bad("dovecot.ports.sieve", {}, "listens on all addresses, port 4190, and the port is not declared",
        declared=(service(993),)),
    doubt("dovecot.ports.sieve", {}, "whether the firewall keeps it to office was not seen",
          declared=(service(4190, sources=("office",)),)),
    bad("dovecot.ports.sieve", {}, "the firewall lets 192.0.2.0/24 in", declared=(service(4190, sources=("office",)),),
        seen=(AdmissionSeen(at(4190), ("192.0.2.0/24",)),)),
    good("dovecot.ports.lmtp_tcp"),
    bad("dovecot.ports.lmtp_tcp", {}, "port 24, and no peers are declared", **LMTP),
    good("dovecot.ports.doveadm"),
    bad("dovecot.ports.doveadm", {}, "no management are declared", **DOVEADM),
    bad("dovecot.ports.doveadm", {}, "sets doveadm_password = empty", **DOVEADM,
        addresses={"doveadm/inet_listener": ("127.0.0.1",)}),
    bad("dovecot.ports.doveadm", {"doveadm_password": "***"}, "speaks without TLS", **DOVEADM,
        addresses={"doveadm/inet_listener": ("127.0.0.1",)}),
    good("dovecot.log.auth_verbose"),
    bad("dovecot.log.auth_verbose", {"auth_verbose": "no"}, "it has to be yes"),
    good("dovecot.log.no_passwords", {"auth_verbose_passwords": "sha1:6"}),
    bad("dovecot.log.no_passwords", {"auth_verbose_passwords": "plain"}, "it has to be no or sha1"),
    good("dovecot.log.no_debug_passwords"),
    bad("dovecot.log.no_debug_passwords", {"auth_debug_passwords": "yes"}, "it has to be no"),
    good("dovecot.log.login_elements"),
    bad("dovecot.log.login_elements", {"login_log_format_elements": "user=<%u> %c"}, "%k and %{lport} are missing"),
    _new("dovecot.log.login_elements"),
    _new("dovecot.log.login_elements", {"login_log_format_elements": "%{local_port}"}, "%{ssl_security} is missing"),
    good("dovecot.log.mail_events"),
    bad("dovecot.log.mail_events", {("protocol imap", "mail_plugins"): "notify"},
        "for protocol imap: mail_log is missing"),
    good("dovecot.log.read_events"),
    bad("dovecot.log.read_events", {("metric reads", "exporter"): ""}, "no metric with an exporter"),
    good("dovecot.exposure.filesystem"),
    bad("dovecot.exposure.filesystem", {"mail_full_filesystem_access": "yes"}, "it has to be no"),
    good("dovecot.exposure.sieve_programs", {"sieve_plugins": None}),
    good("dovecot.exposure.sieve_programs",
         {"sieve_plugins": "sieve_extprograms", ("plugin", "sieve_extensions"): "+notify"}),
    bad("dovecot.exposure.sieve_programs", {"sieve_plugins": "sieve_extprograms"}, "sieve_extprograms is in it"),
    bad("dovecot.exposure.sieve_programs",
        {"sieve_plugins": "sieve_extprograms", ("", "sieve_extensions"): "+vnd.dovecot.pipe"}, "sieve_extprograms"),
)  # fmt: skip

UNREAD = {
    "postfix": ServerSeen(HOST, "postfix", "3.11.7", POSTFIX),
    "dovecot": ServerSeen(HOST, "dovecot", "", "/etc/dovecot/dovecot.conf"),
}
_UNKNOWN: tuple[Row, ...] = (
    *(row(one, HOST, "unknown", says="not looked at from inside") for one in SETTINGS),
    *(row(one, HOST, "unknown", LOOKED, UNREAD[one.name.partition("-")[0]], says="not seen") for one in SETTINGS),
    *(row(one, HOST, "unknown", LOOKED, Unobserved(HOST, "postfix settings", Reason.REFUSED, "no postconf"),
          UNREAD["postfix"], says="refused: no postconf") for one in SETTINGS[:3]),
    *(row(one, HOST, "not-applicable", LOOKED, says="no Postfix on this host") for one in SETTINGS[:3]),
)  # fmt: skip
ROWS: tuple[Row, ...] = (*_POSTFIX, *_DOVECOT, *_UNKNOWN)


def judged(one: Row) -> Verdict:
    return one.check.judge(of_row(one))


@pytest.mark.parametrize("one", ROWS, ids=str)
def test_row(one: Row) -> None:
    verdict = judged(one)
    assert (verdict.outcome, one.says in verdict.because) == (one.outcome, True), verdict.because


@pytest.mark.parametrize("one", [r for r in ROWS if r.outcome is Outcome.FAIL], ids=str)
def test_a_failure_has_a_place_a_severity_and_a_remedy(one: Row) -> None:
    verdict = judged(one)
    setting = next(s for s in settings() if s.check == one.check.name)
    eased = any(words and words in verdict.because for words in ("alone still refuses", setting.eased_because))
    assert verdict.severity is (Severity.MEDIUM if eased else setting.severity)
    assert verdict.evidence
    assert verdict.remedy or setting.mend


@pytest.mark.parametrize("setting", settings(), ids=lambda s: s.id)
def test_each_row_is_shown_to_pass_and_to_fail(setting: Setting) -> None:
    shown = {one.outcome for one in (*_POSTFIX, *_DOVECOT) if one.check.name == setting.check}
    assert {Outcome.PASS, Outcome.FAIL} <= shown


@pytest.mark.parametrize(
    ("name", "changes", "severity"),
    [
        ("dovecot.tls.required", {"ssl": "yes"}, Severity.MEDIUM),
        ("dovecot.tls.required", {"ssl": "yes", "disable_plaintext_auth": "no"}, Severity.CRITICAL),
        ("dovecot.tls.required", {"ssl": "yes", "auth_mechanisms": "plain cram-md5"}, Severity.CRITICAL),
        ("dovecot.tls.required", {"ssl": "yes", "auth_mechanisms": None}, Severity.CRITICAL),
        ("postfix.relay.mynetworks", {"mynetworks": "127.0.0.0/8 [fe80::]/10"}, Severity.MEDIUM),
        ("postfix.relay.mynetworks", {"mynetworks": "[fe80::]/10 10.0.0.0/8"}, Severity.CRITICAL),
    ],
)
def test_what_another_setting_keeps_out_weighs_less(
    name: str, changes: Mapping[Any, str | None], severity: Severity
) -> None:
    verdict = _of(name).judge(case(HOST, *_facts(name, changes, {}), **DECLARED))
    assert (verdict.outcome, verdict.severity) == (Outcome.FAIL, severity)


def test_the_place_is_file_and_line() -> None:
    one = bad("postfix.tls.level.submission", {("submission/inet", "smtpd_tls_security_level"): "may"}, "")
    because = judged(one).because
    assert because.startswith("/etc/postfix/master.cf:")
    assert because.endswith("sets smtpd_tls_security_level = may for submission (587): it has to be encrypt")
    assert judged(one).ports == (587,)


def test_a_value_nobody_set_is_named_as_built_in() -> None:
    facts = sender({"smtpd_tls_loglevel": "0"}, defaults=("smtpd_tls_loglevel",))
    verdict = _of("postfix.tls.loglevel.server").judge(case(HOST, *facts, **DECLARED))
    assert verdict.because.startswith("smtpd_tls_loglevel is 0 by default for smtp (25)")


def test_an_instance_in_another_place_is_named() -> None:
    facts = [_elsewhere(one) for one in sender({"smtpd_tls_loglevel": "0"}, defaults=("smtpd_tls_loglevel",))]
    verdict = _of("postfix.tls.loglevel.server").judge(case(HOST, *facts, **DECLARED))
    assert "smtpd_tls_loglevel of /etc/postfix-out is 0 by default" in verdict.because
    assert verdict.remedy.startswith("postconf -c /etc/postfix-out -e 'smtpd_tls_loglevel = 1'")


def _elsewhere(one: Any) -> Any:
    return replace(one, instance="/etc/postfix-out") if hasattr(one, "instance") else one


@pytest.mark.parametrize(
    ("name", "changes", "remedy"),
    [
        ("postfix.tls.level.submission", {("submission/inet", "smtpd_tls_security_level"): "may"},
         "postconf -P 'submission/inet/smtpd_tls_security_level=encrypt' && postfix reload"),
        ("postfix.sasl.mx_off", {("", "smtpd_sasl_auth_enable"): "yes"},
         "postconf -P 'smtp/inet/smtpd_sasl_auth_enable=no' && postfix reload"),
        ("postfix.tls.wrapper", {("submission/inet", "smtpd_tls_wrappermode"): "yes"},
         "postconf -P 'submission/inet/smtpd_tls_wrappermode=no' && postfix reload"),
        ("postfix.tls.loglevel.server", {"smtpd_tls_loglevel": "0"},
         "postconf -e 'smtpd_tls_loglevel = 1' && postfix reload"),
        ("postfix.tls.loglevel.server", {("submission/inet", "smtpd_tls_loglevel"): "4"},
         "postconf -P 'submission/inet/smtpd_tls_loglevel=1' && postfix reload"),
        ("postfix.relay.mynetworks", {"mynetworks": "127.0.0.0/8 10.0.0.0/8 10.1.0.0/16"},
         "postconf -e 'mynetworks = 127.0.0.0/8 [::1]/128 10.1.0.0/16' && postfix reload"),
        ("postfix.trust.xclient", {"smtpd_authorized_xclient_hosts": "10.0.0.1"},
         "postconf -e 'smtpd_authorized_xclient_hosts = ' && postfix reload"),
        ("postfix.relay.relay_domains", {"relay_domains": "example.net localhost"},
         "postconf -e 'relay_domains = localhost' && postfix reload"),
        ("dovecot.ports.protocols", {"protocols": "imap lmtp other sieve"},
         "Dovecot: protocols = imap lmtp sieve (in a file that is included last), then doveadm reload"),
        ("postfix.tls.starttls_hidden", {"smtpd_discard_ehlo_keywords": "starttls, chunking"},
         "postconf -e 'smtpd_discard_ehlo_keywords = chunking' && postfix reload"),
        ("dovecot.log.auth_verbose", {"auth_verbose": "no"},
         "Dovecot: auth_verbose = yes (in a file that is included last), then doveadm reload"),
        ("dovecot.tls.required", {("local_name a.example", "ssl"): "yes"},
         "Dovecot: local_name a.example { ssl = required } (in a file that is included last), then doveadm reload"),
    ],
)  # fmt: skip
def test_the_remedy_is_a_command_for_the_ports_that_are_wrong(
    name: str, changes: Mapping[Any, str], remedy: str
) -> None:
    assert judged(bad(name, changes, "", host={"relay_clients": ("office",)})).remedy == remedy


def test_a_port_that_only_the_host_itself_gets_to_is_left_alone() -> None:
    facts = (*sender({("submission/inet", "smtpd_tls_security_level"): "may"}), SocketSeen(HOST, "127.0.0.1", 587, 4))
    verdict = _of("postfix.tls.level.submission").judge(case(HOST, *facts, **DECLARED))
    assert verdict.outcome is Outcome.NOT_APPLICABLE


def test_behind_postscreen_the_smtpd_of_the_pass_service_counts() -> None:
    facts = sender({("smtpd/pass", "smtpd_sasl_auth_enable"): "yes", ("", "smtpd_service_name"): "smtpd"}, **ON_25)
    verdict = _of("postfix.sasl.mx_off").judge(case(HOST, *facts, **DECLARED))
    assert verdict.outcome is Outcome.FAIL
    assert verdict.remedy == "postconf -P 'smtpd/pass/smtpd_sasl_auth_enable=no' && postfix reload"


def test_what_follows_another_setting_is_told_once() -> None:
    facts = [
        replace(one, written="$mynetworks") if isinstance(one, SettingSeen) and one.name == FOLLOWS else one
        for one in sender({FOLLOWS: "10.0.0.0/8", "mynetworks": "10.0.0.0/8"})
    ]
    outcomes = {
        name: _of(name).judge(case(HOST, *facts, **DECLARED)).outcome
        for name in ("postfix.relay.mynetworks", "postfix.smuggling.bare_newline_exclusions")
    }
    assert list(outcomes.values()) == [Outcome.FAIL, Outcome.NOT_APPLICABLE]


def _named(safe: Safe) -> set[str]:
    parts = [*safe.of, *filter(None, (safe.when, safe.users))]
    names = {safe.setting, safe.or_setting, safe.file, *(safe.behind.lists if safe.behind else ())}
    return {name for name in names if name} | {name for part in parts for name in _named(part)}


_WORDS = st.sampled_from([
    "permit", "reject", "check_client_access", "hash:/x", "inline:{a=OK}", "{", "}", "!10.0.0.0/8", "10.0.0.0/33",
    "[::1]/128", "fe80::1%eth0", ">=TLSv1.2", "!", ">=", "0x0303", "ALL", "!kRSA", "-", "+", "@SECLEVEL=0",
    "999999999999999", "1h", "<", "<<", "$", "${a?{b}:{c}}", "\x00", "é", "0777", "inet:[::1", "unix:", "@", ",", "%k",
    "%{lport}", "::/0",
])  # fmt: skip
VALUES = st.one_of(st.text(max_size=60), st.lists(_WORDS, max_size=12).map(" ".join), st.lists(_WORDS).map(":".join))


@given(setting=st.sampled_from(settings()), value=VALUES, declared=st.booleans(), both=st.booleans())
def test_any_text_gives_a_verdict(*, setting: Setting, value: str, declared: bool, both: bool) -> None:
    names = {setting.reads} | (_named(setting.safe) if both else set())
    facts = (sender if setting.software == "postfix" else store)(dict.fromkeys(names, value))
    verdict = CHECKS[setting.check].judge(case(HOST, *facts, **(DECLARED if declared else {})))
    assert verdict.outcome in Outcome
    assert len(verdict.because) < 5000


@pytest.mark.parametrize("one", SETTINGS, ids=lambda c: c.name)
def test_a_server_of_which_nothing_was_read_never_passes(one: Check) -> None:
    software = one.name.partition("-")[0]
    verdict = one.judge(case(HOST, LOOKED, UNREAD[software], **DECLARED))
    assert verdict.outcome is Outcome.UNKNOWN
