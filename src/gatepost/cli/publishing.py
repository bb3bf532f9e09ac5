"""Everything `gatepost records` has to find out: DNS, the policy on the web, and the keys that ports serve."""

from __future__ import annotations

from asyncio import gather, run
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from gatepost import catalogue
from gatepost.audit import errands
from gatepost.certs.chain import Roots
from gatepost.cli.declared import load
from gatepost.cli.keyfile import public_digest
from gatepost.cli.looking import check_addresses
from gatepost.cli.names import Names
from gatepost.cli.request import Request
from gatepost.cli.telling import progress
from gatepost.declaration.names import domain_name
from gatepost.declaration.wording import did_you_mean
from gatepost.edge.fetching import Fetcher
from gatepost.edge.keys import read as key_file
from gatepost.edge.prober import Looking, probe
from gatepost.edge.trust import roots
from gatepost.errors import UsageError
from gatepost.model.architecture import Architecture, Domain, Host
from gatepost.model.errand import Errand
from gatepost.model.observation import Observation, Seen
from gatepost.publish import Given, Publication, publish, questions
from gatepost.records import dkim, mta_sts
from gatepost.records.lookup import Fetched
from gatepost.records.publishing.keys import pinned
from gatepost.records.publishing.routes import declared_exchangers
from gatepost.wire.survey import Depth


@dataclass(frozen=True, slots=True)
class Asking:
    """The command line of `gatepost records`, but for what to print."""

    declaration: Path | None = None
    resolver: str | None = None
    trust_resolver: bool = False
    ca: Path | None = None
    source: str | None = None
    look: bool = True
    https: int | None = None
    next_keys: tuple[Path, ...] = ()
    no_next_key: bool = False
    ttl: int = 3600
    quiet: bool = False


def ask(name: str, asking: Asking) -> Publication:
    """Raises UsageError for a domain nobody declared, a file that holds no key, and the like."""
    architecture = load(asking.declaration)
    domain = declared(name, architecture)
    if asking.next_keys and asking.no_next_key:
        raise UsageError("--next-key and --no-next-key: say one of the two")
    check_addresses((asking.source,) if asking.source else ())
    given = Given(
        now=datetime.now(UTC),
        keys=_signing_keys(domain, architecture),
        coming=tuple(dict.fromkeys(map(public_digest, asking.next_keys))),
        closed=asking.no_next_key,
        ttl=asking.ttl,
        looked=asking.look,
    )
    facts, policy = run(_found(domain, architecture, asking, roots(asking.ca)))
    return publish(domain, architecture, facts, replace(given, policy=policy))


def declared(name: str, architecture: Architecture) -> Domain:
    known = [one.name for one in architecture.domains]
    if not known:
        where = f"{architecture.source} declares no domain" if architecture.source else "there is no gatepost.toml here"
        raise UsageError(f"{where}: which records are wanted is read from [domains] (see: gatepost init --help)")
    plain = domain_name(name.strip())
    if plain is None or (found := architecture.domain(plain)) is None:
        near = did_you_mean(name, known) or f"; declared: {', '.join(known[:5])}"
        raise UsageError(f"{name[:60]!r} is no declared domain{near}")
    return found


def _signing_keys(domain: Domain, architecture: Architecture) -> dict[str, str]:
    """Paths are meant from where the declaration lies."""
    base = Path(architecture.source or ".").parent
    found = {}
    for one in domain.dkim:
        if one.key is not None:
            key = key_file(base / one.key)
            found[one.name] = dkim.render(key.type, key.p)
    return found


async def _found(
    domain: Domain, architecture: Architecture, asking: Asking, trusted: Roots
) -> tuple[Seen, Fetched | None]:
    names = Names(Request(resolver=asking.resolver, trust_resolver=asking.trust_resolver), architecture)
    resolver = names.resolver()
    try:
        answers, policy, seen = await gather(
            gather(*(resolver.asker(name, kind) for name, kind in questions(domain, architecture))),
            _policy(domain, Fetcher(resolver, trusted, https=asking.https)),
            _served(_errands(domain, architecture) if asking.look else (), asking, trusted),
        )
    finally:
        await names.close()
    return Seen((*seen, *answers)), policy


async def _policy(domain: Domain, fetch: Fetcher) -> Fetched | None:
    return await fetch(mta_sts.host(domain.name), mta_sts.PATH) if domain.mta_sts else None


def _errands(domain: Domain, architecture: Architecture) -> tuple[Errand, ...]:
    """Only the ports that TLSA records speak of."""
    hosts = declared_exchangers(domain, architecture) if domain.dane else ()
    return tuple(one for host in hosts for one in _of_host(host))


def _of_host(host: Host) -> Iterable[Errand]:
    services = pinned(host)
    return errands([replace(host, services=services)], only=frozenset(one.port for one in services)) if services else ()


async def _served(todo: tuple[Errand, ...], asking: Asking, trusted: Roots) -> tuple[Observation, ...]:
    if not todo:
        return ()
    looking = Looking(
        profile=catalogue.profile("rfc9325"),
        roots=trusted,
        now=datetime.now(UTC),
        depth=Depth.CERTIFICATES,
        source=asking.source,
    )
    with progress(quiet=asking.quiet) as moved:
        return (await probe(todo, looking, moved)).seen
