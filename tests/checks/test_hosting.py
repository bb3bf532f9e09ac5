"""What else a look into a host tells."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gatepost.checks import hosting
from gatepost.model.host import ServerSeen
from gatepost.model.observation import Unobserved
from gatepost.model.words import Reason
from tests.checks.cases import HOST, MX, Row, chain, leaf, of_row, row
from tests.checks.host_cases import DECLARED, LOOKED, POSTFIX, disk, sender, store

ARGS = ("passdb", "args")
NO_POSTCONF = Unobserved(HOST, "postfix settings", Reason.REFUSED, "no postconf")
UNTOLD = ServerSeen(HOST, "postfix", "3.7.11", POSTFIX)
CLIENT = replace(disk()[0], path="/etc/ssl/client.pem", used_by=("smtp_tls_cert_file",))
BOTH = leaf(extended_key_usage=("serverAuth", "clientAuth"))

ROWS: tuple[Row, ...] = (
    row(hosting.passwords_stored_hashed, HOST, "pass", *store({ARGS: "scheme=SHA512-CRYPT.b64 /etc/dovecot/users"})),
    row(hosting.passwords_stored_hashed, HOST, "pass", *store({("passdb sql", "default_password_scheme"): "ARGON2ID"},
                                                              "2.4.1")),
    row(hosting.passwords_stored_hashed, HOST, "fail", *store({ARGS: "scheme=PLAIN username_format=%u /users"}),
        says="has passwords stored as PLAIN"),
    row(hosting.passwords_stored_hashed, HOST, "fail", *store({("passdb sql", "default_password_scheme"): "ssha"},
                                                              "2.4.1"), says="SSHA"),
    row(hosting.passwords_stored_hashed, HOST, "unknown", *store({ARGS: "scheme=HOME-MADE /x"}), says="home-made"),
    row(hosting.passwords_stored_hashed, HOST, "unknown", *store({ARGS: "scheme=CRYPT /x"}),
        says="whatever the system's crypt(3) knows"),
    row(hosting.passwords_stored_hashed, HOST, "unknown", *store({ARGS: "/etc/dovecot/sql.conf"}),
        says="not in the configuration that was read"),
    row(hosting.passwords_stored_hashed, HOST, "unknown", says="not looked at"),
    row(hosting.passwords_stored_hashed, HOST, "not-applicable", LOOKED, says="no Dovecot"),
    row(hosting.incoming_mail_checked, HOST, "fail", *sender({"smtpd_milters": ""}),
        says="no filter and no policy service for smtp/inet", **DECLARED),
    row(hosting.incoming_mail_checked, HOST, "unknown", *sender(), says="whether unix:/run/rspamd.sock checks them",
        **DECLARED),
    row(hosting.incoming_mail_checked, HOST, "unknown", **DECLARED, says="not looked at"),
    row(hosting.incoming_mail_checked, HOST, "unknown", LOOKED, NO_POSTCONF, says="no postconf"),
    row(hosting.incoming_mail_checked, HOST, "not-applicable",
        *sender({"smtpd_milters": ""}, addresses={"smtp/inet": ("127.0.0.1",)}), says="takes no mail"),
    row(hosting.incoming_mail_checked, HOST, "unknown",
        *sender({"smtpd_milters": "", "smtpd_recipient_restrictions": "reject_unauth_destination,"
                                                                     " check_policy_service unix:private/spf"}),
        says="whether check_policy_service unix:private/spf checks them was not seen"),
    row(hosting.client_certificates_meant_for_clients, HOST, "pass", *sender()),
    row(hosting.client_certificates_meant_for_clients, HOST, "pass", *sender(files=(CLIENT,)), chain(MX, BOTH)),
    row(hosting.client_certificates_meant_for_clients, HOST, "fail", *sender(files=(CLIENT,)), chain(MX),
        says="/etc/ssl/client.pem is shown to other servers, and is not meant for clients"),
    row(hosting.client_certificates_meant_for_clients, HOST, "unknown", *sender(files=(CLIENT,)), says="was not seen"),
    row(hosting.client_certificates_meant_for_clients, HOST, "unknown",
        *sender({"smtp_tls_cert_file": "/etc/ssl/other.pem"}), says="which was not read"),
    row(hosting.client_certificates_meant_for_clients, HOST, "unknown", LOOKED, UNTOLD, NO_POSTCONF),
)  # fmt: skip


@pytest.mark.parametrize("one", ROWS, ids=str)
def test_row(one: Row) -> None:
    verdict = one.check.judge(of_row(one))
    assert (verdict.outcome, one.says in verdict.because) == (one.outcome, True), verdict.because
