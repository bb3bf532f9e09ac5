"""Puts many DNS questions to one resolver with one library, on one core: `python lab/asking.py HOW RESOLVER FILE`.

Runs in the environment of the library it measures; what the project has not is imported by name. FILE is JSON: per
domain a list of name and kind. Prints as JSON how many were asked, how many failed, and how long that took.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from importlib import import_module
from pathlib import Path

CORE = 0
DOMAINS_AT_ONCE = 50  # as the audit does
IN_FLIGHT = 64  # for a library without a bound of its own
HOSTS = {"mx1": (25,), "mx2": (25,), "mail": (110, 143, 465, 587, 993, 995, 4190)}
Ask = Callable[[str, str], Awaitable[bool]]  # whether an answer came, `no such name` included


def gatepost(resolver: str) -> Ask:
    from gatepost.edge.resolve import resolver_at

    asker = resolver_at(f"{resolver}#53").asker

    async def ask(name: str, kind: str) -> bool:
        return not (await asker(name, kind)).failed

    return ask


def dnspython(resolver: str) -> Ask:
    import dns.asyncresolver
    import dns.exception
    import dns.flags
    import dns.resolver

    stub = dns.asyncresolver.Resolver(configure=False)
    stub.nameservers = [resolver]
    stub.use_edns(0, dns.flags.DO, 1232)
    gate = asyncio.Semaphore(IN_FLIGHT)

    async def ask(name: str, kind: str) -> bool:
        try:
            async with gate:
                await stub.resolve(name, kind, search=False, raise_on_no_answer=False)
        except dns.resolver.NXDOMAIN:
            return True
        except dns.exception.DNSException:
            return False
        return True

    return ask


def aiodns(resolver: str) -> Ask:
    """Tells no DNSSEC state. It knows TLSA, but not by name."""
    library, pycares = import_module("aiodns"), import_module("pycares")
    library.query_type_map["TLSA"] = pycares.QUERY_TYPE_TLSA
    stub = library.DNSResolver(nameservers=[resolver])
    gate = asyncio.Semaphore(IN_FLIGHT)
    there = {pycares.errno.ARES_ENODATA, pycares.errno.ARES_ENOTFOUND}

    async def ask(name: str, kind: str) -> bool:
        try:
            async with gate:
                await stub.query_dns(name, kind)
        except library.error.DNSError as error:
            return error.args[0] in there
        return True

    return ask


def survey(resolver: str, domains: list[list[tuple[str, str]]]) -> list[bool]:
    """What an audit asks for by itself, with everything that is then read and followed."""
    from gatepost.certs.chain import Roots
    from gatepost.edge.fetching import Fetcher
    from gatepost.edge.questions import ask
    from gatepost.edge.resolve import resolver_at
    from gatepost.model.dns import Answer
    from gatepost.records.plans import DomainPlan, HostPlan

    found = resolver_at(f"{resolver}#53")
    names = [questions[0][0] for questions in domains]
    plans = [DomainPlan(name, ("s1", "selector1")) for name in names]
    hosts = [HostPlan(f"{host}.{name}", ports) for name in names for host, ports in HOSTS.items()]
    seen = asyncio.run(ask(plans, hosts, found.asker, Fetcher(found, Roots(()))))
    return [not one.failed for one in seen if isinstance(one, Answer)]


def checkdmarc(resolver: str, domains: list[list[tuple[str, str]]]) -> list[bool]:
    """Chooses its own questions, one after the other: those it puts are counted, not ours."""
    import dns.resolver

    library = import_module("checkdmarc")

    asked: list[bool] = []
    resolve = dns.resolver.Resolver.resolve

    def counted(*arguments: object, **more: object) -> object:
        asked.append(True)
        return resolve(*arguments, **more)  # type: ignore[arg-type]  # passed on as they came

    dns.resolver.Resolver.resolve = counted  # type: ignore[method-assign,assignment]  # it offers no other way to count
    library.check_domains([questions[0][0] for questions in domains], nameservers=[resolver])
    return asked


ASKING = {"gatepost": gatepost, "dnspython": dnspython, "aiodns": aiodns}
WHOLE = {"survey": survey, "checkdmarc": checkdmarc}  # they choose the questions themselves


def main(how: str, resolver: str, file: str) -> None:
    os.sched_setaffinity(0, {CORE})
    domains: list[list[tuple[str, str]]] = json.loads(Path(file).read_text())
    began, busy = time.monotonic(), time.process_time()
    if whole := WHOLE.get(how):
        answered = whole(resolver, domains)
    else:
        answered = asyncio.run(_all(ASKING[how], resolver, domains))
    wall, cpu = time.monotonic() - began, time.process_time() - busy
    told = {"domains": len(domains), "asked": len(answered), "failed": answered.count(False), "wall": wall, "cpu": cpu}
    print(json.dumps(told))


async def _all(make: Callable[[str], Ask], resolver: str, domains: list[list[tuple[str, str]]]) -> list[bool]:
    ask = make(resolver)
    crowd = asyncio.Semaphore(DOMAINS_AT_ONCE)

    async def one(questions: list[tuple[str, str]]) -> list[bool]:
        async with crowd:
            return list(await asyncio.gather(*(ask(name, kind) for name, kind in questions)))

    found = await asyncio.gather(*map(one, domains))
    return [came for some in found for came in some]


if __name__ == "__main__":
    main(*sys.argv[1:])
