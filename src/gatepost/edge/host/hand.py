"""Gatepost's hand on a host: one small shell script with a verb a call, over whatever way leads there.

Everything an undo needs lies on the host itself, so it needs neither us nor a connection.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from gatepost.edge.host.runner import Runner
from gatepost.errors import CannotLook, StepFailed
from gatepost.model.bundle import Ran
from gatepost.model.plan import Act

_LAST_LOGGED = 'file=$(postconf "$@" -h maillog_file) && [ -n "$file" ] && tail -n 20 "$file" | grep fatal: | tail -n 1'
ROOT = "/var/lib/gatepost"
LIMIT = 60  # seconds for one command of a step, on the host
PATIENCE = 120.0  # seconds for one call
UNDOING = 600.0  # seconds for all of an undo

_HELD, _DECIDED = 75, 76
_HELD_ADVICE = (
    "wait until it has ended; one that was cut off is ended by its guardian on the host, or by gatepost rollback "
    "where it was begun"
)


class HostHeld(CannotLook):
    """Another apply is under way on the host; the text says whose, and what to do."""

    def __init__(self, host: str, holder: str) -> None:
        super().__init__(f"{host}: another apply is under way there: {holder}; nothing was changed\n{_HELD_ADVICE}")


class TakenBack(StepFailed):
    """The guardian has undone it, or somebody else on the host."""


@dataclass(frozen=True, slots=True)
class Hand:
    """`root` is the directory of backups on the host, `id` that of the apply."""

    host: str
    runner: Runner
    id: str
    root: str = ROOT

    @property
    def home(self) -> str:
        """Of one host: several may share a file system (namespaces)."""
        return f"{self.root}/{self.host}"

    @property
    def directory(self) -> str:
        return f"{self.home}/{self.id}"

    def do(self, verb: str, *words: str, stdin: str = "", patience: float = PATIENCE) -> str:
        """What the verb printed. Raises CannotLook, HostHeld, TakenBack or StepFailed."""
        ran = self._run(verb, *words, stdin=stdin, patience=patience)
        if ran.ok:
            return ran.stdout
        if ran.code == _HELD:
            raise HostHeld(self.host, said(ran))
        if ran.code == _DECIDED:
            raise TakenBack(f"{self.host}: {said(ran)}")
        raise StepFailed(f"{self.host}: {said(ran)}")

    def act(self, act: Act) -> None:
        """Raises StepFailed with what the command said when it fails."""
        told = self.do("act", str(octets(act.stdin)), str(LIMIT), *act.argv, stdin=act.stdin)
        code, _, out = told.partition("\n")
        if code != "0":
            words = out if out.strip() else self._logged(act)
            raise StepFailed(f"{self.host}: {' '.join(act.argv)[:200]}: {_complaint(words, code)}")

    def _logged(self, act: Act) -> str:
        """Without a terminal, postfix(1) tells its reasons to the log alone."""
        match act.argv:
            case ("postfix", *words, _):
                return self._run_plain("sh", "-c", _LAST_LOGGED, "sh", *words) or "the reason is in the mail log"
        return ""

    def _run_plain(self, *argv: str) -> str:
        ran = self.runner.run(argv)
        return ran.stdout.strip() if ran.ok else ""

    def _run(self, verb: str, *words: str, stdin: str, patience: float) -> Ran:
        argv = ("sh", "-c", script("hand"), "gatepost", verb, self.home, self.id, *words)
        ran = self.runner.run(argv, stdin=stdin, patience=patience)
        if ran.why:
            raise CannotLook(f"{self.host}: {ran.why}")
        return ran


@cache
def script(name: str) -> str:
    return files("gatepost.edge.host").joinpath("scripts", f"{name}.sh").read_text(encoding="utf-8")


def octets(text: str) -> int:
    return len(text.encode())


def said(ran: Ran) -> str:
    """The last line of what a command complained of."""
    return _complaint(ran.stderr or ran.stdout, str(ran.code))


def _complaint(text: str, code: str) -> str:
    lines: Sequence[str] = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else f"exit status {code}"
