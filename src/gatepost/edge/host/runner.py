"""Running commands on a host: this machine, a namespace of it, a container, or another machine over SSH.

Every way is a prefix before the same words, so whoever runs something cannot tell where it happens. Host keys of SSH
are always checked, and nothing is ever asked of the operator in the middle of a run.
"""

from __future__ import annotations

import atexit
import re
import shlex
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

from gatepost.edge.host.spawning import spawn
from gatepost.errors import CannotLook, UsageError, because
from gatepost.model.bundle import NOT_FOUND, FileTaken, Ran

PATIENCE = 30.0  # seconds for one command
LARGEST = 64 * 1024 * 1024  # bytes of output; ten thousand rules take four million
LARGEST_FILE = 8 * 1024 * 1024
SSH_FAILED = 255  # of ssh itself
BEGINS = "gatepost-begins"  # what a login script over SSH prints before it is no answer
LONGEST_GREETING = 65536
LONGEST_DIRECTORY = 40  # a socket's path ends at 104 characters on some systems, and ssh adds 57 of its own


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
        words = (*self.prefix, f"echo {BEGINS}; {shlex.join(argv)}") if self.resplit else (*self.prefix, *argv)
        try:
            ended = spawn(words, stdin.encode(), patience=patience, largest=LARGEST)
        except FileNotFoundError:
            return self._never(argv, f"{words[0]} is not installed")
        except (OSError, ValueError) as error:  # a word with a zero byte in it
            return self._never(argv, because(error) if isinstance(error, OSError) else str(error))
        out, err = (part.decode(errors="replace") for part in (ended.out, ended.err))
        if self.resplit and ended.code == SSH_FAILED:
            raise CannotLook(f"{self.where}: {refusal(err)}")
        greeting, begun, told = out.partition(f"{BEGINS}\n")
        out = told if self.resplit and begun and len(greeting) <= LONGEST_GREETING else out
        return Ran(tuple(argv), ended.code, out, err, ended.why)

    def _never(self, argv: Sequence[str], why: str) -> Ran:
        if self.prefix:
            raise CannotLook(f"{self.where}: {why}")
        return Ran(tuple(argv), NOT_FOUND, why=why)


def refusal(said: str) -> str:
    """What ssh wrote before it gave up, as one sentence that says what to do."""
    if "HOST IDENTIFICATION HAS CHANGED" in said:
        where = re.search(r"^Offending .* key in (\S+)", said, re.MULTILINE)
        recorded = where.group(1) if where else "known_hosts"
        return f"its host key is not the one recorded in {recorded}: somebody may be in between; nothing was sent to it"
    if "Host key verification failed" in said:
        return "its host key is in no known_hosts file: connect once with ssh and compare the fingerprint"
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1] if lines else "no connection"


@dataclass(slots=True)
class Ways:
    """Runners by their `via` text; SSH connections are shared, and closed at the end of the block or program.

    `ssh` is the program with options before ours.
    """

    ssh: tuple[str, ...] = ("ssh",)
    _directory: str = field(default="", init=False)
    _connected: set[str] = field(default_factory=set, init=False)

    def to(self, via: str) -> Runner:
        """Raises UsageError for words that are no way."""
        way, _, name = via.partition(" ")
        match way, name:
            case ("local", ""):
                return Prefixed("this machine")
            case ("netns", name) if _plain(name):
                return Prefixed(f"namespace {name}", ("ip", "netns", "exec", name))
            case ("docker", name) if _plain(name):
                return Prefixed(f"container {name}", ("docker", "exec", "-i", name))
            case ("ssh", name) if _plain(name):
                self._connected.add(name)
                return Prefixed(f"ssh {name}", (*self._ssh(), name, "--"), resplit=True)
        raise UsageError(f"{via!r} is no way to a host: expected local, ssh DEST, netns NAME or docker NAME")

    def _ssh(self) -> tuple[str, ...]:
        options = {"BatchMode": "yes", "StrictHostKeyChecking": "yes", "ConnectTimeout": "10", **self._shared()}
        return (*self.ssh, *(word for key, value in options.items() for word in ("-o", f"{key}={value}")))

    def _shared(self) -> dict[str, str]:
        if not self._directory:
            self._directory = tempfile.mkdtemp(prefix="gp-")
            atexit.register(self.close)
        if len(self._directory) > LONGEST_DIRECTORY:
            return {}
        return {"ControlMaster": "auto", "ControlPersist": "30", "ControlPath": f"{self._directory}/%C"}

    def close(self) -> None:
        for name in self._connected if self._directory else ():
            with suppress(OSError):
                spawn((*self._ssh(), "-O", "exit", name), b"", patience=5, largest=65536)
        self._connected.clear()
        if self._directory:
            shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = ""
            atexit.unregister(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.close()


def _plain(name: str) -> bool:
    """One word that no program takes for an option, and no shell behind ssh's own options for more than a word."""
    return bool(re.fullmatch(r"[\w.:@\[/][\w.:@%+,\[\]/~-]{0,299}", name))


def read(runner: Runner, path: str) -> FileTaken:
    """A text file with its state. Raises CannotLook as `run` does."""
    ran = runner.run(("sh", "-c", _READ, "sh", path))
    if not ran.ok:
        return FileTaken(path, ran.code != _ABSENT, why=ran.why or _last(ran.stderr) or "it cannot be read")
    head, _, text = ran.stdout.partition("\n")
    mode, owner, group, size = head.split(" ")
    if len(text) > LARGEST_FILE or "\ufffd" in text or "\0" in text:
        return FileTaken(path, True, int(mode, 8), owner, group, int(size), why="not a text file in UTF-8")
    return FileTaken(path, True, int(mode, 8), owner, group, int(size), text=text)


def write(runner: Runner, path: str, text: str, mode: int | None = None) -> Ran:
    """Replace a file in one step; what it was keeps its owner, and its mode unless one is given.

    A symbolic link stays one: what it leads to is replaced.
    """
    wanted = "" if mode is None else f"{mode:o}"
    return runner.run(("sh", "-c", _WRITE, "sh", path, wanted), stdin=text)


def _last(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1] if lines else ""


_ABSENT = 66
_READ = f"""\
[ -e "$1" ] || {{ echo "there is no such file" >&2; exit {_ABSENT}; }}
stat -L -c '%a %U %G %s' -- "$1" && cat -- "$1"
"""
_WRITE = """\
set -e
umask 077
file=$(readlink -f -- "$1")
new="$file.gatepost-new"
trap 'rm -f -- "$new"' EXIT
rm -f -- "$new"
if [ -e "$file" ]; then cp -p -- "$file" "$new"; else : > "$new"; chmod 644 "$new"; fi
[ -z "$2" ] || chmod "$2" "$new"
cat > "$new"
sync -- "$new" 2> /dev/null || sync
mv -f -- "$new" "$file"
trap - EXIT
"""
