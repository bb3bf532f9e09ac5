"""Large rule sets loaded into a kernel, and how long reading and proving them takes."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_network
from random import Random

from gatepost.firewall.proving import ruleset
from gatepost.firewall.proving.comparison import input_deviations
from gatepost.firewall.proving.proof import Proof
from gatepost.model.architecture import Host
from gatepost.model.flows import Flow, Matrix
from lab.packets import PATIENCE, why_not
from lab.rulesets import PORTS

RULES = 10_000
HOST = Host("mx.example.org", ("192.0.2.25", "2001:db8:5::25"), ())
MAIL = tuple(port for port in PORTS if port not in {22, 24, 26, 588})


@dataclass(frozen=True, slots=True)
class Row:
    """Seconds of processor time.

    `ports` is for the nine mail ports in both families, `whole` for all ports held against a matrix.
    """

    name: str
    megabytes: float
    parse: float
    ports: float
    whole: float
    classes: int
    found: int


def bench_proofs() -> None:
    """Prints a table; without root it says so."""
    if reason := why_not():
        print(f"\nproof of large rule sets: not here: {reason}")
        return
    print(f"\nproof of {RULES} rules from the kernel, seconds of processor time")
    print(f"  {'':52}{'MB':>6}{'read':>7}{'9 ports':>9}{'compared':>10}{'classes':>9}{'differences':>13}")
    for name, listed in _listed():
        row = measured(name, listed)
        print(f"  {row.name:52}{row.megabytes:>6.1f}{row.parse:>7.2f}{row.ports:>9.2f}{row.whole:>10.2f}"
              f"{row.classes:>9}{row.found:>13}")  # fmt: skip
    print(f"  peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")


def measured(name: str, listed: str) -> Row:
    start = time.process_time()
    rules = ruleset.read(listed)
    read = time.process_time()
    proof = Proof.of(rules)
    for address in HOST.addresses:
        for port in MAIL:
            proof.inbound(address, port)
    asked = time.process_time()
    fresh = Proof.of(rules)
    found = list(input_deviations(fresh, HOST, _matrix()))
    done = time.process_time()
    return Row(name, len(listed) / 1e6, read - start, asked - read, done - asked, len(fresh.classes()), len(found))


def _matrix() -> Matrix:
    everybody = {4: ip_network("0.0.0.0/0"), 6: ip_network("::/0")}
    office = ip_network("10.20.0.0/16")
    flows = [Flow("smtp", HOST.name, a, 25, (everybody[6 if ":" in a else 4],)) for a in HOST.addresses]
    flows += [Flow("office", HOST.name, HOST.addresses[0], port, (office,)) for port in (465, 587, 993, 995)]
    return Matrix(tuple(flows))


def _listed() -> Iterator[tuple[str, str]]:
    name = f"gp{os.getpid()}large"
    subprocess.run(("ip", "netns", "add", name), check=True)
    try:
        for title, text in large().items():
            enter = ("nsenter", f"--net=/run/netns/{name}")
            subprocess.run((*enter, "nft", "-f", "-"), input=text, text=True, check=True, timeout=PATIENCE * 4)
            done = subprocess.run((*enter, "nft", "-j", "list", "ruleset"), text=True, capture_output=True, check=True,
                                  timeout=PATIENCE * 4)  # fmt: skip
            yield title, done.stdout
    finally:
        subprocess.run(("ip", "netns", "del", name), check=False)


def large(seed: int = 7) -> dict[str, str]:
    """By what makes them large, as text for `nft -f`."""
    r = Random(seed)  # noqa: S311 - a test, not a secret

    def ip() -> str:
        return ".".join(str(r.randint(1, 223) if n == 0 else r.randint(0, 255)) for n in range(4))

    def either() -> str:
        return r.choice(("accept", "drop"))

    end = "tcp dport 25 accept\nip saddr 10.20.0.0/16 tcp dport { 465, 587, 993, 995 } accept\n"
    chains = "".join(
        f"chain c{n} {{\n" + "".join(
            f"ip saddr {ip()}/28 tcp dport {r.choice(MAIL)} {r.choice(('accept', 'drop', 'return'))}\n"
            for _ in range(RULES // 100)
        ) + "}\n"
        for n in range(100)
    )  # fmt: skip
    addresses = ", ".join({ip() for _ in range(RULES)})
    pairs = ", ".join({f"{ip()} . {r.choice(MAIL)}" for _ in range(RULES)})
    return {
        "drops of one address each": _table("".join(f"ip saddr {ip()} drop\n" for _ in range(RULES)) + end),
        "one set of as many addresses": _table("ip saddr @bad drop\n" + end,
                                               f"set bad {{ type ipv4_addr; elements = {{ {addresses} }}\n}}\n"),
        "accepts, random /24, random port of 500": _table("".join(
            f"ip saddr {ip()}/24 tcp dport {r.randrange(1000, 1500)} accept\n" for _ in range(RULES)) + end),
        "accepts and drops on mail ports, /16 to /32": _table("".join(
            f"ip saddr {ip()}/{r.choice((16, 20, 24, 28, 32))} tcp dport {r.choice(MAIL)} {either()}\n"
            for _ in range(RULES)) + end),
        "100 chains of 100, jumped to by source": _table(
            "".join(f"ip saddr {ip()}/8 jump c{n}\n" for n in range(100)) + end, chains),
        "accepts and drops without a port, /16 to /32": _table("".join(
            f"ip saddr {ip()}/{r.choice((16, 20, 24, 28, 32))} {either()}\n" for _ in range(RULES)) + end),
        "one set of as many address and port pairs": _table("ip saddr . tcp dport @pairs accept\n" + end,
                                  f"set pairs {{ type ipv4_addr . inet_service; elements = {{ {pairs} }}\n}}\n"),
    }  # fmt: skip


def _table(body: str, before: str = "") -> str:
    return (
        f"flush ruleset\ntable inet t {{\n{before}chain input {{ type filter hook input priority 0; policy drop;\n"
        f"ct state established,related accept\n{body}}}\n}}\n"
    )
