"""A daemon of three files and a shell, and a plan that changes them: what `apply` is tried on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from gatepost.edge.host import journal
from gatepost.edge.host.applying import Moment, Terms, apply
from gatepost.edge.host.mending import settled
from gatepost.edge.host.runner import Prefixed, Runner
from gatepost.errors import CannotLook
from gatepost.model.bundle import Ran
from gatepost.model.plan import Act, Applied, Kind, Plan, Step, Written

HOST = "mx1.example.org"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HERE = Prefixed("this machine")
MOMENTS = 23  # of one apply of the bench's plan
ENVIRONMENT = os.environ | {"PYTHONPATH": "src:."}
START = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
from gatepost.model.plan import Act
from tests.edge.host.bench import HERE, HOST, Bench, only
bench = Bench(Path(sys.argv[1]))
"""
PATIENT = 60.0  # seconds in which whatever is waited for has happened

Snapshot = dict[str, tuple[str, int, float | None]]


@dataclass(frozen=True, slots=True)
class Bench:
    """`main.cf` is a link; the daemon runs with what it read at its last reload."""

    root: Path

    @property
    def main(self) -> Path:
        return self.root / "etc/main.cf"

    @property
    def extra(self) -> Path:
        return self.root / "etc/extra.cf"

    @property
    def fresh(self) -> Path:
        return self.root / "etc/fresh.cf"

    @property
    def running(self) -> Path:
        return self.root / "running"

    @property
    def state(self) -> Path:
        return self.root / "state"

    @property
    def backups(self) -> Path:
        return self.root / "lib"

    def home(self, name: str = "p1") -> Path:
        return self.backups / HOST / name

    def make(self) -> Bench:
        (self.root / "etc/real").mkdir(parents=True)
        (self.root / "etc/real/main.cf").write_text("good = yes\ncolour = red\n")
        self.main.symlink_to("real/main.cf")
        self.extra.write_text("extra = no\n")
        self.extra.chmod(0o640)
        os.utime(self.extra, (1_700_000_000, 1_700_000_000))
        self.running.write_text("good = yes\ncolour = red\n")
        return self

    def snapshot(self) -> Snapshot:
        """Everything but what is ours: octets, mode, and the time of what is no link."""
        return {
            str(path.relative_to(self.root)): (_content(path), path.lstat().st_mode, _time(path))
            for path in sorted(self.root.rglob("*"))
            if path.is_symlink() or path.is_file()
            if path.relative_to(self.root).parts[0] in {"etc", "running"}
        }

    def check(self) -> Act:
        return Act(("grep", "-q", "^good", str(self.main)))

    def reload(self) -> Act:
        return Act(("cp", str(self.main), str(self.running)))

    def plan(self, name: str = "p1") -> Plan:
        return Plan(name, NOW, "gatepost.toml", (self.written(), self.edited(), self.second()))

    def written(self) -> Step:
        writes = (Written(str(self.extra), "extra = yes\n"), Written(str(self.fresh), "fresh = 1\n", 0o600))
        return self._step("files", writes=writes)

    def edited(self) -> Step:
        """As postconf does it: a new file takes the place of the link."""
        edit = 'sed s/red/green/ "$1" >"$1.tmp" && mv "$1.tmp" "$1"'
        act = Act(("sh", "-c", edit, "sh", str(self.main)))
        return self._step("edit", touches=(str(self.main),), acts=(act,))

    def second(self) -> Step:
        """Input by hand, into a file that an earlier step changed already."""
        act = Act(("tee", "-a", str(self.main)), "second = yes\n")
        return self._step("again", touches=(str(self.main),), acts=(act,))

    def _step(
        self, key: str, *, writes: tuple[Written, ...] = (), touches: tuple[str, ...] = (), acts: tuple[Act, ...] = ()
    ) -> Step:
        return Step(
            key, HOST, Kind.POSTFIX, f"change {key}", ("GP-TLS-001",), "because", touches=touches, writes=writes,
            acts=acts, checks=(self.check(),), settles=(self.reload(),),
        )  # fmt: skip

    def apply(
        self,
        plan: Plan | None = None,
        look_again: Callable[[], str] = lambda: "",
        *,
        within: float = 60,
        confirm: float = 0,
        confirmed: Callable[[Applied], str] | None = None,
        watch: Callable[[Moment], None] = lambda _: None,
        runner: Runner = HERE,
        afresh: Callable[[str], Runner] | None = None,
        hosts: Mapping[str, Runner] | None = None,
        backups: Path | None = None,
    ) -> Applied:
        runners = hosts or {HOST: runner}
        return apply(
            plan or self.plan(),
            runners,
            look_again,
            state=self.state,
            ways=dict.fromkeys(runners, "local"),
            terms=Terms("alice", within, within, confirm, str(backups or self.backups)),
            afresh=afresh,
            confirmed=confirmed,
            watch=watch,
        )

    def settled(self, reach: Callable[[str], Runner] = lambda _: HERE) -> tuple[Applied, ...]:
        return settled(self.state, reach, NOW)

    def guardian(self, name: str = "p1") -> int | None:
        """Its process, while it lives."""
        try:
            pid = int((self.home(name) / "guardian").read_text())
            return pid if str(self.home(name)).encode() in Path(f"/proc/{pid}/cmdline").read_bytes() else None
        except (OSError, ValueError):
            return None

    def leftovers(self) -> list[Path]:
        """What nothing may leave behind: copies beside files, and locks."""
        return [*self.root.rglob("*gatepost-*"), *self.root.rglob("lock")]


