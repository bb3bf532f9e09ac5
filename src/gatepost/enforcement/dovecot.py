"""Dovecot: one file of ours, read after the administrator's; his own files stay as they are.

Measured on 2.3: a setting inside a block wins over one outside wherever it stands, so blocks are repeated; a repeated
block of the same name is merged, but a listener without a name is a second one, so that one is changed where it stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from gatepost.catalogue.desired import Desired, How
from gatepost.catalogue.versions import numbers
from gatepost.enforcement import include, wording
from gatepost.enforcement.edits import Desk, Edit
from gatepost.enforcement.in_place import Change, above, change, from_below, unnamed
from gatepost.enforcement.observed import Inside
from gatepost.enforcement.placing import place
from gatepost.enforcement.services import Fate, Stray, hidden
from gatepost.enforcement.shares import Share
from gatepost.enforcement.values import DOVECOT
from gatepost.model.finding import Finding
from gatepost.model.host import ListenerConfigured, ServerSeen, SettingSeen
from gatepost.model.plan import Act, Kind, Step, Written
from gatepost.servers.dovecot_text import Key, Path
from gatepost.servers.secrets import HIDDEN

HERE = "127.0.0.1 ::1"
_ONCE = 'grep -qxF -- "$2" "$1" || printf "\\n%s\\n" "$2" >>"$1"'
_BLOCKS = ("fifo_listener", "inet_listener", "local", "local_name", "protocol", "remote", "service", "unix_listener")


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


def shares(desk: Desk, strays: Iterable[Stray]) -> Iterator[Share]:
    listed = tuple(strays)
    for server in desk.inside.servers(DOVECOT):
        sheet = Sheet(desk.inside, server)
        for edit in desk.edits.values():
            if edit.server == server:
                _set(sheet, edit)
        for want, at, findings in desk.special:
            if at == server:
                _SPECIAL[want.how](sheet, desk, want, findings)
        for stray in listed:
            if stray.server == server and stray.fate is Fate.CLOSE:
                _close(sheet, stray)
        if sheet.entries or sheet.in_place:
            yield _share(sheet)


def path_of(service: str) -> Path:
    """`service auth/unix_listener /run/auth` as two blocks; a slash inside a name is part of it."""
    parts: list[str] = []
    for word in service.split("/"):
        if not parts or word.partition(" ")[0] in _BLOCKS or word == "plugin":
            parts.append(word)
        else:
            parts[-1] += f"/{word}"
    return tuple(filter(None, parts))


def _set(sheet: Sheet, edit: Edit) -> None:
    sheet.entries[path_of(edit.service), edit.name] = edit.value
    sheet.edits.append(edit)
    title = edit.wants[0].title
    where = f" ({edit.service})" if edit.service else ""
    why = wording.why(edit.wants, edit.name, edit.was)
    sheet.tell(f"{title}{where}", wording.controls(edit.wants), why, wording.risks(edit.wants))


def _close(sheet: Sheet, stray: Stray) -> None:
    listener = stray.listener
    if not _placed(sheet, listener, "port", "0"):
        return
    sheet.closed.add(listener.port)
    sheet.tell(stray.title, (stray.control,), stray.why, stray.risk)


def _bind(sheet: Sheet, desk: Desk, want: Desired, findings: tuple[Finding, ...]) -> None:
    """A listener between programs: what runs on this host goes on working."""
    for listener in _called(sheet, want):
        if sheet.inside.host.peers or sheet.inside.host.service(listener.port):
            desk.leave(want, sheet.server, "Machines that may use it are declared: bind it to the address they use, "
                       "and let the firewall keep out the rest.", findings)  # fmt: skip
        elif not _put_listener(sheet, want, listener):
            desk.leave(want, sheet.server, "The listener has no name, and its line was not found.", findings)


def _put_listener(sheet: Sheet, want: Desired, listener: ListenerConfigured) -> bool:
    address = "address" if numbers(sheet.server.version)[:2] < (2, 4) else "listen"
    shut = want.how is How.SHUT
    key, value = ("port", "0") if shut else (address, HERE)
    if not _placed(sheet, listener, key, value):
        return False
    sheet.rows.add(want.id)
    sheet.closed.add(listener.port)
    place = f" ({listener.place})" if listener.place else ""
    why = f"{listener.command} listens on port {listener.port}{place}. {want.why}"
    sheet.tell(f"{want.title} ({listener.port})", want.controls[:1], why, want.risk)
    return True


def _placed(sheet: Sheet, listener: ListenerConfigured, key: str, value: str) -> bool:
    """In our file, or where it stands; False where neither can be."""
    if not unnamed(listener):
        sheet.entries[_listener_path(listener), key] = value
        return True
    if made := change(sheet.inside, listener, f"{key} = {value}", follows=key != "port"):
        sheet.in_place.append(made)
    return made is not None


def _called(sheet: Sheet, want: Desired) -> Iterator[ListenerConfigured]:
    name = want.row.listener if want.row else ""
    for one in sheet.inside.listeners(sheet.server):
        if (one.name == name or one.name.startswith(f"{name}/")) and not hidden(sheet.inside, one):
            yield one


def _socket(sheet: Sheet, _desk: Desk, want: Desired, findings: tuple[Finding, ...]) -> None:
    """Those that are blamed: some are open to everybody on purpose, and check who comes."""
    value = want.value(sheet.server.version) or ""
    most = int(value, 8)
    evidence = (one for finding in findings for one in finding.evidence)
    blamed = {one.service for one in evidence if isinstance(one, SettingSeen) and one.name == "mode"}
    for seen in sheet.inside.settings(sheet.server, "mode"):
        path = path_of(seen.service)
        if seen.service in blamed and path[-1].startswith("unix_listener ") and _wider(seen.value, most):
            sheet.entries[path, "mode"] = value
            sheet.rows.add(want.id)
            sheet.tell(want.title, want.controls[:1], wording.why((want,), f"mode of {path[-1]}", seen), want.risk)


def _wider(mode: str, most: int) -> bool:
    try:
        return bool(int(mode, 8) & ~most)
    except ValueError:
        return False


def _block(sheet: Sheet, _desk: Desk, want: Desired, _findings: tuple[Finding, ...]) -> None:
    for name, inner in want.block:
        for key, value in inner:
            newer = key == "transport" and numbers(sheet.server.version)[:2] >= (2, 4)
            sheet.entries[(name,), "driver" if newer else key] = value
    sheet.rows.add(want.id)
    sheet.tell(want.title, want.controls[:1], want.why, want.risk)


_SPECIAL = {How.BLOCK: _block, How.LOOPBACK: _bind, How.SHUT: _bind, How.SOCKET: _socket}


def _listener_path(listener: ListenerConfigured) -> Path:
    service, _, name = listener.name.rpartition("/")
    return f"service {service}", f"inet_listener {name}"


def _share(sheet: Sheet) -> Share:
    server, inside = sheet.server, sheet.inside
    path, line = place(inside, server.instance)
    before = _before(sheet, path)
    there = include.read(before) if before is not None else _kept(sheet, path)
    if sheet.entries and any(HIDDEN in value for value in there.values()):
        return Share(_by_hand(sheet, path))
    entries = {**there, **sheet.entries}
    text = include.render(entries, server.version)
    written = (Written(path, text),) if sheet.entries else ()
    joins = _joins(server, line) if line and written else ()
    changes = from_below(sheet.in_place)
    files = tuple(dict.fromkeys((*(one.place.file for one in changes), *([server.instance] if joins else []))))
    step = Step(
        key=f"{DOVECOT}:{server.instance}",
        host=inside.host.name,
        kind=Kind.DOVECOT,
        title=sheet.titles[0] if len(sheet.titles) == 1 else f"mend {len(sheet.titles)} settings of Dovecot",
        controls=tuple(dict.fromkeys(sheet.controls)),
        why="\n".join(sheet.whys),
        risk="\n".join(dict.fromkeys(sheet.risks)),
        diff="".join((*_diffs(sheet, path, before, text), *(one.diff for one in changes), *_joined(server, line))),
        touches=files,
        writes=written,
        acts=(*(one.act for one in changes), *(act for act, _ in joins)),
        checks=(Act(("doveconf", "-c", server.instance, "-n")),),
        settles=(Act(("doveadm", "-c", server.instance, "reload")),) if server.running else (),
        found=inside.found(*files, *([path] if written else [])),
        already=(*(one.already(above(sheet.in_place, one)) for one in changes), *(already for _, already in joins)),
    )
    return Share(step, tuple(sheet.edits), frozenset(sheet.rows), frozenset(sheet.closed))


def _by_hand(sheet: Sheet, path: str) -> Step:
    """Our file, with a secret that somebody put into it: it was not read, so it would be lost."""
    wanted = include.render(sheet.entries, sheet.server.version)
    return Step(
        key=f"{DOVECOT}:{sheet.server.instance}",
        host=sheet.inside.host.name,
        kind=Kind.DOVECOT,
        title=f"move the secret out of {path}",
        controls=tuple(dict.fromkeys(sheet.controls)),
        why="gatepost writes this file anew and reads no secrets, so it would lose it. Settings of your own belong "
        "into another file; then plan again.",
        diff=wording.changed(path, None, wanted),
        by_hand=True,
    )


def _diffs(sheet: Sheet, path: str, before: str | None, text: str) -> tuple[str, ...]:
    return (wording.changed(path, before, text),) if sheet.entries else ()


def _joined(server: ServerSeen, line: str) -> tuple[str, ...]:
    return (wording.line(server.instance, None, line),) if line else ()


def _joins(server: ServerSeen, line: str) -> tuple[tuple[Act, Act], ...]:
    """The line that reads our file, once, at the end."""
    act = Act(("sh", "-c", _ONCE, "gatepost", server.instance, line))
    return ((act, Act(("grep", "-qxF", "--", line, server.instance))),)


def _before(sheet: Sheet, path: str) -> str | None:
    taken = sheet.inside.file(path)
    return taken.text if taken and taken.exists else None


def _kept(sheet: Sheet, path: str) -> dict[Key, str]:
    """What our file holds already, where the bundle is without it."""
    found = (one for name in include.names() for one in sheet.inside.settings(sheet.server, name))
    return {(path_of(one.service), one.name): one.value for one in found if one.place and one.place.file == path}
