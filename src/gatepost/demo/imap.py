"""IMAP as a small server speaks it before anybody has logged in (RFC 9051)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from OpenSSL import SSL

from gatepost.demo.habits import Habits, Injection, Starttls
from gatepost.demo.stream import Gone, Stream


@dataclass(slots=True)
class Session:
    stream: Stream
    habits: Habits
    context: SSL.Context
    done: bool = False

    async def run(self) -> None:
        if self.habits.implicit:
            await self.stream.start_tls(self.context)
        await asyncio.sleep(self.habits.greet_delay)
        if self.habits.limit:
            await self.stream.say(self.habits.limit)
            raise Gone
        state = "PREAUTH" if self.habits.preauth else "OK"
        banner = self.habits.banner or f"{self.habits.name} ready"
        if not self.habits.hears_early:
            self.stream.held.clear()
        await self.stream.say(f"* {state} [CAPABILITY {self._words()}] {banner}")
        while not self.done:
            await self._command((await self.stream.line(bare_lf=True)).decode("latin-1"))

    def _words(self) -> str:
        habits, words = self.habits, ["IMAP4rev1", "ID", "ENABLE"]
        if not self.stream.encrypted or habits.starttls_again:
            words += {
                Starttls.OFFERED: ["STARTTLS"], Starttls.TEMPORARY: ["STARTTLS"], Starttls.MANGLED: ["XXXXXXXA"]
            }.get(habits.starttls, [])  # fmt: skip
        if self._login_allowed():
            words += [f"AUTH={mechanism}" for mechanism in habits.mechanisms]
        else:
            words.append("LOGINDISABLED")
        return " ".join(words)

    def _login_allowed(self) -> bool:
        return self.stream.encrypted or self.habits.login_in_clear

    async def _command(self, line: str) -> None:
        await asyncio.sleep(self.habits.answer_delay)
        tag, _, rest = line.partition(" ")
        verb, _, argument = rest.partition(" ")
        match verb.upper():
            case "CAPABILITY":
                await self.stream.say(f"* CAPABILITY {self._words()}", f"{tag} OK done")
            case "NOOP":
                await self.stream.say(f"{tag} OK done")
            case "LOGOUT":
                self.done = True
                await self.stream.say("* BYE bye", f"{tag} OK done")
            case "STARTTLS":
                await self._starttls(tag)
            case "LOGIN" | "AUTHENTICATE":
                await self._login(tag, verb.upper(), argument)
            case _:
                await self.stream.say(f"{tag or '*'} BAD unknown command")

    async def _starttls(self, tag: str) -> None:
        if self.stream.encrypted or self.habits.starttls in {Starttls.ABSENT, Starttls.MANGLED}:
            await self.stream.say(f"{tag} BAD not here")
            return
        if self.habits.starttls is Starttls.TEMPORARY:
            await self.stream.say(f"{tag} NO TLS is broken today")
            return
        extra = "* OK injected\r\n" if self.habits.injection is Injection.RESPONSE else ""
        await self.stream.send(f"{tag} OK begin TLS now\r\n{extra}".encode())
        await self.stream.start_tls(self.context, keep=self.habits.injection is Injection.COMMAND)

    async def _login(self, tag: str, verb: str, argument: str) -> None:
        if not self._login_allowed():
            await self.stream.say(f"{tag} NO [PRIVACYREQUIRED] use STARTTLS first")
        elif verb == "LOGIN":
            await self.stream.say(f"{tag} NO [AUTHENTICATIONFAILED] wrong user or password")
        elif argument.upper() not in self.habits.mechanisms:
            await self.stream.say(f"{tag} NO unknown mechanism")
        else:
            await self.stream.say("+ ")
            called_off = await self.stream.line(bare_lf=True) == b"*"
            if argument.upper() == "ANONYMOUS" and not called_off:
                await self.stream.say(f"{tag} OK welcome, whoever you are")
            else:
                await self.stream.say(
                    f"{tag} BAD called off" if called_off else f"{tag} NO [AUTHENTICATIONFAILED] wrong"
                )
