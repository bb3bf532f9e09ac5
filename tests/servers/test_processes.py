"""Masters of mail servers, and when they last read their configuration."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gatepost.model.architecture import Host
from gatepost.servers.instances import instances
from gatepost.servers.processes import masters
from tests.servers.taken import bundle

BOOT = 1795510800  # 2026-11-24 09:00 UTC
HEAD = f"$ processes\nticks 100\nboot {BOOT}\n"


def process(
    pid: int, name: str, parent: int, seconds: int, args: str, *, exe: str = "", config: str = "", cwd: str = "/"
) -> str:
    stat = f"{pid} ({name}) S {parent} 1 1 0 -1 4194560 1 1 1 1 0 0 0 0 20 0 1 0 {seconds * 100} 1 1"
    return f"stat {stat}\nexe {exe}\ncwd {cwd}\nargs {args}\t\nconfig {config}\n"


MASTER = process(400, "master", 1, 60, "/usr/lib/postfix/sbin/master\t-w", config="/etc/postfix")
DOVECOT = process(500, "dovecot", 1, 60, "/usr/sbin/dovecot\t-F\t-c\t/srv/d.conf")


def test_a_start_is_the_first_reading_and_a_reload_the_last() -> None:
    (started,) = masters(bundle(HEAD + MASTER))
    assert started.started == datetime.fromtimestamp(BOOT, UTC) + timedelta(seconds=60)
    (reloaded,) = masters(bundle(HEAD + MASTER + process(401, "qmgr", 400, 90, "qmgr")))
    assert reloaded.started == datetime.fromtimestamp(BOOT, UTC) + timedelta(seconds=90)


def test_children_of_another_master_prove_nothing() -> None:
    text = HEAD + MASTER + DOVECOT + process(401, "qmgr", 500, 90, "qmgr") + process(402, "log", 500, 99, "dovecot/log")
    found = {m.software: m.started for m in masters(bundle(text))}
    assert found["postfix"] == datetime.fromtimestamp(BOOT + 60, UTC)
    assert found["dovecot"] == datetime.fromtimestamp(BOOT + 99, UTC)


@pytest.mark.parametrize(
    ("text", "software", "config"),
    [
        (MASTER, "postfix", "/etc/postfix"),
        (DOVECOT, "dovecot", "/srv/d.conf"),
        (process(1, "dovecot", 0, 1, "dovecot\t-c\td.conf", cwd="/srv"), "dovecot", "/srv/d.conf"),
        (process(1, "dovecot", 0, 1, "/usr/sbin/dovecot\t-F"), "dovecot", ""),
        (process(1, "master", 0, 1, "master\t-c\t/o/", exe="/usr/libexec/postfix/master"), "postfix", "/o"),
        (process(1, "exim4", 0, 1, "/usr/sbin/exim4\t-bd\t-q30m\t-C\t/e.conf"), "exim", "/e.conf"),
    ],
)
def test_what_a_master_was_told(text: str, software: str, config: str) -> None:
    (found,) = masters(bundle(HEAD + text))
    assert (found.software, found.config) == (software, config)


@pytest.mark.parametrize(
    "text",
    [
        process(1, "master", 0, 1, "/opt/cluster/master"),
        process(1, "exim4", 0, 1, "/usr/sbin/exim4\t-Mc\t1abc"),
        process(1, "log", 0, 1, "dovecot/log"),
        "stat 7 (master) Z 1 1\nexe /usr/lib/postfix/master\n",
        "stat garbage\nargs x\n",
    ],
)
def test_other_processes_are_no_masters(text: str) -> None:
    assert masters(bundle(HEAD + text)) == ()


def test_without_the_boot_time_there_is_no_start() -> None:
    (found,) = masters(bundle(f"$ processes\nticks 100\nboot \n{MASTER}"))
    assert found.started is None


USUAL = "@ /etc/postfix/main.cf 0644 root\n@ /etc/dovecot/dovecot.conf 0644 root\n"


@pytest.mark.parametrize(
    ("text", "host", "found"),
    [
        (USUAL, None, ["/etc/postfix", "/etc/dovecot/dovecot.conf"]),
        (f"{HEAD}{DOVECOT}{USUAL}", None, ["/etc/postfix", "/srv/d.conf"]),
        (f"$ postmulti -l\n- - y /etc/postfix\nout mta y /etc/postfix-out\n{USUAL}", None,
         ["/etc/postfix", "/etc/postfix-out", "/etc/dovecot/dovecot.conf"]),
        (USUAL, Host("h", (), (), postfix=("/srv/p/",)), ["/srv/p", "/etc/dovecot/dovecot.conf"]),
        ("$ exim -bV\nConfiguration file is /etc/exim/exim.conf\n", None, ["/etc/exim/exim.conf"]),
        ("", None, []),
    ],
)  # fmt: skip
def test_which_instances_there_are(text: str, host: Host | None, found: list[str]) -> None:
    assert [one.config for one in instances(bundle(text), host)] == found


def test_a_declared_instance_that_runs_is_known_to_run() -> None:
    declared = Host("h", (), (), postfix=("/etc/postfix", "/other"))
    assert [one.master is not None for one in instances(bundle(HEAD + MASTER), declared)] == [True, False]
