"""A mail host between two zones, behind a hop with a smaller MTU, with a container: in namespaces of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import uuid
from typing import Any


def why_not() -> str:
    if os.geteuid() != 0:
        return "needs root for network namespaces"
    missing = [one for one in ("ip", "nft", "iptables-save", "sysctl") if not shutil.which(one)]
    return f"needs {', '.join(missing)}" if missing else ""


TOML = """\
version = 1
[zones]
internet = ["0.0.0.0/0", "::/0"]
office = ["192.0.2.0/24", "2001:db8:1::/48"]
[hosts."mx1.example.org"]
addresses = ["198.51.100.5", "2001:db8:8::5"]
management = ["192.0.2.0/24"]
services = ["smtp", { name = "submissions", from = ["office"] }, { name = "submission", from = ["office"] }, "imaps"]
"""
ADDRESSES = {
    "office": ("192.0.2.9", "2001:db8:1::9"),
    "world": ("203.0.113.9", "2001:db8:99::9"),
    "mx": ("198.51.100.5", "2001:db8:8::5"),
}
PORTS = (22, 25, 143, 465, 587, 993, 3306, 6379)
LISTENERS = {"mx": PORTS, "box": (10587, 3306), "office": (25, 445), "world": (25, 443)}
NETWORK = """\
link set lo up
link add office type veth peer name eth0 netns {office}
link add hop type veth peer name eth0 netns {hop}
link add docker0 type bridge
link add box type veth peer name eth0 netns {box}
link set box master docker0
addr add 198.51.100.5/32 dev lo
addr add 2001:db8:8::5/128 dev lo nodad
addr add 192.0.2.1/24 dev office
addr add 2001:db8:1::1/64 dev office nodad
addr add 100.64.0.1/24 dev hop
addr add 2001:db8:64::1/64 dev hop nodad
addr add 172.17.0.1/16 dev docker0
link set office up
link set hop up
link set box up
link set docker0 up
route add default via 100.64.0.2
route add default via 2001:db8:64::2
"""
HOP = """\
link set lo up
link add world mtu 1300 type veth peer name eth0 netns {world}
addr add 100.64.0.2/24 dev eth0
addr add 2001:db8:64::2/64 dev eth0 nodad
addr add 203.0.113.1/24 dev world
addr add 2001:db8:99::1/64 dev world nodad
link set eth0 up
link set world up
route add default via 100.64.0.1
route add default via 2001:db8:64::1
"""
LEAF = """\
link set lo up
addr add {four}/{length} dev eth0
link set eth0 mtu 1500 up
route add default via {gate}
"""
LEAF6 = """\
addr add {six}/64 dev eth0 nodad
route add default via {gate6}
"""
LISTEN = """
import socket, sys, threading
def drain(c):
    with c:
        while c.recv(65536): pass
def take(s):
    while True: threading.Thread(target=drain, args=(s.accept()[0],), daemon=True).start()
for p in map(int, sys.argv[1:]):
    s = socket.create_server(("::", p), family=socket.AF_INET6, dualstack_ipv6=True)
    threading.Thread(target=take, args=(s,), daemon=True).start()
print("up", flush=True)
sys.stdin.read()
"""
CALL = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor
def one(place):
    try: socket.create_connection(tuple(place), 0.7).close(); return True
    except OSError: return False
with ThreadPoolExecutor(64) as pool: print(json.dumps(list(pool.map(one, json.loads(sys.argv[1])))))
"""
SEND = """
import socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 3)
s.sendall(b"x" * 60000); s.shutdown(socket.SHUT_WR); s.settimeout(8); print(s.recv(1))
"""
DOCK = """\
table ip dock {
  chain pre {
    type nat hook prerouting priority -100
    ip daddr 198.51.100.5 tcp dport 587 dnat to 172.17.0.2:10587
    ip daddr 198.51.100.5 tcp dport 3306 dnat to 172.17.0.2:3306
    ip daddr 198.51.100.5 tcp dport 2525 redirect to :25
  }
  chain post {
    type nat hook postrouting priority 100
    ip saddr 172.17.0.0/16 oifname != "docker0" masquerade
  }
}
table ip other { chain c { type filter hook input priority 10; tcp dport 1 counter accept; }; }
"""


class Site:
    def __init__(self) -> None:
        mark = uuid.uuid4().hex[:6]
        self.names = {n: f"gp{os.getpid()}{mark}{n}" for n in ("mx", "office", "hop", "world", "box")}
        self.listeners: list[subprocess.Popen[str]] = []

    def up(self) -> None:
        for name, space in self.names.items():
            run("ip", "netns", "add", space)
            self.run(name, "sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0")  # link-local addresses at once
        self.batch("mx", NETWORK)
        self.batch("hop", HOP)
        for name, gate, gate6 in (
            ("office", "192.0.2.1", "2001:db8:1::1"), ("world", "203.0.113.1", "2001:db8:99::1"),
        ):  # fmt: skip
            four, six = ADDRESSES[name]
            self.batch(name, LEAF.format(four=four, length=24, gate=gate) + LEAF6.format(six=six, gate6=gate6))
        self.batch("box", LEAF.format(four="172.17.0.2", length=16, gate="172.17.0.1"))
        for name in ("mx", "hop"):
            self.run(name, "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        self.run("mx", "nft", "-f", "-", stdin=DOCK)
        for name, ports in LISTENERS.items():
            self.listen(name, *ports)

    def down(self) -> None:
        for one in self.listeners:
            one.kill()
            one.communicate()
        for name in self.names.values():
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)

    def batch(self, name: str, text: str) -> None:
        run("ip", "-n", self.names[name], "-batch", "-", stdin=text.format(**self.names))

    def run(self, name: str, *argv: str, stdin: str = "") -> str:
        return run("ip", "netns", "exec", self.names[name], *argv, stdin=stdin)

    def listen(self, name: str, *ports: int) -> None:
        argv = ["ip", "netns", "exec", self.names[name], sys.executable, "-c", LISTEN, *map(str, ports)]
        one = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.listeners.append(one)
        assert one.stdout
        assert one.stdout.readline() == "up\n"

    def load(self, document: dict[str, Any]) -> None:
        self.run("mx", "nft", "-j", "-f", "-", stdin=json.dumps(document))

    def listed(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run("mx", "nft", "-j", "list", "ruleset"))
        return found

    def reached(self, name: str, *places: tuple[str, int]) -> set[tuple[str, int]]:
        """With every neighbour forgotten: an old entry would hide that discovery is dropped."""
        for each in self.names:
            self.run(each, "ip", "neigh", "flush", "all")
        got = json.loads(self.run(name, sys.executable, "-c", CALL, json.dumps(places)))
        return {place for place, there in zip(places, got, strict=True) if there}


def run(*argv: str, stdin: str = "") -> str:
    done = subprocess.run(argv, input=stdin, text=True, capture_output=True, check=False, timeout=30)
    assert done.returncode == 0, (argv, done.stderr)
    return done.stdout
