"""The relay matrix: in how many ways a stranger may ask for mail to be carried elsewhere.

Only MAIL and RCPT are sent, never DATA: the answer to RCPT is the proof. The outside address lies in a domain
reserved for documentation (RFC 2606), so that even a server which goes on by itself reaches nobody. Such domains
have a null MX; a refusal that is about DNS proves nothing and is reported as not seen.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from gatepost.errors import BudgetSpent, PeerError
from gatepost.model.observation import Tried, Unobserved
from gatepost.model.words import Reason
from gatepost.wire.ask import Ask, lost
from gatepost.wire.lines import Talk
from gatepost.wire.replies import Reply, command
from gatepost.wire.smtp import farewell, session
from gatepost.wire.smtp_trials import NOBODY

OUTSIDE = "example.com"


@dataclass(frozen=True, slots=True)
class Form:
    """Sender and recipient, with `{out}`, `{domain}`, `{host}` and `{ip}` filled in.

    The default sender is a stranger at another documentation domain. `local` names the domain that ends up
    behind the last @ when the server does not rewrite: such a form proves something only when that server
    refuses unknown users there.
    """

    recipient: str = "<relay-test@{out}>"
    sender: str = "<relay-test@example.net>"
    local: str = ""


_FORMS: dict[str, Form] = {
    "outside-sender": Form(),
    "null-sender": Form(sender="<>"),
    "own-domain": Form(sender="<postmaster@{domain}>"),
    "own-domain-uppercase": Form(sender="<POSTMASTER@{DOMAIN}>"),
    "own-user": Form(sender="<root@{domain}>"),
    "nobody-sender": Form(sender="<nobody@{domain}>"),
    "own-host": Form(sender="<postmaster@{host}>"),
    "own-address": Form(sender="<postmaster@{ip}>"),
    "bare-sender": Form(sender="<postmaster>"),
    "localhost-sender": Form(sender="<root@localhost>"),
    "uppercase": Form("<RELAY-TEST@{OUT}>"),
    "trailing-dot": Form("<relay-test@{out}.>"),
    "space-before": Form(" <relay-test@{out}>"),
    "space-inside": Form("< relay-test@{out} >"),
    "no-brackets": Form("relay-test@{out}"),
    "outside-literal": Form("<relay-test@[192.0.2.1]>"),
    "percent": Form("<relay-test%{out}@{domain}>", local="{domain}"),
    "percent-address": Form("<relay-test%{out}@{ip}>", local="{ip}"),
    "percent-bare": Form("<relay-test%{out}>", local="{domain}"),
    "bang": Form("<{out}!relay-test>", local="{domain}"),
    "bang-domain": Form("<{out}!relay-test@{domain}>", local="{domain}"),
    "bang-address": Form("<{out}!relay-test@{ip}>", local="{ip}"),
    "quoted": Form('<"relay-test@{out}">', local="{domain}"),
    "quoted-domain": Form('<"relay-test@{out}"@{domain}>', local="{domain}"),
    "quoted-percent": Form('<"relay-test%{out}"@{domain}>', local="{domain}"),
    "double-at": Form("<relay-test@{out}@{domain}>", local="{domain}"),
    "double-at-address": Form("<relay-test@{out}@{ip}>", local="{ip}"),
    "source-route": Form("<@{domain}:relay-test@{out}>"),
    "source-route-address": Form("<@{ip}:relay-test@{out}>"),
    "source-route-own-sender": Form("<@{domain}:relay-test@{out}>", sender="<postmaster@{domain}>"),
}

FORMS: tuple[str, ...] = tuple(_FORMS)


async def relay(talk: Talk, ask: Ask, forms: Sequence[str]) -> AsyncIterator[Tried | Unobserved]:
    """One `relay:<form>` after the other, on a fresh connection.

    Servers tire of errors (Postfix slows down after 10 and hangs up after 20). What is lost with the
    connection is one Unobserved named plainly `relay`; forms without an answer of their own may be asked again.
    """
    if not ask.mine:
        yield Unobserved(ask.at, "relay", Reason.NOT_ASKED, "only for targets named as yours")
        return
    takes = Takes(ask)
    try:
        await session(talk, ask)
        for name in forms:
            yield await _one(talk, ask, name, takes)
            if (unknown := takes.told()) is not None:
                yield unknown
        await farewell(talk)
    except (BudgetSpent, PeerError) as error:
        yield lost(ask.at, "relay", error)


@dataclass(slots=True)
class Takes:
    """Whether the server takes unknown users at a domain; asked once per domain."""

    ask: Ask
    _known: dict[str, bool] = field(default_factory=dict)
    _told: Tried | None = None

    async def anyone_at(self, talk: Talk, domain: str) -> bool:
        if domain not in self._known:
            answer = await _rcpt(talk, "<>", f"<{NOBODY}@{domain}>")
            self._known[domain] = answer.ok
            if domain == self.ask.domain and (answer.ok or not answer.later):
                sent = f"MAIL FROM:<>, RCPT TO:<{NOBODY}@{domain}>"
                self._told = Tried(self.ask.at, "rcpt-unknown", answer.ok, talk.encrypted, sent, answer.text)
        return self._known[domain]

    def told(self) -> Tried | None:
        """What became of an unknown user of the declared domain, once."""
        told, self._told = self._told, None
        return told


async def _one(talk: Talk, ask: Ask, name: str, takes: Takes) -> Tried | Unobserved:
    form, what = _FORMS[name], f"relay:{name}"
    local = _filled(form.local, ask)
    if local and await takes.anyone_at(talk, local):
        detail = f"unknown users at {local} are accepted, so this form would prove nothing"
        return Unobserved(ask.at, what, Reason.NOT_ASKED, detail)
    sender, recipient = _filled(form.sender, ask), _filled(form.recipient, ask)
    answer = await _rcpt(talk, sender, recipient)
    if not answer.ok and _about_dns(answer.text):
        return Unobserved(ask.at, what, Reason.REFUSED, f"refused because of DNS only: {answer.text}")
    if answer.later:
        return Unobserved(ask.at, what, Reason.GREYLISTED, answer.text)
    sent = f"MAIL FROM:{sender}, RCPT TO:{recipient}"
    return Tried(ask.at, what, answer.ok, talk.encrypted, sent, answer.text)


async def _rcpt(talk: Talk, sender: str, recipient: str) -> Reply:
    """The answer to RCPT, or to MAIL where that is refused already; no transaction is left open."""
    answer = await command(talk, f"MAIL FROM:{sender}")
    if answer.ok:
        answer = await command(talk, f"RCPT TO:{recipient}")
        await command(talk, "RSET")
    return answer


def _filled(template: str, ask: Ask) -> str:
    address = ask.at.address
    literal = f"[IPv6:{address}]" if ask.at.family == 6 else f"[{address}]"
    domain = ask.domain or ask.at.host
    return template.format(
        out=OUTSIDE, OUT=OUTSIDE.upper(), domain=domain, DOMAIN=domain.upper(), host=ask.at.host, ip=literal
    )


_DNS = re.compile(
    r"null ?mx|does not accept mail|5\.1\.10|5\.[14]\.[24]\b|4\.[14]\.[234]\b|unrouteable|unknown domain|\bDNS\b"
    r"|domain (?:name )?(?:not found|does ?n.t exist)|no (?:such|valid) (?:domain|mx)|host (?:name )?lookup"
    r"|cannot (?:be )?(?:find|resolve|verif)",
    re.IGNORECASE,
)


def _about_dns(text: str) -> bool:
    words = text.lower().replace("relay-test", "")
    return _DNS.search(words) is not None and "relay" not in words
