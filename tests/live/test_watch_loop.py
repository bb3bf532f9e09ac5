"""`gatepost watch` from a line in a log to a packet that is dropped, with everything kept when it is told to end."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lab.realm.ground import why_no_ground
from tests.live.barred import BAD, GOOD, OPEN, OURS, PUBLISHED, Ground, ground

pytestmark = [pytest.mark.live, pytest.mark.skipif(bool(why_no_ground()), reason=why_no_ground())]

DECLARED = """\
version = 1
[hosts."mx1.example.org"]
addresses = ["{ours}", "{ours6}"]
via = "netns {host}"
logs = ["{log}"]
services = ["smtp", {{ name = "imap", port = {published}, owner = "a", reason = "b", until = 2027-01-01 }}]
[watch]
block = {block}
metrics = "127.0.0.1:{metrics}"
"""


@pytest.fixture(scope="module")
def field() -> Iterator[Ground]:
    with ground() as found:
        yield found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


class Running:
    """A watch in a process of its own, and what it said so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process, self.said = process, list[str]()

    def until(self, words: str) -> str:
        assert self.process.stdout
        for line in self.process.stdout:
            self.said.append(line.rstrip())
            if words in line:
                return self.said[-1]
        pytest.fail("\n".join((f"never said {words!r}", *self.said)))

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        assert self.process.stdout
        self.said += [line.rstrip() for line in self.process.stdout]
        return self.process.wait(30)


@contextmanager
def watching(directory: Path, field: Ground, *words: str, block: str = "true") -> Iterator[Running]:
    where = {"ours": OURS[4], "ours6": OURS[6], "host": field.host, "published": PUBLISHED}
    text = DECLARED.format(**where, log=directory / "mail.log", block=block, metrics=free_port())
    (directory / "gatepost.toml").write_text(text)
    (directory / "mail.log").touch()
    argv = (sys.executable, "-u", "-m", "gatepost", "watch", *words)
    with subprocess.Popen(argv, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield Running(process)
        finally:
            process.kill()


def guesses(client: str, count: int, user: str = "anna") -> str:
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f+00:00")
    return "".join(
        f"{stamp} mx1 dovecot: imap-login: Disconnected: Connection closed (auth failed, 1 attempts in 2 secs): "
        f"user=<{user}{n}>, method=PLAIN, rip={client}, lip={OURS[4]}, TLS, session=<s{n}{client}>\n"
        for n in range(count)
    )


def write(directory: Path, text: str) -> float:
    with (directory / "mail.log").open("a") as log:
        log.write(text)
    return time.monotonic()


@pytest.mark.parametrize("family", [4, 6])
def test_from_a_line_to_a_dropped_packet(field: Ground, tmp_path: Path, family: int) -> None:
    with watching(tmp_path, field) as running, field.calling(BAD[family], OURS[family], OPEN) as call:
        running.until("watching; blocks are carried out")
        assert call.again() == "alive"
        begun = write(tmp_path, guesses(BAD[family], 25))
        running.until(f"{BAD[family]} blocked for 3600 s")
        took = time.monotonic() - begun
        assert call.again() in {"silent", "refused"}
        assert [field.call(BAD[family], OURS[family], port) for port in (OPEN, PUBLISHED)] == ["silent", "silent"]
        assert field.call(GOOD[family], OURS[family], OPEN) == "reached"
        assert took < 1
        assert running.end() == 0
    listed = json.loads(gatepost(tmp_path, "blocks", "--format", "json"))["blocks"]
    (one,) = [entry for entry in listed if entry["state"] == "blocked"]
    assert one["address"] == BAD[family]
    assert one["proved"].startswith("proved: the running rules drop it at")
    assert one["cut"] == 1
    assert one["evidence"][0].startswith(f"{tmp_path / 'mail.log'}:")
    gatepost(tmp_path, "unblock", BAD[family])
    assert field.call(BAD[family], OURS[family], OPEN) == "reached"


def test_a_rehearsal_blocks_nobody(field: Ground, tmp_path: Path) -> None:
    with watching(tmp_path, field, block="false") as running:
        running.until("blocks are only told (--block carries them out)")
        write(tmp_path, guesses(BAD[4], 25))
        running.until(f"{BAD[4]} would be blocked for 3600 s")
        assert field.call(BAD[4], OURS[4], OPEN) == "reached"
        assert running.end(signal.SIGINT) == 0


def test_a_block_outlives_a_kill_and_a_flush(field: Ground, tmp_path: Path) -> None:
    with watching(tmp_path, field) as running:
        running.until("watching;")
        write(tmp_path, guesses(BAD[4], 25))
        running.until(f"{BAD[4]} blocked for")
        running.end(signal.SIGKILL)
    subprocess.run(("ip", "netns", "exec", field.host, "nft", "delete", "table", "inet", "gatepost_watch"), check=True)
    assert field.call(BAD[4], OURS[4], OPEN) == "reached"
    with watching(tmp_path, field) as running:
        running.until(f"{BAD[4]} was no longer blocked, set again until its end")
        assert field.call(BAD[4], OURS[4], OPEN) == "silent"
        running.end()
    gatepost(tmp_path, "unblock", BAD[4])


def test_every_line_once_also_after_a_kill(field: Ground, tmp_path: Path) -> None:
    with watching(tmp_path, field, block="false") as running:
        running.until("watching;")
        write(tmp_path, guesses(BAD[4], 25))
        running.until("would be blocked")
        running.end(signal.SIGKILL)
    write(tmp_path, guesses("203.0.113.9", 1))
    with watching(tmp_path, field, "--once", block="false") as running:
        assert running.process.wait(60) in {0, 1}
    asked = 'SELECT count(*) AS n, count(DISTINCT "offset") AS u FROM events'
    rows = gatepost(tmp_path, "query", asked, "--format", "json")
    assert '"n": 26' in rows
    assert '"u": 26' in rows


def test_the_declaration_is_read_again(field: Ground, tmp_path: Path) -> None:
    with watching(tmp_path, field, block="false") as running:
        running.until("blocks are only told")
        text = (tmp_path / "gatepost.toml").read_text().replace("block = false", "block = true")
        (tmp_path / "gatepost.toml").write_text(text)
        running.process.send_signal(signal.SIGHUP)
        running.until("watching; blocks are carried out")
        (tmp_path / "gatepost.toml").write_text("version = 1\n[watch]\nblok = true\n")
        running.process.send_signal(signal.SIGHUP)
        running.until("line 3: watch.blok: unknown key")
        running.until("the declaration is kept as it was")
        running.until("watching; blocks are carried out")
        assert running.end() == 0


def gatepost(directory: Path, *words: str) -> str:
    argv = (sys.executable, "-m", "gatepost", *words)
    ran = subprocess.run(argv, cwd=directory, capture_output=True, text=True, timeout=60, check=False)
    return ran.stdout + ran.stderr
