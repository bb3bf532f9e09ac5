"""Namespaces for blocks: a mail host with a container behind it, and a neighbour with a bad and a good client."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

BAD, GOOD = {4: "192.0.2.66", 6: "2001:db8:b::66"}, {4: "192.0.2.5", 6: "2001:db8:b::5"}
OURS = {4: "192.0.2.1", 6: "2001:db8:b::1"}
INNER = {4: "172.29.0.2", 6: "fd29::2"}
OPEN, PUBLISHED, OTHER = 25, 143, 8025  # on the host, in the container, and no port of mail

LISTENER = """
import socket, sys, threading
def serve(port):
    server = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=64)
    print("up", flush=True)
    while True:
        client, _ = server.accept()
        threading.Thread(target=answer, args=(client,), daemon=True).start()
def answer(client):
    try:
        while part := client.recv(100):
            client.sendall(part)
    except OSError:
        pass
for port in sys.argv[1:]:
    threading.Thread(target=serve, args=(int(port),), daemon=True).start()
threading.Event().wait()
"""
CALLER = """
import socket, sys
source, target, port = sys.argv[1:4]
try:
    call = socket.create_connection((target, int(port)), 1, (source, 0))
    print("reached", flush=True)
    for line in sys.stdin:
        call.sendall(b"x")
        print("alive" if call.recv(1) else "ended", flush=True)
except TimeoutError:
    print("silent", flush=True)
except OSError as error:
    print("refused", flush=True)
"""


@dataclass(frozen=True)
class Ground:
    host: str
    outside: str

    def call(self, source: str, target: str, port: int) -> str:
        """reached, silent or refused."""
        with self.calling(source, target, port) as call:
            return call.first

    @contextmanager
    def calling(self, source: str, target: str, port: int) -> Iterator[Call]:
        argv = ("ip", "netns", "exec", self.outside, sys.executable, "-c", CALLER, source, target, str(port))
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            try:
                yield Call(process, _line(process))
            finally:
                process.kill()


@dataclass(frozen=True)
class Call:
    """A connection that stands, for as long as the block around it."""

    process: subprocess.Popen[str]
    first: str

    def again(self) -> str:
        """alive, ended, silent or refused (a reset counts as that)."""
        assert self.process.stdin
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return _line(self.process)


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


@contextmanager
def ground() -> Iterator[Ground]:
    """Routes for both families, DNAT of one port into the container, an empty filter that accepts what stands."""
    names = [f"gpw{os.getpid()}{part}" for part in ("h", "o", "c")]
    host, outside, inner = names
    with ExitStack() as stack:
        for name in names:
            ip("netns", "add", name)
            stack.callback(ip, "netns", "delete", name)
            ip("-n", name, "link", "set", "lo", "up")
        _wire(host, outside, "out0", [OURS[4] + "/24", OURS[6] + "/64"], [*_with(BAD), *_with(GOOD)])
        _wire(host, inner, "in0", ["172.29.0.1/24", "fd29::1/64"], [INNER[4] + "/24", INNER[6] + "/64"])
        ip("-n", inner, "route", "add", "default", "via", "172.29.0.1")
        ip("-n", inner, "-6", "route", "add", "default", "via", "fd29::1")
        run("ip", "netns", "exec", host, "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        run("ip", "netns", "exec", host, "nft", "-f", "-", stdin=RULES)
        for name, ports in ((host, (OPEN, OTHER)), (inner, (PUBLISHED,))):
            stack.enter_context(_listening(name, ports))
        yield Ground(host, outside)


RULES = f"""
table inet other {{
  chain nat {{ type nat hook prerouting priority -100;
    ip daddr {OURS[4]} tcp dport {PUBLISHED} dnat ip to {INNER[4]}:{PUBLISHED}
    ip6 daddr {OURS[6]} tcp dport {PUBLISHED} dnat ip6 to [{INNER[6]}]:{PUBLISHED}
  }}
  chain input {{ type filter hook input priority 0; policy accept;
    ct state established,related accept
  }}
  chain forward {{ type filter hook forward priority 0; policy accept;
    ct state established,related accept
  }}
}}
"""


def _with(addresses: dict[int, str]) -> list[str]:
    return [f"{addresses[4]}/24", f"{addresses[6]}/64"]


def _wire(one: str, other: str, name: str, here: list[str], there: list[str]) -> None:
    ip("-n", one, "link", "add", name, "type", "veth", "peer", "name", name, "netns", other)
    for space, addresses in ((one, here), (other, there)):
        for address in addresses:
            ip("-n", space, "address", "add", address, "dev", name, *(["nodad"] if ":" in address else []))
        ip("-n", space, "link", "set", name, "up")


@contextmanager
def _listening(name: str, ports: tuple[int, ...]) -> Iterator[None]:
    argv = ("ip", "netns", "exec", name, sys.executable, "-c", LISTENER, *map(str, ports))
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert [_line(process) for _ in ports] == ["up"] * len(ports)
            yield
        finally:
            process.kill()


def ip(*words: str) -> None:
    run("ip", *words)


def run(*argv: str, stdin: str = "") -> None:
    subprocess.run(argv, check=True, input=stdin, text=True, timeout=30, capture_output=True)
