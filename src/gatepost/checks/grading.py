"""How much a fault weighs: by the role of the port, and by the word of the chosen profile.

Port 25 serves strangers who fall back to clear text when they are refused (RFC 9325 section 5.2, RFC 3207): what
is a fault elsewhere is often the lesser evil there. MTA-STS makes its certificate matter (RFC 8461 section 4.1);
DANE alone does not, since usage 3 looks at neither authority nor name (RFC 7672 section 3.1.1).
"""

from __future__ import annotations

from gatepost.checks.case import Case
from gatepost.checks.domain_seen import binding_policy
from gatepost.model.words import Role, Severity

FAULTY = frozenset({"insufficient", "not_listed", "phase_out"})  # words of the profiles


def on_mx(case: Case, severity: Severity) -> Severity | None:
    """`severity` on port 25, the control's own elsewhere."""
    return severity if case.role is Role.MX else None


def by_profile(case: Case, status: str) -> Severity | None:
    """None: the control's own severity."""
    if status == "insufficient":
        return on_mx(case, Severity.LOW)
    return Severity.INFO if case.role is Role.MX else Severity.LOW


def sts_domain(case: Case) -> str:
    """The domain whose MTA-STS policy binds this host's certificate; empty when there is none."""
    return binding_policy(case)


def opportunistic(case: Case) -> bool:
    """No sender checks the certificate of this port."""
    return case.role is Role.MX and not sts_domain(case)
