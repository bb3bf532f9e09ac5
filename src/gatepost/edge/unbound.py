"""DNSSEC validation on this machine, by libunbound where it is installed, through a resolver nobody has to trust.

Only the resolver named is asked: libunbound is told to forward everything there. Its thread hands results over
through a descriptor that the event loop watches, so each question can be given up when its time is over.
"""

from __future__ import annotations

import asyncio
import ctypes
import weakref
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from gatepost.edge.belief import Validated
from gatepost.edge.query import IN, Query, query
from gatepost.errors import UsageError, because
from gatepost.model.dns import Security
from gatepost.records.sentences import one_line

LIBRARIES = ("libunbound.so.8", "libunbound.8.dylib")
ANCHORS = (Path("/var/lib/unbound/root.key"), Path("/usr/share/dns/root.key"), Path("/etc/unbound/root.key"))
MAX_ANCHOR = 65536  # octets
NOERROR, NXDOMAIN = 0, 3
RESERVED = (
    "test.",
    "invalid.",
    "home.arpa.",
    "127.in-addr.arpa.",
)  # libunbound answers these itself unless told not to
OPTIONS = {
    "do-not-query-localhost:": "no",  # the resolver may well be on this machine
    "unblock-lan-zones:": "yes",
    "use-syslog:": "no",
}


class _Result(ctypes.Structure):
    """`struct ub_result` of unbound.h, the same since libunbound.so.8 began."""

    _fields_ = (
        ("qname", ctypes.c_char_p),
        ("qtype", ctypes.c_int),
        ("qclass", ctypes.c_int),
        ("data", ctypes.c_void_p),
        ("len", ctypes.c_void_p),
        ("canonname", ctypes.c_char_p),
        ("rcode", ctypes.c_int),
        ("answer_packet", ctypes.c_void_p),
        ("answer_len", ctypes.c_int),
        ("havedata", ctypes.c_int),
        ("nxdomain", ctypes.c_int),
        ("secure", ctypes.c_int),
        ("bogus", ctypes.c_int),
        ("why_bogus", ctypes.c_char_p),
        ("was_ratelimited", ctypes.c_int),
        ("ttl", ctypes.c_int),
    )


_CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(_Result))


class Unbound:
    """A `Validator`. Loads and starts libunbound with the first question; `close` stops its thread."""

    def __init__(self, library: ctypes.CDLL, places: tuple[tuple[str, int], ...], anchor: Path) -> None:
        self.anchors = anchor_names(anchor)
        self._library = library
        self._places = places
        self._anchor = anchor
        self._context: int | None = None
        self._stop: Callable[[], object] = lambda: None
        self._waiting: dict[int, asyncio.Future[Validated]] = {}
        self._watched: tuple[asyncio.AbstractEventLoop, int] | None = None
        self._tokens = 0
        self._callback = _CALLBACK(self._arrived)
        self._sound: bool | None = None

    async def __call__(self, asked: Query, seconds: float) -> Validated:
        if not self._covered(asked.name):
            return _unknown(f"no trust anchor covers {asked.name}")
        try:
            async with asyncio.timeout(seconds):
                if not await self._anchored():
                    return _unknown(f"the keys of {', '.join(self.anchors)} cannot be validated through this resolver")
                return await self._ask(asked)
        except TimeoutError:
            return _unknown(f"libunbound does not finish with {asked.name} within {seconds:.2g} s")

    def close(self) -> None:
        """Questions still under way are given up."""
        for done in self._waiting.values():
            if not done.done():
                done.set_result(_unknown("libunbound was stopped"))
        self._unwatch()
        self._stop()
        self._context = None

    async def _anchored(self) -> bool:
        """A resolver that strips signatures, or another root, would make every name bogus: that is not their fault."""
        if self._sound is None:
            keys = [asked for name in self.anchors if (asked := query(name, "DNSKEY"))]
            told = [await self._ask(one) for one in keys]
            self._sound = any(one.security is Security.SECURE for one in told)
        return self._sound

    async def _ask(self, asked: Query) -> Validated:
        context = self._started()
        if context is None:
            return _unknown("libunbound does not start")
        loop = asyncio.get_running_loop()
        self._tokens += 1
        token, number = self._tokens, ctypes.c_int()
        name = asked.name if asked.name == "." else f"{asked.name}."
        kind = int.from_bytes(asked.section[-4:-2], "big")
        done = self._waiting[token] = loop.create_future()
        self._watch(loop, context)
        try:
            failed = self._library.ub_resolve_async(
                context, name.encode("ascii"), kind, IN, token, self._callback, ctypes.byref(number)
            )
            return _unknown(f"libunbound: {self._words(failed)}") if failed else await done
        finally:
            del self._waiting[token]
            if self._context == context:  # else it was closed meanwhile, and is gone
                if not done.done() or done.cancelled():
                    self._library.ub_cancel(context, number)
                if not self._waiting:
                    self._unwatch()

    def _watch(self, loop: asyncio.AbstractEventLoop, context: int) -> None:
        if self._watched is None:
            self._watched = loop, self._library.ub_fd(context)
            loop.add_reader(self._watched[1], self._library.ub_process, context)

    def _unwatch(self) -> None:
        """Nothing stays registered with a loop that has no question under way: it may never be told of our end."""
        if self._watched is not None:
            loop, descriptor = self._watched
            self._watched = None
            if not loop.is_closed():
                loop.remove_reader(descriptor)

    def _arrived(self, token: int, failed: int, result: Any) -> None:  # noqa: ANN401 - a pointer, which ctypes cannot type
        done = self._waiting.get(token)
        if done is not None and not done.done():
            done.set_result(_unknown(f"libunbound: {self._words(failed)}") if failed else self._told(result.contents))
        if not failed:
            self._library.ub_resolve_free(result)

    def _told(self, result: _Result) -> Validated:
        if result.bogus:
            return Validated(Security.BOGUS, why=f"{_cause(result)}, says libunbound on this machine")
        if result.rcode not in {NOERROR, NXDOMAIN}:
            return _unknown(f"libunbound got no answer for {(result.qname or b'').decode('latin-1')}")
        if result.secure:
            return Validated(Security.SECURE, ctypes.string_at(result.answer_packet, result.answer_len))
        end = (result.canonname or result.qname or b"").decode("latin-1")
        return Validated(Security.INSECURE) if self._covered(end) else _unknown(f"no trust anchor covers {end}")

    def _covered(self, name: str) -> bool:
        plain = f".{name.lower().removesuffix('.')}"
        return any(anchor == "." or plain.endswith(f".{anchor}") for anchor in self.anchors)

    def _started(self) -> int | None:
        if self._context is None and (context := self._library.ub_ctx_create()):
            self._context = context
            self._stop = weakref.finalize(self, self._library.ub_ctx_delete, context)
            self._prepare(context)
        return self._context

    def _prepare(self, context: int) -> None:
        for option, value in OPTIONS.items():
            self._library.ub_ctx_set_option(context, option.encode(), value.encode())
        for address, port in self._places:
            self._library.ub_ctx_set_fwd(context, f"{address}@{port}".encode())
        self._library.ub_ctx_add_ta_file(context, str(self._anchor).encode())
        self._library.ub_ctx_async(context, 1)
        for zone in RESERVED:
            self._library.ub_ctx_zone_remove(context, zone.encode())

    def _words(self, failed: int) -> str:
        return str(self._library.ub_strerror(failed).decode("latin-1"))


