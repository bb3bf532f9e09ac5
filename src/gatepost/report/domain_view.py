"""One line of a domain's card: a standard, a mark from what was judged, and what stands behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from gatepost.model.architecture import Endpoint
from gatepost.model.audit import Audit
from gatepost.model.dns import Security
from gatepost.model.finding import Finding
from gatepost.model.observation import Seen, Unobserved, of
from gatepost.model.words import Reason, Severity
from gatepost.report.escape import printable
from gatepost.report.truth import Standing

LONGEST = 400  # characters of one detail
JUDGED: Mapping[str, tuple[str, ...]] = {
    "MX": ("GP-DNSID-002/parked-takes-no-mail", "GP-DNSID-010/exchangers-", "GP-PORT-001/mx-as-declared"),
    "SPF": ("GP-DNSID-001/", "GP-DNSID-002/parked-spf-"),
    "DKIM": ("GP-DNSID-002/parked-has-no-keys", "GP-DNSID-003/", "GP-DNSID-004/", "GP-DNSID-005/"),
    "DMARC": ("GP-DNSID-002/parked-dmarc-", "GP-DNSID-006/", "GP-DNSID-007/"),
    "MTA-STS": ("GP-DNST-001/", "GP-DNST-002/"),
    "TLS-RPT": ("GP-DNST-003/tls-reports-requested", "GP-DNST-003/tls-rpt-"),
    "reports": ("GP-DNSID-008/", "GP-DNST-003/sessions-", "GP-DNST-003/tls-reports-read"),
    "DNSSEC": ("GP-DNST-004/",),
    "DANE": ("GP-DNST-005/", "GP-DNST-006/", "GP-DNST-007/"),
    "CAA": ("GP-CERT-007/",),
    "PTR": ("GP-DNSID-010/declared-senders-", "GP-DNSID-010/greets-", "GP-DNSID-010/sending-"),
}
"""The judges behind each line, by how `control/check` begins."""


@dataclass(frozen=True, slots=True)
class Line:
    """One standard. `words` is the short truth, `details` what stands behind it, each perhaps with a mark."""

    label: str
    standing: Standing
    words: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """What one line is written from."""

    label: str
    at: Endpoint
    audit: Audit
    failures: tuple[Finding, ...] = ()  # open ones, of this name and its ports

    @property
    def seen(self) -> Seen:
        return self.audit.run.seen

    @property
    def now(self) -> datetime:
        return self.audit.generated_at

    def line(
        self, words: str, *details: str, problems: Iterable[str] = (), quiet: bool = False, unsure: bool = False
    ) -> Line:
        """`problems` are what the reader of the record found; where judges speak, they are left to them.

        Without an open finding the line is good, or no more than `quiet`, or `unsure`.
        """
        if not self._open():
            details = (*details, *problems)
        standing = self._standing()
        if standing is Standing.GOOD and (quiet or unsure):
            standing = Standing.QUIET if quiet else Standing.UNKNOWN
        kept = tuple(printable(one, LONGEST) for one in (*details, *self._causes(details)) if one)
        return Line(self.label, standing, printable(words, LONGEST), kept)

    def lost(self, *wanted: str) -> Iterator[Line]:
        for one in of(Unobserved, self.seen, self.at):
            if one.wanted.startswith(wanted):
                why = "bogus, see DNSSEC" if one.reason is Reason.BOGUS else printable(one.detail, LONGEST)
                yield Line(self.label, Standing.UNKNOWN, f"could not be asked: {why}")
                return

    def _open(self) -> list[Finding]:
        """Failures of this standard here. A judge belongs to the line that its control and name begin with."""
        wanted = JUDGED[self.label]
        return [f for f in self.failures if f"{f.control}/{f.check}".startswith(wanted)]

    def _standing(self) -> Standing:
        worst = max((f.severity.rank for f in self._open()), default=0)
        if worst >= Severity.HIGH.rank:
            return Standing.BAD
        return Standing.ATTENTION if worst >= Severity.LOW.rank else Standing.GOOD

    def _causes(self, told: Iterable[str]) -> Iterator[str]:
        said = " ".join(told)
        found = sorted(self._open(), key=lambda f: -f.severity.rank)
        for finding in found:
            if finding.because not in said and finding.severity is not Severity.INFO:
                yield f"→ {finding.because}"


def sealed(security: Security) -> str:
    return {Security.SECURE: "  secure", Security.BOGUS: "  BOGUS", Security.INSECURE: "  not signed"}.get(security, "")
