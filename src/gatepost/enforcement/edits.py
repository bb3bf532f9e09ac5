"""From failing settings to the values to set: one edit for each place, however many rows ask for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeVar

from gatepost.catalogue.desired import Desired, How, Where, row
from gatepost.enforcement import causes as because
from gatepost.enforcement.causes import Causes
from gatepost.enforcement.givens import holds
from gatepost.enforcement.observed import ABSENT, Inside
from gatepost.enforcement.values import POSTFIX, Stuck, mended, of
from gatepost.enforcement.wishes import Wishes
from gatepost.model.finding import Finding
from gatepost.model.host import ListenerConfigured, ServerSeen, SettingSeen
from gatepost.model.words import Role, Severity

Thing = TypeVar("Thing")

TAKES_MAIL = frozenset({"postscreen", "smtpd"})
SPECIAL = frozenset({How.BLOCK, How.LOOPBACK, How.SHUT, How.SOCKET})  # Dovecot's blocks
CERTIFICATES = (
    "smtpd_tls_chain_files",
    "smtpd_tls_cert_file",
    "smtpd_tls_eccert_file",
    "ssl_cert",
    "ssl_server_cert_file",
)

Key = tuple[str, str, str]  # instance, service, name


@dataclass(frozen=True, slots=True)
class Edit:
    """One value to set. `service` empty: for all services. `ports` are those it then holds for."""

    server: ServerSeen
    service: str
    name: str
    value: str
    was: SettingSeen | None
    wants: tuple[Desired, ...]
    ports: frozenset[int] = frozenset()

    @property
    def key(self) -> Key:
        return self.server.instance, self.service, self.name


@dataclass(frozen=True, slots=True)
class Left:
    """What a person has to do."""

    want: Desired
    server: ServerSeen
    why: str
    seen: SettingSeen | None = None


@dataclass(slots=True)
class Desk:
    """Edits as they come together; a later row works on what an earlier one has already changed."""

    inside: Inside
    wishes: Wishes
    closing: frozenset[str] = frozenset()  # listeners of Postfix that go: nothing is set for them
    edits: dict[Key, Edit] = field(default_factory=dict)
    left: list[Left] = field(default_factory=list)
    special: list[tuple[Desired, ServerSeen, tuple[Finding, ...]]] = field(default_factory=list)

    def put(self, want: Desired, target: Target) -> None:
        key = (target.server.instance, target.service, want.setting)
        before = self.edits.get(key)
        seen = _pending(before, target) if before else target.seen
        value = mended(of(want, target.server, self.inside, seen, target.port))
        if isinstance(value, Stuck):
            self.leave(want, target.server, value.why, target.seen)
        elif before:
            self.edits[key] = _joined(before, want, value, target)
        elif value is not None:
            self.edits[key] = Edit(
                target.server, target.service, want.setting, value, target.seen, (want,), target.ports
            )

    def leave(self, want: Desired, server: ServerSeen, why: str, seen: SettingSeen | None = None) -> None:
        """Once, however many places there are."""
        if not any((one.want, one.server) == (want, server) for one in self.left):
            self.left.append(Left(want, server, why, seen))


@dataclass(frozen=True, slots=True)
class Target:
    """A place to change: the value that holds there now, and the ports it holds for."""

    server: ServerSeen
    service: str
    seen: SettingSeen | None
    ports: frozenset[int]
    port: int = 0


def edits(inside: Inside, found: Causes, wishes: Wishes, closing: frozenset[str] = frozenset()) -> Desk:
    desk = Desk(inside, wishes, closing)
    for name, findings in found.items():
        want = row(name)
        if not want.closes:
            for server in inside.servers(want.software):
                _row(desk, want, server, findings)
    return desk


def _row(desk: Desk, want: Desired, server: ServerSeen, findings: tuple[Finding, ...]) -> None:
    scope = tuple(one for one in _scope(desk.inside, want, server, findings) if one.name not in desk.closing)
    if want.ports and not scope and want.how not in SPECIAL:
        return
    if not want.known_in(server.version) and not because.about(want, findings):
        return
    if not holds(want, desk.inside, server, scope) or _merely_told(want, desk.wishes, findings):
        return
    if want.by_hand and not desk.wishes.insists(want.id):
        desk.leave(want, server, want.by_hand, desk.inside.setting(server, want.setting))
    elif want.follows and (led := _leader(desk, want, server)):
        desk.edits[led.key] = replace(led, wants=_union(led.wants, (want,)))
    elif lacking := _lacking(desk.inside, want, server, scope):
        desk.leave(want, server, lacking, desk.inside.setting(server, want.setting))
    elif want.how in SPECIAL:
        desk.special.append((want, server, findings))
    else:
        for target in _targets(desk.inside, want, server, scope, findings):
            desk.put(want, target)


def _scope(
    inside: Inside, want: Desired, server: ServerSeen, findings: Iterable[Finding]
) -> tuple[ListenerConfigured, ...]:
    """The listeners it is about; for what only the wire tells, those where it was seen, or all if no port was named."""
    listed = inside.listeners(server, want.ports) if want.ports else ()
    if server.software == POSTFIX:
        listed = tuple(one for one in listed if one.command.rpartition("/")[2] in TAKES_MAIL)
    if because.about(want, findings):
        return listed
    seen = {port for finding in findings for port in because.ports(finding)}
    return tuple(one for one in listed if one.port in seen or not seen)


def _merely_told(want: Desired, wishes: Wishes, findings: Iterable[Finding]) -> bool:
    """Nobody is asked to decide about what is no fault."""
    told = all(finding.severity is Severity.INFO for finding in findings)
    return bool(want.by_hand) and told and not wishes.insists(want.id)


def _leader(desk: Desk, want: Desired, server: ServerSeen) -> Edit | None:
    """The edit that mends this one too, since its value refers to that setting; an override refers to nothing."""
    led = desk.edits.get((server.instance, "", want.follows))
    if any(one.service for one in desk.inside.settings(server, want.setting)):
        return None
    seen = desk.inside.setting(server, want.setting)
    refers = (
        seen is None or seen.default or f"${want.follows}" in seen.written or seen.written == f"${{{want.follows}}}"
    )
    return led if refers else None


def _lacking(inside: Inside, want: Desired, server: ServerSeen, scope: Iterable[ListenerConfigured]) -> str:
    """What must be there first."""
    for need in want.needs:
        match need:
            case "certificate" if not _certified(inside, server, scope):
                return "No certificate is configured: TLS would be announced and fail."
            case "submission" if not any(s.role is Role.SUBMISSION for s in inside.host.services):
                return "No port for submission is declared: users who send through port 25 could send nowhere."
            case "login-server" if not _set(inside.setting(server, "smtpd_sasl_path")):
                return "Postfix knows no login server (smtpd_sasl_path): the port would refuse to work."
    return ""


def _certified(inside: Inside, server: ServerSeen, scope: Iterable[ListenerConfigured]) -> bool:
    services = {"", *(one.name for one in scope)}
    return any(_set(one) for name in CERTIFICATES for one in inside.settings(server, name) if one.service in services)


def _set(one: SettingSeen | None) -> bool:
    return one is not None and not one.default and one.value not in ABSENT


def _targets(
    inside: Inside,
    want: Desired,
    server: ServerSeen,
    scope: tuple[ListenerConfigured, ...],
    findings: tuple[Finding, ...],
) -> Iterator[Target]:
    blamed = _blamed(want, findings)
    for target in _all_targets(inside, want, server, scope):
        if not blamed or target.seen is None or (target.seen.instance, target.seen.service) in blamed:
            yield target


def _blamed(want: Desired, findings: Iterable[Finding]) -> frozenset[tuple[str, str]]:
    """Where the judge of this row found it, when it says so. What only the wire tells blames no place."""
    if not all(because.about(want, (finding,)) for finding in findings):
        return frozenset()
    evidence = (one for finding in findings for one in finding.evidence)
    return frozenset((o.instance, o.service) for o in evidence if isinstance(o, SettingSeen) and o.name == want.setting)


def _all_targets(
    inside: Inside, want: Desired, server: ServerSeen, scope: tuple[ListenerConfigured, ...]
) -> Iterator[Target]:
    if server.software != POSTFIX:
        yield from _blocks(inside, want, server, scope)
        return
    whole = inside.setting(server, want.setting)
    common = want.where is Where.SERVICE_OR_MAIN and (whole is None or whole.default or not whole.value)
    if want.where is Where.SERVICE or (want.where is Where.SERVICE_OR_MAIN and not common):
        for one in scope:
            seen = inside.effective(server, want.setting, one.name)
            yield Target(
                server, _holder(inside, want, server, one), seen, frozenset({one.port}), inside.usual(one.port)
            )
    else:
        yield from _main(inside, want, server, scope)


def _main(inside: Inside, want: Desired, server: ServerSeen, scope: tuple[ListenerConfigured, ...]) -> Iterator[Target]:
    """The value for all services where anybody uses it, and each override where it stands."""
    over = {one.service: one for one in inside.settings(server, want.setting) if one.service}
    holders = {one.port: _holder(inside, want, server, one) for one in scope}
    using = frozenset(port for port, holder in holders.items() if holder not in over)
    if using or not want.ports:
        yield Target(server, "", inside.setting(server, want.setting), using)
    for name, seen in over.items():
        ports = frozenset(port for port, holder in holders.items() if holder == name)
        if ports or not want.ports:
            yield Target(server, name, seen, ports, next(iter(map(inside.usual, sorted(ports))), 0))


def _holder(inside: Inside, want: Desired, server: ServerSeen, one: ListenerConfigured) -> str:
    """The service whose overrides hold for a listener: postscreen(8) hands its clients over to another one."""
    if one.command.rpartition("/")[2] != "postscreen" or want.setting.startswith("postscreen_"):
        return one.name
    told = inside.setting(server, "smtpd_service_name")
    return f"{told.value if told else 'smtpd'}/pass"


def _blocks(
    inside: Inside, want: Desired, server: ServerSeen, scope: tuple[ListenerConfigured, ...]
) -> Iterator[Target]:
    """Dovecot: a block that sets it wins over the value outside, so each is repeated as it stands."""
    ports = frozenset(one.port for one in scope)
    found = inside.settings(server, want.setting)
    if not any(not one.service for one in found) and not any(_inner(one) for one in found):
        yield Target(server, "", None, ports)
    for one in found:
        yield Target(server, one.service, one, ports)


def _inner(one: SettingSeen) -> bool:
    return one.service == "plugin"


def _pending(before: Edit, target: Target) -> SettingSeen:
    """What will be there once the earlier rows are through."""
    base = before.was or SettingSeen(
        target.server.at, target.server.software, target.server.instance, target.service, before.name, ""
    )
    return replace(base, value=before.value, written="", default=False)


def _joined(before: Edit, want: Desired, value: str | None, target: Target) -> Edit:
    return replace(
        before,
        value=before.value if value is None else value,
        wants=_union(before.wants, (want,)),
        ports=before.ports | target.ports,
    )


def _union(first: tuple[Thing, ...], more: Iterable[Thing]) -> tuple[Thing, ...]:
    return tuple(dict.fromkeys((*first, *more)))
