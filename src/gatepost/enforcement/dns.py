"""DNS: gatepost publishes nothing itself; each domain that lacks records gets a pointer to those it lacks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gatepost.catalogue.controls import control
from gatepost.enforcement.causes import places
from gatepost.enforcement.shares import Share
from gatepost.model.architecture import Architecture, Domain
from gatepost.model.finding import Finding
from gatepost.model.plan import Kind, Step

AREAS = ("GP-DNSID-", "GP-DNST-", "GP-CERT-007", "GP-PORT-009")


def shares(architecture: Architecture, findings: Iterable[Finding]) -> Iterator[Share]:
    lacking = [f for f in findings if f.open and f.control.startswith(AREAS)]
    for domain in architecture.domains:
        if about := [f for f in lacking if _about(f, domain)]:
            yield Share(_step(domain, about, architecture.source or "gatepost.toml"))


def _about(finding: Finding, domain: Domain) -> bool:
    """The domain itself, or an exchanger of it whose keys DNS pins."""
    names = {name for name, _ in places(finding)}
    return domain.name in names or (finding.control.startswith("GP-DNST-") and bool(names & set(domain.mx)))


def _step(domain: Domain, findings: list[Finding], source: str) -> Step:
    controls = tuple(dict.fromkeys(f.control for f in findings))
    return Step(
        key=f"dns:{domain.name}",
        host=domain.name,
        kind=Kind.DNS,
        title=f"publish the records that {domain.name} lacks",
        controls=controls,
        why="\n".join(f"{control(f.control).title}: {f.because}." for f in findings),
        risk="Records are kept by others for as long as their TTL says: the command tells in which order, and how long "
        "to wait.",
        diff=f"gatepost records {domain.name} -c {source}\n",
        by_hand=True,
    )
