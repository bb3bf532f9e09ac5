"""Random rule sets: everything the proof claims to read, and some it must not pretend to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from random import Random

PORTS = (22, 24, 25, 26, 110, 143, 465, 587, 588, 993, 995, 2525, 4190)
SOURCES = {
    4: ("10.19.255.255", "10.20.0.1", "10.20.1.4", "10.20.1.5", "10.20.1.9", "10.20.1.10", "10.20.128.7",
        "10.20.255.255", "10.21.0.0", "198.51.100.1", "198.51.100.127", "198.51.100.128", "198.51.100.254",
        "203.0.113.9", "9.255.255.255", "11.0.0.1", "172.21.0.1"),
    6: ("2001:db8:19:ffff::1", "2001:db8:20::1", "2001:db8:20:1::5", "2001:db8:20:ffff:ffff:ffff:ffff:ffff",
        "2001:db8:21::", "2001:db8:30::9", "2001:db8:ffff::1", "fd00::7"),
}  # fmt: skip
NETWORKS = {
    4: ("10.20.0.0/16", "10.20.1.4/30", "10.0.0.0/8", "198.51.100.0/25", "198.51.100.128/25", "203.0.113.9",
        "10.20.1.5-10.20.1.9", "0.0.0.0/1", "11.0.0.1", "172.16.0.0/12"),
    6: ("2001:db8:20::/48", "2001:db8::/32", "2001:db8:30::9", "2001:db8:20::1-2001:db8:20:1::5",
        "2001:db8:ffff::/48", "fc00::/7"),
}  # fmt: skip
MASKS = {4: ("255.255.0.0", "10.20.0.0"), 6: ("ffff:ffff:ffff::", "2001:db8:20::")}
HASHLIMIT = "-m hashlimit --hashlimit-above 9000/sec --hashlimit-burst 9000 --hashlimit-name g --hashlimit-mode srcip"
DEPTH = 4  # chains that rules jump to; the n-th only to later ones, so there is no loop


@dataclass(frozen=True, slots=True)
class Place:
    """Where a rule set is loaded: own addresses, and those of a third host behind it."""

    own: dict[int, str]
    behind: dict[int, str]
    outer: str = "mx0"
    inner: str = "bk0"


def nft(random: Random, place: Place) -> str:
    return _Nft(random, place).text()


class _Nft:
    def __init__(self, random: Random, place: Place) -> None:
        self.r, self.place = random, place
        self.family = random.choice(("inet", "inet", "inet", "ip", "ip6"))
        self.families = {"inet": (4, 6), "ip": (4,), "ip6": (6,)}[self.family]

    def text(self) -> str:
        extra = [self.table("u", second=True)] if self.r.random() < 0.2 else []
        return "\n".join([self.table("t"), *extra])

    def table(self, name: str, *, second: bool = False) -> str:
        parts = [f"table {self.family} {name} {{", *self.sets()]
        parts += [self.chain(f"u{n}", "", n) for n in range(DEPTH - 1, 0, -1)]
        if self.chance(0.3):
            parts.append(self.raw())
        if (not second or self.chance(0.5)) and (nat := self.nat()):
            parts.append(nat)
        if self.family == "inet" and self.chance(0.06):
            head = (
                f'type filter hook ingress device "{self.place.outer}" priority -500; policy accept;\n{self.answers()}'
            )
            parts.append(self.chain("first", head, DEPTH, 2))
        if self.chance(0.5):
            parts.append(self.forward())
        if self.chance(0.3):
            parts.append(self.output())
        if self.chance(0.1):
            head = f"type filter hook postrouting priority 0; policy accept;\n{self.replies()}"
            parts.append(self.chain("post", head, 0, 2))
        for n in range(self.r.choice((1, 1, 2))):
            head = (f"type filter hook input priority {self.r.choice((-5, 0, 7)) + n}; "
                    f"policy {self.r.choice(('accept', 'drop', 'drop'))};\n{self.replies()}")  # fmt: skip
            parts.append(self.chain(f"in{n}", head, 0, self.r.randint(2, 7)))
        return "\n".join([*parts, "}"])

    def sets(self) -> list[str]:
        found = []
        for v in self.families:
            kind = f"ipv{v}_addr"
            found.append(self.named(f"s{v}", kind, self.apart(v, 4), "flags interval;"))
            pairs = sorted({f"{self.source(v)} . {self.port()}" for _ in range(6)})
            found.append(self.named(f"c{v}", f"{kind} . inet_service", pairs))
            ranges = [f"{net} . {self.ports_plain()}" for net in self.apart(v, 3)]
            found.append(self.named(f"d{v}", f"{kind} . inet_service", ranges, "flags interval;"))
            verdicts = [f"{net} : {self.r.choice(('accept', 'drop', 'return'))}" for net in self.apart(v, 3)]
            if self.chance(0.3):
                verdicts.append(f"* : {self.r.choice(('accept', 'drop'))}")
            found.append(self.named(f"m{v}", f"{kind} : verdict", verdicts, "flags interval;", "map"))
        ports = sorted(set(self.some(PORTS, 5)))
        found.append(self.named("sp", "inet_service", map(str, ports), "flags interval;"))
        found.append(self.named("si", "ifname", ['"lo"', f'"{self.place.outer}"'][self.r.randint(0, 1) :]))
        return found

    @staticmethod
    def named(name: str, kind: str, elements: Sequence[str] | map[str], flags: str = "", word: str = "set") -> str:
        return f"{word} {name} {{ type {kind}; {flags} elements = {{ {', '.join(elements)} }}\n}}"

    def raw(self) -> str:
        priority = self.r.choice((-300, -250, -200, -150, -100, -50))
        head = f"type filter hook prerouting priority {priority}; policy accept;\n{self.answers()}"
        chain = self.chain("raw", head, 0, 2)
        if self.chance(0.05):
            return chain[: chain.rindex("}")] + self.marks() + "\n}"
        if priority < -200 and self.chance(0.3):
            line = f"{self.match()} notrack"
            return chain[: chain.rindex("}")] + line + "\n}"
        return chain

    def nat(self) -> str:
        rules = []
        family = "" if self.family != "inet" else None
        if self.chance(0.35):
            rules.append(f"tcp dport {self.port()} redirect to :{self.port()}")
        if self.chance(0.1):
            rules.append(f"tcp dport {self.port()} redirect")
        for v in self.families:
            word = family if family is not None else ("ip " if v == 4 else "ip6 ")
            to = self.place.behind[v]
            shown = to if v == 4 else f"[{to}]"
            if self.chance(0.3):
                sources = self.saddr(v) if self.chance(0.5) else ""
                rules.append(f"{sources} tcp dport {self.ports()} dnat {word}to {shown}:{self.port()}")
            if self.chance(0.15):
                rules.append(f"fib daddr type local tcp dport {self.ports()} dnat {word}to {to}")
            if self.chance(0.15):
                pairs = ", ".join(
                    f"{p} : {self.r.choice((to, self.place.own[v]))}" for p in sorted(self.some(PORTS, 3))
                )
                rules.append(f"dnat {word}to tcp dport map {{ {pairs} }}")
            if self.chance(0.1):
                rules.append(f"tcp dport {self.port()} dnat {word}to {to}-{_next(to)}")
        self.r.shuffle(rules)
        if not rules:
            return ""
        if self.chance(0.3):
            rules.insert(0, f"{self.match()} {self.r.choice(('accept', 'return', 'drop'))}")
        return "chain nat { type nat hook prerouting priority -100;\n" + "\n".join(rules) + "\n}"

    def forward(self) -> str:
        head = (f"type filter hook forward priority {self.r.choice((-5, 0))}; "
                f"policy {self.r.choice(('accept', 'drop'))};\n{self.replies()}")  # fmt: skip
        way = f'oifname "{self.place.inner}" {self.r.choice(("accept", "ct status dnat accept", "drop"))}'
        return self.chain("fwdc", head + ("\n" + way if self.chance(0.4) else ""), 0, self.r.randint(0, 4), "forward")

    def output(self) -> str:
        """Answers to connections from outside leave by here as well."""
        priority, policy = self.r.choice((-150, 0, 0)), self.r.choice(("accept", "drop"))
        head = f"type filter hook output priority {priority}; policy {policy};\n{self.replies()}"
        return self.chain("outc", head, 0, self.r.randint(0, 4), "output")

    @staticmethod
    def replies() -> str:
        """Stateless too, as packets that were taken out of conntrack are answered as well."""
        return f"ct state established,related accept\n{_Nft.answers()}"

    @staticmethod
    def answers() -> str:
        return "tcp flags & (syn | ack) == (syn | ack) accept"

    def chain(self, name: str, head: str, level: int, count: int | None = None, hook: str = "input") -> str:
        count = self.r.randint(0, 4) if count is None else count
        rules = "\n".join(self.rule(level, hook) for _ in range(count))
        return f"chain {name} {{ {head}\n{rules}\n}}"

    def rule(self, level: int, hook: str) -> str:
        if self.chance(0.14):
            return self.verdict_map(level)
        return f"{self.match(hook)} {'counter ' * self.chance(0.3)}{self.verdict(level)}"

    def verdict(self, level: int) -> str:
        reject = "reject with icmpx admin-prohibited" if self.family == "inet" and level == 0 else "drop"
        word = self.r.choice(("accept",) * 3 + ("drop",) * 3 + (reject, "return", "continue", "jump", "jump", "goto"))
        if word.startswith("reject") and not self.chance(0.5):
            return "drop"
        if word in {"jump", "goto"}:
            return f"{word} u{self.r.randrange(level + 1, DEPTH)}" if level < DEPTH - 1 else "drop"
        return "drop" if word.startswith("reject") else word

    def verdict_map(self, level: int) -> str:
        def aim() -> str:
            word = self.r.choice(("accept", "drop", "return", "continue", "jump", "goto"))
            if word not in {"jump", "goto"}:
                return word
            return f"{word} u{self.r.randrange(level + 1, DEPTH)}" if level < DEPTH - 1 else "drop"

        v = self.r.choice(self.families)
        key = self.header(v)
        ways: tuple[Callable[[], str], ...] = (
            lambda: "tcp dport vmap { " + ", ".join(f"{p} : {aim()}" for p in self.some(PORTS, 5)) + " }",
            lambda: f"{key} saddr vmap {{ " + ", ".join(f"{n} : {aim()}" for n in self.apart(v, 3)) + " }",
            lambda: f"{key} saddr vmap @m{v}",
            lambda: "ct state vmap { established : accept, related : accept, invalid : drop }",
            lambda: f'iifname vmap {{ "lo" : accept, "{self.place.outer}" : {aim()} }}',
            lambda: f"{key} saddr . tcp dport vmap {{ {self.source(v)} . {self.port()} : {aim()} }}",
            lambda: f'iifname . tcp dport vmap {{ "{self.place.outer}" . {self.port()} : {aim()} }}',
            lambda: f"tcp dport vmap {{ 0-{self.port()} : {aim()}, 3000-65535 : {aim()} }}",
        )
        return self.r.choice(ways)()

    def marks(self) -> str:
        """A mark that a rule sets before others ask for it."""
        return f"{self.match()} meta mark set 0x1"

    def match(self, hook: str = "input") -> str:
        found = []
        v = self.r.choice(self.families)
        outer, inner = self.place.outer, self.place.inner
        if self.chance(0.15):
            found.append(self.r.choice((
                f'iifname "{outer}"', f'iifname != "{outer}"', 'iifname "lo"', 'iifname "mx*"', "iifname @si",
                f'iifname {{ "lo", "{outer}" }}', 'iif "lo"', f'oifname "{inner}"', f'oifname != "{inner}"',
            )))  # fmt: skip
        if self.family == "inet" and self.chance(0.1):
            found.append("meta nfproto " + self.r.choice(("ipv4", "ipv6")))
        if self.chance(0.6):
            found.append(self.saddr(v))
        if self.chance(0.12 if hook == "input" else 0.4):
            found.append(self.daddr(v))
        if self.chance(0.15):
            found.append(self.r.choice((
                "ct state new", "ct state established,related", "ct state invalid", "ct state { new, untracked }",
                "ct state != new", "ct state ! new", "ct direction original", "ct status dnat", "ct mark 0",
                f"meta l4proto tcp ct original proto-dst {self.port()}",
                f"ct original {self.header(v)} {self.end_of(v)}",
            )))  # fmt: skip
        if self.chance(0.1):
            found.append(self.r.choice((
                "tcp flags & (fin|syn|rst|ack) == syn", "tcp flags & (fin|syn|rst|ack) != syn", "tcp flags syn",
                "tcp flags ack", "tcp flags & (syn|ack) == 0", "tcp flags ! syn", "tcp flags { syn, syn | ack }",
                "tcp flags != syn",
            )))  # fmt: skip
        if self.chance(0.12):
            found.append(self.r.choice((
                "meta l4proto tcp", "meta l4proto { tcp, udp }", "meta l4proto udp", "meta l4proto != tcp",
                "meta pkttype host", "fib daddr type local", "meta mark 0", "meta mark != 0", "fib saddr type local",
                "exthdr hbh exists", self.protocol(), "fib saddr . iif oif exists", "fib saddr . iif oif missing",
            )))  # fmt: skip
        if self.chance(0.12) and not any("saddr" in one for one in found):
            keys = (f"{self.header(v)} saddr . tcp dport", f"{self.header(v)} daddr . tcp dport")
            found.append(f"{self.r.choice(keys)} {self.r.choice(('', '!= '))}@{self.r.choice('cd')}{v}")
        elif self.chance(0.7):
            found.append(self.dport())
        if self.chance(0.03):
            found.append(self.r.choice((
                "meta cpu 0", "tcp sport 32768-50000", "tcp window > 1000", "meta length > 50", "meta mark 0x1",
                "ip ttl > 63" if 4 in self.families else "ip6 hoplimit > 63",
            )))  # fmt: skip
        return " ".join(found)

    def protocol(self) -> str:
        """In a table of one family only that family's: nft 1.0.6 does not list one that contradicts its table."""
        return "meta protocol ip6" if self.family == "ip6" else "meta protocol ip"

    def dport(self) -> str:
        if self.chance(0.15):
            return "tcp dport @sp"
        if self.chance(0.1):
            return f"tcp dport {self.r.choice(('<', '>', '<=', '>='))} {self.port()}"
        word = self.r.choice(("tcp", "tcp", "tcp", "th", "udp"))
        return f"{word} dport {self.r.choice(('', '', '!= '))}{self.ports()}"

    def saddr(self, v: int) -> str:
        return self.end(v, "saddr")

    def daddr(self, v: int) -> str:
        networks = (self.place.own[v], self.place.behind[v], *NETWORKS[v])
        return f"{self.header(v)} daddr {self.r.choice(('', '', '!= '))}{self.r.choice(networks)}"

    def end(self, v: int, end: str) -> str:
        key = f"{self.header(v)} {end}"
        ways: tuple[Callable[[], str], ...] = (
            lambda: f"{key} {self.r.choice(NETWORKS[v])}",
            lambda: f"{key} {self.r.choice(NETWORKS[v])}",
            lambda: f"{key} {{ {', '.join(self.apart(v, 3))} }}",
            lambda: f"{key} {self.r.choice(('', '!= '))}@s{v}",
            lambda: f"{key} {self.r.choice(('<', '>', '<=', '>='))} {self.source(v)}",
            lambda: f"{key} != {self.r.choice(NETWORKS[v])}",
            lambda: f"iifname . {key} {{ {self.r.choice(('lo', self.place.outer))} . {self.source(v)} }}",
            lambda: f"{key} & {MASKS[v][0]} == {MASKS[v][1]}",
        )
        return self.r.choice(ways)()

    def end_of(self, v: int) -> str:
        return self.r.choice((f"saddr {self.source(v)}", f"daddr {self.place.own[v]}", f"daddr {self.place.behind[v]}"))

    def ports(self) -> str:
        return f"{{ {', '.join(map(str, self.some(PORTS, 4)))} }}" if self.chance(0.4) else self.ports_plain()

    def ports_plain(self) -> str:
        low, high = sorted(self.r.sample(PORTS, 2))
        return self.r.choice((str(low), f"{low}-{high}"))

    def port(self) -> int:
        return self.r.choice(PORTS)

    def source(self, v: int) -> str:
        return self.r.choice(SOURCES[v])

    def apart(self, v: int, most: int) -> list[str]:
        return apart(self.some(NETWORKS[v], most))

    def some(self, of: Sequence[str] | Sequence[int], most: int) -> list:  # type: ignore[type-arg]  # of what it was given
        return self.r.sample(list(of), self.r.randint(1, most))

    def chance(self, share: float) -> bool:
        return self.r.random() < share

    @staticmethod
    def header(v: int) -> str:
        return "ip" if v == 4 else "ip6"


