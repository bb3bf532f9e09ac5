"""A port shut on trial, with real packets: new connections are reset, old ones go on, and it opens by itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from gatepost.edge.host.runner import Runner, Ways
from gatepost.edge.retiring.brownout import open_again, shut, shut_now, turned_away
from gatepost.errors import StepFailed

PORT, OTHER = 110, 995
NAMESPACE = f"gp-brown-{os.getpid()}"

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("nft"), reason="needs root and nft"),
]

SERVER = """
import select, socket, sys
held = []
listeners = []
for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
    for port in map(int, sys.argv[1:]):
        one = socket.create_server((address, port), family=family)
        listeners.append(one)
print("ready", flush=True)
while True:
    ready, _, _ = select.select(listeners + held, [], [])
    for one in ready:
        if one in listeners:
            held.append(one.accept()[0])
            held[-1].sendall(b"hello")
        else:
            data = one.recv(99)
            one.sendall(data) if data else held.remove(one)
"""
KNOCK = """
import socket, sys
try:
    print(socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=3).recv(5).decode())
except OSError as error:
    print(type(error).__name__)
"""
STAY = """
import socket, sys
one = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=5)
print(one.recv(5).decode(), flush=True)
sys.stdin.readline()
one.sendall(b"still")
print(one.recv(5).decode(), flush=True)
"""


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


def spoken(code: str, *words: object) -> list[str]:
    return ["ip", "netns", "exec", NAMESPACE, sys.executable, "-c", code, *map(str, words)]


def knock(port: int, address: str = "127.0.0.1") -> str:
    return subprocess.run(spoken(KNOCK, address, port), check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def host() -> Iterator[Runner]:
    run("ip", "netns", "add", NAMESPACE)
    server = None
    try:
        run("ip", "-n", NAMESPACE, "link", "set", "lo", "up")
        server = subprocess.Popen(spoken(SERVER, PORT, OTHER), stdout=subprocess.PIPE)
        assert server.stdout
        assert server.stdout.readline() == b"ready\n"
        with Ways() as ways:
            yield ways.to(f"netns {NAMESPACE}")
    finally:
        if server:
            server.kill()
            server.communicate()
        run("ip", "netns", "del", NAMESPACE)


def test_new_connections_are_reset_and_standing_ones_go_on(host: Runner) -> None:
    standing = subprocess.Popen(spoken(STAY, PORT), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert standing.stdout
    assert standing.stdout.readline() == "hello\n"
    shut(host, (PORT,), 60)
    assert [knock(PORT), knock(PORT, "::1"), knock(OTHER)] == ["ConnectionRefusedError"] * 2 + ["hello"]
    assert standing.communicate("go on\n", timeout=10)[0] == "still\n"
    assert turned_away(host) == 2
    assert 0 < shut_now(host)[PORT] <= 60
    open_again(host)
    assert (knock(PORT), shut_now(host)) == ("hello", {})


def test_the_kernel_opens_it_again_by_itself(host: Runner) -> None:
    shut(host, (PORT,), 2)
    assert knock(PORT) == "ConnectionRefusedError"
    deadline = time.monotonic() + 10
    while knock(PORT) != "hello":
        assert time.monotonic() < deadline
    assert shut_now(host) == {}


def test_a_second_trial_keeps_the_first(host: Runner) -> None:
    shut(host, (PORT,), 60)
    shut(host, (OTHER,), 30)
    assert set(shut_now(host)) == {PORT, OTHER}
    open_again(host)
    open_again(host)


def test_says_what_nft_says(host: Runner) -> None:
    with pytest.raises(StepFailed, match=r"(?i)error"):
        shut(host, (-1,), 60)
