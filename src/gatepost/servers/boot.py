"""What loads our table of rules when a host starts: the file they are kept in, and the unit of systemd for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gatepost.model.bundle import Bundle

RULES = "/etc/gatepost-firewall.json"  # in a directory that is always there, so that nothing else has to be made
NAME = "gatepost-firewall.service"
UNIT = f"/etc/systemd/system/{NAME}"
SYSTEMD = "/run/systemd/system"  # there while systemd runs the host (sd_booted(3))
BACKUPS = "/var/lib/gatepost"  # of applies, a directory for each host and in it one for each apply
ENABLED = ("systemctl", "is-enabled", NAME)
DIGESTS = ("sha256sum", RULES, UNIT)

_NFT = ("nft", "-j", "list", "ruleset")
_LINE = re.compile(r"(?P<digest>[0-9a-f]{64}) [ *](?P<path>/.*)")


@dataclass(frozen=True, slots=True)
class Start:
    """Digests are SHA-256 in hexadecimal: empty where there is no such file, None where it could not be told."""

    systemd: bool
    state: str = ""  # enabled, disabled, masked, …; of no unit: empty, or what systemctl says of it
    rules: str | None = None
    unit: str | None = None


def commands(bundle: Bundle) -> Iterator[tuple[str, ...]]:
    """Where they mean anything: on a host with nft, and one that systemd runs."""
    nft = bundle.command(*_NFT)
    if nft is None or nft.absent:
        return
    yield DIGESTS
    if _runs(bundle):
        yield ENABLED


def start(bundle: Bundle) -> Start | None:
    """None where nobody asked."""
    told = bundle.command(*DIGESTS)
    if told is None or told.why or told.absent:
        return None
    found = {one["path"]: one["digest"] for one in map(_LINE.fullmatch, told.stdout.splitlines()) if one}
    rules, unit = (found.get(path, _absent(path, told.stderr)) for path in (RULES, UNIT))
    said = bundle.command(*ENABLED)
    return Start(_runs(bundle), said.stdout.strip() if said else "", rules, unit)


def _runs(bundle: Bundle) -> bool:
    taken = bundle.file(SYSTEMD)
    return bool(taken and taken.exists)


def _absent(path: str, complaint: str) -> str | None:
    gone = any(path in line and "No such file" in line for line in complaint.splitlines())
    return "" if gone else None
