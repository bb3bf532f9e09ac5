"""The lab comes up once, stays as it is when asked again, and leaves nothing behind."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import dovecot, postfix
from lab.estate import Estate
from lab.places import state_root, why_not
from lab.site import DOMAIN, DOVECOT_PORTS, POSTFIX_PORTS, Site

SITE = Site(f"once.{DOMAIN}", "127.0.29.1")
SYSTEM = (Path("/etc/postfix"), Path("/etc/dovecot"))

pytestmark = [
    pytest.mark.live,
    pytest.mark.xdist_group("lab"),
    pytest.mark.skipif(bool(why_not()), reason=why_not()),
]


@pytest.fixture
def estate() -> Iterator[Estate]:
    made = Estate(state_root() / "once", (SITE,))
    made.down()
    yield made
    made.down()


def masters(estate: Estate) -> tuple[int | None, int | None]:
    return (
        postfix.running(estate.home / "postfix"),
        dovecot.running(estate.home / f"dovecot-{SITE.address}"),
    )


def answers(port: int) -> bool:
    try:
        socket.create_connection((SITE.address, port), timeout=2).close()
    except OSError:
        return False
    return True


def test_up_twice_is_up_once(estate: Estate) -> None:
    estate.up()
    first = masters(estate)
    estate.up()
    assert None not in first
    assert masters(estate) == first
    assert all(answers(port) for port in (*POSTFIX_PORTS, *DOVECOT_PORTS))


def test_down_leaves_nothing(estate: Estate) -> None:
    before = [path.stat().st_mtime for path in SYSTEM]
    estate.up()
    pids = masters(estate)
    estate.down()
    assert not estate.home.exists()
    assert not any(_alive(pid) for pid in pids if pid is not None)
    assert not any(answers(port) for port in (*POSTFIX_PORTS, *DOVECOT_PORTS))
    assert [path.stat().st_mtime for path in SYSTEM] == before


def _alive(pid: int) -> bool:
    """A zombie has no command line; who reaps it is not our business."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return False


def test_down_of_what_never_was_up_is_nothing(estate: Estate) -> None:
    estate.down()
    assert not estate.running


@pytest.mark.parametrize("secret", ["password", "papers"])
def test_secrets_are_for_root_alone(estate: Estate, secret: str) -> None:
    estate.up()
    path = estate.home / secret
    files = [path] if path.is_file() else list(path.glob("once*.pem"))
    assert files
    assert all(file.stat().st_mode & 0o077 == 0 for file in files)
