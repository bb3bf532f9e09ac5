"""A mail log of Postfix and Dovecot with known attackers in it: `python -m lab.maillog --lines 1000000 --out FILE`.

Sessions are drawn from a weighted mix and their lines interleave as on a real host. Who attacked, how, from where and
when goes to the truth file. The same seed makes the same log.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from heapq import heappop, heappush
from itertools import accumulate
from pathlib import Path

from lab.dice import Dice
from lab.phrases import DOORS, SMTPD, SUBMISSION, SUBMISSIONS, TLS10, Dovecot, Postfix, Processes, Said

FORMATS = ("rfc3164", "iso", "rfc5424")
Play = Callable[[], list[Said]]
USUAL = ("admin", "info", "test", "sales", "office", "root", "support", "backup", "scan", "postmaster")
NETS = (45, 77, 80, 91, 103, 141, 185, 193, 212)
RELAY = "454 4.7.1 <{to}>: Relay access denied"
UNKNOWN = "550 5.1.1 <{to}>: Recipient address rejected: User unknown in virtual mailbox table"
LISTED = "554 5.7.1 Service unavailable; Client host [{ip}] blocked using zen.example; https://example/q/{ip}"
HELO = "504 5.5.2 <WIN-7H2K>: Helo command rejected: need fully-qualified hostname"
WRITE = 50_000  # lines


@dataclass(frozen=True, slots=True)
class Wanted:
    lines: int = 100_000
    form: str = "rfc3164"
    seed: int = 1
    start: datetime = datetime(2026, 11, 20, tzinfo=UTC)
    days: float = 1.0
    dovecot: str = "2.3"
    postfix: str = "3.7"
    attack_share: float = 0.35
    v6_share: float = 0.15
    users: int = 2000
    brute: int = 12
    spray: int = 3
    spray_clients: int = 300
    slow: int = 20
    stuff: int = 4
    scan: int = 30
    harvest: int = 6
    relay: int = 15
    proto: int = 25
    oldtls: int = 40
    burst: int = 2


@dataclass(frozen=True, slots=True)
class Attacker:
    kind: str
    ips: tuple[str, ...]
    start: float  # seconds since 1970
    end: float
    user: str = ""
    service: str = ""


@dataclass(slots=True)
class Truth:
    """Keys of the truth file."""

    legacy_cleartext_users: list[str]
    old_tls_users: list[str]
    port25_submitters: list[str]
    attackers: list[Attacker] = field(default_factory=list)
    lines: int = 0


@dataclass(frozen=True, slots=True)
class Actor:
    """`begin` and `end` are shares of the whole time."""

    weight: float
    play: Play
    begin: float
    end: float


def write(path: Path, wanted: Wanted) -> Truth:
    """Write the log and tell what is in it."""
    town = Town(wanted)
    stamped = _stamped(wanted)
    with path.open("w", buffering=1 << 20) as out:
        held: list[str] = []
        for moment, host, said in town.lines():
            held.append(stamped(moment, host, said))
            if len(held) >= WRITE:
                out.writelines(held)
                held.clear()
        out.writelines(held)
    return town.truth


class Town:
    """Users, peers and attackers, and what they do one after the other."""

    def __init__(self, wanted: Wanted) -> None:
        dice = self.dice = Dice(wanted.seed)
        self.wanted, self.span = wanted, wanted.days * 86_400
        self.processes = Processes(dice)
        self._used: set[str] = set()
        self.users = [f"user{number:05d}@example.org" for number in range(wanted.users)]
        self.homes = {user: [self._home() for _ in range(1 + dice.below(3))] for user in self.users}
        peers = [self._peer(number) for number in range(800)]
        self.dovecot = Dovecot(dice, self.processes, wanted.dovecot)
        self.postfix = Postfix(dice, self.processes, wanted.postfix, peers)
        chosen = {share: dice.random.sample(self.users, max(1, wanted.users // share)) for share in (50, 66, 100)}
        self.legacy, self.old, self.on25 = (frozenset(chosen[share]) for share in (50, 66, 100))
        self.truth = Truth(sorted(self.legacy), sorted(self.old), sorted(self.on25))
        self.actors: list[Actor] = []
        self._cast()
        self._weights = list(accumulate(one.weight for one in self.actors))
        self._noise = [self.stranger() for _ in range(4000)]

    def lines(self) -> Iterator[tuple[float, str, Said]]:
        """In order of time, as many as wanted."""
        wanted, left, moment, number = self.wanted, self.wanted.lines, 0.0, 0
        waiting: list[tuple[float, int, str, Said]] = []
        rate = wanted.lines / 4.6 / self.span  # sessions a second: each has about this many lines
        while left:
            host = ("mx1", "mx2")[number & 1]
            self.processes.now, self.processes.host = moment, host
            told = self._attack(moment / self.span) if self.dice.chance() < wanted.attack_share else self._good()
            place = "imap1" if told[0][1] == "dovecot" else host
            for said in told:
                number += 1
                heappush(waiting, (moment + said[0], number, place, said))
            moment = min(moment + self.dice.random.expovariate(rate), self.span)
            while waiting and left and waiting[0][0] <= moment:
                at, _, where, said = heappop(waiting)
                yield at, where, said
                left -= 1
        self.truth.lines = wanted.lines

    def stranger(self) -> str:
        dice = self.dice
        while True:
            if dice.chance() < self.wanted.v6_share:
                made = (
                    f"2001:db8:{0x1000 + dice.below(0xEFFF):x}:{1 + dice.below(0xFFFE):x}::{1 + dice.below(0xFFFE):x}"
                )
            else:
                made = f"{dice.pick(NETS)}.{dice.below(256)}.{dice.below(256)}.{1 + dice.below(254)}"
            if made not in self._used:
                self._used.add(made)
                return made

    def _peer(self, number: int) -> tuple[str, str]:
        dice = self.dice
        name = f"mail{number}.example.{dice.pick(('net', 'com', 'de'))}"
        return name, f"203.{number % 120}.{dice.below(256)}.{1 + dice.below(254)}"

    def _home(self) -> str:
        dice = self.dice
        if dice.chance() < self.wanted.v6_share:
            return f"2001:db8:{1 + dice.below(0xFFE):x}:{1 + dice.below(0xFFFE):x}::{1 + dice.below(0xFFFE):x}"
        return f"198.18.{dice.below(256)}.{1 + dice.below(254)}"

    def _good(self) -> list[Said]:
        dice, luck = self.dice, self.dice.chance()
        user = dice.pick(self.users)
        home = dice.pick(self.homes[user])
        tls = "" if user in self.legacy else ", TLS"
        if luck < 0.45:
            return self.dovecot.login(user, home, "imap", tls)
        if luck < 0.53:
            return self.dovecot.login(user, home, "pop3", tls)
        if luck < 0.70:
            return self._submission(user, home)
        if luck < 0.97:
            return self.postfix.inbound(user, self.dovecot)
        if luck < 0.985:  # a typing error
            return self.dovecot.failure(user, home, "imap", ", TLS")
        return self.dovecot.login(user, home, "managesieve", ", TLS")

    def _submission(self, user: str, home: str) -> list[Said]:
        dice = self.dice
        if user in self.on25:
            return self.postfix.submission(user, home, SMTPD)
        if user in self.old:
            return self.postfix.submission(user, home, SUBMISSION, TLS10)
        many = 1 if dice.chance() < 0.9 else 2 + dice.below(3)
        return self.postfix.submission(user, home, dice.pick((SUBMISSION, SUBMISSIONS)), recipients=many)

    def _attack(self, share: float) -> list[Said]:
        dice = self.dice
        if dice.chance() >= 0.35:
            for _ in range(20):
                actor = dice.random.choices(self.actors, cum_weights=self._weights)[0]
                if actor.begin <= share <= actor.end:
                    return actor.play()
        return self._unrest(dice.pick(self._noise))

    def _unrest(self, client: str) -> list[Said]:
        luck = self.dice.chance()
        if luck < 0.5:
            return self.postfix.screened(client)
        if luck < 0.8:
            return self.postfix.rejects(client, self.dice.pick((LISTED, HELO)), [self._victim()])
        return self.postfix.handshake(client) if luck < 0.9 else self.postfix.violation(client)

    def _victim(self) -> str:
        return f"victim{self.dice.below(999)}@far.example"

    def _cast(self) -> None:
        wanted, dice = self.wanted, self.dice
        usual = [f"{name}@example.org" for name in USUAL]
        for _ in range(wanted.brute):
            self._brute(self.stranger(), dice.pick(("imap", "pop3", "smtp")), dice.pick(usual))
        for _ in range(wanted.spray):
            self._spray([self.stranger() for _ in range(wanted.spray_clients)])
        for _ in range(wanted.slow):
            self._one("slow", 0.05, lambda ip: self.postfix.refused_login(ip, SUBMISSION, dice.pick(usual)), whole=True)
        for _ in range(wanted.stuff):
            self._stuff(dice.pick(self.users))
        for _ in range(wanted.scan):
            self._one("scan", 0.2, self._scan)
        for _ in range(wanted.harvest):
            self._one("harvest", 1, self._harvest)
        for _ in range(wanted.relay):
            self._one("relay", 0.6, lambda ip: self.postfix.rejects(ip, RELAY, [self._victim()]))
        for _ in range(wanted.proto):
            self._one("proto", 0.5, self.postfix.violation)
        for _ in range(wanted.oldtls):
            self._one("oldtls", 0.3, self._oldtls)
        for _ in range(wanted.burst):
            self._burst(dice.pick(self.users))

    def _one(
        self, kind: str, weight: float, play: Callable[[str], list[Said]], *, whole: bool = False, user: str = ""
    ) -> None:
        client = self.stranger()
        self._enter(kind, (client,), weight, lambda: play(client), whole=whole, user=user)

    def _enter(
        self,
        kind: str,
        ips: tuple[str, ...],
        weight: float,
        play: Play,
        *,
        whole: bool = False,
        user: str = "",
        service: str = "",
    ) -> None:
        begin = 0.0 if whole else self.dice.chance() * 0.8
        end = 1.0 if whole else min(1.0, begin + 0.02 + self.dice.chance() * 0.3)
        first = self.wanted.start.timestamp()
        self.truth.attackers.append(
            Attacker(kind, ips, first + begin * self.span, first + end * self.span, user, service)
        )
        self.actors.append(Actor(weight, play, begin, end))

    def _brute(self, client: str, service: str, user: str) -> None:
        def play() -> list[Said]:
            if service == "smtp":
                return self.postfix.refused_login(client, self.dice.pick(DOORS), user)
            return self.dovecot.failure(user, client, service, ", TLS", 1 + self.dice.below(3))

        self._enter("brute", (client,), 6, play, user=user, service=service)

    def _spray(self, clients: list[str]) -> None:
        def play() -> list[Said]:
            client, user = self.dice.pick(clients), self.dice.pick(self.users)
            if self.dice.chance() < 0.5:
                return self.postfix.refused_login(client, self.dice.pick(DOORS), user)
            return self.dovecot.failure(user, client, self.dice.pick(("imap", "pop3")), ", TLS")

        self._enter("spray", tuple(clients), 10, play, whole=True)

    def _stuff(self, taken: str) -> None:
        def play(client: str) -> list[Said]:
            if self.dice.chance() < 0.03:
                return self.dovecot.login(taken, client, "imap", ", TLS")
            return self.dovecot.failure(self.dice.pick(self.users), client, "imap", ", TLS")

        self._one("stuff", 2, play, user=taken)

    def _scan(self, client: str) -> list[Said]:
        way = self.dice.below(4)
        if way == 0:
            return self.postfix.violation(client)
        if way == 1:
            return self.dovecot.probe(client, self.dice.pick(("imap", "pop3", "managesieve")))
        return self.dovecot.handshake(client, "imap") if way == 2 else self.postfix.screened(client)

    def _harvest(self, client: str) -> list[Said]:
        dice = self.dice
        tried = [f"{dice.pick('abcdefgh')}{dice.below(9999)}@example.org" for _ in range(5 + dice.below(35))]
        return self.postfix.rejects(client, UNKNOWN, tried)

    def _oldtls(self, client: str) -> list[Said]:
        if self.dice.chance() < 0.6:
            return self.postfix.handshake(client, self.dice.pick(DOORS))
        return self.dovecot.handshake(client, "imap")

    def _burst(self, user: str) -> None:
        def play(client: str) -> list[Said]:
            return self.postfix.submission(user, client, SUBMISSIONS, recipients=20 + self.dice.below(40))

        self._one("burst", 1.2, play, user=user)


def _stamped(wanted: Wanted) -> Callable[[float, str, Said], str]:
    """A line with its header. The text of a second is made once."""
    begin, known = int(wanted.start.timestamp()), [-1, ""]
    old, bare = wanted.form == "rfc3164", wanted.form == "iso"

    def stamped(moment: float, host: str, said: Said) -> str:
        second = int(moment)
        if second != known[0]:
            when = datetime.fromtimestamp(begin + second, UTC)
            known[:] = second, f"{when:%b} {when.day:2d} {when:%H:%M:%S}" if old else f"{when:%Y-%m-%dT%H:%M:%S}"
        _, tag, pid, text = said
        if old:
            return f"{known[1]} {host} {tag}[{pid}]: {text}\n"
        micro = int((moment - second) * 1e6)
        if bare:
            return f"{known[1]}.{micro:06d}+00:00 {host} {tag}[{pid}]: {text}\n"
        return f"<22>1 {known[1]}.{micro:06d}+00:00 {host} {tag} {pid} - - {text}\n"

    return stamped


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m lab.maillog", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--truth", type=Path)
    parser.add_argument("--form", choices=FORMATS, default=FORMATS[0])
    parser.add_argument("--dovecot", choices=("2.3", "2.4"), default="2.3")
    parser.add_argument("--postfix", choices=("3.7", "3.10"), default="3.7")
    parser.add_argument("--start", type=_moment, default=Wanted().start)
    for one in fields(Wanted):
        if isinstance(one.default, int | float):
            parser.add_argument(f"--{one.name.replace('_', '-')}", type=type(one.default), default=one.default)
    chosen = vars(parser.parse_args())
    out, told = chosen.pop("out"), chosen.pop("truth")
    truth = write(out, Wanted(**chosen))
    if told:
        told.write_text(json.dumps(asdict(truth)))


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


if __name__ == "__main__":
    main()
