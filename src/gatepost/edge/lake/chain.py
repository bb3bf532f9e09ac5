"""The chain of links: what was written, each line of it bound to all before, so that a later change shows.

A link's digest is SHA-256 over the digest before it and the digest of its body. Every digest is also appended to
CHAIN.txt beside the database: whoever cuts the end off the database has to cut that file too. Who may write both can
write a whole new chain; against that helps only a digest noted somewhere else (`gatepost logs verify --head`).
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

START = "0" * 64
HEADS = "CHAIN.txt"
MOST_LINE = 200


@dataclass(frozen=True, slots=True)
class Link:
    """One line of the chain. `body` is JSON with sorted keys: the very text that was digested."""

    sequence: int
    digest: str
    body: str


def link(sequence: int, previous: str, body: dict[str, object]) -> Link:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return Link(sequence, digest(previous, sequence, text), text)


def digest(previous: str, sequence: int, body: str) -> str:
    inner = hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()
    return hashlib.sha256(f"{previous} {sequence} {inner}".encode()).hexdigest()


def heads(directory: Path) -> dict[int, str]:
    """Digests as CHAIN.txt has them. A line that a crash cut in half does not count."""
    try:
        lines = (directory / HEADS).read_text("ascii", "replace").splitlines()
    except FileNotFoundError:
        return {}
    words = [line[:MOST_LINE].split() for line in lines]
    return {int(w[0]): w[1] for w in words if len(w) == 2 and w[0].isdecimal() and len(w[1]) == len(START)}


def note(directory: Path, links: list[Link]) -> None:
    """Append digests, durably. After a crash in the middle of a line the next one starts on a line of its own."""
    if not links:
        return
    handle = os.open(directory / HEADS, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        size = os.fstat(handle).st_size
        torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
        text = ("\n" if torn else "") + "".join(f"{one.sequence} {one.digest}\n" for one in links)
        os.write(handle, text.encode())
        os.fsync(handle)
    finally:
        os.close(handle)
