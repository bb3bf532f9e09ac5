"""From hits to alerts: what one actor did, or one campaign, is one alert, over all services and hosts.

Hits belong together when they share a client, the network of a client counted by the same rule, or an account whose
behaviour the rule is about, and lie no more than six hours apart. An alert may name bystanders: a user who mistyped
once on an account under attack. So a block is proposed only for an address that a blocking rule counted by itself, and
from where nobody logged in before the attack began.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from gatepost.detect.rule import Fold, Rule
from gatepost.detect.saying import because
from gatepost.logs.addresses import network
from gatepost.model.alert import ORDER, Alert, Hit, Proof, Response
from gatepost.model.event import MICROSECONDS
from gatepost.model.words import Severity

NEAR = 6 * 3600 * MICROSECONDS
PROOFS = 5  # at each end
MANY = 100  # addresses of a campaign that is worse than its rule
WORST = (Severity.INFO, Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)


@dataclass(frozen=True, slots=True)
class Login:
    """That an account logged in from a client, from `first` to `last` in microseconds."""

    client: str
    user: str
    first: int
    last: int


Logins = Callable[[str], Sequence[Login]]
"""Who logged in from a place, as `place` names it."""


def fold(hits: Iterable[Hit], rules: Iterable[Rule], logins: Iterable[Login] = ()) -> tuple[Alert, ...]:
    """Worst and newest first. `logins`: all that history knows of the clients of these hits."""
    return Folder(rules).fold(hits, by_place(logins))


def by_place(logins: Iterable[Login]) -> Logins:
    found: dict[str, list[Login]] = defaultdict(list)
    for login in logins:
        found[place(login.client)].append(login)
    return lambda where: found.get(where, ())


_Keyed = tuple[Hit, tuple[tuple[str, ...], ...]]


class Folder:
    """Folds again and again as hits come. What is made of the very same hits and logins is not made anew."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = {rule.id: rule for rule in rules}
        self._keys: dict[int, _Keyed] = {}  # by identity: hits are large, and those that went on are other objects
        self._made: dict[tuple[int, ...], _Made] = {}

    def fold(self, hits: Iterable[Hit], logins: Logins) -> tuple[Alert, ...]:
        told = sorted((hit for hit in hits if hit.rule in self._rules), key=lambda h: (h.first, h.rule, h.group))
        self._keys = {id(hit): self._keys.get(id(hit)) or self._keyed(hit) for hit in told}
        made = [self._alert(same, logins) for same in _campaigns([self._keys[id(hit)] for hit in told])]
        self._made = {tuple(map(id, one.hits)): one for one in made}
        return tuple(sorted((one.alert for one in made), key=lambda a: (-a.severity.rank, -a.last, a.id)))

    def _keyed(self, hit: Hit) -> _Keyed:
        return hit, tuple(_keys(hit, self._rules[hit.rule]))

    def _alert(self, hits: Sequence[Hit], logins: Logins) -> _Made:
        before = self._made.get(tuple(map(id, hits)))
        if before is not None and before.logins == _known(before.alert, logins):
            return before
        alert = _alert(hits, self._rules, logins)
        return _Made(hits, _known(alert, logins), alert)


@dataclass(frozen=True, slots=True)
class _Made:
    hits: Sequence[Hit]
    logins: tuple[tuple[str, str, int], ...]
    alert: Alert


def _known(alert: Alert, logins: Logins) -> tuple[tuple[str, str, int], ...]:
    """What an alert can depend on: when a login was last seen changes nothing."""
    return tuple((one.client, one.user, one.first) for c in alert.clients for one in logins(place(c)))


def place(client: str) -> str:
    """Where somebody sits: the address, or the /64 of IPv6, in which addresses change every day."""
    return network(client) if ":" in client else client


def _campaigns(hits: Sequence[_Keyed]) -> list[list[Hit]]:
    """Connected groups of hits, in the order of their first."""
    parent = list(range(len(hits)))

    def root(n: int) -> int:
        while parent[n] != n:
            parent[n] = parent[parent[n]]
            n = parent[n]
        return n

    latest: dict[tuple[str, ...], tuple[int, int]] = {}  # key: hit that ends last, and when
    for n, (hit, keys) in enumerate(hits):
        for key in keys:
            before = latest.get(key)
            if before is not None and hit.first - before[1] <= NEAR:
                parent[root(n)] = root(before[0])
            latest[key] = (n, hit.last if before is None else max(hit.last, before[1]))
    found: dict[int, list[Hit]] = defaultdict(list)
    for n, (hit, _) in enumerate(hits):
        found[root(n)].append(hit)
    return list(found.values())


def _keys(hit: Hit, rule: Rule) -> Iterable[tuple[str, ...]]:
    if rule.fold is Fold.RULE:
        yield ("rule", hit.rule)
    elif rule.fold is Fold.ALONE or not (hit.clients or hit.users):
        yield ("alone", hit.rule, *(value for _, value in hit.group))
    elif rule.fold is Fold.ACCOUNT:
        yield from (("user", user) for user in hit.users)
    else:
        yield from (("client", client) for client in hit.clients)
        yield from (("network", hit.rule, network(client)) for client in hit.clients if "client" in dict(hit.group))


