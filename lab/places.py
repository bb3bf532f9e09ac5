"""Where the lab keeps its files, and whether this machine can run it at all."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
SHOWN = PROJECT / ".lab"  # what the operator is pointed to: the declaration and the CA
ELSEWHERE = Path("/var/tmp/gatepost-lab")  # noqa: S108 - only root makes it, see `state_root`
LONGEST = 60  # a UNIX socket path holds 107 bytes, and the daemons add some 40
SBIN = os.pathsep.join(("/usr/sbin", "/sbin", "/usr/lib/dovecot"))


def state_root() -> Path:
    """Servers drop root before they read their files: every parent must be open to others, and the path short."""
    closed = any(not parent.stat().st_mode & 0o001 for parent in (PROJECT, *PROJECT.parents))
    if closed or len(str(SHOWN)) > LONGEST:
        ELSEWHERE.mkdir(mode=0o755, exist_ok=True)
        if ELSEWHERE.is_symlink() or ELSEWHERE.stat().st_uid != os.geteuid():
            raise SystemExit(f"lab: {ELSEWHERE} belongs to somebody else")
        return ELSEWHERE
    return SHOWN


def program(name: str) -> str:
    """The path of a server's program. Raises SystemExit when it is not installed."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + os.pathsep + SBIN)
    if found is None:
        raise SystemExit(f"lab: {name} is not installed (sh lab/packages.sh installs it on Debian)")
    return found


def why_not() -> str:
    """Why the real servers cannot run here; empty when they can."""
    if not sys.platform.startswith("linux"):
        return "the lab needs Linux"
    if os.geteuid() != 0:
        return "the lab needs root, for the ports below 1024"
    try:
        program("postfix")
        version = subprocess.check_output([program("dovecot"), "--version"], text=True).split()[0]
    except SystemExit as error:
        return str(error)
    return "" if version.startswith("2.3.") else f"the lab is written for Dovecot 2.3, here is {version}"


def run(*command: str) -> None:
    """Runs a command that may leave daemons behind: they keep its output open, so it goes to a file.

    Raises SystemExit with its words when it fails.
    """
    with tempfile.TemporaryFile("w+") as said:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, check=False)
        said.seek(0)
        if done.returncode:
            raise SystemExit(f"lab: {' '.join(command)}: {said.read().strip()}")
