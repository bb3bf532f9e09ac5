"""The certificate truth: what each port, address and name really serves, and which of them are the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from gatepost.model.architecture import Endpoint
from gatepost.model.audit import Audit
from gatepost.model.certificate import Certificate
from gatepost.model.observation import CertificateSeen, of
from gatepost.report import protection
from gatepost.report.escape import printable
from gatepost.report.evidence import issuer, key
from gatepost.report.truth import NOT_ASKED, Standing

SOON = timedelta(days=21)  # a certificate of 90 days is renewed 30 days before its end


@dataclass(frozen=True, slots=True)
class Row:
    """One certificate as served at one place. `group` is the same letter for the same certificate."""

    group: str
    host: str
    address: str
    port: int
    sni: str | None
    names: tuple[str, ...]
    subject: str
    issuer: str
    key: str
    signature: str
    not_before: datetime
    not_after: datetime
    days_left: int
    chain: str  # `trusted`, or what the verifier objects to
    sent: int  # certificates in the chain as sent
    staple: bool
    sha256: str
    standing: Standing
    tlsa: str = NOT_ASKED
    mta_sts: str = NOT_ASKED

    @property
    def at(self) -> Endpoint:
        return Endpoint(self.host, self.address, self.port)


def rows(audit: Audit) -> tuple[Row, ...]:
    """By host (in the order asked for), port, address, and name; without SNI last."""
    seen = [one for one in of(CertificateSeen, audit.run.seen) if one.chain]
    order = {name: n for n, name in enumerate(audit.targets)}
    seen.sort(key=lambda o: (order.get(o.at.host, len(order)), o.at.host, o.at.port, o.at.family, o.at.address))
    letters = _letters(one.chain[0].sha256 for one in seen)
    made = (_row(one, letters[one.chain[0].sha256], audit) for one in seen)
    return tuple(dict.fromkeys(made))


def _letters(fingerprints: Iterable[str]) -> Mapping[str, str]:
    return {one: letter(n) for n, one in enumerate(dict.fromkeys(fingerprints))}


def letter(number: int) -> str:
    """A to Z, then AA, AB and so on."""
    name = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def _row(one: CertificateSeen, group: str, audit: Audit) -> Row:
    leaf, now = one.chain[0], audit.generated_at
    return Row(
        group, one.at.host, one.at.address, one.at.port, one.sni,
        names=tuple(printable(name, 80) for name in leaf.dns_names + leaf.ip_addresses),
        subject=printable(leaf.subject, 200),
        issuer=printable(issuer(leaf), 80),
        key=printable(key(leaf), 30),
        signature=printable(leaf.signature_algorithm, 40),
        not_before=leaf.not_before,
        not_after=leaf.not_after,
        days_left=(leaf.not_after - now).days,
        chain=_chain(one),
        sent=len(one.chain),
        staple=one.staple,
        sha256=leaf.sha256,
        standing=_standing(one, leaf, now),
        tlsa=protection.tlsa(one, audit),
        mta_sts=protection.mta_sts(one, audit),
    )  # fmt: skip


def _chain(one: CertificateSeen) -> str:
    if one.trust.valid:
        return "trusted"
    missing = " (an intermediate certificate is not sent)" if one.trust.missing_intermediate else ""
    return printable(one.trust.why or "not trusted", 120) + missing


def _standing(one: CertificateSeen, leaf: Certificate, now: datetime) -> Standing:
    if leaf.not_after <= now or leaf.not_before > now:
        return Standing.BAD
    if not one.trust.valid or leaf.not_after - now < SOON:
        return Standing.ATTENTION
    return Standing.GOOD


def days(left: int) -> str:
    """`61 days left`, `expired 12 days ago`."""
    if left < 0:
        return f"expired {-left} days ago"
    return "1 day left" if left == 1 else f"{left} days left"
