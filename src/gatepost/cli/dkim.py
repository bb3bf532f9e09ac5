"""`gatepost dkim`: a key pair for a selector, its record, its rotation; or a key file against DNS."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatepost.cli import options as o

if TYPE_CHECKING:
    from datetime import datetime

    from gatepost.edge.keys import KeyFile
    from gatepost.edge.resolve import Resolver
    from gatepost.model.domain import DkimKeySeen
    from gatepost.model.observation import Unobserved
    from gatepost.records.lookup import Lookup
    from gatepost.report.dkim import Signing, Told

MOST_SOA_STEPS = 8


class KeyType(StrEnum):
    ED25519 = "ed25519"
    RSA = "rsa"


class DkimFormat(StrEnum):
    JSON = "json"
    TABLE = "table"


def dkim(
    domain: Annotated[str, typer.Argument(metavar="DOMAIN", help="The domain that signs.")],
    selector: Annotated[str, typer.Argument(metavar="SELECTOR", help="The name of the key, for example s2026.")],
    kind: Annotated[KeyType, typer.Option("--type", help="RSA is understood everywhere.")] = KeyType.RSA,
    bits: Annotated[int, typer.Option("--bits", metavar="N", help="Of an RSA key.")] = 2048,
    key: Annotated[
        Path | None,
        typer.Option(
            "--key", metavar="FILE", help="The private key (default: DOMAIN.SELECTOR.key).", show_default=False
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file; the key in it is lost.")] = False,
    rotate: Annotated[
        str | None,
        typer.Option("--rotate", metavar="OLD", help="Plan, with dates, how this key replaces that of selector OLD."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Make nothing: compare the key file with what DNS publishes.")
    ] = False,
    config: o.Declaration = None,
    resolver: o.ResolverAt = None,
    trust_resolver: o.TrustResolver = False,
    form: Annotated[
        DkimFormat, typer.Option("--format", help="How to print it.", rich_help_panel=o.SHOWING)
    ] = DkimFormat.TABLE,
    output: o.Output = None,
) -> None:
    """Make a DKIM key pair, print its record and what the signer needs, and say when to do what.

    The private key goes to a file that only its owner may read; it is never printed nor overwritten.
    With --rotate a key file that is there is kept, so that the plan can be printed again.

    [bold]Exit:[/bold] 0 in order, 1 with --check: DNS has another key, none or a faulty one, 2 bad input,
    3 could not ask DNS.
    """
    import asyncio
    from datetime import UTC, datetime

    from gatepost.cli import telling
    from gatepost.cli.names import chosen
    from gatepost.edge import keys
    from gatepost.errors import UsageError
    from gatepost.report.dkim import exit_code, render, to_json

    owner, name = _names(domain, selector)
    if check and (rotate or force):
        raise UsageError("--check makes nothing: leave out --rotate and --force")
    old = _names(domain, rotate, "--rotate")[1] if rotate else ""
    if old == name:
        raise UsageError(f"--rotate {rotate}: that is the new selector; a rotation needs a new name")
    file = key or Path(f"{owner}.{name}.key")
    if check:
        told = asyncio.run(_compared(owner, name, keys.read(file), chosen(resolver, config, trusted=trust_resolver)))
    else:
        world = (
            asyncio.run(_heard(owner, name, old, chosen(resolver, config, trusted=trust_resolver))) if old else Heard()
        )
        kept = bool(old) and file.exists() and not force
        found = keys.read(file) if kept else keys.save(file, keys.make(kind.value, bits), force=force)
        told = _planned(_signing(owner, name, found, fresh=not kept), old, world, _notes(found), datetime.now(UTC))
    shown = telling.colour() and output is None
    text = to_json(told) if form is DkimFormat.JSON else render(told, width=telling.width(), colour=shown)
    if output:
        telling.write(output, text)
    else:
        sys.stdout.write(text)
    raise typer.Exit(exit_code(told))


async def _compared(domain: str, selector: str, found: KeyFile, asked: Resolver) -> Told:
    from gatepost.records.dkim import key
    from gatepost.report.dkim import Told

    try:
        seen = await key(domain, selector, asked.asker, declared=True)
    finally:
        await asked.close()
    return Told(_signing(domain, selector, found, fresh=False), notes=_notes(found), published=seen)


@dataclass(frozen=True, slots=True)
class Heard:
    """What a rotation wants to know of DNS. `negative`: seconds a missing name is remembered."""

    negative: int = 0
    new: DkimKeySeen | Unobserved | None = None
    old: DkimKeySeen | Unobserved | None = None
    notes: tuple[str, ...] = ()


async def _heard(domain: str, new: str, old: str, asked: Resolver) -> Heard:
    from gatepost.records.dkim import key

    try:
        negative, notes = await _remembered(domain, asked.asker)
        published = await key(domain, new, asked.asker, declared=True)
        before = await key(domain, old, asked.asker, declared=True)
    finally:
        await asked.close()
    return Heard(negative, published, before, notes)


def _planned(key: Signing, old: str, heard: Heard, notes: tuple[str, ...], now: datetime) -> Told:
    from gatepost.model.domain import DkimKeySeen
    from gatepost.records.dkim_rotation import plan
    from gatepost.report.dkim import TTL, Told

    surprises = []
    if isinstance(heard.new, DkimKeySeen) and Told(key, published=heard.new).verdict in {"differs", "revoked"}:
        surprises.append(f"DNS already has another key under {key.selector}: take a selector that was never used")
    if isinstance(heard.old, DkimKeySeen) and not heard.old.fingerprint:
        surprises.append(f"DNS has no live key under {old}: is that the selector in use?")
    turns = plan(key.domain, key.selector, key.record, now=now, old=old, negative=heard.negative, ttl=TTL)
    return Told(key, turns, (*surprises, *heard.notes, *notes))


async def _remembered(domain: str, lookup: Lookup) -> tuple[int, tuple[str, ...]]:
    """Seconds a missing name is remembered: the last field of the zone's SOA (RFC 2308 section 4)."""
    labels = domain.split(".")
    for n in range(min(len(labels), MOST_SOA_STEPS)):
        answer = await lookup(".".join(labels[n:]), "SOA")
        if answer.failed:
            return 0, (f"how long a missing name is remembered could not be asked, an hour is assumed: {answer.why}",)
        last = answer.values[0].split()[-1] if answer.values and answer.values[0].split() else ""
        if last.isascii() and last.isdecimal():
            return min(int(last), 2**31), ()
    return 0, ("no zone of this domain was found in DNS; an hour is assumed for missing names",)


