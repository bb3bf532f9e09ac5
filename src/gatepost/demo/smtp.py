"""SMTP, submission and LMTP as a small server speaks them (RFC 5321, 6409, 2033, 3207, 4954)."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

from OpenSSL import SSL

from gatepost.demo.habits import Habits, Injection, Starttls
from gatepost.demo.relaying import known_here, relayed
from gatepost.demo.stream import Gone, Stream

HELO_NAME = re.compile(r"\[[0-9A-Fa-f:.Ipv]+\]|(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)*[A-Za-z0-9-]*[A-Za-z0-9]")
SECOND_LOOK = 0.02  # seconds
PATH = re.compile(r"(?:FROM|TO):\s*(<.*>|\S+)(?:\s.*)?", re.IGNORECASE)


@dataclass(slots=True)
class Session:
    stream: Stream
    habits: Habits
    context: SSL.Context
    helo: str = ""
    sender: str | None = None
    recipients: int = 0
    done: bool = False

    async def run(self) -> None:
        habits = self.habits
        if habits.implicit:
            await self.stream.start_tls(self.context)
        await self._greet()
        while not self.done:
            line = (await self.stream.line(bare_lf=habits.bare_lf)).decode("latin-1")
            await asyncio.sleep(habits.answer_delay)
            await self._command(line)

    async def _greet(self) -> None:
        habits = self.habits
        if habits.limit:
            await self.stream.say(habits.limit)
            raise Gone
        early = await self._early()
        await asyncio.sleep(habits.greet_delay)
        if early and not habits.hears_early:
            await self.stream.say("554 5.5.0 talks before the greeting")
            raise Gone
        await self.stream.say(f"220 {habits.banner or f'{habits.name} ESMTP'}")

    async def _early(self) -> bool:
        """Whether the client talked before it was greeted: a moment is all this server waits to find out.

        And another look: in a busy process its time may be up in the very turn in which the words arrive.
        """
        for moment in (self.habits.suspicion, SECOND_LOOK):
            try:
                async with asyncio.timeout(moment):
                    await self.stream.more()
            except TimeoutError:
                continue
            return True
        return False

    async def _command(self, line: str) -> None:
        verb, _, rest = line.partition(" ")
        handler = _VERBS.get(verb.upper())
        if handler is None:
            await self.stream.say(f"500 5.5.2 {verb[:20]!r} is not a command here")
            return
        await handler(self, rest)

    async def ehlo(self, rest: str) -> None:
        if not await self._helo(rest):
            return
        words = [self.habits.name, "PIPELINING", "SIZE 10240000", "8BITMIME", "ENHANCEDSTATUSCODES"]
        words += self._upgrade_words() + self._auth_words()
        if self.habits.xclient:
            words.append("XCLIENT NAME ADDR")
        await self.stream.say(*(f"250-{word}" for word in words[:-1]), f"250 {words[-1]}")

    async def plain_helo(self, rest: str) -> None:
        if self.habits.protocol == "lmtp":
            await self.stream.say("500 5.5.1 this is LMTP")
        elif await self._helo(rest):
            await self.stream.say(f"250 {self.habits.name}")

    async def only_smtp_ehlo(self, rest: str) -> None:
        if self.habits.protocol == "lmtp":
            await self.stream.say("500 5.5.1 this is LMTP")
        else:
            await self.ehlo(rest)

    async def only_lmtp_lhlo(self, rest: str) -> None:
        if self.habits.protocol == "lmtp":
            await self.ehlo(rest)
        else:
            await self.stream.say("500 5.5.1 this is SMTP")

    async def _helo(self, name: str) -> bool:
        if not self.habits.any_helo and not HELO_NAME.fullmatch(name.strip()):
            await self.stream.say("501 5.5.2 HELO wants a host name")
            return False
        self.helo, self.sender, self.recipients = name, None, 0
        return True

    def _upgrade_words(self) -> list[str]:
        habits = self.habits
        if self.stream.encrypted and not habits.starttls_again:
            return []
        words = {Starttls.OFFERED: ["STARTTLS"], Starttls.TEMPORARY: ["STARTTLS"], Starttls.MANGLED: ["XXXXXXXA"]}
        return words.get(habits.starttls, [])

    def _auth_words(self) -> list[str]:
        habits = self.habits
        if not habits.submission or not habits.mechanisms or not (self.stream.encrypted or habits.login_in_clear):
            return []
        return [f"AUTH {' '.join(habits.mechanisms)}"]

    async def starttls(self, _rest: str) -> None:
        habits = self.habits
        if self.stream.encrypted:
            await self.stream.say("503 5.5.1 TLS is running")
        elif habits.starttls is Starttls.TEMPORARY:
            await self.stream.say("454 4.7.0 TLS not available due to local problem")
        elif habits.starttls is not Starttls.OFFERED:
            await self.stream.say("502 5.5.1 STARTTLS is not here")
        else:
            extra = "250 2.0.0 injected\r\n" if habits.injection is Injection.RESPONSE else ""
            await self.stream.send(f"220 2.0.0 ready to start TLS\r\n{extra}".encode())
            await self.stream.start_tls(self.context, keep=habits.injection is Injection.COMMAND)
            if habits.injection is not Injection.STATE:
                self.helo, self.sender, self.recipients = "", None, 0

    async def auth(self, rest: str) -> None:
        habits = self.habits
        mechanism, _, initial = rest.partition(" ")
        if not self._auth_words():
            await self.stream.say(
                "530 5.7.0 must issue a STARTTLS command first" if habits.submission else "503 5.5.1 no"
            )
        elif mechanism.upper() not in habits.mechanisms:
            await self.stream.say("504 5.5.4 unknown mechanism")
        elif mechanism.upper() == "ANONYMOUS":
            await self.stream.say("235 2.7.0 welcome, whoever you are")
        else:
            if not initial:
                await self.stream.say("334 ")
                initial = (await self.stream.line()).decode("latin-1")
            await self.stream.say("501 5.0.0 called off" if initial == "*" else "535 5.7.8 authentication failed")

    async def mail(self, rest: str) -> None:
        habits, path = self.habits, PATH.fullmatch(rest)
        if habits.submission and not self.stream.encrypted and habits.requires_tls:
            await self.stream.say("530 5.7.0 must issue a STARTTLS command first")
        elif habits.submission and not habits.takes_strangers:
            await self.stream.say("530 5.7.0 authentication required")
        elif not self.helo:
            await self.stream.say("503 5.5.1 say EHLO first")
        elif path is None:
            await self.stream.say("501 5.5.4 MAIL FROM:<address>")
        else:
            self.sender, self.recipients = path[1].strip("<> "), 0
            await self.stream.say("250 2.1.0 ok")

    async def rcpt(self, rest: str) -> None:
        habits, path = self.habits, PATH.fullmatch(rest)
        if self.sender is None:
            await self.stream.say("503 5.5.1 MAIL first")
        elif path is None or not path[1].startswith("<"):
            await self.stream.say("501 5.5.4 RCPT TO:<address>")
        elif habits.greylists:
            await self.stream.say("451 4.7.1 greylisted, come back in five minutes")
        elif relayed(habits, self.sender, path[1][1:-1]) or known_here(habits, path[1][1:-1]):
            self.recipients += 1
            await self.stream.say("250 2.1.5 ok")
        elif path[1][1:-1].lower().endswith(f"@{habits.domain}"):
            await self.stream.say("550 5.1.1 no such user here")
        else:
            await self.stream.say("554 5.7.1 relay access denied")

    async def data(self, _rest: str) -> None:
        habits = self.habits
        if not self.recipients:
            await self.stream.say("503 5.5.1 RCPT first")
            return
        await self.stream.say("354 end with a dot on a line of its own")
        ends = (b"\r\n.\r\n", *sorted(habits.smuggled_ends))
        taken = await self.stream.until(ends)
        self.sender, self.recipients = None, 0
        refused = not habits.bare_lf and re.search(rb"(?<!\r)\n", taken)
        await self.stream.say("550 5.5.2 bare LF" if refused else "250 2.0.0 taken and thrown away")
        if refused:
            raise Gone

    async def reset(self, _rest: str) -> None:
        self.sender, self.recipients = None, 0
        await self.stream.say("250 2.0.0 ok")

    async def noop(self, _rest: str) -> None:
        await self.stream.say("250 2.0.0 ok")

    async def verify(self, rest: str) -> None:
        if not self.habits.verifies:
            await self.stream.say("502 5.5.1 not here")
        elif rest.strip("<>").partition("@")[0] in self.habits.users:
            await self.stream.say(f"250 2.1.5 <{rest}@{self.habits.domain}>")
        else:
            await self.stream.say("550 5.1.1 no such user here")

    async def xclient(self, _rest: str) -> None:
        await self.stream.say("220 as you say" if self.habits.xclient else "500 5.5.2 unknown")

    async def quit(self, _rest: str) -> None:
        self.done = True
        await self.stream.say("221 2.0.0 bye")


_VERBS = {
    "AUTH": Session.auth,
    "DATA": Session.data,
    "EHLO": Session.only_smtp_ehlo,
    "EXPN": Session.verify,
    "HELO": Session.plain_helo,
    "LHLO": Session.only_lmtp_lhlo,
    "MAIL": Session.mail,
    "NOOP": Session.noop,
    "QUIT": Session.quit,
    "RCPT": Session.rcpt,
    "RSET": Session.reset,
    "STARTTLS": Session.starttls,
    "VRFY": Session.verify,
    "XCLIENT": Session.xclient,
}
