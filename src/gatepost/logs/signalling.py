"""What somebody did, told as soon as the line that decides it is there: the live twin of `lake/signals.py`.

    signaller = Signaller()
    for event in events:            # in the order the daemons wrote them
        for signal in signaller.feed(event): ...
    signaller.flush()               # what still waited for a second line

Both give the same signals for the same lines; `model/counting.py` says what counts as one.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable

from gatepost import catalogue
from gatepost.logs.addresses import network
from gatepost.logs.connections import Connections, Open
from gatepost.logs.mail import Mail
from gatepost.model import counting
from gatepost.model.event import Act, Cover, Event, Kind, Result, Signal

ROOM = 50_000  # connections, messages and explanations that are remembered; about 80 MB when full
_AUTH = re.compile(r"(?:^| )auth=(\d{1,9})(?:/(\d{1,9}))?(?: |$)")
_STARTTLS = re.compile(r"(?:^| )starttls=[1-9]")

Handler = Callable[[Event], tuple[Signal, ...]]


class Signaller:
    """Bounded: when there are more than `room` open connections the one that was silent longest is forgotten."""

    def __init__(self, room: int = ROOM) -> None:
        self._connections = Connections(room)
        self._mail = Mail(room)
        self._details: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._room = room
        connected: Handler = self._connected
        self._handlers: dict[Kind, Handler] = dict.fromkeys(counting.OF_CONNECTION, connected) | {
            Kind.AUTH_DETAIL: self._explained,
            Kind.DELIVERY: self._delivered,
            Kind.DROPPED: self._dropped,
            Kind.LOGOUT: self._left,
            Kind.MAIL_ACTION: self._changed,
            Kind.MILTER: self._filtered,
            Kind.QUEUED: self._queued,
            Kind.REMOVED: self._removed,
            Kind.TLS_OUT: self._secured_out,
        }
        self._steps: dict[Kind, Callable[[Event, Open], tuple[Signal, ...]]] = {
            Kind.ABORTED: _aborted,
            Kind.ACCEPTED: self._accepted,
            Kind.AUTH_FAILED: self._failed,
            Kind.CERTIFICATE_REJECTED: _certificate,
            Kind.CLEARTEXT_REFUSED: _plain(Act.CLEAR_REFUSED),
            Kind.DISCONNECT: self._disconnected,
            Kind.EARLY: _plain(Act.EARLY),
            Kind.HANDSHAKE_FAILED: _handshake,
            Kind.HANGUP: _plain(Act.PROBE),
            Kind.LOGIN: _login,
            Kind.NOT_SMTP: _plain(Act.NOT_SMTP),
            Kind.NO_ATTEMPT: _plain(Act.PROBE),
            Kind.PIPELINING: _plain(Act.PIPELINING),
            Kind.PROTOCOL_ERROR: _plain(Act.PROTOCOL_ERROR),
            Kind.RATE_LIMITED: _plain(Act.RATE_LIMITED),
            Kind.REJECTED: _rejected,
            Kind.TLS: _secured,
        }

    @property
    def kinds(self) -> frozenset[Kind]:
        """Lines of other kinds tell nothing here, and need not be fed."""
        return frozenset(self._handlers)

    def feed(self, event: Event) -> tuple[Signal, ...]:
        handler = self._handlers.get(event.kind)
        return handler(event) if handler is not None else ()

    def flush(self) -> tuple[Signal, ...]:
        """Nothing more comes: tell what waited for the line behind it, and forget everything."""
        waiting = [one.pending for one in self._connections.close() if one.pending is not None]
        return tuple(_broken(event, session, event.reason) for event, session in waiting)

    def _connected(self, event: Event) -> tuple[Signal, ...]:
        one = self._connections.of(event)
        told: tuple[Signal, ...] = ()
        if one.pending is not None:
            told, one.pending = (_told_why(*one.pending, event),), None
        if self._connections.pushed_out:
            told += self._pushed_out()
        step = self._steps.get(event.kind)
        if step is not None:
            told += step(event, one)
        if event.kind in counting.DID_SOMETHING:
            one.did_something = True
        return told

    def _pushed_out(self) -> tuple[Signal, ...]:
        waiting = [one.pending for one in self._connections.pushed_out if one.pending is not None]
        self._connections.pushed_out.clear()
        return tuple(_broken(event, session, event.reason) for event, session in waiting)

    def _accepted(self, event: Event, one: Open) -> tuple[Signal, ...]:
        if event.queue:
            self._mail.accepted(event, *_covered(event, one), one.session)
        return _login(event, one) if event.user else ()

    def _failed(self, event: Event, one: Open) -> tuple[Signal, ...]:
        again = event.attempts is None and _same_attempt(event, one)
        one.failures += 1
        one.failed_at, one.failed_user, one.failed_rank = event.at, event.user, counting.ORDER.get(event.method, 0)
        if again or event.attempts == 0:
            return ()
        detail = self._details.get((event.host, event.session), "") if event.session else ""
        cause = detail or counting.found(event.reason, counting.REASONS) or event.code or event.reason
        return (_signal(event, Act.LOGIN_FAILED, one.session, cause=cause, amount=event.attempts or 1),)

    def _disconnected(self, event: Event, one: Open) -> tuple[Signal, ...]:
        told: list[Signal] = []
        if event.commands == counting.IDLE or event.commands.endswith(" " + counting.IDLE):
            told += _probe(event, one, event.commands)
        good, tried = _logins(event.commands)
        cover = _covered_at_end(event, one)
        if unseen := max(0, tried - good - one.failures):
            told.append(_signal(event, Act.LOGIN_FAILED, one.session, cause=counting.NOT_CHECKED, amount=unseen))
        if good and not one.logged_in:
            told.append(
                _signal(event, Act.LOGIN, one.session, cause=counting.NO_MESSAGE, cover=cover, tls=one.tls or event.tls)
            )
        if good and cover is Cover.NONE and not one.clear_told:
            told.append(_signal(event, Act.CLEAR_LOGIN, one.session, user=one.user, cover=cover))
        self._connections.end(one)
        return tuple(told)

    def _explained(self, event: Event) -> tuple[Signal, ...]:
        if event.session:
            self._details[event.host, event.session] = counting.found(event.reason, counting.REASONS) or event.reason
            if len(self._details) > self._room:
                self._details.popitem(last=False)
        return ()

    def _left(self, event: Event) -> tuple[Signal, ...]:
        """Bytes that were read, with the client that the line of the login knew."""
        if not event.size:
            return ()
        one = self._connections.seen(event.host, event.session) if event.session else None
        known = one if one is not None and one.begun >= counting.since(event.at) else None
        client = event.client or (known.client if known else "")
        session = f"{event.host}/{event.session}" if event.session else ""
        return (_signal(event, Act.READ, session, client=client, amount=event.size),)

    def _delivered(self, event: Event) -> tuple[Signal, ...]:
        return self._mail.delivered(event)

    def _queued(self, event: Event) -> tuple[Signal, ...]:
        return self._mail.queued(event)

    def _removed(self, event: Event) -> tuple[Signal, ...]:
        self._mail.removed(event)
        return ()

    def _secured_out(self, event: Event) -> tuple[Signal, ...]:
        self._mail.secured(event)
        return ()

    @staticmethod
    def _dropped(event: Event) -> tuple[Signal, ...]:
        return (_signal(event, Act.DROPPED, "", cause=event.reason),)

    @staticmethod
    def _changed(event: Event) -> tuple[Signal, ...]:
        if event.reason != counting.RULES:
            return ()
        session = f"{event.host}/{event.session}" if event.session else ""
        return (_signal(event, Act.RULE_CHANGED, session, cause=event.reason),)

    @staticmethod
    def _filtered(event: Event) -> tuple[Signal, ...]:
        if event.result is not Result.REJECTED:
            return ()
        return (_signal(event, Act.REJECTED, "", cause=_short(event), peer=counting.peer(event.recipient)),)


def _plain(act: Act) -> Callable[[Event, Open], tuple[Signal, ...]]:
    def step(event: Event, one: Open) -> tuple[Signal, ...]:
        return (_signal(event, act, one.session, cause=_short(event)),)

    return step


def _login(event: Event, one: Open) -> tuple[Signal, ...]:
    """The first line of a connection that names who logged in; a second one is the same login."""
    if one.logged_in:
        return ()
    one.logged_in, one.user = True, event.user
    cover, tls = _covered(event, one)
    told = [_signal(event, Act.LOGIN, one.session, cover=cover, tls=tls)]
    if cover is Cover.NONE:
        one.clear_told = True
        told.append(_signal(event, Act.CLEAR_LOGIN, one.session, cover=cover))
    if event.tls in counting.LEGACY and not one.tls_seen:
        told.append(_signal(event, Act.LEGACY_TLS, one.session, cover=cover))
    return tuple(told)


def _same_attempt(event: Event, one: Open) -> bool:
    if one.failed_at is None or event.at - one.failed_at > counting.FALLBACK:
        return False
    same = not event.user or not one.failed_user or event.user == one.failed_user
    return same and counting.ORDER.get(event.method, 0) > one.failed_rank


def _secured(event: Event, one: Open) -> tuple[Signal, ...]:
    if not one.tls_seen:
        one.tls_seen, one.tls = True, event.tls
    if event.tls in counting.LEGACY:
        return (_signal(event, Act.LEGACY_TLS, one.session, cover=Cover.TLS),)
    return ()


def _covered(event: Event, one: Open) -> tuple[Cover, str]:
    """What is known when the line comes; whether STARTTLS was left out only the disconnect line tells."""
    if event.cover is not Cover.UNKNOWN:
        return event.cover, event.tls
    if one.tls_seen or event.service in WRAPPED:
        return Cover.TLS, one.tls
    return (Cover.LOCAL if counting.local(event.client) else Cover.UNKNOWN), ""


def _covered_at_end(event: Event, one: Open) -> Cover:
    if event.cover is not Cover.UNKNOWN:
        return event.cover
    if one.tls_seen or event.service in WRAPPED or _STARTTLS.search(event.commands):
        return Cover.TLS
    if counting.local(event.client):
        return Cover.LOCAL
    return Cover.NONE if event.commands else Cover.UNKNOWN


def _logins(commands: str) -> tuple[int, int]:
    """How many of how many AUTH commands were good: auth=1, auth=1/2."""
    found = _AUTH.search(commands)
    if found is None:
        return 0, 0
    return int(found[1]), int(found[2] or found[1])


def _aborted(event: Event, one: Open) -> tuple[Signal, ...]:
    if event.result is Result.VIOLATION:
        return (_signal(event, Act.PROTOCOL_ERROR, one.session, cause=_short(event)),)
    return tuple(_probe(event, one, event.reason)) if event.reason in counting.IDLE_STAGES else ()


def _probe(event: Event, one: Open, cause: str) -> list[Signal]:
    """Once for a connection, and only where nothing else was done in it."""
    first, one.probed = not one.probed, True
    return [_signal(event, Act.PROBE, one.session, cause=cause)] if first and not one.did_something else []


def _rejected(event: Event, one: Open) -> tuple[Signal, ...]:
    told = (_signal(event, _refusal(event), one.session, cause=_short(event), peer=counting.peer(event.recipient)),)
    return (*told, *_login(event, one)) if event.user else told


def _refusal(event: Event) -> Act:
    if counting.found(event.reason, counting.RELAY):
        return Act.RELAY_TRIED
    if counting.NOBODY_CODE in event.code or counting.found(event.reason, counting.NOBODY):
        return Act.UNKNOWN_RECIPIENT
    return Act.REJECTED


def _handshake(event: Event, one: Open) -> tuple[Signal, ...]:
    """Postfix writes the cause in the line behind it, without the client."""
    if event.daemon in counting.BY_PROCESS:
        one.pending = event, one.session
        return ()
    return (_broken(event, one.session, event.reason),)


def _certificate(event: Event, one: Open) -> tuple[Signal, ...]:
    """Without a client it is the second line of a handshake that was told already."""
    return (_broken(event, one.session, event.reason),) if event.client else ()


def _told_why(failed: Event, session: str, behind: Event) -> Signal:
    why = behind.kind is Kind.LIBRARY or (behind.kind is Kind.CERTIFICATE_REJECTED and not behind.client)
    return _broken(failed, session, behind.reason if why else failed.reason)


def _broken(event: Event, session: str, why: str) -> Signal:
    certificate = counting.found(why, counting.CERTIFICATE)
    act = Act.CERTIFICATE_REJECTED if certificate or event.kind is Kind.CERTIFICATE_REJECTED else Act.HANDSHAKE_FAILED
    return _signal(event, act, session, cause=certificate or counting.found(why, counting.HANDSHAKE) or why)


def _short(event: Event) -> str:
    return event.reason or event.code


def _signal(
    event: Event,
    act: Act,
    session: str,
    *,
    client: str | None = None,
    user: str | None = None,
    cover: Cover | None = None,
    tls: str | None = None,
    peer: str = "",
    cause: str = "",
    amount: int = 1,
) -> Signal:
    who = event.client if client is None else client
    return Signal(
        event.at,
        event.host,
        event.service,
        event.port,
        act,
        who,
        network(who),
        event.user if user is None else user,
        event.method,
        event.cover if cover is None else cover,
        event.tls if tls is None else tls,
        peer,
        cause[: counting.CAUSE],
        amount,
        session,
        event.source,
        event.offset,
    )


WRAPPED = frozenset(port.id for port in catalogue.ports() if port.mode == "implicit") | {"smtps"}
