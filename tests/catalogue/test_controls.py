"""The controls as rows, and what mends them."""

from __future__ import annotations

import re

import pytest

from gatepost.catalogue import document
from gatepost.catalogue.controls import control, controls
from gatepost.catalogue.remedies import remedies, remedy
from gatepost.checks import CHECKS, compare
from gatepost.checks.case import Check
from gatepost.errors import UsageError
from gatepost.model.words import Role, Severity

KEYS = {f"{one.control}/{one.name}" for one in CHECKS} | {f"{c}/{name}" for c, name, _ in compare._ROWS}
TABLE: dict[str, dict[str, str]] = document("remedies")["remedies"]


def test_there_are_as_many_as_the_catalogue_has_and_their_ids_are_unique() -> None:
    ids = [one.id for one in controls()]
    assert len(ids) == len(set(ids)) == len(document("controls")["controls"]) == 124


def test_a_row_is_read_whole() -> None:
    row = control("GP-TLS-003")
    assert (row.severity, row.roles, row.witnesses[0]) == (Severity.MEDIUM, (Role.MX,), "probe")
    assert row.rationale
    assert all(reference.title for reference in row.references)


def test_an_unknown_id_is_the_users_mistake() -> None:
    with pytest.raises(UsageError, match="GP-NONE-001"):
        control("GP-NONE-001")


def test_every_remedy_belongs_to_a_check_and_speaks_to_everyone() -> None:
    for key, words in TABLE.items():
        assert key in KEYS or key in {one.partition("/")[0] for one in KEYS}, key
        assert words["any"], key
        assert {name.partition(":")[0] for name in words} <= {"any", "dovecot", "exim", "postfix"}, key


@pytest.mark.parametrize("one", CHECKS, ids=lambda c: f"{c.control}-{c.name}")
def test_every_failure_can_be_mended(one: Check) -> None:
    for software in ("", "Postfix", "Dovecot", "Exim", "Sendmail"):
        assert remedy(one.control, one.name, software, Role.SUBMISSION)


def test_the_settings_named_exist() -> None:
    """Postfix parameters in the remedies are spelt as in the settings catalogue, or listed here."""
    known = {row["setting"] for row in document("server_settings")["settings"] if row["software"] == "postfix"}
    more = {
        "inet_protocols", "smtp_tls_cert_file", "smtp_tls_chain_files", "smtp_tls_key_file",
        "smtpd_authorized_xforward_hosts", "smtpd_banner", "smtpd_client_restrictions", "smtpd_helo_required",
        "smtpd_helo_restrictions", "smtpd_tls_ask_ccert", "smtpd_tls_cert_file",
        "smtpd_tls_ciphers", "smtpd_tls_dh1024_param_file", "smtpd_tls_exclude_ciphers", "smtpd_tls_req_ccert",
        "tls_eecdh_auto_curves", "tls_high_cipherlist", "tls_server_sni_maps", "tls_ssl_options",
    }  # fmt: skip
    told = " ".join(text for words in TABLE.values() for name, text in words.items() if name.startswith("postfix"))
    spelt = set(re.findall(r"\b(?:smtpd|smtp|tls|inet|postscreen)_[a-z0-9_]+", told))
    assert spelt - known - more == set()


def test_port_25_follows_other_parameters_than_465_and_587() -> None:
    users = remedy("GP-TLS-002", "old-tls-refused", "Postfix", Role.SUBMISSION)
    strangers = remedy("GP-TLS-003", "old-tls-refused-by-the-mx", "Postfix", Role.MX)
    assert users.startswith("Postfix: smtpd_tls_mandatory_protocols")
    assert strangers.startswith("Postfix: smtpd_tls_protocols")


def test_a_server_that_hides_its_name_gets_the_settings_of_all_it_may_be() -> None:
    mailbox = remedy("GP-STLS-002", "passwords-only-inside-tls", "", Role.ACCESS)
    assert "Dovecot: 2.3: disable_plaintext_auth = yes" in mailbox
    assert "2.4: auth_allow_cleartext = no" in mailbox
    assert "Postfix" not in mailbox
    sending = remedy("GP-STLS-002", "passwords-only-inside-tls", "", Role.SUBMISSION)
    assert "Postfix: smtpd_tls_auth_only = yes" in sending
    assert "Exim: auth_advertise_hosts" in sending


def test_the_page_of_a_control_shows_every_server() -> None:
    servers = [server for server, _ in remedies("GP-TLS-001")]
    assert servers[0] == "any server"
    assert {"Postfix", "Postfix, mx", "Dovecot", "Exim"} <= set(servers)
    assert remedies("GP-LOG-004") == ()
