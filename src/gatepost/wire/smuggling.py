"""SMTP smuggling: ends of data that RFC 5321 section 4.1.1.4 does not know, and bare LF as a line ending.

A server that takes one of them for the end reads the rest of the data as commands. Behind each variant stands a
proper end of data, so that no read waits in vain: where the variant ended the message, the proper end is left
over and comes back as unknown commands. Forms that begin with CRLF and a dot are left out: a sending server
doubles such dots, so nobody can get them through it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from gatepost.errors import BudgetSpent, PeerClosed, PeerError, PeerLimited, PeerReset
from gatepost.model.observation import Tried, Unobserved
from gatepost.model.words import Reason
from gatepost.wire.ask import Ask, lost
from gatepost.wire.lines import Talk, printable
from gatepost.wire.replies import Reply, command, reply
from gatepost.wire.smtp import farewell, session

_ENDS: dict[str, bytes] = {
    "lf-dot-lf": b"\n.\n",
    "lf-dot-crlf": b"\n.\r\n",
    "lf-dot-cr": b"\n.\r",
    "cr-dot-cr": b"\r.\r",
    "cr-dot-lf": b"\r.\n",
    "cr-dot-crlf": b"\r.\r\n",
    "crlf-nul-dot-crlf": b"\r\n\0.\r\n",
}

BARE_LF = "bare-lf"
LEFTOVERS = 4  # answers to what a malformed end left over: an empty line, a dot, RSET, one to spare
FORMS: tuple[str, ...] = (BARE_LF, *_ENDS)


async def smuggle(talk: Talk, ask: Ask, forms: Sequence[str]) -> AsyncIterator[Tried | Unobserved]:
    """`bare-lf`, then one `smuggle:<form>` after the other, on a fresh connection.

    Each form delivers a message or two to `ask.recipient`, so without one they are not asked. What is lost with
    the connection is one Unobserved named plainly `smuggling`; forms without an answer may be asked again.
    """
    if not ask.mine:
        yield Unobserved(ask.at, "smuggling", Reason.NOT_ASKED, "only for targets named as yours")
        return
    try:
        await session(talk, ask)
        for name in forms:
            if name == BARE_LF:
                yield await _bare_lf(talk, ask)
            elif ask.recipient:
                yield await _one(talk, ask, name, ask.recipient)
        await farewell(talk)
    except (BudgetSpent, PeerError) as error:
        yield lost(ask.at, "smuggling", error)
    if not ask.recipient and any(name != BARE_LF for name in forms):
        yield Unobserved(ask.at, "smuggling", Reason.NOT_ASKED, "needs a recipient for its test messages")


async def _bare_lf(talk: Talk, ask: Ask) -> Tried:
    """Two commands with LF between them are one to a strict server: the second comes back only from the others.

    RSET, because it may be pipelined (RFC 2920 section 3.1); a server that complains all the same saw two.
    """
    await _write(talk, b"RSET\nXGATEPOST\r\n")
    split, words = await _left_over(talk, await reply(talk))
    return Tried(ask.at, BARE_LF, split, talk.encrypted, "RSET\\nXGATEPOST", words)


async def _left_over(talk: Talk, first: Reply) -> tuple[bool, str]:
    """Whether more answers are due than a strict server owes us, found by asking for one more that must be 2xx."""
    if _minds_pipelining(first.text):
        return True, first.text
    try:
        second = await command(talk, "RSET")
        if second.ok:
            return False, first.text
        words = f"{first.text}; {second.text}"
    except (PeerClosed, PeerReset):
        if first.ok:
            raise
        return False, f"{first.text}; hung up"
    except PeerLimited as error:
        if not _minds_pipelining(str(error)):
            raise
        return True, f"{first.text}; {error}"
    try:
        for _ in range(LEFTOVERS):
            if (await reply(talk)).ok:
                break
    except (PeerClosed, PeerLimited, PeerReset):
        words += "; hung up"  # the next command will tell
    return True, words


def _minds_pipelining(text: str) -> bool:
    return any(word in text.lower() for word in ("synchroni", "pipelin"))


async def _one(talk: Talk, ask: Ask, name: str, recipient: str) -> Tried | Unobserved:
    what, end = f"smuggle:{name}", _ENDS[name]
    opened = await _opened(talk, recipient)
    if opened.code != 354:
        reason = Reason.GREYLISTED if opened.later else Reason.REFUSED
        await command(talk, "RSET")
        return Unobserved(ask.at, what, reason, opened.text)
    await _write(talk, _message(ask, recipient, name) + end + b"\r\n.\r\n")
    ended, words = await _left_over(talk, await reply(talk))
    return Tried(ask.at, what, ended, talk.encrypted, printable(end.decode("latin-1")), words)


async def _opened(talk: Talk, recipient: str) -> Reply:
    """MAIL, RCPT and DATA: the first refusal, or 354."""
    for line in ("MAIL FROM:<>", f"RCPT TO:<{recipient}>"):
        answer = await command(talk, line)
        if not answer.ok:
            return answer
    return await command(talk, "DATA")


def _message(ask: Ask, recipient: str, name: str) -> bytes:
    lines = (
        f"From: gatepost audit <postmaster@{ask.me}>",
        f"To: <{recipient}>",
        f"Subject: gatepost audit: end of data, form {name}",
        "Auto-Submitted: auto-generated",
        "",
        f"gatepost asked {ask.at.host} whether it takes a malformed end of data for a real one.",
        "This message can be deleted.",
    )
    return "\r\n".join(lines).encode("ascii", "replace")


async def _write(talk: Talk, data: bytes) -> None:
    talk.transcript.append(f"> {printable(data.decode('latin-1'), 1000)}")
    await talk.wire.write(data)
