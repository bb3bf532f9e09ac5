"""What a domain asks of other sites: DMARC, MTA-STS and TLS-RPT, edited where they are published already."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import quote

from gatepost.model.architecture import Architecture, Domain
from gatepost.model.words import Reason
from gatepost.records import dmarc_record, dmarc_uris, fields, mta_sts, sts_policy, tags, tls_rpt
from gatepost.records.dmarc_consent import consent_name
from gatepost.records.lookup import Fetched
from gatepost.records.publishing.known import Known
from gatepost.records.publishing.record import Part, Record
from gatepost.records.sts_policy import Policy

OURS = ("v", "p", "np", "rua")  # tags of a DMARC record that the declaration decides about
DROPPED = frozenset({"t", *dmarc_record.OBSOLETE})
STRENGTH = {word: n for n, word in enumerate(dmarc_record.POLICIES)}
MAX_AGE = {"enforce": 14 * sts_policy.DAY, "testing": sts_policy.DAY, "none": sts_policy.DAY}  # seconds

_OUR_ID = re.compile(r"\d{8}T\d{4}([0-9a-f]{8})")


def dmarc(domain: Domain, known: Known) -> Record | None:
    """None where nothing is declared. A parked domain needs no declaration to refuse mail in its name."""
    wanted = domain.dmarc or (None if domain.sends else "reject")
    if wanted is None:
        return None
    name = dmarc_record.owner(domain.name)
    published = [one for one in known.values(name, "TXT") if dmarc_record.is_policy(one)]
    text = published[0] if len(published) == 1 else ""
    reports = tuple(map(mailto, domain.dmarc_reports))
    value = text if text and _holds(text, wanted, reports) else _policy(text, wanted, reports)
    return Record(name, "TXT", value, part=Part.DMARC)


def mailto(address: str) -> str:
    """A comma, a semicolon and an exclamation mark mean something in a list of URIs (RFC 9989 section 4.7)."""
    return f"mailto:{quote(address, safe='@+$&*=_~.-')}"


def _holds(text: str, wanted: str, reports: tuple[str, ...]) -> bool:
    """Names that do not exist are never treated more gently than the domain itself; more is not asked for."""
    record = dmarc_record.read(text, "")
    if record.problems or record.testing or record.p != wanted:
        return False
    nonexistent = record.np or record.sp or record.p
    strict = STRENGTH.get(nonexistent, 0) >= STRENGTH[wanted]
    return strict and (not reports or {_alike(one) for one in record.rua} == {_alike(one) for one in reports})


def _alike(uri: str) -> str:
    """Mail addresses in one case, without the size that RFC 7489 allowed behind them."""
    return uri.partition("!")[0].lower() if uri[:7].lower() == "mailto:" else uri


def _policy(text: str, wanted: str, reports: tuple[str, ...]) -> str:
    """Tags the declaration says nothing of stay as they are (sp, adkim, aspf, fo, ruf and whatever comes).

    Names that do not exist send no mail, so they are refused as soon as anything is; under p=none they are left
    alone too, because that is when one finds out what sends.
    """
    kept = [(name.lower(), value) for name, value in tags.read(text).pairs] if text else []
    others = [(name, value) for name, value in kept if name not in OURS and name not in DROPPED]
    addresses = ",".join(reports) or next((value for name, value in kept if name == "rua"), "")
    stricter = [] if wanted == "none" else [("np", "reject")]
    return tags.render(
        [("v", "DMARC1"), ("p", wanted), *stricter, *([("rua", addresses)] if addresses else []), *others]
    )


def consents(
    domain: Domain, architecture: Architecture, known: Known, organisation: Callable[[str], str]
) -> Iterator[Record]:
    """Reports about another organisation's domain that go to an address of this one (RFC 9990 section 4)."""
    for other in architecture.domains:
        for host in dict.fromkeys(dmarc_uris.host(mailto(one)) for one in other.dmarc_reports):
            if _home(host, architecture) == domain.name and organisation(other.name) != organisation(host):
                name = consent_name(other.name, host)
                published = [one for one in known.values(name, "TXT") if dmarc_record.is_policy(one)]
                yield Record(name, "TXT", published[0] if published else "v=DMARC1", part=Part.CONSENT)


def _home(host: str, architecture: Architecture) -> str:
    """The declared domain that a host belongs to: the nearest above it."""
    above = [one.name for one in architecture.domains if host == one.name or host.endswith(f".{one.name}")]
    return max(above, key=len, default="")


