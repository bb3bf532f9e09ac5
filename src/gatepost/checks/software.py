"""What is installed behind the mail ports: in support, and with the fixes that the distribution made (GP-PATCH)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from gatepost.catalogue import Raw, document
from gatepost.catalogue.remedies import LABELS
from gatepost.catalogue.versions import older, upstream
from gatepost.checks.case import Case, Scope, check, failed, not_applicable, passed, unknown
from gatepost.checks.dialogue_seen import some
from gatepost.checks.inside_seen import here, looked_inside, not_seen_inside
from gatepost.checks.patching import vulnerable
from gatepost.model.finding import Verdict
from gatepost.model.host import PackageSeen, ServerSeen
from gatepost.model.observation import Observation, of
from gatepost.model.words import Severity


@check("GP-PATCH-001", scope=Scope.HOST)
def distribution_in_support(case: Case) -> Verdict:
    """The distribution still makes security updates for the mail software."""
    found = _packages(case)
    if not found:
        return _no_packages(case)
    one = found[0]
    until = _until(one.distribution)
    if until is None:
        return unknown(f"how long {one.distribution or 'this distribution'} is in support is not known here", *found)
    if case.now.date() > until:
        because = f"{one.distribution} gets no security updates since {until:%Y-%m-%d} ({_listed(found)})"
        return failed(because, *found)
    return passed(*found)


@check("GP-PATCH-002", scope=Scope.HOST)
def packages_fixed(case: Case) -> Verdict:
    """Every known flaw of the installed mail software is fixed."""
    found = _packages(case)
    built = [one for one in of(ServerSeen, case.seen, here(case)) if _by_hand(one, found, case)]
    if not found and not built:
        return _no_packages(case)
    flaws = [*(f for one in found for f in _missing(one)), *(f for one in built for f in _upstream(one))]
    if flaws:
        worst = max(flaws, key=lambda flaw: Severity(flaw.severity).rank)
        return failed(_sentence(worst, flaws), *_evidence(flaws), severity=Severity(worst.severity))
    if unknown_ones := [one for one in found if not _known(one)]:
        one = unknown_ones[0]
        because = (
            f"fixes of {one.package} {one.version} in {one.distribution or 'this distribution'} are not known here"
        )
        return unknown(because, *unknown_ones)
    return passed(*found, *built, because=f"as far as known on {document('vulnerable')['as_of']}")


@dataclass(frozen=True, slots=True)
class Missing:
    """A flaw that is open. `mended` is the version that closes it."""

    seen: PackageSeen | ServerSeen
    name: str
    mended: str
    cve: tuple[str, ...]
    what: str
    severity: str


def _missing(one: PackageSeen) -> Iterator[Missing]:
    for row in _rows(one):
        if older(one.version, row["fixed"]):
            name = f"{one.package} {one.version}"
            yield Missing(one, name, row["fixed"], tuple(row["cve"]), row["what"], row["severity"])


def _upstream(one: ServerSeen) -> Iterator[Missing]:
    """Nobody packaged it, so its own version tells."""
    label = LABELS.get(one.software, one.software)
    for flaw in vulnerable(label, one.version):
        yield Missing(one, f"{label} {one.version}", flaw.below, flaw.cve, flaw.what, flaw.severity)


def _sentence(worst: Missing, flaws: list[Missing]) -> str:
    cves = some(cve for one in flaws if one.seen is worst.seen for cve in one.cve)
    newest = worst.mended
    for one in flaws:
        if one.seen is worst.seen and older(newest, one.mended):
            newest = one.mended
    others = sorted({one.name for one in flaws if one.seen is not worst.seen})
    more = f"; also {some(others)}" if others else ""
    return f"{worst.name}: {worst.what}; {newest} mends {cves}{more}"


def _evidence(flaws: Iterable[Missing]) -> tuple[Observation, ...]:
    return tuple(dict.fromkeys(one.seen for one in flaws))


def _packages(case: Case) -> list[PackageSeen]:
    """The packages that carry the servers; modules and translations share their version."""
    main = document("vulnerable")["main"]
    return [one for one in of(PackageSeen, case.seen, here(case)) if one.package in main.get(one.software, ())]


def _by_hand(server: ServerSeen, packages: Iterable[PackageSeen], case: Case) -> bool:
    """Not from a package: none is installed, or the version that runs is another one."""
    same = [one for one in packages if one.software == server.software]
    answered = any(True for _ in of(PackageSeen, case.seen, here(case)))
    return bool(server.version) and (answered if not same else all(_differs(one, server) for one in same))


def _differs(package: PackageSeen, server: ServerSeen) -> bool:
    return upstream(package.version) != upstream(server.version) and bool(upstream(server.version))


def _rows(one: PackageSeen) -> list[Raw]:
    rows: list[Raw] = document("vulnerable")["packages"]
    return [r for r in rows if r["software"] == one.software and _is(one.distribution, r["distribution"])]


def _known(one: PackageSeen) -> bool:
    return bool(_rows(one))


def _until(distribution: str) -> date | None:
    support: dict[str, str] = document("vulnerable")["support"]
    return next((date.fromisoformat(day) for name, day in support.items() if _is(distribution, name)), None)


def _is(distribution: str, name: str) -> bool:
    """`Rocky 9.4` is of `Rocky 9`."""
    return distribution == name or distribution.startswith(f"{name}.")


def _listed(found: Iterable[PackageSeen]) -> str:
    return some(f"{one.package} {one.version}" for one in found)


def _no_packages(case: Case) -> Verdict:
    if not looked_inside(case):
        return not_seen_inside(case, "packages")
    lost = not_seen_inside(case, "packages")
    if lost.evidence:
        return lost
    if of(ServerSeen, case.seen, here(case)):
        return unknown("no package holds the mail servers of this host", *of(ServerSeen, case.seen, here(case)))
    return not_applicable("no mail server is installed")
