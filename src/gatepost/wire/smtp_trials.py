"""Single commands an SMTP server should turn away, and what it answered.

A login is begun and called off (RFC 4954 section 4: `*`) wherever the server allows it: the challenge proves
that it would have read a password, and no failed login is counted against us.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator

from gatepost.model.observation import Capabilities, Tried, Unobserved
from gatepost.model.words import Reason, Role
from gatepost.wire.ask import PASSWORD, USER, Ask, Stage, is_limit
from gatepost.wire.lines import Talk
from gatepost.wire.replies import Reply, command
from gatepost.wire.turns import mechanism, outcome

CREDENTIAL = f"\0{USER}\0{PASSWORD}"
NOBODY = "gatepost-audit-nobody"
OUT_OF_ORDER = frozenset({500, 501, 502, 503, 530, 538})


async def in_clear(talk: Talk, ask: Ask, words: tuple[str, ...], stage: Stage) -> AsyncIterator[Tried]:
    """A transaction that `mail-before-tls` began is left open, for `transaction_kept` to look at."""
    if ask.gentle or ask.protocol == "lmtp":
        return
    mechanisms = Capabilities(ask.at, words, encrypted=False).mechanisms()
    if mechanisms or ask.role is Role.SUBMISSION:
        stage.wanted = "auth-in-clear"
        yield await _auth(talk, ask, mechanisms)
    stage.wanted = "mail-before-tls"
    answer = await command(talk, sent := "MAIL FROM:<>")
    yield outcome(talk, ask, "mail-before-tls", sent, answer.text, accepted=answer.ok)


async def transaction_kept(talk: Talk, ask: Ask) -> Tried:
    """`mail-after-tls`: whether the transaction begun in clear still stands inside TLS.

    MAIL alone would prove nothing, as many servers take it without EHLO; RCPT is out of order (503) unless
    the sender was kept.
    """
    sent = f"RCPT TO:<{_local(ask)}>"
    answer = await command(talk, sent)
    kept = answer.code not in OUT_OF_ORDER
    return outcome(talk, ask, "mail-after-tls", f"MAIL FROM:<> in clear, {sent}", answer.text, accepted=kept)


async def at_last(talk: Talk, ask: Ask, words: tuple[str, ...], stage: Stage) -> AsyncIterator[Tried | Unobserved]:
    """Whatever encryption there is has been reached. The order: what may cost the connection comes last."""
    if ask.gentle or ask.protocol == "lmtp":
        return
    offered = Capabilities(ask.at, words, talk.encrypted)
    if ask.role is Role.SUBMISSION:
        stage.wanted = "mail-before-auth"
        yield await _mail_before_auth(talk, ask)
    stage.wanted = "vrfy"
    yield await _vrfy(talk, ask)
    stage.wanted = "expn"
    answer = await command(talk, "EXPN postmaster")
    yield outcome(talk, ask, "expn", "EXPN postmaster", answer.text, accepted=answer.code in {250, 251})
    if "ANONYMOUS" in offered.mechanisms():
        stage.wanted = "auth-anonymous"
        sent = f"AUTH ANONYMOUS {_base64(ask.me)}"
        answer = await command(talk, sent)
        yield outcome(talk, ask, "auth-anonymous", sent, answer.text, accepted=answer.ok)
    if ask.mine:
        async for tried in _of_mine(talk, ask, offered, stage):
            yield tried


async def _of_mine(talk: Talk, ask: Ask, offered: Capabilities, stage: Stage) -> AsyncIterator[Tried | Unobserved]:
    if offered.has("XFORWARD"):
        stage.wanted = "xforward"
        answer = await command(talk, sent := "XFORWARD ADDR=192.0.2.1 NAME=client.example")
        yield outcome(talk, ask, "xforward", sent, answer.text, accepted=answer.ok)
    if ask.role is Role.MX:
        stage.wanted = "helo-invalid"
        yield await _helo(talk, ask)
    if offered.has("XCLIENT"):
        stage.wanted = "xclient"
        answer = await command(talk, sent := "XCLIENT ADDR=192.0.2.1 NAME=client.example")
        yield outcome(talk, ask, "xclient", sent, answer.text, accepted=answer.ok)


async def _auth(talk: Talk, ask: Ask, mechanisms: tuple[str, ...]) -> Tried:
    wanted = mechanism(mechanisms, "PLAIN")
    sent = f"AUTH {wanted}"
    answer = await command(talk, sent)
    if answer.code == 334:
        await command(talk, "*")
        return outcome(talk, ask, "auth-in-clear", sent, answer.text, accepted=True)
    if answer.code == 501 and wanted == "PLAIN":  # wants the response in the same line
        shown = f"{sent} ***"
        answer = await command(talk, f"{sent} {_base64(CREDENTIAL)}", shown=shown)
        return outcome(talk, ask, "auth-in-clear", shown, answer.text, accepted=answer.code in {235, 535})
    return outcome(talk, ask, "auth-in-clear", sent, answer.text, accepted=False)


async def _mail_before_auth(talk: Talk, ask: Ask) -> Tried:
    """Up to RCPT, because Postfix delays its refusal to there (smtpd_delay_reject)."""
    sent = f"MAIL FROM:<>, RCPT TO:<{_local(ask)}>"
    answer = await _up_to_rcpt(talk, _local(ask))
    return outcome(talk, ask, "mail-before-auth", sent, answer.text, accepted=answer.ok)


async def _vrfy(talk: Talk, ask: Ask) -> Tried:
    """252 says nothing by itself; Postfix gives it for users it has and 550 or 450 for the others."""
    sent = "VRFY postmaster"
    answer = await command(talk, sent)
    if answer.code != 252:
        return outcome(talk, ask, "vrfy", sent, answer.text, accepted=answer.code in {250, 251})
    other = await command(talk, f"VRFY {NOBODY}")
    differs = not other.ok and not is_limit(other.text)
    text = f"{answer.text}; {other.text}"
    return Tried(ask.at, "vrfy", differs, talk.encrypted, f"{sent}, VRFY {NOBODY}", text)


async def _helo(talk: Talk, ask: Ask) -> Tried | Unobserved:
    """A name that is none (RFC 5321 section 4.1.1.1). Refusals are often delayed to RCPT."""
    name = "-gatepost-.-"
    sent = f"HELO {name}"
    answer = await command(talk, sent)
    if not answer.ok:
        return outcome(talk, ask, "helo-invalid", sent, answer.text, accepted=False)
    answer = await _up_to_rcpt(talk, _local(ask))
    sent = f"{sent}, MAIL FROM:<>, RCPT TO:<{_local(ask)}>"
    about_it = any(word in answer.text.lower() for word in ("helo", "ehlo", name))
    if answer.ok or about_it:
        return outcome(talk, ask, "helo-invalid", sent, answer.text, accepted=answer.ok)
    reason = Reason.GREYLISTED if answer.later else Reason.REFUSED
    return Unobserved(ask.at, "helo-invalid", reason, f"refused for another reason: {answer.text}")


async def _up_to_rcpt(talk: Talk, recipient: str) -> Reply:
    """The answer that decides; no transaction is left open."""
    answer = await command(talk, "MAIL FROM:<>")
    if not answer.ok:
        return answer
    answer = await command(talk, f"RCPT TO:<{recipient}>")
    await command(talk, "RSET")
    return answer


def _local(ask: Ask) -> str:
    return ask.recipient or f"postmaster@{ask.domain or ask.at.host}"


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode("ascii")
