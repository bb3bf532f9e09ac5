r"""A peer that follows a script, and a runner for dialogues that need no event loop.

    < 220 mx.example ESMTP      the peer sends this line
    <= * OK {3}\\r\\nabc           the same, with escapes and without a line ending
    > EHLO *                    the dialogue must send this line (shell wildcards)
    >= .\\r\\n                    the same, raw: the bytes must begin so
    TLS                         the dialogue must start TLS (`TLS fail: words` for a handshake that fails)
    RENEGOTIATE yes             the answer to a renegotiation
    SILENT, TARPIT, RESET       what the next read or write meets; the end of a script is the end of the stream
    # ...                       a comment

Bytes of the peer arrive whole, or `cut` at a time; a read never returns more than one turn of the peer.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, TypeVar

from gatepost.errors import PeerGarbled, PeerReset, PeerSilent, PeerTarpit
from gatepost.model.architecture import Endpoint
from gatepost.model.words import Mode, Role
from gatepost.wire.ask import Ask
from gatepost.wire.lines import TlsFacts

T = TypeVar("T")

FACTS = TlsFacts("TLSv1.3", "TLS_AES_256_GCM_SHA384", "x25519", (b"leaf", b"issuer"))
TROUBLE = {
    "RESET": PeerReset("connection reset"),
    "SILENT": PeerSilent("no answer within 10 s"),
    "TARPIT": PeerTarpit("still talking after 60 s"),
}


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Drive a coroutine that waits for nothing but its scripted wire."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    raise AssertionError("the dialogue waits for something other than its wire")


def collect(steps: AsyncIterator[T]) -> list[T]:
    async def everything() -> list[T]:
        return [one async for one in steps]

    return run(everything())


@dataclass(slots=True)
class Script:
    """The wire a dialogue is handed. Anything out of step is an AssertionError that names the line."""

    steps: list[str]
    cut: int = 0
    facts: TlsFacts = FACTS
    names: list[str | None] = field(default_factory=list)  # SNI of each handshake
    sent: bytearray = field(default_factory=bytearray)  # everything the dialogue wrote
    closed: bool = False
    _due: bytearray = field(default_factory=bytearray)
    _written: bytearray = field(default_factory=bytearray)

    @classmethod
    def of(cls, text: str, cut: int = 0) -> Script:
        lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
        return cls(lines, cut)

    @property
    def done(self) -> bool:
        return not (self.steps or self._due or self._written)

    async def read(self) -> bytes:
        if not self._due:
            self._gather()
        if not self._due:
            return self._nothing()
        size = self.cut or len(self._due)
        data = bytes(self._due[:size])
        del self._due[:size]
        return data

    async def write(self, data: bytes) -> None:
        assert not self._due or not self.steps or self.steps[0][0] == ">", f"unread: {bytes(self._due)!r}"
        self.sent += data
        if not self.steps:
            return
        self._meet_trouble()
        self._written += data
        while self._written and self.steps and self._matched():
            pass

    async def start_tls(self, name: str | None, *, highest: str = "") -> TlsFacts:
        del highest
        if self._due or (self.steps and self.steps[0][0] == "<"):
            raise PeerGarbled("TLS handshake: wrong version number")
        self._meet_trouble()
        if not self.steps:
            raise PeerGarbled("TLS handshake: the connection ended during the handshake")
        step = self.steps.pop(0)
        assert step.startswith("TLS"), f"the dialogue starts TLS where the script has: {step}"
        self.names.append(name)
        if step.startswith("TLS fail:"):
            raise PeerGarbled(f"TLS handshake: {step.removeprefix('TLS fail:').strip()}")
        return self.facts

    async def renegotiate(self) -> bool:
        self._meet_trouble()
        if not self.steps:
            return False
        step = self.steps.pop(0)
        assert step.startswith("RENEGOTIATE"), f"the dialogue renegotiates where the script has: {step}"
        return step.endswith("yes")

    async def close(self) -> None:
        self.closed = True

    def _gather(self) -> None:
        while self.steps and self.steps[0].startswith("<"):
            step = self.steps.pop(0)
            raw = step.startswith("<=")
            text = step[3:] if raw else step[2:]
            self._due += unescaped(text) if raw else text.encode("latin-1") + b"\r\n"

    def _nothing(self) -> bytes:
        self._meet_trouble()
        assert not self.steps, f"the dialogue reads where the script has: {self.steps[0]}"
        return b""

    def _meet_trouble(self) -> None:
        if self.steps and (trouble := TROUBLE.get(self.steps[0])):
            del self.steps[0]
            raise trouble

    def _matched(self) -> bool:
        step = self.steps[0]
        assert step.startswith(">"), f"the dialogue sends {bytes(self._written)!r} where the script has: {step}"
        if step.startswith(">="):
            wanted = unescaped(step[3:])
            assert self._written.startswith(wanted), f"{bytes(self._written)!r} is not {step}"
            del self._written[: len(wanted)]
        else:
            end = self._written.find(b"\r\n")
            if end < 0:
                return False
            line = self._written[:end].decode("latin-1")
            assert fnmatchcase(line, step[2:]), f"the dialogue sends {line!r} where the script has: {step}"
            del self._written[: end + 2]
        del self.steps[0]
        return True


def unescaped(text: str) -> bytes:
    return re.sub(
        r"\\(?:x([0-9a-f]{2})|(.))",
        lambda m: chr(int(m[1], 16)) if m[1] else {"r": "\r", "n": "\n", "0": "\0", "t": "\t"}.get(m[2], m[2]),
        text,
    ).encode("latin-1")


@dataclass(frozen=True, slots=True)
class Case:
    """One case of a `.txt` file: `== title`, `@ settings`, a script, `----`, what must be seen.

    Settings are fields of Ask (`protocol=smtp mode=starttls role=mx mine`), `do=` with the function to run,
    and `whole` where the peer's bytes must not be cut: what lies behind a go-ahead is found in one read.
    """

    title: str
    settings: dict[str, str]
    script: str
    seen: str

    @property
    def ask(self) -> Ask:
        given = self.settings
        return Ask(
            at=Endpoint("mx.example", given.get("address", "192.0.2.25"), 25),
            protocol=given.get("protocol", "smtp"),
            mode=Mode(given.get("mode", "starttls")),
            role=Role(given.get("role", "mx")),
            name="mx.example",
            mine="mine" in given,
            gentle="gentle" in given,
            domain=given.get("domain", "example.org"),
            recipient=given.get("recipient"),
        )


def cases(path: Path) -> list[Case]:
    found = []
    for part in re.split(r"^== ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        title, settings, rest = part.split("\n", 2)
        assert settings.startswith("@"), f"{path.name}: {title}: no settings"
        script, _, seen = rest.partition("----\n")
        pairs = (word.partition("=") for word in settings[1:].split())
        found.append(Case(title, {key: value for key, _, value in pairs}, script, seen.strip()))
    return found


def told(seen: object) -> str:
    """One observation in one line, without its endpoint."""
    values = {f.name: getattr(seen, f.name) for f in fields(seen) if f.name != "at"}  # type: ignore[arg-type]
    values.pop("seconds", None)
    words = [type(seen).__name__, *(f"{k}={_short(v)}" for k, v in values.items() if v not in {"", (), None, False})]
    return " ".join(words)


def _short(value: object) -> str:
    if isinstance(value, tuple):
        return "[" + " | ".join(v[:8] if len(v) == 64 else v for v in value) + "]"
    return str(value).replace("\n", "\\n")
