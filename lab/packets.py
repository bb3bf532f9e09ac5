"""Hosts with a firewall in namespaces, and thousands of real TCP connections to, through and out of them.

One client stands before several such hosts (lanes), each with a third host behind it. All connections of a round are
tried at once by one process that can open sockets in any of the namespaces, so a round takes as long as one timeout.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from lab.rulesets import PORTS, SOURCES, Place

PATIENCE = 30.0  # seconds for one command
SHORT = 0.2  # seconds until a connection counts as dropped; disagreements are tried again with LONG
LONG = 1.2


@dataclass(frozen=True, slots=True)
class Try:
    """One connection. `way` is in, through or out."""

    way: str
    lane: int
    source: str
    target: str
    port: int

    @property
    def family(self) -> int:
        return 6 if ":" in self.target else 4


@dataclass(frozen=True, slots=True)
class Read:
    """What the host tells of its rules."""

    rules: str
    saves: dict[int, str]


def why_not() -> str:
    if os.geteuid() != 0:
        return "namespaces need root"
    missing = [name for name in ("nft", "ip", "nsenter", "iptables-save") if shutil.which(name) is None]
    return f"{missing[0]} is not installed" if missing else ""


@dataclass(slots=True)
class Lanes:
    """A context: namespaces come with it and go with it."""

    count: int = 8
    _made: list[str] = field(default_factory=list)
    _helper: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        try:
            self._up()
        except BaseException:
            self.down()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.down()

    def place(self, lane: int) -> Place:
        return Place(
            {4: f"10.99.{lane}.2", 6: f"2001:db8:99:{lane}::2"},
            {4: f"172.22.{lane}.250", 6: f"2001:db8:22:{lane}::250"},
        )

    def load(self, lane: int, nft: str = "", saves: dict[int, str] | None = None) -> str:
        """Replaces all rules of a lane. Empty, or why the kernel refused."""
        said = self._in(lane, ("nft", "-f", "-"), f"flush ruleset\n{nft}")
        for family, text in (saves or {}).items():
            said = said or self._in(lane, ("iptables-restore" if family == 4 else "ip6tables-restore", "-n"), text)
        return said

    def read(self, lane: int) -> Read:
        saves = {4: self._out(lane, "iptables-save"), 6: self._out(lane, "ip6tables-save")}
        return Read(self._out(lane, "nft", "-j", "list", "ruleset"), saves)

    def told(self, lane: int, *argv: str) -> str:
        return self._out(lane, *argv)

    def attempt(self, tries: Sequence[Try], patience: float = SHORT) -> list[bool]:
        """Which of them a SYN-ACK came back for."""
        assert self._helper is not None  # noqa: S101 - between enter and exit
        assert self._helper.stdin is not None  # noqa: S101 - asked for
        assert self._helper.stdout is not None  # noqa: S101 - asked for
        jobs = [[self._from(one), one.source, one.target, one.port] for one in tries]
        self._helper.stdin.write(json.dumps([patience, jobs]) + "\n")
        self._helper.stdin.flush()
        answer: list[bool] = json.loads(self._helper.stdout.readline())
        return answer

    def down(self) -> None:
        if self._helper is not None:
            self._helper.kill()
            self._helper.communicate()
            self._helper = None
        for name in self._made:
            subprocess.run(("ip", "netns", "del", name), check=False, capture_output=True)
        self._made.clear()

    def _from(self, one: Try) -> int:
        return 0 if one.way in {"in", "through"} else 1 + 2 * one.lane

    def _names(self) -> list[str]:
        """The client, then server and third host of each lane."""
        stem = f"gp{os.getpid()}"
        return [f"{stem}c", *(f"{stem}{kind}{n}" for n in range(self.count) for kind in "sb")]

    def _up(self) -> None:
        names = self._names()
        for name in names:
            _run("ip", "netns", "add", name)
            self._made.append(name)
            _run("ip", "-n", name, "link", "set", "lo", "up")
            _run("nsenter", f"--net=/run/netns/{name}", "sysctl", "-qw", *_SETTINGS)
        for lane in range(self.count):
            self._lane(lane, names[0], names[1 + 2 * lane], names[2 + 2 * lane])
        _batch(names[0], [
            f"addr add {a}/{32 if v == 4 else 128} dev lo" for v in (4, 6) for a in SOURCES[v]
        ])  # fmt: skip
        self._helper = subprocess.Popen(
            [sys.executable, "-c", _HELPER, json.dumps([names, PORTS])],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._helper.stdout is not None  # noqa: S101 - asked for above
        if not self._helper.stdout.readline():
            raise RuntimeError("the helper that opens connections did not start")

    def _lane(self, lane: int, client: str, server: str, third: str) -> None:
        """Neighbours are fixed: these hosts answer for TCP, not for address resolution."""
        mac = [f"02:00:00:{lane:02x}:00:0{n}" for n in range(4)]
        _run("ip", "-n", server, "link", "add", "mx0", "address", mac[0], "type", "veth",
             "peer", "name", f"c{lane}", "address", mac[1], "netns", client)  # fmt: skip
        _run("ip", "-n", server, "link", "add", "bk0", "address", mac[2], "type", "veth",
             "peer", "name", "b0", "address", mac[3], "netns", third)  # fmt: skip
        here, there = f"2001:db8:99:{lane}", f"2001:db8:22:{lane}"
        _batch(server, [
            "link set mx0 up", "link set bk0 up",
            f"addr add 10.99.{lane}.2/24 dev mx0", f"addr add {here}::2/64 dev mx0",
            f"addr add 172.22.{lane}.1/24 dev bk0", f"addr add {there}::1/64 dev bk0",
            f"neigh replace 10.99.{lane}.1 lladdr {mac[1]} dev mx0 nud permanent",
            f"neigh replace {here}::1 lladdr {mac[1]} dev mx0 nud permanent",
            f"neigh replace 172.22.{lane}.250 lladdr {mac[3]} dev bk0 nud permanent",
            f"neigh replace {there}::250 lladdr {mac[3]} dev bk0 nud permanent",
            f"route add default via 10.99.{lane}.1", f"route add ::/0 via {here}::1",
        ])  # fmt: skip
        _batch(client, [
            f"link set c{lane} up",
            f"addr add 10.99.{lane}.1/24 dev c{lane}", f"addr add {here}::1/64 dev c{lane}",
            f"neigh replace 10.99.{lane}.2 lladdr {mac[0]} dev c{lane} nud permanent",
            f"neigh replace {here}::2 lladdr {mac[0]} dev c{lane} nud permanent",
            f"route add 172.22.{lane}.0/24 via 10.99.{lane}.2", f"route add {there}::/64 via {here}::2",
        ])  # fmt: skip
        _batch(third, [
            "link set b0 up",
            f"addr add 172.22.{lane}.250/24 dev b0", f"addr add {there}::250/64 dev b0",
            f"neigh replace 172.22.{lane}.1 lladdr {mac[2]} dev b0 nud permanent",
            f"neigh replace {there}::1 lladdr {mac[2]} dev b0 nud permanent",
            f"route add default via 172.22.{lane}.1", f"route add ::/0 via {there}::1",
        ])  # fmt: skip

    def _in(self, lane: int, argv: Sequence[str], text: str) -> str:
        done = subprocess.run(
            ("nsenter", f"--net=/run/netns/{self._made[1 + 2 * lane]}", *argv),
            input=text, text=True, capture_output=True, check=False, timeout=PATIENCE,
        )  # fmt: skip
        return (done.stderr.strip() or f"exit {done.returncode}") if done.returncode else ""

    def _out(self, lane: int, *argv: str) -> str:
        done = subprocess.run(
            ("nsenter", f"--net=/run/netns/{self._made[1 + 2 * lane]}", *argv),
            text=True, capture_output=True, check=True, timeout=PATIENCE,
        )  # fmt: skip
        return done.stdout


def _run(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=PATIENCE)
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv)}: {done.stderr.strip()}")


def _batch(name: str, lines: Sequence[str]) -> None:
    """Without `-6` an address tells the family."""
    done = subprocess.run(
        ("ip", "-n", name, "-batch", "-"), input="\n".join(lines), capture_output=True, text=True, check=False,
        timeout=PATIENCE,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"ip -batch in {name}: {done.stderr.strip()}")


_SETTINGS = (
    "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1", "net.ipv4.conf.all.rp_filter=0",
    "net.ipv4.conf.default.rp_filter=0", "net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0",
    "net.ipv6.conf.default.router_solicitations=0",
)  # fmt: skip

# Runs as a process of its own, as it moves from namespace to namespace (setns has no place in Python 3.11's os).
# A line in: [seconds, [[namespace, source, target, port], ...]]; a line out: who got a SYN-ACK.
_HELPER = r"""
import ctypes, errno, json, resource, select, socket, struct, sys, time
libc = ctypes.CDLL(None, use_errno=True)
names, ports = json.loads(sys.argv[1])
resource.setrlimit(resource.RLIMIT_NOFILE, (min(65536, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
places = [open(f"/run/netns/{name}") for name in names]
def move(n):
    if libc.setns(places[n].fileno(), 0x40000000):
        raise OSError(ctypes.get_errno(), "setns")
poll = select.epoll()
listening = {}
for n in range(len(names)):
    move(n)
    for port in ports:
        s = socket.socket(socket.AF_INET6)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        s.bind(("::", port)); s.listen(4096); s.setblocking(False)
        listening[s.fileno()] = s
        poll.register(s, select.EPOLLIN)
print("ready", flush=True)
def drain(s):
    while True:
        try: taken, _ = s.accept()
        except OSError: return
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)); taken.close()
for line in sys.stdin:
    patience, jobs = json.loads(line)
    result, waiting = [False] * len(jobs), {}
    for n in sorted(range(len(jobs)), key=lambda n: jobs[n][0]):
        where, source, target, port = jobs[n]
        move(where)
        s = socket.socket(socket.AF_INET6 if ":" in target else socket.AF_INET)
        s.setblocking(False)
        s.setsockopt(socket.SOL_IP, 24, 1)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        try:
            s.bind((source, 0))
            s.connect((target, port))
        except BlockingIOError:
            waiting[s.fileno()] = (n, s)
            poll.register(s, select.EPOLLOUT)
        except OSError:
            s.close()
    end = time.monotonic() + patience
    while waiting and (left := end - time.monotonic()) > 0:
        for fd, event in poll.poll(left):
            if fd in listening:
                drain(listening[fd])
            elif fd in waiting:
                n, s = waiting.pop(fd)
                error = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                result[n] = error in (0, errno.ECONNRESET)  # reset: after it stood
                poll.unregister(fd); s.close()
    for fd, (n, s) in waiting.items():
        poll.unregister(fd); s.close()
    for s in listening.values(): drain(s)
    print(json.dumps(result), flush=True)
"""