def tls_reports(domain: Domain, known: Known) -> Record | None:
    if not domain.tls_reports:
        return None
    name = tls_rpt.owner(domain.name)
    wanted = tuple(one if "://" in one else mailto(one) for one in domain.tls_reports)
    answer = known.answer(name, "TXT")
    seen = tls_rpt.record(domain.name, answer) if answer else None
    same = (
        seen and len(seen.records) == 1 and not seen.problems and set(map(_alike, seen.rua)) == set(map(_alike, wanted))
    )
    value = seen.records[0] if seen and same else f"v=TLSRPTv1; rua={','.join(wanted)}"
    return Record(name, "TXT", value, part=Part.TLS_RPT)


@dataclass(frozen=True, slots=True)
class Document:
    """The policy as it should be served. `needed` is None where it could not be seen what is served now, and `why`."""

    host: str
    path: str
    text: str
    mode: str
    needed: bool | None
    served: Policy | None
    why: str = ""

    @property
    def uri(self) -> str:
        return f"https://{self.host}{self.path}"


def sts_document(domain: Domain, known: Known, fetched: Fetched | None) -> Document | None:
    """None where nothing is declared, and where the end of a policy is that nobody ever published."""
    if domain.mta_sts is None or (domain.mta_sts == "none" and known.lacks(mta_sts.owner(domain.name), "TXT")):
        return None
    served = sts_policy.read(fetched.text) if fetched and fetched.ok else None
    fits = served is not None and _fits(served, domain)
    text = fetched.text if fits and fetched else sts_policy.render(_sts(domain, served))
    why = "" if fetched is None or fetched.ok else fetched.why
    needed = not fits if _told(domain, known, fetched) else None
    return Document(mta_sts.host(domain.name), mta_sts.PATH, text, domain.mta_sts, needed, served, why)


def _told(domain: Domain, known: Known, fetched: Fetched | None) -> bool:
    """Whether the web said what it serves, if only that it serves nothing: a resolver that fails says neither."""
    if fetched is None or fetched.ok:
        return fetched is not None
    host = mta_sts.host(domain.name)
    unknown = known.trouble(host, "A") and known.trouble(host, "AAAA")
    return not unknown and fetched.reason in {Reason.REFUSED, Reason.UNRESOLVED}


def _fits(served: Policy, domain: Domain) -> bool:
    """The mode, every exchanger covered, and nothing covered besides."""
    if served.problems or served.mode != domain.mta_sts or not served.max_age:
        return False
    covered = all(any(sts_policy.pattern_covers(one, host) for one in served.mx) for host in domain.mx)
    return covered and (not domain.mx or all(_of_use(pattern, domain) for pattern in served.mx))


def _of_use(pattern: str, domain: Domain) -> bool:
    return any(sts_policy.pattern_covers(pattern, host) for host in domain.mx)


def _sts(domain: Domain, served: Policy | None) -> Policy:
    mode = domain.mta_sts or "none"
    patterns = domain.mx or (served.mx if served else ()) or (f"*.{domain.name}",)
    return Policy(mode, patterns, MAX_AGE[mode])


def sts(domain: Domain, known: Known, document: Document | None, now: datetime) -> Record | None:
    """The identifier changes with the policy: senders look at a policy again only then (RFC 8461 section 3.1).

    Ours ends in a digest of the policy, which tells without any memory whether it was made for this one.
    """
    if document is None:
        return None
    answer = known.answer(mta_sts.owner(domain.name), "TXT")
    seen = mta_sts.record(domain.name, answer) if answer else None
    text = seen.records[0] if seen and len(seen.records) == 1 else ""
    stands = seen and text and not seen.problems and _stands(seen.id, document)
    return Record(
        mta_sts.owner(domain.name), "TXT", text if stands else _identified(text, document, now), part=Part.MTA_STS
    )


def _stands(identifier: str, document: Document) -> bool:
    """An identifier in use stays, unless another policy was seen, or it was made for another one."""
    if document.served is not None and document.needed:
        return False
    made = _OUR_ID.fullmatch(identifier)
    return made is None or made[1] == _digest(document.text)


def _identified(published: str, document: Document, now: datetime) -> str:
    """Fields that others may have added are kept."""
    pairs = fields.read(published, ("id",)).pairs if published else ()
    made = f"{now.astimezone(UTC):%Y%m%dT%H%M}{_digest(document.text)}"
    return fields.render(mta_sts.VERSION, [("id", made), *((one, value) for one, value in pairs if one != "id")])


def _digest(text: str) -> str:
    """Of what a policy says, not of how its lines end."""
    policy = sts_policy.read(text)
    said = "\n".join([policy.mode, str(policy.max_age), *sorted(policy.mx)])
    return sha256(said.encode()).hexdigest()[:8]
