"""DNS in a table, for whatever asks through `records.lookup.Lookup`.

    zone = Zone({"example.org TXT": ["v=spf1 -all"], "www.example.org CNAME": ["example.org"]})
    answer = await zone("example.org", "TXT")

Names without records are absent, names with records of another kind (or with names below them) are empty.
`trouble` maps a name, or a name and kind, to the failure of every question for it. `zone.asked` has the questions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from gatepost.model.architecture import Endpoint
from gatepost.model.dns import Answer, Presence, Security
from gatepost.model.words import Reason
from gatepost.records.lookup import Fetched

BOGUS = (Reason.BOGUS, "signature expired")
SERVFAIL = (Reason.REFUSED, "the resolver cannot resolve it: SERVFAIL")
TIMEOUT = (Reason.TIMEOUT, "the resolver does not answer within 8 s")
LONGEST_CHAIN = 8


class Zone:
    def __init__(
        self,
        records: Mapping[str, Sequence[str]],
        trouble: Mapping[str, tuple[Reason, str]] | None = None,
        *,
        security: Security = Security.INSECURE,
        ttl: int = 300,
    ) -> None:
        self.records = {_key(where): tuple(values) for where, values in records.items()}
        self.trouble = {key.lower(): what for key, what in (trouble or {}).items()}
        self.security = security
        self.ttl = ttl
        self.asked: list[str] = []

    async def __call__(self, name: str, kind: str) -> Answer:
        plain = name.lower().removesuffix(".")
        self.asked.append(f"{plain} {kind}")
        found = Answer(Endpoint(plain), kind, Presence.EMPTY, security=self.security, ttl=self.ttl)
        if what := self.trouble.get(f"{plain} {kind.lower()}", self.trouble.get(plain)):
            bogus = Security.BOGUS if what[0] is Reason.BOGUS else Security.UNKNOWN
            return replace(found, presence=Presence.FAILED, security=bogus, reason=what[0], why=what[1])
        if not _possible(plain):
            return replace(found, presence=Presence.ABSENT, why=f"{plain[:60]!r} can be no DNS name")
        aliases: list[str] = []
        while (plain, kind) not in self.records and (plain, "CNAME") in self.records and len(aliases) < LONGEST_CHAIN:
            plain = self.records[plain, "CNAME"][0].lower().removesuffix(".")
            aliases.append(plain)
        values = self.records.get((plain, kind), ())
        if values:
            pieces = tuple(1 + (len(v) - 1) // 255 for v in values) if kind == "TXT" else ()
            return replace(found, presence=Presence.PRESENT, values=values, aliases=tuple(aliases), pieces=pieces)
        exists = any(one == plain or one.endswith(f".{plain}") for one, _ in self.records)
        return replace(found, presence=Presence.EMPTY if exists else Presence.ABSENT, aliases=tuple(aliases))


def _key(where: str) -> tuple[str, str]:
    name, _, kind = where.partition(" ")
    return name.lower().removesuffix("."), kind


def _possible(name: str) -> bool:
    labels = name.split(".")
    return len(name) <= 253 and all(0 < len(label) <= 63 for label in labels)


class Web:
    """HTTPS documents in a table, by host and path: `{"mta-sts.example.org/.well-known/mta-sts.txt": "…"}`."""

    def __init__(self, documents: Mapping[str, str], trouble: Mapping[str, tuple[Reason, str]] | None = None) -> None:
        self.documents = dict(documents)
        self.trouble = dict(trouble or {})
        self.asked: list[str] = []

    async def __call__(self, host: str, path: str) -> Fetched:
        self.asked.append(f"{host}{path}")
        if what := self.trouble.get(host):
            return Fetched(ok=False, reason=what[0], why=what[1])
        if (text := self.documents.get(f"{host}{path}")) is None:
            return Fetched(ok=False, reason=Reason.REFUSED, why=f"{host} answers 404 Not Found")
        return Fetched(ok=True, text=text, content_type="text/plain")
