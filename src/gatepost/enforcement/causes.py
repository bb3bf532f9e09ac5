"""Which rows of the table of desired values are needed on a host, and for which findings."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from gatepost.catalogue.desired import Desired, mending, row, rows
from gatepost.model.finding import Finding

_PLACE = re.compile(r"(?P<host>.*?)(?::(?P<port>\d+))?(?: \(.*\))?")

Causes = Mapping[str, tuple[Finding, ...]]  # findings by the id of a row


def places(finding: Finding) -> frozenset[tuple[str, int]]:
    """Host and port of each place; port 0 for the host as a whole."""
    found = (_PLACE.fullmatch(one) for one in finding.places)
    return frozenset((one["host"], int(one["port"] or 0)) for one in found if one)


def ports(finding: Finding) -> frozenset[int]:
    return frozenset(port for _, port in places(finding) if port)


def of_host(findings: Iterable[Finding], host: str) -> tuple[Finding, ...]:
    """Open failures of this host alone."""
    return tuple(f for f in findings if f.open and {name for name, _ in places(f)} == {host})


def word(finding: Finding) -> str:
    """Control and check, as the table names findings of the wire."""
    return f"{finding.control}/{finding.check}"


def causes(findings: Iterable[Finding]) -> Causes:
    """In the order of the table."""
    found: dict[str, list[Finding]] = defaultdict(list)
    judged = {one.check: one for one in rows() if one.check}
    for finding in findings:
        for one in _rows(finding, judged):
            found[one.id].append(finding)
    return {one.id: tuple(found[one.id]) for one in rows() if one.id in found}


def _rows(finding: Finding, judged: Mapping[str, Desired]) -> Iterable[Desired]:
    """What `may` mend something seen on the wire starts nothing where a judge of its own looks at the setting."""
    if one := judged.get(finding.check.replace("_", "-")):
        yield one
    for one in mending(word(finding)):
        if one.row is None or word(finding) in one.certain:
            yield one
            yield from map(row, one.also)


def about(want: Desired, findings: Iterable[Finding]) -> bool:
    """The judge of the row itself says so, not only something seen on the wire."""
    return any(finding.check.replace("_", "-") == want.check for finding in findings)