def validator(places: tuple[tuple[str, int], ...], anchor: Path | None = None) -> Unbound | None:
    """None without libunbound or without a trust anchor. Raises UsageError for a file that holds none."""
    found = anchor or next((path for path in ANCHORS if _usable(path)), None)
    if found is None or (library := _library()) is None:
        if anchor is not None:
            anchor_names(anchor)
        return None
    return Unbound(library, places, found)


def anchor_names(path: Path) -> tuple[str, ...]:
    """The zones whose keys a file holds, as DS or DNSKEY records. Raises UsageError."""
    try:
        with path.open("rb") as file:
            lines = file.read(MAX_ANCHOR).decode("latin-1").splitlines()
    except OSError as error:
        raise UsageError(f"{path}: {because(error)}") from None
    rows = [line.partition(";")[0].split() for line in lines]
    names = [row[0] for row in rows if {"DS", "DNSKEY"} & {word.upper() for word in row[1:5]}]
    asked = [one for name in names if (one := query(name, "DNSKEY"))]
    if not asked:
        raise UsageError(f"{path}: holds no trust anchor (a DS or DNSKEY record)")
    return tuple(dict.fromkeys(one.name for one in asked))


def _usable(path: Path) -> bool:
    try:
        return bool(anchor_names(path))
    except UsageError:
        return False


@cache
def _library() -> ctypes.CDLL | None:
    for name in LIBRARIES:
        try:
            library = ctypes.CDLL(name)
        except OSError:
            continue
        _declare(library)
        return library
    return None


def _declare(library: ctypes.CDLL) -> None:
    """Without types ctypes cuts a pointer to 32 bits."""
    context, text, pointer = ctypes.c_void_p, ctypes.c_char_p, ctypes.POINTER(ctypes.c_int)
    library.ub_ctx_create.restype = context
    library.ub_strerror.restype = text
    library.ub_ctx_set_option.argtypes = (context, text, text)
    library.ub_ctx_set_fwd.argtypes = (context, text)
    library.ub_ctx_add_ta_file.argtypes = (context, text)
    library.ub_ctx_zone_remove.argtypes = (context, text)
    library.ub_ctx_async.argtypes = (context, ctypes.c_int)
    library.ub_resolve_async.argtypes = (context, text, ctypes.c_int, ctypes.c_int, context, _CALLBACK, pointer)
    library.ub_cancel.argtypes = (context, ctypes.c_int)
    library.ub_resolve_free.argtypes = (ctypes.POINTER(_Result),)
    library.ub_resolve_free.restype = None
    for one in (library.ub_fd, library.ub_process, library.ub_ctx_delete):
        one.argtypes = (context,)
    library.ub_ctx_delete.restype = None


def _cause(result: _Result) -> str:
    """Without the question, which it repeats in front: `validation failure <example.org. MX IN>: …`."""
    told = (result.why_bogus or b"").decode("utf-8", "replace")
    return " ".join(one_line(told.rpartition(">: ")[2]).split())[:200] or "validation failed"


def _unknown(why: str) -> Validated:
    return Validated(Security.UNKNOWN, why=why)
