"""Postfix: one step a setting, by `postconf`, which knows its own files; unmanaged lines stay as they are.

Measured on 3.7: `postconf -P` takes no blanks in a value, changes every `-o` of that name, and writes the entry anew;
`postfix reload` opens and closes listeners of master.cf, but a change of inet_interfaces takes a stop and a start.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gatepost.enforcement import wording
from gatepost.enforcement.edits import Edit
from gatepost.enforcement.observed import ABSENT, Inside
from gatepost.enforcement.shares import Share
from gatepost.enforcement.values import POSTFIX
from gatepost.model.host import ListenerConfigured, ServerSeen
from gatepost.model.plan import Act, Kind, Step
from gatepost.servers.wordlists import words

RESTARTS = frozenset({"inet_interfaces", "inet_protocols"})
_HOLDS = 'test "$(postconf -c "$1" "$2" "$3" 2>/dev/null)" = "$4"'
_GONE = 'test -z "$(postconf -c "$1" -M "$2" 2>/dev/null)"'


def shares(inside: Inside, edits: Iterable[Edit]) -> Iterator[Share]:
    """Settings of main.cf first: an override is written knowing what it overrides. One step a setting and value."""
    groups: dict[tuple[object, ...], list[Edit]] = {}
    for edit in sorted(edits, key=lambda one: (one.server.instance, bool(one.service))):
        groups.setdefault((edit.server.instance, bool(edit.service), edit.name, edit.value, edit.wants), []).append(
            edit
        )
    for same in groups.values():
        yield Share(_step(inside, tuple(same)), edits=tuple(same))


def main_cf(server: ServerSeen) -> str:
    return f"{server.instance}/main.cf"


def master_cf(server: ServerSeen) -> str:
    return f"{server.instance}/master.cf"


def check(server: ServerSeen) -> Act:
    return Act(("postfix", "-c", server.instance, "check"))


def settles(server: ServerSeen, names: frozenset[str] = frozenset()) -> tuple[Act, ...]:
    """Nothing where it does not run: it is not for us to start what somebody stopped."""
    if not server.running:
        return ()
    ways = ("stop", "start") if names & RESTARTS else ("reload",)
    return tuple(Act(("postfix", "-c", server.instance, way)) for way in ways)


def _step(inside: Inside, edits: tuple[Edit, ...]) -> Step:
    edit = edits[0]
    file = master_cf(edit.server) if edit.service else main_cf(edit.server)
    services = ",".join(one.service for one in edits)
    return Step(
        key=f"{POSTFIX}:{edit.server.instance}:{f'{services}/' if services else ''}{edit.name}",
        host=inside.host.name,
        kind=Kind.POSTFIX,
        title=_title(inside, edits),
        controls=wording.controls(edit.wants),
        why=wording.why(edit.wants, edit.name, edit.was),
        risk=wording.risks(edit.wants),
        diff="".join(_diff(one, file) for one in edits),
        touches=(file,),
        acts=tuple(map(_act, edits)),
        checks=(check(edit.server),),
        settles=settles(edit.server, frozenset({edit.name})),
        found=inside.found(file),
        already=tuple(map(_holds, edits)),
    )


def _title(inside: Inside, edits: tuple[Edit, ...]) -> str:
    said = edits[0].wants[0].title
    ports = frozenset(port for edit in edits for port in edit.ports)
    if not ports or not any(want.ports for want in edits[0].wants):
        return said
    return f"{said} ({_named(inside, ports)})"


def _named(inside: Inside, ports: Iterable[int]) -> str:
    """`submission 587, submissions 465`, by the names of the declaration."""
    known = {service.port: service.name for service in inside.host.services}
    return ", ".join(f"{known[port]} {port}" if port in known else str(port) for port in sorted(ports))


def compact(value: str) -> str:
    """Without blanks, which an override cannot hold: a comma separates as well (postconf(5))."""
    return ",".join(words(value)) if any(sign.isspace() for sign in value) else value


def _act(edit: Edit) -> Act:
    if edit.service:
        return Act(("postconf", "-c", edit.server.instance, "-P", f"{edit.service}/{edit.name}={compact(edit.value)}"))
    return Act(("postconf", "-c", edit.server.instance, "-e", f"{edit.name}={edit.value}"))


def _holds(edit: Edit) -> Act:
    option, name = ("-hP", f"{edit.service}/{edit.name}") if edit.service else ("-h", edit.name)
    value = compact(edit.value) if edit.service else " ".join(edit.value.split())
    return Act(("sh", "-c", _HOLDS, "gatepost", edit.server.instance, option, name, value))


def _diff(edit: Edit, file: str) -> str:
    """As the file has it; an override is a line of its own there."""
    sign = f"{edit.service}: -o {edit.name}=" if edit.service else f"{edit.name} = "
    new = f"{sign}{compact(edit.value) if edit.service else edit.value}".rstrip()
    was = edit.was
    if was is None or was.default or was.service != edit.service:
        return wording.line(file, None, new)
    place = str(was.place) if was.place else file
    return wording.line(place, f"{sign}{was.written or ('' if was.value in ABSENT else was.value)}".rstrip(), new)


def closing(inside: Inside, server: ServerSeen, listener: ListenerConfigured, told: Step) -> Step:
    """The entry becomes a comment: master.cf keeps what it said."""
    return _entry(
        inside, server, listener, told, ("postconf", "-c", server.instance, "-M#", listener.name), f"#{listener.name} …"
    )


def binding(inside: Inside, server: ServerSeen, listener: ListenerConfigured, told: Step) -> Step:
    """The entry listens on this host only."""
    service, _, kind = listener.name.rpartition("/")
    bound = f"127.0.0.1:{service}"
    argv = ("postconf", "-c", server.instance, "-F", f"{listener.name}/service={bound}")
    return _entry(inside, server, listener, told, argv, f"{bound}/{kind} …")


def _entry(
    inside: Inside, server: ServerSeen, listener: ListenerConfigured, told: Step, argv: tuple[str, ...], after: str
) -> Step:
    file = master_cf(server)
    return Step(
        key=told.key,
        host=told.host,
        kind=told.kind,
        title=told.title,
        controls=told.controls,
        why=told.why,
        risk=told.risk,
        diff=wording.line(str(listener.place or file), f"{listener.name} …", after),
        touches=(file,),
        acts=(Act(argv),),
        checks=(check(server),),
        settles=settles(server),
        found=inside.found(file),
        already=(Act(("sh", "-c", _GONE, "gatepost", server.instance, listener.name)),),
    )
