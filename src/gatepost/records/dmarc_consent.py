"""Reports that leave the organisation need the consent of whoever gets them (RFC 9990 section 4).

    blue.example.org._report._dmarc.red.example.net TXT "v=DMARC1"

says that red.example.net takes reports about blue.example.org. A wildcard in its place works by DNS itself.
"""

from __future__ import annotations

from gatepost.model.dns import Answer
from gatepost.model.domain import DmarcSeen, ReportTarget
from gatepost.model.observation import Unobserved
from gatepost.records import dmarc_record, dmarc_uris
from gatepost.records.dmarc_walk import walk
from gatepost.records.lookup import Lookup
from gatepost.records.names import MAX_NAME


async def targets(seen: DmarcSeen, lookup: Lookup) -> tuple[ReportTarget, ...]:
    """One for each address of rua= and ruf= outside the organisation of the record."""
    record = seen.record
    if record is None:
        return ()
    found: dict[str, tuple[bool | None, str] | None] = {}
    for uri in (uris := tuple(dict.fromkeys([*record.rua, *record.ruf]))):
        host = dmarc_uris.host(uri)
        if host not in found:
            found[host] = await _consent(record.domain, host, lookup)
    told = ((uri, found[dmarc_uris.host(uri)]) for uri in uris)
    return tuple(ReportTarget(seen.at, "dmarc", uri, *answer) for uri, answer in told if answer is not None)


def consent_name(domain: str, host: str) -> str:
    return f"{domain}._report._dmarc.{host}"


async def _consent(domain: str, host: str, lookup: Lookup) -> tuple[bool | None, str] | None:
    """None where no consent is due. Where that cannot be told, consent settles it, and its lack does not."""
    inside = await _same_organisation(domain, host, lookup)
    if inside is True:
        return None
    name = consent_name(domain, host)
    if len(name) > MAX_NAME:
        return False, f"{name[:60]}… is longer than a DNS name can be: nobody can consent"
    answer = await lookup(name, "TXT")
    if answer.failed:
        return None, f"{name}: {answer.why}"
    authorised, why = _read(answer, host)
    return (None, f"{why}; {inside}") if isinstance(inside, str) and not authorised else (authorised, why)


async def _same_organisation(domain: str, host: str, lookup: Lookup) -> bool | str:
    """By tree walk; why, where that could not be told."""
    if domain == host:
        return True
    found = []
    for name in (domain, host):
        walked = await walk(name, lookup)
        if isinstance(walked, Unobserved):
            return f"whether {name} belongs to the same organisation could not be asked: {walked.detail}"
        found.append(walked.organizational)
    return found[0] == found[1]


def _read(answer: Answer, host: str) -> tuple[bool, str]:
    """One record is enough; an rua= in it may redirect the reports within its host and nowhere else."""
    texts = [text for text in answer.values if dmarc_record.is_policy(text)]
    if not texts:
        other = " with v=DMARC1" if answer.values else ""
        return False, f"{answer.name} has no TXT record{other}: reporters leave this address out"
    redirected = [uri for text in texts for uri in dmarc_record.read(text, host).rua]
    if astray := [uri for uri in redirected if dmarc_uris.host(uri) != host]:
        return False, f"{answer.name} redirects to {astray[0]}, another host: reporters send nothing"
    return True, f"reports are redirected to {redirected[0]}" if redirected else ""
