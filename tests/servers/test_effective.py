"""Override, then global value, then built-in value; and who is behind a port."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatepost.model.architecture import Endpoint
from gatepost.model.host import ListenerConfigured, ServerSeen
from gatepost.model.observation import Seen
from gatepost.servers.effective import effective, listeners_at, service_at
from gatepost.servers.witness import facts
from tests.servers.taken import bundle

AT = Endpoint("mx1.example.org", "192.0.2.25", 25)
HOST = Endpoint("mx1.example.org")


def seen(name: str) -> Seen:
    return Seen(facts(bundle((Path(__file__).parent / "hosts" / f"{name}.txt").read_text().partition("----\n")[0])))


POSTFIX = seen("postfix")
DOVECOT = {"2.3": seen("dovecot-2.3"), "2.4": seen("dovecot-2.4")}


def postfix(service: str, name: str) -> tuple[str, bool] | None:
    found = effective(POSTFIX, AT, "postfix", "/etc/postfix", service, name)
    return (found.value, found.default) if found else None


def dovecot(version: str, service: str, name: str) -> str | None:
    found = effective(DOVECOT[version], AT, "dovecot", "/etc/dovecot/dovecot.conf", service, name)
    return found.value if found else None


@pytest.mark.parametrize(
    ("service", "name", "value"),
    [
        ("submission/inet", "smtpd_tls_security_level", ("encrypt", False)),
        ("127.0.0.1:10025/inet", "smtpd_tls_security_level", ("encrypt", False)),
        ("", "smtpd_tls_security_level", ("encrypt", False)),
        ("submission/inet", "smtpd_sasl_auth_enable", ("no", True)),
        ("submission/inet", "smtpd_relay_restrictions", ("", False)),
        ("submission/inet", "no_such_setting", None),
    ],
)
def test_postfix_overrides_go_before_main_cf_and_defaults(
    service: str, name: str, value: tuple[str, bool] | None
) -> None:
    assert postfix(service, name) == value


def test_behind_postscreen_the_handed_over_service_counts() -> None:
    assert postfix("smtp/inet", "smtpd_tls_security_level") == ("may", False)


def test_a_default_that_stands_for_an_overridden_setting_follows_it() -> None:
    assert postfix("submission/inet", "smtpd_sasl_tls_security_options") == ("noplaintext,noanonymous", True)
    assert postfix("smtps/inet", "smtpd_sasl_tls_security_options") == ("noanonymous", True)


def test_another_instance_or_host_says_nothing() -> None:
    assert effective(POSTFIX, AT, "postfix", "/etc/postfix-out", "", "smtpd_tls_security_level") is None
    assert effective(POSTFIX, Endpoint("mx2.example.org"), "postfix", "/etc/postfix", "", "mynetworks") is None


@pytest.mark.parametrize(
    ("version", "service", "name", "value"),
    [
        ("2.3", "imap-login/imaps", "mail_plugins", "imap_quota"),
        ("2.3", "protocol imap", "mail_plugins", "imap_quota"),
        ("2.3", "lmtp/lmtp", "mail_plugins", ""),
        ("2.3", "imap-login/imaps", "ssl", "required"),
        ("2.3", "local_name mail.example.org", "ssl_cert", "</etc/ssl/mail.pem"),
        ("2.3", "local_name mail.example.org", "ssl_min_protocol", "TLSv1.2"),
        ("2.3", "service auth/unix_listener /var/spool/postfix/private/auth", "mode", "0660"),
        ("2.4", "imap-login/imaps", "mail_plugins", "notify mail_log imap_quota"),
        ("2.4", "imap-login/imaps", "ssl_server_cert_file", "/etc/ssl/mx1.pem"),
        ("2.4", "imap-login/imaps", "auth_mechanisms", "plain"),
        ("2.4", "", "ssl_cert", None),
    ],
)
def test_dovecot_blocks_go_before_global_values(version: str, service: str, name: str, value: str | None) -> None:
    assert dovecot(version, service, name) == value


def test_the_listener_of_a_port() -> None:
    found = service_at(POSTFIX, "mx1.example.org", 587)
    assert found
    assert (found.software, found.name) == ("postfix", "submission/inet")
    assert service_at(POSTFIX, "mx1.example.org", 588) is None
    assert service_at(POSTFIX, "mx2.example.org", 587) is None


def test_of_several_the_one_that_runs_and_is_bound_to_the_address() -> None:
    def one(instance: str, *addresses: str) -> ListenerConfigured:
        return ListenerConfigured(HOST, "postfix", instance, f"{instance}/inet", 25, addresses)

    def server(instance: str, *, running: bool) -> ServerSeen:
        return ServerSeen(HOST, "postfix", "3.7.11", instance, running=running)

    every = Seen((
        server("/off", running=False), server("/on", running=True), server("/own", running=True),
        one("/off"), one("/on", "0.0.0.0", "2001:db8::1"), one("/own", "192.0.2.25"),
    ))  # fmt: skip
    assert [x.instance for x in listeners_at(every, "mx1.example.org", 25)] == ["/on", "/own", "/off"]
    assert [x.instance for x in listeners_at(every, "mx1.example.org", 25, "192.0.2.25")] == ["/own", "/on", "/off"]
    assert [x.instance for x in listeners_at(every, "mx1.example.org", 25, "192.0.2.26")] == ["/on", "/off"]
    assert [x.instance for x in listeners_at(every, "mx1.example.org", 25, "2001:db8::2")] == ["/off"]