def apart(written: Sequence[str]) -> list[str]:
    """Those that overlap no earlier one: nft refuses such sets."""
    kept: list[str] = []
    taken: list[tuple[int, int]] = []
    for one in written:
        low, high = span(one)
        if all(high < a or low > b for a, b in taken):
            kept.append(one)
            taken.append((low, high))
    return kept


def span(written: str) -> tuple[int, int]:
    if "-" in written:
        first, last = written.split("-")
        return int(ip_address(first)), int(ip_address(last))
    net = ip_network(written)
    return int(net[0]), int(net[-1])


def _next(to: str) -> str:
    return str(ip_address(to) + 1)


def iptables(random: Random, place: Place, v: int) -> str:
    """For iptables-restore: what ufw, docker and their like write, and matches nft cannot show."""
    return _Iptables(random, place, v).text()


class _Iptables:
    def __init__(self, random: Random, place: Place, v: int) -> None:
        self.r, self.place, self.v = random, place, v

    def text(self) -> str:
        parts = [self.filter()]
        if self.r.random() < 0.4:
            parts.append(self.nat())
        if self.r.random() < 0.15:
            parts.append("*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp --tcp-flags SYN,ACK SYN,ACK -j ACCEPT\n"
                         f"-A PREROUTING {self.match(early=True)} -j DROP\nCOMMIT\n")  # fmt: skip
        return "".join(parts)

    def filter(self) -> str:
        policy = [self.r.choice(("ACCEPT", "DROP", "DROP")) for _ in range(2)]
        lines = ["*filter", f":INPUT {policy[0]} [0:0]", f":FORWARD {policy[1]} [0:0]", ":OUTPUT ACCEPT [0:0]"]
        lines += [f":u{n} - [0:0]" for n in range(1, DEPTH)]
        for chain in ("INPUT", "FORWARD"):
            lines.append(f"-A {chain} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT")
            lines.append(f"-A {chain} -p tcp --tcp-flags SYN,ACK SYN,ACK -j ACCEPT")
            lines += [self.rule(chain, 0) for _ in range(self.r.randint(1, 6))]
        for n in range(1, DEPTH):
            lines += [self.rule(f"u{n}", n) for _ in range(self.r.randint(0, 4))]
        return "\n".join([*lines, "COMMIT\n"])

    def nat(self) -> str:
        to = self.place.behind[self.v]
        to = to if self.v == 4 else f"[{to}]"
        port = self.r.choice(PORTS)
        lines = ["*nat", ":PREROUTING ACCEPT [0:0]", ":DOCKER - [0:0]"]
        lines.append("-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER")
        lines.append(f"-A DOCKER -i {self.place.inner} -j RETURN")
        rules = [
            f"-A DOCKER -p tcp -m tcp --dport {self.r.choice(PORTS)} -j DNAT --to-destination {to}:{port}",
            f"-A DOCKER -p tcp -m multiport --dports {self.ports()} -j DNAT --to-destination {to}:{port}",
            f"-A PREROUTING -p tcp -m tcp --dport {self.r.choice(PORTS)} -j REDIRECT --to-ports {port}",
            f"-A DOCKER ! -s {self.network()} -p tcp -m tcp --dport {port} -j RETURN",
        ]
        lines += self.r.sample(rules, self.r.randint(1, 4))
        return "\n".join([*lines, "COMMIT\n"])

    def rule(self, chain: str, level: int) -> str:
        word = self.r.choice(("ACCEPT", "ACCEPT", "DROP", "DROP", "REJECT", "RETURN", "LOG", "-", "-"))
        if word == "-":
            word = f"u{self.r.randrange(level + 1, DEPTH)}" if level < DEPTH - 1 else "DROP"
        return f"-A {chain} {self.match()} -{'g' if word[0] == 'u' and self.r.random() < 0.3 else 'j'} {word}"

    def match(self, *, early: bool = False) -> str:
        found = []
        r = self.r
        if r.random() < 0.2:
            found.append(r.choice(("-i mx0", "! -i mx0", "-i lo", "-i mx+")))
        if r.random() < 0.5:
            found.append(f"{r.choice(('', '! '))}-s {self.network()}")
        elif r.random() < 0.3:
            low, high = next(n for n in NETWORKS[self.v] if "-" in n).split("-")
            found.append(f"-m iprange {r.choice(('', '! '))}--src-range {low}-{high}")
        if r.random() < 0.75:
            found.append(self.port())
        if r.random() < 0.35:
            states = ("NEW", "RELATED,ESTABLISHED", "INVALID", "NEW,UNTRACKED")
            found.append(r.choice((
                f"-m conntrack {r.choice(('', '! '))}--ctstate {r.choice(states)}",
                f"-m state --state {r.choice(states)}",
                '-m comment --comment "a b, -j DROP"', f"-m addrtype {r.choice(('', '! '))}--dst-type LOCAL",
                "-m pkttype --pkt-type unicast", "-m mark --mark 0x0/0xff", "-m mark ! --mark 0x0",
                "-m limit --limit 1000/sec --limit-burst 1000", "-m connlimit --connlimit-above 10000",
                HASHLIMIT,
                *(["-m conntrack --ctstate DNAT"] if not early else []),
            )))  # fmt: skip
        if r.random() < 0.03:
            found.append(r.choice((
                "-m statistic --mode random --probability 0.5", "-m cpu --cpu 0", "-m length --length 40:80",
            )))  # fmt: skip
            if any("-p tcp" in one for one in found) and r.random() < 0.3:
                found[-1] = "-m multiport --sports 32768:60999"
        return " ".join(found)

    def port(self) -> str:
        r = self.r
        return r.choice((
            f"-p tcp -m tcp {r.choice(('', '! '))}--dport {r.choice(PORTS)}", "-p tcp", "-p udp", "! -p udp",
            f"-p tcp -m multiport {r.choice(('', '! '))}--dports {self.ports()}",
            "-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN", f"-p tcp -m tcp --dport {min(r.sample(PORTS, 2))}:993",
        ))  # fmt: skip

    def ports(self) -> str:
        low, high = sorted(self.r.sample(PORTS, 2))
        return ",".join(
            [*map(str, self.r.sample(PORTS, self.r.randint(1, 3))), f"{low}:{high}"][: self.r.randint(1, 4)]
        )

    def network(self) -> str:
        return self.r.choice([n for n in NETWORKS[self.v] if "-" not in n])
