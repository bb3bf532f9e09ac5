"""What the daemons' own programs complain about while they read their configuration."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from gatepost.model.architecture import Endpoint
from gatepost.model.bundle import Ran
from gatepost.model.host import DaemonSaid
from gatepost.servers.instances import Instance
from gatepost.servers.secrets import masked_text

MOST = 40
LONGEST = 400

_SPEAKER = re.compile(
    r"^(?:\d{4}-\d\d-\d\d \S+ )?(?:\S*(?:postconf|postfix|postfix-script|doveconf|dovecot|exim)\S*: )?"
)
_LEVEL = re.compile(r"^(fatal|panic|error|warning): ", re.IGNORECASE)


def complaints(at: Endpoint, instance: Instance, ran: Iterable[Ran | None]) -> Iterator[DaemonSaid]:
    """Each sentence once. What made a program fail is `broken`; the rest are warnings."""
    seen: set[str] = set()
    for one in ran:
        for text, broken in _said(one) if one else ():
            if text not in seen and len(seen) < MOST:
                seen.add(text)
                yield DaemonSaid(at, instance.software, instance.config, text, broken)


def _said(one: Ran) -> Iterator[tuple[str, bool]]:
    if one.absent or one.why:
        return
    failed = one.code != 0
    told = [line.strip() for line in one.stderr.splitlines() if line.strip()]
    for line in told[:200]:
        text = masked_text(_SPEAKER.sub("", line))
        level = _LEVEL.match(text)
        word = level.group(1).lower() if level else ""
        text = _LEVEL.sub("", text)[:LONGEST]
        if text and (word or failed):
            yield text, failed and word in {"fatal", "panic", ""}
    if failed and not told:
        yield f"{' '.join(one.argv)} ended with {one.code} and said nothing", True
