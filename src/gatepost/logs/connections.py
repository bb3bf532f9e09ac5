"""Connections that are open right now, each in a few words; the oldest are forgotten when there are too many."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from gatepost.model.counting import BY_PEER, BY_PROCESS, DAY, FAMILY, FOLLOWED, NEARBY, SILENCE
from gatepost.model.event import Event, Kind

Key = tuple[object, ...]


class Open:
    """What is known of one connection so far. A plain class with slots: one is made for each connection."""

    __slots__ = (
        "begun",
        "begun_at",
        "clear_told",
        "client",
        "did_something",
        "ended",
        "failed_at",
        "failed_rank",
        "failed_user",
        "failures",
        "key",
        "last",
        "logged_in",
        "name",
        "pending",
        "probed",
        "tls",
        "tls_seen",
        "user",
    )  # fmt: skip

    def __init__(self, key: Key, event: Event, begun: int, begun_at: int, client: str) -> None:
        self.key = key
        self.begun = begun
        self.begun_at = begun_at  # offset of its first line: a pid may serve several clients in a second
        self.last = event.at
        self.client = client
        self.name = ""
        self.user = ""
        self.tls = ""
        self.tls_seen = False
        self.logged_in = False
        self.clear_told = False
        self.did_something = False
        self.probed = False
        self.ended = False
        self.failures = 0
        self.failed_at: int | None = None
        self.failed_user = ""
        self.failed_rank = 0
        self.pending: tuple[Event, str] | None = None  # a failed handshake whose cause stands in the next line

    @property
    def session(self) -> str:
        """Made when it is first asked for: most connections tell nothing, some tell a thousand times."""
        if not self.name:
            self.name = _named(self.key, self.begun, self.begun_at)
        return self.name


class Connections:
    """`of` finds or begins the connection that a line belongs to. At most `room` are kept."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._open: OrderedDict[Key, Open] = OrderedDict()  # forgetting the oldest of a dict takes ever longer
        self.pushed_out: list[Open] = []  # forgotten with something still to tell

    def of(self, event: Event) -> Open:
        key = _key(event)
        old = self._open.get(key)
        if old is None or (not event.session and _anew(event, old)):
            one = Open(key, event, event.at, event.offset, event.client or (old.client if old else ""))
        elif not event.session and _oldest_day(event.at) > old.begun // DAY:
            one = Open(key, event, _oldest_day(event.at) * DAY + FOLLOWED, 0, event.client or old.client)
        else:
            one = old
            one.last = event.at
            one.client = (one.client or event.client) if event.session else (event.client or one.client)
        if old is not None:
            one.pending = old.pending
            self._open.move_to_end(key)
        if one is not old:
            self._open[key] = one
            if len(self._open) > self._room:
                self._forget()
        return one

    def seen(self, host: str, session: str) -> Open | None:
        """The connection that a daemon gave this id, if it is still known."""
        return self._open.get((host, session))

    def end(self, one: Open) -> None:
        """Of a process its client is kept, to tell whether a line without a connect speaks of another one."""
        one.ended = True
        if len(one.key) != PROCESS:
            self._open.pop(one.key, None)

    def close(self) -> Iterator[Open]:
        """All that are open, once; none is left."""
        yield from self.pushed_out
        yield from self._open.values()
        self.pushed_out.clear()
        self._open.clear()

    def __len__(self) -> int:
        return len(self._open)

    def _forget(self) -> None:
        _, oldest = self._open.popitem(last=False)
        if oldest.pending is not None:
            self.pushed_out.append(oldest)


PROCESS = 4  # parts of the key of a connection that its process tells


def _key(event: Event) -> Key:
    if event.session:
        return event.host, event.session
    if event.daemon in BY_PROCESS:
        return event.host, event.service, event.daemon, event.pid
    if event.daemon in BY_PEER:
        return event.host, FAMILY, event.client, event.client_port, ""  # as long as no other key is
    return event.host, event.daemon, event.service, event.client, event.client_port, event.user


def _anew(event: Event, old: Open) -> bool:
    silence = SILENCE if event.daemon in BY_PROCESS or event.daemon in BY_PEER else NEARBY
    other = bool(event.client and old.client and event.client != old.client)
    return event.kind is Kind.CONNECT or old.ended or other or event.at - old.last > silence


def _oldest_day(at: int) -> int:
    """The day that a connection must have begun on, or later, to have a line now."""
    return (at - FOLLOWED) // DAY


def _named(key: Key, begun: int, begun_at: int) -> str:
    if len(key) == 2:
        return f"{key[0]}/{key[1]}"
    return "/".join(str(part) for part in key if part not in {None, ""}) + f"@{begun}+{begun_at}"
