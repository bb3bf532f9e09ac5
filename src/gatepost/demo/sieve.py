"""ManageSieve as a small server speaks it before anybody has logged in (RFC 5804)."""

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
        if not self.habits.hears_early:
            self.stream.held.clear()
        await self._capability(self.habits.banner or f"{self.habits.name} ready")
        while not self.done:
            await self._command((await self.stream.line(bare_lf=True)).decode("latin-1"))

    async def _capability(self, words: str) -> None:
        habits = self.habits
        allowed = self.stream.encrypted or habits.login_in_clear
        lines = [
            '"IMPLEMENTATION" "gatepost demo"',
            f'"SASL" "{" ".join(habits.mechanisms) if allowed else ""}"',
            '"SIEVE" "fileinto vacation"',
            '"VERSION" "1.0"',
        ]
        if (not self.stream.encrypted or habits.starttls_again) and habits.starttls in {
            Starttls.OFFERED, Starttls.TEMPORARY
        }:  # fmt: skip
            lines.append('"STARTTLS"')
        await self.stream.say(*lines, f'OK "{words}"')

    async def _command(self, line: str) -> None:
        await asyncio.sleep(self.habits.answer_delay)
        verb, _, argument = line.partition(" ")
        match verb.upper():
            case "CAPABILITY":
                await self._capability("done")
            case "NOOP":
                await self.stream.say(f'OK (TAG {argument}) "done"' if argument else 'OK "done"')
            case "LOGOUT":
                self.done = True
                await self.stream.say('OK "bye"')
            case "STARTTLS":
                await self._starttls()
            case "AUTHENTICATE":
                await self._login(argument)
            case _:
                await self.stream.say('NO "unknown command"')

    async def _starttls(self) -> None:
        if self.stream.encrypted or self.habits.starttls is not Starttls.OFFERED:
            await self.stream.say('NO "not here"')
            return
        extra = 'OK "injected"\r\n' if self.habits.injection is Injection.RESPONSE else ""
        await self.stream.send(f'OK "begin TLS now"\r\n{extra}'.encode())
        await self.stream.start_tls(self.context, keep=self.habits.injection is Injection.COMMAND)
        await self._capability("TLS is up")  # RFC 5804 section 2.2: unasked, after the handshake

    async def _login(self, argument: str) -> None:
        words = argument.replace('"', "").split()
        mechanism = words[0].upper() if words else ""
        if not (self.stream.encrypted or self.habits.login_in_clear):
            await self.stream.say('NO (ENCRYPT-NEEDED) "use STARTTLS first"')
        elif mechanism not in self.habits.mechanisms:
            await self.stream.say('NO "unknown mechanism"')
        elif mechanism == "ANONYMOUS":
            await self.stream.say('OK "welcome, whoever you are"')
        elif len(words) > 1:
            await self.stream.say('NO "wrong user or password"')
        else:
            await self.stream.say('""')
            called_off = (await self.stream.line(bare_lf=True)).strip(b'"') == b"*"
            await self.stream.say('NO "called off"' if called_off else 'NO "wrong user or password"')
