"""What a device on the path takes away is found by looking from two places; what ends a message, by sending one."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gatepost import catalogue
from gatepost.audit import conclude
from gatepost.checks.compare import compare
from gatepost.demo.habits import Habits
from gatepost.demo.nuisances import stripping
from gatepost.demo.servers import Handler, listening, mail
from gatepost.edge.prober import Looking, probe
from gatepost.edge.trust import roots
from gatepost.model.architecture import Architecture, Endpoint, Service
from gatepost.model.errand import Errand
from gatepost.model.finding import Finding
from gatepost.model.observation import Run, Seen
from gatepost.model.words import Mode, Outcome, Role
from tests.demo.visit import HERE, NAME, papers

SERVER = Habits("smtp", name=NAME, domain=NAME)
ELSEWHERE = "127.0.0.9"  # an audit from the server's own address would not count
NOW = datetime.now(UTC)
PROFILE = catalogue.profile("rfc9325")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs a second loopback address")


async def looked(handler: Handler, port: int, *, recipient: str | None = None) -> tuple[Run, dict[Endpoint, Service]]:
    looking = Looking(PROFILE, roots(system=False), NOW, mine=frozenset({NAME}), recipient=recipient)
    async with listening(handler, ELSEWHERE, port) as got:
        service = Service("smtp", got, "smtp", Role.MX, Mode.STARTTLS, "internet")
        errand = Errand(Endpoint(NAME, ELSEWHERE, got), service)
        probed = await probe([errand], looking, lambda _done, _total, _what: None)
    return Run(Seen(probed.seen), NOW, connections=probed.connections), probed.services


def failed(findings: tuple[Finding, ...]) -> set[str]:
    return {f"{f.control}/{f.check}" for f in findings if f.outcome is Outcome.FAIL}


def verdicts(habits: Habits, *, recipient: str | None = None) -> set[str]:
    run, services = asyncio.run(looked(mail(habits, papers()), 0, recipient=recipient))
    audit = conclude(run, Architecture(), PROFILE, services, (NAME,), now=NOW, mine=True)
    return failed(audit.findings)


@pytest.mark.parametrize("mangle", [False, True], ids=["taken out", "written over"])
def test_starttls_lost_on_the_path_is_a_difference(mangle: bool) -> None:  # noqa: FBT001 - a pytest parameter
    async def both() -> tuple[Run, Run]:
        server = mail(SERVER, papers())
        near, _ = await looked(server, 0)
        (at,) = near.seen.endpoints()
        async with listening(server, HERE, 0) as behind:
            far, _ = await looked(stripping(HERE, behind, mangle=mangle), at.port)
        return near, far

    near, far = asyncio.run(both())
    found = failed(compare(near, replace(far, vantage="behind the device"), now=NOW))
    assert "GP-STLS-007/same-starttls" in found
    assert not failed(compare(near, replace(near, vantage="the same way"), now=NOW))


@pytest.mark.parametrize("end", [b"\n.\n", b"\n.\r\n", b"\r.\r"], ids=repr)
def test_a_second_message_in_the_first_is_smuggling(end: bytes) -> None:
    ours = f"alice@{NAME}"
    flawed = replace(SERVER, smuggled_ends=frozenset({end}))
    control = "GP-RELAY-005/messages-end-once"
    assert control in verdicts(flawed, recipient=ours)
    assert control not in verdicts(SERVER, recipient=ours)