def _signing(domain: str, selector: str, found: KeyFile, *, fresh: bool) -> Signing:
    from gatepost.report.dkim import Signing

    file = str(found.path.absolute())
    return Signing(domain, selector, file, found.type, found.bits, found.p, fresh, found.exposed)


def _notes(found: KeyFile) -> tuple[str, ...]:
    notes = []
    if found.exposed:
        notes.append(f"others on this machine can read {found.path}: chmod 600")
    if not found.private:
        notes.append(f"{found.path} has only the public half: it cannot sign")
    if found.type == "ed25519":
        notes.append("many verifiers do not know Ed25519 (RFC 8463): sign with an RSA key of another selector as well")
    return tuple(notes)


def _names(domain: str, selector: str, option: str = "SELECTOR") -> tuple[str, str]:
    """Both as they stand in DNS. Raises UsageError for what can be no name there."""
    import re

    from gatepost.certs.names import a_labels
    from gatepost.errors import UsageError
    from gatepost.records.dkim import owner

    label = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
    owning, plain = a_labels(domain.strip()), selector.strip().lower()
    if owning is None or not re.fullmatch(rf"({label}\.)*{label}", owning) or len(owning) > 253:
        raise UsageError(f"{domain[:60]!r} can be no domain")
    if not re.fullmatch(rf"({label}\.)*{label}", plain) or len(owner(owning, plain)) > 253:
        raise UsageError(f"{option}: {selector[:60]!r} can be no selector (letters, digits, hyphens, dots)")
    return owning, plain
