"""Dovecot: one file of ours, read after the administrator's; his own files stay as they are.

Measured on 2.3: a setting inside a block wins over one outside wherever it stands, so blocks are repeated; a repeated
block of the same name is merged, but a listener without a name is a second one, so that one is changed where it stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gatepost.catalogue.desired import Desired, How
from gatepost.catalogue.versions import numbers
from gatepost.enforcement import include, wording
from gatepost.enforcement.edits import Desk, Edit
from gatepost.enforcement.in_place import change, unnamed
from gatepost.enforcement.services import Fate, Stray, hidden
from gatepost.enforcement.shares import Share
from gatepost.enforcement.sheet import Sheet, share
from gatepost.enforcement.values import DOVECOT
from gatepost.model.finding import Finding
from gatepost.model.host import ListenerConfigured, SettingSeen
from gatepost.servers.dovecot_text import Path

HERE = "127.0.0.1 ::1"


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
        if (made := share(sheet)) is not None:
            yield made


def _set(sheet: Sheet, edit: Edit) -> None:
    sheet.entries[include.path_of(edit.service), edit.name] = edit.value
    sheet.edits.append(edit)
    title = edit.wants[0].title
    where = f" ({edit.service})" if edit.service else ""
    why = wording.why(edit.wants, edit.name, edit.was)
    sheet.tell(f"{title}{where}", wording.controls(edit.wants), why, wording.risks(edit.wants))


def _close(sheet: Sheet, stray: Stray) -> None:
    listener = stray.listener
    if _placed(sheet, listener, "port", "0"):
        sheet.closed.add(listener.port)
        sheet.tell(stray.title, (stray.control,), stray.why, stray.risk)


def _bind(sheet: Sheet, desk: Desk, want: Desired, _findings: tuple[Finding, ...]) -> None:
    """A listener between programs: what runs on this host goes on working."""
    for listener in _called(sheet, want):
        if sheet.inside.host.peers or sheet.inside.host.service(listener.port):
            desk.leave(want, sheet.server, "Machines that may use it are declared: bind it to the address they use, "
                       "and let the firewall keep out the rest.")  # fmt: skip
        elif not _put_listener(sheet, want, listener):
            desk.leave(want, sheet.server, "The listener has no name, and its line was not found.")


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
        path = include.path_of(seen.service)
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
