"""Other scanners, run on the same endpoints: installed only when asked for, each outside the project's environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lab.places import SHOWN

STARTTLS = {25: "smtp", 587: "smtp", 110: "pop3", 143: "imap", 4190: "sieve"}
IMPLICIT = (465, 993, 995)
SSLYZE = SHOWN / "peers" / "sslyze"  # a virtual environment of its own
DEBIAN = ("sslscan", "nmap", "testssl.sh")

Command = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Goal:
    """The host a scanner is pointed at."""

    name: str
    address: str
    ca: Path


@dataclass(frozen=True, slots=True)
class Peer:
    """`commands` gives one command per port it can look at; `ports` are those. `slow` ones get one port only."""

    name: str
    program: Callable[[], str | None]
    command: Callable[[str, Goal, int], Command]
    ports: tuple[int, ...]
    slow: bool = False


def sslyze(program: str, goal: Goal, port: int) -> Command:
    upgrade = ("--starttls", STARTTLS[port]) if port in STARTTLS else ()
    return (program, "--certinfo_ca_file", str(goal.ca), *upgrade, f"{goal.name}:{port}{{{goal.address}}}")


def sslscan(program: str, goal: Goal, port: int) -> Command:
    upgrade = (f"--starttls-{STARTTLS[port]}",) if port in STARTTLS else ()
    return (program, "--no-colour", "--show-certificate", "--show-sigs", *upgrade, f"--sni-name={goal.name}",
            f"{goal.address}:{port}")  # fmt: skip


def nmap(program: str, goal: Goal, port: int) -> Command:
    scripts = "ssl-enum-ciphers,ssl-cert"
    return (program, "-Pn", "-p", str(port), "--script", scripts, goal.address)


def testssl(program: str, goal: Goal, port: int) -> Command:
    upgrade = ("-t", STARTTLS[port]) if port in STARTTLS else ()
    return (program, "--quiet", "--color", "0", "--warnings", "batch", "--add-ca", str(goal.ca),
            "--ip", goal.address, *upgrade, f"{goal.name}:{port}")  # fmt: skip


def _sslyze() -> str | None:
    path = SSLYZE / "bin" / "sslyze"
    return str(path) if os.access(path, os.X_OK) else None


ALL = (*sorted(STARTTLS), *IMPLICIT)
NO_SIEVE = tuple(port for port in ALL if port != 4190)
PEERS = (
    Peer("sslscan", lambda: shutil.which("sslscan"), sslscan, NO_SIEVE),
    Peer("nmap", lambda: shutil.which("nmap"), nmap, ALL),
    Peer("sslyze", _sslyze, sslyze, NO_SIEVE),
    Peer("testssl.sh", lambda: shutil.which("testssl"), testssl, NO_SIEVE, slow=True),
)


def install() -> None:
    """Debian packages where we may, and sslyze from PyPI in an environment of its own."""
    if shutil.which("apt-get") and os.geteuid() == 0:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *DEBIAN]
        subprocess.run(command, env=environment, check=False, stdout=subprocess.DEVNULL)
    if _sslyze() is None:
        subprocess.run([sys.executable, "-m", "venv", str(SSLYZE)], check=True)
        subprocess.run([str(SSLYZE / "bin" / "pip"), "install", "-q", "sslyze"], check=False)
