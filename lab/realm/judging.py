"""The filter of a realm's mail host: a milter that writes down what SPF, DKIM and DMARC say of a message.

The realm has no DNS, so no domain publishes anything: its verdict is always `none`, and it turns nothing away. What
is real is the way: Postfix asks it about each message, by the protocol of Sendmail's libmilter (version 6).

`python -m lab.realm.judging NAME ADDRESS PORT HOST` goes on in the background once it listens.
"""

from __future__ import annotations

import os
import socketserver
import struct
import sys
from pathlib import Path

AT = ("127.0.0.1", 11332)  # where rspamd takes such questions
HEADER = "Authentication-Results"
VERSION = 6
ADDS_HEADERS = 0x01
# Stages it need not hear of: connection, HELO, sender, recipient, body, headers, their end, unknown commands, DATA.
SKIPPED = 0x01 | 0x02 | 0x04 | 0x08 | 0x10 | 0x20 | 0x40 | 0x100 | 0x200
LARGEST = 1 << 20  # octets of a packet


class Asking(socketserver.BaseRequestHandler):
    """One connection of Postfix: packets of a length, a command and what belongs to it."""

    host = ""

    def handle(self) -> None:
        while packet := self._packet():
            match packet[:1]:
                case b"O":
                    self._say(b"O", struct.pack("!III", VERSION, ADDS_HEADERS, SKIPPED))
                case b"E":
                    words = f"{self.host}; spf=none; dkim=none; dmarc=none"
                    self._say(b"h", f"{HEADER}\0{words}\0".encode())
                    self._say(b"a")
                case b"Q":
                    return
                case b"A" | b"D" | b"K":
                    pass  # takes no answer
                case _:
                    self._say(b"c")

    def _packet(self) -> bytes:
        """Empty at the end."""
        head = self._octets(4)
        size = int.from_bytes(head, "big")
        return self._octets(size) if head and size <= LARGEST else b""

    def _octets(self, count: int) -> bytes:
        found = b""
        while len(found) < count:
            if not (more := self.request.recv(count - len(found))):
                return b""
            found += more
        return found

    def _say(self, command: bytes, more: bytes = b"") -> None:
        self.request.sendall(struct.pack("!I", 1 + len(more)) + command + more)


class Filter(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def main(arguments: list[str]) -> None:
    name, address, port, Asking.host = arguments
    Path("/proc/self/comm").write_text(name)
    server = Filter((address, int(port)), Asking)
    if not os.fork():
        os.setsid()
        server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
