"""The real servers, broken one way at a time: the table is the test.

Each row differs from the good host in what its story says. `fails` are the controls that must fail there; no
other may. `unknown` are those that may become unknown, because the fault keeps us from seeing them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gatepost.demo.authority import Flaw
from lab.estate import Estate
from lab.places import state_root
from lab.site import DOMAIN, Extra, Settings, Site

AEAD = "ECDHE+AESGCM:ECDHE+CHACHA20"
USERS = (465, 587)


@dataclass(frozen=True, slots=True)
class Variant:
    name: str
    story: str
    fails: frozenset[str]
    site: Site
    unknown: frozenset[str] = frozenset()


def variants(net: str = "127.0.25") -> tuple[Variant, ...]:
    """Every row, each at an address of its own behind that of the good host."""
    rows = (*CERTIFICATES, *TLS, *UPGRADE, *LOGINS, *RELAY, *PORTS, *LIMITS)
    return tuple(replace(row, site=replace(row.site, address=f"{net}.{n}")) for n, row in enumerate(rows, 2))


def estate(chosen: tuple[Variant, ...], home: Path | None = None) -> Estate:
    """The chosen variants on servers of their own."""
    return Estate(home or state_root() / "variants", tuple(variant.site for variant in chosen))


def broken(
    name: str,
    story: str,
    *fails: str,
    postfix: Mapping[int, Settings] | None = None,
    dovecot: str = "",
    papers: Mapping[int, Flaw] | None = None,
    extra: tuple[Extra, ...] = (),
    declare: Mapping[str, str] | None = None,
    command: Mapping[int, str] | None = None,
    services: str = "",
    unknown: tuple[str, ...] = (),
) -> Variant:
    site = Site(
        f"{name}.{DOMAIN}",
        "",
        postfix=postfix or {},
        dovecot=dovecot,
        papers=papers or {},
        extra=extra,
        declare=declare or {},
        command=command or {},
        services=services,
    )
    return Variant(name, story, frozenset(fails), site, frozenset(unknown))


def on(*ports: int, **settings: str) -> dict[int, Settings]:
    return dict.fromkeys(ports, settings)


CERTIFICATES = (
    broken("expired", "the certificate ran out three days ago", "GP-CERT-003", papers={0: Flaw.EXPIRED}),
    broken("future", "the certificate is not valid yet", "GP-CERT-003", papers={0: Flaw.FUTURE}),
    broken("wrong-name", "the certificate is for another host", "GP-CERT-002", papers={0: Flaw.WRONG_NAME}),
    broken("no-intermediate", "the issuing CA is not sent", "GP-CERT-001", papers={0: Flaw.NO_INTERMEDIATE}),
    broken("self-signed", "nobody vouches for the certificate", "GP-CERT-001", papers={0: Flaw.SELF_SIGNED}),
    broken("unknown-ca", "a CA nobody trusts issued it", "GP-CERT-001", papers={0: Flaw.UNKNOWN_CA}),
    broken("rsa-1024", "a key of 1024 bits on 465", "GP-CERT-005", "GP-CERT-010", papers={465: Flaw.RSA_1024}),
    broken(
        "sha1",
        "Postfix has a certificate signed with SHA-1",
        "GP-CERT-010",
        "GP-TLS-009",
        papers={25: Flaw.SHA1, 465: Flaw.SHA1, 587: Flaw.SHA1},
    ),
    broken("odd-one", "POP3 was forgotten at the renewal", "GP-CERT-004", "GP-CERT-010", papers={995: Flaw.OLDER}),
)

OLD = {"smtpd_tls_mandatory_protocols": ">=TLSv1", "tls_high_cipherlist": f"{AEAD}:ECDHE-RSA-AES128-SHA"}
# Without TLS on a port, nothing can be said of its certificate, its suites or what holds inside.
NO_TLS = (
    *(f"GP-CERT-{n:03}" for n in (1, 2, 3, 4, 5, 8, 10)),
    *(f"GP-TLS-{n:03}" for n in range(1, 14)),
    *(f"GP-STLS-{n:03}" for n in (3, 4, 7)),
    *(f"GP-AUTH-{n:03}" for n in (1, 2, 9)),
)
NEWEST_12 = ">=TLSv1.2, <=TLSv1.2"
TLS = (
    broken(
        "stock-submission",
        "465 and 587 keep Postfix's own floor of TLS 1.0",
        "GP-TLS-002",
        "GP-TLS-005",
        postfix=on(*USERS, **OLD),
    ),
    broken(
        "floors-apart",
        "587 answers TLS 1.0 and 465 does not",
        "GP-TLS-002",
        "GP-TLS-005",
        "GP-TLS-015",
        postfix=on(587, **OLD),
    ),
    broken(
        "old-mx",
        "port 25 answers TLS 1.0",
        "GP-TLS-003",
        "GP-TLS-005",
        postfix=on(25, smtpd_tls_protocols=">=TLSv1", tls_high_cipherlist=OLD["tls_high_cipherlist"]),
    ),
    broken(
        "no-tls13",
        "TLS 1.3 is switched off in Postfix",
        "GP-TLS-004",
        postfix=on(0, smtpd_tls_protocols=NEWEST_12, smtpd_tls_mandatory_protocols=NEWEST_12),
        unknown=("GP-TLS-012",),  # early data
    ),
    broken(
        "rsa-exchange",
        "RSA key transport where users log in",
        "GP-TLS-005",
        postfix=on(*USERS, tls_high_cipherlist=f"{AEAD}:AES128-GCM-SHA256"),
    ),
    broken(
        "cbc",
        "Dovecot negotiates CBC",
        "GP-TLS-005",
        dovecot=f"ssl_cipher_list = {AEAD}:ECDHE-RSA-AES128-SHA256\n",
    ),
    broken(
        "dh-1024",
        "finite-field Diffie-Hellman with 1024 bits",
        "GP-TLS-005",
        "GP-TLS-007",
        postfix=on(
            *USERS,
            tls_high_cipherlist=f"{AEAD}:DHE-RSA-AES128-GCM-SHA256",
            smtpd_tls_dh1024_param_file="{dh1024}",
        ),
    ),
    broken(
        "anonymous-suites",
        "anonymous suites where users log in",
        "GP-TLS-006",
        postfix=on(*USERS, tls_high_cipherlist=f"{AEAD}:AECDH-AES128-SHA"),
    ),
    broken(
        "null-suites",
        "suites that encrypt nothing",
        "GP-TLS-006",
        postfix=on(*USERS, tls_high_cipherlist=f"{AEAD}:ECDHE-RSA-NULL-SHA"),
    ),
    broken(
        "small-curve",
        "a curve of 224 bits",
        "GP-TLS-007",
        postfix=on(*USERS, tls_eecdh_auto_curves="X25519, prime256v1, secp224r1"),
    ),
    broken(
        "renegotiation",
        "clients may renegotiate",
        "GP-TLS-011",
        postfix=on(*USERS, tls_ssl_options="NO_COMPRESSION, 0x100"),
    ),
    broken(
        "no-ems",
        "no extended master secret",
        "GP-TLS-011",
        postfix=on(*USERS, tls_ssl_options="NO_COMPRESSION, NO_RENEGOTIATION, 0x1"),
    ),
    broken(
        "client-certificates",
        "465 asks everyone for a certificate",
        "GP-AUTH-009",
        postfix=on(465, smtpd_tls_ask_ccert="yes"),
    ),
    broken(
        "no-dh-file",
        "Dovecot is told DHE and has no parameters: it hangs up",
        dovecot=f"ssl_cipher_list = DHE+AESGCM:{AEAD}\nssl_prefer_server_ciphers = no\n",
        unknown=("GP-TLS-005", "GP-TLS-007"),
    ),
)

UPGRADE = (
    broken(
        "no-starttls-25",
        "port 25 offers no STARTTLS",
        "GP-STLS-001",
        postfix=on(25, smtpd_tls_security_level="none"),
        unknown=NO_TLS,
    ),
    broken(
        "no-starttls-587",
        "587 offers no STARTTLS",
        "GP-STLS-001",
        "GP-STLS-002",
        "GP-STLS-005",
        postfix=on(587, smtpd_tls_security_level="none", smtpd_tls_auth_only="no"),
        unknown=NO_TLS,
    ),
    broken(
        "optional-587",
        "STARTTLS on 587 is offered, not enforced",
        "GP-STLS-005",
        postfix=on(587, smtpd_tls_security_level="may"),
    ),
    broken(
        "login-in-clear-587",
        "587 takes a login before TLS",
        "GP-STLS-002",
        "GP-STLS-005",
        postfix=on(587, smtpd_tls_security_level="may", smtpd_tls_auth_only="no"),
    ),
    broken(
        "mx-demands-tls",
        "port 25 turns away senders without TLS",
        "GP-STLS-006",
        postfix=on(25, smtpd_tls_security_level="encrypt"),
    ),
    broken(
        "plaintext-access",
        "IMAP, POP3 and Sieve take passwords in clear",
        "GP-STLS-002",
        dovecot="ssl = yes\ndisable_plaintext_auth = no\n",
    ),
)

LOGINS = (
    broken("login-on-25", "port 25 offers a login", "GP-PORT-006", postfix=on(25, smtpd_sasl_auth_enable="yes")),
    broken(
        "anonymous-login",
        "anyone may log in",
        "GP-AUTH-002",
        dovecot="auth_mechanisms = plain anonymous\nauth_anonymous_username = alice\n",
        postfix=on(*USERS, smtpd_sasl_security_options="", smtpd_sasl_tls_security_options=""),
    ),
    broken(
        "outdated-login",
        "CRAM-MD5 and DIGEST-MD5 are offered",
        "GP-AUTH-002",
        dovecot="auth_mechanisms = plain cram-md5 digest-md5\n",
    ),
    broken(
        "strangers-submit",
        "587 takes mail for its own domain without a login",
        "GP-AUTH-001",
        postfix=on(
            587,
            smtpd_client_restrictions="permit",
            smtpd_relay_restrictions="permit_sasl_authenticated, reject_unauth_destination",
        ),
    ),
)

OWN_SENDER = f"inline:{{ own-sender.{DOMAIN}=OK }}"
WORLD = {"mynetworks": "0.0.0.0/0", "smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination"}
RELAY = (
    broken("open-relay", "the whole world is one of its networks", "GP-RELAY-001", postfix=on(25, **WORLD)),
    broken(
        "relay-everything",
        "relay_domains takes every domain",
        "GP-RELAY-001",
        postfix=on(25, rewrite_service_name="rewrite-open", relay_domains="static:all"),
        services="rewrite-open unix - - n - - trivial-rewrite\n  -o { relay_domains = static:all }\n",
    ),
    broken(
        "own-sender",
        "whoever claims an address of its own may send anywhere",
        "GP-RELAY-001",
        postfix=on(
            25,
            smtpd_relay_restrictions=f"check_sender_access {OWN_SENDER}, reject_unauth_destination",
        ),
    ),
    broken(
        "open-submission",
        "587 relays for the world without a login",
        "GP-AUTH-001",
        "GP-RELAY-001",
        postfix=on(587, smtpd_client_restrictions="permit", **WORLD),
    ),
    broken("vrfy", "VRFY tells who has a mailbox", "GP-RELAY-006", postfix=on(25, disable_vrfy_command="no")),
    broken("bare-lf", "a bare LF ends a line", "GP-RELAY-005", postfix=on(25, smtpd_forbid_bare_newline="no")),
    broken(
        "xclient",
        "anyone may pose as another client",
        "GP-RELAY-004",
        postfix=on(25, smtpd_authorized_xclient_hosts="0.0.0.0/0"),
    ),
    broken("any-helo", "HELO is not looked at", "GP-PORT-011", postfix=on(25, smtpd_helo_restrictions="")),
)

SUBMISSION = {
    "smtpd_tls_security_level": "encrypt",
    "smtpd_sasl_auth_enable": "yes",
    "smtpd_client_restrictions": "permit_sasl_authenticated, reject",
}
YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).date()
PORTS = (
    broken(
        "undeclared-2525",
        "a second submission port nobody wrote down",
        "GP-PORT-002",
        "GP-PORT-007",
        extra=(Extra(2525, SUBMISSION),),
    ),
    broken(
        "overdue-pop3",
        "POP3 should have been closed yesterday",
        "GP-PORT-005",
        declare={"pop3": f'{{ name = "pop3", owner = "helpdesk", reason = "old", until = {YESTERDAY} }}'},
    ),
    broken(
        "starttls-on-465",
        "465 begins in clear",
        "GP-PORT-003",
        postfix=on(465, smtpd_tls_wrappermode="no", smtpd_tls_security_level="encrypt"),
        unknown=("GP-CERT-004",),  # IPv4 against IPv6
    ),
    broken(
        "tls-on-143",
        "143 begins with TLS",
        "GP-PORT-003",
        dovecot="service imap-login {\n  inet_listener imap {\n    ssl = yes\n  }\n}\n",
        unknown=("GP-CERT-004",),
    ),
    broken(
        "closed-995",
        "a declared port does not answer",
        "GP-PORT-003",
        dovecot="service pop3-login {\n  inet_listener pop3s {\n    port = 0\n  }\n}\n",
    ),
    broken(
        "telling-banner",
        "the greeting tells the version",
        "GP-PATCH-002",
        postfix=on(25, smtpd_banner="$myhostname ESMTP $mail_name ($mail_version)"),
    ),
)

LOGIN_PROCESSES = "service {name}-login {{\n  service_count = 1\n  process_limit = 8\n}}\n"
LIMITS = (
    broken(
        "limited",
        "port 25 takes 30 connections a minute and 5 at once",
        postfix=on(
            25,
            smtpd_client_connection_rate_limit="30",
            smtpd_client_new_tls_session_rate_limit="30",
            smtpd_client_connection_count_limit="5",
            smtpd_client_event_limit_exceptions="",
        ),
    ),
    broken(
        "postscreen",
        "postscreen lets newcomers wait for six seconds",
        command={25: "postscreen"},
        postfix=on(
            25,
            smtpd_service_name="screened",
            postscreen_greet_wait="6s",
            postscreen_greet_action="enforce",
            postscreen_cache_map="",
        ),
        services="screened pass - - n - - smtpd\n  -o { smtpd_tls_chain_files = {chain} }\n",
    ),
    broken(
        "eight-logins",
        "Dovecot has eight login processes",
        dovecot="".join(LOGIN_PROCESSES.format(name=name) for name in ("imap", "pop3", "managesieve")),
    ),
)
