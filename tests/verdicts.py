"""Audits a lab through the product and says which controls failed where."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

from gatepost import catalogue
from gatepost.audit import conclude, errands
from gatepost.cli.declared import load
from gatepost.edge.net import Patience
from gatepost.edge.prober import Looking, probe
from gatepost.edge.trust import roots
from gatepost.model.audit import Audit
from gatepost.model.observation import Run, Seen
from gatepost.model.words import Outcome

Told = dict[str, dict[str, list[str]]]


def audited(
    declaration: Path, ca: Path, *, ports: frozenset[int] = frozenset(), patience: Patience | None = None
) -> Audit:
    """What `gatepost audit -c DECLARATION --ca CA` concludes of every declared host, with patience to choose."""
    architecture, now = load(declaration), datetime.now(UTC)
    profile = catalogue.profile(architecture.profile)
    names = tuple(host.name for host in architecture.hosts)
    looking = Looking(profile, roots(ca), now, mine=frozenset(names), patience=patience or Patience())
    todo = errands(architecture.hosts, only=ports)
    probed = asyncio.run(probe(todo, looking, lambda _done, _total, _what: None))
    run = Run(Seen(probed.seen), now, connections=probed.connections)
    return conclude(run, architecture, profile, probed.services, names, now=now, mine=True)


def by_host(audit: Audit, outcome: Outcome) -> Told:
    """Host -> control -> what was said, for one outcome."""
    told: Told = defaultdict(lambda: defaultdict(list))
    for finding in audit.findings:
        if finding.outcome is outcome:
            host = finding.subject.partition(":")[0]
            told[host][finding.control].append(f"{finding.check} {finding.subject}: {finding.because}")
    return told
