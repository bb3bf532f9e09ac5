"""What Dovecot's login processes put at the end of a line: `user=<…>, method=…, rip=…, lip=…, TLS, session=<…>`.

`login_log_format_elements` lets an operator choose which, and in what order. The user name is a stranger's and may
imitate all others (`x>, rip=192.0.2.1, foo=<y`): where it ends is told by what stands behind it, in which no element
may come twice and none be unknown before the address. What cannot be told so has no address.
"""

from __future__ import annotations

import re

from gatepost.logs.addresses import address
from gatepost.logs.dialects.doors import service
from gatepost.logs.dialects.draft import Draft
from gatepost.logs.dialects.table import number, secretive, text, version
from gatepost.model.event import Cover

_USUAL = re.compile(
    r"user=<([^<>,]*)>, (?:method=([A-Z0-9-]+), )?rip=([0-9A-Fa-f.:]+), lip=([0-9A-Fa-f.:]+)"
    r"(?:, mpid=\d+)?(?:, (TLS|secured|TSL))?(?:, session=<([^<>]*)>)?"
)
_USER = re.compile(r"(?:^|, )user=<")
_ELEMENT = re.compile(r"([a-z_0-9]+)=(<[^<>]*>|[^,<>]*)|([A-Za-z][^,=<>]*)")
_KNOWN = frozenset({"lip", "lport", "method", "mpid", "rip", "rport", "secured", "session", "tls"})
_TRIES = 64
_COVERS = {"TLS": Cover.TLS, "TSL": Cover.OUTSIDE, "secured": Cover.LOCAL, "trusted": Cover.LOCAL}

Elements = dict[str, str]


def read(draft: Draft, said: str) -> None:
    usual = _USUAL.fullmatch(said)
    if usual is not None:
        user, method, rip, lip, cover, session = usual.groups()
        draft.user = text(user)
        draft.method = method or ""
        draft.client = address(rip)
        draft.local = address(lip)
        draft.cover = _COVERS[cover] if cover else Cover.NONE
        draft.session = session or ""
        return
    user, elements = split(said)
    draft.user = text(user)
    if elements is not None:
        _fill(draft, elements)


def split(said: str) -> tuple[str, Elements | None]:
    """The user name, and all else; None where it cannot be told which words are the daemon's."""
    found = _USER.search(said)
    if found is None:
        return "", _elements(said, {}, strict=False)
    before = _elements(said[: found.start()], {}, strict=False)
    if before is None:
        return "", None
    tail = said[found.end() :]
    ends = [one.start() for one in re.finditer(r">(?=, |$)", tail)][:_TRIES]
    for strict in (True, False):
        for end in ends if strict else reversed(ends):
            elements = _elements(tail[end + 3 :], before, strict=strict)
            if elements is not None and "rip" in elements:
                return tail[:end], elements
    return tail.removesuffix(">"), None


def _elements(said: str, before: Elements, *, strict: bool) -> Elements | None:
    elements = dict(before)
    at = 0
    while at < len(said):
        found = _ELEMENT.match(said, at)
        if found is None or found.end() == at:
            return None
        key, value = (found[1], found[2]) if found[1] else _bare(found[3])
        if key in elements or (strict and key not in _KNOWN and "rip" not in elements):
            return None
        elements[key] = value.removeprefix("<").removesuffix(">")
        at = found.end()
        if at < len(said):
            if not said.startswith(", ", at):
                return None
            at += 2
    return elements


def _bare(word: str) -> tuple[str, str]:
    """Words without a key: TLS, secured, TSL, `TLS handshaking: …`, `TLS: Disconnected`, `TLSv1.3 with cipher …`."""
    return ("tls", word) if " with cipher " in word else ("secured", word)


def _fill(draft: Draft, elements: Elements) -> None:
    draft.method = text(elements.get("method", "").upper())
    draft.client = address(elements.get("rip", ""))
    draft.local = address(elements.get("lip", ""))
    draft.client_port = number_or_none(elements.get("rport", ""))
    draft.port = number_or_none(elements.get("lport", ""))
    draft.session = text(elements.get("session", ""))
    if draft.port is not None:
        draft.service = service(draft.port, draft.service)
    secured = elements.get("secured", "")
    word, _, why = secured.partition(": ")
    draft.cover = Cover.UNKNOWN if word == "TLS handshaking" else _COVERS.get(word, Cover.NONE)
    if word == "TLS handshaking":
        draft.code = draft.code or "handshaking"
        draft.reason = secretive(why) if why and why not in draft.reason else draft.reason
    protocol, _, cipher = elements.get("tls", "").partition(" with cipher ")
    if cipher:
        draft.tls, draft.cipher, draft.cover = version(protocol), cipher.partition(" ")[0], Cover.TLS


def number_or_none(digits: str) -> int | None:
    return number(digits) if digits.isascii() and digits.isdigit() else None
