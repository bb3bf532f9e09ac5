"""What is done about alerts: the decisions of `gatepost watch`, without touching anything.

In order of response: answer late, refuse accounts from new addresses, and last of all drop addresses. A campaign from
many addresses is met at the accounts it wants, because each of its addresses is used a few times only. No account is
locked for what one address does that can be dropped: anybody could lock anybody out. No address is blocked that stands
for others, belongs to us, or is one that somebody logs in from; and of an alert only those that a rule proves to do
nothing but harm (`blockable`).

    decide    alerts and what was done so far -> blocks, longer blocks, refusals, accounts to lock
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from gatepost.model.alert import Alert, Block, BlockEnd, Response
from gatepost.model.architecture import Architecture
from gatepost.model.event import MICROSECONDS, Act
from gatepost.model.watching import Watching
from gatepost.watching.spared import Spared, spared

CAMPAIGN = 20  # clients of one alert: more are met at the accounts they want
SETTLING = 10 * MICROSECONDS  # lines written before a block may be read after it
DOUBLINGS = 40  # more would only make a large number larger
BY = "watch"
HERD = 64  # an IPv6 customer has at least so many bits of addresses (RFC 6177)

__all__ = ["CAMPAIGN", "Decisions", "Spared", "decide", "spared"]


@dataclass(frozen=True, slots=True)
class Decisions:
    """`extend` are blocks that stand already, with a later end. `delay` are addresses, `lock` accounts."""

    block: tuple[Block, ...] = ()
    extend: tuple[Block, ...] = ()
    refuse: tuple[Block, ...] = ()
    delay: tuple[str, ...] = ()
    lock: tuple[str, ...] = ()


def decide(
    alerts: Sequence[Alert],
    blocks: Sequence[Block],
    architecture: Architecture,
    now: int,
    *,
    dry: bool = True,
    sparing: Spared | None = None,
    campaigns: bool = False,
) -> Decisions:
    """`blocks` are those so far, ended ones too: they make the next one longer. `campaigns`: block those as well."""
    sparing = sparing if sparing is not None else spared(architecture)
    history = _history(blocks, dry=dry)
    found = _Found(architecture.watching, now, dry, history)
    for alert in alerts:
        found.answer(alert, sparing, campaigns=campaigns)
    return found.decisions()


def _history(blocks: Iterable[Block], *, dry: bool) -> Mapping[str, list[Block]]:
    """A rehearsal counts only in rehearsals."""
    found: dict[str, list[Block]] = {}
    for one in blocks:
        if one.end is not BlockEnd.REFUSED and (dry or not one.dry):
            found.setdefault(one.address, []).append(one)
    return found


@dataclass(slots=True)
class _Found:
    watching: Watching
    now: int
    dry: bool
    history: Mapping[str, list[Block]]
    block: dict[str, Block] = field(default_factory=dict)
    extend: dict[str, Block] = field(default_factory=dict)
    refuse: dict[str, Block] = field(default_factory=dict)
    delay: dict[str, None] = field(default_factory=dict)
    lock: dict[str, None] = field(default_factory=dict)

    def answer(self, alert: Alert, sparing: Spared, *, campaigns: bool) -> None:
        if alert.response is Response.TELL or self._is_over(alert):
            return
        campaign = len(alert.blockable) > CAMPAIGN and not campaigns
        if alert.response is not Response.BLOCK or campaign:
            self.delay |= dict.fromkeys(c for c in alert.clients if not sparing.why(c))
        if alert.response is Response.LOCK or campaign:
            self.lock |= dict.fromkeys(filter(None, alert.users))
        if campaign:
            self._refused(alert, alert.blockable[0], _campaign(alert))
        else:
            self._shut_out(alert, sparing)

    def _is_over(self, alert: Alert) -> bool:
        """History that is read for the first time: its first block would have ended by now."""
        return alert.last < self.now - self.watching.block_seconds * MICROSECONDS

    def _shut_out(self, alert: Alert, sparing: Spared) -> None:
        homes = _homes(alert)
        for address in _together(alert.blockable, sparing):
            why = sparing.why(address) or homes.get(address, "")
            if why:
                self._refused(alert, address, why)
            else:
                self._shut(alert, address)

    def _shut(self, alert: Alert, address: str) -> None:
        if standing := self._standing(address):
            if alert.last > standing.since + SETTLING and address not in self.extend:
                until = min(self.now + self._seconds(address) * MICROSECONDS, self._latest())
                if until > standing.until:
                    self.extend[address] = replace(standing, until=until, why=_still(alert))
        elif address not in self.block:
            until = self.now + self._seconds(address) * MICROSECONDS
            self.block[address] = self._made(alert, address, until, alert.because, BlockEnd.OPEN)

    def _standing(self, address: str) -> Block | None:
        for one in reversed(self.history.get(address, [])):
            if one.end is BlockEnd.OPEN and one.until > self.now and one.dry == self.dry:
                return one
        return None

    def _seconds(self, address: str) -> int:
        times = min(len(self.history.get(address, [])), DOUBLINGS)
        return min(self.watching.block_seconds << times, self.watching.block_longest)

    def _latest(self) -> int:
        return self.now + self.watching.block_longest * MICROSECONDS

    def _refused(self, alert: Alert, address: str, why: str) -> None:
        self.refuse.setdefault(address, self._made(alert, address, self.now, why, BlockEnd.REFUSED))

    def _made(self, alert: Alert, address: str, until: int, why: str, end: BlockEnd) -> Block:
        rule = alert.rules[0] if alert.rules else ""
        return Block(address, self.now, until, alert.id, rule, BY, why, self.dry, 0, "", end)

    def decisions(self) -> Decisions:
        shut = {*self.block, *self.extend}
        late = tuple(c for c in self.delay if c not in shut)
        return Decisions(
            tuple(self.block.values()),
            tuple(self.extend.values()),
            tuple(one for one in self.refuse.values() if one.address not in shut),
            late,
            tuple(self.lock),
        )


def _campaign(alert: Alert) -> str:
    """Said once for all of them."""
    accounts = len(alert.users)
    met = f"the {accounts} accounts it wants" if accounts > 1 else "the account it wants" if accounts else "its targets"
    return f"{len(alert.blockable)} addresses take part, each a few times: {met} are guarded instead"


def _still(alert: Alert) -> str:
    return f"still seen while blocked: {alert.because}"


def _homes(alert: Alert) -> dict[str, str]:
    """Addresses whose login came before their first failure: people mistype after they knew it.

    A login behind failures is the opposite, a password that was found.
    """
    first: dict[str, tuple[int, bool, str]] = {}
    for one in sorted(alert.proofs, key=lambda p: (p.at, p.act != Act.LOGIN)):
        first.setdefault(one.client, (one.at, one.act == Act.LOGIN, one.user))
    return {
        client: f"{user or 'somebody'} logged in from there before anything failed"
        for client, (_, login, user) in first.items()
        if login
    }


def _together(clients: Collection[str], sparing: Spared) -> tuple[str, ...]:
    """Two addresses of one IPv6 network of a customer are that network, unless a part of it is spared."""
    herds: dict[IPv6Network, list[str]] = {}
    for text in clients:
        number = plain(text)
        if isinstance(number, IPv6Address):
            herds.setdefault(ip_network((number, HERD), strict=False), []).append(text)  # type: ignore[arg-type]  # of one version
    whole = {
        text: str(net) for net, texts in herds.items() if len(texts) > 1 and not sparing.meets(net) for text in texts
    }
    return tuple(dict.fromkeys(whole.get(text, text) for text in clients))


def plain(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
