"""What is remembered of logins: failures of the last hour, networks that logged in, passwords that were once right.

Bounded: whoever fails at a million accounts makes us forget the oldest, and costs no more memory.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from gatepost.policing.attempt import Attempt, Ended
from gatepost.policing.limits import Limits

ACCOUNTS = 50_000
NETWORKS = 50_000
FAILURES = 64  # of one account or network
KNOWN = 32  # networks of one account
SPENT = 3  # passwords of one account
DAY = 86400

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Known:
    """A network that logged in to an account. Times are seconds since 1970."""

    user: str
    network: str
    first: float
    last: float


@dataclass(frozen=True, slots=True)
class _Failure:
    at: float
    what: str  # the digest tried, or the account
    network: str = ""


class _Recent(Generic[V]):
    """A mapping that forgets what was used longest ago."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[str, V] = OrderedDict()

    def get(self, key: str) -> V | None:
        return self._kept.get(key)

    def put(self, key: str, value: V) -> None:
        self._kept[key] = value
        self._kept.move_to_end(key)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def drop(self, key: str) -> None:
        self._kept.pop(key, None)

    def values(self) -> Iterable[V]:
        return self._kept.values()


@dataclass(slots=True)
class Memory:
    """Times are seconds since 1970, handed in."""

    limits: Limits = field(default_factory=Limits)
    _guessed: _Recent[deque[_Failure]] = field(default_factory=lambda: _Recent(ACCOUNTS))
    _failed_at: _Recent[deque[_Failure]] = field(default_factory=lambda: _Recent(NETWORKS))
    _known: _Recent[dict[str, Known]] = field(default_factory=lambda: _Recent(ACCOUNTS))
    _spent: _Recent[tuple[str, ...]] = field(default_factory=lambda: _Recent(ACCOUNTS))
    _sent: _Recent[deque[tuple[float, int]]] = field(default_factory=lambda: _Recent(ACCOUNTS))

    def note(self, ended: Ended, now: float) -> None:
        """Remember how a login ended. What we refused ourselves tells nothing about the password."""
        if ended.refused:
            return
        (self._succeeded if ended.success else self._failed)(ended.attempt, now)

    def guesses(self, user: str, now: float) -> int:
        """Different passwords tried lately by networks that the account does not know."""
        kept = self._guessed.get(user) or ()
        return len({one.what for one in kept if self._lately(one, now) and not self.knows(user, one.network, now)})

    def failed_accounts(self, network: str, now: float) -> int:
        """Accounts that this network failed at lately and never logged in to."""
        kept = self._failed_at.get(network) or ()
        return len({one.what for one in kept if self._lately(one, now) and not self.knows(one.what, network, now)})

    def knows(self, user: str, network: str, now: float) -> bool:
        """Whoever guessed right a minute ago is not known by that: the first login must be older than the window."""
        one = (self._known.get(user) or {}).get(network)
        return one is not None and one.first <= now - self.limits.window and self._fresh(one, now)

    def has_history(self, user: str, now: float) -> bool:
        """An account that nobody is known to may be its owner's first login."""
        return any(self.knows(user, network, now) for network in self._known.get(user) or ())

    def was_right_once(self, user: str, digest: str) -> bool:
        """A telephone that still sends the old password after it was changed."""
        return bool(digest) and digest in (self._spent.get(user) or ())

    def sent(self, user: str, recipients: int, now: float) -> int:
        """Count recipients, and tell how many there were lately, these included."""
        kept = self._sent.get(user) or deque(maxlen=4096)
        kept.append((now, recipients))
        while kept[0][0] <= now - self.limits.window:
            kept.popleft()
        self._sent.put(user, kept)
        return sum(count for _, count in kept)

    def recall(self, known: Iterable[Known]) -> None:
        """Take in what was remembered before a restart, or what the logs tell."""
        for one in known:
            self._acquaint(one)

    def acquaintances(self) -> tuple[Known, ...]:
        """Everything to be remembered over a restart."""
        return tuple(one for networks in self._known.values() for one in networks.values())

    def _succeeded(self, attempt: Attempt, now: float) -> None:
        if attempt.network:
            self._acquaint(Known(attempt.user, attempt.network, now, now))
        if attempt.digest:
            others = (one for one in self._spent.get(attempt.user) or () if one != attempt.digest)
            self._spent.put(attempt.user, (attempt.digest, *others)[:SPENT])

    def _failed(self, attempt: Attempt, now: float) -> None:
        if self.was_right_once(attempt.user, attempt.digest):
            return
        tried = attempt.digest or f"at {now}"  # without a digest every failure is another guess
        self._add(self._guessed, attempt.user, _Failure(now, tried, attempt.network))
        if attempt.network:
            self._add(self._failed_at, attempt.network, _Failure(now, attempt.user, attempt.network))

    @staticmethod
    def _add(where: _Recent[deque[_Failure]], key: str, failure: _Failure) -> None:
        kept = where.get(key) or deque(maxlen=FAILURES)
        kept.append(failure)
        where.put(key, kept)

    def _acquaint(self, new: Known) -> None:
        networks = self._known.get(new.user) or {}
        old = networks.pop(new.network, new)
        networks[new.network] = Known(new.user, new.network, min(old.first, new.first), max(old.last, new.last))
        while len(networks) > KNOWN:
            del networks[min(networks, key=lambda name: networks[name].last)]
        self._known.put(new.user, networks)

    def _lately(self, one: _Failure, now: float) -> bool:
        return one.at > now - self.limits.window

    def _fresh(self, one: Known, now: float) -> bool:
        return one.last > now - self.limits.remembered_days * DAY
