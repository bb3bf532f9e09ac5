"""Kill `gatepost watch` again and again while lines are written and the log rotates.

    python -m tests.live.killed DIRECTORY ROUNDS SEED

Each line has a number of its own, as its user: one that is missed, or taken twice, is seen.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from lab.places import PROJECT

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(PROJECT / "src")}
TOML = """\
version = 1
[hosts."mx1.example.org"]
addresses = ["192.0.2.1"]
logs = ["{log}"]
services = ["smtp", "imaps"]
"""
WHILE_WATCHING = 0.7  # of the kills; the others may come while it starts
LONGEST = 0.9  # seconds until a kill
ENDING = 0.6  # of the kills come while it keeps what it read, because it was told to end
MOST = 60  # lines at a time
ROTATED = 0.01  # of the writings
KEPT = 30  # old logs


@dataclass(slots=True)
class Writer:
    """Writes as a server does, in bursts, and now and then the log is moved away as logrotate does."""

    log: Path
    dice: random.Random
    lines: int = 0
    rotations: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None

    def begin(self) -> None:
        self.thread = threading.Thread(target=self._write, daemon=True)
        self.thread.start()

    def end(self) -> None:
        self.over.set()
        if self.thread:
            self.thread.join()

    def _write(self) -> None:
        while not self.over.wait(self.dice.uniform(0.002, 0.08)):
            count = self.dice.randint(1, MOST)
            text = "".join(line(self.lines + n) for n in range(count))
            half = self.dice.randint(0, len(text))  # a line is seen in two parts, too
            with self.log.open("a") as file:
                for part in (text[:half], text[half:]):
                    file.write(part)
                    file.flush()
            self.lines += count
            if self.dice.random() < ROTATED:
                self._rotate()

    def _rotate(self) -> None:
        for number in range(KEPT, 0, -1):
            older = self.log.with_name(f"{self.log.name}.{number}")
            if older.exists():
                older.rename(self.log.with_name(f"{self.log.name}.{number + 1}"))
        self.log.rename(self.log.with_name(f"{self.log.name}.1"))
        self.log.touch()
        self.rotations += 1


def line(number: int) -> str:
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f+00:00")
    return (
        f"{stamp} mx1 dovecot: imap-login: Login: user=<user{number}>, method=PLAIN, "
        f"rip=203.0.113.{number % 250}, lip=192.0.2.1, mpid={number}, TLS, session=<s{number}>\n"
    )


@dataclass(frozen=True, slots=True)
class Told:
    """What the lake holds after the last, clean run. `verified` is what `gatepost logs verify` says."""

    kills: int
    rotations: int
    lines: int
    events: int
    users: int
    verified: str


def run(directory: Path, rounds: int, seed: int) -> Told:
    dice = random.Random(seed)  # noqa: S311 - chance, not secrecy
    log = directory / "mail.log"
    (directory / "gatepost.toml").write_text(TOML.format(log=log))
    writer = Writer(log, random.Random(seed + 1))  # noqa: S311 - as above
    log.write_text(line(0))
    writer.lines = 1
    gatepost(directory, "watch", "--once")  # the first time a log is read from its start, and older ones are not
    writer.begin()
    for _ in range(rounds):
        kill(directory, dice)
    writer.end()
    gatepost(directory, "watch", "--once")
    asked = 'SELECT count(*) AS events, count(DISTINCT "user") AS users FROM events'
    (row,) = json.loads(gatepost(directory, "query", asked, "--format", "json"))
    verified = gatepost(directory, "logs", "verify")
    return Told(rounds, writer.rotations, writer.lines, row["events"], row["users"], verified)


def kill(directory: Path, dice: random.Random) -> None:
    argv = (sys.executable, "-u", "-m", "gatepost", "watch")
    with subprocess.Popen(
        argv, cwd=directory, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        if dice.random() < WHILE_WATCHING:
            assert process.stdout
            for said in process.stdout:
                if "watching;" in said:
                    break
        time.sleep(dice.uniform(0.0, LONGEST))
        if dice.random() < ENDING:
            process.terminate()
            time.sleep(dice.uniform(0.0, 0.3))
        process.kill()


def gatepost(directory: Path, *words: str) -> str:
    argv = (sys.executable, "-m", "gatepost", *words)
    ran = subprocess.run(argv, cwd=directory, env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False)
    return ran.stdout + ran.stderr


if __name__ == "__main__":
    sys.stdout.write(f"{run(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))}\n")
