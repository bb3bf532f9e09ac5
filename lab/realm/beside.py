"""What stands beside the mail ports: databases, filters, workstations. Only their greetings are real.

`python -m lab.realm.beside NAME PORT…` listens on every address, calls itself NAME, so that the mail host has
processes named as an administrator knows them, and goes on in the background once it listens.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import sys
from pathlib import Path

GREETINGS = {
    "mysqld": b"J\x00\x00\x00\n5.5.5-10.11.6-MariaDB\x00",
    "rspamd": b"",
    "smbd": b"",
    "sshd": b"SSH-2.0-OpenSSH_9.2\r\n",
    "xrdp": b"",
}
BACKLOG = 64
BRIEF = 15  # characters that the kernel keeps of a process name


def main(arguments: list[str]) -> None:
    name, ports = arguments[0], [int(port) for port in arguments[1:]]
    Path("/proc/self/comm").write_text(name[:BRIEF])
    selector = selectors.DefaultSelector()
    for port in ports:
        listener = socket.create_server(("::", port), family=socket.AF_INET6, backlog=BACKLOG, dualstack_ipv6=True)
        selector.register(listener, selectors.EVENT_READ)
    if not os.fork():
        os.setsid()
        _serve(selector, GREETINGS[name])


def _serve(selector: selectors.BaseSelector, greeting: bytes) -> None:
    while True:
        for key, _ in selector.select():
            assert isinstance(key.fileobj, socket.socket)  # noqa: S101 - tells the checker what was registered
            client, _address = key.fileobj.accept()
            with client, contextlib.suppress(OSError):
                client.sendall(greeting)


if __name__ == "__main__":
    main(sys.argv[1:])
