"""A listener of Dovecot that has no name is changed where it stands: a second block would be a second listener."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gatepost.enforcement.observed import Inside
from gatepost.model.host import ListenerConfigured, Place
from gatepost.model.plan import Act

_LINE = "s/^([[:space:]]*)port[[:space:]]*=[[:space:]]*{port}[[:space:]]*$/{new}/"


@dataclass(frozen=True, slots=True)
class Change:
    """The line `port = N` of a listener without a name: replaced, or followed by another one."""

    place: Place
    line: str
    port: int
    new: str
    follows: bool

    @property
    def act(self) -> Act:
        new = f"&\\n\\1{self.new}" if self.follows else f"\\1{self.new}"
        expression = f"{self.place.line}{_LINE.format(port=self.port, new=new)}"
        return Act(("sed", "-i", "-E", expression, self.place.file))

    def already(self, above: int) -> Act:
        """`above` lines of ours come before it once all is done."""
        at = str(self.place.line + above + int(self.follows))
        return Act(("sh", "-c", 'sed -n "$2p" "$1" | grep -qF -- "$3"', "gatepost", self.place.file, at, self.new))

    @property
    def diff(self) -> str:
        indent = self.line[: len(self.line) - len(self.line.lstrip())]
        before = f" {self.line}" if self.follows else f"-{self.line}"
        return f"--- {self.place}\n+++ {self.place}\n{before}\n+{indent}{self.new}\n"


def unnamed(listener: ListenerConfigured) -> bool:
    """The witness calls it by its port."""
    return listener.name.rpartition("/")[2] == str(listener.port)


def change(inside: Inside, listener: ListenerConfigured, new: str, *, follows: bool) -> Change | None:
    """None where its line is not what it should be."""
    line = _port_line(inside, listener)
    return Change(listener.place, line, listener.port, new, follows) if listener.place and line else None


def _port_line(inside: Inside, listener: ListenerConfigured) -> str:
    """The line as it stands in the file, when it is there and holds nothing else."""
    taken = inside.file(listener.place.file) if listener.place else None
    lines = (taken.text or "").splitlines() if taken else []
    if listener.place is None or not 0 < listener.place.line <= len(lines):
        return ""
    line = lines[listener.place.line - 1]
    return line if "".join(line.split()) == f"port={listener.port}" else ""


def from_below(changes: Iterable[Change]) -> tuple[Change, ...]:
    """The last line first: what is added does not move those above."""
    return tuple(sorted(changes, key=lambda one: (one.place.file, -one.place.line)))


def above(changes: Iterable[Change], one: Change) -> int:
    """How many lines of ours come before it once all is done."""
    before = (o for o in changes if o.place.file == one.place.file and o.place.line < one.place.line)
    return sum(1 for o in before if o.follows)