def _content(path: Path) -> str:
    return f"-> {path.readlink()}" if path.is_symlink() else path.read_text()


def _time(path: Path) -> float | None:
    return None if path.is_symlink() or path.name == "running" else path.stat().st_mtime


def only(plan: Plan, *steps: Step) -> Plan:
    return replace(plan, steps=steps)


def contents(bench: Bench) -> dict[str, str]:
    """Without the copies that stand ready beside the files while it is under way."""
    return {name: content for name, (content, _, _) in bench.snapshot().items() if "gatepost-before" not in name}


def last(bench: Bench) -> Applied:
    return journal.records(bench.state)[-1]


def failing(bench: Bench, **what: object) -> Plan:
    """The bench's plan with a last step that goes wrong."""
    step = replace(bench.second(), key="bad", **what)  # type: ignore[arg-type]  # the caller names fields of a step
    return only(bench.plan(), bench.written(), bench.edited(), step)


def in_a_process(bench: Bench, script: str) -> None:
    """Of its own, which kills itself."""
    ended = subprocess.run(
        [sys.executable, "-c", START + script, str(bench.root)], check=False, timeout=60, env=ENVIRONMENT
    )
    assert ended.returncode == -signal.SIGKILL


@dataclass
class Unreliable:
    """A way that breaks at the n-th call, and stays broken."""

    left: int
    where: str = "ssh mx1"

    def run(self, argv: Sequence[str], *, stdin: str = "", patience: float = 30) -> Ran:
        self.left -= 1
        if self.left < 0:
            raise CannotLook("ssh mx1: connection lost")
        return HERE.run(argv, stdin=stdin, patience=patience)


def two_hosts(bench: Bench) -> Plan:
    return only(bench.plan(), bench.written(), replace(bench.edited(), host="mx2"))


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for it, looking often."""
    deadline = time.monotonic() + PATIENT
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen within {PATIENT:g} s"
        time.sleep(0.02)


def killed_at(number: int) -> Callable[[Moment], None]:
    """Dies of SIGKILL at the n-th moment, counted from 0."""
    left = iter(range(number + 1))

    def watch(_moment: Moment) -> None:
        if next(left) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    return watch


def run_and_die(roots: Iterable[Path], within: float) -> None:
    """One apply in a process of its own for each directory; the n-th dies at its n-th moment."""
    for number, root in enumerate(roots):
        if os.fork() == 0:
            Bench(root).apply(within=within, watch=killed_at(number))
            os._exit(0)  # it came to the end before
    while True:
        try:
            os.wait()
        except ChildProcessError:
            return


if __name__ == "__main__":
    run_and_die([Path(word) for word in sys.argv[2:]], float(sys.argv[1]))
