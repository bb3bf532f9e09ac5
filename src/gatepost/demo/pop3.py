"""POP3 as a small server speaks it before anybody has logged in (RFC 1939, 2449, 2595, 5034)."""

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
    user: bool = False

    async def run(self) -> None:
        if self.habits.implicit:
            await self.stream.start_tls(self.context)
        await asyncio.sleep(self.habits.greet_delay)
        if self.habits.limit:
            await self.stream.say(self.habits.limit)
            raise Gone
        if not self.habits.hears_early:
            self.stream.held.clear()
        await self.stream.say(f"+OK {self.habits.banner or f'{self.habits.name} ready'}")
        while not self.done:
            await self._command((await self.stream.line(bare_lf=True)).decode("latin-1"))

    def _words(self) -> list[str]:
        habits, words = self.habits, ["TOP", "UIDL", "RESP-CODES"]
        if not self.stream.encrypted or habits.starttls_again:
            words += {
                Starttls.OFFERED: ["STLS"], Starttls.TEMPORARY: ["STLS"], Starttls.MANGLED: ["XXXX"]
            }.get(habits.starttls, [])  # fmt: skip
        if self._login_allowed():
            words += ["USER", f"SASL {' '.join(habits.mechanisms)}"]
        return words

    def _login_allowed(self) -> bool:
        return self.stream.encrypted or self.habits.login_in_clear

    async def _command(self, line: str) -> None:
        await asyncio.sleep(self.habits.answer_delay)
        verb, _, argument = line.partition(" ")
        match verb.upper():
            case "CAPA":
                await self.stream.say("+OK", *self._words(), ".")
            case "NOOP":
                await self.stream.say("-ERR not before a login")
            case "QUIT":
                self.done = True
                await self.stream.say("+OK bye")
            case "STLS":
                await self._starttls()
            case "USER" | "PASS" | "AUTH" | "APOP":
                await self._login(verb.upper(), argument)
            case _:
                await self.stream.say("-ERR unknown command")

    async def _starttls(self) -> None:
        if self.stream.encrypted or self.habits.starttls in {Starttls.ABSENT, Starttls.MANGLED}:
            await self.stream.say("-ERR unknown command")
            return
        if self.habits.starttls is Starttls.TEMPORARY:
            await self.stream.say("-ERR TLS is broken today")
            return
        extra = "+OK injected\r\n" if self.habits.injection is Injection.RESPONSE else ""
        await self.stream.send(f"+OK begin TLS now\r\n{extra}".encode())
        await self.stream.start_tls(self.context, keep=self.habits.injection is Injection.COMMAND)

    async def _login(self, verb: str, argument: str) -> None:
        if not self._login_allowed():
            await self.stream.say("-ERR [AUTH] use STLS first: plaintext authentication disallowed")
        elif verb == "USER":
            self.user = True
            await self.stream.say("+OK")
        elif verb == "AUTH" and argument.upper().split(" ")[0] in self.habits.mechanisms:
            await self.stream.say("+ ")
            called_off = await self.stream.line(bare_lf=True) == b"*"
            anonymous = argument.upper() == "ANONYMOUS" and not called_off
            await self.stream.say(
                "+OK welcome" if anonymous else "-ERR called off" if called_off else "-ERR [AUTH] wrong"
            )
        elif verb == "PASS" and self.user:
            await self.stream.say("-ERR [AUTH] wrong user or password")
        else:
            await self.stream.say("-ERR not like this")