def _alert(hits: Sequence[Hit], rules: Mapping[str, Rule], logins: Logins) -> Alert:
    lead = max(hits, key=lambda h: (rules[h.rule].severity.rank, len(h.clients) + len(h.users), h.signals))
    clients = _joined(hit.clients for hit in hits)
    first = hits[0].first
    proven = _proven(hits, rules)
    home = {c: user for c in proven for user in _at_home(c, first, logins)}
    blockable = tuple(c for c in proven if c not in home)
    succeeded = _succeeded(hits, rules, clients, first, logins)
    names = tuple(dict.fromkeys(hit.rule for hit in sorted(hits, key=lambda h: -rules[h.rule].severity.rank)))
    response = _response(hits, rules, clients, blockable)
    return Alert(
        id=_id(hits[0]),
        title=rules[lead.rule].title,
        severity=_severity(hits, rules, clients),
        rules=names,
        first=first,
        last=max(hit.last for hit in hits),
        clients=clients,
        networks=tuple(dict.fromkeys(net for c in clients if (net := network(c)))),
        users=_joined(hit.users for hit in hits),
        services=_joined(hit.services for hit in hits),
        hosts=_joined(hit.hosts for hit in hits),
        count=_signals(hits),
        succeeded=succeeded,
        response=response,
        because=because(hits, lead, rules, succeeded=succeeded, home=home),
        proofs=_proofs(hits),
        blockable=blockable,
    )


def _joined(lists: Iterable[Sequence[str]]) -> tuple[str, ...]:
    return tuple(sorted({one for values in lists for one in values}))


def _at_home(client: str, first: int, logins: Logins) -> list[str]:
    """Accounts that logged in from there before it began."""
    return [login.user for login in logins(place(client)) if login.first < first]


def _proven(hits: Iterable[Hit], rules: Mapping[str, Rule]) -> tuple[str, ...]:
    """Addresses that a blocking rule counted by themselves."""
    found = {dict(h.group).get("client", "") for h in hits if rules[h.rule].response is Response.BLOCK}
    return tuple(sorted(found - {""}))


def _succeeded(
    hits: Sequence[Hit],
    rules: Mapping[str, Rule],
    clients: Sequence[str],
    first: int,
    logins: Logins,
) -> tuple[str, ...]:
    """Accounts that logged in, since it began and never before, from the addresses that were counted by themselves."""
    counted = {dict(h.group).get("client", "") for h in hits if rules[h.rule].fold is Fold.ACTOR} & set(clients)
    new = {login.user for c in counted for login in logins(place(c)) if login.first >= first and login.client == c}
    return tuple(sorted(new - {""}))


def _severity(hits: Sequence[Hit], rules: Mapping[str, Rule], clients: Sequence[str]) -> Severity:
    rank = max(rules[hit.rule].severity.rank for hit in hits)
    services = {s for hit in hits for s in hit.services if rules[hit.rule].fold is Fold.ACTOR}
    wide = len(services) >= 3 and len({hit.rule for hit in hits}) >= 3
    large = len(clients) >= MANY and any(rules[hit.rule].fold is Fold.ACTOR for hit in hits)
    if Severity.MEDIUM.rank <= rank < Severity.HIGH.rank and (wide or large):
        rank += 1
    return WORST[rank]


def _response(
    hits: Sequence[Hit], rules: Mapping[str, Rule], clients: Sequence[str], blockable: Sequence[str]
) -> Response:
    """The strongest that is asked for and fits everybody in the alert; block only where all can be blocked."""
    asked = {rules[hit.rule].response for hit in hits}
    if blockable and len(blockable) == len(clients):
        return Response.BLOCK
    if Response.BLOCK in asked:
        asked = asked - {Response.BLOCK} | {Response.DELAY}
    return max(asked, key=ORDER.index)


def _signals(hits: Sequence[Hit]) -> int:
    """Of the rule that saw most: rules overlap, their sums do not add up."""
    sums: dict[str, int] = defaultdict(int)
    for hit in hits:
        sums[hit.rule] += hit.signals or hit.count
    return max(sums.values())


def _proofs(hits: Sequence[Hit]) -> tuple[Proof, ...]:
    whole = sorted({p for hit in hits for p in hit.proofs}, key=lambda p: (p.at, p.source, p.offset))
    return tuple(whole if len(whole) <= 2 * PROOFS else [*whole[:PROOFS], *whole[-PROOFS:]])


def _id(first: Hit) -> str:
    """The same while the campaign goes on: made of what it began with."""
    text = "\0".join([first.rule, *(value for _, value in first.group), str(first.first)])
    return blake2b(text.encode(errors="surrogateescape"), digest_size=4).hexdigest()
