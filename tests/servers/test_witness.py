"""Whole hosts as they were taken, and exactly what is seen in them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.model.architecture import Host
from gatepost.model.bundle import Bundle, FileTaken, Ran
from gatepost.model.host import BundleRead, SettingSeen
from gatepost.model.observation import Unobserved, of
from gatepost.servers import dovecot, exim, packages, postfix, processes, services, sockets
from gatepost.servers.instances import EXIM_VERSION, POSTMULTI
from gatepost.servers.witness import facts
from tests.servers.taken import NOW, bundle, lines

HOSTS = sorted((Path(__file__).parent / "hosts").glob("*.txt"))
DECLARED = Host("mx1.example.org", (), (), postfix=("/etc/postfix",), dovecot=("/etc/dovecot/dovecot.conf",))


@pytest.mark.parametrize("path", HOSTS, ids=[path.stem for path in HOSTS])
def test_what_is_seen(path: Path) -> None:
    taken, _, expected = path.read_text().partition("----\n")
    assert lines(facts(bundle(taken))) == expected.splitlines()


def test_an_empty_bundle_is_seen_as_nothing_seen() -> None:
    seen = facts(Bundle("mx1.example.org", NOW, "this machine"))
    assert [type(one) for one in seen] == [BundleRead, Unobserved, Unobserved]
    assert not of(BundleRead, seen)[0].root


def test_declared_instances_that_are_not_there_are_unobserved() -> None:
    seen = facts(Bundle("mx1.example.org", NOW, "this machine"), DECLARED)
    assert {one.wanted for one in of(Unobserved, seen)} >= {"postfix settings", "dovecot settings"}
    assert of(SettingSeen, seen) == []


COMMANDS = (
    sockets.COMMAND, processes.COMMAND, services.COMMAND, *packages.COMMANDS, POSTMULTI, EXIM_VERSION, dovecot.VERSION,
    *(postfix.command("/etc/postfix", options) for options in postfix.ASKED),
    *(dovecot.command("/etc/dovecot/dovecot.conf", option) for option in dovecot.ASKED),
    exim.command(""),
)  # fmt: skip
FILES = ("/etc/postfix/main.cf", "/etc/postfix/master.cf", "/etc/dovecot/dovecot.conf", "/etc/x", "/proc/net/tcp")
CRUMBS = st.sampled_from([
    "smtp inet n - n - - smtpd -o x=", "service x {", "}", "inet_listener y {", "port = 99999999", "ssl_cert = </etc/x",
    "a = b", " \\", "!include *", "!include /etc/x", "tcp LISTEN 0 1 [::]:25 *:*", "smtp 25/tcp x",
    "Configuration file is /etc/x", "- - y /etc/postfix",
    "-----BEGIN CERTIFICATE-----\nQQ==\n-----END CERTIFICATE-----",
    "stat 1 (master) S 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 99999999999999999999 1", "args /usr/sbin/exim\t-bd\t-C\tx",
    "exe /usr/lib/postfix/master", "smtpd_tls_chain_files = /etc/x, /etc/x", "# 2.4.1 (x): y", "boot 99999999999999999",
    "stat 2 (exim) S 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "config x", "cwd /", "{", "$", "<;", "<",
])  # fmt: skip
TEXTS = st.lists(st.one_of(CRUMBS, st.text(max_size=20)), max_size=12).map("\n".join)


@given(
    st.dictionaries(st.sampled_from(COMMANDS), st.tuples(st.integers(0, 255), TEXTS, TEXTS)),
    st.dictionaries(st.sampled_from(FILES), TEXTS),
)
@settings(max_examples=150, deadline=None)
def test_whatever_a_host_says_becomes_facts(
    ran: dict[tuple[str, ...], tuple[int, str, str]], files: dict[str, str]
) -> None:
    """Any output ends in facts about that host, never in an exception."""
    told = Bundle(
        "mx1.example.org",
        NOW,
        "this machine",
        tuple(Ran(argv, code, out, err) for argv, (code, out, err) in ran.items()),
        tuple(FileTaken(path, True, 0o644, text=text) for path, text in files.items()),
    )
    for declared in (None, DECLARED):
        assert {one.at.host for one in facts(told, declared)} == {"mx1.example.org"}


HOSTILE = {
    "braces": ("/etc/postfix/master.cf", "smtp inet n - n - - smtpd -o {" + " {" * 200_000),
    "rows": ("/etc/postfix/master.cf", "".join(f"{n} inet n - n - - smtpd -o a=b\n" for n in range(30_000))),
    "quotes": ("/etc/dovecot/dovecot.conf", 'a = "' + '\\"' * 200_000),
    "blanks": ("/etc/dovecot/dovecot.conf", "a" + " " * 400_000 + "x {"),
    "itself": ("/etc/dovecot/dovecot.conf", "!include /etc/dovecot/*\n" * 30_000),
    "stars": ("/etc/dovecot/dovecot.conf", f"!include /etc/{'*a' * 100}b/dovecot.conf\n" * 1000),
    "certificates": ("/etc/x", "-----BEGIN CERTIFICATE-----\n" * 30_000),
}


@pytest.mark.parametrize(("path", "text"), HOSTILE.values(), ids=HOSTILE)
def test_files_made_to_waste_time_do_not(path: str, text: str) -> None:
    """The limit of a test is the measure: unbounded, each of these took minutes."""
    main = FileTaken("/etc/postfix/main.cf", True, 0o644, text="smtpd_tls_cert_file = /etc/x\n")
    facts(Bundle("mx1.example.org", NOW, "a file", (), (main, FileTaken(path, True, 0o644, text=text))), DECLARED)


def test_a_host_full_of_masters_is_read_in_time() -> None:
    text = "stat 1 (master) S 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 9 1\nexe /postfix/master\n" * 15_000
    assert len(facts(Bundle("mx1.example.org", NOW, "a file", (Ran(processes.COMMAND, 0, text),)))) < 100
