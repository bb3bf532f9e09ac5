"""Where Dovecot's settings go, how our file comes to be read last, and listeners that have no name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gatepost.enforce import Wishes
from gatepost.enforcement.include import path_of
from gatepost.model.architecture import Host
from gatepost.model.plan import Plan
from tests.enforcement.house import CONF, DEBIAN, DOVECOT, NAME, OURS, House, by_hand, written

QUIET = House(dovecot={("", "auth_verbose"): "no"}, listeners={"imap-login/imaps": 993})
BESIDE = "/etc/dovecot/zz-gatepost.conf"


def reading(text: str, **more: str) -> Plan:
    return replace(QUIET, files={DOVECOT: text, **more}).plan()


@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        (DEBIAN, OURS, ""),
        ("!include /etc/dovecot/conf.d/*.conf\n", OURS, ""),
        (DEBIAN + "ssl = yes\n", OURS, "!include_try conf.d/zz-gatepost.conf"),
        (DEBIAN + "ssl = yes\n!include_try conf.d/zz-gatepost.conf\n", OURS, ""),
        ("ssl = yes\n", BESIDE, "!include_try zz-gatepost.conf"),
        ("ssl = yes\n!include_try zz-gatepost.conf\n", BESIDE, ""),
        ("#!include conf.d/*.conf\n", BESIDE, "!include_try zz-gatepost.conf"),
    ],
)
def test_our_file_is_read_last(text: str, path: str, line: str) -> None:
    step = reading(text).doing[0]
    assert [one.path for one in step.writes] == [path]
    assert [act.argv[-1] for act in step.acts] == ([line] if line else [])
    assert step.touches == ((DOVECOT,) if line else ())
    assert len(step.already) == len(step.acts)
    assert {one.path for one in step.found} == set(step.touches)


def test_a_local_file_that_exists_is_read_after_the_directory() -> None:
    files = {DOVECOT: DEBIAN, "/etc/dovecot/local.conf": "ssl = yes\n"}
    assert len(replace(QUIET, files=files).plan().doing[0].acts) == 1


def test_what_our_file_holds_already_stays() -> None:
    step = replace(QUIET, files={DOVECOT: DEBIAN, OURS: "ssl_min_protocol = TLSv1.2\n"}).plan().doing[0]
    assert written(replace(QUIET.plan(), steps=(step,))) == {"auth_verbose": "yes", "ssl_min_protocol": "TLSv1.2"}
    assert [one.path for one in step.found] == [OURS]


def test_a_secret_in_our_file_is_not_written_over() -> None:
    plan = replace(QUIET, files={DOVECOT: DEBIAN, OURS: "doveadm_password = ***\n"}).plan()
    assert plan.doing == ()
    assert [step.title for step in plan.steps if step.key == f"dovecot:{DOVECOT}"] == [f"move the secret out of {OURS}"]


def test_names_of_blocks() -> None:
    assert path_of("") == ()
    assert path_of("local 10.0.0.0/8/protocol imap") == ("local 10.0.0.0/8", "protocol imap")
    assert path_of("service auth/unix_listener /run/dovecot/auth") == (
        "service auth", "unix_listener /run/dovecot/auth",
    )  # fmt: skip


def test_values_are_worked_out_in_both_versions() -> None:
    both = {("", "mail_plugins"): "quota", ("", "auth_mechanisms"): "plain cram-md5",
            ("", "login_log_format_elements"): "user=<%u> %c"}  # fmt: skip
    old = House(dovecot=both, listeners={"imap-login/imaps": 993}).plan()
    assert written(old) == {
        "mail_plugins": "quota notify mail_log", "auth_mechanisms": "plain",
        "login_log_format_elements": "user=<%u> %c lport=%a %k",
    }  # fmt: skip
    new = House(dovecot=both, listeners={"imap-login/imaps": 993}, versions=("", "2.4.1")).plan()
    assert written(new)["login_log_format_elements"] == "user=<%u> %c lport=%{local_port} %{ssl_security}"


def test_clear_text_logins_in_both_versions() -> None:
    listeners = {"imap-login/imap": 143}
    certified = {("", "ssl"): "yes", ("", "ssl_cert"): "</a"}
    old = House(dovecot={**certified, ("", "disable_plaintext_auth"): "no"}, listeners=listeners)
    assert written(old.plan()) == {"ssl": "required", "disable_plaintext_auth": "yes"}
    new = House(
        dovecot={("", "ssl"): "yes", ("", "ssl_server_cert_file"): "/a", ("", "auth_allow_cleartext"): "yes"},
        listeners=listeners, versions=("", "2.4.1"),
    )  # fmt: skip
    assert written(new.plan()) == {"ssl": "required", "auth_allow_cleartext": "no"}


INNER = """\
service auth {
  inet_listener {
    port = 12345
  }
}
service doveadm {
  inet_listener {
    port = 8080
  }
}
"""


def inner(text: str = INNER, **more: object) -> House:
    made = House(
        dovecot={("", "protocols"): "imap"}, listeners={"auth/12345": 12345, "doveadm/8080": 8080}, declared=("imaps",),
        files={DOVECOT: DEBIAN, CONF: text},
    )  # fmt: skip
    return replace(made, **more)  # type: ignore[arg-type] # fields of the house, by name


def test_listeners_without_a_name_are_changed_where_they_stand() -> None:
    """The last line first, since an added line moves those below; `already` counts with it."""
    house = inner()
    lines = {"auth/12345": 3, "doveadm/8080": 8}
    step = _placed(house, lines).doing[0]
    assert [act.argv[3].partition("s/")[0] for act in step.acts] == ["8", "3"]
    assert [act.argv[-2:] for act in step.already] == [("9", "port = 0"), ("4", "address = 127.0.0.1 ::1")]
    assert step.touches == (CONF,)
    assert step.writes == ()
    assert "+    address = 127.0.0.1 ::1\n" in step.diff


def _placed(house: House, lines: dict[str, int]) -> Plan:
    """Facts with listeners at these lines: the house numbers them in order."""
    ordered = dict.fromkeys((f"gap/{n}" for n in range(1, 9)), 0)
    filled = {next((k for k, line in lines.items() if line == n), name): 0 for n, name in enumerate(ordered, 1)}
    ports = {name: house.listeners.get(name, 60000 + n) for n, name in enumerate(filled)}
    return replace(house, listeners=ports).plan()


def test_a_line_that_is_not_where_it_should_be_is_for_a_person() -> None:
    plan = _placed(inner("nothing\n" * 9), {"auth/12345": 3, "doveadm/8080": 8})
    assert plan.doing == ()
    assert {"dovecot.auth.socket_tcp", "dovecot.ports.doveadm"} <= set(by_hand(plan))


def test_named_listeners_are_bound_in_our_file() -> None:
    house = House(dovecot={("", "protocols"): "imap"}, listeners={"lmtp/lmtp": 24}, declared=("imaps",))
    assert written(house.plan()) == {"service lmtp/inet_listener lmtp/address": "127.0.0.1 ::1"}
    new = replace(house, versions=("", "2.4.1"))
    assert written(new.plan()) == {"service lmtp/inet_listener lmtp/listen": "127.0.0.1 ::1"}
    peers = replace(house, host=Host(NAME, ("192.0.2.5",), (), peers=("office",)))
    assert written(peers.plan()) == {}


def test_decisions_wait_for_the_operator() -> None:
    house = House(
        dovecot={("", "mail_full_filesystem_access"): "yes", ("", "sieve_plugins"): "sieve_extprograms"},
        listeners={"managesieve-login/sieve": 4190},
    )  # fmt: skip
    assert (house.plan().doing, len(by_hand(house.plan()))) == ((), 2)
    done = house.plan(Wishes(insist=frozenset({"dovecot.exposure.filesystem", "dovecot.exposure.sieve_programs"})))
    text = done.doing[0].writes[0].text
    assert "mail_full_filesystem_access = no" in text
    assert "plugin {\n  # GP-DET-003: let mail rules run no programs\n  sieve_plugins =\n}" in text


def test_the_socket_for_logins_is_closed_where_it_is_wide() -> None:
    socket = "service auth/unix_listener /run/dovecot/auth"
    house = House(dovecot={(socket, "mode"): "0666", (socket, "group"): "postfix"}, listeners={"imap-login/imaps": 993})
    decided = Wishes(insist=frozenset({"dovecot.auth.socket_mode"}))
    plan = house.plan(decided)
    assert written(plan) == {f"{socket}/mode": "0660"}
    others = {("service auth/unix_listener auth-userdb", "mode"): "0666"}
    assert written(replace(house, dovecot={**house.dovecot, **others}).plan(decided)) == {f"{socket}/mode": "0660"}


def test_reads_are_logged_when_that_is_decided() -> None:
    house = House(dovecot={("", "protocols"): "imap"}, listeners={"imap-login/imaps": 993})
    decided = Wishes(insist=frozenset({"dovecot.log.read_events"}))
    assert written(house.plan(decided))["event_exporter gatepost/transport"] == "log"
    new = replace(house, versions=("", "2.4.1"))
    assert written(new.plan(decided))["event_exporter gatepost/driver"] == "log"
