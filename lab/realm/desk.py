"""The administrator's desk in the office of a realm: gatepost as typed there.

It stands in the office's namespace and reaches into the host's by `via = "netns …"`, which works from inside another.
What it remembers and the backups stay in the realm's home.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from lab.places import PROJECT, program
from lab.realm.host import Realm

LOOKING = ("apply", "audit", "plan", "ports")
ACTING = ("apply", "rollback")
WIDTH = 100  # columns


@dataclass(frozen=True, slots=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def all(self) -> str:
        return self.out + self.err

    @property
    def flat(self) -> str:
        """In one line, as lines are broken where the terminal ends."""
        return " ".join(self.all.split())


def state(realm: Realm) -> Path:
    return realm.home / "state"


def backups(realm: Realm) -> Path:
    return realm.home / "backups"


def gatepost(realm: Realm, verb: str, *words: str, zone: str = "office", patience: float = 240.0) -> Said:
    """`gatepost VERB WORDS` in a zone, with the realm's declaration and authority."""
    own: list[str] = []
    if verb in LOOKING:
        own += ["-c", str(realm.declaration), "--ca", str(realm.ca)]
    if verb in ACTING:
        own += ["--state", str(state(realm)), "--yes"]
    if verb == "apply":
        own += ["--backups", str(backups(realm))]
    source = f"PYTHONPATH={PROJECT / 'src'}"
    command = (program("env"), source, f"COLUMNS={WIDTH}", sys.executable, "-m", "gatepost", verb, *own, *words)
    done = realm.run(zone, *command, patience=patience)
    return Said(done.returncode, done.stdout, done.stderr)
