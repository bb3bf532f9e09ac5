"""What one instance of Dovecot gets, put together entry by entry, and the one step that it becomes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from gatepost.enforcement import include, wording
from gatepost.enforcement.edits import Edit
from gatepost.enforcement.in_place import Change, above, from_below
from gatepost.enforcement.observed import Inside
from gatepost.enforcement.placing import place
from gatepost.enforcement.shares import Share
from gatepost.enforcement.values import DOVECOT
from gatepost.model.host import ServerSeen
from gatepost.model.plan import Act, Kind, Step, Written
from gatepost.servers.dovecot_text import Key
from gatepost.servers.secrets import HIDDEN

_ONCE = 'grep -qxF -- "$2" "$1" || printf "\\n%s\\n" "$2" >>"$1"'


@dataclass(slots=True)
class Sheet:
    """What one instance gets: entries of our file, lines changed in place, and what each is for."""

    inside: Inside
    server: ServerSeen
    entries: dict[Key, str] = field(default_factory=dict)
    in_place: list[Change] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    rows: set[str] = field(default_factory=set)
    closed: set[int] = field(default_factory=set)
    titles: list[str] = field(default_factory=list)
    controls: list[str] = field(default_factory=list)
    whys: list[str] = field(default_factory=list)
    risks: list[str] = field(default_factory=list)

    def tell(self, title: str, controls: Iterable[str], why: str, risk: str) -> None:
        self.titles.append(title)
        self.controls += controls
        self.whys.append(why)
        self.risks += [risk] if risk else []


def share(sheet: Sheet) -> Share | None:
    """None where there is nothing to change."""
    ours = _ours(sheet) if sheet.entries else None
    if ours and ours.secret:
        return Share(_by_hand(sheet, ours))
    if ours or sheet.in_place:
        return Share(_step(sheet, ours), tuple(sheet.edits), frozenset(sheet.rows), frozenset(sheet.closed))
    return None


@dataclass(frozen=True, slots=True)
class _File:
    """Ours, as it is and as it will be. `line`: what dovecot.conf has to say for it to be read; empty: it does."""

    path: str
    before: str | None
    after: str
    line: str
    secret: bool  # somebody put one into it, and secrets are not read


def _ours(sheet: Sheet) -> _File:
    path, line = place(sheet.inside, sheet.server.instance)
    taken = sheet.inside.file(path)
    before = taken.text if taken and taken.exists else None
    there = _there(sheet, path) if before is None else include.read(before)
    after = include.render({**there, **sheet.entries}, sheet.server.version)
    return _File(path, before, after, line, any(HIDDEN in value for value in there.values()))


def _there(sheet: Sheet, path: str) -> dict[Key, str]:
    """What our file holds already, where the bundle is without it."""
    found = (one for name in include.names() for one in sheet.inside.settings(sheet.server, name))
    return {
        (include.path_of(one.service), one.name): one.value for one in found if one.place and one.place.file == path
    }


def _step(sheet: Sheet, ours: _File | None) -> Step:
    main = sheet.server.instance
    changes = from_below(sheet.in_place)
    diffs = [one.diff for one in changes]
    acts = [one.act for one in changes]
    already = [one.already(above(sheet.in_place, one)) for one in changes]
    touches = [one.place.file for one in changes]
    if ours:
        diffs.insert(0, wording.changed(ours.path, ours.before, ours.after))
    if ours and ours.line:
        diffs.append(wording.line(main, None, ours.line))
        acts.append(Act(("sh", "-c", _ONCE, "gatepost", main, ours.line)))
        already.append(Act(("grep", "-qxF", "--", ours.line, main)))
        touches.append(main)
    touched = tuple(dict.fromkeys(touches))
    return Step(
        key=_key(sheet),
        host=sheet.inside.host.name,
        kind=Kind.DOVECOT,
        title=sheet.titles[0] if len(sheet.titles) == 1 else f"mend {len(sheet.titles)} settings of Dovecot",
        controls=tuple(dict.fromkeys(sheet.controls)),
        why="\n".join(sheet.whys),
        risk="\n".join(dict.fromkeys(sheet.risks)),
        diff="".join(diffs),
        touches=touched,
        writes=(Written(ours.path, ours.after),) if ours else (),
        acts=tuple(acts),
        checks=(Act(("doveconf", "-c", main, "-n")),),
        settles=(Act(("doveadm", "-c", main, "reload")),) if sheet.server.running else (),
        found=sheet.inside.found(*touched, *([ours.path] if ours else [])),
        already=tuple(already),
    )


def _by_hand(sheet: Sheet, ours: _File) -> Step:
    return Step(
        key=_key(sheet),
        host=sheet.inside.host.name,
        kind=Kind.DOVECOT,
        title=f"move the secret out of {ours.path}",
        controls=tuple(dict.fromkeys(sheet.controls)),
        why="gatepost writes this file anew and reads no secrets, so it would lose it. Settings of your own belong "
        "into another file; then plan again.",
        diff=wording.changed(ours.path, None, include.render(sheet.entries, sheet.server.version)),
        by_hand=True,
    )


def _key(sheet: Sheet) -> str:
    return f"{DOVECOT}:{sheet.server.instance}"
