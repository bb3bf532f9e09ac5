"""Running commands on a host: this machine, a namespace of it, a container, or another machine over SSH.

Every way is a prefix before the same words, so whoever runs something cannot tell where it happens. Host keys of SSH
are always checked, and nothing is ever asked of the operator in the middle of a run.
"""

from __future__ import annotations

import shlex
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gatepost.errors import CannotLook, UsageError
from gatepost.model.bundle import NOT_FOUND, Ran

PATIENCE = 30.0  # seconds for one command
LARGEST = 64 * 1024 * 1024  # bytes of output; ten thousand rules take four million
SSH_FAILED = 255  # of ssh itself


class Runner(Protocol):
    @property
    def where(self) -> str:
        """In words: this machine, ssh root@mx1.example.org."""
        ...

    def run(self, argv: Sequence[str], *, stdin: str = "", patience: float = PATIENCE) -> Ran:
        """Never raises for what the command does; CannotLook when the host itself cannot be reached."""
        ...


@dataclass(frozen=True, slots=True)
class Prefixed:
    """Some words before each command. `resplit`: the far side splits the line again (SSH)."""

    where: str
    prefix: tuple[str, ...] = ()
    resplit: bool = False

    def run(self, argv: Sequence[str], *, stdin: str = "", patience: float = PATIENCE) -> Ran:
        words = (*self.prefix, shlex.join(argv)) if self.resplit else (*self.prefix, *argv)
        try:
            done = subprocess.run(  # noqa: S603 - the words are ours, or the operator's declaration
                words, input=stdin.encode(), capture_output=True, timeout=patience, check=False, start_new_session=True
            )
        except FileNotFoundError:
            return Ran(tuple(argv), NOT_FOUND, why=f"{words[0]} is not installed")
        except subprocess.TimeoutExpired:
            return Ran(tuple(argv), NOT_FOUND, why=f"no end within {patience:g} s")
        except OSError as error:
            return Ran(tuple(argv), NOT_FOUND, why=str(error.strerror or error))
        out, err = (part[:LARGEST].decode(errors="replace") for part in (done.stdout, done.stderr))
        if self.resplit and done.returncode == SSH_FAILED:
            raise CannotLook(f"{self.where}: {err.strip().splitlines()[-1] if err.strip() else 'no connection'}")
        return Ran(tuple(argv), done.returncode, out, err)


@dataclass(slots=True)
class Ways:
    """Runners by their `via` text; SSH connections are shared and closed at the end."""

    directory: str = field(default_factory=lambda: tempfile.mkdtemp(prefix="gatepost-"))

    def to(self, via: str) -> Runner:
        """Raises UsageError for words that are no way."""
        way, _, name = via.partition(" ")
        match way, name:
            case ("local", ""):
                return Prefixed("this machine")
            case ("netns", name) if name:
                return Prefixed(f"namespace {name}", ("ip", "netns", "exec", name))
            case ("docker", name) if name:
                return Prefixed(f"container {name}", ("docker", "exec", "-i", name))
            case ("ssh", name) if name and not name.startswith("-"):
                return Prefixed(f"ssh {name}", (*self._ssh(), name, "--"), resplit=True)
        raise UsageError(f"{via!r} is no way to a host: expected local, ssh DEST, netns NAME or docker NAME")

    def _ssh(self) -> tuple[str, ...]:
        options = {
            "BatchMode": "yes",
            "StrictHostKeyChecking": "yes",
            "ConnectTimeout": "10",
            "ControlMaster": "auto",
            "ControlPersist": "30",
            "ControlPath": f"{self.directory}/%C",
        }
        return ("ssh", *(word for key, value in options.items() for word in ("-o", f"{key}={value}")))
