"""Key and certificate files on disk: who can read them, who else has them, and whether they are the ones served."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest

from gatepost.checks import files
from gatepost.model.architecture import Endpoint, Host, Zone
from gatepost.model.host import DaemonSaid, FileSeen, ListenerConfigured, ServerSeen
from gatepost.model.observation import Observation, Unobserved
from gatepost.model.words import Reason, Severity
from tests.checks.cases import HOST, IMAPS, MX, NOW, SUBMISSIONS, Row, case, chain, leaf, listening, of_row, row
from tests.checks.host_cases import CHAIN, DECLARED, DOVECOT, KEY, LOOKED, POSTFIX, disk

OTHER = Endpoint("store.example.org")
INNER = Zone("inner", (ip_network("198.51.100.0/24"),))
EDGE = Zone("edge", (ip_network("192.0.2.0/24"), ip_network("2001:db8::/32")))
ELSEWHERE: dict[str, Any] = {**DECLARED, "zones": (EDGE, INNER), "hosts": (Host(OTHER.host, ("198.51.100.9",), ()),)}
BESIDE: dict[str, Any] = {**ELSEWHERE, "hosts": (Host(OTHER.host, ("192.0.2.9", "2001:db8::9"), ()),)}
COPY = replace(disk()[1], at=OTHER)
UNREAD = Unobserved(HOST, f"contents of {KEY}", Reason.REFUSED, "permission denied")
LISTENERS = (
    ListenerConfigured(HOST, "postfix", POSTFIX, "smtp/inet", 25, command="smtpd"),
    ListenerConfigured(HOST, "dovecot", DOVECOT, "imap-login/imaps", 993, command="imap-login", tls=True),
)
CLIENT = replace(disk()[1], used_by=("smtp_tls_key_file",))
RENEWED = replace(disk()[0], fingerprint="c1", modified=NOW - timedelta(days=2))
STARTED = ServerSeen(HOST, "postfix", "3.7.11", POSTFIX, running=True, started=NOW, configured=NOW - timedelta(days=1))
WARNING = DaemonSaid(HOST, "postfix", POSTFIX, "unused parameter: smtpd_tls_level=may", broken=False)
FATAL = DaemonSaid(HOST, "dovecot", DOVECOT, "Error in configuration file line 3", broken=True)


def key(**changes: Any) -> tuple[FileSeen, ...]:
    return disk(**changes)[1:]


ROWS: tuple[Row, ...] = (
    row(files.keys_kept_private, HOST, "pass", LOOKED, *disk()),
    row(files.keys_kept_private, HOST, "pass", LOOKED, *disk(mode=0o640, group="ssl-cert")),
    row(files.keys_kept_private, HOST, "fail", LOOKED, *disk(mode=0o644), says="can be read by every process"),
    row(files.keys_kept_private, HOST, "fail", LOOKED, *disk(mode=0o640, group="www-data"), says="many belong to"),
    row(files.keys_kept_private, HOST, "unknown", LOOKED, *disk(mode=0o755, public=""),
        Unobserved(HOST, f"contents of {KEY}", Reason.REFUSED, "it is no regular file"), says="it is no regular file"),
    row(files.keys_kept_private, HOST, "fail", LOOKED, *disk(mode=0o644, public=""),
        Unobserved(HOST, f"contents of {KEY}", Reason.REFUSED, "openssl is not on the host"), says="every process"),
    row(files.keys_kept_private, HOST, "fail", LOOKED, *disk(mode=0o660, group="ssl-cert"), says="can be changed by"),
    row(files.keys_kept_private, HOST, "fail", LOOKED, *disk(owner="alice"), says="belongs to alice"),
    row(files.keys_kept_private, HOST, "unknown", says="not looked at"),
    row(files.keys_kept_private, HOST, "unknown", LOOKED, Unobserved(HOST, f"file {KEY}", Reason.REFUSED, "no answer"),
        says="no answer"),
    row(files.keys_kept_private, HOST, "not-applicable", LOOKED, says="no server of this host"),
    row(files.keys_not_shared, HOST, "pass", LOOKED, *disk(), **ELSEWHERE),
    row(files.keys_not_shared, HOST, "pass", LOOKED, *disk(), COPY, **BESIDE),
    row(files.keys_not_shared, HOST, "fail", LOOKED, *disk(), COPY, says="the same key as store.example.org",
        **ELSEWHERE),
    row(files.keys_not_shared, HOST, "unknown", LOOKED, *disk(public=""), says="no public half", **ELSEWHERE),
    row(files.keys_not_shared, HOST, "unknown", LOOKED, *disk(public=""), UNREAD, says="permission", **ELSEWHERE),
    row(files.keys_fit, HOST, "pass", LOOKED, *disk()),
    row(files.keys_fit, HOST, "fail", LOOKED, *disk(public="b2"), says=f"the key in {KEY} is not that of"),
    row(files.keys_fit, HOST, "unknown", LOOKED, *disk(public=""), UNREAD, says="permission denied"),
    row(files.named_files_exist, HOST, "pass", LOOKED, CLIENT),
    row(files.named_files_exist, HOST, "fail", LOOKED, replace(CLIENT, exists=False),
        says=f"smtp_tls_key_file names {KEY}, which does not exist"),
    row(files.named_files_exist, HOST, "not-applicable", LOOKED, *disk(), says="of the usual settings"),
    row(files.named_files_exist, HOST, "unknown"),
    row(files.served_from_disk, HOST, "pass", LOOKED, *disk(), *LISTENERS, *listening(MX), chain(MX)),
    row(files.served_from_disk, HOST, "fail", LOOKED, RENEWED, *LISTENERS, *listening(MX), chain(MX),
        says="was renewed on 2026-11-22 06:30, and Postfix still serves the certificate that ends on 2027-01-23 (25)"),
    row(files.served_from_disk, HOST, "fail", LOOKED, RENEWED, *LISTENERS, *listening(IMAPS), chain(IMAPS),
        says="and Dovecot still serves"),
    row(files.served_from_disk, HOST, "unknown", LOOKED, *disk(), *LISTENERS, *listening(MX),
        chain(MX, leaf(sha256="99")), says="a certificate that is in no file of Postfix"),
    row(files.served_from_disk, HOST, "unknown", LOOKED, *disk(), *listening(SUBMISSIONS), chain(SUBMISSIONS),
        says="whose files were read"),
    row(files.served_from_disk, HOST, "unknown", LOOKED, *disk(), *LISTENERS, says="no certificate was seen"),
    row(files.configuration_in_use, HOST, "pass", LOOKED, STARTED),
    row(files.configuration_in_use, HOST, "unknown", LOOKED,
        replace(STARTED, configured=NOW + timedelta(hours=1)), says="whether it was reloaded since was not seen"),
    row(files.configuration_in_use, HOST, "unknown", LOOKED, replace(STARTED, started=None), says="was not seen"),
    row(files.configuration_in_use, HOST, "not-applicable", LOOKED, replace(STARTED, running=False)),
    row(files.configuration_loads, HOST, "pass", LOOKED, STARTED),
    row(files.configuration_loads, HOST, "fail", LOOKED, STARTED, WARNING, says="Postfix warns about /etc/postfix"),
    row(files.configuration_loads, HOST, "fail", LOOKED, WARNING, FATAL, says="Dovecot will not start again with"),
    row(files.configuration_loads, HOST, "unknown", LOOKED,
        Unobserved(HOST, "postfix settings", Reason.REFUSED, "no postconf"), says="no postconf"),
)  # fmt: skip


@pytest.mark.parametrize("one", ROWS, ids=str)
def test_row(one: Row) -> None:
    verdict = one.check.judge(of_row(one))
    assert (verdict.outcome, one.says in verdict.because) == (one.outcome, True), verdict.because


@pytest.mark.parametrize(
    ("changes", "severity", "remedy"),
    [
        ({"mode": 0o644}, Severity.CRITICAL, f"chmod 0640 {KEY}"),
        ({"mode": 0o604}, Severity.CRITICAL, f"chmod 0600 {KEY}"),
        ({"mode": 0o640, "group": "users"}, Severity.HIGH, f"chown root:root {KEY} && chmod 0600 {KEY}"),
        ({"owner": "bob"}, Severity.MEDIUM, f"chown root:root {KEY} && chmod 0600 {KEY}"),
    ],
)
def test_the_remedy_for_a_key_leaves_a_group_of_its_own_in(
    changes: dict[str, Any], severity: Severity, remedy: str
) -> None:
    verdict = files.keys_kept_private.judge(case(HOST, LOOKED, *disk(**changes)))
    assert (verdict.severity, verdict.remedy) == (severity, remedy)


def test_a_warning_weighs_little_and_a_broken_configuration_much() -> None:
    said = [files.configuration_loads.judge(case(HOST, LOOKED, one)).severity for one in (WARNING, FATAL)]
    assert said == [Severity.INFO, None]


def test_the_daemon_to_reload_is_named() -> None:
    seen: tuple[Observation, ...] = (LOOKED, RENEWED, *LISTENERS, *listening(IMAPS), chain(IMAPS))
    assert files.served_from_disk.judge(case(HOST, *seen)).remedy == "doveadm reload"


def test_a_certificate_shown_to_other_servers_is_not_one_that_is_served() -> None:
    outgoing = replace(disk()[0], path="/etc/ssl/client.pem", fingerprint="a1", used_by=("smtp_tls_cert_file",))
    seen: tuple[Observation, ...] = (LOOKED, RENEWED, outgoing, *LISTENERS, *listening(MX), chain(MX))
    assert files.served_from_disk.judge(case(HOST, *seen)).because.startswith(CHAIN)
