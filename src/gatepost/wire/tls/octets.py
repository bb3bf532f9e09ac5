"""Numbers and length-prefixed vectors, in and out (RFC 8446 section 3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gatepost.errors import PeerGarbled


def vector(data: bytes, width: int) -> bytes:
    """`data` behind its length in `width` octets."""
    return len(data).to_bytes(width, "big") + data


def numbers(values: Iterable[int], width: int = 2) -> bytes:
    return b"".join(value.to_bytes(width, "big") for value in values)


@dataclass(slots=True)
class Octets:
    """A cursor over bytes of a peer; a short read blames the peer and names `what` was being read."""

    data: bytes
    what: str
    at: int = 0

    def take(self, count: int) -> bytes:
        end = self.at + count
        if end > len(self.data):
            raise PeerGarbled(f"TLS: {self.what} is shorter than it says")
        taken = self.data[self.at : end]
        self.at = end
        return taken

    def number(self, width: int) -> int:
        return int.from_bytes(self.take(width), "big")

    def vector(self, width: int) -> bytes:
        return self.take(self.number(width))

    def rest(self) -> bytes:
        return self.take(len(self.data) - self.at)

    @property
    def more(self) -> bool:
        return self.at < len(self.data)

    def end(self) -> None:
        if self.more:
            raise PeerGarbled(f"TLS: {self.what} is longer than it says")


def read_numbers(data: bytes, what: str, width: int = 2) -> tuple[int, ...]:
    if len(data) % width:
        raise PeerGarbled(f"TLS: {what} has an odd length")
    return tuple(int.from_bytes(data[i : i + width], "big") for i in range(0, len(data), width))


def read_vectors(data: bytes, what: str, width: int) -> tuple[bytes, ...]:
    """A run of vectors, each behind its own length."""
    octets = Octets(data, what)
    found = []
    while octets.more:
        found.append(octets.vector(width))
    return tuple(found)
