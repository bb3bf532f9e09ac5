"""Flaws proved by a probe, and those a banner admits to (GP-PATCH)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from gatepost.catalogue import Raw, document
from gatepost.checks.case import Case, check, failed, not_applicable, passed, unknown
from gatepost.checks.dialogue_seen import not_asked, some
from gatepost.checks.tls_seen import versions
from gatepost.model.finding import Verdict
from gatepost.model.observation import Feature, Greeting, of
from gatepost.model.words import Role, Severity

MINE = "needs leave: name the target as yours (--mine, or declare it)"

TALKING = (Role.ACCESS, Role.FILTER, Role.MX, Role.SIEVE, Role.SUBMISSION)

# A banner is hearsay: distributions mend old versions without changing the number.
DOUBTED = {"critical": Severity.HIGH, "high": Severity.MEDIUM, "medium": Severity.LOW, "low": Severity.INFO}


@check("GP-PATCH-002", roles=TALKING)
def no_vulnerable_version(case: Case) -> Verdict:
    """The banner names no version known to be vulnerable."""
    greetings = of(Greeting, case.seen, case.at)
    named = [g for g in greetings if g.software and g.version]
    if not named:
        return case.missing("greeting") if not greetings else unknown("the banner names no version", *greetings[:1])
    for greeting in named:
        if flaws := vulnerable(greeting.software, greeting.version):
            return failed(_sentence(greeting, flaws), greeting, severity=_worst(flaws))
    return passed(*named)


@dataclass(frozen=True, slots=True)
class Flaw:
    below: str
    cve: tuple[str, ...]
    what: str
    severity: str


def vulnerable(software: str, version: str) -> tuple[Flaw, ...]:
    """What is known of this version, the worst first."""
    ours = _numbers(version)
    rows = [r for r in document("vulnerable")["rows"] if r["software"] == software and ours and _affected(r, ours)]
    flaws = (Flaw(r["below"], tuple(r["cve"]), r["what"], r["severity"]) for r in rows)
    return tuple(sorted(flaws, key=lambda f: -Severity(f.severity).rank))


def _affected(row: Raw, ours: tuple[int, ...]) -> bool:
    return _numbers(row["from"] or "0") <= ours < _numbers(row["below"])


def _numbers(version: str) -> tuple[int, ...]:
    """`4.94.2`, `4.97-RC1` and `8.17.1/8.17.1` as numbers; bounded, because the peer wrote it."""
    found = re.match(r"\d{1,6}(?:\.\d{1,6}){0,5}", version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def _sentence(greeting: Greeting, flaws: tuple[Flaw, ...]) -> str:
    last = max(flaws, key=lambda f: _numbers(f.below)).below
    named = some(cve for f in flaws[:3] for cve in f.cve[:1])
    doubt = "unless the distribution mended it"
    return f"the banner says {greeting.software} {greeting.version}: {flaws[0].what}; {last} mends {named} ({doubt})"


def _worst(flaws: Iterable[Flaw]) -> Severity:
    return max((DOUBTED[f.severity] for f in flaws), key=lambda s: s.rank)


@check("GP-PATCH-002", roles=TALKING)
def banner_keeps_its_version(case: Case) -> Verdict:
    """The banner does not tell the version."""
    greetings = of(Greeting, case.seen, case.at)
    if telling := [g for g in greetings if g.version]:
        because = f"the banner tells {telling[0].software} {telling[0].version}".replace("  ", " ")
        return failed(because, *telling, severity=Severity.INFO)
    return passed(*greetings) if greetings else case.missing("greeting")


@check("GP-PATCH-003")
def no_heartbleed(case: Case) -> Verdict:
    """Heartbleed (CVE-2014-0160) is fixed."""
    return _flaw(case, "heartbleed", "gives away its memory: Heartbleed (CVE-2014-0160)", Severity.CRITICAL)


@check("GP-PATCH-003")
def no_ccs_injection(case: Case) -> Verdict:
    """The early ChangeCipherSpec flaw (CVE-2014-0224) is fixed."""
    return _flaw(case, "ccs-injection", "takes ChangeCipherSpec too early (CVE-2014-0224)", Severity.HIGH)


@check("GP-PATCH-003")
def no_ticketbleed(case: Case) -> Verdict:
    """Ticketbleed (CVE-2016-9244) is fixed."""
    return _flaw(case, "ticketbleed", "gives away memory in session ids: Ticketbleed (CVE-2016-9244)", Severity.HIGH)


@check("GP-PATCH-003")
def no_robot(case: Case) -> Verdict:
    """The RSA key exchange is no decryption oracle (ROBOT)."""
    return _flaw(case, "robot", "its RSA key exchange is an oracle: recorded sessions can be read (ROBOT)",
                 Severity.HIGH)  # fmt: skip


def _flaw(case: Case, name: str, because: str, severity: Severity) -> Verdict:
    told = [f for f in of(Feature, case.seen, case.at) if f.name == name]
    if proved := [f for f in told if f.present]:
        return failed(because, *proved, severity=severity)
    if mended := [f for f in told if f.present is False]:
        return passed(*mended)
    if told:
        return unknown(f"no answer: {told[0].detail}", *told)
    return not_asked(case, name, MINE)


@check("GP-PATCH-003")
def downgrade_noticed(case: Case) -> Verdict:
    """A fallback to an older version is noticed (RFC 7507)."""
    told = [f for f in of(Feature, case.seen, case.at) if f.name == "fallback-scsv"]
    accepted = versions(case.seen, case.at)
    if "TLSv1.3" in accepted:
        return not_applicable("TLS 1.3 has a mark of its own", accepted["TLSv1.3"])
    if not told:
        return _in_depth(case, "tls:fallback")
    if told[0].present is None:
        return unknown(f"no answer: {told[0].detail}", *told)
    if told[0].present or len(accepted) < 2:
        return passed(*told)
    return failed("does not notice a forced fallback (no TLS_FALLBACK_SCSV)", *told, severity=Severity.LOW)


@check("GP-PATCH-003")
def tolerates_the_new(case: Case) -> Verdict:
    """Hellos with values from the future are answered."""
    told = [f for f in of(Feature, case.seen, case.at) if f.name in {"grease-tolerant", "version-tolerant"}]
    if choking := [f for f in told if f.present is False]:
        because = f"chokes on what it does not know: {choking[0].detail}"
        return failed(because, *choking, severity=Severity.LOW)
    if answered := [f for f in told if f.present]:
        return passed(*answered)
    return unknown(f"no answer: {told[0].detail}", *told) if told else _in_depth(case, "tls:grease")


def _in_depth(case: Case, wanted: str) -> Verdict:
    lost = case.missing(wanted, "tls")
    return lost if lost.evidence else unknown("asked only in depth (--inventory)")
