"""What is installed: in support, and fixed where the distribution fixed it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from gatepost.catalogue import document
from gatepost.catalogue.versions import older
from gatepost.checks import software
from gatepost.model.host import PackageSeen, ServerSeen
from gatepost.model.observation import Unobserved
from gatepost.model.words import Reason, Severity
from tests.checks.cases import HOST, Row, case, of_row, row
from tests.checks.host_cases import DOVECOT, LOOKED, POSTFIX

FIXED = "1:2.3.19.1+dfsg1-2.1+deb12u7"
LATER: dict[str, Any] = {"now": datetime(2028, 7, 1, tzinfo=UTC)}
BUILT = ServerSeen(HOST, "postfix", "3.7.8", POSTFIX, running=True)
NOBODY = Unobserved(HOST, "packages", Reason.REFUSED, "no package manager that we know answered")


def package(version: str, name: str = "dovecot-core", distribution: str = "Debian 12") -> PackageSeen:
    family = name.partition("-")[0].rstrip("4")
    return PackageSeen(HOST, family, name, version, distribution)


ROWS: tuple[Row, ...] = (
    row(software.distribution_in_support, HOST, "pass", LOOKED, package(FIXED)),
    row(software.distribution_in_support, HOST, "pass", LOOKED, package("3.5.25-1.el9", "postfix", "Rocky 9.4")),
    row(software.distribution_in_support, HOST, "fail", LOOKED, package(FIXED), says="since 2028-06-30", **LATER),
    row(software.distribution_in_support, HOST, "fail", LOOKED, package("1", distribution="Debian 10"),
        says="Debian 10 gets no security updates since 2024-06-30 (dovecot-core 1)"),
    row(software.distribution_in_support, HOST, "unknown", LOOKED, package(FIXED, distribution="Gentoo")),
    row(software.distribution_in_support, HOST, "unknown", LOOKED, NOBODY, says="no package manager"),
    row(software.distribution_in_support, HOST, "unknown", says="not looked at"),
    row(software.distribution_in_support, HOST, "unknown", LOOKED, BUILT, says="no package holds"),
    row(software.distribution_in_support, HOST, "not-applicable", LOOKED, says="no mail server is installed"),
    row(software.packages_fixed, HOST, "pass", LOOKED, package(FIXED)),
    row(software.packages_fixed, HOST, "pass", LOOKED, package("3.7.11-0+deb12u1", "postfix"),
        package("1", "dovecot-pgsql")),
    row(software.packages_fixed, HOST, "fail", LOOKED, package("1:2.3.19.1+dfsg1-2.1+deb12u6"),
        says="1:2.3.19.1+dfsg1-2.1+deb12u7 mends CVE-2026-33604, CVE-2026-40018, CVE-2026-42007"),
    row(software.packages_fixed, HOST, "fail", LOOKED, package("4.96-15+deb12u1", "exim4-base"),
        package("3.7.6-0+deb12u2", "postfix"), says="code execution through AUTH EXTERNAL and NTLM"),
    row(software.packages_fixed, HOST, "fail", LOOKED, package(FIXED), BUILT, says="Postfix 3.7.8: SMTP smuggling"),
    row(software.packages_fixed, HOST, "unknown", LOOKED, package("3.5.8-7.el9", "postfix", "Rocky 9.4"),
        says="fixes of postfix 3.5.8-7.el9 in Rocky 9.4 are not known here"),
    row(software.packages_fixed, HOST, "unknown", LOOKED, package("4.94", "exim4", "Debian 10"), says="Debian 10"),
    row(software.packages_fixed, HOST, "unknown", LOOKED, NOBODY, says="no package manager"),
)  # fmt: skip


@pytest.mark.parametrize("one", ROWS, ids=str)
def test_row(one: Row) -> None:
    verdict = one.check.judge(of_row(one))
    assert (verdict.outcome, one.says in verdict.because) == (one.outcome, True), verdict.because


def test_the_worst_flaw_decides_how_much_it_weighs() -> None:
    seen = (LOOKED, package("3.7.6-0+deb12u2", "postfix"), package("4.96-15+deb12u1", "exim4-base"))
    verdict = software.packages_fixed.judge(case(HOST, *seen))
    assert verdict.severity is Severity.CRITICAL
    assert "4.96-15+deb12u9 mends" in verdict.because
    assert verdict.because.endswith("also postfix 3.7.6-0+deb12u2")


def test_the_package_of_a_distribution_is_not_judged_by_its_makers_number() -> None:
    """Debian carries fixes back: 3.7.9 may hold what 3.8.4 brought."""
    running = ServerSeen(HOST, "dovecot", "2.3.19.1", DOVECOT, running=True)
    verdict = software.packages_fixed.judge(case(HOST, LOOKED, package(FIXED), running))
    assert verdict.because == f"as far as known on {document('vulnerable')['as_of']}"


def test_the_tables_are_well_formed() -> None:
    told = document("vulnerable")
    for one in told["packages"]:
        assert one["distribution"] in told["support"], one
        assert one["software"] in told["main"], one
        assert one["cve"], one
        assert Severity(one["severity"])
        assert older("0", one["fixed"])
    assert all(date.fromisoformat(day) for day in told["support"].values())
