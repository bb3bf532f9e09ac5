"""What other sites report of the demo's domains, and what an audit saw before: a state directory with a past.

The bad host's certificate ran out and was renewed too late; mail of those days was held back, and reporters say so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificates

from gatepost import catalogue
from gatepost.certs.facts import certificate
from gatepost.demo.authority import DAY, Papers
from gatepost.demo.zones import Site
from gatepost.edge.intake import take_in
from gatepost.edge.mailbox import letters
from gatepost.edge.store import sighted
from gatepost.errors import CannotLook
from gatepost.model.architecture import Endpoint
from gatepost.model.certificate import Trust
from gatepost.model.observation import CertificateSeen, Seen

FOLDER, STATE = "reports", ".gatepost"
NEWSLETTER, FORGER = "198.51.100.40", "203.0.113.66"
DAYS = (3, 2, 1)  # before today


@dataclass(frozen=True, slots=True)
class Sender:
    """A source of an aggregate report. `proves` is the domain that SPF and DKIM pass for."""

    address: str
    messages: int
    proves: str
    fate: str = "none"


def remembered(directory: Path, good: Site, bad: Site, held: tuple[Papers, Papers], now: datetime) -> Path:
    """Writes reports of the last days and imports them; returns the state directory.

    `held` are the certificates that the bad host's port 25 had before and has now.
    """
    state, folder = directory / STATE, directory / FOLDER
    folder.mkdir(exist_ok=True)
    for name, text in _reports(good, bad, now):
        (folder / name).write_text(text, encoding="utf-8")
    for papers, when in zip(held, (now - 30 * DAY, now - DAY), strict=True):
        sighted(state, Seen((_certificate(bad, papers, when),)), when)
    take_in(state, letters([folder]), now, _refused)
    return state


def _refused(name: str, why: str) -> None:
    raise CannotLook(f"{name}: {why}")


def _certificate(site: Site, papers: Papers, when: datetime) -> CertificateSeen:
    """As an audit of that day saw it. Exchangers are reached at port 25, whatever port the demo has to take."""
    at = Endpoint(site.host, site.address, catalogue.number("smtp"))
    chain = tuple(certificate(one.public_bytes(Encoding.DER)) for one in load_pem_x509_certificates(papers.chain))
    return CertificateSeen(at, site.host, chain, Trust(valid=when < chain[0].not_after))


def _reports(good: Site, bad: Site, now: datetime) -> Iterator[tuple[str, str]]:
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for back in DAYS:
        day = today - timedelta(days=back)
        kept = (Sender(good.address, 240 + back, good.domain),)
        yield f"{day:%Y%m%d}-{good.domain}.xml", aggregate("mailbox.example", good.domain, "reject", kept, day)
        neglected = (
            Sender(bad.address, 90 + back, bad.domain),
            Sender(NEWSLETTER, 60, "newsletter.example"),
            Sender(FORGER, 400 * back, "forger.example", "quarantine" if back == 1 else "none"),
        )
        yield f"{day:%Y%m%d}-{bad.domain}.xml", aggregate("mailbox.example", bad.domain, "none", neglected, day)
        yield f"{day:%Y%m%d}-{good.domain}.json", tls("Mailbox Example", good, 180, 0, day)
        yield f"{day:%Y%m%d}-{bad.domain}.json", tls("Mailbox Example", bad, 40, 0 if back == 1 else 12 * back, day)


def aggregate(reporter: str, domain: str, policy: str, senders: tuple[Sender, ...], day: datetime) -> str:
    """An aggregate report of one day (RFC 9990)."""
    begin = int(day.timestamp())
    records = "".join(_record(domain, one) for one in senders)
    return (
        f'<?xml version="1.0"?><feedback><version>1.0</version><report_metadata><org_name>{reporter}</org_name>'
        f"<email>dmarc@{reporter}</email><report_id>{begin}.{domain}</report_id><date_range><begin>{begin}</begin>"
        f"<end>{begin + 86399}</end></date_range></report_metadata><policy_published><domain>{domain}</domain>"
        f"<p>{policy}</p></policy_published>{records}</feedback>\n"
    )


def _record(domain: str, one: Sender) -> str:
    aligned = "pass" if one.proves == domain else "fail"
    return (
        f"<record><row><source_ip>{one.address}</source_ip><count>{one.messages}</count><policy_evaluated>"
        f"<disposition>{one.fate}</disposition><dkim>{aligned}</dkim><spf>{aligned}</spf></policy_evaluated></row>"
        f"<identifiers><header_from>{domain}</header_from><envelope_from>{one.proves}</envelope_from></identifiers>"
        f"<auth_results><dkim><domain>{one.proves}</domain><selector>s1</selector><result>pass</result></dkim>"
        f"<spf><domain>{one.proves}</domain><scope>mfrom</scope><result>pass</result></spf></auth_results></record>"
    )


def tls(reporter: str, site: Site, good: int, expired: int, day: datetime) -> str:
    """A TLS report of one day (RFC 8460 section 4.4), with sessions that an expired certificate stopped."""
    policy = {
        "policy-type": "sts",
        "policy-domain": site.domain,
        "policy-string": ["version: STSv1", "mode: enforce", f"mx: {site.host}", "max_age: 604800"],
        "mx-host": [site.host],
    }
    failure = {
        "result-type": "certificate-expired",
        "sending-mta-ip": "192.0.2.77",
        "receiving-mx-hostname": site.host,
        "receiving-ip": site.address,
        "failed-session-count": expired,
    }
    told = {
        "organization-name": reporter,
        "date-range": {
            "start-datetime": f"{day:%Y-%m-%dT%H:%M:%SZ}",
            "end-datetime": f"{day + timedelta(seconds=86399):%Y-%m-%dT%H:%M:%SZ}",
        },
        "contact-info": "postmaster@mailbox.example",
        "report-id": f"{day:%Y%m%d}.{site.domain}",
        "policies": [
            {
                "policy": policy,
                "summary": {"total-successful-session-count": good, "total-failure-session-count": expired},
                "failure-details": [failure] if expired else [],
            }
        ],
    }
    return json.dumps(told) + "\n"
